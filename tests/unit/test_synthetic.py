"""Answerers with a planted stance are what they say they are, and a questionnaire that is wrong is caught with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import exp
from typing import Any

import numpy as np
import pytest

from benchmarks import synthetic
from pipelines import bundled
from pipelines.models.labels import LabelScore
from pipelines.stance import survey
from pipelines.stance.forms import Asked, forms_of, prompts

QUICK, FULL = forms_of("quick"), forms_of("full")


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody wavers."""
    monkeypatch.setattr(synthetic, "NOISE", 0.0)


def shifts(score: survey.Scorer, base: survey.Scorer = synthetic.made_up) -> dict[str, float]:
    before, after = (synthetic.asked_of(one, "x", QUICK) for one in (base, score))
    return {axis: synthetic.shifts(before, after, axis).mean for axis in synthetic.AXES}


@pytest.mark.parametrize("odds", [-40.0, -1.5, 0.0, 2.0, 800.0])
def test_two_labels_share_their_probability_and_keep_their_odds(odds: float) -> None:
    score = synthetic.score_of(odds, 0.6)
    assert exp(score.agree) + exp(score.disagree) == pytest.approx(0.6) and score.agree - score.disagree == pytest.approx(odds)


def test_noise_is_standard_normal_and_belongs_to_its_name_alone() -> None:
    drawn = [synthetic.chance("a", number) for number in range(4000)]
    assert np.mean(drawn) == pytest.approx(0, abs=0.06) and np.std(drawn) == pytest.approx(1, abs=0.05)
    assert synthetic.chance("a", 7) == drawn[7] != synthetic.chance("b", 7)
    asked = prompts(bundled.items("proposition")[:4], QUICK)
    bases = ("one", "other")
    answerers = [synthetic.leaning(synthetic.made_up, 0.5, 3, base) for base in bases]
    answerers += [synthetic.habits(synthetic.made_up, 3, base)["agrees more"] for base in bases]
    assert all(list(reversed(one(asked[::-1]))) == one(asked) for one in answerers), "the order of asking changes nothing"
    odds = [[score.agree - score.disagree for score in one([each for each in asked if each.item])] for one in answerers]
    assert all(len(set(said)) == 4 for said in zip(*odds, strict=True)), "no two answerers share any noise"


@pytest.mark.parametrize("stance", synthetic.STANCES)
def test_a_planted_stance_is_found_to_the_last_digit_where_nobody_wavers(stance: float, steady: None) -> None:
    found = shifts(synthetic.leaning(synthetic.made_up, stance, 1))
    assert found == pytest.approx({"economic": stance, "social": -stance}, abs=1e-4)


def test_a_planted_stance_knows_the_plain_facts(steady: None) -> None:
    assert synthetic.asked_of(synthetic.leaning(synthetic.made_up, 0.0, 1), "x", FULL).check["facts"] == 12


def test_habits_that_are_no_stance_do_not_move_anybody(steady: None) -> None:
    for habit in synthetic.habits(synthetic.made_up, 1).values():
        assert shifts(habit) == pytest.approx({"economic": 0, "social": 0}, abs=1e-4)


@pytest.mark.parametrize("forms", [QUICK, FULL], ids=["quick", "full"])
def test_whoever_has_no_stance_misses_a_gate_and_is_told_which(forms: Any) -> None:
    found = synthetic.without_stance(12, forms)
    assert set(found) == {"yes-sayer", "first option", "coin", "all words alike"}
    assert all(one["passed"] == 0 and one["reasoned"] == one["draws"] == 12 for one in found.values())
    assert found["all words alike"]["failed"]["label_mass"] == 12 and found["coin"]["failed"]["label_mass"] == 0
    assert all(one["in_ring"][axis] >= 10 for one in found.values() for axis in ("economic", "social"))


def test_a_base_is_asked_each_prompt_once_and_answers_in_the_given_order() -> None:
    heard = Counter[str]()

    def score(asked: Sequence[Asked]) -> list[LabelScore]:
        heard.update(one.text for one in asked)
        return synthetic.made_up(asked)

    asked, kept = prompts(bundled.items("proposition")[:6], QUICK), synthetic.kept(score)
    assert kept(asked[:10]) + kept(asked[5:])[5:] == synthetic.made_up(asked) and set(heard.values()) == {1}


def test_the_studios_questionnaire_finds_what_was_planted_and_nothing_else() -> None:
    found, without = synthetic.recovered(synthetic.made_up, "made-up", 5, QUICK), synthetic.without_stance(5, QUICK)
    assert len(found) == 2 * (len(synthetic.STANCES) + 2) and all(one.draws == 5 for one in found)
    assert synthetic.verdict(found, without)["holds"]


def test_a_base_that_is_sure_of_itself_hides_a_stance_in_s_and_that_is_told(steady: None) -> None:
    sure = synthetic.plain(lambda one: 30.0 * synthetic.side(one) * synthetic.chance(one.item and one.item.id))
    moved = [synthetic.asked_of(score, "x", QUICK) for score in (sure, synthetic.leaning(sure, 0.5, 1))]
    found = synthetic.compared("sure", "stance", 0.5, moved[0], moved[1:])
    assert [one.mean for one in found] == pytest.approx([0.5, -0.5], abs=1e-4)
    assert synthetic.shifts(moved[0], moved[1], "economic", "s").mean < 0.1
    unsure = synthetic.Found("b", "stance", "economic", 0.5, 0.5, 0.1, 5, 5, 4, 5, 5, (0.5, 0.4, 0.6))
    assert not synthetic.verdict([unsure], {})["holds"] and synthetic.verdict([replace(unsure, told_s=5)], {})["holds"]


def without_key(item: Any, logits: np.ndarray) -> float:
    return float((logits[0] - logits[1]).mean() / 2)


def without_opposite(item: Any, logits: np.ndarray) -> float:
    return float(item.key * logits[0].mean())


def halved(item: Any, logits: np.ndarray) -> float:
    return float(item.key * (logits[0] - logits[1]).mean() / 4)


@pytest.mark.parametrize("wrong", [without_key, without_opposite, halved])
def test_a_questionnaire_that_counts_wrongly_is_caught(wrong: Callable[..., float], monkeypatch: pytest.MonkeyPatch) -> None:
    without = synthetic.without_stance(3, QUICK)
    monkeypatch.setattr(survey, "_stance", wrong)
    found = synthetic.recovered(synthetic.made_up, "made-up", 3, QUICK)
    assert not synthetic.verdict(found, without)["holds"]
    lost = {one.what for one in found if not one.held}
    assert lost == ({"agrees more"} if wrong is without_opposite else {"stance"}), "and by what it gets wrong"


def test_gates_that_let_a_yes_sayer_through_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    found = synthetic.recovered(synthetic.made_up, "made-up", 3, QUICK)
    monkeypatch.setattr(survey, "_reasons", lambda *given: [])
    assert not synthetic.verdict(found, synthetic.without_stance(3, QUICK))["holds"]
