"""`stance` on the command line: two studies against each other, a report, and sentences for what can't be done."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines import bundled
from pipelines.cli import main
from pipelines.paths import read_json, write_json
from pipelines.stance.study import Study


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    return tmp_path


def recorded() -> Study:
    return Study.from_dict(read_json(bundled.RECORDED / "stance.json"))


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["stance", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_two_studies_are_compared_in_numbers_and_in_a_plot(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second is the first with the right adapter's answers moved by half: direction must differ by a quarter, the base by nothing."""
    made = recorded()
    answers = [
        {**answer, answer["axis"]: answer[answer["axis"]] + (0.5 if answer["column"] == "right" else 0.0)} for answer in made.answers
    ]
    write_json(home / "moved.json", replace(made, answers=answers).as_dict())
    code, out, _ = called(capsys, "compare", str(home / "moved.json"), "recorded", "--plot", str(home / "plot.html"), "--json")
    rows = {(row["name"], row["instrument"], row["axis"], row["unit"]): row for row in json.loads(out)["differences"]}
    assert code == 0 and rows["direction", "ruler", "economic", "items"]["mean"] == pytest.approx(0.25)
    assert rows["net_right", "ruler", "social", "items"]["mean"] == pytest.approx(0.5)
    assert rows["net_left", "ruler", "social", "items"]["mean"] == pytest.approx(0.0)
    assert rows["direction", "completion", "economic", "items"]["mean"] == pytest.approx(0.0)
    assert "plotly" in (home / "plot.html").read_text(encoding="utf-8")


def test_studies_that_were_asked_other_things_are_not_compared(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = recorded()
    write_json(home / "other.json", replace(made, protocol={**made.protocol, "hash": "another"}).as_dict())
    code, _, said = called(capsys, "compare", str(home / "other.json"), "recorded")
    assert code == 2 and said.strip() and "Traceback" not in said


def test_a_report_is_written_as_a_page_and_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "report", "--study", "recorded", "--output", str(home / "audit.html"))
    report: dict[str, Any] = read_json(home / "audit.json")
    assert code == 0 and "audit.html" in out and report["result"]["headline"] in out
    assert "<script src=" not in (home / "audit.html").read_text(encoding="utf-8"), "it opens offline"


@pytest.mark.parametrize(
    ("arguments", "said"),
    (
        (("compare", "recorded", "gone.json"), "gone.json"),
        (("report", "--study", "gone.json"), "gone.json"),
        (("run", "--group", "g", "--columns", "base,left"), "--group does not go with --columns"),
        (("run", "--group", "gone"), "This group is gone"),
        (("run", "--columns", "base,nobody"), "nobody"),
        (("run", "--columns", "left"), "base and at least one tuned"),
        (("run", "--items", "gone.csv"), "gone.csv"),
        (("score",), "nothing to score"),
        (("ruler", "--embedder", "no/such/folder"), "no/such/folder"),
    ),
)
def test_what_can_not_be_done_is_told_in_a_sentence(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str) -> None:
    code, _, told = called(capsys, *arguments)
    assert code == 2 and said in told and "Traceback" not in told
