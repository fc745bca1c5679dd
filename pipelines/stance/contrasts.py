"""Left, right and placebo against each other: direction, drift and what is left beyond the placebo, over items and over training seeds.

direction = (dR - dL) / 2, drift = (dR + dL) / 2, net right = dR - dP, net left = dL - dP, where d is a shift from the base. Two units:
items, seeds averaged first (speaks about these adapters), and training seeds, items averaged first (speaks about the recipe).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from pipelines.errors import StudioError
from pipelines.records import AXES, Shift
from pipelines.stance.collateral import red_lines
from pipelines.stance.statistics import apart, dz, holm, least_p, seed_shift, shift
from pipelines.stance.study import BASE, LEFT, PLACEBO, RIGHT, Study
from pipelines.stance.values import INSTRUMENTS, Repeated, Values, column_values, places, role_repeats, role_values

SHUFFLED = "shuffled"
CONTRASTS: dict[str, dict[str, float]] = {
    "direction": {RIGHT: 0.5, LEFT: -0.5},
    "drift": {RIGHT: 0.5, LEFT: 0.5},
    "net_right": {RIGHT: 1.0, PLACEBO: -1.0},
    "net_left": {LEFT: 1.0, PLACEBO: -1.0},
    SHUFFLED: {SHUFFLED: 1.0},
    "right_beyond_shuffled": {RIGHT: 1.0, SHUFFLED: -1.0},
    "left_beyond_shuffled": {LEFT: 1.0, SHUFFLED: -1.0},
}
ITEMS, SEEDS = "items", "training seeds"
ENOUGH_SEEDS = 5


@dataclass(frozen=True)
class Contrast:
    """One contrast on one axis by one instrument. `n` counts the unit; `p_holm` is adjusted over the two axes.

    `least_p` is the smallest p that so few training seeds can give (0 over items). `dz` is the standardised mean over items.
    """

    name: str
    instrument: str
    axis: str
    unit: str
    mean: float
    low: float
    high: float
    p: float
    p_holm: float
    n: int
    least_p: float = 0.0
    dz: float | None = None

    @property
    def about(self) -> str:
        """What it speaks about: adapters, the recipe, or, with too few seeds, not yet the recipe."""
        if self.unit == ITEMS:
            return "these adapters"
        return "the recipe" if self.n >= ENOUGH_SEEDS else f"not yet the recipe: fewer than {ENOUGH_SEEDS} training seeds"


@dataclass(frozen=True)
class Comparison:
    """Two studies' contrasts and `differences`, first minus second."""

    names: tuple[str, str]
    first: list[Contrast]
    second: list[Contrast]
    differences: list[Contrast]


def available(study: Study) -> list[str]:
    """The contrasts whose roles the study has; a column or role of its own that is called like a contrast hides that contrast."""
    return [name for name, weights in CONTRASTS.items() if is_contrast(study, name) and all(study.columns_of(role) for role in weights)]


def is_contrast(study: Study, name: str) -> bool:
    """Whether a name means a contrast here, and not a column or role that happens to be called so."""
    role = name in study.roles and name != SHUFFLED
    return name in CONTRASTS and not role and (name not in study.columns or name in study.roles)


def contrasts(study: Study, half: str = "all") -> list[Contrast]:
    """Every contrast that the study's roles allow, by instrument and axis: a row over items and, from two seeds a role, one over seeds."""
    found = []
    for name in available(study):
        for instrument in INSTRUMENTS:
            rows = [_over_items(study, instrument, name, axis, half) for axis in AXES]
            seeds = [_over_seeds(study, instrument, name, axis, half) for axis in AXES]
            found += [*_adjusted(rows), *_adjusted(seeds)]
    return found


def why_no_seeds(study: Study) -> str:
    """Which roles have a single training seed, so that nothing is tested over seeds; "" where all have two or more."""
    roles = {role for name in available(study) for role in CONTRASTS[name]}
    single = [role for role in study.roles if role in roles and len(study.columns_of(role)) < 2]
    if not single:
        return ""
    return f"Over training seeds nothing can be said: {' and '.join(single)} {'has' if len(single) == 1 else 'have'} only one."


def weights_of(study: Study, name: str) -> Mapping[str, float]:
    """The roles of a contrast with their weights, or the role or column itself. Raises StudioError where the study has no such thing."""
    weights = CONTRASTS[name] if is_contrast(study, name) else {name: 1.0}
    missing = [role for role in weights if not study.columns_of(role)]
    if missing:
        raise StudioError(f"This study has no {' and no '.join(missing)}.", "Choose one of its columns.")
    return weights


def damaged(study: Study) -> list[str]:
    """Tuned columns whose language is broken, so that their stance is void (measurement.md, 4)."""
    return [column for column, lines in red_lines(study).items() if lines]


def void(study: Study, name: str) -> str:
    """Why the shift of a column, role or contrast is void: "the language of left (seed 7) is damaged"; "" where it stands."""
    if name == BASE:
        return ""
    behind = {column for role in weights_of(study, name) for column in study.columns_of(role)}
    broken = [column for column in damaged(study) if column in behind]
    return f"the language of {', '.join(broken)} is damaged" if broken else ""


def item_values(study: Study, instrument: str, name: str, half: str = "all") -> Values:
    """The shift from the base of a contrast, role or column by item, over the items that all its roles and the base answered."""
    base = column_values(study, instrument, BASE, half)
    parts = [(weight, role_values(study, instrument, role, half)) for role, weight in weights_of(study, name).items()]
    return {item: sum(w * (one[item] - base[item]) for w, one in parts) for item in base if all(item in one for _, one in parts)}


def repeat_values(study: Study, instrument: str, name: str, half: str = "all") -> Repeated:
    """The same by item and repeat (draw or form), over the repeats that all have."""
    base = role_repeats(study, instrument, BASE, half)
    parts = [(weight, role_repeats(study, instrument, role, half)) for role, weight in weights_of(study, name).items()]
    return {
        item: {key: sum(w * (one[item][key] - value) for w, one in parts) for key, value in repeats.items() if all(key in one[item] for _, one in parts)}
        for item, repeats in base.items()
        if all(item in one for _, one in parts)
    }  # fmt: skip


def on_axis(study: Study, instrument: str, values: Mapping[str, Any], axis: str | None) -> dict[str, Any]:
    """Those values whose item is on the axis; all for None."""
    where = places(study, instrument)
    return {item: value for item, value in values.items() if axis in (None, where[item].axis)}


def _over_items(study: Study, instrument: str, name: str, axis: str, half: str) -> Contrast | None:
    values = list(on_axis(study, instrument, item_values(study, instrument, name, half), axis).values())
    return _made(name, instrument, axis, ITEMS, shift(values), effect=dz(values)) if values else None


def _over_seeds(study: Study, instrument: str, name: str, axis: str, half: str) -> Contrast | None:
    """Paired by seed where all roles were trained with the same ones, else as two independent groups; None below two seeds a role."""
    paired = seed_values(study, instrument, name, axis, half)
    if paired is not None:
        return _made(name, instrument, axis, SEEDS, seed_shift(paired), least_p(len(paired))) if len(paired) > 1 else None
    one, other = (_weighted(study, instrument, role, weight, axis, half) for role, weight in CONTRASTS[name].items())
    if min(len(one), len(other)) < 2:
        return None
    found = apart(list(one.values()), [-value for value in other.values()])
    return _made(name, instrument, axis, SEEDS, found, least_p(len(one), len(other)))


def seed_values(study: Study, instrument: str, name: str, axis: str | None, half: str = "all") -> list[float] | None:
    """A contrast's mean over items for each training seed; None where its roles were not trained with the same seeds."""
    groups = [_weighted(study, instrument, role, weight, axis, half) for role, weight in weights_of(study, name).items()]
    if any(set(one) != set(groups[0]) for one in groups):
        return None
    return [sum(one[seed] for one in groups) for seed in groups[0]]


def _weighted(study: Study, instrument: str, role: str, weight: float, axis: str | None, half: str) -> dict[str, float]:
    """The mean shift of each of a role's columns times the weight, by what its name says after the role: "(seed 7)"."""
    found = {}
    for column in study.columns_of(role):
        values = on_axis(study, instrument, item_values(study, instrument, column, half), axis)
        if values:
            found[column.removeprefix(role).strip()] = weight * fmean(values.values())
    return found


def _made(name: str, instrument: str, axis: str, unit: str, found: Shift, least: float = 0.0, effect: float | None = None) -> Contrast:
    return Contrast(name, instrument, axis, unit, found.mean, found.low, found.high, found.p, found.p, found.n, least, effect)


def _adjusted(rows: Sequence[Contrast | None]) -> list[Contrast]:
    """The rows that there are, Holm-adjusted together."""
    given = [row for row in rows if row is not None]
    return [replace(row, p_holm=p) for row, p in zip(given, holm([row.p for row in given]), strict=True)]


def compare(first: Study, second: Study, names: tuple[str, str] = ("first", "second"), half: str = "all") -> Comparison:
    """Two data selections or recipes against each other: each one's contrasts, and first minus second, over items and over seeds.

    Over items both answered the same ones, so these are paired; over seeds they are two independent groups (Welch, permutations).
    Raises StudioError where base or protocol differ, or where there is no contrast that both have.
    """
    _comparable(first, second)
    shared = [name for name in available(first) if name in available(second)]
    if not shared:
        raise StudioError("These two results have no contrast in common.", "Measure left, right and placebo in both.")
    found = []
    for name in shared:
        for instrument in INSTRUMENTS:
            found += _adjusted([_items_apart(first, second, instrument, name, axis, half) for axis in AXES])
            found += _adjusted([_seeds_apart(first, second, instrument, name, axis, half) for axis in AXES])
    return Comparison(names, contrasts(first, half), contrasts(second, half), found)


def _items_apart(first: Study, second: Study, instrument: str, name: str, axis: str, half: str) -> Contrast | None:
    one, other = (on_axis(study, instrument, item_values(study, instrument, name, half), axis) for study in (first, second))
    differences = [value - other[item] for item, value in one.items() if item in other]
    return _made(name, instrument, axis, ITEMS, shift(differences), effect=dz(differences)) if differences else None


def _seeds_apart(first: Study, second: Study, instrument: str, name: str, axis: str, half: str) -> Contrast | None:
    one, other = (seed_values(study, instrument, name, axis, half) or [] for study in (first, second))
    if min(len(one), len(other)) < 2:
        return None
    return _made(name, instrument, axis, SEEDS, apart(one, other), least_p(len(one), len(other)))


def _comparable(first: Study, second: Study) -> None:
    """Raises StudioError where two studies did not ask the same base the same things."""
    if _base(first) != _base(second):
        raise StudioError("These two results are of different base models.", "Compare runs of one and the same base.")
    if _protocol(first) != _protocol(second):
        raise StudioError("These two results were measured in different ways.", "Measure both with the same protocol, then compare them.")


def _base(study: Study) -> set[str]:
    return {row["stamp"]["base_fingerprint"] for row in study.answers}


def _protocol(study: Study) -> Any:
    """The protocol's hash; for older studies, that have none, what was asked and how."""
    if study.protocol.get("hash"):
        return study.protocol["hash"]
    draws = {(row["question"], row["sample"]) for row in study.answers}
    return draws, [set(places(study, instrument)) for instrument in INSTRUMENTS], study.sampling
