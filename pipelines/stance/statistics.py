"""Shifts with intervals: items are the unit, forms and samples are averaged before anything is tested."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np

from pipelines.records import Shift

RESAMPLES = 9999
SEED = 20240412


def shift(differences: Sequence[float]) -> Shift:
    """Mean of per-item differences, 95% BCa bootstrap interval, two-sided sign-flip permutation p.

    Sources: Efron 1987 (BCa), Fisher 1935 (sign flips), both through SciPy. With fewer than two items, or none that
    differ, the interval is the mean itself and p is 1; where BCa is undefined, the percentile interval is given.
    """
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


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the given order (Holm 1979)."""
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    for rank, number in enumerate(sorted(range(count), key=lambda n: p_values[n])):
        highest = max(highest, min(1.0, (count - rank) * p_values[number]))
        adjusted[number] = highest
    return adjusted
