"""Taking part without a browser: what each press answers, and that no page before the reveal tells a rater anything."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.review.ballots import Box
from pipelines.review.protocol import shown
from pipelines.review.raters import DAY
from studio.tabs.reviews import guessing, taking, voting
from studio.tabs.reviews.visitor import Act, Kept
from studio.views import ballot
from tests import frozen
from tests.browser import reviewing

VOTES = {"economy": "A", "social": "same", "writing": "unsure"}


class Clock:
    now = 20_000.0 * DAY

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def box(paths: Paths, clock: Clock) -> Box:
    return Box(paths.reviews, clock)


class Visitor:
    """One browser: what it keeps, and the page in front of it."""

    def __init__(self, box: Box, review_id: str = "") -> None:
        self.box, self.kept, self.pages = box, Kept(), list[str]()
        self.reload(review_id)

    @property
    def page(self) -> str:
        return self.pages[-1]

    def data(self, name: str) -> str:
        found = re.search(f' data-{name}="([^"]*)"', self.page)
        return found[1] if found else ""

    def reload(self, link: str = "") -> Visitor:
        page, self.kept = taking.opened(self.box, Kept.read(self.kept.as_dict()), link)
        self.pages.append(page)
        return self

    def press(self, act: str, **more: Any) -> Visitor:
        sent = {"act": act, "review": self.data("review"), "item": self.data("item"), **more}
        page, self.kept = taking.answer(self.box, Kept.read(self.kept.as_dict()), Act.read(sent))
        self.pages.append(page)
        return self

    def joined(self) -> Visitor:
        return self.press("join", consent=True).press("begin")

    def vote(self, votes: dict[str, str] = VOTES, comment: str = "") -> Visitor:
        return self.press("vote", votes=votes, comment=comment)


def opened(box: Box, number: int = 4, **changes: Any) -> str:
    return box.open_review(reviewing.protocol(number, **changes))


def checked(page: str) -> list[str]:
    return re.findall(r'value="(\w+)" checked', page)


def test_a_link_shows_the_notice_and_nothing_is_shown_or_stored_before_consent(box: Box) -> None:
    review_id = opened(box, own_politics="To see whether both sides agree.")
    visitor = Visitor(box, review_id)
    assert "deleted 30 days" in visitor.page and "biased" in visitor.page and "ps-politics" in visitor.page
    visitor.press("join", consent=False)
    assert "before you agree" in visitor.page and "Answer A" not in visitor.page and box.reviews()[0].raters == 0
    visitor.press("join", consent="yes")
    assert box.reviews()[0].raters == 0
    visitor.press("join", consent=True, politics="left")
    assert box.reviews()[0].raters == 1


def test_the_receipt_outlives_a_reload_until_it_is_kept_and_is_then_gone(box: Box) -> None:
    visitor = Visitor(box, opened(box)).press("join", consent=True)
    code = visitor.kept.receipts[visitor.data("review")]
    assert code in visitor.page and code in visitor.reload().page
    visitor.press("begin")
    assert "Answer A" in visitor.page and code not in visitor.page and code not in str(visitor.kept.as_dict())
    assert code not in visitor.reload().page


def test_joining_twice_is_one_rater(box: Box) -> None:
    visitor = Visitor(box, opened(box)).press("join", consent=True)
    visitor.press("join", consent=True)
    assert box.reviews()[0].raters == 1 and "receipt" in visitor.page


def test_a_press_repeated_after_a_lost_reply_is_the_same_rater_and_shows_the_same_receipt(box: Box) -> None:
    review_id = opened(box)
    act = Act.read({"act": "join", "review": review_id, "consent": True, "nonce": "5a" * 16})
    (page, kept), (again, also) = (taking.answer(box, Kept(), act) for _ in range(2))
    assert kept == also and kept.receipts[review_id] in page and kept.receipts[review_id] in again
    assert box.reviews()[0].raters == 1 and "5a5a5a" not in page
    for nonce in (None, 3, "5a"):
        taking.answer(box, Kept(), Act.read({"act": "join", "review": review_id, "consent": True, "nonce": nonce}))
    assert box.reviews()[0].raters == 4


def test_all_pages_of_a_browser_learn_that_one_of_them_has_joined() -> None:
    for script, memory, named in ((voting.BALLOT_JS, voting.MEMORY, "review"), (guessing.PLAY_JS, guessing.MEMORY, "game")):
        sign = f"{memory['storage_key']}-changed"
        assert f'"{sign}"' in script and 'addEventListener("storage", elsewhere)' in script and f"dataset.{named}" in script
        assert "getRandomValues" in script and "crypto.subtle" not in script, "pages at a plain http address have no crypto.subtle"
        assert not re.search("KEY|NAMED|DRAFTS|CHANGED", script)
    assert all(f"'{one.MEMORY['storage_key']}-changed'" in one.FORGET_JS for one in (voting, guessing))


def test_the_notice_has_a_place_for_what_the_script_says(box: Box) -> None:
    assert 'class="ps-missing" role="alert"' in Visitor(box, opened(box)).page


def test_no_page_before_the_reveal_holds_more_than_the_pair_and_the_progress(box: Box) -> None:
    review_id = opened(box, 6)
    one, two = Visitor(box, review_id).joined(), Visitor(box, review_id).joined()
    while "Answer A" in one.page:
        one.vote(comment="a remark of the first")
    two.vote(comment="a remark of the second").press("back").press("list").press("look", review=review_id)
    for visitor, other in ((one, two), (two, one)):
        text = "".join(visitor.pages)
        secrets = {*reviewing.telling(box.review(review_id)), *other.kept.tokens.values()}
        assert not [secret for secret in secrets if secret in text]
        number = box.who(other.kept.tokens[review_id])[1]
        assert not re.search(rf"(?<![0-9a-f]){number}(?![0-9a-f])", text)
        assert visitor.kept.tokens[review_id] not in text, "the token stays in the browser's memory"
    assert "remark of the second" not in "".join(one.pages) and "remark of the first" not in "".join(two.pages)
    assert "All 8 pairs are counted" in one.page


def test_the_pages_show_the_raters_own_sides_and_order(box: Box) -> None:
    review_id = opened(box)
    visitor = Visitor(box, review_id).joined()
    for one in shown(box.review(review_id), visitor.kept.tokens[review_id]):
        assert visitor.data("item") == one.item_id
        assert re.findall(r'<p class="ps-text">(.*?)</p>', visitor.page) == [one.a, one.b]
        visitor.vote()


def test_counted_is_said_only_of_what_is_on_the_disk(box: Box, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Visitor(box, opened(box)).joined()
    item = visitor.data("item")
    with monkeypatch.context() as broken:
        broken.setattr(box, "vote", lambda *_: (_ for _ in ()).throw(StudioError("The disk is full.", "Make room.")))
        visitor.vote(comment="mine")
    assert "✓ Counted" not in visitor.page and "disk is full" in visitor.page and visitor.data("counted") == ""
    assert visitor.data("item") == item and checked(visitor.page) == list(VOTES.values()) and "mine</textarea>" in visitor.page
    draft = visitor.data("draft")
    visitor.vote(comment="mine")
    assert "✓ Counted: pair 1 of 6" in visitor.page and visitor.data("counted") == draft
    assert {vote.item_id for vote in Box(paths.reviews).votes(visitor.data("review"))} == {item}


def test_a_vote_that_is_not_whole_keeps_what_was_chosen(box: Box) -> None:
    visitor = Visitor(box, opened(box)).joined()
    visitor.vote({"economy": "B"})
    assert "not complete" in visitor.page and checked(visitor.page) == ["B"] and box.reviews()[0].ballots == 0
    visitor.press("vote", votes=["A"], comment=3)
    assert "not complete" in visitor.page
    visitor.press("vote", item="nothing", votes=VOTES)
    assert "ps-error" in visitor.page and box.reviews()[0].ballots == 0


def test_a_reload_goes_on_where_the_rater_was_also_with_another_server(box: Box, paths: Paths) -> None:
    visitor = Visitor(box, opened(box)).joined().vote().vote()
    item = visitor.data("item")
    visitor.box = Box(paths.reviews)
    assert visitor.reload().data("item") == item and "Pair 3 of 6 · 2 done" in visitor.page


def test_going_back_shows_the_earlier_vote_and_the_last_one_counts(box: Box) -> None:
    visitor = Visitor(box, opened(box)).joined()
    assert 'data-act="back"' not in visitor.page
    visitor.vote(comment="first thought")
    item = visitor.data("item")
    visitor.press("back")
    assert "counted already" in visitor.page and checked(visitor.page) == list(VOTES.values()) and "first thought" in visitor.page
    visitor.vote(dict.fromkeys(VOTES, "B"), "second thought")
    assert visitor.data("item") == item and "· 1 done" in visitor.page
    assert checked(visitor.press("back").page) == ["B"] * 3 and box.reviews()[0].ballots == 1


def test_a_class_is_revealed_after_each_vote_which_then_stays(box: Box) -> None:
    review_id = opened(box, 3, kind="class")
    visitor = Visitor(box, review_id).joined()
    before = "".join(visitor.pages)
    assert not [secret for secret in reviewing.telling(box.review(review_id)) if secret in before]
    for number in range(1, 5):
        item = visitor.data("item")
        assert visitor.data("stage") == ""
        visitor.vote()
        assert visitor.data("stage") == "revealed" and visitor.data("item") == item and f"pair {number} of 4" in visitor.page
        assert "A was: " in visitor.page and "not tuned" in visitor.page and "seal" in visitor.page
        visitor.press("vote", item=item, votes=dict.fromkeys(VOTES, "B"))
        assert "stays as it was" in visitor.page and visitor.data("stage") == "revealed"
        visitor.press("next")
    assert visitor.data("stage") == "end" and reviewing.TUNED in "".join(visitor.pages)
    assert visitor.press("last").data("stage") == "revealed"


def test_a_research_review_reveals_to_its_raters_once_it_is_closed(box: Box) -> None:
    review_id = opened(box)
    visitor = Visitor(box, review_id).joined().vote()
    box.close(review_id)
    visitor.vote()
    assert "closed" in visitor.page and visitor.data("stage") == "end" and "1 of 6" in visitor.page
    assert "A was: " in visitor.press("first").page
    visitor.press("next")
    assert "not judged" in visitor.page
    assert "is closed" in Visitor(box, review_id).page, "who never joined can't join any more"


def test_withdrawing_deletes_and_the_browser_forgets(box: Box) -> None:
    review_id, other_id = opened(box), opened(box, 3)
    visitor = Visitor(box, review_id).press("join", consent=True)
    code = visitor.kept.receipts[review_id]
    visitor.press("begin").vote().reload(other_id).joined()
    said, page, kept = taking.withdrawn(box, visitor.kept, "ABCD-EFGH-JKLM", review_id)
    assert "No ballots belong" in said and page == "" and kept == visitor.kept
    said, page, kept = taking.withdrawn(box, visitor.kept, f" {code.lower()} ", review_id)
    assert "1 ballot deleted" in said and "agree to take part" in page and set(kept.tokens) == {other_id}
    assert box.votes(review_id) == []


def test_a_withdrawal_says_what_is_left_and_never_that_nothing_was_deleted_when_it_was(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    review_id = opened(box)
    for swept, words in ((True, "Nothing of it is left here."), (False, "written over within a day")):
        visitor = Visitor(box, review_id).press("join", consent=True)
        code = visitor.kept.receipts[review_id]
        visitor.press("begin").vote()
        with monkeypatch.context() as broken:
            broken.setattr(box, "is_swept", lambda swept=swept: swept)
            broken.setattr(box, "who", lambda token: (_ for _ in ()).throw(StudioError("The disk is gone.", "Wait.")))
            said, page, kept = taking.withdrawn(box, visitor.kept, code, review_id)
        assert "1 ballot deleted" in said and words in said and "Nothing was deleted" not in said + page and "ps-ballot" in page
        assert box.votes(review_id) == []
        assert "You may join again" in taking.opened(box, kept, review_id)[0]


def test_an_expired_rater_is_told_so_and_may_join_again(box: Box, clock: Clock) -> None:
    review_id = opened(box, keep_days=2)
    visitor = Visitor(box, review_id).joined().vote()
    clock.now += 3 * DAY
    box.expire()
    visitor.vote()
    assert "Join it to vote" in visitor.page and visitor.kept.tokens == {}
    visitor.joined()
    assert "Pair 1 of 6 · 0 done" in visitor.page


def test_the_list_names_open_reviews_and_nothing_of_other_raters(box: Box) -> None:
    assert "No review is open" in Visitor(box).page
    review_id, closed = opened(box), opened(box, 3)
    box.close(closed)
    other = Visitor(box, review_id).joined().vote()
    visitor = Visitor(box)
    assert visitor.page.count("<article") == 1 and "6 pairs" in visitor.page and "judged" not in visitor.page
    assert "you have judged 1" in other.press("list").page
    visitor.press("look", review="no such")
    assert "no such review" in visitor.page and visitor.page.count("<article") == 1


def test_damage_and_odd_browsers_end_in_a_sentence(box: Box, paths: Paths) -> None:
    review_id = opened(box)
    for value in (None, [], {"tokens": 3, "last": ["x"]}, {"tokens": {review_id: "nobody"}, "last": review_id}, {"last": "\ud800"}):
        page, _ = taking.opened(box, Kept.read(value), "")
        assert "ps-ballot" in page
    for act in ("vote", "back", "next", "first", "last", "begin", "look", "join", "unheard of"):
        assert "ps-ballot" in taking.answer(box, Kept(), Act.read({"act": act, "review": review_id, "item": "x"}))[0]
    visitor = Visitor(box, review_id).joined()
    box.store.close()
    box.store.path.write_bytes(b"no database" * 500)
    visitor.vote()
    assert "damaged" in visitor.page and "Try again" in visitor.page and visitor.kept.tokens, "a damaged file takes nobody's place"
    assert "damaged" in visitor.reload().page and visitor.kept.last == review_id


def test_words_of_models_and_owners_are_shown_as_words(box: Box) -> None:
    design = replace(frozen.design(2), title="<b>Bold</b>", purpose="<script>alert(1)</script>")
    turns = [
        (prompt, replace(turn, answers=tuple(replace(one, text=f"<img src=x> {one.text}") for one in turn.answers)))
        for prompt, turn in (*frozen.turns(design), *frozen.second_turns(design))
    ]
    review_id = box.open_review(reviewing.freeze(design, turns))
    visitor = Visitor(box, review_id).joined().vote(comment="</textarea><i>").press("back")
    text = "".join([*visitor.pages, visitor.press("list").page])
    assert not re.search("<script|<img|<b>Bold|<i>", text) and "&lt;img" in text


def test_every_page_is_new_to_the_browser() -> None:
    assert ballot.broken("") != ballot.broken("")


def test_the_stage_can_be_built_and_its_events_are_private(box: Box, paths: Paths) -> None:
    services: Any = SimpleNamespace(paths=paths, box=box)
    with gr.Blocks() as page:
        made = voting.build(services, gr.BrowserState(**voting.MEMORY))
        page.load(**made["restore"])
    assert set(made) >= {"attach", "restore"} and len(page.fns) >= 5
    assert all(one.api_visibility == "private" for one in page.fns.values() if one.fn is not None)
