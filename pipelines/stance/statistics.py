"""Shifts with intervals: items are the unit, forms and samples are averaged before anything is tested."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.records import Shift

RESAMPLES = 9999
SEED = 20240412


def shift(differences: Sequence[float]) -> Shift:
    """Mean of per-item differences, 95% BCa bootstrap interval, two-sided sign-flip permutation p.

    Sources: Efron 1987 (BCa), Fisher 1935 (sign flips), both through SciPy. With fewer than two items, or none that
    differ, the interval is the mean itself and p is 1.
    """
    from scipy import stats

    values = np.asarray(differences, dtype=float)
    if len(values) < 2 or np.ptp(values) == 0:
        mean = float(values.mean()) if len(values) else 0.0
        return Shift(mean, mean, mean, 1.0, len(values))
    random = np.random.default_rng(SEED)
    flipped = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, rng=random)
    spread = stats.bootstrap((values,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(SEED))
    low, high = spread.confidence_interval
    return Shift(float(values.mean()), float(low), float(high), float(flipped.pvalue), len(values))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the given order (Holm 1979)."""
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    for rank, number in enumerate(sorted(range(count), key=lambda n: p_values[n])):
        highest = max(highest, min(1.0, (count - rank) * p_values[number]))
        adjusted[number] = highest
    return adjusted
