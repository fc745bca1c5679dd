"""What a report on a review rests on: the frozen protocol and totals. No rater number, token or comment gets this far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.comparing.naming import mark, title
from pipelines.errors import StudioError
from pipelines.records import Answer
from pipelines.review.agreement import Estimate, by_code
from pipelines.review.ballots import Vote
from pipelines.review.codebook import Codebook
from pipelines.review.coded import Count, Quote, differences
from pipelines.review.coding import Codes
from pipelines.review.design import FEWEST
from pipelines.review.intervals import FEW_RATERS, counted, percent, spread
from pipelines.review.protocol import Protocol
from pipelines.review.results import Finding, Rate, findings
from pipelines.review.rounds import Round, Sheet
from pipelines.review.settling import Settling

NOT_CLOSED = StudioError("This review is not closed, so there is no report on it yet.", "Its owner closes it when all have voted.")
NULL = "Not established"
RATE_HEAD = ["First over second", "Chosen", "95%, vote by vote", "95%, clustered", "Decided", "Same", "Can't tell"]
FEWEST_RATERS = {"closed": 2, "open": FEWEST}  # while a class still votes, the difference between two looks would be one person's votes


@dataclass(frozen=True)
class People:
    """How many took part: `finished` judged all items; `comments` are single persons' words and stay out of reports."""

    raters: int
    finished: int
    ballots: int
    comments: int


@dataclass(frozen=True)
class Calibrated:
    """A calibration that the owner accepted: its size, the agreement on each code, and the reason for going on."""

    raters: int
    pairs: int
    alphas: dict[str, Estimate]
    reason: str


@dataclass(frozen=True)
class Settled:
    """A difference between two coders that the owner decided, and why."""

    code_id: str
    prompt: str
    applies: bool
    reason: str


@dataclass(frozen=True)
class Coded:
    """What coding found, by one version of the codebook: counts, agreement per code before anything was settled, and picked quotes.

    `differences` is how many there were; those of `settled` were decided by the owner alone, the rest stays open.
    """

    codebook: Codebook
    counts: tuple[Count, ...]
    alphas: dict[str, Estimate]
    quotes: tuple[Quote, ...]
    calibrations: tuple[Calibrated, ...] = ()
    differences: int = 0
    settled: tuple[Settled, ...] = ()


@dataclass(frozen=True)
class Report:
    """All that a report says. `made` is when; `politics` are counts, empty where not asked or too few have answered."""

    protocol: Protocol
    is_closed: bool
    people: People
    findings: tuple[Finding, ...]
    coded: Coded | None
    politics: dict[str, int]
    made: str

    @property
    def columns(self) -> tuple[Answer, ...]:
        """One answer of each column, for its mark and its stamp."""
        return tuple(Answer.from_dict(one) for one in self.protocol.answers[: len(self.protocol.design.keys)])

    @property
    def marks(self) -> dict[str, str]:
        """Column -> what it is, in words."""
        return {one.column: mark(one) for one in self.columns}

    @property
    def nulls(self) -> tuple[str, ...]:
        """Every sentence that says what was not established, agreement included."""
        alphas = [
            f"“{one.asked.text}” {one.alpha.sentence}" for one in self.findings if one.alpha.value is None or NULL in one.alpha.sentence
        ]
        return (*(said for one in self.findings for said in one.conclusions if said.startswith(NULL)), *alphas)

    @property
    def established(self) -> tuple[str, ...]:
        return tuple(said for one in self.findings for said in one.conclusions if not said.startswith(NULL))

    @property
    def headline(self) -> str:
        """The result in one sentence, null results first."""
        found, tests = len(self.established), sum(len(one.conclusions) for one in self.findings)
        if not self.people.ballots:
            return "There are no ballots: nothing was judged, or everything was withdrawn or has expired."
        if not found:
            return f"No difference was established in {counted(tests, 'test')}. That does not show that there is none."
        return f"{tests - found} of {counted(tests, 'test')} established no difference; {found} did."

    @property
    def limits(self) -> tuple[str, ...]:
        return tuple(_limits(self))


def gather(codes: Codes, review_id: str) -> Report:
    """The report on a review as its ballots stand now. Raises StudioError for a research review that is not closed."""
    box = codes.box
    protocol, is_closed = box.review(review_id), box.is_closed(review_id)
    if protocol.design.kind == "research" and not is_closed:
        raise NOT_CLOSED
    return summed_up(protocol, box.votes(review_id), is_closed, _coded(codes, review_id), box.politics(review_id))


def summed_up(
    protocol: Protocol, votes: Sequence[Vote], is_closed: bool, coded: Coded | None = None, politics: dict[str, int] | None = None
) -> Report:
    """The totals of these votes. Raises StudioError as `gather` does, and where they would be a single person's."""
    if protocol.design.kind == "research" and not is_closed:
        raise NOT_CLOSED
    ballots = {(vote.rater_number, vote.item_id) for vote in votes}
    _refuse_few(len({rater for rater, _ in ballots}), is_closed)
    each = [sum(rater == one for rater, _ in ballots) for one in {rater for rater, _ in ballots}]
    people = People(len(each), sum(count >= len(protocol.items) for count in each), len(ballots), sum(bool(vote.comment) for vote in votes))
    made = datetime.now(UTC).isoformat(timespec="minutes")
    return Report(protocol, is_closed, people, tuple(findings(votes, protocol)), coded, politics or {}, made)


def _refuse_few(raters: int, is_closed: bool) -> None:
    fewest = FEWEST_RATERS["closed" if is_closed else "open"]
    if 0 < raters < fewest:
        raise StudioError(
            f"Only {counted(raters, 'rater')} voted, and nobody is shown the votes of one person.",
            f"Totals are shown from {fewest} raters on.",
        )


def _coded(codes: Codes, review_id: str) -> Coded | None:
    """By the newest codebook that a coding round used; None where nothing was coded."""
    every = codes.rounds(review_id)
    rounds = [one for one in every if one.kind == "coding"]
    if not rounds:
        return None
    book = max((one.codebook for one in rounds), key=lambda one: one.version)
    protocol, settling = codes.box.review(review_id), Settling(codes)
    sheets = [codes.sheet(one.id) for one in rounds if one.codebook == book]
    counts, quotes = settling.counts(review_id, book.version), settling.picked(review_id, book.version)
    differed = [one for sheet in sheets if sheet.is_finished for one in differences(sheet, protocol)]
    settled = tuple(
        Settled(one.code_id, one.prompt, one.adjudication.applies, one.adjudication.reason) for one in differed if one.adjudication
    )
    calibrations = tuple(_calibrations(codes, protocol, [one for one in every if one.codebook == book]))
    return Coded(book, tuple(counts), _alphas(sheets, book, protocol), tuple(quotes), calibrations, len(differed), settled)


def _calibrations(codes: Codes, protocol: Protocol, rounds: Sequence[Round]) -> Iterator[Calibrated]:
    """Those among rounds of one version of the codebook that were accepted."""
    for one in rounds:
        if one.kind == "calibration" and one.accepted:
            alphas = _alphas([codes.sheet(one.id)], one.codebook, protocol)
            yield Calibrated(len(one.raters), len(one.items), alphas, one.accepted)


def _alphas(sheets: Sequence[Sheet], book: Codebook, protocol: Protocol) -> dict[str, Estimate]:
    """Agreement per code over all finished rounds together."""
    units: dict[str, dict] = {}
    groups: dict[str, str] = {}
    for sheet in sheets:
        if sheet.is_finished:
            groups |= sheet.groups(protocol)
            for answer, raters in sheet.units.items():
                units.setdefault(answer, {}).update(raters)
    return by_code(units, [code.id for code in book.codes], groups)


def pair(rate: Rate) -> str:
    """ "Base over Left"."""
    return f"{title(rate.first)} over {title(rate.second)}"


def row(rate: Rate) -> list[str]:
    """A rate as a row below RATE_HEAD."""
    share = "none decided" if rate.rate is None else percent(rate.rate)
    counts = [f"{rate.wins} to {rate.losses}", str(rate.ties), str(rate.unsure)]
    return [pair(rate), share, spread(rate.exact), spread(rate.clustered), *counts]


def _limits(report: Report) -> list[str]:
    design, people = report.protocol.design, report.people
    flagged = sum(item.flagged for item in report.protocol.items)
    said = [
        f"It rests on {counted(len(design.drawn), 'question')}, {counted(people.raters, 'rater')} and one answer of each column to each question. "
        "Raters were not drawn from any population, so it speaks for these questions and people like these, not for voters or readers at large.",
        "The columns are variants of one very small model. Nothing here speaks about other models, and what raters saw in an answer is no "
        "opinion that a model holds.",
    ]
    if people.raters < FEW_RATERS:
        said.append(f"With {counted(people.raters, 'rater')} the totals come close to what single persons said: pass them on with care.")
    if design.kind == "class":
        said.append(
            "Each pair was revealed to its rater after the vote, so later votes may lean on earlier reveals, and nothing was repeated."
        )
        if not report.is_closed:
            said.append("The review is still open: these are interim results, and looking at them more than once finds more by chance.")
    elif people.finished < design.raters:
        said.append(
            f"{design.raters} raters were planned to judge all items; {people.finished} did. It was closed early, or ballots were withdrawn or "
            "have expired since. Stopping by what was seen would bias it."
        )
    elif people.finished > design.raters:
        said.append(f"{design.raters} raters were planned, {people.finished} judged all items: all of them count.")
    cut = sum(one.get("finished") == "length" for one in report.protocol.answers)
    if cut:
        said.append(
            f"{cut} of {counted(len(report.protocol.answers), 'answer')} were cut at the longest length allowed, often within a sentence."
        )
    if flagged:
        said.append(
            f"In {counted(flagged, 'item')} an answer names its side, so these were hardly blind; results without them stand beside."
        )
    said.append("Ballots that were withdrawn or have expired are not in it. Comments stay out of reports: they are single persons' words.")
    said.append("The hash shows that the protocol was not changed since it was frozen, if it was noted elsewhere at that time.")
    return said
