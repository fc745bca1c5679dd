"""What a deployment does where the Hub refuses, and what the command prints."""

import argparse
import json
from types import SimpleNamespace

import pytest

from pipelines.commands import deploy as command
from pipelines.deploying import performing
from pipelines.deploying.files import Parcel
from pipelines.deploying.plan import Call, Secret
from pipelines.errors import StudioError
from tests.space_hub import PASSWORDS, TOKEN, Hub, light, made, signed_in

__all__ = ["light", "signed_in"]
pytestmark = pytest.mark.usefixtures("light")


def test_without_a_token_nothing_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    hub = Hub()
    with pytest.raises(StudioError, match="no access token"):
        performing.perform(made(), hub)
    assert not hub.calls


def test_a_public_bucket_gets_no_ballots(signed_in: None) -> None:
    hub = Hub(private=False)
    with pytest.raises(StudioError, match="me/politune-data exists already and is public"):
        performing.perform(made(), hub)
    assert hub.names == ["create_bucket", "bucket_info"]


class Refusal(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.response = SimpleNamespace(status_code=status)


@pytest.mark.parametrize(
    ("name", "status", "hint"),
    [
        ("create_repo", 402, "payment"),
        ("upload_folder", 403, "may not write"),
        ("add_space_secret", 401, "not accepted"),
        ("create_repo", 500, "connection"),
    ],
)
def test_a_refusal_is_a_sentence_that_says_how_far_it_came_and_no_secret(name: str, status: int, hint: str, signed_in: None) -> None:
    wanted, hub = made(), Hub({name: Refusal(status, f"no: {TOKEN} {PASSWORDS} battery-staple\nand more")})
    with pytest.raises(StudioError) as refused:
        performing.perform(wanted, hub)
    step = [one.name for one in wanted.calls].index(name) + 1
    assert f"step {step} of {len(wanted.calls)}, {name}" in refused.value.message and hint in refused.value.hint
    assert not [one for one in (TOKEN, "correct-horse", "battery-staple", "and more") if one in str(refused.value)]
    assert hub.names[-1] == name and "goes on from there" in refused.value.hint


def test_a_full_disk_is_not_blamed_on_the_hub(signed_in: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Parcel, "lay_out", full)
    hub = Hub()
    with pytest.raises(OSError, match="No space"):
        performing.perform(made(), hub)
    assert "upload_folder" not in hub.names


# The command


def _options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    command.options(parser)
    return parser.parse_args(words)


def test_a_dry_run_needs_no_token_and_calls_nobody(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(performing, "perform", lambda *_, **__: pytest.fail("performed"))
    command.deploy(_options("me/politune", "--profile", "gpu", "--public", "--dry-run", "--json"), None)  # type: ignore[arg-type]
    told = json.loads(capsys.readouterr().out)
    assert told["dry_run"] and told["calls"][0]["call"] == "create_bucket" and "README.md" in told["files"]
    command.deploy(_options("me/politune", "--dry-run"), None)  # type: ignore[arg-type]
    text = capsys.readouterr().out
    assert text.startswith("Nothing was sent.") and "space_hardware='zero-a10g'" in text and "app.py" in text


def test_the_command_prints_one_json_value_whatever_the_client_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], signed_in: None
) -> None:
    hub = Hub()
    monkeypatch.setattr(performing, "_client", lambda token: hub)
    command.deploy(_options("me/politune", "--json", "--private"), None)  # type: ignore[arg-type]
    told = json.loads(capsys.readouterr().out)
    assert told["url"].endswith("/spaces/me/politune") and not told["dry_run"] and "update_repo_settings" in hub.names


def test_a_call_is_printed_as_it_is_made() -> None:
    assert str(Call("x", {"a": 1, "token": Secret("HF_TOKEN")})) == "x(a=1, token=[HF_TOKEN of this environment])"
