"""Shifts by topic and item, trained against held-out topics, and whether instruments and prompt forms agree."""

import pytest

from pipelines import bundled
from pipelines.records import Shift, Topic
from pipelines.stance import agreement, breakdown, sentences, wording
from studio.views import stance_breakdown as view
from tests.measured import MOVES, measured

RULER = ("ruler",)


def only_trained(topic: Topic) -> float:
    return 1.0 if topic.split == "train" else 0.0


def by_length(topic: Topic) -> float:
    """A gain that differs from topic to topic in the same way for every instrument."""
    return len(topic.id) / 10


def of_axis(topic: Topic) -> float:
    return 1.0 if topic.axis == "economic" else 3.0


def test_every_topic_is_listed_once_lowest_first_with_its_interval() -> None:
    parts = breakdown.by_topic(measured(instruments=RULER), "ruler", "left")
    assert {part.id for part in parts} == set(bundled.topics()) and len(parts) == 32
    means = [part.mean for part in parts]
    assert means == sorted(means) and sum(means) / 32 == pytest.approx(-1.0, abs=0.05)
    assert all(part.low is not None and part.high is not None and part.low < part.mean < part.high for part in parts)


def test_the_unit_says_of_what_an_interval_is() -> None:
    made = measured()
    ruler, completion, survey = (breakdown.by_topic(made, name, "left")[0] for name in ("ruler", "completion", "survey"))
    assert (ruler.unit, ruler.n, ruler.items) == ("draws", 3, 1)
    assert (completion.unit, completion.n, completion.low, completion.p, completion.p_bh) == ("items", 1, None, None, None)
    assert (survey.unit, survey.n, survey.items) == ("items", 2, 2), "two forms are no more than two items"
    statement = breakdown.by_item(made, "survey", "left")[0]
    assert (statement.unit, statement.n) == ("forms", 2)


def test_p_values_are_adjusted_over_all_topics() -> None:
    parts = breakdown.by_topic(measured(instruments=RULER), "ruler", "left")
    assert all(part.p is not None and part.p_bh is not None and part.p <= part.p_bh for part in parts)
    assert sum(part.p_bh < 0.05 for part in parts if part.p_bh is not None) > 25
    still = breakdown.by_topic(measured({**MOVES, "left": 0.0}, instruments=RULER), "ruler", "left")
    assert sum(part.p_bh < 0.05 for part in still if part.p_bh is not None) == 0


def test_held_out_topics_that_stay_where_they_were_are_told_apart_from_trained_ones() -> None:
    found = breakdown.trained_and_held_out(measured(gain=only_trained, instruments=RULER), "ruler", "right")
    assert found is not None and (found.trained.n, found.held_out.n) == (24, 8)
    assert found.trained.mean == pytest.approx(1.2, abs=0.1) and found.held_out.mean == pytest.approx(0.0, abs=0.1)
    assert found.difference.low > 0.9 and found.difference.p < 0.01
    assert "They differ." in sentences.split(found, "Right")


def test_an_equal_shift_on_both_is_said_to_show_no_difference_and_no_more() -> None:
    found = breakdown.trained_and_held_out(measured(instruments=RULER), "ruler", "right", "social")
    assert found is not None and (found.trained.n, found.held_out.n) == (12, 4) and found.difference.low < 0 < found.difference.high
    assert "no proof that there is none" in sentences.split(found, "Right")
    assert "needs two or more of each" in sentences.split(None, "Right")


def test_topics_of_ones_own_belong_to_neither_side() -> None:
    made = measured()
    for row in made.survey:
        row["topic"], row["topic_split"] = f"own {row['topic']}", ""
    for row in made.completions:
        row["topic"] = "own"
    assert breakdown.trained_and_held_out(made, "survey", "left") is None
    assert {part.split for part in breakdown.by_topic(made, "completion", "left")} == {""}
    assert breakdown.called("own") == "own" and breakdown.called("minimum-wage") == "Minimum wage"
    assert breakdown.called("econ-01").startswith("A high minimum wage")


def test_a_contrast_can_be_broken_down_too() -> None:
    parts = breakdown.by_topic(measured(instruments=RULER), "ruler", "direction", axis="economic")
    assert len(parts) == 16 and sum(part.mean for part in parts) / 16 == pytest.approx(1.1, abs=0.05)


def test_instruments_that_move_the_same_topics_agree() -> None:
    rows = {(one.first, one.second, one.axis): one.correlation for one in agreement.instruments(measured(gain=by_length), "right")}
    assert len(rows) == 9
    both = rows["ruler", "completion", "both"]
    assert both.n == 32 and both.r is not None and both.low is not None and both.r > 0.7 and both.low > 0.4
    assert rows["ruler", "survey", "economic"].n == 16


def test_a_shift_that_only_differs_between_the_axes_is_no_agreement_over_topics() -> None:
    found = agreement.instruments(measured(gain=of_axis, instruments=("ruler", "completion")), "right")
    both = next(one.correlation for one in found if one.axis == agreement.BOTH_AXES)
    assert both.low is not None and both.high is not None and both.low < 0 < both.high


def test_one_instrument_has_nothing_to_agree_with() -> None:
    assert agreement.instruments(measured(instruments=RULER), "left") == []
    assert "Only one instrument" in view.agree(measured(instruments=RULER), "left")


def test_forms_that_move_alike_leave_no_share_to_the_wording_and_forms_alone_leave_all_of_it() -> None:
    alike = wording.wording_share(measured(wording=0.0), "left")
    assert alike is not None and alike.share == pytest.approx(0, abs=1e-6) and (alike.items, alike.forms) == (64, 2)
    noise = wording.wording_share(measured({**MOVES, "left": 0.0}, wording=1.0), "left")
    assert noise is not None and noise.share > 0.75 and noise.low < noise.share <= noise.high <= 1
    between = wording.wording_share(measured(wording=0.4), "left", "economic")
    assert between is not None and 0.1 < between.share < 0.9 and between.items == 32
    assert wording.wording_share(measured(instruments=RULER), "left") is None


def test_forms_correlate_in_the_answers_of_the_base_and_less_where_each_moves_by_itself() -> None:
    (answers,) = agreement.forms(measured(wording=1.0))
    assert answers.correlation.r == pytest.approx(1.0) and answers.correlation.n == 64
    (moves,) = agreement.forms(measured(wording=1.0), "left")
    assert moves.correlation.r is not None and abs(moves.correlation.r) < 0.4
    assert agreement.typical([moves]) == moves.correlation.r and agreement.typical([]) is None


def test_the_page_lists_topics_items_and_how_much_is_wording() -> None:
    made = measured(wording=0.4)
    page = view.topics(made, "left", "survey")
    assert page.count("<tr>") == 2 + 32 + 64 and "Minimum wage" in page and "held out" in page and "On 24 topics" in page
    said = view.wording(made, "left")
    assert "How much is wording?" in said and "plain, agree or disagree" in said and "twice the SD over 2 wordings" in said
    assert "was not measured by" in view.topics(measured(instruments=RULER), "left", "survey")
    assert "How much is wording can" in view.wording(measured(instruments=RULER), "left")


def test_a_topic_of_ones_own_on_both_axes_is_two_topics_and_none_is_called_so() -> None:
    for topic in ("own", ""):
        made = measured({**MOVES, "left": -1.0}, gain=of_axis)
        for row in made.survey:
            row["topic"], row["topic_split"] = topic, ""
        parts = breakdown.by_topic(made, "survey", "left")
        assert {(part.id, part.axis, part.items) for part in parts} == {(topic, "economic", 32), (topic, "social", 32)}
        assert set(breakdown.topic_means(made, "survey", "left")) == {("economic", topic), ("social", topic)}
    assert breakdown.called("") == "no topic" and "no topic" in view.topics(made, "left", "survey")


def test_the_same_name_on_both_axes_is_trained_on_one_and_held_out_on_the_other() -> None:
    made = measured(instruments=RULER)
    for row in made.answers:
        row["topic"] = f"t{int(row['question'][-1] > 'm')}"
        row["topic_split"] = "train" if row["axis"] == "economic" else "held_out"
    found = breakdown.trained_and_held_out(made, "ruler", "left")
    assert found is not None and (found.trained.n, found.held_out.n) == (2, 2)


def test_topics_differ_only_where_p_and_interval_both_show_it() -> None:
    def said(p: float, low: float) -> str:
        one = Shift(0.5, 0.1, 0.9, 0.01, 6)
        return sentences.split(breakdown.Split(one, one, Shift(0.5, low, 0.9, p, 12)), "Right")

    assert "They differ." in said(0.01, 0.1)
    assert "They differ" not in said(0.08, 0.1) and "They differ" not in said(0.01, -0.1)


def test_the_typical_correlation_of_forms_is_the_mean_of_the_listed_ones() -> None:
    made = measured(wording=0.5)
    for row in made.survey:
        row["forms"]["third"] = row["x"] ** 2
    for name in ("base", "left"):
        assert agreement.typical_r(made, name) == pytest.approx(agreement.typical(agreement.forms(made, name)))
    assert agreement.typical_r(measured(instruments=RULER)) is None


def test_the_page_draws_no_bootstrap_where_it_shows_a_mean_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "correlation", lambda *_: pytest.fail("a bootstrap a pair"))
    assert "Two forms correlate by" in view.wording(measured(wording=0.5), "left")


def test_topics_below_a_red_line_are_said_to_be_void() -> None:
    made = measured(instruments=RULER)
    made.collateral["left"]["perplexity"] = 40.0
    said = "Void: the language of left is damaged."
    assert said in view.topics(made, "direction", "ruler") and said not in view.topics(made, "right", "ruler")
