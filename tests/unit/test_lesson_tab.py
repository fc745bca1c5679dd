"""The Lesson tab without a browser: what is kept, what a step shows, where its buttons lead, and what anybody may send."""

from __future__ import annotations

from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipelines.errors import StudioError
from pipelines.lesson import background, exercise
from pipelines.lesson.plan import MOST_PLACES, PLACES, Place, plan, plans, steps
from pipelines.paths import Paths
from studio.access import Access
from studio.app import build_studio
from studio.ratelimit import Limiter
from studio.services import Services
from studio.tabs import lesson
from studio.tabs.lessons import steps as stage
from studio.tabs.lessons import teacher
from studio.tabs.lessons.doors import WORDS, Doors, name
from studio.tabs.lessons.kept import LONGEST_NOTE, Kept, notes_of
from studio.views import lesson as view
from tests.unit.test_public import services_of


@pytest.fixture
def doors() -> Doors:
    with gr.Blocks(analytics_enabled=False), gr.Tabs() as tabs, gr.Tab("A", id="a"), gr.Tabs() as inner:
        pass
    return Doors(tabs, {"stance": inner})


# What is kept


def test_a_browser_that_was_never_here_begins_with_the_plan_of_one_lesson() -> None:
    kept = Kept.read(None)
    assert (kept.minutes, kept.here, kept.done, kept.started) == (45, "predict", (), 0.0)


def test_what_is_kept_is_read_back_as_it_was() -> None:
    kept = Kept.read(None).ticked(True).at(3)
    assert Kept.read(kept.as_dict()) == kept and kept.done == ("predict",) and kept.here == "compare"
    assert kept.at(99).place == 5 and kept.at(-1).place == 0


@pytest.mark.parametrize(
    "sent",
    [
        "x", 7, [], {"minutes": "45"}, {"minutes": 46}, {"minutes": True}, {"minutes": []}, {"step": {}}, {"step": "<b>"}, {"done": "predict"},
        {"done": [{}, None, "dance"]}, {"started": "now"}, {"started": float("nan")}, {"started": -1}, {"started": 1e300}, {"started": True},
    ],
)  # fmt: skip
def test_whatever_a_browser_sends_is_a_lesson(sent: Any, doors: Doors) -> None:
    assert Kept.read(sent) == Kept()
    assert len(stage.showing(Kept.read(sent), sent, doors)) == 9 + MOST_PLACES


def test_notes_are_cut_and_those_on_no_step_are_dropped() -> None:
    assert notes_of({"predict": "x" * 9999, "dance": "y", "curate": "  ", "tune-live": 5, "measure": "\ud800"}) == {
        "predict": "x" * LONGEST_NOTE,
        "measure": "?",
    }
    assert notes_of(None) == notes_of([1]) == {}


def test_another_plan_goes_on_at_the_same_step_with_the_clock_standing() -> None:
    kept = {**Kept(step="measure", done=("predict",)).as_dict(), "started": 5.0}
    there = stage._in_plan(kept, 90)
    assert (there.minutes, there.here, there.done, there.started) == (90, "measure", ("predict",), 0.0)
    assert stage._in_plan(kept, 45).started == 5.0 and stage._in_plan({**kept, "step": "curate"}, 15).here == "predict"


def test_done_ticks_the_step_and_goes_on_and_back_ticks_nothing() -> None:
    first = stage._stepped(None, 1)
    assert (first.here, first.done) == ("curate", ("predict",))
    back = stage._stepped(first.as_dict(), -1)
    assert (back.here, back.done) == ("predict", ("predict",)) and back.ticked(False).done == ()
    last = stage._stepped(Kept(step="discuss").as_dict(), 1)
    assert last.here == "discuss" and "discuss" in last.done


def test_the_clock_begins_at_the_browsers_time_and_stands_again() -> None:
    running, button, _ = stage._clocked(None, 1.7e12)
    assert running["started"] == 1.7e12 and button["value"] == stage.STOP
    stands, button, _ = stage._clocked(running, 1.8e12)
    assert stands["started"] == 0.0 and button["value"] == stage.START
    assert stage._clocked(None, "soon")[0]["started"] == 0.0


def test_what_was_just_typed_goes_along_to_the_next_step() -> None:
    assert stage.written_down("prisons", None, None) == {"predict": "prisons"}


def test_a_note_is_put_to_the_step_in_hand_and_leaves_the_others() -> None:
    notes = stage._noted("prisons", None, None)
    assert stage._noted("words", Kept(step="compare").as_dict(), notes) == {"predict": "prisons", "compare": "words"}
    assert stage._noted("", None, notes) == {} and stage._noted("prisons", None, notes) == gr.skip()


def test_beginning_again_writes_over_what_a_browser_keeps(doors: Doors) -> None:
    kept, notes, *shown = stage._begun(doors)
    assert Kept.read(kept) == Kept() and kept and notes == {} and shown == list(stage.showing(Kept(), None, doors))


# What is shown


@pytest.mark.parametrize("minutes", [15, 45, 90])
def test_every_step_shows_goal_presses_looks_and_question(minutes: int) -> None:
    for place, one in enumerate(plan(minutes).steps):
        shown = view.card(plan(minutes), place)
        assert f"Step {place + 1} of {len(plan(minutes).steps)} · {one.minutes} minutes" in shown
        assert all(escape(text) in shown for text in (one.step.goal, *one.step.press, *one.step.look_for, one.step.question))


def test_the_line_marks_the_step_in_hand_ticks_what_is_done_and_says_not_yet_taught() -> None:
    shown = view.line(plan(45), 2, ("predict", "curate"), 1234.0)
    assert shown.count("aria-current=step") == 1 and 'data-step="tune-recorded" aria-current' in shown
    assert shown.count("ps-lesson-tick") == 2 and 'data-started="1234"' in shown and "not yet taught" in shown
    assert [f'data-begins="{one.begins}"' in shown for one in plan(45).steps] == [True] * 6


def test_a_prediction_comes_back_in_later_steps_as_text_and_not_as_markup(doors: Doors) -> None:
    notes = {"predict": "<img src=x onerror=alert(1)>"}
    assert "You predicted" not in stage.showing(Kept(), notes, doors)[3]
    shown = stage.showing(Kept(step="measure"), notes, doors)[3]
    assert "You predicted:</b> &lt;img src=x" in shown and "<img" not in shown


def test_the_sheet_is_there_with_the_exercise_only_and_names_no_fault(doors: Doors) -> None:
    visible = [stage.showing(Kept(90, one.step.id), None, doors)[4]["visible"] for one in plan(90).steps]
    assert visible == [one.step.id == "faults" for one in plan(90).steps]
    told = view.sheet(exercise.exercise())
    assert not [one for one in exercise.exercise().faults if one.why in told or one.rows[0] in told]
    assert all(one.rows[0] in view.key(exercise.exercise()) for one in exercise.exercise().faults)


def test_the_teacher_reads_notes_misconceptions_limits_and_works() -> None:
    found = background.background()
    assert view.notes((step, background.notes()[step.id]) for step in steps().values()).count("<details") == len(steps())
    assert view.misconceptions(found).count("<dt>") == len(found.misconceptions) and view.limits(found).count("<li>") == len(found.limits)
    assert view.reading(found).count("<cite>") == len(found.reading) and "neutrality" in view.values(found)
    assert view.plans(plans().values()).count("not yet taught") == 3


# Where the buttons lead


def test_every_place_that_a_step_names_has_words_for_its_button(doors: Doors) -> None:
    assert {name(place) for step in steps().values() for place in step.opens} <= set(WORDS)
    for step in steps().values():
        assert [one.get("visible") for one in doors.buttons(step)] == [n < len(step.opens) for n in range(MOST_PLACES)]


def test_a_button_opens_tab_and_stage_and_what_is_closed_has_none(doors: Doors) -> None:
    opened = doors.opened(steps()["predict"], 0)
    assert opened[doors.tabs].selected == "stance" and opened[doors.stages["stance"]].selected == "land"
    assert [name(place) for place in doors.of(steps()["compare"])] == ["lesson/class", "review/guess", "compare/ask"]
    shut = Doors(doors.tabs, {}, frozenset({"review", "lesson/class"}))
    assert [name(place) for place in shut.of(steps()["compare"])] == ["compare/ask"]
    assert shut.opened(steps()["compare"], 0)[doors.tabs].selected == "compare"
    assert shut.opened(steps()["compare"], 2) == {doors.tabs: gr.skip()}


def test_each_tab_and_stage_that_the_lesson_knows_is_on_the_page(paths: Paths) -> None:
    config = build_studio(services_of(paths, Access())).get_config_file()
    ids = {one["props"].get("id") for one in config["components"] if one["type"] == "tabitem"}
    assert {stage for stages in PLACES.values() for stage in stages} | set(PLACES) <= ids
    assert Place.read("stance/land", "here") == Place("stance", "land")


def test_in_public_no_class_and_no_review_is_offered(paths: Paths) -> None:
    assert lesson._closed(services_of(paths, Access(public=True))) == {"review", "lesson/class"}
    assert lesson._closed(services_of(paths, Access())) == frozenset()


# Handouts


def handed(services: Services, *chosen: Any) -> tuple[Any, str]:
    request = SimpleNamespace(client=SimpleNamespace(host="192.0.2.7"), headers={}, session_hash="page")
    return teacher._made(services, request, *chosen)


def test_a_handout_is_made_in_a_folder_of_its_own(paths: Paths) -> None:
    button, said = handed(services_of(paths, Access()), 45, "student", "pdf")
    file = Path(button["value"])
    assert (
        file.read_bytes().startswith(b"%PDF") and file.name == "lesson-45-student.pdf" and "Save lesson-45-student.pdf" in button["label"]
    )
    assert "ps-good" in said and not file.is_relative_to(paths.root)


@pytest.mark.parametrize(
    "chosen", [(46, "student", "pdf"), (45, "../x", "pdf"), (45, "student", "/../../x"), (None, None, None), ([], {}, [])]
)
def test_what_nobody_could_choose_is_a_sentence_and_no_file(paths: Paths, chosen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    monkeypatch.setattr(teacher, "passing_folder", lambda: made.append(paths.root))
    button, said = handed(services_of(paths, Access()), *chosen)
    assert button == gr.update(visible=False) and "ps-error" in said and not made


def test_in_public_nobody_makes_handouts_without_end(paths: Paths) -> None:
    access = Access(public=True)
    assert isinstance(access.steps, Limiter)
    services = services_of(paths, access)
    said = [handed(services, 15, "student", "html")[1] for _ in range(access.steps.most + 1)]
    assert "ps-good" in said[-2] and "ps-error" in said[-1]


def test_a_place_that_is_not_there_is_refused() -> None:
    with pytest.raises(StudioError, match="no place"):
        Place.read("stance/dance", "Step 1")
