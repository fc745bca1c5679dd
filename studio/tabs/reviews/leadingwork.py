"""What a review's owner does about its coding: opens rounds, looks at agreement, settles differences, picks quotes for the report."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from pipelines.errors import StudioError
from pipelines.review.agreement import Estimate, by_code
from pipelines.review.ballots import Box, Listed
from pipelines.review.codebook import Codebook
from pipelines.review.coded import Quote
from pipelines.review.coding import Codes
from pipelines.review.protocol import Protocol
from pipelines.review.rounds import PLACES, Adjudication, Round, Sheet, shared_out, unit
from pipelines.review.settling import Settling
from studio.services import Services
from studio.tabs.reviews import owning
from studio.tabs.reviews.leadingstate import CLOSED, Dispute, Standing, drawn, is_complete, key_of
from studio.tabs.reviews.owning import Who

MOST_KEPT = 16


@dataclass(frozen=True)
class Agreement:
    """How far coders agree on each code, over the answers they have read, and how many of those carry it."""

    alphas: dict[str, Estimate]
    given: dict[str, int]
    answers: int
    raters: int


@dataclass
class Leader:
    """What the owner of a review does about its coding. Every method raises StudioError where the review is another one's."""

    services: Services
    box: Box
    codes: Codes = field(init=False)
    settling: Settling = field(init=False)
    _agreed: dict[Hashable, Agreement] = field(default_factory=dict)
    _opening: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.codes = self.services.codes
        self.settling = Settling(self.codes)

    def own(self, who: Who) -> list[Listed]:
        """One's own reviews, newest first."""
        owning.refuse_visitors(self.services)
        return [one for one in self.box.reviews() if owning.owns(self.services, who, one.id)]

    def standing(self, who: Who, review_id: str | None) -> Standing:
        if not review_id:
            raise StudioError("No review is chosen.", "Choose one at the top.")
        owning.refuse_others(self.services, who, review_id)
        listed = next((one for one in self.box.reviews() if one.id == review_id), None)
        if listed is None:
            raise StudioError("There is no such review.", "Choose one at the top.")
        sheets = tuple(self.codes.sheet(one.id) for one in self.codes.rounds(review_id))
        protocol, joined = self.box.review(review_id), self.codes.joined(review_id)
        return Standing(listed, protocol, joined, self.codes.codebooks(review_id), sheets)

    def publish(self, who: Who, review_id: str | None, book: Codebook) -> Codebook:
        """Keeps a version of the codebook for good. Raises StudioError where its number is not the next one, or it changes nothing."""
        now = self.standing(who, review_id)
        _refuse_closed(now)
        if now.book and book.codes == now.book.codes:
            raise StudioError(f"It has the same codes as version {now.book.version}.", "Change it first, or go on with that version.")
        return self.codes.publish(now.listed.id, book)

    def calibrate(self, who: Who, review_id: str | None, people: Collection[int], count: float | None) -> Round:
        """A calibration of these raters on `count` pairs, drawn by the review's seed; pairs that were not read yet come first."""
        with self._opening:
            now = self.standing(who, review_id)
            _refuse_closed(now)
            if now.book is None:
                raise StudioError("There is no codebook yet.", "Publish one above: the starter, or your own.")
            people = _chosen(people, now.joined)
            twin = next((one for one in now.running if set(one.round.raters) <= set(people)), None)
            if twin:
                raise StudioError(
                    "These raters have a calibration that is not finished.",
                    "Wait until they have read it, or leave out a rater who has stopped.",
                )
            items = drawn(now, count)
            return self.codes.open_round(now.listed.id, "calibration", items, people, now.book.version)

    def open_coding(self, who: Who, review_id: str | None, people: Collection[int]) -> list[Round]:
        """Shares the pairs that are left out among these raters, two a pair, in one round for each two of them."""
        with self._opening:
            now = self.standing(who, review_id)
            _refuse_closed(now)
            if now.book is None or not now.circles:
                raise StudioError("No calibration is accepted yet.", "Accept one above first: it says that raters use the codes alike.")
            people = _chosen(people, now.coders)
            if not any(set(people) <= set(circle) for circle in now.circles):
                raise StudioError(
                    "Not all of these raters have calibrated together.", "Choose raters of one calibration, or calibrate again."
                )
            items = now.left(people)
            if not items:
                raise StudioError(
                    "All pairs are in these raters' hands already.", "Leave out a rater who has stopped to share theirs out anew."
                )
            shares = shared_out(items, people, now.protocol.design.seed)
            return [self.codes.open_round(now.listed.id, "coding", own, two, now.book.version) for two, own in shares.items()]

    def agreement(self, sheets: Sequence[Sheet], protocol: Protocol) -> Agreement | None:
        """Per code over the complete ones of these rounds together, which share a codebook; None where none is complete.

        Takes up to a second, so it is kept: a finished round changes only when a rater withdraws.
        """
        done = [one for one in sheets if is_complete(one)]
        if not done:
            return None
        key = tuple((one.round.id, one.round.raters) for one in done)
        if key not in self._agreed:
            kept = list(self._agreed.items())[1 - MOST_KEPT :]
            self._agreed = {**dict(kept), key: _agreement(done, protocol)}
        return self._agreed[key]

    def accept(self, who: Who, review_id: str | None, round_id: str, reason: str) -> None:
        """Goes on from a finished calibration of this review."""
        now = self.standing(who, review_id)
        _refuse_closed(now)
        if not any(one.round.id == round_id for one in now.calibrations):
            raise StudioError("This calibration is not of this review and codebook.", "Press “Look again”.")
        self.codes.accept(round_id, reason)

    def dispute(self, who: Who, review_id: str | None, key: str) -> Dispute:
        found = next((one for one in self.standing(who, review_id).disputes if one.key == key), None)
        if found is None:
            raise StudioError(
                "This difference is not there any more.", "A rater has withdrawn, or another codebook is in use. Press “Look again”."
            )
        return found

    def settle(self, who: Who, review_id: str | None, key: str, applies: bool, reason: str) -> None:
        """Keeps a decision on a difference beside what its raters gave."""
        one = self.dispute(who, review_id, key)
        place = one.difference
        if not reason.strip():
            raise StudioError("No reason is given.", "Say in a few words why the code applies, or why not; it is kept with the decision.")
        self.settling.adjudicate(one.round_id, Adjudication(place.item_id, place.answer, place.code_id, applies, reason))

    def tick(self, who: Who, review_id: str | None, key: str, wanted: bool) -> None:
        """Takes a quote into the report, or out of it."""
        now = self.standing(who, review_id)
        found = next((one for one in self.settling.quotes(now.listed.id) if quote_key(one) == key), None)
        if found is None:
            raise StudioError("These words do not carry that code any more.", "Press “Look again”.")
        change: Callable[[str, Quote], None] = self.settling.pick if wanted else self.settling.drop
        change(now.listed.id, found)


def _agreement(sheets: Iterable[Sheet], protocol: Protocol) -> Agreement:
    units: dict[str, dict] = {}
    groups: dict[str, str] = {}
    book = None
    for one in sheets:
        book, groups = one.round.codebook, groups | one.groups(protocol)
        for item in one.round.items:
            for place in PLACES:
                units.setdefault(unit(item, place), {}).update(one.units[unit(item, place)])
    codes = [code.id for code in book.codes] if book else []
    given = {code: sum(any(code in own for own in raters.values()) for raters in units.values()) for code in codes}
    people = {rater for raters in units.values() for rater in raters}
    return Agreement(by_code(units, codes, groups), given, len(units), len(people))


def _chosen(people: Iterable[int], among: Sequence[int]) -> tuple[int, ...]:
    found = tuple(one for one in among if one in set(people))
    if len(found) < 2:
        who = "Only one rater is" if found else "No rater is"
        raise StudioError(f"{who} chosen; codes need two who read the same.", "Tick two or more, or wait until another one has joined.")
    return found


def _refuse_closed(now: Standing) -> None:
    if now.listed.is_closed:
        raise StudioError(CLOSED, "Look at the codes in Results.")


def quote_key(one: Quote) -> str:
    return key_of(one.item_id, one.answer, one.code_id, one.start, one.end)
