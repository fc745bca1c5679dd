"""What can be a column: the base, bundled adapters, those from elsewhere, runs with their checkpoints, and groups of runs.

A column is chosen by a key that outlives a new title: "base", "left", "adapter:NAME", "run:ID" or "run:ID@STEP"; keys.py says how
strengths and blends are added to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.comparing import keys
from pipelines.comparing.fitting import Loaded, misfit, template_warning
from pipelines.comparing.keys import MAX_COLUMNS, Part
from pipelines.comparing.naming import title
from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.records import Column
from pipelines.tuning import groups, runs
from pipelines.tuning.groups import Group
from pipelines.tuning.runs import Run
from pipelines.tuning.sharing import exchange
from pipelines.tuning.shelf import history, reading
from pipelines.tuning.shelf.about import shown_title
from pipelines.tuning.shelf.reading import tried

__all__ = ["MAX_COLUMNS", "Catalog", "Offer", "Set", "catalog"]
BASE_NAME = "base"
RESERVED = (BASE_NAME, *bundled.BUNDLED_SIDES)


@dataclass(frozen=True)
class Offer:
    """Something that can be a column; `warning` is a sentence for whoever chooses it.

    `strength` is its own one, None where it follows the bias dial; `also` are the further adapters of a blend.
    """

    key: str
    name: str
    folder: Path | None = None
    warning: str = ""
    strength: float | None = None
    also: tuple[tuple[Path, float], ...] = ()

    @property
    def shown(self) -> str:
        return title(self.name)

    def column(self, dial: float = 1.0) -> Column:
        return Column(self.name, self.folder, round(dial, 3) if self.strength is None else self.strength, self.also)


@dataclass(frozen=True)
class Set:
    """A group of runs as columns: offers by the group's own column names, and those names by role and seed."""

    id: str
    name: str
    offers: tuple[Offer, ...]
    roles: dict[str, list[str]]
    seeds: dict[int, list[str]]
    same_settings: bool
    unfinished: int

    @property
    def title(self) -> str:
        """ "NAME: left, right, placebo, 2 seeds", and how many runs are still to come."""
        many = f"{len(self.seeds)} seed{'s' if len(self.seeds) > 1 else ''}"
        more = f", {self.unfinished} not finished" if self.unfinished else ""
        return f"{self.name}: {', '.join(self.roles)}, {many}{more}"

    def fitting(self, room: int) -> list[str]:
        """Keys of as many whole seeds as there is room for; of a single one what fits."""
        taken: list[str] = []
        for some in self.seeds.values():
            if taken and len(taken) + len(some) > room:
                break
            taken += some
        return taken[:room]


@dataclass(frozen=True)
class Catalog:
    """All that can be a column at one moment, by key. `refused` says why a run is not offered, `titles` how each is called, by id."""

    offers: dict[str, Offer]
    sets: dict[str, Set] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def find(self, key: str) -> Offer | None:
        """What a key stands for; None where it is gone or no key."""
        if key in self.offers:
            return self.offers[key]
        try:
            key, parts = keys.canonical(key), keys.parse(key)
        except StudioError:
            return None
        found = [self.offers.get(part.offer) for part in parts]
        return _at_strengths(key, parts, [one for one in found if one and one.folder]) if all(found) else None

    def choices(self, also: Sequence[str] = ()) -> list[tuple[str, str]]:
        """(name, key) of all that can be ticked, and of keys with strengths of their own."""
        made = [offer for key in dict.fromkeys(also) if key not in self.offers and (offer := self.find(key))]
        return [(offer.shown, offer.key) for offer in [*self.offers.values(), *made]]

    def tuned_choices(self) -> list[tuple[str, str]]:
        """(name, key) of all but the base."""
        return [(offer.shown, offer.key) for offer in self.offers.values() if offer.key != BASE_NAME]

    def steps(self, run_id: str) -> list[int]:
        """The steps of a run that can be columns."""
        start = f"run:{run_id}@"
        return [int(key.removeprefix(start)) for key in self.offers if key.startswith(start) and key.removeprefix(start).isdecimal()]

    def kept(self, wanted: Sequence[str]) -> list[str]:
        """Those of the keys that can still be columns: the base first, then in the given order, each once."""
        there = dict.fromkeys(found.key for key in wanted if (found := self.find(key)))
        return sorted(there, key=lambda key: key != BASE_NAME)

    def columns(self, wanted: Sequence[str], dial: float = 1.0) -> list[Column]:
        """Columns by key, in the order of `kept`; keys that are gone are left out."""
        return [found.column(dial) for key in self.kept(wanted) if (found := self.find(key))]


def _at_strengths(key: str, parts: Sequence[Part], offers: Sequence[Offer]) -> Offer | None:
    """Offers with strengths of their own, blended where there are several; None where one is the base."""
    settled = [
        (offer.folder, part.strength) for part, offer in zip(parts, offers, strict=False) if offer.folder and part.strength is not None
    ]
    if len(settled) != len(parts):
        return None
    name = " + ".join(f"{offer.name} × {strength:g}" for offer, (_, strength) in zip(offers, settled, strict=True))
    warning = " ".join(dict.fromkeys(offer.warning for offer in offers if offer.warning))
    return Offer(key, name, settled[0][0], warning, settled[0][1], tuple(settled[1:]))


def key_of(run_id: str) -> str:
    """The key of a run's adapter; Tune calls the bundled ones "bundled:left"."""
    return run_id.removeprefix("bundled:") if str(run_id).startswith("bundled:") else f"run:{run_id}"


def at_step(name: str, step: int) -> str:
    return f"{name} @ step {step}"


def spread(steps: Sequence[int], room: int) -> list[int]:
    """At most `room` of the steps, evenly spread, with the first and the last one."""
    known = sorted(set(steps))
    if len(known) <= room:
        return known
    return [known[round(place * (len(known) - 1) / (room - 1))] for place in range(room)]


def catalog(paths: Paths, loaded: Loaded, public: bool = False) -> Catalog:
    """Looks at what lies on disk. A public studio offers what it ships with and nothing else."""
    offers = {BASE_NAME: Offer(BASE_NAME, BASE_NAME)} | _bundled(loaded)
    if public:
        return Catalog(offers)
    refused: dict[str, str] = {}
    titles: dict[str, str] = {}
    taken = set(RESERVED)
    for run in runs.list_runs(paths):
        titles[run.id] = _unique(shown_title(run), run.id, taken)
        made = _of_run(run, titles[run.id], loaded)
        reason = misfit(run, loaded) if made else ""
        if reason:
            refused[run.id] = reason
        else:
            offers |= {offer.key: offer for offer in made}
    for one in tried(partial(exchange.list_imported, paths), []):
        offers[f"adapter:{one.name}"] = Offer(f"adapter:{one.name}", _unique(one.name, "imported", taken), one.folder, one.warning)
    listed = [_set(group, offers) for group in tried(partial(groups.list_groups, paths), [])]
    return Catalog(offers, {one.id: one for one in listed if one}, refused, titles)


def _of_run(run: Run, name: str, loaded: Loaded) -> list[Offer]:
    """The adapter with which a run ended, if it has, then the steps that it kept."""
    warning = template_warning(run, loaded)
    ended = bool(tried(partial(runs.usable, [run]), []))
    final = [Offer(f"run:{run.id}", name, run.folder, warning)] if ended else []
    kept = history.checkpoints(run) if (run.folder / "checkpoints").is_dir() else []
    return final + [Offer(f"run:{run.id}@{one.step}", at_step(name, one.step), one.folder, warning) for one in kept]


def _bundled(loaded: Loaded) -> dict[str, Offer]:
    """The adapters that ship with the studio, where their base is loaded; weights from elsewhere of the same model do."""
    found = {}
    for side in bundled.BUNDLED_SIDES:
        run = Run(bundled.ADAPTERS / side)
        if run.adapter.is_dir() and (reading.metrics(run).get("base") in loaded.names or not misfit(run, loaded)):
            found[side] = Offer(side, side, run.folder)
    return found


def _unique(name: str, other: str, taken: set[str]) -> str:
    """The name, or with more to it where it is taken: two columns must never be called the same, and none like the base."""
    if name.casefold() in taken:
        name = f"{name} ({other})"
    taken.add(name.casefold())
    return name


def _set(group: Group, offers: dict[str, Offer]) -> Set | None:
    """A group as columns; None where no run of it can answer here or its jobs are damaged."""
    return tried(partial(_as_set, group, offers), None)


def _as_set(group: Group, offers: dict[str, Offer]) -> Set | None:
    found: list[Offer] = []
    roles: dict[str, list[str]] = {}
    seeds: dict[int, list[str]] = {}
    for name, run in group.columns.items():
        offer = offers.get(f"run:{run.id}")
        if offer is None:
            continue
        found.append(Offer(offer.key, name, offer.folder, offer.warning))
        roles.setdefault(groups.role(run), []).append(name)
        seeds.setdefault(run.job["recipe"]["seed"], []).append(offer.key)
    unfinished = len(group.runs) - len(found)
    return Set(group.id, group.name, tuple(found), roles, seeds, group.same_settings, unfinished) if found else None


def notes(listed: Catalog, wanted: Sequence[str]) -> list[str]:
    """Sentences to show beside chosen columns: what their adapters warn of, and which runs are not offered and why."""
    said = [f"{found.shown}: {found.warning}" for key in wanted if (found := listed.find(key)) and found.warning]
    reasons: dict[str, list[str]] = {}
    for run_id, reason in listed.refused.items():
        reasons.setdefault(reason, []).append(listed.titles[run_id])
    return said + [f"Not offered: {_some(titles)}. {reason}" for reason, titles in reasons.items()]


def _some(titles: Sequence[Any], most: int = 2) -> str:
    more = f" and {len(titles) - most} more" if len(titles) > most else ""
    return ", ".join(f"“{title}”" for title in titles[:most]) + more
