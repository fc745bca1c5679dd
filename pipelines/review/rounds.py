"""Rounds of coding: who reads which pairs with which codebook, what comes of it, and how pairs are shared out among raters."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

from pipelines.errors import StudioError
from pipelines.review.codebook import Codebook
from pipelines.review.protocol import Protocol, Shown

Kind = Literal["calibration", "coding"]
Place = Literal["first", "second"]
PLACES: tuple[Place, Place] = ("first", "second")
WHOLE = -1


@dataclass(frozen=True)
class Coding:
    """One code that one rater gave to one answer of an item; `start` and `end` are WHOLE, or characters of its text."""

    rater_number: int
    item_id: str
    answer: Place
    code_id: str
    start: int = WHOLE
    end: int = WHOLE
    memo: str = ""


@dataclass(frozen=True)
class Adjudication:
    """Whether a code applies to an answer after all, and why. The newest one counts; older ones and the raters' codes stay."""

    item_id: str
    answer: Place
    code_id: str
    applies: bool
    reason: str
    start: int = WHOLE
    end: int = WHOLE


@dataclass(frozen=True)
class Round:
    """Who reads what with which codebook. `accepted` is the reason why a calibration was good enough; "" where it is not yet."""

    id: str
    review_id: str
    kind: Kind
    items: tuple[str, ...]
    raters: tuple[int, ...]
    codebook: Codebook
    accepted: str = ""


@dataclass(frozen=True)
class Mark:
    """A code as its own rater sees it: `answer` is A or B. This may reach that rater's browser."""

    answer: str
    code_id: str
    start: int
    end: int
    memo: str


@dataclass(frozen=True)
class Reading:
    """A rater's progress in a round: items read, items in all, and the next one (None at the end)."""

    done: int
    total: int
    next: Shown | None


@dataclass(frozen=True)
class Sheet:
    """A round with all that came of it. `readings` are (rater, item): who has read what, with or without giving it a code."""

    round: Round
    codings: tuple[Coding, ...]
    readings: frozenset[tuple[int, str]]
    adjudications: tuple[Adjudication, ...]

    @property
    def is_finished(self) -> bool:
        """Whether every rater who is still in it has read everything."""
        raters = self.round.raters
        return bool(raters) and all((rater, item) in self.readings for rater in raters for item in self.round.items)

    @cached_property
    def units(self) -> dict[str, dict[int, frozenset[str]]]:
        """Answer -> rater -> the codes given to it, as whole or in part: what agreement.by_code takes.

        A rater who read an answer and gave it no code has an empty set; one who has not read it is absent.
        """
        found: dict[str, dict[int, set[str]]] = {
            unit(item, place): {rater: set() for rater in self.round.raters if (rater, item) in self.readings}
            for item in self.round.items
            for place in PLACES
        }
        for one in self.codings:
            given = found[unit(one.item_id, one.answer)]
            if one.rater_number in given:
                given[one.rater_number].add(one.code_id)
        return {name: {rater: frozenset(codes) for rater, codes in raters.items()} for name, raters in found.items()}

    def groups(self, protocol: Protocol) -> dict[str, str]:
        """Answer -> prompt: answers to one prompt hang together, so resampling takes them together."""
        return {unit(item, place): protocol.by_id[item].prompt_id for item in self.round.items for place in PLACES}


def unit(item_id: str, answer: Place) -> str:
    """The name under which an answer goes into agreement."""
    return f"{item_id}/{answer}"


def codable(protocol: Protocol) -> tuple[str, ...]:
    """The fewest pairs, in the protocol's order, in which every column's answer to every prompt stands at least once."""
    seen: set[tuple[str, str]] = set()
    chosen = set()
    for wanted in (2, 1):  # first pairs of two answers that are new
        for item in protocol.items:
            new = {(item.prompt_id, item.first), (item.prompt_id, item.second)} - seen
            if item.kind == "pair" and item.id not in chosen and len(new) >= wanted:
                chosen.add(item.id)
                seen |= new
    return tuple(item.id for item in protocol.items if item.id in chosen)


def shared_out(items: Sequence[str], raters: Sequence[int], seed: int) -> dict[tuple[int, int], tuple[str, ...]]:
    """The items of each pair of raters: every item in two raters' hands, loads as equal as possible, pairs of raters mixed.

    Raises StudioError for fewer than two raters.
    """
    if len(set(raters)) < 2:
        raise StudioError("Coding needs at least two raters.", "Wait until another one has joined the review.")
    drawn = random.Random(f"coders {seed}")
    load = dict.fromkeys(raters, 0)
    found: dict[tuple[int, int], list[str]] = {pair: [] for pair in combinations(sorted(load), 2)}
    for item in items:
        pair = min(found, key=lambda two: (sum(load[one] for one in two), len(found[two]), drawn.random()))
        found[pair].append(item)
        for one in pair:
            load[one] += 1
    return {pair: tuple(own) for pair, own in found.items() if own}


def span(text: str, start: int, end: int, words: str = "") -> tuple[int, int]:
    """A selection as characters of the text; WHOLE, WHOLE is the whole answer.

    Browsers count UTF-16 units: where `words` (what was seen to be selected) does not stand at start, the places are read that way.
    Raises StudioError where the selection lies outside of the text, is empty or blank, or holds other words.
    """
    if any(isinstance(one, bool) or not isinstance(one, int) for one in (start, end)):
        raise _no_place()
    if (start, end) == (WHOLE, WHOLE) and not words:
        return start, end
    if 0 <= start < end and words and text[start:end] != words:
        start, end = (len(text.encode("utf-16-le", "surrogatepass")[: 2 * place].decode("utf-16-le", "ignore")) for place in (start, end))
    if not 0 <= start < end <= len(text) or not text[start:end].strip() or (words and text[start:end] != words):
        raise _no_place()
    return start, end


def _no_place() -> StudioError:
    return StudioError("Those words do not stand in the answer.", "Mark them again, or code the whole answer.")
