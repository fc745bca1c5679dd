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
from pipelines.review.intervals import clusters_needed, counted, crossed, exact, exact_p, percent, spread
from pipelines.review.power import out_of_reach, power_so_far, tests_of
from pipelines.review.protocol import Protocol
from pipelines.review.strengths import Strengths, bradley_terry
from pipelines.stance.statistics import holm

ALPHA = 0.05


@dataclass(frozen=True)
class Rate:
    """How `first` fared against `second` on one question asked. `rate` is wins / (wins + losses): "same" and "unsure" are counted apart.

    `low` and `high`: exact, as if votes were independent. `cluster_low` and `cluster_high`: by prompt and rater. `p` against one half:
    the larger of the exact test's and of `intervals.crossed`. `flagged` counts decided votes on pairs in which an answer names its side. None where it can't be told.
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
    fewest: int

    @property
    def decided(self) -> int:
        return self.wins + self.losses

    @property
    def total(self) -> int:
        return self.decided + self.ties + self.unsure

    @property
    def exact(self) -> tuple[float, float] | None:
        """The interval of independent votes, whole or not at all."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def clustered(self) -> tuple[float, float] | None:
        """The interval by prompt and rater, whole or not at all."""
        return None if self.cluster_low is None or self.cluster_high is None else (self.cluster_low, self.cluster_high)

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
        rates.append(_rate(asked_id, first, second, counts, cells, flagged, clusters_needed(tests_of(protocol.design))))
    return rates


def _seen(vote: Vote, as_named: bool) -> str:
    """The vote, with "first" for the column that stands first in the protocol."""
    turned = {"first": "second", "second": "first"}
    return vote.vote_in_columns if as_named else turned.get(vote.vote_in_columns, vote.vote_in_columns)


def _rate(
    asked_id: str, first: str, second: str, counts: Mapping[str, int], cells: list[tuple[str, int, float]], flagged: int, fewest: int
) -> Rate:
    wins, losses = counts.get("first", 0), counts.get("second", 0)
    low, high = exact(wins, wins + losses) or (None, None)
    cluster_low, cluster_high, cluster_p = crossed(cells, fewest_raters=fewest) or (None, None, 1.0)
    prompts, raters = (len({cell[place] for cell in cells}) for place in (0, 1))
    rate = wins / (wins + losses) if wins + losses else None
    p = max(exact_p(wins, wins + losses), cluster_p)
    ties, unsure = counts.get("same", 0), counts.get("unsure", 0)
    return Rate(
        asked_id, first, second, wins, losses, ties, unsure, rate, low, high, cluster_low, cluster_high, p, prompts, raters, flagged, fewest
    )  # fmt: skip


def conclusions(rates: Sequence[Rate], protocol: Protocol) -> list[str]:
    """One plain sentence or more for each rate, in their order; give all that are tested, since they are corrected together.

    A difference is established where both intervals lie on one side of one half and p stays at or below .05 after Holm's correction over
    these rates (Holm 1979), with two questions and two raters at least; with fewer than `Rate.fewest` it says for how many. Everything else
    begins with "Not established".
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
    power = out_of_reach(rate.prompts, tests) or power_so_far(rate.decided, tests).sentence
    if rate.prompts < 2 or rate.raters < 2:
        lone = "one question" if rate.prompts < 2 else "one rater"
        return f"Not established: that {first} and {second} differ ({asked.ends[1]}) beyond {lone}. {found} {power}"
    if rate.one_sided and p <= ALPHA:
        word = "more" if rate.rate > 0.5 else "less"
        return (
            f"Established: {_for_these(rate)}{first} is chosen {word} often than {second} as {asked.ends[1]}. {found}{_corrected(p, tests)}"
            f"{_few(rate)}"
        )
    why = _why_not(rate, p, tests) if rate.one_sided else ""
    return (
        f"Not established: that {first} and {second} differ ({asked.ends[1]}). {found}{why} This does not show that they are equal. "
        f"{power}{_few(rate)}"
    )


def _for_these(rate: Rate) -> str:
    return f"for these {rate.raters} raters, " if rate.raters < rate.fewest else ""


def _why_not(rate: Rate, p: float, tests: int) -> str:
    """Why a difference is not established although both intervals leave one half out."""
    if rate.p <= ALPHA:
        return f"{_corrected(p, tests)} Alone it would count, among all of them not."
    return f" Both intervals leave one half out, but p is {rate.p:.2f}: questions or raters are too few, or differ too much."


def _none_decided(rate: Rate, first: str, second: str) -> str:
    if rate.total == 1:
        return f"the one vote on {first} and {second} chose neither"
    return f"none of the {rate.total:,} votes on {first} and {second} chose one of them"


def _numbers(rate: Rate) -> str:
    clustered = f"{spread(rate.clustered)} clustered by" if rate.clustered else "no clustered interval with"
    return (
        f"{percent(rate.rate or 0.0)} of {counted(rate.decided, 'decided vote')} (95% interval {spread(rate.exact)} vote by vote, {clustered} "
        f"{counted(rate.prompts, 'question')} and {counted(rate.raters, 'rater')})"
    )


def _corrected(p: float, tests: int) -> str:
    return f" After correction for {tests} tests (Holm), p is {'below .001' if p < 0.001 else f'{p:.3f}'.lstrip('0')}." if tests > 1 else ""


def _few(rate: Rate) -> str:
    if rate.raters >= rate.fewest:
        return ""
    return f" With {counted(rate.raters, 'rater')} it says little about others: from {rate.fewest} on raters are tested as well."


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
