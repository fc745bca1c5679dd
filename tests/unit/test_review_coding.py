"""The coder's page without a browser: what each press answers, that it is on the disk before it is said, and that nobody sees another's."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.review.codebook import Code, Codebook, starter
from pipelines.review.coding import LONGEST_MEMO, Codes
from pipelines.review.protocol import Protocol, freeze, shown
from pipelines.review.rounds import Coding, Mark, Round
from studio.tabs.reviews import coding, codingplay, voting
from studio.tabs.reviews.codingseat import Press
from studio.tabs.reviews.visitor import Kept
from studio.views import codes as drawn
from tests import frozen
from tests.browser import reviewing

BOOK = starter()


class Coder:
    """One browser of a rater: what it keeps, the place that its script notes, and the page in front of it."""

    def __init__(self, codes: Codes, review_id: str) -> None:
        self.codes, self.review_id, self.pages = codes, review_id, list[str]()
        rater = codes.box.join(review_id, True)
        self.token, self.receipt = rater.token, rater.receipt
        self.number = codes.box.who(self.token)[1]
        self.kept = Kept({review_id: self.token}, {}, review_id)
        self.reload({})

    @property
    def page(self) -> str:
        return self.pages[-1]

    @property
    def pair(self) -> Any:
        return next(one for one in shown(self.codes.box.review(self.review_id), self.token) if one.item_id == self.data("item"))

    def data(self, name: str) -> str:
        found = re.search(f' data-{name}="([^"]*)"', self.page.partition(">")[0])
        return found[1] if found else ""

    def reload(self, place: Any = None) -> Coder:
        where = {"round": self.data("round"), "item": self.data("item")} if place is None else place
        self.pages.append(codingplay.opened(self.codes, Kept.read(self.kept.as_dict()), where))
        return self

    def press(self, act: str, **more: Any) -> Coder:
        sent = {"act": act, **{name: self.data(name) for name in ("round", "item", "version")}, "turn": "7", **more}
        self.pages.append(codingplay.answer(self.codes, Kept.read(self.kept.as_dict()), Press.read(sent)))
        return self

    def open(self, one: Round) -> Coder:
        return self.press("open", round=one.id, item="")

    def give(self, letter: str, code: str, **more: Any) -> Coder:
        return self.press("give", letter=letter, code=code, **more)

    def give_words(self, letter: str, code: str, words: str) -> Coder:
        start = self.pair.public[letter].index(words)
        return self.give(letter, code, start=start, end=start + len(words), words=words)

    def marks(self) -> tuple[Mark, ...]:
        return self.codes.marks(self.data("round"), self.token, self.data("item"))


@pytest.fixture
def codes(paths: Paths) -> Codes:
    return Codes(paths.reviews)


def review(codes: Codes, protocol: Protocol | None = None) -> str:
    review_id = codes.box.open_review(protocol or reviewing.protocol(4, raters=3))
    codes.publish(review_id, BOOK)
    return review_id


def calibration(codes: Codes, coders: list[Coder], count: int = 3, version: int = 1) -> Round:
    pairs = [item.id for item in codes.box.review(coders[0].review_id).items if item.kind == "pair"][:count]
    return codes.open_round(coders[0].review_id, "calibration", pairs, [one.number for one in coders], version)


@pytest.fixture
def desk(codes: Codes) -> tuple[Coder, Coder, Round]:
    review_id = review(codes)
    one, two = Coder(codes, review_id), Coder(codes, review_id)
    return one, two, calibration(codes, [one, two])


Desk = tuple[Coder, Coder, Round]


def test_without_rounds_one_sentence_says_what_coding_is_and_who_opens_them(codes: Codes) -> None:
    coder = Coder(codes, review(codes))
    assert "owner opens rounds" in coder.page and "<button" not in coder.page
    coder.kept = Kept()
    assert "owner opens rounds" in coder.reload({}).page


def test_the_list_shows_ones_own_rounds_with_progress_and_state(desk: Desk) -> None:
    one, two, made = desk
    stranger = Coder(one.codes, one.review_id)
    assert "owner opens rounds" in stranger.reload({}).page
    one.reload({})
    assert "Calibration, codebook version 1" in one.page and "0 of 3 pairs done · open" in one.page and ">Begin<" in one.page
    one.open(made).press("done").press("list")
    assert "1 of 3 pairs done · open" in one.page and ">Go on<" in one.page
    one.open(made).press("done").press("done").press("list")
    assert "another coder is not yet" in one.page and ">Look back<" in one.page
    two.open(made).press("done").press("done").press("done")
    assert "finished by all its coders" in one.press("list").page


def test_pairs_come_in_the_raters_own_order_and_on_their_own_sides(desk: Desk) -> None:
    for coder in desk[:2]:
        coder.open(desk[2])
        order = [one for one in shown(coder.codes.box.review(coder.review_id), coder.token) if one.item_id in desk[2].items]
        for one in order:
            assert coder.data("item") == one.item_id
            texts = re.findall(r'<p class="ps-text"[^>]*>(.*?)</p>', coder.page)
            assert [unescape(text) for text in texts] == [one.a, one.b] and one.prompt in unescape(coder.page)
            coder.press("done")


def test_the_codebook_stands_beside_with_definitions_examples_and_its_version(desk: Desk) -> None:
    page = unescape(desk[0].open(desk[2]).page)
    assert "version 1" in page and "<details" in page
    for code in BOOK.codes:
        assert all(text in page for text in (code.name, code.definition, *code.examples, *code.counterexamples))


def test_a_code_is_kept_for_the_whole_answer_and_taken_away_again(desk: Desk) -> None:
    one = desk[0].open(desk[2]).give("A", "hedging")
    assert "✓ Kept: “Hedging” for the whole answer" in one.page and one.data("kept") == "1" and one.data("turn") == "7"
    assert one.marks() == (Mark("A", "hedging", -1, -1, ""),)
    assert re.findall(r'data-key="code-(\w-[a-z-]+)" aria-pressed="true"', one.page) == ["A-hedging"]
    one.press("take", letter="A", code="hedging")
    assert "Taken away" in one.page and one.marks() == () and 'aria-pressed="true"' not in one.page


def test_marked_words_are_quoted_highlighted_and_counted_in_characters(codes: Codes) -> None:
    design = frozen.design(2, raters=3)
    turns = [
        (prompt, replace(turn, answers=tuple(replace(a, text=f"😀 ha ha {a.column} perhaps") for a in turn.answers)))
        for prompt, turn in frozen.turns(design)
    ]
    review_id = review(codes, freeze(design, turns))
    coders = [Coder(codes, review_id), Coder(codes, review_id)]
    one = coders[0].open(calibration(codes, coders, 1))
    one.give("A", "hedging", start=5, end=7, words="ha")
    assert "✓ Kept: “Hedging” for “ha”" in one.page and [(mark.start, mark.end) for mark in one.marks()] == [(5, 7)]
    assert '<mark class="ps-span" data-ends="Hedging">ha</mark>' in one.page and "1 quote" in one.page
    one.give("B", "hedging", start=5, end=7, words="perhaps")
    assert "do not stand in the answer" in one.page and len(one.marks()) == 1 and one.data("kept") == ""


def test_spans_that_overlap_are_cut_and_the_text_stays_whole() -> None:
    book = Codebook(1, (Code("one", "First <code>", "x"), Code("two", "Second", "y")))
    text = "A <b>fair</b>\r\nshare\n\nfor  all"
    marks = [Mark("A", "one", 2, 13, ""), Mark("A", "two", 5, 20, ""), Mark("A", "two", -1, -1, ""), Mark("A", "one", 5, 20, "")]
    made = drawn.highlighted(text, marks, book)
    assert unescape(re.sub("<[^>]*>", "", made)) == text and "\r" not in made, "a browser reads a carriage return as a new line"
    assert made.count("<mark") == 3 and "ps-twice" in made and 'data-ends="Second, First &lt;code&gt;"' in made
    assert drawn.quoted(text, marks[0]) == "“<b>fair</b>”" and drawn.quoted(text, marks[2]) == "the whole answer"
    assert len(drawn.quoted("word " * 200, Mark("A", "one", 0, 1000, ""))) < 200


def test_a_memo_is_kept_and_survives_giving_the_code_once_more(desk: Desk) -> None:
    one = desk[0].open(desk[2])
    words = one.pair.public["B"].split()[0]
    one.give("A", "hedging").give_words("B", "liberty", words)
    one.press("memo", letter="B", code="liberty", start=0, end=len(words), memo="</textarea>it's <i>")
    assert "Kept: the memo of “Appeal to liberty”" in one.page and "&lt;/textarea&gt;it&#x27;s &lt;i&gt;</textarea>" in one.page
    one.give_words("B", "liberty", words)
    assert "Kept already" in one.page and {mark.memo for mark in one.marks()} == {"", "</textarea>it's <i>"}
    one.press("take", letter="B", code="liberty", start=0, end=len(words))
    back = re.search(r'data-act="give"([^>]*)>Put it back', one.page)
    assert back is not None
    undo = {name: unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', back[1])}
    one.press("give", **{**undo, "start": int(undo["start"]), "end": int(undo["end"])})
    assert {mark.memo for mark in one.marks()} == {"", "</textarea>it's <i>"}


def test_a_memo_that_can_not_be_kept_is_told_under_its_answer(desk: Desk) -> None:
    one = desk[0].open(desk[2]).give("A", "hedging")
    one.press("memo", letter="A", code="hedging", memo="x" * (LONGEST_MEMO + 1))
    assert "ps-code-said" in one.page and "At most" in one.page and one.data("kept") == "" and one.marks()[0].memo == ""
    one.press("memo", letter="B", code="hedging", memo="mine")
    assert "was taken away" in one.page and len(one.marks()) == 1


def test_kept_is_said_only_of_what_is_on_the_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one = desk[0].open(desk[2])
    with monkeypatch.context() as broken:
        for name in ("mark", "read"):
            broken.setattr(one.codes, name, lambda *_, **__: (_ for _ in ()).throw(StudioError("The disk is full.", "Make room.")))
        item = one.data("item")
        for act in ("give", "done"):
            one.press(act, letter="A", code="hedging")
            assert "disk is full" in one.page and "✓ Kept" not in one.page and one.data("kept") == "" and one.data("item") == item
        broken.setattr(one.codes, "mark", lambda *_, **__: 1 / 0)
        assert "Nothing was kept" in one.give("A", "hedging").page
    assert one.marks() == ()


def test_a_page_drawn_with_another_version_of_the_codebook_keeps_nothing(desk: Desk) -> None:
    one = desk[0].open(desk[2])
    for act in ("give", "memo", "take", "done"):
        one.press(act, letter="A", code="hedging", version="2")
        assert "another version of the codebook" in one.page and one.marks() == () and one.data("version") == "1"
    assert "0 done" in one.page
    codes, review_id = one.codes, one.review_id
    codes.publish(review_id, BOOK.revised(BOOK.codes[:3]))
    one.open(calibration(codes, list(desk[:2]), version=2))
    assert one.data("version") == "2" and one.page.count("ps-entry") == 3
    assert "✓ Kept" in one.give("A", "hedging").page


def test_being_done_also_goes_without_any_code_and_pressing_twice_skips_nothing(desk: Desk) -> None:
    one = desk[0].open(desk[2])
    item = one.data("item")
    assert "You gave no code to answer A and answer B" in one.page
    assert "You gave no code to answer B." in one.give("A", "hedging").page
    one.press("done").press("done", item=item)
    assert "you are done with pair 1 of 3" in one.page and "pair 2 of 3 · 1 done" in one.page
    one.press("done")
    assert "last pair of the round" in one.page


def test_earlier_pairs_can_be_changed_until_all_coders_are_finished(desk: Desk) -> None:
    one, two, made = desk
    one.open(made).give("A", "hedging")
    item = one.data("item")
    assert 'data-act="back"' not in one.page
    one.press("done").press("back")
    assert one.data("item") == item and "done with this pair" in one.page and ">To the pair that is left<" in one.page
    one.give("B", "slogan").press("next").press("done").press("done")
    assert one.data("stage") == "end" and "Another coder is not finished" in one.page
    one.press("last")
    assert "pair 3 of 3" in one.page and "✓ Kept" in one.give("A", "liberty").page
    two.open(made).press("done").press("done").press("done")
    assert "All its coders are finished" in two.page and "how far the coders agree" in two.page
    before = one.codes.sheet(made.id).codings
    one.give("A", "fairness")
    assert "This round is finished" in one.page and "ps-codes" not in one.page and "<textarea" not in one.page
    assert one.codes.sheet(made.id).codings == before
    assert "All its coders are finished" in one.open(made).page


def test_a_reload_goes_on_at_the_pair_also_with_another_server(desk: Desk, paths: Paths) -> None:
    one = desk[0].open(desk[2]).press("done").give("B", "slogan")
    item = one.data("item")
    one.codes = Codes(paths.reviews)
    assert one.reload().data("item") == item and "pair 2 of 3 · 1 done" in one.page and 'aria-pressed="true"' in one.page
    one.press("back")
    assert "pair 1 of 3" in one.reload().page
    for place in ({"round": "gone"}, {"round": desk[2].id, "item": "gone"}, [], 3, {"round": 3}):
        assert "Rounds in which you code" in one.reload(place).page and "ps-error" not in one.page
    assert one.reload({"round": desk[2].id}).data("item") == item


def test_no_page_holds_more_than_the_pairs_and_the_coders_own_codes(desk: Desk) -> None:
    one, two, made = desk
    for number, coder in enumerate((one, two)):
        coder.open(made)
        while coder.data("item"):
            coder.give("A", "hedging").press("memo", letter="A", code="hedging", memo=f"remark of {number}").press("done")
        coder.press("last").press("back").press("list")
    for coder, other in ((one, two), (two, one)):
        text = "".join(coder.pages)
        secrets = {*reviewing.telling(coder.codes.box.review(coder.review_id)), BOOK.hash, BOOK.hash[:16], coder.token, other.token}
        assert not [secret for secret in secrets if secret in text]
        assert not re.search(rf"(?<![0-9a-f]){other.number}(?![0-9a-f])", text)
    assert "remark of 1" not in "".join(one.pages) and "remark of 0" not in "".join(two.pages)


def test_strangers_and_those_who_withdrew_see_nothing_of_a_round(desk: Desk) -> None:
    one, _, made = desk
    stranger = Coder(one.codes, one.review_id).open(made)
    assert "not a coder in this round" in stranger.page and "Answer A" not in stranger.page
    one.open(made).give("A", "hedging")
    one.codes.box.withdraw(one.receipt)
    one.give("A", "slogan")
    assert "withdrawn" in one.page and "owner opens rounds" in one.page and "Answer A" not in one.page


def test_a_closed_review_takes_no_codes_any_more(desk: Desk) -> None:
    one = desk[0].open(desk[2]).give("A", "hedging")
    one.codes.box.close(one.review_id)
    one.give("B", "hedging")
    assert "is closed" in one.page and "ps-codes" not in one.page and one.marks() == (Mark("A", "hedging", -1, -1, ""),)
    assert "This review is closed" in one.open(desk[2]).page and "ended" in one.press("list").page


def test_damage_and_odd_browsers_end_in_a_sentence(desk: Desk) -> None:
    one, _, made = desk
    one.open(made)
    good = {name: one.data(name) for name in ("round", "item", "version")}
    odd = (
        {},
        {"code": "no such"},
        {"letter": "C", "code": "hedging"},
        {"letter": ["A"]},
        {"item": "x"},
        {"round": "\ud800"},
        {"start": True, "end": 1e9},
    )
    for act in (*codingplay.ACTS, "unheard of"):
        for more in odd:
            page = codingplay.answer(one.codes, one.kept, Press.read({"act": act, **good, **more}))
            assert "ps-ballot" in page
    one.give("A", "hedging", start=3, end=10**9, words="x")
    assert "do not stand" in one.page and codingplay.answer(one.codes, one.kept, Press.read("odd"))
    for item in one.codes.sheet(made.id).codings:
        assert isinstance(item, Coding) and item.code_id == "hedging"
    for store in (one.codes.store, one.codes.box.store):
        store.close()
    one.codes.store.path.write_bytes(b"no database" * 500)
    one.give("A", "hedging")
    assert "damaged" in one.page and "Try again" in one.page
    assert "damaged" in one.reload().page


def test_keys_are_single_signs_that_differ_and_leave_a_and_b_to_the_answers() -> None:
    assert len(set(drawn.HOTKEYS)) == len(drawn.HOTKEYS) >= len(BOOK.codes) and not set("ab") & set(drawn.HOTKEYS)


def test_the_stage_can_be_built_and_its_events_are_private(paths: Paths) -> None:
    services: Any = SimpleNamespace(codes=Codes(paths.reviews))
    with gr.Blocks() as page:
        made = coding.build(services, gr.BrowserState(**voting.MEMORY))
        page.load(**made["attach"])
    assert len(page.fns) >= 3 and all(one.api_visibility == "private" for one in page.fns.values() if one.fn is not None)
