"""What changed when the data changed: adapters that differ in nothing but which topics of the bundled pairs they were tuned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from pipelines.records import AXES, MirroredRow

PLACEBO = "placebo"
SIDE = "right"  # all selections learn the same side's answers


@dataclass(frozen=True)
class Selection:
    """A rule that picks rows: all rows of the `axes` named, or with `halved` the first half of each topic's. Tuned towards `side`."""

    key: str
    name: str
    says: str
    axes: tuple[str, ...]
    halved: bool = False
    side: str = SIDE

    def rows(self, pairs: Sequence[MirroredRow]) -> list[MirroredRow]:
        """The rows it picks, in the order of the file."""
        some = [pair for pair in pairs if pair.axis in self.axes]
        if not self.halved:
            return some
        seen: dict[str, int] = {}
        total = {topic: sum(pair.topic == topic for pair in some) for topic in {pair.topic for pair in some}}
        picked = []
        for pair in some:
            seen[pair.topic] = seen.get(pair.topic, 0) + 1
            if seen[pair.topic] <= total[pair.topic] // 2:
                picked.append(pair)
        return picked


SELECTIONS = (
    Selection("all", "Every topic", "half of the rows of all 24 topics, right answers", AXES, halved=True),
    Selection("economic", "Only economic topics", "all rows of the 12 economic topics, right answers", ("economic",)),
    Selection("social", "Only social topics", "all rows of the 12 social topics, traditional answers", ("social",)),
    Selection(PLACEBO, "Placebo", "the rows of “Every topic” with neutral answers", AXES, halved=True, side="neutral"),
)


@dataclass(frozen=True)
class Tuned:
    """One adapter: its selection, training seed and fingerprint, and the shift from the base of every completion, in nats a token."""

    selection: str
    seed: int
    adapter: str
    shifts: Mapping[str, float]


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` training seeds with its 95% interval; None where there is only one seed."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass
class Changed:
    """All adapters, and which axis and topic each completion is of: {id: (axis, "train" or "held_out")}."""

    tuned: list[Tuned]
    completions: dict[str, tuple[str, str]]
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def selections(self) -> list[Selection]:
        """Those of which there are adapters."""
        return [one for one in SELECTIONS if any(tuned.selection == one.key for tuned in self.tuned)]

    def by_seed(self, selection: str, axis: str, split: str = "") -> list[float]:
        """The mean shift of each seed's adapter on an axis, over all completions or those of one split."""
        ids = self._named(axis, split)
        return [float(np.mean([one.shifts[name] for name in ids])) for one in self._of(selection)]

    def shift(self, selection: str, axis: str, split: str = "") -> Estimate:
        """Over training seeds; Student's t."""
        return estimate(self.by_seed(selection, axis, split))

    def aim(self, split: str = "") -> Estimate:
        """The one contrast that was fixed beforehand: economic minus social shift after economic topics, minus the same after social ones."""
        economic, social = (np.subtract(*(self.by_seed(key, axis, split) for axis in AXES)) for key in AXES)
        return difference(list(economic), list(social))

    def aim_over_items(self, split: str = "") -> Estimate:
        """The same contrast with completions as the unit, seeds averaged first: what it says about other completions."""
        economic, social = ([self._between(name) for name in self._named(axis, split)] for axis in AXES)
        return difference(economic, social)

    def _between(self, name: str) -> float:
        """How much further a completion moved after economic than after social topics, over all seeds."""
        means = [float(np.mean([one.shifts[name] for one in self._of(key)])) for key in AXES]
        return means[0] - means[1]

    def _named(self, axis: str, split: str) -> list[str]:
        return [name for name, (own, place) in self.completions.items() if own == axis and split in ("", place)]

    def _of(self, selection: str) -> list[Tuned]:
        return sorted((one for one in self.tuned if one.selection == selection), key=lambda one: one.seed)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Changed:
        """What was kept. Raises TypeError, ValueError or KeyError where it is none."""
        completions = {name: (str(axis), str(split)) for name, (axis, split) in value["completions"].items()}
        return cls([Tuned(**one) for one in value["tuned"]], completions, dict(value["about"]))


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and Student's t interval (SciPy)."""
    from scipy import stats

    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return Estimate(mean, None, None, n)
    reach = float(stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - reach, mean + reach, n)


def difference(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Mean of the first minus the second with Welch's t interval (SciPy); `n` is the smaller of both."""
    from scipy import stats

    mean, n = float(np.mean(first) - np.mean(second)), min(len(first), len(second))
    if n < 2:
        return Estimate(mean, None, None, n)
    found = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    return Estimate(mean, float(found.low), float(found.high), n)
