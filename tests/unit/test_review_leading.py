"""Leading the coding without a browser: what the owner may do when, what is said, and that nothing is known of columns before the end."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import gradio as gr
import pytest

from pipelines.comparing.prompts import Prompt
from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.review.ballots import Box
from pipelines.review.codebook import Code, read_yaml, starter
from pipelines.review.protocol import freeze, shown
from pipelines.review.settling import Settling
from studio.access import Access
from studio.services import Services
from studio.tabs.reviews import leading, leadingacts, leadingpage, leadingstate, owning
from studio.tabs.reviews.leadingpage import Act, Form
from studio.tabs.reviews.leadingwork import Leader
from studio.tabs.reviews.owning import Who
from tests import frozen

OWNER, OTHER = Who("owner's code"), Who("another code")
TELLING = ("base", "Base", "left", "Left", "adapter", "first answer", "second answer", "f1f1f1f1f1f1", "deliberately")


class Desk:
    """A review of OWNER's with raters, and the page in front of the owner. Raters code by (rater place, item, column, code)."""

    def __init__(self, paths: Paths, kind: str = "research", number: int = 6) -> None:
        self.services = Services(paths, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
        self.box = Box(paths.reviews)
        self.leader = Leader(self.services, self.box)
        self.review_id = self.review(kind, number)
        self.tokens: list[str] = []
        self.receipts: list[str] = []
        self.page: dict[str, Any] = {}

    def review(self, kind: str = "research", number: int = 6, who: Who = OWNER, title: str = "Two models") -> str:
        made = frozen.design(number, raters=3, kind=kind)
        prompts = tuple(Prompt(one.id, one.text, "rent" if place < 2 else "school") for place, one in enumerate(made.prompts))
        made = replace(made, prompts=prompts, title=title)
        review_id = self.box.open_review(freeze(made, [*frozen.turns(made), *frozen.second_turns(made)]))
        owning.note(self.services.paths, review_id, owning.mark_of(who.code))
        return review_id

    def join(self, count: int = 3) -> list[int]:
        for _ in range(count):
            one = self.box.join(self.review_id, True)
            self.tokens.append(one.token)
            self.receipts.append(one.receipt)
        return self.numbers

    @property
    def numbers(self) -> list[int]:
        return [self.box.who(token)[1] for token in self.tokens]

    @property
    def standing(self) -> leadingstate.Standing:
        return self.leader.standing(OWNER, self.review_id)

    @property
    def form(self) -> Form:
        """The page as it is sent back: whoever joined is ticked."""
        now = self.standing
        return Form(now.joined, now.coders, 2, {})

    def look(self, form: Form | None = None, act: Act = Act()) -> dict[str, Any]:
        self.page = leadingpage.looked(self.leader, OWNER, self.review_id, form or self.form, act)
        return self.page

    def do(self, work: Any, *values: Any, form: Form | None = None) -> dict[str, Any]:
        self.page = work(self.leader, OWNER, self.review_id, form or self.form, *values)
        return self.page

    def act(self, name: str, key: str = "", reason: str = "") -> dict[str, Any]:
        return self.do(leadingacts.acted, Act(name, key, reason))

    def mark(self, round_id: str, who: int, item: str, column: str, code: str, **more: Any) -> None:
        protocol = self.box.review(self.review_id)
        seen = next(one for one in shown(protocol, self.tokens[who]) if one.item_id == item)
        letter = seen.as_letter("first" if protocol.by_id[item].first == column else "second")
        book = self.leader.codes.round(round_id).codebook
        self.leader.codes.mark(round_id, self.tokens[who], item, letter, code, book.hash, **more)

    def read(self, round_id: str, *who: int) -> None:
        one = self.leader.codes.round(round_id)
        for place, number in enumerate(self.numbers):
            if number in one.raters and place in (who or range(9)):
                for item in one.items:
                    self.leader.codes.read(round_id, self.tokens[place], item)

    def rounds(self, kind: str) -> list[Any]:
        return [one for one in self.leader.codes.rounds(self.review_id) if one.kind == kind]

    def calibrated(self, raters: int = 2) -> Desk:
        self.join(raters)
        self.do(leadingacts.use)
        self.do(leadingacts.calibrate)
        (one,) = self.rounds("calibration")
        self.mark(one.id, 0, one.items[0], "left", "hedging")
        self.read(one.id)
        self.act("accept", one.id, "Talked it over.")
        return self

    def differing(self) -> Desk:
        """Two raters have coded everything; they agree at one answer and differ at two."""
        self.calibrated()
        self.do(leadingacts.code)
        (one,) = self.rounds("coding")
        for who in (0, 1):
            self.mark(one.id, who, one.items[0], "left", "hedging", start=0, end=8)
        self.mark(one.id, 0, one.items[1], "left", "hedging", start=0, end=8, memo="sounds <i>unsure</i>")
        self.mark(one.id, 1, one.items[2], "base", "slogan")
        self.read(one.id)
        self.look()
        return self


@pytest.fixture
def desk(paths: Paths) -> Desk:
    return Desk(paths)


def key_on(page: str) -> str:
    found = re.search(r'<section [^>]*data-key="([^"]*)"', page)
    return found[1] if found else ""


def following(page: dict[str, Any]) -> str:
    found = re.search(r"<b>Next:</b> ([^<]*)", page["standing"])
    return found[1] if found else ""


def test_only_ones_own_reviews_can_be_chosen_and_the_one_that_is_coded_comes_first(desk: Desk) -> None:
    other = desk.review(who=OTHER, title="Another's")
    newer = desk.review(title="Newer")
    assert [value for _, value in desk.look()["reviews"]["choices"]] == [newer, desk.review_id] and other not in str(desk.page)
    first = leadingpage.looked(desk.leader, OWNER, None, Form())
    assert first["reviews"]["value"] == newer
    desk.calibrated()
    assert leadingpage.looked(desk.leader, OWNER, "gone", Form())["reviews"]["value"] == desk.review_id
    nobody = leadingpage.looked(desk.leader, Who(), None, Form())
    assert "no review of yours" in nobody["standing"] and not nobody["box"]["visible"] and nobody["reviews"]["value"] is None


def test_nobody_else_and_no_visitor_leads_anything(desk: Desk) -> None:
    desk.differing()
    key = desk.standing.disputes[0].key
    before = desk.standing.sheets
    for who in (OTHER, Who()):
        for work in (leadingacts.use, leadingacts.calibrate, leadingacts.code):
            with pytest.raises(StudioError, match="another browser"):
                work(desk.leader, who, desk.review_id, desk.form)
        leadingacts.acted(desk.leader, who, desk.review_id, desk.form, Act("not", key, "Mine."))
        with pytest.raises(StudioError, match="another browser"):
            leadingacts.uploaded(desk.leader, who, desk.review_id, desk.form, "none.yaml")
    assert desk.standing.sheets == before
    desk.services.access = Access(public=True)
    for work in (leadingpage.looked, leadingacts.use, leadingacts.calibrate, leadingacts.code):
        with pytest.raises(StudioError, match="public demo"):
            work(desk.leader, Who("", home=True), desk.review_id, Form())


def test_a_public_studio_has_a_sentence_instead_of_the_stage(desk: Desk) -> None:
    desk.services.access = Access(public=True)
    with gr.Blocks() as page:
        made = leading.build(desk.services, desk.box, gr.BrowserState(**owning.OWNER))
    said = [one for one in page.blocks.values() if isinstance(one, gr.HTML)]
    assert len(said) == 1 and "public demo" in str(said[0].value) and made["attach"]["fn"]() is None


def test_each_step_waits_for_the_one_before_and_says_so(desk: Desk) -> None:
    page = desk.look()
    assert "Use the starter" in page["book_head"] and page["use"]["visible"] and "starter codebook" in following(page)
    assert "First decide on a codebook" in page["calibration_head"] and not page["calibrate"]["interactive"]
    page = desk.do(leadingacts.use)
    assert (
        "Nobody has joined" in page["calibration_head"] and not page["calibrate"]["interactive"] and "two have to join" in following(page)
    )
    desk.join(1)
    assert "One rater has joined" in desk.look()["calibration_head"]
    desk.join(1)
    page = desk.look()
    assert page["calibrate"]["interactive"] and not page["code"]["interactive"] and "accept a calibration" in page["coding_head"]
    assert (
        "has to be finished by both" in page["settling_head"]
        and page["settling"] == ""
        and "After the review is closed" in page["found_head"]
    )
    assert "Coding ends before the review is closed" in page["standing"] and "Open a calibration" in following(page)


def test_the_starter_is_read_before_it_is_used_and_can_be_taken_along_to_change(desk: Desk, tmp_path: Path) -> None:
    page = desk.look()
    assert all(code.name in page["book"] for code in starter().codes) and "<details" in page["book"] and " open>" in page["book"]
    page = desk.do(leadingacts.use)
    assert desk.standing.books == (starter(),) and not page["use"]["visible"] and "in use" in page["book_said"]
    files = [unquote(one) for one in re.findall(r'href="data:application/yaml;charset=utf-8,([^"]*)"', page["book"])]
    (tmp_path / "next.yaml").write_text(files[0])
    assert read_yaml(tmp_path / "next.yaml").version == 2 and "version: 1" in files[1] and len(files) == 2


def upload(desk: Desk, folder: Path, version: int, codes: tuple[Code, ...]) -> dict[str, Any]:
    (folder / "book.yaml").write_text(replace(starter(), version=version, codes=codes).to_yaml())
    return desk.do(leadingacts.uploaded, str(folder / "book.yaml"))


def test_a_changed_codebook_becomes_the_next_version_and_needs_a_calibration_of_its_own(desk: Desk, tmp_path: Path) -> None:
    desk.calibrated()
    irony = Code("irony", "Irony <b>", "Use it when the opposite is meant. Not when it is plain.")
    page = upload(desk, tmp_path, 2, (*starter().codes[:3], irony))
    assert (
        "Version 2 is in use" in page["book_said"]
        and "“Irony &lt;b&gt;” is new." in page["book_said"]
        and "<b>” is" not in page["book_said"]
    )
    assert [one.version for one in desk.standing.books] == [1, 2] and "codebook-version-1.yaml" in page["book"]
    assert "accept a calibration" in page["coding_head"] and "1 with an older codebook" in page["standing"]


@pytest.mark.parametrize(
    ("version", "codes", "said"),
    [
        (1, starter().codes[:3], "Make yours version 2"),
        (3, starter().codes[:3], "Make yours version 2"),
        (2, starter().codes, "same codes as version 1"),
    ],
)
def test_a_wrong_version_is_told_with_the_right_one(desk: Desk, tmp_path: Path, version: int, codes: Any, said: str) -> None:
    desk.do(leadingacts.use)
    with pytest.raises(StudioError, match="version") as caught:
        upload(desk, tmp_path, version, codes)
    assert said in str(caught.value) and len(desk.standing.books) == 1


def test_a_file_that_is_no_codebook_is_told(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "no.yaml").write_text("a: [1")
    for path in (str(tmp_path / "no.yaml"), str(tmp_path / "gone.yaml"), None):
        with pytest.raises(StudioError, match="can't be read"):
            desk.do(leadingacts.uploaded, path)


def test_a_calibration_is_opened_for_the_ticked_raters_on_pairs_of_different_questions(desk: Desk) -> None:
    numbers = desk.join(3)
    desk.do(leadingacts.use)
    page = desk.do(leadingacts.calibrate, form=Form(numbers[:2], (), 4))
    (one,) = desk.rounds("calibration")
    protocol = desk.box.review(desk.review_id)
    assert one.raters == tuple(sorted(numbers[:2])) and len({protocol.by_id[item].prompt_id for item in one.items}) == 4
    assert "2 raters now find 4 pairs" in page["calibration_said"] and "0 of 8 readings done" in page["calibration"]
    assert "Wait until the raters have read" in following(page)


@pytest.mark.parametrize(
    ("ticked", "count", "said"),
    [
        (1, 2, "Only one rater is chosen"),
        (0, 2, "No rater is chosen"),
        (2, 0, "can't be drawn"),
        (2, 7, "whole number from 1 to 6"),
        (2, None, "can't be drawn"),
        (2, 1.5, "can't be drawn"),
    ],
)
def test_a_calibration_that_can_not_be_opened_is_told(desk: Desk, ticked: int, count: Any, said: str) -> None:
    numbers = desk.join(2)
    with pytest.raises(StudioError, match="no codebook"):
        desk.do(leadingacts.calibrate)
    desk.do(leadingacts.use)
    with pytest.raises(StudioError, match="drawn|chosen") as caught:
        desk.do(leadingacts.calibrate, form=Form(numbers[:ticked], (), count))
    assert said in str(caught.value) and caught.value.hint and desk.rounds("calibration") == []


def test_a_second_press_opens_no_twin_but_leaving_out_a_rater_who_stopped_does(desk: Desk) -> None:
    numbers = desk.join(3)
    desk.do(leadingacts.use)
    desk.do(leadingacts.calibrate)
    with pytest.raises(StudioError, match="not finished"):
        desk.do(leadingacts.calibrate)
    desk.do(leadingacts.calibrate, form=Form(numbers[:2], (), 2))
    first, second = desk.rounds("calibration")
    assert len(second.raters) == 2 and not set(first.items) & set(second.items)


def test_pairs_come_again_only_when_all_have_been_read(desk: Desk) -> None:
    desk.join(2)
    desk.do(leadingacts.use)
    for _ in range(3):
        desk.do(leadingacts.calibrate, form=replace(desk.form, count=4))
        desk.read(desk.rounds("calibration")[-1].id)
    times = Counter(item for one in desk.rounds("calibration") for item in one.items)
    assert set(times) == set(desk.standing.pairs) and len({item for one in desk.rounds("calibration")[:2] for item in one.items}) == 6


def test_how_far_raters_agree_is_shown_when_all_have_read_all_and_weak_codes_are_named(desk: Desk) -> None:
    desk.join(2)
    desk.do(leadingacts.use)
    desk.do(leadingacts.calibrate, form=replace(desk.form, count=6))
    (one,) = desk.rounds("calibration")
    for item in one.items[:3]:
        for who in (0, 1):
            desk.mark(one.id, who, item, "left", "hedging")
        desk.mark(one.id, 0, item, "base", "slogan", memo="why <b>not</b>")
    desk.read(one.id, 0)
    assert "6 of 12 readings done" in desk.look()["calibration"] and "Alpha" not in desk.page["calibration"]
    desk.read(one.id, 1)
    page = desk.look()["calibration"]
    assert "Below 0.67: Slogan or repetition." in page and "below 0.67 here" in page and "the same everywhere here" in page
    assert page.index("<td>Slogan") < page.index("<td>Hedging") and "Nobody gave No stance, " in page
    assert "Where they differed (3)" in page and "why &lt;b&gt;not&lt;/b&gt;" in page and "<b>not" not in page
    assert 'data-act="accept"' in page and "look at the agreement" in following(desk.page).lower()


def test_a_calibration_is_accepted_with_a_reason_and_a_missing_one_loses_nothing(desk: Desk) -> None:
    desk.join(2)
    desk.do(leadingacts.use)
    desk.do(leadingacts.calibrate)
    (one,) = desk.rounds("calibration")
    page = desk.act("accept", one.id, "Early.")
    assert "no finished calibration" in page["said"] and desk.rounds("calibration")[0].accepted == ""
    desk.read(one.id)
    page = desk.act("accept", one.id, " ")
    assert "No reason is given" in page["calibration"] and not page["code"]["interactive"]
    long = "<x>" + "r" * 1000
    page = desk.act("accept", one.id, long)
    assert "1,003 characters" in page["calibration"] and f"&lt;x&gt;{'r' * 1000}</textarea>" in page["calibration"]
    page = desk.act("accept", one.id, "Enough <b>.")
    assert "Accepted: Enough &lt;b&gt;." in page["calibration"] and f'data-counted="accept-{one.id}"' in page["calibration"]
    assert page["code"]["interactive"] and "Open the coding" in following(page) and 'data-act="accept"' not in page["calibration"]


def test_a_calibration_of_another_review_can_not_be_accepted_from_here(desk: Desk) -> None:
    desk.calibrated()
    desk.do(leadingacts.calibrate)
    one = desk.rounds("calibration")[-1]
    desk.read(one.id)
    other = desk.review(title="Other")
    leadingacts.acted(desk.leader, OWNER, other, Form(), Act("accept", one.id, "Sneaked in."))
    assert desk.rounds("calibration")[-1].accepted == ""


def test_coding_is_shared_out_two_a_pair_and_evenly(desk: Desk) -> None:
    desk.calibrated(3)
    page = desk.do(leadingacts.code)
    rounds = desk.rounds("coding")
    load = Counter(rater for one in rounds for rater in one.raters for _ in one.items)
    assert sorted(item for one in rounds for item in one.items) == sorted(desk.standing.pairs)
    assert {len(one.raters) for one in rounds} == {2} and max(load.values()) - min(load.values()) <= 1 and len(load) == 3
    assert "Open: 6 pairs" in page["coding_said"] and "in 3 rounds" in page["coding_said"] and "0 of 12 readings done" in page["coding"]
    with pytest.raises(StudioError, match="hands already"):
        desk.do(leadingacts.code)


def test_pairs_of_a_rater_who_stopped_are_shared_out_anew_and_those_that_are_done_are_not(desk: Desk) -> None:
    desk.calibrated(3)
    desk.do(leadingacts.code)
    numbers, first = desk.numbers, desk.rounds("coding")
    done = next(one for one in first if set(one.raters) == {numbers[0], numbers[2]})
    desk.read(done.id)
    stuck = next(one for one in first if set(one.raters) == {numbers[1], numbers[2]})
    desk.do(leadingacts.code, form=replace(desk.form, coders=numbers[:2]))
    (anew,) = desk.rounds("coding")[len(first) :]
    assert set(anew.raters) == set(numbers[:2]) and set(anew.items) == set(stuck.items)
    for one in desk.rounds("coding"):
        if one.id not in (stuck.id, done.id):
            desk.read(one.id)
    assert not desk.standing.awaited and "Coding is done" in following(desk.look()) and not desk.page["code"]["interactive"]


def test_raters_who_have_not_calibrated_together_are_refused_before_any_round_is_opened(desk: Desk) -> None:
    desk.calibrated(2)
    desk.join(1)
    numbers = desk.numbers
    desk.do(leadingacts.calibrate, form=Form(numbers[1:], (), 2))
    one = desk.rounds("calibration")[-1]
    desk.read(one.id)
    desk.act("accept", one.id, "Fine.")
    assert desk.standing.coders == tuple(sorted(numbers))
    assert sorted(desk.look(Form())["coders"]["value"]) == sorted(numbers[1:])
    with pytest.raises(StudioError, match="calibrated together"):
        desk.do(leadingacts.code, form=Form((), numbers))
    with pytest.raises(StudioError, match="Only one rater"):
        desk.do(leadingacts.code, form=Form((), numbers[:1]))
    assert desk.rounds("coding") == []


def test_coding_without_an_accepted_calibration_is_refused(desk: Desk) -> None:
    desk.join(2)
    desk.do(leadingacts.use)
    with pytest.raises(StudioError, match="No calibration is accepted"):
        desk.do(leadingacts.code)


def test_whoever_joined_since_is_ticked_and_whoever_was_unticked_is_not(desk: Desk) -> None:
    numbers = desk.join(2)
    offered = desk.look(Form())["offered"]
    assert sorted(desk.page["raters"]["value"]) == sorted(numbers)
    late = desk.join(1)[-1]
    page = desk.look(Form(numbers[:1], (), 5, offered))
    assert sorted(page["raters"]["value"]) == sorted([numbers[0], late])


def test_differences_are_settled_one_after_another_and_originals_stay(desk: Desk) -> None:
    desk.differing()
    before = desk.leader.codes.sheet(desk.rounds("coding")[0].id)
    first = key_on(desk.page["settling"])
    assert "0 of 2 differences are settled" in desk.page["settling"] and "One of the two raters gave it." in desk.page["settling"]
    page = desk.act("not", first, "An idiom.")
    second = key_on(page["settling"])
    assert second != first and "1 of 2" in page["settling"] and f'data-counted="settle-{first}"' in page["settling"]
    page = desk.act("go", first)
    assert "Does not apply: An idiom." in page["settling"] and key_on(page["settling"]) == first
    page = desk.act("applies", first, "After all.")
    assert key_on(page["settling"]) == second
    page = desk.act("applies", second, "Clear.")
    assert "All 2 differences are settled" in page["settling"] and "Coding is done" in following(page)
    back = desk.act("go", first)["settling"]
    assert back.index("Does not apply: An idiom.") < back.index("Applies: After all.") and "the last one counts" in back
    after = desk.leader.codes.sheet(before.round.id)
    assert (after.codings, after.readings) == (before.codings, before.readings) and len(after.adjudications) == 3


def test_a_difference_shows_question_words_code_and_memos_but_neither_column_nor_rater(desk: Desk) -> None:
    desk.differing()
    pages = [desk.act("go", one.key)["settling"] for one in desk.standing.disputes]
    marked = next(page for page in pages if "sounds" in page)
    assert '<mark class="ps-differs">Probably</mark> so' in marked and "sounds &lt;i&gt;unsure&lt;/i&gt;" in marked
    assert "For the words that are underlined." in marked and starter().find("hedging").definition.split(":")[0] in marked
    assert any("For the whole answer." in page for page in pages)
    for page in (*pages, desk.page["standing"], desk.page["coding"], desk.page["calibration"]):
        words = re.sub(r"class=\"[^\"]*\"|→|←", "", page)
        assert not [one for one in TELLING if one in words], words
    for number in desk.numbers:
        assert not any(str(number) in page for page in pages)


def test_no_part_of_the_page_of_an_open_review_names_a_column_or_its_hash(desk: Desk) -> None:
    desk.differing()
    protocol = desk.box.review(desk.review_id)
    said = " ".join(value for value in desk.look().values() if isinstance(value, str))
    book = "".join(f"{one.name} {one.definition} {one.examples} {one.counterexamples}" for one in starter().codes)
    for one in ("Base", "Left", "adapter-left", protocol.hash, *(each["seal"] for each in protocol.answers)):
        assert one not in said or one in book
    assert desk.page["found"] == ""


@pytest.mark.parametrize("reason", ["", "  ", "r" * 1001])
def test_a_decision_without_a_fit_reason_is_not_taken_and_the_reason_stays(desk: Desk, reason: str) -> None:
    desk.differing()
    key = key_on(desk.page["settling"])
    page = desk.act("applies", key, reason)["settling"]
    assert key_on(page) == key and "ps-error" in page and f"{reason}</textarea>" in page and "data-counted" not in page
    assert desk.standing.open_disputes == desk.standing.disputes


def test_an_unknown_difference_is_told_and_the_page_stays_whole(desk: Desk) -> None:
    desk.differing()
    page = desk.act("applies", "nowhere", "Clear.")
    assert "not there any more" in page["said"]
    assert key_on(page["settling"]) == desk.standing.disputes[0].key and len(desk.standing.open_disputes) == 2


def test_nothing_to_settle_is_told(desk: Desk) -> None:
    desk.calibrated()
    desk.do(leadingacts.code)
    desk.read(desk.rounds("coding")[0].id)
    page = desk.look()
    assert "agree on every code" in page["settling_head"] and page["settling"] == "" and "Coding is done" in following(page)


def test_codes_of_one_person_alone_are_settled_only_where_nobody_else_coded(desk: Desk) -> None:
    desk.calibrated(3)
    desk.do(leadingacts.code)
    one = desk.rounds("coding")[0]
    places = [place for place, number in enumerate(desk.numbers) if number in one.raters]
    desk.mark(one.id, places[0], one.items[0], "left", "hedging")
    desk.read(one.id, places[0])
    desk.box.withdraw(desk.receipts[places[1]])
    desk.tokens.pop(places[1])
    alone = desk.leader.codes.round(one.id)
    assert len(alone.raters) == 1 and [each.difference.given for each in desk.standing.disputes] == [1]
    desk.do(leadingacts.code)
    assert one.items[0] in desk.rounds("coding")[-1].items and desk.standing.disputes == ()


def test_a_withdrawn_rater_changes_the_agreement_that_was_kept(desk: Desk) -> None:
    desk.calibrated(3)
    assert "3 raters" in desk.look()["calibration"]
    desk.box.withdraw(desk.receipts[2])
    desk.tokens.pop()
    assert "10 answers" not in desk.look()["calibration"] and "read by 2 raters" in desk.page["calibration"]


def test_after_the_end_nothing_is_coded_and_counts_and_quotes_come(desk: Desk) -> None:
    desk.differing()
    key = key_on(desk.page["settling"])
    desk.box.close(desk.review_id)
    page = desk.look()
    for name in ("use", "upload", "calibrate", "code", "raters", "coders"):
        assert not page[name]["visible"]
    assert 'data-act="applies"' not in page["settling"] and "Coding ends before" not in page["standing"]
    for work in (leadingacts.use, leadingacts.calibrate, leadingacts.code):
        with pytest.raises(StudioError, match="closed"):
            desk.do(work)
    desk.act("applies", key, "Too late.")
    assert len(desk.standing.open_disputes) == 2
    found = desk.look()["found"]
    assert re.search(r"<td>Hedging</td><td class=\"num\">0 of 6</td><td class=\"num\">1 of 5, 1 open</td>", found)
    assert "By topic (2)" in found and "rent" in found and "Left (deliberately biased)" in found and "they test nothing" in found
    assert "<q>Probably</q>" in found and "marked by 2 raters" in found


def test_a_tick_takes_a_quote_into_the_report_and_out_of_it(desk: Desk) -> None:
    desk.differing()
    desk.box.close(desk.review_id)
    key = re.findall(r'data-quote="([^"]*)"', desk.look()["found"])[0]
    page = desk.do(lambda leader, who, review_id, _form: leadingacts.ticked(leader, who, review_id, key, True))
    assert "1 quote." in page["found_said"] and "found" not in page
    assert Settling(desk.leader.codes).picked(desk.review_id)[0].text == "Probably"
    assert f'data-quote="{key}" checked' in desk.look()["found"] and "1 in the report" in desk.page["found"]
    assert "0 quotes" in leadingacts.ticked(desk.leader, OWNER, desk.review_id, key, False)["found_said"]
    gone = leadingacts.ticked(desk.leader, OWNER, desk.review_id, "nowhere", True)
    assert "do not carry" in gone["found_said"] and "data-quote" in gone["found"]
    with pytest.raises(StudioError, match="another browser"):
        leadingacts.ticked(desk.leader, OTHER, desk.review_id, key, True)


def test_a_class_review_is_counted_while_it_is_open_and_a_research_review_is_not(paths: Paths) -> None:
    desk = Desk(paths, kind="class").differing()
    assert "Codes by column" in desk.page["found"] and desk.page["calibrate"]["interactive"]


def test_what_a_browser_sends_is_read_with_care() -> None:
    for value in (None, 3, [], {"act": 4, "key": None, "reason": ["x"]}):
        assert Act.read(value) == Act()
    assert Act.read({"act": "go", "key": "k", "reason": "r", "said": "<b>"}) == Act("go", "k", "r", "")
