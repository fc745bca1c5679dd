"""The cloud of prompt forms: an axis that was never asked is no zero, a ring is told of only where it is drawn, and a point opens its prompt."""

from __future__ import annotations

import json
from html import escape

import pytest

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.figures import form_plane, plane
from pipelines.stance.forms import forms_of
from studio.tabs.stances import plane as section
from studio.views import points
from tests.unit.test_plane import FORMS, surveyed
from tests.unit.test_study import made_up


def test_an_axis_that_was_never_asked_is_refused_and_not_drawn_as_zero() -> None:
    made = surveyed()
    made.survey = [row for row in made.survey if row["axis"] == "economic"]
    with pytest.raises(StudioError, match="no statements on the social axis"):
        form_plane.plot(made)
    assert list(plane.clouds(made)) == ["answers"], "what can't be drawn is not offered"
    assert "no statements on the social axis" in section._note(made, "answers") and "ring" not in form_plane.note(made)
    assert "social axis" not in section._note(surveyed(), "answers") and "questionnaire" not in section._note(made_up(), "answers")


def test_one_column_that_was_asked_on_one_axis_only_is_enough_to_refuse() -> None:
    made = surveyed()
    made.survey = [row for row in made.survey if (row["column"], row["axis"]) != ("left", "economic")]
    assert form_plane.unasked(made) == "economic" and not form_plane.surveyed(made)


def test_a_form_that_was_put_on_one_axis_only_has_no_point() -> None:
    made = surveyed()
    for row in made.survey:
        if row["axis"] == "social":
            del row["forms"][FORMS[2]]
    assert {len(trace.x) for trace in form_plane.plot(made).data if trace.name == "Left"} == {2}


def test_the_ring_is_told_of_only_where_it_is_drawn() -> None:
    made = surveyed()
    assert "Inside the ring" in form_plane.note(made)
    for check in made.checks.values():
        check["ring"] = {}
    drawn = [trace.name for trace in form_plane.plot(made).data if "ring" in trace.name]
    assert drawn == [] and "ring" not in form_plane.note(made)


def test_a_forms_point_opens_its_prompt_with_a_statement_and_every_columns_x() -> None:
    made, item = surveyed(), bundled.items("proposition")[0]
    for row in made.survey:
        row["item"] = item.id if row["item"] == "i-economic-0" else row["item"]
    told = next(trace for trace in form_plane.plot(made).data if trace.name == "Left").customdata[1]
    pick = section._read(json.dumps(list(told)))
    assert pick == ["form", FORMS[1], "left"]
    page, form = section._opened(made, pick), next(one for one in forms_of("robust") if one.name == FORMS[1])
    assert all(escape(form.ask(words)) in page for words in (item.text, item.opposite)) and "Opened: Left" in page
    right = next(row for row in made.survey if (row["item"], row["column"]) == (item.id, "right"))
    mean = sum(row["forms"][FORMS[1]] for row in made.survey if row["column"] == "right" and row["axis"] == "social") / 10
    assert f">{right['forms'][FORMS[1]]:+.2f}<" in page and f">{mean:+.2f}<" in page


def test_a_form_or_a_statement_that_is_unknown_here_is_said_so() -> None:
    made = surveyed()
    assert "not in the study" in section._opened(made, ["form", "another form", "left"])
    assert "(a statement)" in points.form(made, FORMS[0], "left"), "an own statement is not kept with the study"
    for row in made.survey:
        row["forms"] = {"<b>new</b>": 1.0}
    page = points.form(made, "<b>new</b>", "left")
    assert "not known" in page and "<b>new" not in page


def test_the_hint_says_what_can_be_pressed_in_the_cloud_that_is_shown() -> None:
    assert "prompt of its form" in section._drawn(surveyed(), "forms")[2] and "answer" in section._drawn(surveyed(), "answers")[2]
    assert "prompt" not in str(section._drawn(surveyed(), "forms", ["q-social-1", 0, "left"])[2]), "what is open stays open"
