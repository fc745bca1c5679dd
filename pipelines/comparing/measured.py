"""Who is measured: the bundled adapters, a group of runs with all its seeds, or any columns; and the plan that comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pipelines.comparing.columns import Catalog, Set
from pipelines.errors import StudioError
from pipelines.records import Item
from pipelines.stance.plan import Plan, planned
from pipelines.stance.study import BASE, PLACEBO
from pipelines.tuning.run import Run

GROUP = "group:"


def plan_of(
    listed: Catalog,
    keys: Sequence[str],
    profile: str,
    which: str | None = None,
    half: str = "all",
    items: Sequence[Item] | None = None,
    generated: bool = False,
) -> tuple[Plan, dict[str, Any]]:
    """The plan and the study's notes; `which` is "group:ID" where the columns are those of a group, which then have its roles and names.

    Raises StudioError where the base or a tuned column is missing, or the group is gone.
    """
    if BASE not in keys or len(set(keys)) < 2:
        raise StudioError("The base and at least one tuned column are needed.", "Shifts are measured from the base: choose both.")
    made = {"computed": datetime.now().isoformat(" ", "minutes")}
    if not (which or "").startswith(GROUP):
        return planned(listed.columns(keys), profile, None, half, items, generated), made
    group = listed.sets.get((which or "").removeprefix(GROUP))
    if group is None:
        raise StudioError("This group is gone, or none of its runs has ended.", "Choose other adapters.")
    tuned = [offer.column() for offer in group.offers if offer.key in keys]
    if not tuned:
        raise StudioError("None of the chosen columns belongs to this group.", "Choose the group again, which ticks its columns.")
    names = [column.name for column in tuned]
    roles = {role: some for role, columns in group.roles.items() if (some := [name for name in columns if name in names])}
    plan = planned([*listed.columns([BASE]), *tuned], profile, roles, half, items, generated)
    made |= {"placebo_of": "shuffled"} if _shuffled(group, roles.get(PLACEBO, [])) else {}
    return plan, {**made, "group": {"id": group.id, "name": group.name}, "same_settings": group.same_settings}


def _shuffled(group: Set, names: Sequence[str]) -> bool:
    """Whether a group's placebo was tuned on both sides, mixed, instead of on neutral answers."""
    folders = [offer.folder for offer in group.offers if offer.name in names and offer.folder]
    return any(Run(folder).job.get("side") == "shuffled" for folder in folders)
