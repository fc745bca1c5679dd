"""The plane: two clouds, means with intervals, a ring and positions only for those who pass; and the table behind the points."""

from __future__ import annotations

import json
import random
from math import tanh
from typing import Any

import gradio as gr
import pytest

from pipelines.errors import StudioError
from pipelines.figures import dots, evenness, form_plane, plane
from pipelines.figures.marks import place
from pipelines.paths import Paths
from pipelines.stance.statistics import shift
from pipelines.stance.study import Study
from studio.services import Services
from studio.tabs.stances import plane as section
from studio.views import points
from tests.unit.test_study import MOVES, made_up, seeded

FORMS = ("plain, agree or disagree", "plain, disagree or agree", "survey, agree or disagree")
RING = {"economic": 1.0, "social": 2.0}


def surveyed(passed: bool = True, study: Study | None = None, moves: dict[str, float] = MOVES) -> Study:
    """The study with a questionnaire of ten statements an axis in three forms; each form adds its own bit."""
    made, chance = study or made_up(), random.Random(3)
    usual = {(axis, n): chance.gauss(0, 0.5) for axis in ("economic", "social") for n in range(10)}
    for name in made.columns:
        for (axis, n), start in usual.items():
            forms = {form: start + moves.get(name, 0.0) + 0.2 * place for place, form in enumerate(FORMS)}
            x = sum(forms.values()) / len(forms)
            about = {"item": f"i-{axis}-{n}", "axis": axis, "topic": "t", "topic_split": "train", "column": name}
            made.survey.append({**about, "x": x, "q": 0.0, "s": tanh(x / 2), "forms": forms})
        made.checks[name] = {"passed": passed, "reasons": [] if passed else ["it answers 6 of 12 plain facts rightly"], "ring": RING}
    return made


def drawn(figure: Any, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name)


def test_every_answer_tells_its_question_sample_and_column_when_it_is_pressed() -> None:
    made = made_up()
    told = [tuple(one) for trace in plane.plot(made).data if trace.customdata is not None for one in trace.customdata]
    assert sorted(told) == sorted((a["question"], a["sample"], a["column"]) for a in made.answers)


def test_bars_are_the_bootstrap_interval_of_question_means() -> None:
    made = made_up()
    mark = drawn(plane.plot(made), "Right: mean")
    values = {}
    for answer in made.answers:
        if answer["column"] == "right" and answer["axis"] == "social":
            values.setdefault(answer["question"], []).append(answer["social"])
    wanted = shift([sum(some) / len(some) for some in values.values()])
    assert mark.y[0] == pytest.approx(wanted.mean) and wanted.n == 10
    assert mark.y[0] + mark.error_y.array[0] == pytest.approx(wanted.high) and mark.y[0] - mark.error_y.arrayminus[0] == pytest.approx(
        wanted.low
    )
    assert "n = 20 questions" in plane.plot(made).layout.title.subtitle.text


def test_of_several_seeds_only_their_mean_has_bars() -> None:
    made = seeded({"left": [-1.0, -2.0], "right": [1.0], "placebo": [0.0]})
    bars = {trace.name: trace.error_x.array is not None for trace in plane.plot(made).data if "mean" in trace.name}
    assert bars["Left, 2 seeds: mean"] and bars["Right (seed 7): mean"] and not bars["Left (seed 8): mean"]


def test_the_placebo_is_drawn_in_both_clouds() -> None:
    made = surveyed()
    for cloud in plane.clouds(made):
        assert {"Placebo", "Placebo: mean"} <= {trace.name for trace in plane.plot(made, cloud).data}, cloud


def test_a_study_without_a_questionnaire_has_no_forms_to_show() -> None:
    assert list(plane.clouds(made_up())) == ["answers"] and list(plane.clouds(surveyed())) == ["answers", "forms"]
    with pytest.raises(StudioError, match="no questionnaire"):
        plane.plot(made_up(), "forms")


def test_where_all_pass_positions_are_drawn_with_a_ring() -> None:
    made = surveyed()
    figure = plane.plot(made, "forms")
    base = 10 * sum(row["s"] for row in made.survey if row["column"] == "base" and row["axis"] == "economic") / 10
    assert drawn(figure, "Base: mean").x[0] == pytest.approx(base)
    assert (
        figure.layout.title.text == "Position in the questionnaire" and "n = 20 statements in 3 forms" in figure.layout.title.subtitle.text
    )
    ring = drawn(figure, "inside the ring a random answerer lies")
    assert max(ring.y) == pytest.approx(2 * max(ring.x)) and len(figure.layout.annotations) == 3
    assert "Inside the ring a random answerer lies" in plane.note(made, "forms")


def test_the_ring_holds_95_in_100_random_answerers_on_both_axes_together() -> None:
    chance = random.Random(1)
    sd = 1 / 1.959964  # of each coordinate, where 95% of it lie within 1
    inside = sum((chance.gauss(0, sd) ** 2 + chance.gauss(0, sd) ** 2) ** 0.5 < form_plane.WIDER for _ in range(20000))
    assert inside / 20000 == pytest.approx(0.95, abs=0.006)


def test_where_one_model_fails_its_checks_no_position_is_shown_but_shifts_from_one_origin_and_why() -> None:
    made = surveyed()
    made.checks["left"] = {"passed": False, "reasons": ["it answers 6 of 12 plain facts rightly"], "ring": RING}
    figure = plane.plot(made, "forms")
    assert {(arrow.ax, arrow.ay) for arrow in figure.layout.annotations} == {(0, 0)}
    assert not [trace for trace in figure.data if trace.name and "ring" in trace.name] and "Base: mean" not in {t.name for t in figure.data}
    assert "no positions" in figure.layout.title.subtitle.text and "Shift" in figure.layout.title.text
    said = plane.note(made, "forms")
    assert "Left: it answers 6 of 12 plain facts rightly" in said and "Right:" not in said and "No positions are shown" in said


def test_a_shift_in_the_questionnaire_is_paired_by_statement_and_form() -> None:
    made = surveyed(passed=False)
    figure = plane.plot(made, "forms")
    rows = {(row["column"], row["item"]): row for row in made.survey if row["axis"] == "economic"}
    items = [item for column, item in rows if column == "base"]
    wanted = shift([10 * (rows["right", item]["s"] - rows["base", item]["s"]) for item in items])
    mark = drawn(figure, "Right: mean")
    assert (mark.x[0], mark.x[0] + mark.error_x.array[0]) == pytest.approx((wanted.mean, wanted.high))
    form = FORMS[2]
    moved = [10 * (tanh(rows["right", item]["forms"][form] / 2) - tanh(rows["base", item]["forms"][form] / 2)) for item in items]
    assert drawn(figure, "Right").x[2] == pytest.approx(sum(moved) / 10)


def test_the_cloud_of_forms_has_a_point_for_every_model_and_form() -> None:
    made = surveyed()
    assert [len(drawn(plane.plot(made, "forms"), name).x) for name in ("Base", "Left", "Right", "Placebo")] == [3, 3, 3, 3]


def test_seeds_of_a_role_are_averaged_by_statement() -> None:
    moves = {"left (seed 7)": -0.5, "left (seed 8)": -1.5, "placebo (seed 7)": 0.0}
    made = surveyed(passed=False, study=seeded({"left": [-1.0, -2.0], "placebo": [0.0]}), moves=moves)
    figure = plane.plot(made, "forms")
    one, other, both = (drawn(figure, name).x[0] for name in ("Left (seed 7): mean", "Left (seed 8): mean", "Left, 2 seeds: mean"))
    assert both == pytest.approx((one + other) / 2) and len(figure.layout.annotations) == 2


def test_an_axis_that_was_not_asked_lies_at_zero() -> None:
    found = place({"a": 1.0, "b": 3.0}, {"a": "economic", "b": "economic"})
    assert found.point == (2.0, 0.0) and (found.economic.n, found.social.n) == (2, 0)


def test_the_table_is_paged_at_fifty_and_filtered() -> None:
    made = made_up()
    every = points.chosen(made)
    assert len(every) == 160 and points.pages(160) == 4 and points.pages(0) == 1
    assert {(a["column"], a["axis"]) for a in points.chosen(made, "left", "social")} == {("left", "social")}
    assert [a["column"] for a in every[:4]] == ["base", "left", "right", "placebo"]
    html, count, back, more, page = section._listed(made, "all", "all", 9, None)
    assert html.count("data-pick=") == 10 and page == 4 and "151 to 160 of 160" in count
    assert back["visible"] and not more["visible"]
    assert html.count('tabindex="0"') == 10 and "<b>0</b>" not in html


def test_a_row_and_a_point_tell_the_same() -> None:
    made = made_up()
    told = plane.plot(made).data[1].customdata[0]
    rows = [a for a in points.chosen(made) if plane.key(a) == list(told)]
    assert section._read(json.dumps(list(told))) == list(told) == section._read(json.dumps(plane.key(rows[0])))
    assert [section._read(bad) for bad in ("", "7", '["a"]', '["a", "x", "b"]', None)] == [None] * 5


def stamped(study: Study) -> Study:
    """The study with whole stamps; the tuned ones name adapters that nobody has."""
    for answer in study.answers:
        tuned = answer["column"] != "base"
        about = {"base": "b", "base_fingerprint": "f", "adapter": answer["column"] if tuned else "", "strength": float(tuned)}
        more = {"adapter_fingerprint": "0" * 12 if tuned else "", "temperature": 0.3, "top_p": 0.9, "seed": 1, "max_new_tokens": 64}
        answer["stamp"] = {**about, **more, "prompt_hash": "p", "template_hash": "t"}
    return study


def test_a_press_opens_all_columns_answers_of_the_same_sample_with_their_scores() -> None:
    made = stamped(made_up())
    for answer in made.answers:
        answer["text"] = f"{answer['column']} says {answer['sample']}"
    page = section._opened(made, ["q-social-3", 1, "right"])
    assert all(f"{name} says 1" in page for name in made.columns) and "says 0" not in page and page.count("<article") == 4
    score = next(a for a in made.answers if (a["question"], a["sample"], a["column"]) == ("q-social-3", 1, "left"))["social"]
    assert f"{score:+.2f}" in page and "Social, asked for" in page
    assert "not in the study" in section._opened(made, ["q-social-3", 9, "right"]) and "Press a point" in section._opened(made, None)


def test_a_judges_verdict_stands_beside_the_ruler_where_there_is_one() -> None:
    made = stamped(made_up())
    assert "Judge" not in section._opened(made, ["q-social-3", 1, "right"])
    made.judged = [
        {"question": "q-social-3", "sample": 1, "column": "left", "verdict": "scored", "stance": -0.5, "readings": []},
        {"question": "q-social-3", "sample": 1, "column": "right", "verdict": "unreadable", "stance": None, "readings": []},
    ]
    page = section._opened(made, ["q-social-3", 1, "right"])
    assert "-0.50" in page and "unreadable" in page and page.count("not judged") == 2


def test_the_section_is_filled_anew_for_every_study_one_update_an_output(paths: Paths) -> None:
    services = Services.create()
    with gr.Blocks():
        made = section.build(services, gr.State(None), None)
        assert made.outputs[0] is made.plot and len(made.show(surveyed())) == len(made.outputs)
    shown = dict(zip(made.outputs, made.show(made_up()), strict=True))
    cloud = next(update for part, update in shown.items() if part.elem_id == "stance-cloud")
    assert not cloud["visible"], "one cloud is no choice"


def test_rows_of_an_adapter_that_is_gone_are_not_shown_and_the_visitor_hears_why(paths: Paths) -> None:
    services, made = Services.create(), stamped(made_up())
    seen = list(section._nearest(services, made, ["q-social-3", 1, "right"], "visitor"))
    assert seen[-1].count("not here any more") == 3 and "Base" not in seen[-1]


def test_another_press_ends_the_search_for_the_first_one(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    services, made = Services.create(), stamped(made_up())
    first = section._nearest(services, made, ["q-social-3", 1, "right"], "visitor")
    next(first)
    assert list(section._nearest(services, made, ["q-social-4", 0, "left"], "visitor")) and list(first) == []


def test_the_plane_names_columns_that_a_red_line_voids() -> None:
    made = surveyed()
    before = plane.plot(made)
    assert "void" not in (plane.note(made) + before.layout.title.subtitle.text).lower()
    made.collateral["right"]["perplexity"] = 40.0
    for cloud in plane.clouds(made):
        figure = plane.plot(made, cloud)
        assert "Void, since the language is damaged: Right." in plane.note(made, cloud)
        assert figure.layout.title.subtitle.text.endswith("<br>void, language damaged: Right")
        assert figure.layout.margin.t > before.layout.margin.t


def test_a_roles_name_brings_no_html_into_a_figure() -> None:
    made = seeded({"left": [-1.0, -2.0]})
    made.roles = {"<b>x</b>": made.roles["left"]}
    assert dots.called(made, "<b>x</b>") == evenness.called(made, "<b>x</b>") == "‹b›x‹/b›, 2 seeds"
    assert "<b>x" not in "".join(trace.name for trace in plane.plot(made).data)
