"""Keys and tokens stay in memory and in the environment: after real failures none is on the disk, on the screen or in an answer."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from gradio_client import Client

from pipelines.paths import PROJECT, Paths
from pipelines.tuning import runs
from tests import cut, echoing
from tests.api.conftest import SECRETS, TYPED, Planted
from tests.api.walk import TINY, press

pytestmark = pytest.mark.slow  # half a minute; tests/unit/test_secrecy.py holds the parts
MINE = "STUDIO_ENDPOINT_KEY"
ALL = [*SECRETS.values(), TYPED]


def spellings(secret: str) -> list[bytes]:
    return [secret.encode(), base64.b64encode(secret.encode()).rstrip(b"="), quote(secret, safe="").encode(), secret[6:].encode()]


def found_in(content: bytes) -> list[str]:
    return [secret for secret in ALL if any(one in content for one in spellings(secret))]


def found_below(folder: Path) -> list[tuple[str, list[str]]]:
    """Files with a planted secret in them, in any spelling; names count as well."""
    files = [Path(where, name) for where, _, names in os.walk(folder) for name in names]
    hit = [(str(path), found_in(str(path).encode() + b"\n" + path.read_bytes())) for path in files if path.is_file()]
    return [(path, secrets) for path, secrets in hit if secrets]


def asked(url: str, address: str, key: str) -> str:
    """Posts are opened and scored by the endpoint at an address: what the page says."""
    visitor = Client(url, verbose=False)
    press(visitor, "open_bundled_posts")
    return press(visitor, "score", **{"Who scores": "endpoint", "Address": address, "Model": "any", "Key": key, "Requests side by side": 2})


@pytest.fixture(scope="module")
def answers(planted: Planted, elsewhere: tuple[str, list[str]]) -> dict[str, str]:
    """What the page said to every kind of failure, with the key of the environment and with one that was typed."""
    address, _ = elsewhere
    said = {f"{way} typed": asked(planted.url, f"{address}/{way}/v1", TYPED) for way in echoing.WAYS}
    said |= {f"{way} kept": asked(planted.url, f"{address}/{way}/v1", "") for way in ("refused", "broken")}
    hub = {"Hub data set (owner/name), or a folder or file of this machine": "owner/name"}
    return said | {"hub": press(Client(planted.url, verbose=False), "open_reference", **hub)}


def test_the_keys_really_went_over_the_wire(answers: dict[str, str], elsewhere: tuple[str, list[str]]) -> None:
    _, seen = elsewhere
    assert {f"Bearer {SECRETS[MINE]}", f"Bearer {TYPED}"} <= set(seen), answers["refused typed"]
    assert f"Bearer {SECRETS['HF_TOKEN']}" in seen, "the Hub was not asked with the token"


def test_no_answer_repeats_a_key_and_each_failure_is_a_sentence(answers: dict[str, str]) -> None:
    assert {name: found_in(words.encode()) for name, words in answers.items() if found_in(words.encode())} == {}
    for name, words in answers.items():
        assert "Traceback" not in words and ("ps-error" in words or name.startswith("parrot")), name


def test_nothing_on_the_disk_or_on_the_screen_holds_a_secret(planted: Planted, answers: dict[str, str]) -> None:
    asked_at_least = len(list((planted.home / "replies").iterdir()))
    print(f"{sum(1 for _ in planted.home.rglob('*'))} files searched for {len(ALL)} secrets in {len(spellings('x' * 9))} spellings each")
    assert asked_at_least and found_below(planted.home) == []
    assert found_in(planted.printed.encode()) == []


def test_the_page_hands_out_no_secret(planted: Planted) -> None:
    for path in ("", "config", "gradio_api/info", "gradio_api/openapi.json", "rate", "guess"):
        assert found_in(httpx.get(f"{planted.url}/{path}", timeout=60).content) == [], path


@pytest.mark.parametrize("command", [["curate", "--input", "owner/name"], ["tune", "--where", "hf-job"]], ids=" ".join)
def test_commands_that_fail_name_no_token(command: list[str], tmp_path: Path, elsewhere: tuple[str, list[str]]) -> None:
    environment = cut.environment(tmp_path, tmp_path / "home", HF_ENDPOINT=elsewhere[0], **SECRETS)
    done = subprocess.run([sys.executable, "-m", "pipelines", *command], cwd=PROJECT, env=environment, capture_output=True, timeout=120)
    assert done.returncode and found_in(done.stdout + done.stderr) == [] and b"Traceback" not in done.stderr


@pytest.mark.slow
def test_a_trainer_writes_no_secret(planted: Planted) -> None:
    said = press(Client(planted.url, verbose=False), "tune", **TINY)
    assert "ps-error" not in said, said
    paths = Paths(planted.home)
    cut.wait_until(lambda: any(run.state in (*runs.USABLE, "failed") for run in runs.list_runs(paths)), 240)
    assert [run.state for run in runs.list_runs(paths)] == ["finished"] and found_below(planted.home / "runs") == []
