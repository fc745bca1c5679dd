"""Who is measured: the bundled adapters, a group of runs with all its seeds, or any runs; and the plan that comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from pipelines.comparing.columns import RESERVED, Catalog
from pipelines.comparing.measured import plan_of
from pipelines.stance.plan import PROFILES, Plan
from pipelines.stance.study import BASE
from studio.services import Services
from studio.tabs.comparing.choosing import hint

SIZES = [(f"{profile.name.capitalize()}: {profile.about}", name) for name, profile in PROFILES.items()]
BUNDLED, ALL = "bundled", "all"


def sizes(services: Services) -> list[tuple[str, str]]:
    """The profiles that are offered: in a public studio, where others wait for the same model, only the first."""
    return SIZES[:1] if services.public else SIZES


def sets(listed: Catalog) -> list[tuple[str, str]]:
    """What can be measured together: the bundled adapters, every group with finished runs, or any runs."""
    groups = [(one.title, f"group:{one.id}") for one in listed.sets.values()]
    return [("Bundled (left, right, placebo)", BUNDLED), *groups, ("All runs", ALL)]


def columns_of(listed: Catalog, which: str | None) -> tuple[list[tuple[str, str]], list[str]]:
    """The columns that can be ticked of a set of adapters, and those that are at first; a group's have the group's own names."""
    group = listed.sets.get((which or "").removeprefix("group:"))
    if group:
        choices = [("Base", BASE), *((offer.name[:1].upper() + offer.name[1:], offer.key) for offer in group.offers)]
    elif which == ALL:
        return listed.choices(), [BASE]
    else:
        choices = [(name, key) for name, key in listed.choices() if key in RESERVED]
    return choices, [key for _, key in choices]


def choose(services: Services, which: str | None) -> tuple[Any, Any, str]:
    """Updates of adapters, columns and hint where a set of adapters is chosen; the bundled ones where it is gone."""
    listed = services.catalog()
    known = [key for _, key in sets(listed)]
    chosen = which if which in known else BUNDLED
    choices, ticked = columns_of(listed, chosen)
    return gr.update(choices=sets(listed), value=chosen), gr.update(choices=choices, value=ticked), hint(listed, ticked)


def refreshed(services: Services, which: str | None, keys: Sequence[str] | None) -> tuple[Any, Any, str]:
    """The same when the tab is opened: what was ticked stays as far as it is still there."""
    adapters, columns, _ = choose(services, which)
    known = [key for _, key in columns["choices"]]
    columns["value"] = [key for key in keys or [] if key in known] or columns["value"]
    return adapters, columns, hint(services.catalog(), columns["value"])


def open_in_stance(services: Services, group_id: str) -> tuple[Any, ...]:
    """Opens Stance with a group's columns ticked. Returns updates of the tabs, then of the parts called "chooser"."""
    return gr.Tabs(selected="stance"), *choose(services, f"group:{group_id}")


def plan(services: Services, keys: Sequence[str], how_much: str, which: str | None, **more: Any) -> tuple[Plan, dict[str, Any]]:
    """The plan and the study's notes. Raises StudioError where the base or a tuned column is missing, or the group is gone."""
    return plan_of(services.catalog(), keys, how_much, which, **more)
