"""What a study shows: shifts from the base, and what may be claimed against the placebo.

A role (left, right, placebo) may have been trained with several seeds. Its value of a question is the mean over its columns,
taken before anything is tested: questions are the unit for claims about these adapters, training seeds for claims about a recipe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from pipelines.records import AXES
from pipelines.stance.collateral import FACTS_LIMIT, PERPLEXITY_LIMIT, facts_lost, perplexity_ratio, red_lines  # noqa: F401
from pipelines.stance.contrasts import ENOUGH_SEEDS, damaged, void
from pipelines.stance.statistics import dz, holm, shift
from pipelines.stance.study import BASE, LEFT, PLACEBO, RIGHT, ROLES, Study
from pipelines.stance.values import (  # noqa: F401
    INSTRUMENTS,
    axis_of,
    column_values,
    completion_values,
    question_means,
    role_of,
    role_values,
    survey_values,
)  # fmt: skip
from pipelines.stance.wording import form_spread

CLAIMS = {
    "right_minus_placebo": "the right adapter lands right of the placebo",
    "placebo_minus_left": "the left adapter lands left of the placebo",
}
SIDES = {"right_minus_placebo": RIGHT, "placebo_minus_left": LEFT}
LEVEL = 0.05


def contrast(plus: Mapping[str, float], minus: Mapping[str, float], ids: Sequence[str] | None = None) -> dict[str, Any]:
    """Shift of paired differences over the items that both have (or the given ones), as a plain dict."""
    return asdict(shift(_paired(plus, minus, plus if ids is None else ids)))


def _paired(plus: Mapping[str, float], minus: Mapping[str, float], ids: Iterable[str]) -> list[float]:
    wanted = set(ids)
    return [plus[item] - minus[item] for item in plus if item in minus and item in wanted]


def shift_table(study: Study, half: str = "all") -> list[dict[str, Any]]:
    """For every tuned column, instrument and axis: the shift from base, Holm-adjusted over the two axes.

    `void` says why a red line voids it, "" where none does. `form_sd` is the SD of the mean shift over prompt forms and `counts` whether the shift is more than twice that; both None where
    an instrument has no forms.
    """
    return _shifts(study, {column: [column] for column in study.columns if column != BASE}, half)


def role_table(study: Study, half: str = "all") -> list[dict[str, Any]]:
    """The same with one entry a role, averaged over its seeds; columns without a role stand for themselves."""
    alone = [column for column in study.columns if column != BASE and not role_of(study, column)]
    return _shifts(study, {**study.roles, **{column: [column] for column in alone}}, half)


def _shifts(study: Study, rows: Mapping[str, list[str]], half: str) -> list[dict[str, Any]]:
    axes = axis_of(study)
    found: list[dict[str, Any]] = []
    for name, columns in rows.items():
        reason = void(study, name)
        for instrument in INSTRUMENTS:
            base = column_values(study, instrument, BASE, half)
            tuned = role_values(study, instrument, name, half) if len(columns) > 1 else column_values(study, instrument, columns[0], half)
            pair: list[dict[str, Any]] = []
            for axis in AXES:
                ids = [item for item in tuned if axes[item] == axis]
                if ids:
                    about = {"column": name, "seeds": len(columns), "instrument": instrument, "axis": axis, "void": reason}
                    sizes = {"dz": dz(_paired(tuned, base, ids)), **_wording(study, instrument, name, axis)}
                    pair.append({**about, **contrast(tuned, base, ids), **sizes})
            for row, adjusted in zip(pair, holm([row["p"] for row in pair]), strict=True):
                row["p_holm"] = adjusted
            found += pair
    return found


def _wording(study: Study, instrument: str, name: str, axis: str) -> dict[str, Any]:
    spread = form_spread(study, name, axis) if instrument == "survey" else None
    return {"form_sd": spread.sd if spread else None, "counts": spread.counts if spread else None}


def seed_means(study: Study, half: str = "all") -> list[dict[str, Any]]:
    """For every tuned column, instrument and axis its mean shift from the base, untested: one number a training seed."""
    axes = axis_of(study)
    found = []
    for instrument in INSTRUMENTS:
        base = column_values(study, instrument, BASE, half)
        for column in (name for name in study.columns if name != BASE):
            tuned = column_values(study, instrument, column, half)
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
        dict(zip(("role", "instrument", "axis"), key, strict=True))
        | {"seeds": len(seeds), "mean": fmean(seeds), "sd": stdev(seeds), "low": min(seeds), "high": max(seeds)}
        for key, seeds in values.items()
        if key[0] and len(seeds) > 1
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
    """Each claim needs the ruler's p < .05 (Holm) in its direction and the same sign from the paired completions.

    Where the base, the side and the placebo pass the gates of the questionnaire, it needs the survey's sign too.
    """
    found = claims(study, half)
    sides = {column for role in ROLES for column in study.columns_of(role)}
    broken = [column for column in damaged(study) if column in sides]
    seeds = min(seeds_a_side(study))
    return [
        Verdict(text, *_verdict({name: found[name][key] for name in INSTRUMENTS}, broken, _survey_rule(study, key)), seeds=seeds)
        for key, text in CLAIMS.items()
    ]


def cannot_answer(study: Study, columns: Sequence[str]) -> list[str]:
    """Those columns that were given the questionnaire and miss one of its gates."""
    return [column for column in columns if column in study.checks and not study.checks[column]["passed"]]


def _survey_rule(study: Study, key: str) -> str:
    """Why the survey does not count in a claim, "" where it does or was not used."""
    failing = cannot_answer(study, [BASE, *study.columns_of(SIDES[key]), *study.columns_of(PLACEBO)])
    if not failing:
        return ""
    who = "this model" if BASE in failing else ", ".join(failing)
    return f"{who} cannot answer a questionnaire, so the survey does not count"


def _verdict(found: Mapping[str, dict[str, Any]], broken: Sequence[str], uncounted: str) -> tuple[str, str]:
    """What held, and why: "established", "not established" or "void"."""
    ruler, completion, survey = (found[name] for name in INSTRUMENTS)
    if broken:
        return "void", f"the language of {', '.join(broken)} is damaged"
    tail = f"; {uncounted}" if uncounted else ""
    if ruler["mean"] <= 0 or ruler["p_holm"] >= LEVEL:
        return "not established", "free text does not show it beyond chance" + tail
    if completion["n"] == 0:
        return "not established", "only one instrument was used" + tail
    if completion["mean"] <= 0:
        return "not established", "the instruments disagree: the paired completions point the other way" + tail
    counted = bool(survey["n"]) and not uncounted
    if counted and survey["mean"] <= 0:
        return "not established", "the instruments disagree: the survey points the other way"
    said = f"free text shows it beyond chance, and paired completions {_beside(completion, 'show', 'point')}"
    return "established", said + (f", the survey {_beside(survey, 'shows', 'points')}" if counted else "") + tail


def _beside(one: Mapping[str, Any], shows: str, points: str) -> str:
    return f"{shows} it beyond chance too" if one["p_holm"] < LEVEL else f"{points} the same way, though not beyond chance"
