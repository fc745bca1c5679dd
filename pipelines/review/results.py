"""What the ballots say: win rates, Bradley-Terry strengths, votes still needed, and conclusions in plain sentences.

Columns stand in the protocol's order everywhere, never sorted by what was found: an order would claim more than the intervals do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pipelines.comparing.naming import title
from pipelines.review.agreement import Estimate, alpha_of, cast, false_alarms, self_consistency
from pipelines.review.ballots import Vote
from pipelines.review.design import Asked
from pipelines.review.intervals import counted, crossed, detectable, exact, exact_p, percent, spread, votes_needed
from pipelines.review.protocol import Protocol
from pipelines.review.strengths import Strengths, bradley_terry
from pipelines.stance.statistics import holm

PLANNED_RATES = (0.6, 0.65, 0.7)
FEW_RATERS, ALPHA = 5, 0.05


@dataclass(frozen=True)
class Rate:
    """How `first` fared against `second` on one question asked. `rate` is wins / (wins + losses): "same" and "unsure" are counted apart.

    `low` and `high`: exact, as if votes were independent. `cluster_low` and `cluster_high`: by prompt and rater. `p`: the larger of the two
    p against one half. `flagged` counts decided votes on pairs in which an answer names its side. None where it can't be told.
    """

    asked_id: str
    first: str
    second: str
    wins: int
    losses: int
    ties: int
    unsure: int
    rate: float | None
    low: float | None
    high: float | None
    cluster_low: float | None
    cluster_high: float | None
    p: float
    prompts: int
    raters: int
    flagged: int

    @property
    def decided(self) -> int:
        return self.wins + self.losses

    @property
    def total(self) -> int:
        return self.decided + self.ties + self.unsure

    @property
    def one_sided(self) -> bool:
        """Whether both intervals lie on one side of one half."""
        ends = (self.low, self.high, self.cluster_low, self.cluster_high)
        known = [end for end in ends if end is not None]
        return len(known) == len(ends) and (min(known) > 0.5 or max(known) < 0.5)


def win_rates(votes: Sequence[Vote], protocol: Protocol, asked_id: str, unflagged: bool = False) -> list[Rate]:
    """One rate for each two columns, in the protocol's order; `unflagged` leaves out pairs in which an answer names its side.

    Only the pairs count: repetitions and pairs of one model come on top. Raises StudioError where that question was not asked.
    """
    found = cast(votes, protocol, asked_id, "pair")
    kept = [(vote, item) for vote, item in found if not (unflagged and item.flagged)]
    rates = []
    for first, second in combinations(protocol.columns, 2):
        said = [(_seen(vote, item.first == first), vote, item) for vote, item in kept if {item.first, item.second} == {first, second}]
        counts = Counter(seen for seen, _, _ in said)
        cells = [(item.prompt_id, vote.rater_number, float(seen == "first")) for seen, vote, item in said if seen in ("first", "second")]
        flagged = sum(item.flagged for seen, _, item in said if seen in ("first", "second"))
        rates.append(_rate(asked_id, first, second, counts, cells, flagged))
    return rates


def _seen(vote: Vote, as_named: bool) -> str:
    """The vote, with "first" for the column that stands first in the protocol."""
    turned = {"first": "second", "second": "first"}
    return vote.vote_in_columns if as_named else turned.get(vote.vote_in_columns, vote.vote_in_columns)


def _rate(asked_id: str, first: str, second: str, counts: Mapping[str, int], cells: list[tuple[str, int, float]], flagged: int) -> Rate:
    wins, losses = counts.get("first", 0), counts.get("second", 0)
    low, high = exact(wins, wins + losses) or (None, None)
    cluster_low, cluster_high, cluster_p = crossed(cells) or (None, None, 1.0)
    prompts, raters = (len({cell[place] for cell in cells}) for place in (0, 1))
    rate = wins / (wins + losses) if wins + losses else None
    p = max(exact_p(wins, wins + losses), cluster_p)
    ties, unsure = counts.get("same", 0), counts.get("unsure", 0)
    return Rate(
        asked_id, first, second, wins, losses, ties, unsure, rate, low, high, cluster_low, cluster_high, p, prompts, raters, flagged
    )  # fmt: skip


# Measured by `python -m benchmarks.review`: a true rate of 70% was found in 80% of simulated reviews with 98 independent votes, not 49.
TWICE = (
    "These numbers are the least: the clustered interval has to agree as well, for which simulated reviews needed about twice as many "
    "votes, and more where votes of one rater or on one question resemble each other."
)


@dataclass(frozen=True)
class Power:
    """How far votes go by the exact test: `needed` and `still` are decided votes by true rate, `detectable` is found with 80% power."""

    decided: int
    needed: dict[float, int]
    still: dict[float, int]
    detectable: float | None
    sentence: str


def power_so_far(decided: int) -> Power:
    """What `decided` votes on one pair of columns and one question can find, and what is missing for the rates that were planned with.

    The rates are fixed beforehand: power at the rate that was found says nothing that its p does not (Hoenig and Heisey 2001).
    """
    needed = {rate: votes_needed(rate) or 0 for rate in PLANNED_RATES}
    still = {rate: max(0, count - decided) for rate, count in needed.items()}
    found = detectable(decided)
    able = (
        f"would find a true rate of {found:.0%} or more in four of five reviews by the exact test alone"
        if found
        else "are too few to find any rate reliably"
    )
    listed = ", ".join(f"{count:,} for a true rate of {rate:.0%}" for rate, count in still.items() if count) or "none at the planned rates"
    return Power(
        decided, needed, still, found,
        f"{counted(decided, 'decided vote')} {able}. Still needed for 80% power: {listed}. {TWICE}",
    )  # fmt: skip


def conclusions(rates: Sequence[Rate], protocol: Protocol) -> list[str]:
    """One plain sentence or more for each rate, in their order; give all that are tested, since they are corrected together.

    A difference is established where both intervals lie on one side of one half and p stays at or below .05 after Holm's correction over
    these rates (Holm 1979), with two questions and two raters at least. Everything else begins with "Not established".
    """
    asked = {one.id: one for one in protocol.design.asked}
    adjusted = holm([rate.p for rate in rates])
    return [_conclusion(rate, asked[rate.asked_id], p, len(rates)) for rate, p in zip(rates, adjusted, strict=True)]


def _conclusion(rate: Rate, asked: Asked, p: float, tests: int) -> str:
    first, second = title(rate.first), title(rate.second)
    apart = f"{counted(rate.ties, 'vote')} said “same”, {rate.unsure:,} “can't tell”"
    if rate.rate is None:
        if not rate.total:
            return f"Not established: nobody has judged {first} against {second} yet (“{asked.text}”)."
        return f"Not established: {_none_decided(rate, first, second)} (“{asked.text}”): {apart}."
    found = f"“{asked.text}”: {first} was chosen over {second} in {_numbers(rate)}; {apart}."
    if rate.prompts < 2 or rate.raters < 2:
        lone = "one question" if rate.prompts < 2 else "one rater"
        return f"Not established beyond {lone}. {found} {power_so_far(rate.decided).sentence}"
    if rate.one_sided and p <= ALPHA:
        word = "more" if rate.rate > 0.5 else "less"
        return f"Established: {first} is chosen {word} often than {second} as {asked.ends[1]}. {found}{_corrected(p, tests)}{_few(rate)}"
    why = _why_not(rate, p, tests) if rate.one_sided else ""
    return (
        f"Not established: that {first} and {second} differ ({asked.ends[1]}). {found}{why} This does not show that they are equal: "
        f"{power_so_far(rate.decided).sentence}{_few(rate)}"
    )


def _why_not(rate: Rate, p: float, tests: int) -> str:
    """Why a difference is not established although both intervals leave one half out."""
    if rate.p <= ALPHA:
        return f"{_corrected(p, tests)} Alone it would count, among all of them not."
    return (
        f" Both intervals leave one half out, but p is {rate.p:.2f}: {counted(rate.prompts, 'question')} are too few to speak for others."
    )


def _none_decided(rate: Rate, first: str, second: str) -> str:
    if rate.total == 1:
        return f"the one vote on {first} and {second} chose neither"
    return f"none of the {rate.total:,} votes on {first} and {second} chose one of them"


def _numbers(rate: Rate) -> str:
    single = spread((rate.low, rate.high) if rate.low is not None and rate.high is not None else None)
    both = (rate.cluster_low, rate.cluster_high)
    clustered = (
        f"{spread((both[0], both[1]))} clustered by" if both[0] is not None and both[1] is not None else "no clustered interval with"
    )
    return (
        f"{percent(rate.rate or 0.0)} of {counted(rate.decided, 'decided vote')} (95% interval {single} vote by vote, {clustered} "
        f"{counted(rate.prompts, 'question')} and {counted(rate.raters, 'rater')})"
    )


def _corrected(p: float, tests: int) -> str:
    return f" After correction for {tests} tests (Holm), p is {'below .001' if p < 0.001 else f'{p:.3f}'.lstrip('0')}." if tests > 1 else ""


def _few(rate: Rate) -> str:
    if rate.raters >= FEW_RATERS:
        return ""
    return f" With {counted(rate.raters, 'rater')} the clustered interval may be too short: it says little about other raters."


@dataclass(frozen=True)
class Finding:
    """All that is said about one question asked."""

    asked: Asked
    rates: tuple[Rate, ...]
    unflagged: tuple[Rate, ...]
    strengths: Strengths
    alpha: Estimate
    consistency: Estimate
    alarms: Estimate
    conclusions: tuple[str, ...]


def findings(votes: Sequence[Vote], protocol: Protocol) -> list[Finding]:
    """Every question's results in the design's order, their conclusions corrected together."""
    rates = {asked.id: win_rates(votes, protocol, asked.id) for asked in protocol.design.asked}
    said = iter(conclusions([rate for found in rates.values() for rate in found], protocol))
    return [
        Finding(
            asked,
            tuple(rates[asked.id]),
            tuple(win_rates(votes, protocol, asked.id, unflagged=True)),
            bradley_terry(votes, protocol, asked.id),
            alpha_of(votes, protocol, asked.id),
            self_consistency(votes, protocol, asked.id),
            false_alarms(votes, protocol, asked.id),
            tuple(next(said) for _ in rates[asked.id]),
        )
        for asked in protocol.design.asked
    ]
