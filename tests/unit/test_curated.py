"""The questions of a public demo and their recorded answers: neutral, spread over both axes, kept apart from what is measured, and whole."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from pipelines import bundled
from pipelines.comparing import curated, mirror
from pipelines.comparing.comparison import Turn
from pipelines.comparing.curated import KEYS, STRENGTHS, recorded, recorded_answer, refuse_unlisted
from pipelines.errors import StudioError
from pipelines.models import adapters
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.records import Sampling

WORDS = re.compile(r"[a-z']+")
PLAIN = {
    "should", "would", "may", "be", "do", "a", "an", "the", "for", "of", "to", "in", "on", "who", "how", "what", "when", "where", "is", "are",
    "and", "or", "by", "with", "without", "it", "they", "their",
}  # fmt: skip
LOADED = {
    "radical", "extreme", "fair", "unfair", "greedy", "lazy", "illegal", "freedom", "free", "terrible", "great", "evil", "poor", "rich",
    "elite", "woke", "traditional", "progressive", "liberal", "conservative", "socialist", "only", "really", "just", "must",
}  # fmt: skip
LIBERTY = {"cur-econ-01", "cur-econ-05"}  # “be free to”: a permission, not praise
FIRST = curated.questions()[0].text


def words(text: str) -> set[str]:
    return set(WORDS.findall(text.lower())) - PLAIN


def alike(one: str, other: str) -> float:
    return len(words(one) & words(other)) / max(1, len(words(one) | words(other)))


def test_there_are_six_questions_an_axis_each_on_a_topic_of_its_own() -> None:
    listed = curated.questions()
    assert Counter(one.axis for one in listed) == {"economic": 6, "social": 6}
    assert len({one.topic for one in listed}) == len({one.id for one in listed}) == len({one.text for one in listed}) == 12
    assert all(bundled.topics()[one.topic].axis == one.axis for one in listed)
    splits = Counter(bundled.topics()[one.topic].split for one in listed)
    assert splits["held_out"] >= 4 and splits["train"] >= 4


@pytest.mark.parametrize("axis", ["economic", "social"])
def test_a_plain_yes_is_as_often_left_as_right_and_some_have_no_yes(axis: str) -> None:
    sides = Counter(one.agree for one in curated.questions() if one.axis == axis)
    assert sides["left"] == sides["right"] == 2 and sides[""] == 2


def test_they_are_short_questions_without_loaded_words_parties_or_people() -> None:
    for one in curated.questions():
        found = words(one.text) & (LOADED - ({"free"} if one.id in LIBERTY else set()) - ({"must"} if one.id == "cur-econ-03" else set()))
        assert one.text.endswith("?") and one.text.count("?") == 1 and 20 <= len(one.text) <= 80 and not found
        assert not re.search(r"(?<!^)\b[A-Z]", one.text), "no name of a party, a person or a country"


def test_none_is_measured_with_or_trained_on() -> None:
    others = {question.text for question in bundled.questions()} | {row.prompt for row in bundled.pairs()}
    others |= {text for one in mirror.askings() for text in (one.pro, one.con)}
    assert not {one.text for one in curated.questions()} & others
    near = [(one.text, q.text) for one in curated.questions() for q in bundled.questions("confirmation") if alike(one.text, q.text) > 0.5]
    assert near == [], "nor nearly one of the confirmation half"


def test_every_question_is_recorded_at_every_strength_by_the_adapters_that_ship() -> None:
    made = {(one.last.question, one.strength): one for one in recorded()}
    assert set(made) == {(one.text, strength) for one in curated.questions() for strength in STRENGTHS}
    prints = ["", *(adapters.inspect(bundled.ADAPTERS / side).fingerprint for side in bundled.BUNDLED_SIDES)]
    for (question, strength), one in made.items():
        stamps = [answer.stamp for answer in one.last.answers]
        assert one.keys == KEYS and one.sampling == Sampling() and not one.system and len(one.turns) == 1
        assert [stamp.adapter_fingerprint for stamp in stamps] == prints
        assert [stamp.strength for stamp in stamps] == [0.0, strength, strength, strength]
        assert {stamp.base for stamp in stamps} == {made[FIRST, 1.0].last.answers[0].stamp.base} and not any(s.is_rounded for s in stamps)
        assert all(answer.text.strip() and answer.prompt == question for answer in one.last.answers)
    assert LANGUAGE_MODEL.name.split("-")[0] in made[FIRST, 1.0].last.answers[0].stamp.base.lower()
    assert curated.FILE.stat().st_size < 300_000


def test_the_base_says_the_same_at_every_strength() -> None:
    said = {one.text: {made.last.answers[0].text for made in recorded() if made.last.question == one.text} for one in curated.questions()}
    assert all(len(texts) == 1 for texts in said.values())


def test_what_is_recorded_is_found_for_any_of_its_columns_in_any_order() -> None:
    whole = recorded_answer(f" {FIRST} ", KEYS, 1.0, Sampling())
    some = recorded_answer(FIRST, ["right", "base"], 0.5, Sampling())
    assert whole and some and whole.keys == KEYS and some.keys == ("right", "base")
    assert [answer.column for answer in some.last.answers] == ["right", "base"] and some.strength == 0.5
    assert type(some).from_dict(some.as_dict()) == some


@pytest.mark.parametrize(
    "question,keys,dial,sampling,base",
    [
        ("Why?", KEYS, 1.0, Sampling(), ""),
        (FIRST, [], 1.0, Sampling(), ""),
        (FIRST, ["base", "run:mine"], 1.0, Sampling(), ""),
        (FIRST, ["left*0.5"], 1.0, Sampling(), ""),
        (FIRST, ["base", "base"], 1.0, Sampling(), ""),
        (FIRST, KEYS, 0.75, Sampling(), ""),
        (FIRST, KEYS, 1.0, Sampling(seed=2), ""),
        (FIRST, KEYS, 1.0, Sampling(temperature=0.0), ""),
        (FIRST, KEYS, 1.0, Sampling(), "another base"),
    ],
)
def test_anything_else_is_not_recorded(question: str, keys: list[str], dial: float, sampling: Sampling, base: str) -> None:
    assert recorded_answer(question, keys, dial, sampling, base) is None


def test_a_public_demo_refuses_other_questions_also_in_what_came_before() -> None:
    made = recorded_answer(FIRST, KEYS, 1.0, Sampling())
    assert made
    refuse_unlisted(f"{FIRST} ", Sampling(), " ", made)
    forged = replace(made, turns=(Turn("Write me an essay.", made.last.answers),))
    for given, about in (
        (("Write me an essay.", Sampling()), "on its list"),
        ((None, Sampling()), "on its list"),
        ((FIRST, Sampling(), "", forged), "on its list"),
        ((FIRST, Sampling(), "You are a pirate."), "system prompt"),
        ((FIRST, Sampling(), "", replace(made, system="You are a pirate.")), "system prompt"),
        ((FIRST, Sampling(max_new_tokens=512)), "at most 96 tokens"),
    ):
        with pytest.raises(StudioError, match=about):
            refuse_unlisted(*given)  # type: ignore[arg-type]
