"""Where the coding of a review is: its codebooks, rounds and raters, what is left to code, and what raters differ about."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from pipelines.errors import StudioError
from pipelines.review import coded
from pipelines.review.ballots import Listed
from pipelines.review.codebook import Codebook
from pipelines.review.coded import Difference
from pipelines.review.design import shuffled
from pipelines.review.protocol import Protocol
from pipelines.review.rounds import Adjudication, Kind, Sheet, codable

CLOSED = "The review is closed and its columns can be seen, so nothing is coded or settled any more."


@dataclass(frozen=True)
class Dispute:
    """A difference under a name of its own, so that a page need not say which of the two answers it is about."""

    key: str
    round_id: str
    difference: Difference
    earlier: tuple[Adjudication, ...]


@dataclass(frozen=True)
class Standing:
    """Where the coding of a review is. `sheets` are all its rounds, oldest first; what counts is what was coded with the newest book."""

    listed: Listed
    protocol: Protocol
    joined: tuple[int, ...]
    books: tuple[Codebook, ...]
    sheets: tuple[Sheet, ...]

    @property
    def book(self) -> Codebook | None:
        """The newest version; None before the first one."""
        return self.books[-1] if self.books else None

    @cached_property
    def pairs(self) -> tuple[str, ...]:
        """The pairs that are coded."""
        return codable(self.protocol)

    @cached_property
    def calibrations(self) -> tuple[Sheet, ...]:
        """The calibrations with the newest book, oldest first."""
        return self._of("calibration")

    @cached_property
    def coding(self) -> tuple[Sheet, ...]:
        """The rounds of coding with the newest book, oldest first."""
        return self._of("coding")

    def _of(self, kind: Kind) -> tuple[Sheet, ...]:
        return tuple(one for one in self.sheets if one.round.kind == kind and one.round.codebook == self.book)

    @property
    def calibration(self) -> Sheet | None:
        """The newest calibration that is finished; None where there is none yet."""
        return next((one for one in reversed(self.calibrations) if is_complete(one)), None)

    @property
    def running(self) -> tuple[Sheet, ...]:
        """Calibrations that two raters or more are still reading."""
        return tuple(one for one in self.calibrations if not one.is_finished and len(one.round.raters) > 1)

    @cached_property
    def circles(self) -> tuple[tuple[int, ...], ...]:
        """Who may code with whom: the raters of each accepted calibration, the newest first."""
        found = (one.round.raters for one in reversed(self.calibrations) if one.round.accepted)
        return tuple(raters for raters in found if len(raters) > 1)

    @property
    def coders(self) -> tuple[int, ...]:
        return tuple(sorted({rater for circle in self.circles for rater in circle}))

    def left(self, people: Collection[int]) -> tuple[str, ...]:
        """Pairs that no two raters have coded, and that are in the hands of no two of these people."""
        held: set[str] = set()
        for one in self.coding:
            if is_complete(one) or (len(one.round.raters) > 1 and set(one.round.raters) <= set(people)):
                held |= set(one.round.items)
        return tuple(item for item in self.pairs if item not in held)

    @property
    def awaited(self) -> tuple[Sheet, ...]:
        """Rounds of coding that two raters are in and that hold a pair which nobody else has coded."""
        done = {item for one in self.coding if is_complete(one) for item in one.round.items}
        return tuple(one for one in self.coding if not one.is_finished and len(one.round.raters) > 1 and not set(one.round.items) <= done)

    @cached_property
    def disputes(self) -> tuple[Dispute, ...]:
        """What raters differ about in finished rounds of coding, in an order that does not tell first from second answers."""
        held = {item for one in self.coding if len(one.round.raters) > 1 for item in one.round.items}
        found = []
        for sheet in self.coding:
            own = [_dispute(sheet, one) for one in coded.differences(sheet, self.protocol)]
            alone = (
                len(sheet.round.raters) < 2
            )  # the other one withdrew: only pairs that nobody else codes are settled from one person's codes
            own = [one for one in own if not (alone and one.difference.item_id in held)]
            found += sorted(own, key=lambda one: (sheet.round.items.index(one.difference.item_id), one.difference.code_id, one.key))
        return tuple(found)

    @property
    def open_disputes(self) -> tuple[Dispute, ...]:
        return tuple(one for one in self.disputes if one.difference.adjudication is None)


def is_complete(sheet: Sheet) -> bool:
    """Whether two raters or more have read everything in it."""
    return sheet.is_finished and len(sheet.round.raters) > 1


def _dispute(sheet: Sheet, one: Difference) -> Dispute:
    place = (one.item_id, one.answer, one.code_id)
    earlier = tuple(each for each in sheet.adjudications if (each.item_id, each.answer, each.code_id) == place)
    return Dispute(key_of(sheet.round.id, *place), sheet.round.id, one, earlier)


def key_of(*parts: object) -> str:
    """A short name for whatever a page may choose."""
    return hashlib.sha256(" ".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()[:16]


def drawn(now: Standing, count: float | None) -> tuple[str, ...]:
    """Pairs for the next calibration: first those that no calibration had, of as many questions as there are, which an interval needs.

    Raises StudioError for a number that can't be drawn.
    """
    wanted = int(count) if count is not None and float(count).is_integer() else 0
    if not 1 <= wanted <= len(now.pairs):
        raise StudioError("This number of pairs can't be drawn.", f"Choose a whole number from 1 to {len(now.pairs)}.")
    earlier = [one.round for one in now.sheets if one.round.kind == "calibration"]
    read = {item for one in earlier for item in one.items}
    order = [now.pairs[place] for place in shuffled(len(now.pairs), "calibration", now.protocol.design.seed, len(earlier))]
    seen: Counter[tuple[bool, str]] = Counter()
    turns = []
    for place, item in enumerate(order):
        own = (item in read, now.protocol.by_id[item].prompt_id)
        turns.append((own[0], seen[own], place, item))
        seen[own] += 1
    return tuple(item for *_, item in sorted(turns)[:wanted])
