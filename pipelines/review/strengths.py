"""Bradley-Terry strengths with ties: all columns on one scale, where enough was decided to place them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.comparing.naming import title
from pipelines.review.agreement import cast
from pipelines.review.ballots import Vote
from pipelines.review.intervals import LEVEL, counted, crossed_weights, percent, spread
from pipelines.review.protocol import Protocol

DRAWS, TOLERANCE, ITERATIONS = 1000, 1e-9, 10_000
Outcome = tuple[int, int, bool]  # (winner's place, loser's place, False) or (lower place, higher place, True) for a tie


@dataclass(frozen=True)
class Strength:
    """A column in the Bradley-Terry model. `chance`: to win a vote against the reference column, a tie as half, with its 95% interval.

    The reference itself has .5 and no interval; None also where resamples leave it open.
    """

    column: str
    chance: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Strengths:
    """All columns in the protocol's order, or none; `sentence` says what it rests on or why there is none."""

    columns: tuple[Strength, ...]
    reference: str
    n: int
    sentence: str


def bradley_terry(votes: Sequence[Vote], protocol: Protocol, asked_id: str) -> Strengths:
    """Bradley-Terry strengths, a tie counting as half a win for each; "unsure" is left out.

    Bradley and Terry 1952 (Biometrika 39, 324-345): i is chosen over j with the chance s_i / (s_i + s_j). Fitted by evalica's
    `bradley_terry`, the interval by the pigeonhole bootstrap over prompts and raters. (evalica's `newman`, which models ties, updates all
    columns at once and never settles where two columns have no ties.) Strengths are finite only where every column won from every other,
    at least by way of others (Ford 1957, American Mathematical Monthly 64, 28-33); else none are given.
    """
    place = {column: number for number, column in enumerate(protocol.columns)}
    found = cast(votes, protocol, asked_id, "pair")
    told = [(vote, item) for vote, item in found if vote.vote_in_columns != "unsure"]
    besides = f" besides {len(found) - len(told):,} that could not tell" if len(found) > len(told) else ""
    outcomes = [_outcome(vote.vote_in_columns, place[item.first], place[item.second]) for vote, item in told]
    reference, n = protocol.columns[0], len(outcomes)
    kinds = sorted(set(outcomes))
    log_strengths = _fitted(kinds, [outcomes.count(kind) for kind in kinds], len(place))
    if n and all(tied for _, _, tied in kinds):
        return Strengths((), reference, n, f"Bradley-Terry strengths can't be told: all of {counted(n, 'vote')}{besides} said “same”.")
    if log_strengths is None:
        why = (
            f"no vote chose an answer or “same”{besides}"
            if not n
            else "some columns never won, or never lost, against the rest, which leaves no bound"
        )
        return Strengths((), reference, n, f"Bradley-Terry strengths can't be told: {why} ({counted(n, 'vote')}).")
    cells = [(item.prompt_id, vote.rater_number) for vote, item in told]
    bounds = _bounds(kinds, outcomes, cells, len(place))
    columns = [Strength(reference, 0.5, None, None)]
    for number, column in enumerate(protocol.columns[1:], 1):
        low, high = bounds[number] if bounds else (None, None)
        columns.append(Strength(column, _logistic(log_strengths[number] - log_strengths[0]), low, high))
    return Strengths(
        tuple(columns), reference, n, _sentence(columns, n, len({prompt for prompt, _ in cells}), len({rater for _, rater in cells}))
    )


def _outcome(vote: str, first: int, second: int) -> Outcome:
    if vote == "same":
        return min(first, second), max(first, second), True
    return (first, second, False) if vote == "first" else (second, first, False)


def _fitted(kinds: Sequence[Outcome], weights: Sequence[float], columns: int) -> Any:
    """Log strengths, or None where a column's is not finite."""
    import evalica
    from scipy.sparse.csgraph import connected_components

    beaten = np.zeros((columns, columns))
    for (winner, loser, tied), weight in zip(kinds, weights, strict=True):
        beaten[winner, loser] += weight
        beaten[loser, winner] += weight if tied else 0
    if connected_components(beaten, connection="strong")[0] > 1:
        return None
    found = evalica.bradley_terry(
        [kind[0] for kind in kinds],
        [kind[1] for kind in kinds],
        [evalica.Winner.Draw if kind[2] else evalica.Winner.X for kind in kinds],
        weights=[float(weight) for weight in weights],
        tolerance=TOLERANCE,
        limit=ITERATIONS,
    )
    if found.iterations >= ITERATIONS:
        return None
    return np.log([found.scores[number] for number in range(columns)])


def _bounds(
    kinds: Sequence[Outcome], outcomes: Sequence[Outcome], cells: Sequence[tuple[str, int]], columns: int
) -> list[tuple[float | None, float | None]] | None:
    """Percentiles of each column's chance against the first; a resample without finite strengths counts at both ends."""
    prompts = {prompt: number for number, prompt in enumerate(sorted({prompt for prompt, _ in cells}))}
    raters = {rater: number for number, rater in enumerate(sorted({rater for _, rater in cells}))}
    if len(prompts) < 2:
        return None
    tables: dict[Outcome, Any] = defaultdict(lambda: np.zeros((len(prompts), len(raters))))
    for kind, (prompt, rater) in zip(outcomes, cells, strict=True):
        tables[kind][prompts[prompt], raters[rater]] += 1
    by_prompt, by_rater = crossed_weights(len(prompts), len(raters), DRAWS)
    weights = np.stack([((by_prompt @ tables[kind]) * by_rater).sum(axis=1) for kind in kinds], axis=1)
    fits = [_fitted(kinds, drawn, columns) for drawn in weights]
    relative = np.array([fit - fit[0] for fit in fits if fit is not None]).reshape(-1, columns)
    lost = len(fits) - len(relative)
    ends = []
    for column in range(columns):
        known = np.sort(relative[:, column])
        below, above = (np.concatenate([np.full(lost, -np.inf), known]), np.concatenate([known, np.full(lost, np.inf)]))
        low = np.quantile(below, (1 - LEVEL) / 2, method="lower")
        high = np.quantile(above, (1 + LEVEL) / 2, method="higher")
        ends.append((_logistic(low) if np.isfinite(low) else None, _logistic(high) if np.isfinite(high) else None))
    return ends


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def _sentence(columns: Sequence[Strength], n: int, prompts: int, raters: int) -> str:
    parts = []
    for one in columns[1:]:
        known = one.low is not None and one.high is not None
        interval = spread((one.low, one.high)) if known else "open: too few votes"  # type: ignore[arg-type]
        parts.append(f"{title(one.column)} {percent(one.chance)} (95% interval {interval})")
    return (
        f"Bradley-Terry, a tie as half a win for each: the chance to win against {title(columns[0].column)} is {', '.join(parts)}; "
        f"{counted(n, 'vote')}, {counted(prompts, 'question')}, {counted(raters, 'rater')}. Intervals that overlap, or contain 50%, order nothing."
    )
