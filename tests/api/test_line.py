"""Who waits for the model sees place and wait, and a page that is closed frees its place: over a real server, without a model's answer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from gradio_client import Client

from pipelines.models.line import Ticket
from pipelines.paths import Paths
from studio.app import build_studio
from studio.services import Services

SENT = ["Why?", ["base"], 1.0, 0.0, 1.0, 4, 1, True, ""]


@pytest.fixture(scope="module")
def services(model_home: Paths) -> Iterator[Services]:
    patch = pytest.MonkeyPatch()
    patch.setenv("STUDIO_HOME", str(model_home.root))
    yield Services.create()
    patch.undo()


@pytest.fixture(scope="module")
def address(services: Services) -> Iterator[str]:
    studio = build_studio(services)
    _, url, _ = studio.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, server_name="127.0.0.1", server_port=None)
    yield url
    studio.close()


@pytest.fixture
def blocked(services: Services) -> Iterator[Ticket]:
    """Somebody who is being answered, and takes long."""
    with services.host.line.join("somebody", seconds=50.0) as ticket:
        yield ticket


def until(what: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_whoever_waits_is_told_the_place_and_the_wait(address: str, services: Services, blocked: Ticket) -> None:
    client = Client(address, verbose=False)
    job = client.submit(*SENT, api_name="/compare")
    until(lambda: "1 request is answered before yours" in str(job.outputs()))
    assert re.search(r"about \d\d s", str(job.outputs()[-1]))
    other = Client(address, verbose=False).submit("Why not?", *SENT[1:], api_name="/compare")
    until(lambda: "2 requests are answered before yours" in str(other.outputs()))
    job.cancel()
    until(lambda: services.host.line.state()["waiting"] == 1)
    until(lambda: "1 request is answered before yours" in str(other.outputs()[-1]))
    other.cancel()
    until(lambda: services.host.line.state()["waiting"] == 0)


def test_who_stops_while_waiting_is_told_so_at_once(address: str, services: Services, blocked: Ticket) -> None:
    client = Client(address, verbose=False)
    job = client.submit(*SENT, api_name="/compare")
    until(lambda: "answered before yours" in str(job.outputs()))
    services.stop(str(client.session_hash))
    job.result(timeout=10)
    assert "before it was your turn" in str(job.outputs()[-1]) and services.host.line.state()["waiting"] == 0


def test_a_page_that_is_closed_frees_its_place(address: str, services: Services, blocked: Ticket) -> None:
    """As a browser does it: the question is sent, the stream of replies is read, and then the connection is gone."""
    number = next(one["id"] for one in Client(address, verbose=False).config["dependencies"] if one["api_name"] == "compare")
    sent = {"data": _with_states(address, number, SENT), "fn_index": number, "session_hash": "closedpage"}
    with httpx.Client(timeout=30) as browser:
        browser.post(f"{address}gradio_api/queue/join", json=sent).raise_for_status()
        with browser.stream("GET", f"{address}gradio_api/queue/data", params={"session_hash": "closedpage"}) as replies:
            for line in replies.iter_lines():
                if line.startswith("data:") and "answered before yours" in json.dumps(json.loads(line[5:]), ensure_ascii=False):
                    break
            assert services.host.line.state()["waiting"] == 1
    until(lambda: services.host.line.state()["waiting"] == 0)


def _with_states(address: str, number: int, values: list[Any]) -> list[Any]:
    """The values in the order of the event's inputs; those that the server keeps are sent as None."""
    config = Client(address, verbose=False).config
    kinds = {part["id"]: part["type"] for part in config["components"]}
    left = iter(values)
    wanted = next(one["inputs"] for one in config["dependencies"] if one["id"] == number)
    return [None if kinds[part] == "state" else next(left) for part in wanted]
