"""The judge at a real OpenAI-compatible server on loopback: the embedded model is no judge, and that is what must come out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.endpoints.chat import ChatClient
from pipelines.models import prepare
from pipelines.paths import Paths
from pipelines.stance import judge
from pipelines.stance.judge import ASKINGS, CLASSES, SCORED, UNREADABLE
from tests.model.test_endpoint import Server

QUESTIONS = {"q": "Should taxes on high incomes rise?"}
ANSWER = {
    "question": "q",
    "axis": "economic",
    "sample": 0,
    "column": "left",
    "text": "Yes. The rich should pay more, so that all can see a doctor.",
}


@pytest.fixture
def server(model_home: Paths, tmp_path: Path) -> Iterator[Server]:
    made = Server(prepare.converted_folder(model_home), tmp_path / "log")
    made.start()
    yield made
    made.kill()


@pytest.mark.slow
def test_a_model_that_is_no_judge_gives_readings_of_the_stated_kinds_and_is_asked_once(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "MAX_TOKENS", 24)
    folder = str(server.folder)
    client = ChatClient(f"http://127.0.0.1:{server.port}/v1", folder, cache_folder=tmp_path / "cache", concurrency=1, retries=1)
    plan = judge.estimate(client, [ANSWER], QUESTIONS, probe=True)
    assert (plan.calls, plan.cached) == (3, 1) and plan.seconds

    (found,) = judge.measure(client, [ANSWER], QUESTIONS)
    readings = found["readings"]
    assert len(readings) == len(ASKINGS) and not any(one["problem"].startswith("the request failed") for one in readings)
    assert found["verdict"] in CLASSES and (found["stance"] is None) == (found["verdict"] != SCORED)
    assert all(
        (one["number"] is None) == (one["kind"] != SCORED) and bool(one["problem"]) == (one["kind"] == UNREADABLE) for one in readings
    )
    assert json.loads(json.dumps(found)) == found

    server.kill()
    copy = {**ANSWER, "column": "right"}
    again = judge.measure(client, [ANSWER, copy], QUESTIONS)
    assert again == [found, {**found, "column": "right"}], "all comes from the store, and the column plays no part"
