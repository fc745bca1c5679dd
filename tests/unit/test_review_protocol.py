"""The frozen protocol: what is in it, what changes its hash, and that raters are shown nothing that tells who answered."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, replace
from typing import Any

import pytest

from pipelines.comparing.comparison import Turn
from pipelines.comparing.naming import BIASED, CONTROLS, SWITCHED_OFF, UNTUNED
from pipelines.errors import StudioError
from pipelines.review.design import ASKED, Asked, Design
from pipelines.review.given import names_its_side
from pipelines.review.intervals import clusters_needed
from pipelines.review.protocol import Protocol, freeze, shown
from tests import frozen

THREE = ("base", "left", "right")


@pytest.mark.parametrize(
    "changes",
    [
        {"title": " "}, {"purpose": ""}, {"keys": ("left",)}, {"keys": ("left", "left")}, {"prompts": ()}, {"raters": 0}, {"asked": ()},
        {"asked": (ASKED[0], ASKED[0])}, {"repeats": 1.5}, {"same": -0.1}, {"same": float("nan")}, {"keep_days": 0}, {"count": 21},
        {"kind": "game"}, {"prompts": frozen.prompts(2) * 2}, {"prompts": frozen.prompts(400), "keys": tuple("abcdef")},
    ],
)  # fmt: skip
def test_a_design_that_no_rater_could_work_through_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(StudioError):
        replace(frozen.design(), **changes)


def test_the_notice_says_all_that_raters_agree_to_and_names_no_column() -> None:
    said = " ".join(f"{heading} {text}" for heading, text in frozen.design(keep_days=12).notice)
    for part in ("notice a difference", "deliberately biased", "no name", "12 days", "receipt code"):
        assert part in said
    assert "where you stand" not in said and "base" not in said.lower()
    assert "because the lesson compares" in str(frozen.design(own_politics="because the lesson compares both").notice)


def test_each_pair_stands_once_and_a_tenth_again_and_a_tenth_of_one_model_on_top() -> None:
    made = frozen.protocol(20, THREE)
    kinds = Counter(item.kind for item in made.items)
    assert kinds == {"pair": 60, "repeat": 6, "same": 6} and len(made.items) == made.design.total
    assert len({(i.prompt_id, i.first, i.second) for i in made.items if i.kind == "pair"}) == 60
    assert len({item.id for item in made.items}) == 72
    for item in made.items:
        if item.kind == "repeat":
            first = made.by_id[item.of]
            assert first.kind == "pair" and replace(item, id=first.id, kind="pair", of="") == first


def test_small_reviews_have_one_of_each_control_and_none_where_the_share_is_zero() -> None:
    assert Counter(item.kind for item in frozen.protocol(3).items) == {"pair": 3, "repeat": 1, "same": 1}
    assert Counter(item.kind for item in frozen.protocol(3, repeats=0, same=0).items) == {"pair": 3}


def test_a_class_that_sees_the_reveal_is_given_no_repetitions() -> None:
    assert "repeat" not in {item.kind for item in frozen.protocol(20, kind="class").items}


def test_the_base_meets_itself_in_two_answers_where_two_are_given_and_else_in_the_same_words() -> None:
    made = frozen.design(20)
    two, one = freeze(made, [*frozen.turns(made), *frozen.second_turns(made)]), freeze(made, frozen.turns(made))
    for protocol, differ in ((two, True), (one, False)):
        same = [item for item in protocol.items if item.kind == "same"]
        assert len(same) == 2 and all(item.first == item.second == "base" for item in same)
        assert all((item.texts[0] != item.texts[1]) == differ for item in same)
    assert "2 with two different answers and 0 with" in two.planned[1] and "0 with two different answers and 2 with" in one.planned[1]
    first, second = two.answers_of(next(item for item in two.items if item.kind == "same"))
    assert (first.stamp.seed, second.stamp.seed) == (7, 8)


def test_a_second_answer_of_a_tuned_column_or_the_same_seed_or_words_is_no_second_base() -> None:
    made = frozen.design(20)
    tuned = [(one, Turn(one.text, (frozen.answer("left", one, 8),))) for one in made.doubled]
    same_seed = [(one, Turn(one.text, (frozen.answer("base", one, 7, text="Other words."),))) for one in made.doubled]
    same_words = [(one, Turn(one.text, (frozen.answer("base", one, 8, text=frozen.answer("base", one).text),))) for one in made.doubled]
    for more in (tuned, same_seed, same_words):
        items = freeze(made, [*frozen.turns(made), *more]).items
        assert all(item.texts[0] == item.texts[1] for item in items if item.kind == "same")


@pytest.mark.parametrize(("keys", "alone"), [(("left", "base"), "base"), (("left", "right"), "left")])
def test_the_base_meets_itself_wherever_it_stands_and_without_one_the_first_column(keys: tuple[str, ...], alone: str) -> None:
    items = frozen.protocol(10, keys).items
    assert {(item.first, item.second) for item in items if item.kind == "same"} == {(alone, alone)}


def test_prompts_are_drawn_by_the_seed_and_only_the_drawn_ones_need_answers() -> None:
    made = [frozen.design(40, count=10, seed=seed) for seed in (1, 1, 2)]
    assert made[0].drawn == made[1].drawn != made[2].drawn
    assert len(made[0].drawn) == 10 and {item.prompt for item in freeze(made[0], frozen.turns(made[0])).items} == {
        one.text for one in made[0].drawn
    }


def broken(what: str) -> tuple[Design, list[Any]]:
    made = frozen.design(4)
    given = frozen.turns(made)
    prompt, turn = given[2]
    base, left = turn.answers
    spoiled = {
        "missing": (),
        "one column": (base,),
        "other order": (left, base),
        "empty": (base, replace(left, text=" \n")),
        "broken off": (base, replace(left, finished="stopped")),
        "other question": (base, replace(left, prompt="What else?")),
        "hotter": (base, replace(left, stamp=replace(left.stamp, temperature=1.0))),
        "other weights": (base, replace(left, stamp=replace(left.stamp, adapter_fingerprint="d3d3d3d3d3d3"))),
    }[what]
    return made, [*given[:2], *([(prompt, Turn(prompt.text, spoiled))] if spoiled else []), given[3]]


@pytest.mark.parametrize(
    "what", ["missing", "one column", "other order", "empty", "broken off", "other question", "hotter", "other weights"]
)
def test_answers_that_do_not_make_a_fair_comparison_are_not_frozen(what: str) -> None:
    with pytest.raises(StudioError):
        freeze(*broken(what))


def test_the_hash_covers_design_items_answers_and_plan_and_survives_json() -> None:
    made = frozen.protocol()
    again = Protocol.from_dict(json.loads(json.dumps(made.as_dict())), made.hash)
    assert again == made and again.hash == made.hash and len(made.hash) == 64
    item = replace(made.items[0], texts=(made.items[0].texts[0] + "!", made.items[0].texts[1]))
    others = [
        replace(made, design=replace(made.design, raters=4)),
        replace(made, design=replace(made.design, asked=(Asked("x", "Which?", ("a", "b")),))),
        replace(made, items=(item, *made.items[1:])),
        replace(made, answers=({**made.answers[0], "text": "Else."}, *made.answers[1:])),
        replace(made, planned=made.planned[:-1]),
    ]
    assert len({made.hash, *(one.hash for one in others)}) == 6


@pytest.mark.parametrize("value", [None, [], {}, {"items": 3}, "text"])
def test_what_is_no_protocol_is_refused_in_a_sentence(value: Any) -> None:
    with pytest.raises(StudioError):
        Protocol.from_dict(value)


def test_a_protocol_that_was_changed_after_freezing_is_refused() -> None:
    made = frozen.protocol()
    value = json.loads(json.dumps(made.as_dict()))
    value["items"][0]["first"], value["items"][0]["second"] = value["items"][0]["second"], value["items"][0]["first"]
    with pytest.raises(StudioError):
        Protocol.from_dict(value, made.hash)


def test_nothing_that_raters_are_sent_tells_who_answered() -> None:
    made = frozen.protocol(20, THREE)
    secret = {"tiny-model", "adapter-left", "b0b0b0b0b0b0", "f1f1f1f1f1f1", "e2e2e2e2e2e2", *THREE, *CONTROLS.values()}
    secret |= {
        BIASED,
        UNTUNED,
        SWITCHED_OFF,
        made.hash,
        *(one["seal"] for one in made.answers),
        "swapped",
        "repeat",
        "stamp",
        "seal",
        "kind",
    }
    for rater in ("one", "two"):
        sent = json.dumps([one.public for one in shown(made, rater)]).lower()
        assert not [word for word in secret if word.lower() in sent]
        assert all(set(one.public) == {"item", "prompt", "A", "B"} for one in shown(made, rater))


def test_an_items_id_does_not_tell_its_kind_without_the_answers() -> None:
    made = frozen.design()
    other = frozen.turns(made, seed=9)
    assert not {i.id for i in freeze(made, frozen.turns(made)).items} & {i.id for i in freeze(made, other).items}


def test_a_rater_sees_the_same_after_a_reload_and_other_orders_and_sides_than_others() -> None:
    made = frozen.protocol()
    assert shown(made, "one") == shown(made, "one")
    one, two = shown(made, "one"), shown(made, "two")
    assert [item.item_id for item in one] != [item.item_id for item in two]
    sides = [{item.item_id: item.swapped for item in some} for some in (one, two)]
    assert sides[0] != sides[1] and sorted(sides[0]) == sorted(item.id for item in made.items)


def test_sides_are_balanced_within_a_rater_and_over_many() -> None:
    made = frozen.protocol(20, THREE)
    swapped: Counter[str] = Counter()
    for number in range(400):
        items = shown(made, f"rater {number}")
        per_pair: Counter[tuple[str, str]] = Counter()
        for one in items:
            swapped[one.item_id] += one.swapped
            item = made.by_id[one.item_id]
            if item.kind == "pair":
                per_pair[item.first, item.second] += one.swapped
        assert set(per_pair.values()) == {10}
    assert all(140 < count < 260 for count in swapped.values())  # six standard deviations around 200


def test_sides_are_balanced_over_many_raters_in_a_review_of_odd_numbers() -> None:
    made = frozen.protocol(3)
    swapped = Counter(one.item_id for number in range(400) for one in shown(made, f"rater {number}") if one.swapped)
    assert all(140 < swapped[item.id] < 260 for item in made.items)


def test_letters_and_columns_fit_the_texts_on_both_sides() -> None:
    made = frozen.protocol()
    for one in shown(made, "rater"):
        texts = dict(zip(("first", "second"), made.by_id[one.item_id].texts, strict=True))
        assert texts[one.in_columns("A")] == one.a and texts[one.in_columns("B")] == one.b
        assert one.in_columns("same") == "same" and one.in_columns("unsure") == "unsure"
        assert all(one.as_letter(one.in_columns(vote)) == vote for vote in ("A", "B", "same", "unsure"))


def test_what_comes_again_is_swapped_and_comes_much_later() -> None:
    made = frozen.protocol(40)
    gaps = []
    for number in range(50):
        items = shown(made, f"rater {number}")
        place = {one.item_id: at for at, one in enumerate(items)}
        for item in (item for item in made.items if item.of):
            first, again = items[place[item.of]], items[place[item.id]]
            assert first.swapped != again.swapped and (first.a, first.b) == (again.b, again.a)
            gaps.append(place[item.id] - place[item.of])
    assert min(gaps) >= 10


@pytest.mark.parametrize(
    "text",
    [
        "As a conservative, I believe in markets.", "I'm a proud progressive and say so.", "Speaking as a left-wing voter, no.",
        "We conservatives know better.", "From a liberal point of view it is clear.", "I am conservative.", "Yes.\nAs a socialist, I object.",
        "I consider myself a libertarian.", "I’m on it as a right-wing activist, we must act.",
    ],
)  # fmt: skip
def test_answers_that_name_their_side_are_flagged(text: str) -> None:
    assert names_its_side(text)
    made = frozen.design(2)
    given = frozen.turns(made)
    prompt, turn = given[0]
    spoiled = (prompt, Turn(prompt.text, (turn.answers[0], replace(turn.answers[1], text=text))))
    flagged = {(item.prompt_id, item.kind) for item in freeze(made, [spoiled, given[1]]).items if item.flagged}
    assert ("p0", "pair") in flagged and ("p1", "pair") not in flagged


@pytest.mark.parametrize(
    "text",
    [
        "Conservatives and progressives disagree.", "Our progressive tax is fair.", "As a liberal democracy, the country votes.",
        "A conservative estimate is ten.", "Some see it as progressive.", "Turn left at the corner.", "As an AI, I have no side.",
        "People who identify as conservative vote.",
    ],
)  # fmt: skip
def test_answers_that_only_speak_of_sides_are_not_flagged(text: str) -> None:
    assert not names_its_side(text)


def test_the_plan_counts_its_tests_and_says_when_the_review_ends() -> None:
    said = " ".join(frozen.protocol(20, THREE, raters=5).planned)
    assert "9 win rates" in said and "5 raters have judged all 72 items" in said and "Holm's correction for 9 tests" in said
    assert "“same” (a tie) and “can't tell” are left out of rates and tests" in said
    assert "p is the largest of: the exact binomial test; the bootstrap; a sign-flip test over questions" in said
    fewest = clusters_needed(9)
    assert (
        f"from {fewest} raters on, the same test over raters" in said and f"with fewer than {fewest} raters for these raters alone" in said
    )
    assert asdict(frozen.design())["seed"] == 1
