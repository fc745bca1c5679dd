"""Coding: blind, by two raters, written before it is counted; settled on top of what they said, and counted by column at the end."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, fields, replace
from itertools import combinations
from pathlib import Path

import pytest

from pipelines.comparing.prompts import Prompt
from pipelines.errors import StudioError
from pipelines.paths import PROJECT
from pipelines.review.agreement import by_code
from pipelines.review.ballots import Rater
from pipelines.review.codebook import Code, starter
from pipelines.review.coding import MOST_MARKS, Codes
from pipelines.review.protocol import freeze, shown
from pipelines.review.rounds import Adjudication, Mark, Round, codable, shared_out, span
from pipelines.review.settling import Settling
from pipelines.review.store import FILE
from tests import frozen

BOOK = starter()


@dataclass
class Desk:
    """A review with three raters who have calibrated, and a round of the first two."""

    folder: Path
    codes: Codes
    settling: Settling
    review_id: str
    people: list[Rater]
    round: Round

    @property
    def numbers(self) -> list[int]:
        return [self.codes.box.who(one.token)[1] for one in self.people]

    def mark(self, who: int, item_id: str, column: str, code_id: str, start: int = -1, end: int = -1, memo: str = "") -> Mark:
        token = self.people[who].token
        return self.codes.mark(
            self.round.id, token, item_id, self.letter(who, item_id, column), code_id, BOOK.hash, start, end, memo
        )  # fmt: skip

    def letter(self, who: int, item_id: str, column: str) -> str:
        protocol = self.codes.box.review(self.review_id)
        one = next(one for one in shown(protocol, self.people[who].token) if one.item_id == item_id)
        return one.as_letter("first" if protocol.by_id[item_id].first == column else "second")

    def read_all(self, *who: int, items: tuple[str, ...] = ()) -> None:
        for rater in who or (0, 1):
            for item_id in items or self.round.items:
                self.codes.read(self.round.id, self.people[rater].token, item_id)


def calibrate(codes: Codes, review_id: str, items: tuple[str, ...], people: list[Rater], version: int = 1) -> Round:
    numbers = [codes.box.who(one.token)[1] for one in people]
    made = codes.open_round(review_id, "calibration", items, numbers, version)
    for one in people:
        for item_id in items:
            codes.read(made.id, one.token, item_id)
    return codes.accept(made.id, "All codes but one are above .8.")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = frozen.design(6, raters=3)
    topics = [Prompt(one.id, one.text, "rent" if place < 2 else "school") for place, one in enumerate(made.prompts)]
    made = replace(made, prompts=tuple(topics))
    codes = Codes(tmp_path)
    review_id = codes.box.open_review(freeze(made, frozen.turns(made)))
    codes.publish(review_id, BOOK)
    people = [codes.box.join(review_id, True) for _ in range(3)]
    items = codable(codes.box.review(review_id))
    calibrate(codes, review_id, items[:2], people)
    numbers = [codes.box.who(one.token)[1] for one in people]
    return Desk(tmp_path, codes, Settling(codes), review_id, people, codes.open_round(review_id, "coding", items, numbers[:2], 1))


def test_the_pairs_to_code_hold_every_answer_and_few_of_them_twice() -> None:
    for keys, most in ((("base", "left"), 1), (("base", "left", "right"), 2)):
        protocol = frozen.protocol(5, keys)
        chosen = codable(protocol)
        items = [protocol.by_id[one] for one in chosen]
        assert {(one.prompt_id, name) for one in items for name in (one.first, one.second)} == {
            (prompt.id, key) for prompt in protocol.design.prompts for key in keys
        }
        assert {item.kind for item in items} == {"pair"} and len(chosen) == 5 * most
        assert list(chosen) == [item.id for item in protocol.items if item.id in chosen]


def test_items_are_shared_out_so_that_two_read_each_and_all_read_about_as_many() -> None:
    items = [f"i{number}" for number in range(31)]
    found = shared_out(items, [1, 2, 3, 4, 5], seed=3)
    assert sorted(item for own in found.values() for item in own) == sorted(items)
    load = Counter({rater: sum(len(own) for pair, own in found.items() if rater in pair) for rater in range(1, 6)})
    assert max(load.values()) - min(load.values()) <= 1
    assert set(found) == set(combinations(range(1, 6), 2)) and found == shared_out(items, [1, 2, 3, 4, 5], seed=3)
    with pytest.raises(StudioError, match="at least two raters"):
        shared_out(items, [1, 1], seed=3)


def test_a_code_goes_to_the_answer_that_this_rater_saw_under_that_letter(desk: Desk) -> None:
    for item_id in desk.round.items:
        for who in (0, 1):
            desk.mark(who, item_id, "left", "hedging", memo=f"memo {who}")
    codings = desk.codes.sheet(desk.round.id).codings
    assert {one.answer for one in codings} == {"second"} and len(codings) == 2 * len(desk.round.items)
    letters = {one.answer for item in desk.round.items for one in desk.codes.marks(desk.round.id, desk.people[0].token, item)}
    assert letters == {"A", "B"}


def test_a_span_is_kept_by_its_characters_and_a_whole_answer_without_any(desk: Desk) -> None:
    item = desk.round.items[0]
    text = desk.codes.box.review(desk.review_id).by_id[item].texts[1]
    desk.mark(0, item, "left", "hedging", 0, 8, "Probably")
    desk.mark(0, item, "left", "hedging")
    kept = {(one.start, one.end): one.memo for one in desk.codes.sheet(desk.round.id).codings}
    assert kept == {(0, 8): "Probably", (-1, -1): ""} and text[0:8] == "Probably"


def test_the_same_mark_again_changes_its_memo_and_unmark_takes_it_away(desk: Desk) -> None:
    item, token = desk.round.items[0], desk.people[0].token
    desk.mark(0, item, "left", "hedging", memo="first")
    given = desk.mark(0, item, "left", "hedging", memo="second")
    assert desk.codes.marks(desk.round.id, token, item) == (given,) and given.memo == "second"
    desk.codes.unmark(desk.round.id, token, item, given.answer, "hedging")
    assert desk.codes.marks(desk.round.id, token, item) == ()


def test_no_rater_sees_the_codes_of_another(desk: Desk) -> None:
    item = desk.round.items[0]
    desk.mark(1, item, "left", "slogan", memo="mine alone")
    assert desk.codes.marks(desk.round.id, desk.people[0].token, item) == ()
    assert {one.name for one in fields(Mark)} == {"answer", "code_id", "start", "end", "memo"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code_id": "irony"}, "no code “irony”"),
        ({"code_id": None}, "no code “None”"),
        ({"codebook_hash": "0" * 64}, "version 1 of the codebook, not with another"),
        ({"letter": "C"}, "answer A or to answer B"),
        ({"letter": "first"}, "answer A or to answer B"),
        ({"item_id": "elsewhere"}, "not in the round"),
        ({"start": 0, "end": 10_000}, "do not stand in the answer"),
        ({"start": -5, "end": 3}, "do not stand in the answer"),
        ({"start": 4, "end": 4}, "do not stand in the answer"),
        ({"start": -1, "end": 4}, "do not stand in the answer"),
        ({"start": 5, "end": 2}, "do not stand in the answer"),
        ({"start": "0", "end": "4"}, "do not stand in the answer"),
        ({"start": True, "end": 4}, "do not stand in the answer"),
        ({"start": 0, "end": 4, "words": "Nobody said this"}, "do not stand in the answer"),
        ({"words": "whole"}, "do not stand in the answer"),
        ({"memo": "m" * 1001}, "1,001 characters"),
        ({"round_id": "none"}, "no such round"),
        ({"token": "none"}, "not joined"),
    ],
)
def test_a_bad_mark_is_refused_and_leaves_nothing(desk: Desk, changes: dict, said: str) -> None:
    given = {
        "round_id": desk.round.id, "token": desk.people[0].token, "item_id": desk.round.items[0], "letter": "A",
        "code_id": "hedging", "codebook_hash": BOOK.hash, **changes,
    }  # fmt: skip
    with pytest.raises(StudioError, match=said) as caught:
        desk.codes.mark(**given)
    assert caught.value.hint and desk.codes.sheet(desk.round.id).codings == ()


def test_a_rater_of_another_round_or_review_can_neither_code_nor_look(desk: Desk) -> None:
    other = desk.codes.box.open_review(frozen.protocol(4))
    stranger = desk.codes.box.join(other, True)
    for token in (desk.people[2].token, stranger.token):
        with pytest.raises(StudioError, match="not a coder in this round"):
            desk.codes.mark(desk.round.id, token, desk.round.items[0], "A", "hedging", BOOK.hash)
        for look in (desk.codes.marks, desk.codes.read):
            with pytest.raises(StudioError, match="not a coder in this round"):
                look(desk.round.id, token, desk.round.items[0])
    assert [one.kind for one in desk.codes.rounds_of(desk.people[2].token)] == ["calibration"]


def test_marks_of_one_pair_have_a_limit(desk: Desk) -> None:
    item = desk.round.items[0]
    places = [(start, end) for start, end in combinations(range(21), 2)][:MOST_MARKS]
    text = desk.codes.box.review(desk.review_id).by_id[item].texts[1]
    marked = [place for place in places if text[place[0] : place[1]].strip()]
    for number, (start, end) in enumerate(marked):
        desk.mark(0, item, "left", BOOK.codes[number % 2].id, start, end)
    for start, end in marked[: MOST_MARKS - len(marked)]:
        desk.mark(0, item, "left", "slogan", start, end)
    with pytest.raises(StudioError, match=f"{MOST_MARKS} codes"):
        desk.mark(0, item, "left", "evidence")


def test_a_browsers_places_after_a_wide_character_are_understood() -> None:
    text = "Good 😀 for all, they say."
    assert span(text, 7, 14, "for all") == (7, 14)
    assert span(text, 8, 15, "for all") == (7, 14)
    assert span(text, -1, -1) == (-1, -1)
    with pytest.raises(StudioError):
        span(text, 9, 16, "for all")


def test_progress_goes_on_after_a_reload_in_the_order_of_the_ballots(desk: Desk) -> None:
    token = desk.people[0].token
    order = [one.item_id for one in shown(desk.codes.box.review(desk.review_id), token) if one.item_id in desk.round.items]
    first = desk.codes.reading(desk.round.id, token)
    assert (first.done, first.total) == (0, len(order)) and first.next and first.next.item_id == order[0]
    desk.codes.read(desk.round.id, token, order[0])
    again = Codes(desk.folder).reading(desk.round.id, token)
    assert again.done == 1 and again.next and again.next.item_id == order[1]
    desk.read_all(0)
    assert desk.codes.reading(desk.round.id, token).next is None


def test_units_tell_not_coded_from_not_read(desk: Desk) -> None:
    one, two, *_ = desk.round.items
    desk.mark(0, one, "left", "hedging", 0, 8)
    desk.mark(0, one, "left", "hedging")
    desk.mark(1, one, "base", "evidence")
    desk.mark(1, two, "left", "slogan")
    desk.read_all(0, items=(one, two))
    desk.read_all(1, items=(one,))
    first, second, _ = desk.numbers
    units = desk.codes.sheet(desk.round.id).units
    assert len(units) == 2 * len(desk.round.items)
    assert units[f"{one}/second"] == {first: {"hedging"}, second: set()}
    assert units[f"{one}/first"] == {first: set(), second: {"evidence"}}
    assert units[f"{two}/second"] == {first: set()}


def test_units_are_what_agreement_takes(desk: Desk) -> None:
    for number, item in enumerate(desk.round.items):
        for who in (0, 1):
            if number % 2:
                desk.mark(who, item, "left", "hedging")
    desk.read_all()
    sheet = desk.codes.sheet(desk.round.id)
    found = by_code(sheet.units, ["hedging", "slogan"], sheet.groups(desk.codes.box.review(desk.review_id)))
    assert found["hedging"].value == 1 and found["slogan"].value is None


def test_a_finished_round_changes_no_more(desk: Desk) -> None:
    item, token = desk.round.items[0], desk.people[0].token
    given = desk.mark(0, item, "left", "hedging")
    desk.read_all()
    for change in (
        lambda: desk.mark(0, item, "left", "slogan"),
        lambda: desk.codes.unmark(desk.round.id, token, item, given.answer, "hedging"),
        lambda: desk.codes.read(desk.round.id, token, item),
    ):
        with pytest.raises(StudioError, match="finished"):
            change()
    assert len(desk.codes.sheet(desk.round.id).codings) == 1


def test_coding_waits_for_a_calibration_of_the_same_two_with_the_same_codebook(desk: Desk) -> None:
    codes, items = desk.codes, desk.round.items
    new = BOOK.revised((*BOOK.codes, Code("irony", "Irony", "Use it when the opposite is meant. Not when it is plain.")))
    codes.publish(desk.review_id, new)
    with pytest.raises(StudioError, match="not calibrated together with version 2"):
        codes.open_round(desk.review_id, "coding", items, desk.numbers[:2], 2)
    made = codes.open_round(desk.review_id, "calibration", items[:1], desk.numbers[:2], 2)
    with pytest.raises(StudioError, match="no finished calibration"):
        codes.accept(made.id, "Good.")
    for one in desk.people[:2]:
        codes.read(made.id, one.token, items[0])
    with pytest.raises(StudioError, match="No reason"):
        codes.accept(made.id, " ")
    with pytest.raises(StudioError, match="not calibrated together"):
        codes.open_round(desk.review_id, "coding", items, desk.numbers[:2], 2)
    assert codes.accept(made.id, "Alpha .8 on irony.").accepted == "Alpha .8 on irony."
    with pytest.raises(StudioError, match="accepted already"):
        codes.accept(made.id, "Better reason.")
    assert codes.open_round(desk.review_id, "coding", items, desk.numbers[:2], 2).codebook == new
    with pytest.raises(StudioError, match="not calibrated together"):
        codes.open_round(desk.review_id, "coding", items, desk.numbers[1:], 2)


@pytest.mark.parametrize(
    ("kind", "items", "raters", "version", "said"),
    [
        ("coding", (), (0, 1), 1, "no pairs"),
        ("coding", ("elsewhere",), (0, 1), 1, "no pairs"),
        ("coding", "twice", (0, 1), 1, "no pairs"),
        ("coding", "control", (0, 1), 1, "no pairs"),
        ("coding", "all", (0,), 1, "two different raters"),
        ("coding", "all", (0, 0), 1, "two different raters"),
        ("coding", "all", (0, 1, 2), 1, "two different raters"),
        ("game", "all", (0, 1), 1, "two different raters"),
        ("calibration", "all", (0, None), 1, "not in the review"),
        ("calibration", "all", (0, 1), 9, "no version 9"),
    ],
)
def test_a_round_that_could_not_be_coded_is_refused(desk: Desk, kind: str, items: object, raters: tuple, version: int, said: str) -> None:
    control = next(item.id for item in desk.codes.box.review(desk.review_id).items if item.kind == "repeat")
    chosen = {"all": desk.round.items, "twice": desk.round.items[:1] * 2, "control": (control,)}.get(str(items), items)
    people = [desk.numbers[one] if one is not None else 12 for one in raters]
    before = desk.codes.rounds(desk.review_id)
    with pytest.raises(StudioError, match=said):
        desk.codes.open_round(desk.review_id, kind, chosen, people, version)  # type: ignore[arg-type]
    assert desk.codes.rounds(desk.review_id) == before


def test_codebook_versions_stay_and_follow_one_another(desk: Desk) -> None:
    new = BOOK.revised(BOOK.codes[:5])
    assert desk.codes.publish(desk.review_id, BOOK) == BOOK
    for wrong in (replace(BOOK, codes=BOOK.codes[:3]), replace(new, version=3)):
        with pytest.raises(StudioError, match="versions never change"):
            desk.codes.publish(desk.review_id, wrong)
    desk.codes.publish(desk.review_id, new)
    assert desk.codes.codebooks(desk.review_id) == (BOOK, new)
    assert desk.codes.round(desk.round.id).codebook == BOOK


def settle(desk: Desk) -> str:
    """Both give the first answer of "left" a code, one the second one, and everything is read. Returns the second pair."""
    one, two, *_ = desk.round.items
    desk.mark(0, one, "left", "hedging", 0, 8)
    desk.mark(1, one, "left", "hedging", 4, 11)
    desk.mark(0, two, "left", "hedging", 0, 8, "sounds unsure")
    desk.read_all()
    return two


def test_adjudication_stands_beside_the_original_codes(desk: Desk) -> None:
    two = settle(desk)
    before = desk.codes.sheet(desk.round.id)
    (difference,) = desk.settling.differences(desk.round.id)
    assert (difference.item_id, difference.answer, difference.given, difference.raters) == (two, "second", 1, 2)
    assert difference.memos == ("sounds unsure",) and difference.spans == ((0, 8),) and difference.adjudication is None
    assert not {str(number) for number in desk.numbers} & set(str(asdict(difference)).replace(",", " ").split())
    desk.settling.adjudicate(desk.round.id, Adjudication(two, "second", "hedging", False, "An idiom."))
    desk.settling.adjudicate(desk.round.id, Adjudication(two, "second", "hedging", True, "Talked it over.", 0, 8))
    after = desk.codes.sheet(desk.round.id)
    assert (after.codings, after.readings, after.units) == (before.codings, before.readings, before.units)
    assert [one.applies for one in after.adjudications] == [False, True]
    last = desk.settling.differences(desk.round.id)[0].adjudication
    assert last and last.reason == "Talked it over."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code_id": "slogan"}, "raters agree"),
        ({"answer": "first"}, "raters agree"),
        ({"code_id": "irony"}, "no code"),
        ({"item_id": "elsewhere"}, "not in the round"),
        ({"answer": "A"}, "not in the round"),
        ({"reason": " "}, "needs a decision and a reason"),
        ({"applies": None}, "needs a decision and a reason"),
        ({"start": 3, "end": 9999}, "do not stand in the answer"),
    ],
)
def test_a_bad_adjudication_is_refused(desk: Desk, changes: dict, said: str) -> None:
    two = settle(desk)
    with pytest.raises(StudioError, match=said):
        desk.settling.adjudicate(desk.round.id, replace(Adjudication(two, "second", "hedging", True, "Clear."), **changes))
    assert desk.codes.sheet(desk.round.id).adjudications == ()


def test_nothing_is_adjudicated_before_all_have_read_all(desk: Desk) -> None:
    item = desk.round.items[0]
    desk.mark(0, item, "left", "hedging")
    desk.read_all(0)
    assert desk.settling.differences(desk.round.id) == []
    with pytest.raises(StudioError, match="not finished"):
        desk.settling.adjudicate(desk.round.id, Adjudication(item, "second", "hedging", True, "Clear."))


def test_counts_are_by_column_and_topic_and_say_what_is_open(desk: Desk) -> None:
    two = settle(desk)
    with pytest.raises(StudioError, match="after this review is closed"):
        desk.settling.counts(desk.review_id)
    desk.codes.box.close(desk.review_id)
    counts = {(one.code_id, one.column, one.topic): (one.coded, one.answers, one.open) for one in desk.settling.counts(desk.review_id)}
    assert counts["hedging", "left", None] == (1, 5, 1)
    assert counts["hedging", "left", "rent"] == (1, 1, 1) and counts["hedging", "left", "school"] == (0, 4, 0)
    assert counts["hedging", "base", None] == (0, 6, 0)
    assert len(counts) == len(BOOK.codes) * 2 * 3
    assert two and desk.settling.counts(desk.review_id, 2) == []


def test_a_round_that_was_never_finished_counts_as_open(desk: Desk) -> None:
    desk.read_all(0, 1, items=desk.round.items[:2])
    desk.codes.box.close(desk.review_id)
    found = [one for one in desk.settling.counts(desk.review_id) if one.topic is None]
    assert {(one.coded, one.answers, one.open, one.share) for one in found} == {(0, 0, 6, None)}


def test_an_adjudication_counts(desk: Desk) -> None:
    two = settle(desk)
    desk.settling.adjudicate(desk.round.id, Adjudication(two, "second", "hedging", True, "Clear."))
    desk.codes.box.close(desk.review_id)
    found = next(one for one in desk.settling.counts(desk.review_id) if (one.code_id, one.column, one.topic) == ("hedging", "left", None))
    assert (found.coded, found.answers, found.open, found.share) == (2, 6, 0, 2 / 6)


def test_an_answer_that_stands_in_two_pairs_counts_once(tmp_path: Path) -> None:
    codes = Codes(tmp_path)
    review_id = codes.box.open_review(frozen.protocol(2, ("base", "left", "right"), kind="class"))
    codes.publish(review_id, BOOK)
    people = [codes.box.join(review_id, True) for _ in range(2)]
    items = tuple(item.id for item in codes.box.review(review_id).items if item.kind == "pair")
    calibrate(codes, review_id, items[:1], people)
    made = codes.open_round(review_id, "coding", items, codes.joined(review_id), 1)
    for one in people:
        for item_id in items:
            for letter in "AB":
                codes.mark(made.id, one.token, item_id, letter, "hedging", BOOK.hash)
            codes.read(made.id, one.token, item_id)
    found = [one for one in Settling(codes).counts(review_id) if one.code_id == "hedging" and one.topic is None]
    assert [(one.column, one.coded, one.answers) for one in found] == [("base", 2, 2), ("left", 2, 2), ("right", 2, 2)]
    assert len(Settling(codes).quotes(review_id)) == 6


def test_after_the_end_nothing_is_coded_or_settled(desk: Desk) -> None:
    desk.mark(0, desk.round.items[0], "left", "hedging")
    desk.codes.box.close(desk.review_id)
    for change in (
        lambda: desk.mark(0, desk.round.items[0], "left", "slogan"),
        lambda: desk.read_all(0),
        lambda: desk.codes.open_round(desk.review_id, "coding", desk.round.items, desk.numbers[:2], 1),
        lambda: desk.settling.adjudicate(desk.round.id, Adjudication(desk.round.items[0], "second", "hedging", True, "Clear.")),
    ):
        with pytest.raises(StudioError, match="closed"):
            change()


def test_quotes_join_overlapping_spans_and_go_into_the_report(desk: Desk) -> None:
    two = settle(desk)
    text = desk.codes.box.review(desk.review_id).by_id[desk.round.items[0]].texts[1]
    desk.settling.adjudicate(desk.round.id, Adjudication(two, "second", "hedging", True, "Clear.", 9, 11))
    with pytest.raises(StudioError, match="after this review is closed"):
        desk.settling.quotes(desk.review_id)
    desk.codes.box.close(desk.review_id)
    first, second = desk.settling.quotes(desk.review_id)
    assert (first.text, first.raters, first.column, first.topic) == (text[:11], 2, "left", "rent")
    assert (second.item_id, second.text, second.raters) == (two, "so", 0)
    desk.settling.pick(desk.review_id, second)
    desk.settling.pick(desk.review_id, second)
    assert Settling(Codes(desk.folder)).picked(desk.review_id) == [second]
    with pytest.raises(StudioError, match="do not carry that code"):
        desk.settling.pick(desk.review_id, replace(second, end=3))
    desk.settling.drop(desk.review_id, second)
    assert desk.settling.picked(desk.review_id) == []


def test_a_rater_who_withdraws_takes_the_codes_along(desk: Desk) -> None:
    settle(desk)
    desk.codes.box.withdraw(desk.people[0].receipt)
    sheet = desk.codes.sheet(desk.round.id)
    assert {one.rater_number for one in sheet.codings} == {rater for rater, _ in sheet.readings} == set(sheet.round.raters)
    assert len(sheet.round.raters) == 1 and "sounds unsure" not in str(sheet)
    desk.codes.box.close(desk.review_id)
    assert {one.answers for one in desk.settling.counts(desk.review_id)} == {0} and desk.settling.quotes(desk.review_id) == []
    with pytest.raises(StudioError, match="not joined"):
        desk.codes.marks(desk.round.id, desk.people[0].token, desk.round.items[0])


def test_what_is_kept_holds_no_token_and_is_written_through(desk: Desk) -> None:
    settle(desk)
    with desk.codes.store.reading() as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert file.execute("PRAGMA synchronous").fetchone() == (2,)
        for table in ("coders", "codings", "readings", "rounds", "adjudications"):
            assert not [one for one in desk.people if one.token in str(file.execute(f"SELECT * FROM {table}").fetchall())]


WORKER = """
import sys
from pathlib import Path
from pipelines.review.coding import Codes
from pipelines.review.codebook import starter
folder, round_id, token, item, letter = sys.argv[1:]
codes = Codes(Path(folder))
for code in starter().codes:
    codes.mark(round_id, token, item, letter, code.id, starter().hash, memo="kept")
    print(code.id, flush=True)
codes.read(round_id, token, item)
print("read", flush=True)
change = codes.store.transaction()
change.__enter__().execute("DELETE FROM codings")
print("half", flush=True)
import time; time.sleep(60)
"""


def test_a_killed_process_loses_no_code_that_was_kept_and_leaves_no_half_change(desk: Desk) -> None:
    item, token = desk.round.items[0], desk.people[0].token
    command = [sys.executable, "-c", WORKER, str(desk.folder), desk.round.id, token, item, "A"]
    worker = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(PROJECT)})
    assert worker.stdout
    said = [worker.stdout.readline().strip() for _ in range(len(BOOK.codes) + 2)]
    worker.send_signal(signal.SIGKILL)
    worker.wait(timeout=20)
    assert said == [*(code.id for code in BOOK.codes), "read", "half"]
    marks = Codes(desk.folder).marks(desk.round.id, token, item)
    assert {one.code_id for one in marks} == {code.id for code in BOOK.codes} and {one.memo for one in marks} == {"kept"}
    assert Codes(desk.folder).reading(desk.round.id, token).done == 1


def test_a_damaged_database_is_said_in_a_sentence(desk: Desk) -> None:
    with sqlite3.connect(desk.folder / FILE) as file:
        file.execute("UPDATE codebooks SET body = '{'")
    with pytest.raises(StudioError, match="damaged"):
        desk.codes.sheet(desk.round.id)
