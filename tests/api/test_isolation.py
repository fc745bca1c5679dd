"""Two visitors of a real server: one names the other's draft in every way that a program can, and gets nothing of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file

from studio.app import build_studio
from studio.services import Services

MARKER = "zebrafinch"


class Page:
    """An open page of a studio as a program sees it: a session of its own, which may call whatever the page could."""

    def __init__(self, url: str, config: dict[str, Any]) -> None:
        self.url, self.session = f"{url.rstrip('/')}/gradio_api", secrets.token_hex(6)
        self.numbers: dict[str, int] = {}
        for one in config["dependencies"]:
            self.numbers.setdefault(str(one["api_name"]), one["id"])
        self.loads = next(
            one["id"]
            for one in config["dependencies"]
            if "known" in str(one["api_name"]) and any(event == "load" for _, event in one["targets"])
        )

    def call(self, name: str, *values: Any) -> str:
        """What comes back, as text. Values that the server keeps itself are sent as None."""
        number = self.loads if name == "load" else self.numbers[name]
        body = {"fn_index": number, "data": list(values), "session_hash": self.session}
        httpx.post(f"{self.url}/queue/join", json=body).raise_for_status()
        heard = ""
        with httpx.stream("GET", f"{self.url}/queue/data", params={"session_hash": self.session}, timeout=30) as stream:
            for line in stream.iter_lines():
                heard += line
                if line.startswith("data:") and json.loads(line[5:]).get("msg") in (
                    "process_completed",
                    "close_stream",
                    "unexpected_error",
                ):
                    break
        return heard


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, gr.Blocks, Path]]:
    """A studio without a model: nothing here asks one."""
    home = tmp_path_factory.mktemp("home")
    patch = pytest.MonkeyPatch()
    patch.setenv("STUDIO_HOME", str(home))
    studio = build_studio(Services.create())
    _, url, _ = studio.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, server_name="127.0.0.1", server_port=None)
    yield url, studio, home
    studio.close()
    patch.undo()


def uploaded(url: str, home: Path, word: str) -> tuple[Client, str]:
    """A client with a draft in hand, and the draft's id."""
    file = home.parent / f"{word}.csv"
    file.write_text(f"post\n{word} says that rents are too high\n")
    client = Client(url, verbose=False)
    before = set((home / "drafts").glob("*"))
    client.predict(handle_file(str(file)), api_name="/open_file")
    (made,) = {one for one in (home / "drafts").glob("*") if not one.name.startswith(".")} - before
    return client, made.name


def test_a_visitor_gets_nothing_of_anothers_draft_by_any_name_of_it(server: tuple[str, gr.Blocks, Path]) -> None:
    url, studio, home = server
    one, draft_id = uploaded(url, home, MARKER)
    other, _ = uploaded(url, home, "otherword")
    assert (home / "drafts" / draft_id / "owner").read_text() != ""
    with pytest.raises(Exception, match=r"(?i)offered|choices|another browser"):
        other.predict(f"draft:{draft_id}", api_name="/open_earlier")
    for path in (home / "drafts" / draft_id, home / "drafts" / draft_id / "source"):
        assert "studio&#x27;s own files" in str(other.predict(str(path), "", "train", "", api_name="/open_reference"))
    page = Page(url, studio.get_config_file())
    page.call("load", "another's code", True, None)
    heard = page.call("in_hand", None, draft_id, None) + page.call("undo", None)
    assert "Nothing is open yet" in heard and MARKER not in page.call("refresh", *[None] * len(studio.fns[page.numbers["refresh"]].inputs))
    assert "nothing to undo" in str(one.predict(api_name="/undo"))


def test_whoever_shows_the_code_that_made_it_has_their_draft_back_after_a_reload(server: tuple[str, gr.Blocks, Path]) -> None:
    url, studio, home = server
    first, again = (Page(url, studio.get_config_file()) for _ in range(2))
    before = {one.name for one in (home / "drafts").glob("*")}
    first.call("load", "my own code", True, None)
    first.call("open_bundled_confounded", None, None)
    (made,) = {one.name for one in (home / "drafts").glob("*")} - before
    assert "Nothing is open yet" in again.call("in_hand", None, made, None) + again.call("undo", None)
    again.call("load", "my own code", True, None)
    assert "nothing to undo" in again.call("in_hand", None, made, None) + again.call("undo", None)
