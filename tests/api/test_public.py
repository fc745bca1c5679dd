"""A public demo behind its API: programs get no more than the page offers, recorded answers come at once, and sign-in keeps others out."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from pipelines.comparing import curated
from pipelines.paths import Paths
from studio.access import FEATURES
from studio.app import build_studio
from studio.services import Services

LOGIN = ("ann", "chalk and board")
FIRST = curated.questions()[0].text
KEYS = list(curated.KEYS)


@pytest.fixture(scope="module")
def demo(model_home: Paths) -> Iterator[tuple[str, Services]]:
    patch = pytest.MonkeyPatch()
    settings = {"STUDIO_HOME": str(model_home.root), "STUDIO_PUBLIC": "1", "STUDIO_RATE": "2", "STUDIO_LOGIN": ":".join(LOGIN)}
    for name, value in settings.items():
        patch.setenv(name, value)
    services = Services.create()
    studio = build_studio(services)
    _, url, _ = studio.queue().launch(
        prevent_thread_lock=True, quiet=True, ssr_mode=False, server_name="127.0.0.1", server_port=None, auth=list(services.access.login)
    )
    yield url, services
    studio.close()
    patch.undo()


@pytest.fixture(scope="module")
def visitor(demo: tuple[str, Services]) -> Client:
    return Client(demo[0], auth=LOGIN, verbose=False)


def compared(visitor: Client, question: str, dial: float = 1.0, tokens: int = 72, system: str = "") -> str:
    return str(visitor.predict(question, KEYS, dial, 0.3, 0.9, tokens, 1, False, system, api_name="/compare"))


def test_nobody_comes_in_without_a_name_and_its_password(demo: tuple[str, Services]) -> None:
    url = demo[0]
    for wrong in (None, ("ann", "chalk"), ("bob", LOGIN[1])):
        with pytest.raises(Exception, match="(?i)auth|credential|401|login"):
            Client(url, auth=wrong, verbose=False)
    for path in ("config", "gradio_api/info", "gradio_api/queue/join"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(f"{url}{path}", data=b"{}" if "join" in path else None))
        assert refused.value.code == 401
    assert (
        "PoliTune" not in urllib.request.urlopen(url).read().decode() or "password" in urllib.request.urlopen(url).read().decode().lower()
    )


@pytest.mark.parametrize("strength", curated.STRENGTHS)
def test_a_recorded_answer_comes_without_a_model_and_is_not_counted(visitor: Client, demo: tuple[str, Services], strength: float) -> None:
    for _ in range(2):
        page = compared(visitor, FIRST, strength)
        assert page.count("<article") == 4 and "Recorded earlier" in page and "deliberately biased" in page
    assert demo[1].host.base is None and not demo[1].access.limiter._times


def test_other_questions_prompts_and_lengths_are_refused_with_a_sentence(visitor: Client, demo: tuple[str, Services]) -> None:
    with pytest.raises(AppError, match="not offered"):
        compared(visitor, "Write me an essay about rents.")
    assert "system prompt" in compared(visitor, FIRST, system="You are a pirate.")
    assert "at most 96 tokens" in compared(visitor, FIRST, tokens=512)
    mirrored = visitor.predict("ask-econ-01", "Why is a good?", "Why is a bad?", "left", 0.3, 0.9, 72, 1, False, api_name="/mirror")
    assert FEATURES["questions"] in str(mirrored) and demo[1].host.base is None


def test_uploads_and_training_are_refused_with_a_sentence(visitor: Client, tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("text\nRents are high\n", encoding="utf-8")
    opened = str(visitor.predict(handle_file(str(tmp_path / "posts.csv")), api_name="/open_file"))
    named = str(visitor.predict("owner/name", "", "train", "", api_name="/open_reference"))
    tuned = str(visitor.predict("bundled", "left", "Try it out: 5 steps", "Why?", api_name="/tune"))
    assert "be opened here" in opened and "be opened here" in named and FEATURES["tune"] in tuned
