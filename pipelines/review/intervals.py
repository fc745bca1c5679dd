"""Intervals and power for votes: exact ones vote by vote, clustered ones by question and rater, and the votes that a result needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL, POWER = 0.95, 0.8
RESAMPLES, SEED = 5000, 20240412  # p can reach .0004, so that Holm over a hundred tests can still establish something
NEAREST = 0.005  # nearer to one half than this, a review would need more than 78,000 votes
Interval = tuple[float, float]
Cell = tuple[str, int, float]


def exact(count: int, n: int) -> Interval | None:
    """The 95% Clopper-Pearson interval of a share, `count` of `n` (Clopper and Pearson 1934, through SciPy); None where n is 0.

    It takes the n votes for independent, which votes of one rater or on one question are not: see `crossed`.
    """
    from scipy import stats

    if n == 0:
        return None
    found = stats.binomtest(count, n).proportion_ci(LEVEL, method="exact")
    return float(found.low), float(found.high)


def exact_p(count: int, n: int) -> float:
    """Two-sided exact binomial p against one half (the sign test); 1 where n is 0."""
    from scipy import stats

    return float(stats.binomtest(count, n).pvalue) if n else 1.0


def crossed_weights(prompts: int, raters: int, resamples: int = RESAMPLES, seed: int = SEED) -> tuple[NDArray, NDArray]:
    """Resamples of the pigeonhole bootstrap: how often each prompt and each rater is drawn, (resamples, prompts) and (resamples, raters).

    Prompts and raters are drawn with replacement apart from each other, and a vote weighs the product of both counts (Owen 2007, Annals
    of Applied Statistics 1, 386-411). It errs to the wide side where votes are mostly chance. A side with one member is kept as it is.
    """
    chance = np.random.default_rng(seed)
    return tuple(chance.multinomial(n, np.full(n, 1 / n), size=resamples).astype(float) for n in (prompts, raters))  # type: ignore[return-value]


def crossed(votes: Sequence[Cell], resamples: int = RESAMPLES) -> tuple[float, float, float] | None:
    """95% interval and two-sided p against one half of a share of votes that are clustered by prompt and by rater.

    `votes` are (prompt id, rater number, 1 for and 0 against). Percentiles of the pigeonhole bootstrap; p is twice the smaller share of
    resamples on a side of one half (Davison and Hinkley 1997, chapter 4: with one added), and never less than a sign test over the
    prompts could give, since a bootstrap of a few clusters is too sure: five prompts or fewer can't reach .05. Where all votes are alike
    no resample can differ, so each prompt counts once, in an exact interval and sign test. None for fewer than two prompts.
    """
    prompts = sorted({prompt for prompt, _, _ in votes})
    if len(prompts) < 2:
        return None
    won = [value for _, _, value in votes]
    if min(won) == max(won):
        count = round(won[0]) * len(prompts)
        low, high = exact(count, len(prompts)) or (0.0, 1.0)
        return low, high, exact_p(count, len(prompts))
    rates = _resampled(votes, prompts, resamples)
    low, high = np.quantile(rates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    beside = min(int((rates <= 0.5).sum()), int((rates >= 0.5).sum()))
    p = max(2 * (beside + 1) / (len(rates) + 1), exact_p(0, len(prompts)))
    return float(low), float(high), min(1.0, p)


def _resampled(votes: Sequence[Cell], prompts: Sequence[str], resamples: int) -> NDArray:
    """The share in each resample; those that drew no vote at all (few votes, many gaps) are left out."""
    place = {prompt: number for number, prompt in enumerate(prompts)}
    seat = {rater: number for number, rater in enumerate(sorted({rater for _, rater, _ in votes}))}
    won, cast = np.zeros((2, len(place), len(seat)))
    for prompt, rater, value in votes:
        won[place[prompt], seat[rater]] += value
        cast[place[prompt], seat[rater]] += 1
    by_prompt, by_rater = crossed_weights(len(place), len(seat), resamples)
    wins, total = (((by_prompt @ table) * by_rater).sum(axis=1) for table in (won, cast))
    return wins[total > 0] / total[total > 0]


def power(n: int, rate: float) -> float:
    """The chance that `n` independent decided votes with this true rate give an exact two-sided binomial test with p at most .05."""
    return float(_powers(np.asarray([n]), np.asarray([rate]))[0])


def votes_needed(rate: float, wanted: float = POWER) -> int | None:
    """The smallest number of decided votes whose exact two-sided binomial test against one half has 80% power at this true rate.

    .60 needs 199, .65 needs 90, .70 needs 49. (The normal approximation gives 194, 85 and 47: too few, since the exact test can't spend
    all of its 5%.) Power moves in a saw: a few numbers above the smallest dip below it again. Rates below one half count like those
    above. None for rates within half a point of one half, for which no feasible review is large enough.
    """
    from scipy import stats

    away = abs(rate - 0.5)
    if away < NEAREST or away > 0.5:
        return None
    guess = ((stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(wanted)) / (2 * away)) ** 2
    sizes = np.arange(max(1, int(guess * 0.6)), int(guess * 1.3) + 30)
    enough = _powers(sizes, np.full(len(sizes), 0.5 + away)) >= wanted
    return int(sizes[np.argmax(enough)])


def detectable(n: int, wanted: float = POWER) -> float | None:
    """The smallest true rate above one half, in whole percent, that `n` decided votes find with 80% power; None where they find none."""
    rates = np.arange(51, 101) / 100
    found = rates[_powers(np.full(len(rates), n), rates) >= wanted]
    return float(found[0]) if len(found) else None


def _powers(sizes: NDArray, rates: NDArray) -> NDArray:
    """Power per size and rate: at least k of n for either side, k being the smallest count whose one-sided chance is at most .025."""
    from scipy import stats

    k = stats.binom.isf((1 - LEVEL) / 2, sizes, 0.5) + 1
    return stats.binom.sf(k - 1, sizes, rates) + stats.binom.cdf(sizes - k, sizes, rates)


def percent(value: float) -> str:
    """A share in whole percent, without claiming none or all where it only rounds to it."""
    whole = f"{value:.0%}"
    return "under 1%" if whole == "0%" and value > 0 else "over 99%" if whole == "100%" and value < 1 else whole


def spread(interval: Interval | None) -> str:
    """An interval in words: "38% to 66%"."""
    return f"{percent(interval[0])} to {percent(interval[1])}" if interval else "unknown"


def counted(n: int, one: str, more: str = "") -> str:
    """ "1 rater", "3 raters"."""
    return f"{n:,} {one if n == 1 else more or one + 's'}"
