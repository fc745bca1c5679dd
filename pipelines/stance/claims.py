"""What a study shows: shifts from the base, and what may be claimed against the placebo.

A role (left, right, placebo) may have been trained with several seeds. Its value of a question is the mean over its columns,
taken before anything is tested: questions are the unit for claims about these adapters, training seeds for claims about a recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean, stdev
from typing import Any

from pipelines.records import AXES
from pipelines.stance.statistics import holm, shift
from pipelines.stance.study import BASE, LEFT, PLACEBO, RIGHT, ROLES, Study

INSTRUMENTS = ("ruler", "completion", "survey")
ENOUGH_SEEDS = 5
CLAIMS = {
    "right_minus_placebo": "the right adapter lands right of the placebo",
    "placebo_minus_left": "the left adapter lands left of the placebo",
}
PERPLEXITY_LIMIT, FACTS_LIMIT, LEVEL = 1.10, 1, 0.05


def question_means(study: Study, column: str, half: str = "all") -> dict[str, float]:
    """A column's mean ruler score by question, on the question's own axis, averaged over samples."""
    sums: dict[str, list[float]] = {}
    for answer in study.answers:
        if answer["column"] == column and half in ("all", answer["half"]):
            sums.setdefault(answer["question"], []).append(answer[answer["axis"]])
    return {question: sum(values) / len(values) for question, values in sums.items()}


def completion_values(study: Study, column: str) -> dict[str, float]:
    """A column's paired-completion score by completion."""
    return {row["completion"]: row["value"] for row in study.completions if row["column"] == column}


def survey_values(study: Study, column: str) -> dict[str, float]:
    """A column's answer to each statement of the questionnaire, s = tanh(x/2) in -1..1, by item."""
    return {row["item"]: row["s"] for row in study.survey if row["column"] == column}


def axis_of(study: Study) -> dict[str, str]:
    """The axis of every question, completion and item by id."""
    asked = {r["question"]: r["axis"] for r in study.answers} | {r["completion"]: r["axis"] for r in study.completions}
    return asked | {r["item"]: r["axis"] for r in study.survey}


def contrast(plus: Mapping[str, float], minus: Mapping[str, float], ids: Sequence[str] | None = None) -> dict[str, Any]:
    """Shift of paired differences over the items that both have (or the given ones), as a plain dict."""
    wanted = set(plus if ids is None else ids)
    chosen = [item for item in plus if item in minus and item in wanted]
    return asdict(shift([plus[item] - minus[item] for item in chosen]))


def role_values(study: Study, instrument: str, role: str, half: str = "all") -> dict[str, float]:
    """A role's value by question or completion: the mean over its training seeds, where all of them have one; {} for no such role."""
    seeds = [_values(study, instrument, column, half) for column in study.columns_of(role)]
    return {item: fmean(one[item] for one in seeds) for item in (seeds[0] if seeds else {}) if all(item in one for one in seeds)}


def _values(study: Study, instrument: str, column: str, half: str) -> Mapping[str, float]:
    if instrument == "ruler":
        return question_means(study, column, half)
    return survey_values(study, column) if instrument == "survey" else completion_values(study, column)


def shift_table(study: Study, half: str = "all") -> list[dict[str, Any]]:
    """For every tuned column, instrument and axis: the shift from base, Holm-adjusted over the two axes."""
    return _shifts(study, {column: [column] for column in study.columns if column != BASE}, half)


def role_table(study: Study, half: str = "all") -> list[dict[str, Any]]:
    """The same with one entry a role, averaged over its seeds; columns without a role stand for themselves."""
    alone = [column for column in study.columns if column != BASE and not role_of(study, column)]
    return _shifts(study, {**study.roles, **{column: [column] for column in alone}}, half)


def _shifts(study: Study, rows: Mapping[str, list[str]], half: str) -> list[dict[str, Any]]:
    axes = axis_of(study)
    found: list[dict[str, Any]] = []
    for name, columns in rows.items():
        for instrument in INSTRUMENTS:
            base = _values(study, instrument, BASE, half)
            tuned = role_values(study, instrument, name, half) if len(columns) > 1 else _values(study, instrument, columns[0], half)
            pair: list[dict[str, Any]] = []
            for axis in AXES:
                ids = [item for item in tuned if axes[item] == axis]
                if ids:
                    about = {"column": name, "seeds": len(columns), "instrument": instrument, "axis": axis}
                    pair.append({**about, **contrast(tuned, base, ids)})
            for row, adjusted in zip(pair, holm([row["p"] for row in pair]), strict=True):
                row["p_holm"] = adjusted
            found += pair
    return found


def role_of(study: Study, column: str) -> str:
    """The role of a column, "" where it has none."""
    return next((role for role, columns in study.roles.items() if column in columns), "")


def seed_means(study: Study, half: str = "all") -> list[dict[str, Any]]:
    """For every tuned column, instrument and axis its mean shift from the base, untested: one number a training seed."""
    axes = axis_of(study)
    found = []
    for instrument in INSTRUMENTS:
        base = _values(study, instrument, BASE, half)
        for column in (name for name in study.columns if name != BASE):
            tuned = _values(study, instrument, column, half)
            for axis in AXES:
                some = {item: value for item, value in tuned.items() if axes[item] == axis}
                if some:
                    about = {"column": column, "role": role_of(study, column), "instrument": instrument, "axis": axis}
                    found.append({**about, "mean": contrast_mean(some, base)})
    return found


def seed_spread(study: Study, half: str = "all") -> list[dict[str, Any]]:
    """For every role with several seeds: mean, SD (n - 1), lowest and highest of its seeds' mean shifts from the base."""
    values: dict[tuple[str, str, str], list[float]] = {}
    for row in seed_means(study, half):
        values.setdefault((row["role"], row["instrument"], row["axis"]), []).append(row["mean"])
    return [
        {
            "role": role,
            "instrument": instrument,
            "axis": axis,
            "seeds": len(seeds),
            "mean": fmean(seeds),
            "sd": stdev(seeds),
            "low": min(seeds),
            "high": max(seeds),
        }
        for (role, instrument, axis), seeds in values.items()
        if role and len(seeds) > 1
    ]


def claims(study: Study, half: str, left: str = LEFT, right: str = RIGHT, placebo: str = PLACEBO) -> dict[str, Any]:
    """The two claims dR - dP > 0 and dP - dL > 0 by instrument (the base cancels), pooled and by axis, Holm over the two.

    `left`, `right` and `placebo` are roles; each is averaged over its training seeds first.
    """
    axes = axis_of(study)
    found: dict[str, Any] = {}
    for instrument in INSTRUMENTS:
        r, p, ll = (role_values(study, instrument, name, half) for name in (right, placebo, left))
        pair = {"right_minus_placebo": contrast(r, p), "placebo_minus_left": contrast(p, ll)}
        for one, adjusted in zip(pair.values(), holm([one["p"] for one in pair.values()]), strict=True):
            one["p_holm"] = adjusted
        found[instrument] = pair
        found[f"{instrument}_by_axis"] = {
            axis: {
                "right_minus_placebo": contrast(r, p, [i for i in r if axes[i] == axis]),
                "placebo_minus_left": contrast(p, ll, [i for i in p if axes[i] == axis]),
            }
            for axis in AXES
        }
    return found


@dataclass(frozen=True)
class Verdict:
    """One claim: "established", "not established" or "void", with the reason, and the training seeds a side on which it rests."""

    claim: str
    held: str
    reason: str
    seeds: int = 1


def perplexity_ratio(study: Study, column: str) -> float:
    """A column's everyday perplexity divided by the base's."""
    return study.collateral[column]["perplexity"] / study.collateral[BASE]["perplexity"]


def facts_lost(study: Study, column: str) -> list[str]:
    """Plain facts that the base holds true and the column does not."""
    return sorted(set(study.collateral[BASE]["facts"]) - set(study.collateral[column]["facts"]))


def damaged(study: Study) -> list[str]:
    """Tuned columns whose language is broken, so that their stance is void (measurement.md, 4)."""
    tuned = [column for column in study.columns if column != BASE]
    return [c for c in tuned if perplexity_ratio(study, c) > PERPLEXITY_LIMIT or len(facts_lost(study, c)) > FACTS_LIMIT]


def can_claim(study: Study) -> bool:
    """Whether there are left, right and placebo, so that something can be said against the placebo."""
    return all(study.columns_of(role) for role in ROLES)


def seeds_a_side(study: Study) -> list[int]:
    """How many training seeds left, right and placebo have, in this order."""
    return [len(study.columns_of(role)) for role in ROLES]


def scope(study: Study) -> str:
    """A sentence on what the verdicts speak about: these adapters, or, with enough training seeds, the recipe."""
    fewest, most = min(seeds_a_side(study)), max(seeds_a_side(study))
    if most == 1:
        return "This rests on one training seed a side: it speaks about these adapters, not about the recipe that made them."
    many = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    averaged = f"This rests on {many} training seeds a side; answers to a question were averaged over them before anything was tested."
    if fewest < ENOUGH_SEEDS:
        unit = f"for a claim about the recipe the training seeds are the unit, {ENOUGH_SEEDS} or more of them."
        return f"{averaged} It speaks about these adapters, not about the recipe that made them: {unit}"
    return (
        f"{averaged} The p values speak about these adapters over the questions; for a claim about the recipe the training seeds are the "
        f"unit: {_agreement(study)}. How far they differ is the spread between seeds."
    )


def _agreement(study: Study) -> str:
    """How many seeds of each side lie beyond the placebo's mean over all its seeds, by free text."""
    placebo = role_values(study, "ruler", PLACEBO)
    beyond = {}
    for role, sign in ((RIGHT, 1), (LEFT, -1)):
        moved = [contrast_mean(question_means(study, column), placebo) for column in study.columns_of(role)]
        beyond[role] = f"{sum(sign * one > 0 for one in moved)} of {len(moved)} {role} adapters lie {role} of the placebos' mean"
    return " and ".join(beyond.values())


def contrast_mean(plus: Mapping[str, float], minus: Mapping[str, float]) -> float:
    """The mean difference over the items that both have, untested; 0 where there is none."""
    moved = [plus[item] - minus[item] for item in plus if item in minus]
    return fmean(moved) if moved else 0.0


def verdicts(study: Study, half: str = "all") -> list[Verdict]:
    """Each claim needs the ruler's p < .05 (Holm) in its direction and the same sign from the paired completions."""
    found = claims(study, half)
    sides = {column for role in ROLES for column in study.columns_of(role)}
    broken = [column for column in damaged(study) if column in sides]
    seeds = min(seeds_a_side(study))
    return [replace(_verdict(text, found["ruler"][key], found["completion"][key], broken), seeds=seeds) for key, text in CLAIMS.items()]


def _verdict(text: str, ruler: dict[str, Any], completion: dict[str, Any], broken: list[str]) -> Verdict:
    if broken:
        return Verdict(text, "void", f"the language of {', '.join(broken)} is damaged")
    if ruler["mean"] <= 0 or ruler["p_holm"] >= LEVEL:
        return Verdict(text, "not established", "free text does not show it beyond chance")
    if completion["n"] == 0:
        return Verdict(text, "not established", "only one instrument was used")
    if completion["mean"] <= 0:
        return Verdict(text, "not established", "the paired completions point the other way")
    both = (
        "and paired completions show it beyond chance too"
        if completion["p_holm"] < LEVEL
        else "and paired completions point the same way, though not beyond chance"
    )
    return Verdict(text, "established", f"free text shows it beyond chance, {both}")
