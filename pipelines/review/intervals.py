"""Intervals and power for votes: exact ones vote by vote, clustered ones by question and rater, and the votes that a result needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import ceil, log2
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL, POWER = 0.95, 0.8
RESAMPLES, SEED = 5000, 20240412  # p can reach .0004, so that Holm over a hundred tests can still establish something
FEW_RATERS = 6  # fewer can't reach p .05 in a test of their own, since all of them voting alike has the chance 2 / 2^raters
EXCESS = 3  # how many times too large the variance of the pigeonhole bootstrap is where votes are independent, see `rule_needs`
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


def crossed(votes: Sequence[Cell], resamples: int = RESAMPLES, fewest_raters: int = FEW_RATERS) -> tuple[float, float, float] | None:
    """95% interval and two-sided p against one half of a share of votes that are clustered by prompt and by rater.

    `votes` are (prompt id, rater number, 1 for and 0 against). The interval: percentiles of the pigeonhole bootstrap, or where all votes
    are alike, so that no resample can differ, an exact one in which each prompt counts once. p is the largest of three: twice the smaller
    share of resamples on a side of one half (Davison and Hinkley 1997, chapter 4: with one added); `sign_flips` of the prompts, each with
    its votes for less those against, since a bootstrap of a few clusters is too sure; and from `fewest_raters` on the same of the raters. With
    fewer raters it speaks for these raters alone. None for fewer than two prompts.
    """
    by_prompt, by_rater = Counter[str](), Counter[int]()
    for prompt, rater, value in votes:
        by_prompt[prompt] += round(2 * value - 1)
        by_rater[rater] += round(2 * value - 1)
    prompts = sorted(by_prompt)
    if len(prompts) < 2:
        return None
    flipped = max(sign_flips(by_prompt.values()), sign_flips(by_rater.values()) if len(by_rater) >= fewest_raters else 0.0)
    won = [value for _, _, value in votes]
    if min(won) == max(won):
        low, high = exact(round(won[0]) * len(prompts), len(prompts)) or (0.0, 1.0)
        return low, high, flipped
    rates = _resampled(votes, prompts, resamples)
    low, high = np.quantile(rates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    beside = min(int((rates <= 0.5).sum()), int((rates >= 0.5).sum()))
    return float(low), float(high), min(1.0, max(2 * (beside + 1) / (len(rates) + 1), flipped))


def sign_flips(differences: Iterable[int]) -> float:
    """Two-sided sign-flip p of whole-number differences, one of each cluster: the share of all their signs with a sum as far from zero.

    Fisher 1935, as in `stance.statistics.shift`; but sums of whole numbers are few, so that all flips are counted and none is drawn.
    It needs no likeness of votes within a cluster, only clusters that are independent and as often for as against. 1 without any.
    """
    given = list(differences)
    chances = np.ones(1)  # of the sum of those whose sign is plus, from 0 to all
    for size in filter(None, map(abs, given)):
        chances = (np.pad(chances, (0, size)) + np.pad(chances, (size, 0))) / 2
    sums: NDArray = 2 * np.arange(len(chances)) - (len(chances) - 1)
    return min(1.0, float(chances[np.abs(sums) >= abs(sum(given))].sum()))


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


@lru_cache(maxsize=64)
def votes_needed(rate: float, wanted: float = POWER) -> int | None:
    """The smallest number of decided votes whose exact two-sided binomial test against one half has 80% power at this true rate.

    The least that any review could do with, since it takes votes for independent; the studio's rule asks for more (see `rule_needs`).
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
    """The smallest true rate above one half, in whole percent, that the exact test finds with 80% power; None where it finds none."""
    rates = np.arange(51, 101) / 100
    found = rates[_powers(np.full(len(rates), n), rates) >= wanted]
    return float(found[0]) if len(found) else None


def rule_needs(rate: float, tests: int = 1, wanted: float = POWER) -> int | None:
    """About how many decided votes the studio's rule needs for 80% power at this true rate, one of `tests` that are corrected together.

    n = ((z(1 - .05 / 2 tests) sqrt(3) / 2 + z(.8) sqrt(rate (1 - rate))) / (rate - 1/2))^2 for independent votes. A rate's variance in
    the pigeonhole bootstrap is then about three times the true one: once for prompts, for raters and for votes (Owen 2007, "The
    pigeonhole bootstrap", Annals of Applied Statistics 1, 386-411). Holm's correction taken as Bonferroni's. It is still a lower bound
    where votes of one rater or on one prompt are alike, and with few of either (see `clusters_needed`). None as in `votes_needed`.
    """
    away = abs(rate - 0.5)
    if away < NEAREST or away > 0.5:
        return None
    normal = NormalDist()
    by_chance = normal.inv_cdf(1 - (1 - LEVEL) / (2 * tests)) * (EXCESS / 4) ** 0.5
    return ceil(((by_chance + normal.inv_cdf(wanted) * (0.25 - away**2) ** 0.5) / away) ** 2)


def rule_detects(n: int, tests: int = 1, wanted: float = POWER) -> float | None:
    """The smallest true rate above one half, in whole percent, for which `n` decided votes are as many as `rule_needs`; None for none."""
    return next((rate / 100 for rate in range(51, 101) if (rule_needs(rate / 100, tests, wanted) or 0) <= n), None)


def clusters_needed(tests: int = 1) -> int:
    """How many prompts, or raters where they are tested, a sign-flip test needs to reach .05 / `tests`: all alike have 2 / 2^n."""
    return 1 + ceil(log2(tests / (1 - LEVEL)) - 1e-9)


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
