"""What a rater's page answers: each press is one act, and gives the next page and what the rater's browser keeps.

The server keeps nothing of a visitor: review, pair, votes and token come with every press, so a reload or a restart loses nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from pipelines.errors import StudioError
from pipelines.review.ballots import Box
from pipelines.review.protocol import Protocol, Shown, shown
from pipelines.review.raters import NotJoined
from studio.tabs.reviews.visitor import SWEPT, Act, Kept, less
from studio.telling import told
from studio.views import ballot, messages
from studio.views.ballot import Ballot, Open, Place

KEPT_SAFE = "Nothing was counted; your choices are still in this page. Try again."


@dataclass(frozen=True)
class _Seat:
    """A rater in a review: their order of pairs and how far they are."""

    review_id: str
    token: str
    protocol: Protocol
    order: list[Shown]
    done: int
    following: Shown | None
    is_open: bool

    @property
    def revealing(self) -> bool:
        return self.protocol.design.kind == "class"

    def at(self, item_id: str) -> int:
        """The place of a pair. Raises StudioError where the review has no such pair."""
        found = next((place for place, one in enumerate(self.order) if one.item_id == item_id), None)
        if found is None:
            raise StudioError("This pair does not belong to the review.", "Reload the page.")
        return found

    def place(self, number: int) -> Place:
        draft = hashlib.sha256(f"{self.token} {self.order[number].item_id}".encode("utf-8", "replace")).hexdigest()[:16]
        return Place(self.review_id, number + 1, len(self.order), self.done, draft, self.is_open)


Answered = tuple[str, Kept]


def answer(box: Box, kept: Kept, act: Act) -> Answered:
    """The next page and what the browser keeps then. Never raises: what goes wrong is said on the page."""
    try:
        return ACTS.get(act.name, _look)(box, kept, act)
    except Exception as error:
        return _said(box, kept, act, told(error, KEPT_SAFE))


def opened(box: Box, kept: Kept, link: str) -> Answered:
    """The page when it is loaded: the review of its link, else the last one, else the list."""
    review_id = link or kept.last
    return answer(box, kept, Act("look" if review_id else "list", review_id))


def withdrawn(box: Box, kept: Kept, receipt: str, review_id: str) -> tuple[str, str, Kept]:
    """What is said of a withdrawal, the page after it, and what the browser keeps. Tokens that nobody holds any more are forgotten."""
    try:
        gone = box.withdraw(receipt)
    except Exception as error:
        return told(error, "Nothing was deleted; try again."), "", kept
    said = f"{gone} ballot{'s' * (gone != 1)} deleted, with everything else of yours in that review. {SWEPT[box.is_swept()]}"
    with suppress(Exception):  # the ballots are gone, whatever can't be read after that
        kept = kept.without(*(one for one, token in kept.tokens.items() if not _is_known(box, token)))
    return messages.good(said), opened(box, kept, review_id)[0], kept


def _said(box: Box, kept: Kept, act: Act, said: str) -> Answered:
    """The page that was there, as it was filled in, with a sentence on it."""
    try:
        if act.name == "vote" and act.review in kept.tokens and _is_known(box, kept.tokens[act.review]):
            seat = _seat(box, kept, act.review)
            chosen = Ballot(act.votes, act.comment)
            return (_at(box, seat, seat.at(act.item), said, chosen=chosen) if seat.is_open else _end(seat, said)), kept
        if act.name in ("join", "vote") and not box.is_closed(act.review):
            return ballot.notice(act.review, box.review(act.review).design, said), kept.without(act.review)
        return ballot.choosing(_open(box, kept), said), replace(kept, last="")
    except Exception:
        return ballot.broken(said, act.review), kept


def _list(box: Box, kept: Kept, act: Act, said: str = "") -> Answered:
    return ballot.choosing(_open(box, kept), said), replace(kept, last="")


def _look(box: Box, kept: Kept, act: Act) -> Answered:
    """Where the rater is in a review: the notice, the receipt, the next pair, or the end."""
    protocol, kept = box.review(act.review), replace(kept, last=act.review)
    if act.review in kept.tokens and not _is_known(box, kept.tokens[act.review]):
        words = "Your ballots of this review were withdrawn or have expired. You may join again."
        return ballot.notice(act.review, protocol.design, messages.info(words)), kept.without(act.review)
    if act.review not in kept.tokens:
        if box.is_closed(act.review):
            return ballot.choosing(_open(box, kept), messages.info(f"“{protocol.design.title}” is closed.")), replace(kept, last="")
        return ballot.notice(act.review, protocol.design), kept
    if act.review in kept.receipts:
        return ballot.receipt(act.review, kept.receipts[act.review]), kept
    seat = _seat(box, kept, act.review)
    if seat.following is None or not seat.is_open:
        return _end(seat), kept
    return _at(box, seat, seat.at(seat.following.item_id)), kept


def _join(box: Box, kept: Kept, act: Act) -> Answered:
    if act.review in kept.tokens and _is_known(box, kept.tokens[act.review]):
        return _look(box, kept, act)  # pressed twice: one person is one rater
    rater = box.join(act.review, act.consent, act.politics, act.nonce)
    joined = Kept({**kept.tokens, act.review: rater.token}, {**kept.receipts, act.review: rater.receipt}, act.review)
    return _look(box, joined, act)


def _begin(box: Box, kept: Kept, act: Act) -> Answered:
    return _look(box, replace(kept, receipts=less(kept.receipts, {act.review})), act)


def _vote(box: Box, kept: Kept, act: Act) -> Answered:
    """Writes the ballot, and only then says so."""
    before = _seat(box, kept, act.review)
    number = before.at(act.item)
    box.vote(act.review, before.token, act.item, act.votes, act.comment)
    seat = _seat(box, kept, act.review)
    said, draft = messages.good(f"✓ Counted: pair {number + 1} of {len(seat.order)}."), seat.place(number).draft
    page = _at(box, seat, number, said, draft) if seat.revealing else _after(box, seat, number, said, draft)
    return page, kept


def _back(box: Box, kept: Kept, act: Act) -> Answered:
    seat = _seat(box, kept, act.review)
    return _at(box, seat, max(0, seat.at(act.item) - 1)), kept


def _next(box: Box, kept: Kept, act: Act) -> Answered:
    seat = _seat(box, kept, act.review)
    return _after(box, seat, seat.at(act.item)), kept


def _first(box: Box, kept: Kept, act: Act) -> Answered:
    return _at(box, _seat(box, kept, act.review), 0), kept


def _last(box: Box, kept: Kept, act: Act) -> Answered:
    return _at(box, seat := _seat(box, kept, act.review), len(seat.order) - 1), kept


ACTS: dict[str, Callable[[Box, Kept, Act], Answered]] = {
    "list": _list, "look": _look, "join": _join, "begin": _begin, "vote": _vote, "back": _back, "next": _next, "first": _first, "last": _last,
}  # fmt: skip


def _seat(box: Box, kept: Kept, review_id: str) -> _Seat:
    token = kept.tokens.get(review_id, "")
    done, _, following = box.progress(token)
    protocol = box.review(review_id)
    return _Seat(review_id, token, protocol, shown(protocol, token), done, following, not box.is_closed(review_id))


def _after(box: Box, seat: _Seat, number: int, said: str = "", counted: str = "") -> str:
    """The pair that follows; after the last one the first that was left out, or the end."""
    if number + 1 < len(seat.order):
        return _at(box, seat, number + 1, said, counted)
    if seat.following is not None and seat.is_open:
        return _at(box, seat, seat.at(seat.following.item_id), said, counted)
    return _end(seat, said, counted)


def _at(box: Box, seat: _Seat, number: int, said: str = "", counted: str = "", chosen: Ballot | None = None) -> str:
    """A pair as it may be seen now: to judge, filled in as `chosen` or else as it was voted, or revealed."""
    one, design = seat.order[number], seat.protocol.design
    votes, comment = box.earlier(seat.review_id, seat.token, one.item_id)
    earlier = Ballot(votes, comment, bool(votes))
    if seat.is_open and not (seat.revealing and votes):
        filled = replace(chosen, kept=earlier.kept) if chosen else earlier
        return ballot.pair(seat.place(number), one.public, design.asked, filled, said, counted)
    answers = box.reveal(seat.review_id, seat.token, one.item_id)
    return ballot.revealed(seat.place(number), one.public, answers, design.asked, earlier, said, counted)


def _end(seat: _Seat, said: str = "", counted: str = "") -> str:
    return ballot.finished(seat.place(len(seat.order) - 1), not seat.revealing, said, counted)


def _open(box: Box, kept: Kept) -> list[Open]:
    """The open reviews, and closed ones that this browser took part in; nothing of other raters."""
    found = []
    for one in box.reviews():
        token = kept.tokens.get(one.id, "")
        joined = bool(token) and _is_known(box, token)
        if joined or not one.is_closed:
            found.append(Open(one.id, one.title, one.kind, box.review(one.id).design.total, box.progress(token)[0] if joined else None))
    return found


def _is_known(box: Box, token: str) -> bool:
    """Whether somebody holds this token still. Raises StudioError where the database can't be read."""
    try:
        box.who(token)
    except NotJoined:
        return False
    return True
