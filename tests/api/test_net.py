"""Whatever a handler raises, the page and a program that calls it get a sentence with a code; the traceback stands in the log alone."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from pipelines import incidents
from pipelines.errors import StudioError
from pipelines.paths import Paths
from studio.telling import CHOICE_IS_GONE, Studio

CODE = re.compile(r"look up code ([2-9A-HJKMNP-Z]{5}) in the studio's log")
PLANTED = "planted words of somebody"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paths]:
    patch, before = pytest.MonkeyPatch(), incidents.LOG.handlers[:]
    patch.setattr(sys, "excepthook", sys.excepthook)
    patch.setattr(threading, "excepthook", threading.excepthook)
    paths = Paths(tmp_path_factory.mktemp("net"))
    incidents.open_log(paths)
    yield paths
    patch.undo()
    for handler in [one for one in incidents.LOG.handlers if one not in before]:
        incidents.LOG.removeHandler(handler)
        handler.close()


def plainly(word: str) -> str:
    raise KeyError(f"{PLANTED} {word}")


def step_by_step(word: str) -> Iterator[str]:
    yield "one"
    raise RuntimeError(f"{PLANTED} {word}")


async def later(word: str) -> str:
    raise LookupError(f"{PLANTED} {word}")


def refuse(word: str) -> str:
    raise StudioError("No <b>such</b> word.", "Use another one.")


def toast(word: str) -> str:
    raise gr.Error("Wait a little.", title="Slowly", duration=5)


HANDLERS: dict[str, Any] = {
    "plainly": plainly, "step_by_step": step_by_step, "later": later, "a_lambda": lambda word: {}[f"{PLANTED} {word}"],
    "wrong_count": lambda word: ("one",), "refuse": refuse, "toast": toast,
}  # fmt: skip


@pytest.fixture(scope="module")
def url(home: Paths) -> Iterator[str]:
    with Studio(analytics_enabled=False) as studio:
        word, chosen, number = gr.Textbox(), gr.Dropdown(["a", "b"]), gr.Number()
        other = gr.Textbox()
        for name, handler in HANDLERS.items():
            button = gr.Button("Break it")
            button.click(handler, word, [word, other] if name == "wrong_count" else word, api_name=name)
            button.click(handler, word, [word, other] if name == "wrong_count" else word, api_name=f"{name}_at_once", queue=False)
        chosen.change(lambda one: one, chosen, word, api_name="choose")
        number.change(lambda one, two: two, [number, word], word, api_name="count")
    _, address, _ = studio.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, server_name="127.0.0.1")
    yield address
    studio.close()


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return Client(url, verbose=False)


@pytest.mark.parametrize("ending", ["", "_at_once"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("plainly", "KeyError"),
        ("step_by_step", "RuntimeError"),
        ("later", "LookupError"),
        ("a_lambda", "KeyError"),
        ("wrong_count", "ValueError"),
    ],
)
def test_any_handler_that_fails_gives_a_sentence_whose_code_stands_in_the_log(
    client: Client, home: Paths, name: str, kind: str, ending: str
) -> None:
    with pytest.raises(AppError) as failed:
        client.predict("word", api_name=f"/{name}{ending}")
    said, code = str(failed.value), CODE.search(str(failed.value))
    assert code and said.startswith(f"“Break it” broke off ({kind}). ") and failed.value.title == "Something went wrong"  # type: ignore[attr-defined]
    assert PLANTED not in said and "Traceback" not in said and ".py" not in said
    entry = incidents.log_file(home).read_text(encoding="utf-8").split(f" {code[1]} ")[1]
    assert "Traceback" in entry and kind in entry and (name == "wrong_count" or PLANTED in entry)


def test_the_answer_to_a_bare_request_holds_the_sentence_and_nothing_of_the_traceback(url: str) -> None:
    answer = httpx.post(f"{url}gradio_api/run/plainly_at_once", json={"data": ["word"]})
    assert answer.status_code == 500 and CODE.search(answer.json()["error"])
    assert PLANTED not in answer.text and "Traceback" not in answer.text and ".py" not in answer.text


def test_people_s_mistakes_and_toasts_keep_their_own_words_and_get_no_code(client: Client) -> None:
    before = len(incidents.latest())
    with pytest.raises(AppError, match="No &lt;b&gt;such&lt;/b&gt; word. Use another one."):
        client.predict("word", api_name="/refuse")
    with pytest.raises(AppError, match=re.escape("Wait a little.")) as slow:
        client.predict("word", api_name="/toast")
    assert slow.value.title == "Slowly" and len(incidents.latest()) == before  # type: ignore[attr-defined]


def test_a_choice_that_is_gone_and_values_that_do_not_fit_are_told_plainly(client: Client, url: str, home: Paths) -> None:
    with pytest.raises(AppError, match=re.escape(CHOICE_IS_GONE)):
        client.predict("c", api_name="/choose")
    answer = httpx.post(f"{url}gradio_api/run/count", json={"data": [1]})
    assert "can't be read here" in answer.json()["error"] and "Textbox" not in answer.text
    assert "unreadable values for count" in incidents.log_file(home).read_text(encoding="utf-8")
