"""How far the ruler can be trusted: shares and areas under the curve, with intervals that take a whole topic as one draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

AUC_GATE, FLIP_GATE = 0.75, 0.60
RESAMPLES, SEED, LEVEL = 2000, 20240412, 0.95
Interval = tuple[float, float]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval; `n` is the number of clusters (topics or rows) that were drawn."""

    value: float
    low: float
    high: float
    n: int

    @property
    def interval(self) -> Interval:
        return self.low, self.high


@dataclass(frozen=True)
class Validity:
    """How far the ruler can be trusted, by axis: AUC on topics it was not fitted on, and pole statements that flip.

    `neutral` is where neutral answers of unseen topics land on average (0 would be perfect, -1 and +1 are the sides).
    `flip` is the share of propositions whose score changes sign for the affirmative opposite; `negation` the same for
    a literal "It is not true that"; encoders hardly notice that one. `ordered` is the share of propositions that lie on the
    right side of their opposites: .5 is chance, which `flip` alone can't tell. The intervals (95%, by topic) came later than
    the rest, so studies that were recorded before hold none.
    """

    auc: dict[str, float]
    pairwise: dict[str, float]
    neutral: dict[str, float]
    flip: float
    negation: float
    ordered: float | None = None
    auc_interval: dict[str, Interval] = field(default_factory=dict)
    pairwise_interval: dict[str, Interval] = field(default_factory=dict)
    neutral_interval: dict[str, Interval] = field(default_factory=dict)
    flip_interval: Interval | None = None
    negation_interval: Interval | None = None
    ordered_interval: Interval | None = None
    topics: dict[str, int] = field(default_factory=dict)

    @property
    def measures_stance(self) -> bool:
        """measurement.md's gate: AUC >= .75 on both axes and flip >= .6; else it is topic and wording."""
        return min(self.auc.values()) >= AUC_GATE and self.flip >= FLIP_GATE

    def as_dict(self) -> dict[str, object]:
        """All figures as they are after a way through JSON, with `measures_stance`."""
        return {**{name: _plain(value) for name, value in asdict(self).items()}, "measures_stance": self.measures_stance}


@dataclass(frozen=True)
class Unseen:
    """Raw scores of one axis by fits that never saw the text's topic, with the topics; left and right in matched order."""

    left: np.ndarray
    right: np.ndarray
    neutral: np.ndarray
    topics: Sequence[str]
    neutral_topics: Sequence[str]

    @property
    def scale(self) -> tuple[float, float]:
        """The middle between the sides' mean scores, and half their distance."""
        left, right = float(self.left.mean()), float(self.right.mean())
        return (right + left) / 2, max(1e-6, (right - left) / 2)


@dataclass(frozen=True)
class Flips:
    """Scores of propositions, their opposites and their negations on their own axis, each 0 midway; keys are +1 or -1."""

    plain: np.ndarray
    opposite: np.ndarray
    negated: np.ndarray
    keys: np.ndarray
    topics: Sequence[str]


def measured(unseen: dict[str, Unseen], flips: Flips) -> Validity:
    """All figures with their intervals."""
    auc = {axis: area(one.left, one.right, one.topics, one.topics) for axis, one in unseen.items()}
    pairwise = {axis: share(one.right > one.left, one.topics) for axis, one in unseen.items()}
    neutral = {axis: neutral_place(one) for axis, one in unseen.items()}
    flip = share(flips.plain * flips.opposite < 0, flips.topics)
    negation = share(flips.plain * flips.negated < 0, flips.topics)
    ordered = share((flips.plain - flips.opposite) * flips.keys > 0, flips.topics)
    return Validity(
        _values(auc),
        _values(pairwise),
        _values(neutral),
        flip.value,
        negation.value,
        ordered.value,
        _intervals(auc),
        _intervals(pairwise),
        _intervals(neutral),
        flip.interval,
        negation.interval,
        ordered.interval,
        {axis: one.n for axis, one in auc.items()},
    )


def area(left: np.ndarray, right: np.ndarray, left_groups: Sequence[str], right_groups: Sequence[str]) -> Estimate:
    """AUC: the chance that a right text scores above a left one, ties half (Mann-Whitney; Hanley and McNeil 1982).

    Interval: percentiles of a bootstrap that draws whole groups, so that texts of one topic or row stay together.
    """
    above = (right[:, None] > left[None, :]) + 0.5 * (right[:, None] == left[None, :])
    names = sorted({*left_groups, *right_groups})
    rights, lefts = _belongs(right_groups, names), _belongs(left_groups, names)
    drawn = _draws(len(names))
    won = np.einsum("rg,gh,rh->r", drawn, rights.T @ above @ lefts, drawn)
    pairs = (drawn @ rights.sum(axis=0)) * (drawn @ lefts.sum(axis=0))
    return _estimate(float(above.mean()), won[pairs > 0] / pairs[pairs > 0], len(names))


def share(hits: np.ndarray, groups: Sequence[str]) -> Estimate:
    """The share of true values, with the interval of a bootstrap that draws whole groups."""
    names = sorted(set(groups))
    belongs, drawn = _belongs(groups, names), _draws(len(set(groups)))
    return _estimate(float(np.mean(hits)), (drawn @ (belongs.T @ hits)) / (drawn @ belongs.sum(axis=0)), len(names))


def neutral_place(one: Unseen) -> Estimate:
    """Where neutral texts land, -1 and +1 being the sides; 0 without any. The sides are drawn anew with their topics."""
    if not len(one.neutral):
        return Estimate(0.0, 0.0, 0.0, 0)
    names = sorted({*one.topics, *one.neutral_topics})
    drawn = _draws(len(names))
    sided, empty = _belongs(one.topics, names), _belongs(one.neutral_topics, names)
    parts = ((one.left, sided), (one.right, sided), (one.neutral, empty))
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw without a neutral text has no place, and is left out below
        left, right, neutral = ((drawn @ (belongs.T @ raw)) / (drawn @ belongs.sum(axis=0)) for raw, belongs in parts)
        places = (2 * neutral - right - left) / (right - left)
    middle, half = one.scale
    return _estimate(float((one.neutral.mean() - middle) / half), places[np.isfinite(places)], len(names))


def _belongs(groups: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """1 where a text is of a group, shape (texts, groups)."""
    return (np.asarray(groups, dtype=object)[:, None] == np.asarray(names, dtype=object)[None, :]).astype(float)


def _draws(groups: int) -> np.ndarray:
    """How often each group is drawn in each resample, shape (resamples, groups)."""
    return np.random.default_rng(SEED).multinomial(groups, np.full(groups, 1 / groups), size=RESAMPLES).astype(float)


def _estimate(value: float, resampled: np.ndarray, n: int) -> Estimate:
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if len(resampled) else (value, value)
    return Estimate(value, float(low), float(high), n)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _values(found: dict[str, Estimate]) -> dict[str, float]:
    return {axis: one.value for axis, one in found.items()}


def _intervals(found: dict[str, Estimate]) -> dict[str, Interval]:
    return {axis: one.interval for axis, one in found.items()}
