"""Keys that are echoed, misspelt or in an error: what is stored, told and written down has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import hub, incidents
from pipelines.endpoints.chat import ChatClient
from pipelines.errors import StudioError
from tests import echoing

KEY = "typed-by-somebody-5150"
ODD = "hf_with\x07a-bell-in-it"


def ask(address: str, way: str, folder: Path) -> list[str]:
    """What came of two requests: the replies' texts and problems, or the sentence that ended it all."""
    client = ChatClient(f"{address}/{way}/v1", "any", KEY, cache_folder=folder, retries=0, timeout_s=10)
    try:
        replies = client.ask_many([[{"role": "user", "content": word}] for word in ("one", "two")])
    except StudioError as error:
        return [str(error)]
    return [f"{reply.text} {reply.problem}" for reply in replies]


@pytest.mark.parametrize("way", echoing.WAYS)
def test_an_endpoint_that_repeats_the_key_gets_it_nowhere(way: str, tmp_path: Path) -> None:
    with echoing.server() as (address, seen):
        said = ask(address, way, tmp_path)
    assert f"Bearer {KEY}" in seen and not [words for words in said if KEY in words or "Bearer t" in words]
    assert not [file for file in tmp_path.iterdir() if KEY.encode() in file.read_bytes()]
    assert way != "parrot" or "[key]" in said[0]


def test_a_typed_key_is_hidden_in_the_log_from_then_on(tmp_path: Path) -> None:
    ChatClient("http://127.0.0.1:9/v1", "any", "typed-and-never-seen-77", cache_folder=tmp_path)
    assert incidents.discreet("failed with typed-and-never-seen-77 in hand") == f"failed with {incidents.HIDDEN} in hand"


def test_a_token_that_is_none_is_not_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(hub.TOKEN, ODD)
    with pytest.raises(StudioError, match="Copy it again") as caught:
        hub.send(tmp_path, hub.Pushed("me/x", True, {}), "model", "message")
    assert "bell" not in str(caught.value)
