"""A coder in a round, found anew at each press from what the browser keeps and sends. Anything may come from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.errors import StudioError
from pipelines.review.codebook import Codebook
from pipelines.review.coding import Codes
from pipelines.review.protocol import Shown, shown
from pipelines.review.rounds import WHOLE, Mark, Round
from studio.tabs.reviews.visitor import Kept, word_of
from studio.views.coding import Listed


@dataclass(frozen=True)
class Press:
    """One press: what is wanted, in which round and pair, and what was marked. `version` is that of the codebook on the page."""

    name: str = "list"
    round: str = ""
    item: str = ""
    letter: str = ""
    code: str = ""
    start: int = WHOLE
    end: int = WHOLE
    words: str = ""
    memo: str = ""
    version: str = ""
    turn: str = ""

    @classmethod
    def read(cls, value: Any) -> Press:
        """Whatever a browser sends; what is no such thing is nothing."""
        found = value if isinstance(value, dict) else {}
        word = {name: word_of(found.get(name)) for name in ("round", "item", "letter", "code", "words", "memo", "version", "turn")}
        start, end = (found[name] if type(found.get(name)) is int else WHOLE for name in ("start", "end"))
        return cls(
            word_of(found.get("act")) or "list", word["round"], word["item"], word["letter"], word["code"],
            start, end, word["words"], word["memo"], word["version"], word["turn"],
        )  # fmt: skip

    @property
    def span(self) -> tuple[int, int]:
        return self.start, self.end


@dataclass(frozen=True)
class Seat:
    """A coder in a round: their order of pairs, which of them are left, and what they gave to one."""

    codes: Codes
    token: str
    round: Round
    listed: Listed
    order: list[Shown]
    following: Shown | None
    read: frozenset[str]

    @property
    def book(self) -> Codebook:
        return self.round.codebook

    def at(self, item_id: str) -> int:
        """The place of a pair. Raises StudioError where the round has no such pair."""
        place = next((place for place, one in enumerate(self.order) if one.item_id == item_id), None)
        if place is None:
            raise StudioError("This pair is not in the round.", "Reload the page.")
        return place

    def marks(self, item_id: str) -> tuple[Mark, ...]:
        """By answer and place in the text, as the codes were given."""
        return self.codes.marks(self.round.id, self.token, item_id)

    def given(self, press: Press) -> Mark | None:
        """The code of a press, where it is given already."""
        wanted = (press.letter, press.code, *press.span)
        return next((one for one in self.marks(press.item) if (one.answer, one.code_id, one.start, one.end) == wanted), None)


def found(codes: Codes, kept: Kept, press: Press) -> Seat:
    """Raises StudioError where this browser's rater does not code in the round."""
    one = codes.round(press.round)
    return seat_of(codes, kept.tokens.get(one.review_id, ""), one)


def checked(codes: Codes, kept: Kept, press: Press) -> Seat:
    """For a press that writes. Raises StudioError where its page was drawn with another version of the codebook."""
    seat = found(codes, kept, press)
    if press.version != str(seat.listed.version):
        raise StudioError(
            f"This page was drawn with another version of the codebook than {seat.listed.version}, with which this round is coded.",
            "Nothing was kept; read the codes once more and press again.",
        )
    return seat


def seat_of(codes: Codes, token: str, one: Round) -> Seat:
    reading, protocol, sheet = codes.reading(one.id, token), codes.box.review(one.review_id), codes.sheet(one.id)
    state = "open" if reading.next is not None else "waiting"
    if sheet.is_finished:
        state = "finished"
    elif codes.box.is_closed(one.review_id):
        state = "closed"
    listed = Listed(one.id, protocol.design.title, one.kind, one.codebook.version, reading.done, reading.total, state)
    order = [pair for pair in shown(protocol, token) if pair.item_id in one.items]
    number = codes.box.who(token)[1]
    read = frozenset(item_id for rater, item_id in sheet.readings if rater == number)
    return Seat(codes, token, one, listed, order, reading.next, read)
