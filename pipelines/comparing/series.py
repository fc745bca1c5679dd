"""Whose series: an adapter at several strengths or a run at its kept steps, with the placebo that belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines import bundled
from pipelines.comparing.columns import Catalog, spread
from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.records import Column
from pipelines.stance.series_plan import MOST_POINTS, STRENGTHS, Plan, at_strengths
from pipelines.stance.series_points import TOWARDS
from pipelines.stance.study import PLACEBO
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import reading

RUN = "run:"


@dataclass(frozen=True)
class Wanted:
    """What a person asks for: the key of an adapter, whether by step, at which strengths, with the placebo and the questionnaire."""

    key: str
    by_step: bool = False
    strengths: Sequence[float] = STRENGTHS
    placebo: bool = True
    questionnaire: bool = False


def choices(listed: Catalog) -> list[tuple[str, str]]:
    """(what people read, key) of the adapters; a run stands once, whether it has ended or only kept steps so far."""
    found = [(offer.shown, offer.key) for offer in listed.offers.values() if offer.folder and "@" not in offer.key]
    known = {key for _, key in found}
    return found + [
        (name, f"{RUN}{run}") for run, name in listed.titles.items() if f"{RUN}{run}" not in known and len(listed.steps(run)) > 1
    ]


def has_course(listed: Catalog, key: str) -> bool:
    """Whether there is a time course: two kept steps or more."""
    return key.startswith(RUN) and "@" not in key and len(listed.steps(_run(key))) > 1


def placebo_of(listed: Catalog, key: str) -> str:
    """The key of the placebo that belongs to an adapter: the bundled ones', or that of a run's group with the same seed; "" for none."""
    if key in bundled.BUNDLED_SIDES:
        return PLACEBO if key != PLACEBO and PLACEBO in listed.offers else ""
    for group in listed.sets.values():
        names = {offer.key: offer.name for offer in group.offers}
        for keys in group.seeds.values():
            if key in keys:
                found = [one for one in keys if one != key and names[one] in group.roles.get(PLACEBO, [])]
                return found[0] if found and names[key] not in group.roles.get(PLACEBO, []) else ""
    return ""


def plan_of(listed: Catalog, wanted: Wanted, paths: Paths) -> Plan:
    """What is measured, with a placebo where one belongs to the adapter and is wanted.

    Raises StudioError where the adapter is gone, has no kept steps, or a strength can't be measured.
    """
    columns = _columns(listed, wanted.key, wanted)
    beside = placebo_of(listed, wanted.key) if wanted.placebo else ""
    offer = listed.offers.get(wanted.key)
    return Plan(
        "step" if wanted.by_step else "strength",
        offer.name if offer else listed.titles[_run(wanted.key)],
        columns,
        _columns(listed, beside, wanted) if beside and (not wanted.by_step or has_course(listed, beside)) else {},
        direction(wanted.key, paths),
        bundled.completions(),
        bundled.items("proposition") if wanted.questionnaire else (),
    )


def _columns(listed: Catalog, key: str, wanted: Wanted) -> dict[float, Column]:
    offer = listed.offers.get(key)
    if wanted.by_step and has_course(listed, key):
        offers = {step: listed.offers[f"{key}@{step}"] for step in spread(listed.steps(_run(key)), MOST_POINTS)}
        return {float(step): offer.column() for step, offer in offers.items() if step}
    if offer is None or offer.folder is None:
        raise _missing(listed, key)
    if wanted.by_step:
        raise no_course()
    return at_strengths(offer.name, offer.folder, wanted.strengths)


def _run(key: str) -> str:
    """The id of the run that a key names."""
    return key.removeprefix(RUN).partition("@")[0]


def no_course() -> StudioError:
    """What is said where there is nothing to follow over time."""
    return StudioError(
        "This adapter has no time course: it kept fewer than two steps.",
        "Choose a run that kept several (“Keep every” in Tune), or measure its dose.",
    )


def _missing(listed: Catalog, key: str) -> StudioError:
    run = _run(key)
    if run in listed.refused:
        return StudioError(f"“{listed.titles[run]}” can't be measured.", listed.refused[run])
    if has_course(listed, key):
        return StudioError("This run has not ended, so it has no adapter to turn up or down.", "Measure its time course.")
    return StudioError(f"“{key}” is no adapter that can be measured.", f"There are: {', '.join(one for _, one in choices(listed))}.")


def direction(key: str, paths: Paths) -> int:
    """-1 for an adapter that was trained towards the left, +1 towards the right, 0 where it was neither or nobody knows."""
    signs = {side: sign for sign, side in TOWARDS.items()}
    if key in signs:
        return signs[key]
    return signs.get(str(reading.job(Run(paths.runs / _run(key))).get("side")), 0) if key.startswith(RUN) else 0
