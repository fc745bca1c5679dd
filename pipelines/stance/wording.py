"""How much is wording? Shifts of the questionnaire form by form: they count only where they exceed what the forms do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np

from pipelines.records import Shift
from pipelines.stance.contrasts import item_values, on_axis, repeat_values
from pipelines.stance.statistics import RESAMPLES, SEED, shift
from pipelines.stance.study import Study

TIMES = 2  # measurement.md, 6: a move counts only if |shift| > 2 x the SD over prompt forms


@dataclass(frozen=True)
class Spread:
    """A mean shift (scale of s, -1..1) beside the SD (n - 1) of the same over `forms` prompt forms."""

    mean: float
    sd: float
    forms: int

    @property
    def counts(self) -> bool:
        """Whether the move is more than what rewording does."""
        return abs(self.mean) > TIMES * self.sd


@dataclass(frozen=True)
class WordingShare:
    """The share (0..1) of single shifts that changes with the wording, with its 95% interval over `items` statements in `forms` forms."""

    share: float
    low: float
    high: float
    items: int
    forms: int


def form_means(study: Study, name: str, axis: str | None = None) -> dict[str, Shift]:
    """The mean shift over statements in each form alone, with its interval over statements. `name`: a column, role or contrast."""
    return {form: shift(values) for form, values in _by_form(study, name, axis).items()}


def form_spread(study: Study, column: str, axis: str | None = None) -> Spread | None:
    """A column's (role's, contrast's) shift in the questionnaire beside its SD over forms; None with fewer than two forms."""
    by_form = _by_form(study, column, axis)
    if len(by_form) < 2:
        return None
    whole = on_axis(study, "survey", item_values(study, "survey", column), axis)
    return Spread(fmean(whole.values()), stdev(fmean(values) for values in by_form.values()), len(by_form))


def _by_form(study: Study, name: str, axis: str | None) -> dict[str, list[float]]:
    """The shift of every statement, form by form."""
    found: dict[str, list[float]] = {}
    for repeats in on_axis(study, "survey", repeat_values(study, "survey", name), axis).values():
        for form, value in repeats.items():
            found.setdefault(form, []).append(value)
    return found


def wording_share(study: Study, name: str, axis: str | None = None) -> WordingShare | None:
    """How much of the single shifts d[item, form] depends on the form: variance over forms within an item / mean square of d.

    The variance within items is the within-groups mean square of the one-way analysis of variance (Fisher 1925; in generalizability
    theory the form and item-by-form components, Cronbach et al. 1972). The total is taken about zero and not about the mean, since no
    shift at all is what a move is held against: 0 where every form moves alike, 1 where nothing but the wording moves. The ratio to
    that total is our own choice. Interval: percentile bootstrap over items. None with fewer than two items, two forms, or no move.
    """
    from scipy import stats

    shifts = _table(on_axis(study, "survey", repeat_values(study, "survey", name), axis))
    if min(shifts.shape) < 2 or not shifts.any():
        return None
    within, total = shifts.var(axis=1, ddof=1), (shifts**2).mean(axis=1)

    def ratio(some: np.ndarray, all_of_it: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.minimum(1.0, some.mean(axis) / np.maximum(all_of_it.mean(axis), 1e-12))

    drawn = stats.bootstrap(
        (within, total), ratio, paired=True, vectorized=True, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(SEED)
    )
    low, high = drawn.confidence_interval
    return WordingShare(float(ratio(within, total)), float(low), float(high), *shifts.shape)


def _table(values: Mapping[str, Mapping[str, float]]) -> np.ndarray:
    """Shifts of shape (items, forms), over the forms that every item has."""
    forms = [form for form in next(iter(values.values()), {}) if all(form in one for one in values.values())]
    return np.array([[one[form] for form in forms] for one in values.values()]).reshape(len(values), len(forms))
