"""The questionnaire: known answerers come out as what they are, and gates say who can't answer at all."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models.labels import LabelScore, Unaskable, first_tokens
from pipelines.records import Item
from pipelines.stance import survey
from pipelines.stance.forms import FREE, PAIRS, TEMPLATES, Asked, Form, forms_of, prompts
from pipelines.stance.statistics import ring
from pipelines.stance.survey import Surveyed

ITEMS, FACTS = bundled.items("proposition"), bundled.items("sanity")


def odds(value: float, mass: float = 0.5) -> LabelScore:
    """A score with these log-odds whose labels have this probability together."""
    agree = mass / (1 + np.exp(-value))
    return LabelScore(float(np.log(agree)), float(np.log(mass - agree)))


def answering(value: object) -> Surveyed:
    def score(asked: Sequence[Asked]) -> list[LabelScore]:
        return [odds(value(one)) for one in asked]  # type: ignore[operator]

    return survey.measure(score, "left", ITEMS, FACTS, forms_of("full"))


def sided(one: Asked, bias: float, facts: float = 3.0) -> float:
    """Agrees with what is right by `bias`, knows the facts, and says yes a little too often."""
    if one.item is None:
        return 0.4
    toward = one.item.key * (1 if one.wording == "text" else -1)
    return 0.4 + toward * (facts if one.item.kind == "sanity" else bias)


@pytest.mark.parametrize("bias", (-1.0, -0.25, 0.5))
def test_a_known_stance_is_found_with_its_size_and_a_liking_for_yes_apart(bias: float) -> None:
    found = answering(lambda one: sided(one, bias))
    assert [row["x"] for row in found.rows] == pytest.approx([bias] * 60, abs=1e-4)
    assert found.check["passed"] and found.check["facts"] == 12 and found.check["consistent"] == 60
    assert found.check["position"]["social"] == pytest.approx(10 * np.tanh(bias / 2), abs=0.01)
    assert found.check["acquiescence"] == pytest.approx(0.0, abs=1e-4), "the calibration takes the liking for yes out"


def test_a_yes_sayer_has_no_stance_and_passes_no_gate_of_content() -> None:
    found = answering(lambda one: 0.0 if one.item is None else 2.0)
    assert all(row["x"] == 0 and row["q"] == pytest.approx(2.0, abs=1e-4) for row in found.rows)
    assert not found.check["passed"] and found.check["facts"] == 0 and found.check["consistent"] == 0


def test_one_who_always_takes_the_option_named_first_has_no_stance() -> None:
    found = answering(lambda one: 2.0 if one.form.agree_first else -2.0)
    assert all(row["x"] == pytest.approx(0.0, abs=1e-9) for row in found.rows) and not found.check["passed"]


def test_a_random_answerer_lies_within_the_ring_about_95_times_of_100() -> None:
    random = np.random.default_rng(1)
    inside = 0
    for _ in range(200):
        s = np.tanh(random.normal(0, 1, 30))
        inside += abs(10 * s.mean()) <= ring(s)
    assert 180 <= inside <= 199


def test_each_gate_says_why_it_is_closed() -> None:
    def faint(asked: Sequence[Asked]) -> list[LabelScore]:
        return [odds(sided(one, 1.0, facts=-3.0), mass=0.01) for one in asked]

    check = survey.measure(faint, "base", ITEMS, FACTS, forms_of("quick")).check
    assert [reason.split(" ")[0:2] for reason in check["reasons"]] == [["only", "1.0%"], ["it", "answers"]]
    assert check["needed"] == 37, "measurement.md: 37 of 60 is above chance"
    assert "0 of 12 plain facts" in check["reasons"][1] and not check["passed"]


def test_every_form_carries_its_own_answer() -> None:
    found = answering(
        lambda one: 0.0 if one.item is None else one.item.key * (1.0 if one.wording == "text" else -1.0) * (1 + one.form.agree_first)
    )
    first = found.rows[0]["forms"]
    assert len(first) == 4 and sorted(set(first.values())) == [1.0, 2.0]
    assert found.rows[0]["x"] == pytest.approx(1.5)


@pytest.mark.parametrize(("profile", "forms", "asked"), (("quick", 2, 4), ("full", 4, 8), ("robust", 30, 60)))
def test_profiles_ask_each_statement_in_so_many_ways(profile: str, forms: int, asked: int) -> None:
    made = forms_of(profile)
    assert len(made) == forms == len({one.name for one in made})
    listed = prompts(ITEMS[:1], made)
    assert sum(one.item is not None for one in listed) == asked and sum(one.item is None for one in listed) == forms * len(FREE)
    assert len({one.text for one in listed}) == len(listed), "no prompt is asked twice"


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("labels", PAIRS)
def test_a_form_names_both_labels_in_its_order_before_the_statement(template: str, labels: str) -> None:
    agree, disagree = PAIRS[labels]
    said = Form(template, labels, agree_first=False).ask("STATEMENT")
    assert said.index(disagree) < said.index(agree) < said.index("STATEMENT")


def test_nothing_to_ask_is_told() -> None:
    with pytest.raises(StudioError, match="nothing to ask"):
        survey.measure(lambda asked: [], "base", [], FACTS, forms_of("full"))


class Words:
    """A tokenizer that puts a blank of its own first where a text begins with a space, as Llama 2's does."""

    def __init__(self) -> None:
        self.known: list[str] = ["", "▁"]

    def __call__(self, text: str, add_special_tokens: bool) -> SimpleNamespace:
        pieces = ["▁", text.strip()] if text.startswith(" ") else [text]
        self.known += [piece for piece in pieces if piece not in self.known]
        return SimpleNamespace(input_ids=[self.known.index(piece) for piece in pieces])

    def decode(self, ids: list[int]) -> str:
        return self.known[ids[0]].replace("▁", " ")


class Letters(Words):
    """One that begins every word with its first letter."""

    def __call__(self, text: str, add_special_tokens: bool) -> SimpleNamespace:
        return super().__call__(text.strip()[:1], add_special_tokens)


def test_a_blank_that_a_tokenizer_puts_first_is_no_label() -> None:
    agree, disagree = first_tokens(Words(), "Agree", "Disagree")
    assert len(agree) == len(disagree) == 2 and not set(agree) & set(disagree)


def test_a_single_letter_stands_for_no_label() -> None:
    with pytest.raises(Unaskable, match="tokens of their own"):
        first_tokens(Letters(), "Yes", "No")


def test_too_few_statements_are_said_to_be_too_few() -> None:
    def knowing(asked: Sequence[Asked]) -> list[LabelScore]:
        return [odds(sided(one, 1.0)) for one in asked]

    check = survey.measure(knowing, "left", ITEMS[:3], FACTS, forms_of("quick")).check
    assert not check["passed"] and "3 statements are too few" in check["reasons"][0]


def test_own_statements_stand_with_their_words_in_every_row() -> None:
    own = Item("own-1", "proposition", "economic", "", 1, "Taxes are too high.", "Taxes are too low.")
    row = survey.measure(lambda asked: [odds(0.0)] * len(asked), "left", [own], FACTS, forms_of("quick")).rows[0]
    assert (row["text"], row["opposite"], row["key"]) == ("Taxes are too high.", "Taxes are too low.", 1)
