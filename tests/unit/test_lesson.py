"""The lesson's texts: complete, true to the page and to the data, and refused with a sentence where they are not."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import bundled
from pipelines.corpus.checks.lights import check
from pipelines.errors import StudioError
from pipelines.lesson import background, entries, exercise, plan
from pipelines.paths import PROJECT

QUOTED = re.compile("“([^”]+)”")
PLAN_45 = {"predict": 5, "curate": 7, "tune-recorded": 3, "compare": 10, "measure": 5, "discuss": 15}


def test_there_are_three_plans_whose_minutes_add_up_and_none_is_called_taught() -> None:
    assert list(plan.plans()) == [15, 45, 90]
    for one in plan.plans().values():
        assert sum(timed.minutes for timed in one.steps) == one.minutes
        assert [timed.begins for timed in one.steps] == [sum(t.minutes for t in one.steps[:n]) for n in range(len(one.steps))]
        assert not one.taught and one.remark == "not yet taught"
    assert {timed.step.id: timed.minutes for timed in plan.plan(45).steps} == PLAN_45


def test_every_plan_predicts_first_compares_before_it_measures_and_ends_with_talk() -> None:
    for one in plan.plans().values():
        order = [timed.step.id for timed in one.steps]
        assert order[0] == "predict" and order[-1] == "discuss" and order.index("compare") < order.index("measure")


def test_every_step_is_in_a_plan_and_has_a_note_for_the_teacher() -> None:
    used = {timed.step.id for one in plan.plans().values() for timed in one.steps}
    assert used == set(plan.steps()) == set(background.notes())


def test_a_question_ends_with_a_question_mark_or_asks_for_something() -> None:
    assert [one.id for one in plan.steps().values() if not one.question.endswith(("?", "."))] == []
    assert sum(one.question.endswith("?") for one in plan.steps().values()) >= len(plan.steps()) - 1


def test_what_is_to_be_pressed_stands_on_the_page_or_in_the_lesson() -> None:
    page = "\n".join(file.read_text(encoding="utf-8") for file in (PROJECT / "studio").rglob("*.py"))
    asked = {question.text for question in bundled.questions()} | {
        row["text"] for row in bundled.json_lines(bundled.DATA / "curated.jsonl")
    }
    names = {one.name for one in plan.steps().values()}
    said = {word for one in plan.steps().values() for text in one.press for word in QUOTED.findall(text)}
    recorded = {f"Recorded: {side}" for side in bundled.BUNDLED_SIDES} if "Recorded: {name}" in page else set()
    assert len(said) > 15 and {word for word in said if word not in page} <= asked | names | recorded


def test_the_lesson_says_what_it_must_say() -> None:
    found = background.background()
    told = " ".join(
        [found.warning, *(part.title + part.text for part in found.values), *(one.answer for one in found.misconceptions), *found.limits]
    )
    for words in (
        "holds no opinions",
        "nothing here measures commercial assistants",
        "centre is not neutrality",
        "No position is the correct one",
    ):
        assert words in told
    assert len(found.misconceptions) >= 8 and "PoliTune" in found.reading[0].title and all(1900 < one.year <= 2024 for one in found.reading)


def test_the_key_is_counted_in_the_data_and_names_the_checks_of_curate() -> None:
    rows = bundled.json_lines(bundled.DATA / exercise.FILE)
    found = exercise.exercise()
    assert {one.id: set(one.rows) for one in found.faults} == {
        fault: {row["id"] for row in rows if fault in row["planted"]} for fault in {fault for row in rows for fault in row["planted"]}
    }
    assert (found.total, found.clean) == (len(rows), sum(not row["planted"] for row in rows)) and found.clean > 0
    states = {light.key: light.state for light in check(rows, "pairs")}
    assert all(states[one.light] in ("amber", "red") for one in found.faults)


def test_what_students_read_of_the_exercise_names_no_fault() -> None:
    found = exercise.exercise()
    shown = " ".join([found.title, found.task, *found.hints, *found.columns, *found.afterwards]).lower()
    step = plan.steps()["faults"]
    shown += " ".join([step.goal, *step.press, *step.look_for, step.question]).lower()
    assert not [one.name for one in found.faults if one.name.lower() in shown.replace("style", "")]
    assert not [word for word in ("longer", "duplicate", "refus", "year", "exclamation", "minimum wage", "sure, here") if word in shown]


# Damaged files


def changed(tmp_path: Path, name: str, change: Callable[[Any], Any]) -> Path:
    folder = tmp_path / "lesson"
    shutil.copytree(entries.FOLDER, folder)
    value = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    (folder / name).write_text(yaml.safe_dump(json.loads(json.dumps(change(value) or value)), allow_unicode=True), encoding="utf-8")
    return folder


@pytest.mark.parametrize("part", plan.STEP)
def test_a_step_without_a_part_is_refused_by_name(tmp_path: Path, part: str) -> None:
    folder = changed(tmp_path, "steps.yaml", lambda steps: steps[2].pop(part) and None)
    with pytest.raises(StudioError, match=f"Step 3 has no {part}"):
        plan.read_steps(folder)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("plans.yaml", lambda plans: plans[1]["steps"][0].update(minutes=6), "45 minutes, but its steps have 46"),
        ("plans.yaml", lambda plans: plans[0]["steps"][0].update(step="dance"), "the step “dance” is unknown"),
        ("plans.yaml", lambda plans: plans[0]["steps"].append(plans[0]["steps"][0]), "“predict” comes twice"),
        ("plans.yaml", lambda plans: plans[2].update(taught="soon"), "neither true nor false"),
        ("plans.yaml", lambda plans: plans[2].update(minutes=True), "no whole number"),
        ("steps.yaml", lambda steps: steps[0].update(opens=["stance/everywhere"]), "no place “stance/everywhere”"),
        ("steps.yaml", lambda steps: steps[0].update(opens=["curate"] * 4), "at most 3"),
        ("steps.yaml", lambda steps: steps[0].update(id="curate"), "same id"),
        ("steps.yaml", lambda steps: steps[0].update(goal="  "), "no text on one line"),
        ("steps.yaml", lambda steps: steps[0].update(press=[{"Recorded": "left"}]), "press, line 1"),
        ("steps.yaml", lambda steps: steps[0].update(goal="Press ▶"), "can't be printed: '▶'"),
        ("steps.yaml", lambda steps: {"steps": 1}, "no list"),
    ],
)
def test_a_damaged_plan_is_a_sentence_that_says_where(tmp_path: Path, file: str, change: Callable[[Any], Any], said: str) -> None:
    folder = changed(tmp_path, file, change)
    with pytest.raises(StudioError, match=said):
        plan.read_plans(folder)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("notes.yaml", lambda notes: notes.pop("curate") and None, "has no curate"),
        ("notes.yaml", lambda notes: notes.update(dance=notes["curate"]), "something called dance"),
        ("notes.yaml", lambda notes: notes["curate"]["students_say"][0].pop("answer") and None, "has no answer"),
        ("background.yaml", lambda found: found["reading"].append(dict(found["reading"][0])), "comes twice"),
        ("background.yaml", lambda found: found["reading"][0].update(year="2024"), "no whole number"),
        ("background.yaml", lambda found: found.update(limits=[]), "limits is no list"),
        ("exercise.yaml", lambda found: found["faults"].pop("era") and None, "The key has no era"),
        ("exercise.yaml", lambda found: found["faults"].update(smell={}), "something called smell"),
        ("exercise.yaml", lambda found: found["faults"]["era"].update(light="length"), "same check"),
    ],
)
def test_damaged_notes_are_a_sentence_that_says_where(tmp_path: Path, file: str, change: Callable[[Any], Any], said: str) -> None:
    folder = changed(tmp_path, file, change)
    read = {"notes.yaml": background.read_notes, "background.yaml": background.read_background, "exercise.yaml": exercise.read_exercise}
    with pytest.raises(StudioError, match=said):
        read[file](folder)


def test_a_missing_file_and_an_unknown_plan_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"steps\.yaml can't be read \(FileNotFoundError\)"):
        plan.read_steps(tmp_path)
    with pytest.raises(StudioError, match="no plan of 46 minutes") as refused:
        plan.plan(46)
    assert "15 or 45 or 90" in refused.value.hint
