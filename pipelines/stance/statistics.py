"""Shifts, correlations and tests: items are the unit, forms and samples are averaged before anything is tested."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import comb
from typing import Any, Literal

import numpy as np

from pipelines.records import Shift

RESAMPLES = 9999
SEED = 20240412
LEVEL = 0.95
FEWEST_PAIRS = 4  # fewer items give no correlation that means anything


@dataclass(frozen=True)
class Correlation:
    """A correlation over `n` items with its 95% interval; None where there are too few items or one side does not vary."""

    r: float | None
    low: float | None
    high: float | None
    n: int


def shift(differences: Sequence[float]) -> Shift:
    """Mean of per-item differences, 95% BCa bootstrap interval, two-sided sign-flip permutation p.

    Sources: Efron 1987 (BCa), Fisher 1935 (sign flips), both through SciPy. With fewer than two items, or none that
    differ, the interval is the mean itself and p is 1; where BCa is undefined, the percentile interval is given. What was
    computed is remembered, since the page shows the same figures in several places.
    """
    return _shift(tuple(float(value) for value in differences))


@lru_cache(maxsize=8192)
def _shift(differences: tuple[float, ...]) -> Shift:
    from scipy import stats

    values = np.asarray(differences, dtype=float)
    if len(values) < 2 or np.ptp(values) < 1e-12:
        mean = float(values.mean()) if len(values) else 0.0
        return Shift(mean, mean, mean, 1.0, len(values))
    random = np.random.default_rng(SEED)
    flipped = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, rng=random)
    low, high = _interval(values, "BCa")
    if not np.isfinite([low, high]).all():
        low, high = _interval(values, "percentile")
    return Shift(float(values.mean()), float(low), float(high), float(flipped.pvalue), len(values))


def _interval(values: np.ndarray, method: Literal["BCa", "percentile"]) -> tuple[float, float]:
    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a degenerate sample is told by the NaN that is looked for
        found = stats.bootstrap((values,), np.mean, n_resamples=RESAMPLES, method=method, rng=np.random.default_rng(SEED))
    return found.confidence_interval.low, found.confidence_interval.high


def t_shift(differences: Sequence[float]) -> Shift:
    """Mean of a few differences with Student's t interval and p (1908): for 2 to 10 values, where a bootstrap is too sure.

    With fewer than two, or none that differ, the interval is the mean itself and p is 1.
    """
    from scipy import stats

    values = np.asarray(differences, dtype=float)
    if len(values) < 2 or np.ptp(values) < 1e-12:
        mean = float(values.mean()) if len(values) else 0.0
        return Shift(mean, mean, mean, 1.0, len(values))
    found = stats.ttest_1samp(values, 0.0)
    low, high = found.confidence_interval(LEVEL)
    return Shift(float(values.mean()), float(low), float(high), float(found.pvalue), len(values))


def seed_shift(means: Sequence[float]) -> Shift:
    """One mean a training seed: t interval, and the p of all sign flips (random ones from 14 seeds on). It can't be below `least_p(n)`."""
    from scipy import stats

    values = np.asarray(means, dtype=float)
    if len(values) < 2:
        return t_shift(values)
    flipped = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, rng=np.random.default_rng(SEED))
    return replace(t_shift(values), p=float(flipped.pvalue))


def apart(first: Sequence[float], second: Sequence[float]) -> Shift:
    """The difference of two independent groups' means: Welch's t interval (1947), permutation p over all ways to split them.

    `n` is the smaller group. With fewer than two in a group the interval is the difference itself and p is 1.
    """
    from scipy import stats

    one, other = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    difference = float(one.mean() - other.mean()) if len(one) and len(other) else 0.0
    n = min(len(one), len(other))
    if n < 2:
        return Shift(difference, difference, difference, 1.0, n)

    def statistic(x: np.ndarray, y: np.ndarray, axis: int) -> Any:
        return x.mean(axis) - y.mean(axis)

    permuted = stats.permutation_test(
        (one, other), statistic, permutation_type="independent", vectorized=True, n_resamples=RESAMPLES, rng=np.random.default_rng(SEED)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # groups without any spread are told by the NaN that is looked for
        low, high = stats.ttest_ind(one, other, equal_var=False).confidence_interval(LEVEL)
    if not np.isfinite([low, high]).all():
        low = high = difference
    return Shift(difference, float(low), float(high), float(permuted.pvalue), n)


def least_p(n: int, other: int = 0) -> float:
    """The smallest two-sided p that sign flips of n values can give, or, with `other`, permutations of two groups."""
    return min(1.0, 2 / (comb(n + other, n) if other else 2**n))


def dz(differences: Sequence[float]) -> float | None:
    """Standardised mean difference of paired values: their mean divided by their SD (Cohen 1988); None where they don't vary."""
    values = np.asarray(differences, dtype=float)
    if len(values) < 2 or np.ptp(values) < 1e-12:
        return None
    return float(values.mean() / values.std(ddof=1))


def ring(values: Sequence[float], scale: float = 10.0) -> float:
    """The chance ring: 95th percentile of |scale * mean| under random signs (Fisher 1935), 0 without values.

    So far from the middle gets somebody who answers with the same strengths and no view.
    """
    given = np.asarray(values, dtype=float)
    if not len(given):
        return 0.0
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], size=(RESAMPLES, len(given)))
    return float(scale * np.quantile(np.abs((signs * given).mean(axis=1)), LEVEL))


def correlation(
    first: Sequence[float], second: Sequence[float], kind: Literal["spearman", "pearson"] = "spearman", resamples: int = RESAMPLES
) -> Correlation:
    """Correlation of paired values; the interval: percentiles of a bootstrap that draws items (Efron 1979), through SciPy.

    Resamples in which a side does not vary have no correlation and are left out.
    """
    from scipy import stats

    one, other = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if len(one) < FEWEST_PAIRS or min(np.ptp(one), np.ptp(other)) < 1e-12:
        return Correlation(None, None, None, len(one))

    def statistic(x: np.ndarray, y: np.ndarray, axis: int = -1) -> Any:
        ranked = [stats.rankdata(side, axis=axis) for side in (x, y)] if kind == "spearman" else [x, y]
        return stats.pearsonr(*ranked, axis=axis).statistic

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # resamples without any spread are NaN and left out below
        drawn = stats.bootstrap(
            (one, other), statistic, paired=True, vectorized=True, n_resamples=resamples, method="percentile",
            rng=np.random.default_rng(SEED),
        )  # fmt: skip
    low, high = np.nanquantile(drawn.bootstrap_distribution, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Correlation(float(statistic(one, other)), float(low), float(high), len(one))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the given order (Holm 1979)."""
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    for rank, number in enumerate(sorted(range(count), key=lambda n: p_values[n])):
        highest = max(highest, min(1.0, (count - rank) * p_values[number]))
        adjusted[number] = highest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values that bound the false discovery rate, in the given order (Benjamini and Hochberg 1995, through SciPy)."""
    from scipy import stats

    return [float(p) for p in stats.false_discovery_control(p_values, method="bh")] if p_values else []
