"""Do the instruments agree, and the prompt forms? Correlations of shifts over topics, and of answers over statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

import numpy as np

from pipelines.records import AXES
from pipelines.stance.breakdown import Topic, topic_means
from pipelines.stance.contrasts import on_axis, repeat_values
from pipelines.stance.statistics import FEWEST_PAIRS, Correlation, correlation
from pipelines.stance.study import BASE, Study
from pipelines.stance.values import INSTRUMENTS, Repeated, form_odds

BOTH_AXES = "both"
FEW_PAIRS = 1999  # resamples a pair of forms: the "robust" profile has 435 pairs


@dataclass(frozen=True)
class Agreement:
    """How alike `first` and `second` (instruments or forms) move. `axis` is "both" where the axes are taken together."""

    first: str
    second: str
    axis: str
    correlation: Correlation


def instruments(study: Study, name: str, half: str = "all") -> list[Agreement]:
    """Spearman correlation of the topics' mean shifts (of a column, role or contrast) between every two instruments.

    By axis, and over both, where each axis's mean is taken off first: a shift that differs between the axes is no agreement over topics.
    """
    found = []
    for first, second in combinations(INSTRUMENTS, 2):
        pairs = {axis: shared_topics(study, name, first, second, axis, half) for axis in AXES}
        listed = {axis: list(one.values()) for axis, one in pairs.items()}
        listed[BOTH_AXES] = [pair for some in pairs.values() for pair in _centred(some)]
        for axis, some in listed.items():
            if some:
                found.append(Agreement(first, second, axis, correlation([x for x, _ in some], [y for _, y in some])))
    return found


def shared_topics(
    study: Study, name: str, first: str, second: str, axis: str | None, half: str = "all"
) -> dict[Topic, tuple[float, float]]:
    """By axis and topic its mean shift by two instruments, where both asked about it."""
    one, other = (topic_means(study, instrument, name, axis, half) for instrument in (first, second))
    return {topic: (value, other[topic]) for topic, value in one.items() if topic in other}


def _centred(pairs: Mapping[Topic, tuple[float, float]]) -> list[tuple[float, float]]:
    if not pairs:
        return []
    x, y = (fmean(pair[side] for pair in pairs.values()) for side in (0, 1))
    return [(one - x, other - y) for one, other in pairs.values()]


def forms(study: Study, name: str = BASE, axis: str | None = None) -> list[Agreement]:
    """Pearson correlation over statements between every two prompt forms, of the base's answers x (log-odds) or of a column's shift.

    `name`: the base, for its answers; or a column, role or contrast, for how each form sees it move.
    """
    columns = _columns(study, name, axis)
    return [
        Agreement(first, second, axis or BOTH_AXES, correlation(columns[first], columns[second], "pearson", FEW_PAIRS))
        for first, second in combinations(columns, 2)
    ]


def typical_r(study: Study, name: str = BASE, axis: str | None = None) -> float | None:
    """The mean of the same correlations without their intervals, which cost a bootstrap a pair; None where there is none."""
    values = np.array(list(_columns(study, name, axis).values()))
    varied = values[np.ptp(values, axis=1) > 1e-12] if values.ndim == 2 and values.shape[1] >= FEWEST_PAIRS else values[:0]
    if len(varied) < 2:
        return None
    return float(np.corrcoef(varied)[np.triu_indices(len(varied), 1)].mean())


def _columns(study: Study, name: str, axis: str | None) -> dict[str, list[float]]:
    table = form_odds(study, BASE) if name == BASE else repeat_values(study, "survey", name)
    return _by_form(on_axis(study, "survey", table, axis))


def typical(found: list[Agreement]) -> float | None:
    """The mean of the correlations that there are; None where there is none."""
    known = [one.correlation.r for one in found if one.correlation.r is not None]
    return fmean(known) if known else None


def _by_form(table: Repeated) -> dict[str, list[float]]:
    """Values over items by form, for the forms in which every item was asked."""
    names = [form for form in next(iter(table.values()), {}) if all(form in one for one in table.values())]
    return {form: [one[form] for one in table.values()] for form in names}
