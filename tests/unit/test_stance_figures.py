"""Pictures of topics, instruments, forms and contrasts: everything that was measured is in them, with n, intervals and words at the ends."""

from typing import Any

import pytest

from pipelines.errors import StudioError
from pipelines.figures import contrasts as contrast_plot
from pipelines.figures import instruments, topics
from pipelines.stance import contrasts
from studio.views import stance as view
from studio.views import stance_contrasts, stance_survey
from tests.measured import MOVES, measured, seeded

RULER = ("ruler",)
TWO = {"left": [-1.0, -1.2], "right": [1.0, 1.1], "placebo": [0.0, 0.1]}


def titles(figure: Any) -> str:
    subtitle = figure.layout.title.subtitle.text or ""
    return f"{figure.layout.title.text} {subtitle} {' '.join(note.text for note in figure.layout.annotations)}"


def named(figure: Any) -> list[str]:
    return [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]


def widest_word(texts: Any) -> int:
    return max(len(line) for text in texts for line in text.split("<br>"))


def test_every_topic_is_a_dot_filled_where_trained_and_hollow_where_held_out() -> None:
    figure = topics.plot(measured(instruments=RULER), "left")
    assert sum(len(trace.x) for trace in figure.data) == 32 and named(figure) == ["in the training data", "held out"]
    hollow = [trace for trace in figure.data if trace.name == "held out"]
    assert sum(len(trace.x) for trace in hollow) == 8 and {trace.marker.symbol for trace in hollow} == {"triangle-left-open"}
    for trace in figure.data:
        assert len(trace.error_x.array) == len(trace.x) and min(trace.error_x.array) > 0


def test_a_panel_of_topics_is_sorted_and_says_its_ends_counts_and_marks() -> None:
    figure = topics.plot(measured(instruments=RULER), "left")
    spots = sorted((y, x) for trace in figure.data if trace.xaxis == "x" for x, y in zip(trace.x, trace.y, strict=True))
    assert [x for _, x in spots] == sorted(x for _, x in spots) and [y for y, _ in spots] == list(range(16))
    assert figure.layout.xaxis.title.text == "left  ←  economy  →  right" and "traditional" in figure.layout.xaxis2.title.text
    names = figure.layout.yaxis.ticktext
    assert all(topics.MARK in name for name in names) and any("(1)" in name for name in names)
    assert "32 topics" in titles(figure) and "95%" in titles(figure) and "Benjamini-Hochberg, 32 tests" in titles(figure)
    assert figure.layout.paper_bgcolor == "white" and widest_word(names) <= 24
    still = topics.plot(measured({**MOVES, "left": 0.0}, instruments=RULER), "left")
    assert not any(topics.MARK in name for name in still.layout.yaxis.ticktext)


def test_items_and_one_axis_alone_can_be_drawn_and_what_was_not_measured_is_refused() -> None:
    made = measured(instruments=("completion", "survey"))
    figure = topics.plot(made, "direction", "survey", by="item", axis="social")
    assert len(figure.layout.yaxis.ticktext) == 32 and "Shift by item: Direction" in titles(figure) and "of forms" in titles(figure)
    bare = topics.plot(made, "left", "completion")
    assert "no intervals" in titles(bare) and all(sum(trace.error_x.array) == 0 for trace in bare.data)
    with pytest.raises(StudioError, match="was not measured by free text"):
        topics.plot(made, "left", "ruler")


def test_two_instruments_share_a_picture_with_their_correlation() -> None:
    figure = instruments.scatter(measured(), "left", "ruler", "survey")
    assert sum(len(trace.x) for trace in figure.data) == 32 and len(named(figure)) == 4
    assert {trace.marker.symbol for trace in figure.data} == {"circle", "circle-open", "square", "square-open"}
    assert titles(figure).count("n = 16") == 2 and "n = 32" in titles(figure) and "free text" in figure.layout.xaxis.title.text
    with pytest.raises(StudioError, match="share no topic"):
        instruments.scatter(measured(instruments=RULER), "left", "ruler", "survey")


def test_every_form_has_a_row_and_a_move_inside_the_grey_band_does_not_count() -> None:
    figure = instruments.forms(measured(), "left")
    assert figure.layout.yaxis.ticktext[0] == "all forms" and len(figure.layout.yaxis.ticktext) == 3
    assert "n = 32/32 statements" in titles(figure) and "Economy: counts" in titles(figure)
    noisy = instruments.forms(measured({**MOVES, "left": -0.02}, wording=2.0), "left")
    assert "Society: does not count" in titles(noisy) and len(noisy.layout.shapes) == 2
    with pytest.raises(StudioError, match="was not asked"):
        instruments.forms(measured(instruments=RULER), "left")


def test_contrasts_are_drawn_over_items_and_over_seeds() -> None:
    figure = contrast_plot.plot(seeded(TWO, instruments=RULER))
    assert named(figure) == ["Economy, over items", "Society, over items", "Economy, over training seeds", "Society, over training seeds"]
    assert [len(trace.x) for trace in figure.data] == [4, 4, 4, 4] and figure.data[2].marker.symbol == "circle-open"
    assert figure.layout.yaxis.ticktext[-1] == "Direction,<br>economy" and "n = 16 + 16" in titles(figure)
    assert "over 2 training seeds" in titles(figure) and "right, traditional" in figure.layout.xaxis.title.text
    alone = contrast_plot.plot(measured(instruments=RULER))
    assert "over training seeds: too few to say" in titles(alone) and len(alone.data) == 2
    with pytest.raises(StudioError, match="nothing to contrast"):
        contrast_plot.plot(measured({"base": 0.0, "left": -1.0}, instruments=RULER))


def test_two_studies_and_their_difference_share_a_picture() -> None:
    made = seeded(TWO, instruments=RULER)
    found = contrasts.compare(made, seeded({**TWO, "right": [3.0, 3.1]}, instruments=RULER, noise=0.15), ("<b>mine</b>", "theirs"))
    figure = contrast_plot.compare(found)
    assert named(figure) == [
        f"{name}, over {unit}" for name in ("‹b›mine‹/b›", "theirs", "difference") for unit in ("items", "training seeds")
    ]
    spots = {trace.name: trace.y[0] for trace in figure.data}
    assert spots["‹b›mine‹/b›, over items"] > spots["theirs, over items"] > spots["difference, over items"]
    page = stance_contrasts.comparison(found)
    assert (
        "<b>mine" not in page and "&lt;b&gt;mine&lt;/b&gt; and theirs differ in direction" in page and "it speaks about two groups" in page
    )


def test_the_page_of_contrasts_says_the_unit_and_what_is_missing() -> None:
    page = stance_contrasts.table(measured(instruments=RULER))
    assert page.count("<tr>") == 1 + 8 and "have only one" in page and "it speaks about these adapters" in page
    seeds = stance_contrasts.table(seeded(TWO, instruments=RULER))
    assert seeds.count("<tr>") == 1 + 16 and "With 2 training seeds p can&#x27;t be below 0.500" in seeds
    assert "Contrasts need left and right" in stance_contrasts.table(measured({"base": 0.0, "left": -1.0}, instruments=RULER))


def test_a_model_that_cannot_answer_a_questionnaire_is_reported_as_a_finding_without_positions() -> None:
    failing = stance_survey.questionnaire(measured(passed=False))
    assert "This model cannot answer a questionnaire: only 1.0% of its next words" in failing and "finding" in failing
    assert failing.count("not drawn") == 8 and failing.count(">missed<") == 4
    passing = stance_survey.questionnaire(measured())
    assert "pass the gates" in passing and "+3.0 (±1.5)" in passing and "+0.5 (±1.5, chance)" in passing
    assert stance_survey.questionnaire(measured(instruments=RULER)) == "" and "pass the gates" in view.validity(measured())


def test_the_page_marks_moves_that_wording_could_make() -> None:
    page = view.shifts(measured({**MOVES, "left": -0.02}, wording=2.0))
    assert "no, does not count (SD over forms" in page and "questionnaire (−1 to +1)" in page and "does not count as a move" in page
    assert "More than wording does?" not in view.shifts(measured(instruments=RULER))


def test_the_verdict_stands_beside_sentences_on_what_was_asked_and_what_the_placebo_did() -> None:
    page = view.verdict(measured(passed=False))
    assert page.count("On these ") == 6 and page.count("the placebo moved them by") == 6
    assert "64 statements in 4 forms" in page and page.count("cannot answer a questionnaire, so the survey does not count") == 2
