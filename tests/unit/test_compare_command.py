"""`compare` of the command line in this process, with a host that makes its answers up."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipelines import bundled
from pipelines.cli import main
from pipelines.commands import compare
from pipelines.comparing import batch as batches
from pipelines.comparing.fitting import embedded_fingerprint
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.models.catalog import find as find_model
from pipelines.paths import Paths
from tests.unit.test_batch import FakeHost

Before = Callable[[int], None]


class Embedded(FakeHost):
    """The embedded model's name, nothing loaded."""

    def __init__(self, paths: Paths) -> None:
        super().__init__(embedded_fingerprint())
        self.source, self.base = find_model(LANGUAGE_MODEL.name, paths), None


@pytest.fixture
def host(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    monkeypatch.delenv(LANGUAGE_MODEL.variable, raising=False)
    made = Embedded(paths)
    monkeypatch.setattr(compare, "_host", lambda _paths: made)
    return made


@pytest.fixture
def questions(tmp_path: Path) -> str:
    (tmp_path / "own.csv").write_text("id,question\n" + "".join(f"p{n},Question {n}?\n" for n in range(10)), encoding="utf-8")
    return str(tmp_path / "own.csv")


def call(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """What a command says as JSON."""
    assert main(["compare", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    said = call(capsys, *arguments, code=2)
    return f"{said['error']} {said['hint']}"


def interrupted_at(host: FakeHost, number: int) -> None:
    """Somebody presses Ctrl+C while that call is answered."""
    host.before = lambda now: os.kill(os.getpid(), signal.SIGINT) if now == number else None


def test_questions_are_asked_of_columns_with_strengths_and_blends(
    host: Embedded, questions: str, capsys: pytest.CaptureFixture[str], paths: Paths
) -> None:
    wanted = "left, base,left*0.5,left*0.5+right*-1"
    said = call(capsys, "--questions", questions, "--columns", wanted, "--strength", "1.5", "--seed", "3", "--title", "Mine")
    assert said["columns"] == ["base", "left", "left*0.5", "left*0.5+right*-1"] and (said["state"], said["answered"]) == ("finished", 10)
    assert [row.column.parts for row in host.calls[0][:4]] == [
        (),
        ((bundled.ADAPTERS / "left", 1.5),),
        ((bundled.ADAPTERS / "left", 0.5),),
        ((bundled.ADAPTERS / "left", 0.5), (bundled.ADAPTERS / "right", -1.0)),
    ]
    assert said["turns"][2]["question"] == "Question 2?" and 0 < said["turns"][2]["divergence"] < 1
    made = batches.find(said["id"], paths)
    assert (made.title, made.sampling.seed, made.sampling.temperature, made.strength) == ("Mine", 3, 0.3, 1.5)


def test_the_usual_columns_are_the_base_both_sides_and_the_placebo(host: Embedded, capsys: pytest.CaptureFixture[str]) -> None:
    said = call(capsys, "--questions", "everyday")
    assert said["columns"] == ["base", "left", "right", "placebo"] and said["questions"] == 20


def test_people_read_every_question_with_its_answers(host: Embedded, questions: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--questions", questions, "--columns", "base,left"]) == 0
    said = capsys.readouterr()
    assert "Question 9?\n[base] base on Question 9?" in said.out and "10 of 10 questions answered" in said.err


def test_the_papers_set_says_why_it_is_restricted(host: Embedded, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--questions", "paper", "--columns", "base"]) == 0
    assert "living politicians" in capsys.readouterr().err


def test_ctrl_c_keeps_what_was_answered_and_says_how_to_go_on(
    host: Embedded, questions: str, capsys: pytest.CaptureFixture[str], paths: Paths
) -> None:
    interrupted_at(host, 2)
    handler = signal.getsignal(signal.SIGINT)
    assert main(["compare", "--questions", questions, "--columns", "base,left"]) == 130
    assert signal.getsignal(signal.SIGINT) is handler
    made = batches.list_batches(paths)[0]
    assert (made.state, made.answered) == ("stopped", 4)
    assert f"4 of 10 questions answered, which are kept. Go on: python -m pipelines compare --resume {made.id}" in capsys.readouterr().err
    host.before, host.calls = lambda _: None, []
    said = call(capsys, "--resume", made.id)
    assert said["state"] == "finished" and host.asked == [f"Question {n}?" for n in range(4, 10)]


def test_a_second_ctrl_c_leaves_at_once(host: Embedded, questions: str, capsys: pytest.CaptureFixture[str], paths: Paths) -> None:
    def twice(now: int) -> None:
        for _ in range(2 if now == 2 else 0):
            os.kill(os.getpid(), signal.SIGINT)

    host.before = twice
    assert main(["compare", "--questions", questions, "--columns", "base"]) == 130
    assert "Stopped" not in capsys.readouterr().err, "the first one waits for the answer to end, the second does not"
    assert batches.list_batches(paths)[0].state == "stopped"


def test_going_on_takes_no_other_settings(host: Embedded, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Leave out --columns" in refused(capsys, "--resume", "x", "--columns", "base")
    assert "Leave out --max-new-tokens" in refused(capsys, "--resume", "x", "--max-new-tokens", "9")
    assert "no batch called “x”" in refused(capsys, "--resume", "x")


def test_a_finished_batch_is_shown_without_a_model(
    host: Embedded, questions: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = call(capsys, "--questions", questions, "--columns", "base")
    monkeypatch.setattr(compare, "_host", lambda _paths: pytest.fail("a model was made ready"))
    assert call(capsys, "--resume", made["id"])["turns"] == made["turns"]


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ("base,lefft", ["“lefft” is no column", "base, left, right, placebo"]),
        ("run:gone", ["“run:gone” is no column"]),
        ("base*0.5", ["“base*0.5” is no column"]),
        ("left*9", ["strength 9 is out of range"]),
        ("left*1+right*1+placebo*1", ["not a column", "at most 2 parts"]),
        (" , ", ["0 columns are chosen"]),
        ("base,left,right,placebo,left*0.1,left*0.2,left*0.3", ["7 columns are chosen"]),
    ],
)
def test_columns_that_are_none_are_named(
    host: Embedded, questions: str, capsys: pytest.CaptureFixture[str], columns: str, parts: list[str], paths: Paths
) -> None:
    said = refused(capsys, "--questions", questions, "--columns", columns)
    assert not [part for part in parts if part not in said] and host.calls == [] and batches.list_batches(paths) == []


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "There are no questions"),
        (["--questions", "nowhere.csv"], "no file called nowhere.csv"),
        (["--questions", "everyday", "--temperature", "9"], "Temperature is 9"),
        (["--questions", "everyday", "--strength", "9"], "strength 9 is out of range"),
        (["--questions", "everyday", "--output", "x.pdf"], "x.pdf can't hold the answers"),
        (["--delete", "../runs"], "no batch called"),
    ],
)
def test_what_can_not_be_done_is_said_before_anything_is_asked(
    host: Embedded, capsys: pytest.CaptureFixture[str], arguments: list[str], part: str
) -> None:
    assert part in refused(capsys, *arguments) and host.calls == []


def test_batches_are_listed_and_deleted(host: Embedded, questions: str, capsys: pytest.CaptureFixture[str], paths: Paths) -> None:
    assert main(["compare", "--list"]) == 0 and "no batches yet" in capsys.readouterr().out
    made = call(capsys, "--questions", questions, "--columns", "base")
    rows = call(capsys, "--list")
    assert [(row["id"], row["state"], row["answered"]) for row in rows] == [(made["id"], "finished", 10)]
    assert main(["compare", "--delete", made["id"]]) == 0
    assert capsys.readouterr().out == f"{made['id']} was deleted.\n" and batches.list_batches(paths) == []


@pytest.mark.parametrize("ending", ["csv", "jsonl", "md"])
def test_the_answers_are_written_in_the_form_that_the_files_ending_says(
    host: Embedded, questions: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    exports = ModuleType("pipelines.export.comparison")
    for name, form in (("batch_csv", "csv"), ("batch_jsonl", "jsonl"), ("batch_markdown", "md")):
        setattr(exports, name, lambda batch, form=form: f"{form} of {batch.answered}")
    monkeypatch.setitem(sys.modules, "pipelines.export.comparison", exports)
    monkeypatch.setattr("pipelines.export.comparison", exports, raising=False)
    target = tmp_path / f"answers.{ending}"
    said = call(capsys, "--questions", questions, "--columns", "base", "--output", str(target))
    assert target.read_text(encoding="utf-8") == f"{ending} of 10" and said["output"] == str(target) and "turns" not in said
