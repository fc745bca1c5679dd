"""How much of it: one adapter at several strengths (dose), or one run at several steps (time course), point by point.

Every shift is paired over items against the base, which is measured once. Beside every point the placebo can be measured at the same
strength or step; `net` is then the shift beyond the placebo's. A point is usable where everyday text is at most 1.10 times as hard as
for the base (perplexity) and at most one plain fact is lost.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines import bundled
from pipelines.errors import Cancelled, StudioError, refuse_if
from pipelines.models.host import ModelHost
from pipelines.paths import content_hash
from pipelines.records import AXES, Column
from pipelines.stance import collateral, survey
from pipelines.stance.claims import FACTS_LIMIT, PERPLEXITY_LIMIT, contrast
from pipelines.stance.completion import kept_scores
from pipelines.stance.forms import forms_of
from pipelines.stance.kept import Kept
from pipelines.stance.series_plan import FORMS, STRENGTHS, Plan, at_strengths, parsed
from pipelines.stance.series_points import BOTH, Point, Series, Shifts
from pipelines.stance.study import BASE

__all__ = ["STRENGTHS", "Plan", "Point", "Series", "at_strengths", "measure", "parsed"]

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Gauge:
    """What was measured of one column: by instrument a value an item, everyday perplexity, the plain facts it holds.

    `reasons` say why the questionnaire's gates are missed; none where they are passed or it was not used. `adapter` is the fingerprint of
    its weights.
    """

    values: dict[str, dict[str, float]]
    perplexity: float
    facts: list[str]
    reasons: list[str]
    adapter: str = ""


def measure(
    host: ModelHost,
    plan: Plan,
    progress: Progress = lambda fraction, text: None,
    stop: threading.Event | None = None,
    kept: Kept | None = None,
) -> Series:
    """Measures the base, then point by point in rising x; `progress` hears the share done, and what is in `kept` is not asked again.

    A stop keeps the points that are complete, and a point that can't be measured is left out; both are said in `notes`. Raises
    StudioError where no point was measured at all.
    """
    begun, work = time.monotonic(), _Work(host, plan, progress, stop or threading.Event(), kept or Kept())
    points, placebo = work.all()
    notes: dict[str, Any] = {"skipped": work.skipped, "survey_reasons": work.reasons}
    if work.stop.is_set():
        notes["stopped"] = f"Stopped after {len(points) - 1} of {len(plan.columns)} {plan.kind}s; these are kept."
    progress(1.0, "Done")
    return Series(
        plan.kind,
        plan.of,
        sorted(points, key=lambda point: point.x),
        placebo,
        plan.direction,
        _protocol(plan, host),
        time.monotonic() - begun,
        {name: value for name, value in notes.items() if value},
    )


@dataclass
class _Work:
    """One measurement under way."""

    host: ModelHost
    plan: Plan
    progress: Progress
    stop: threading.Event
    kept: Kept
    done: int = 0
    skipped: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def all(self) -> tuple[list[Point], list[Point]]:
        """The adapter's points, the base first, and the placebo's. Raises StudioError where only the base was measured."""
        base = self._tried(Column(BASE))
        points, placebo = [], []
        for x in sorted(self.plan.columns) if base else []:
            own = self._tried(self.plan.columns[x])
            beside = self._tried(self.plan.placebo[x]) if own and x in self.plan.placebo else None
            if base and own:
                points.append(self._point(x, self.plan.columns[x], own, base, beside))
            if base and beside:
                placebo.append(self._point(x, self.plan.placebo[x], beside, base))
        if base is None or not points:
            raise _nothing(self.stop, self.skipped)
        self.reasons = base.reasons
        return [self._point(0.0, Column(BASE), base, base), *points], placebo

    def _tried(self, column: Column) -> Gauge | None:
        """What was measured of a column; None after a stop, and where it can't be measured, which is noted."""
        self.progress(self.done / self.plan.count, f"{column.name} ({self.done + 1} of {self.plan.count})")
        self.done += 1
        try:
            return self._gauge(column)
        except Cancelled:
            return None
        except StudioError as error:
            self.skipped.append(f"{column.name} is missing. {error}")
            return None

    def _gauge(self, column: Column) -> Gauge:
        """Raises Cancelled between two instruments, StudioError where the adapter can't be used or gives no numbers."""
        plan, values, reasons = self.plan, dict[str, dict[str, float]](), list[str]()
        who = self.host.identity(column)
        if plan.completions:
            refuse_if(self.stop.is_set)
            scored = kept_scores(self.kept, self.host, column, plan.completions, who)
            values["completion"] = dict(zip([row.id for row in plan.completions], scored, strict=True))
        if plan.items:
            refuse_if(self.stop.is_set)
            found = self._surveyed(column, who)
            values["survey"] = {row["item"]: row["s"] for row in found["rows"]}
            reasons = list(found["check"]["reasons"])
        refuse_if(self.stop.is_set)
        damage = self.kept.once(lambda: self._damage(column), "series collateral", _sanity(), bundled.everyday(), who)
        if not all(map(math.isfinite, (damage["perplexity"], *(one for some in values.values() for one in some.values())))):
            raise StudioError("It gives no numbers any more.", "It is too strong, or damaged.")
        return Gauge(values, damage["perplexity"], damage["facts"], reasons, who[2])

    def _surveyed(self, column: Column, who: list[Any]) -> dict[str, Any]:
        score = survey.scorer(self.host, column, self.kept, who)
        return asdict(survey.measure(score, column.name, self.plan.items, bundled.items("sanity"), forms_of(FORMS)))

    def _damage(self, column: Column) -> dict[str, Any]:
        return {"perplexity": collateral.everyday_perplexity(self.host, column), "facts": collateral.facts_held(self.host, column)}

    def _point(self, x: float, column: Column, found: Gauge, base: Gauge, beside: Gauge | None = None) -> Point:
        ratio, lost = found.perplexity / base.perplexity, sorted(set(base.facts) - set(found.facts))
        return Point(
            x,
            column.name,
            _shifts(self.plan, found, base),
            ratio,
            lost,
            ratio <= PERPLEXITY_LIMIT and len(lost) <= FACTS_LIMIT,
            _shifts(self.plan, found, beside) if beside else {},
            found.adapter,
        )


def _shifts(plan: Plan, plus: Gauge, minus: Gauge) -> Shifts:
    """By instrument the paired shift on each axis, and over the items of both."""
    rows: list[Any] = [*plan.completions, *plan.items]
    axes = {row.id: row.axis for row in rows}
    found: Shifts = {}
    for instrument, values in plus.values.items():
        ids = {axis: [item for item in values if axes[item] == axis] for axis in AXES} | {BOTH: list(values)}
        found[instrument] = {name: contrast(values, minus.values[instrument], some) for name, some in ids.items() if some}
    return found


def _sanity() -> list[dict[str, Any]]:
    return [asdict(row) for row in bundled.items("sanity")]


def _nothing(stop: threading.Event, skipped: Sequence[str]) -> StudioError:
    if stop.is_set():
        return StudioError("The measurement was stopped before its first point.", "Nothing was kept; the earlier results are still there.")
    return StudioError("Nothing could be measured.", " ".join(skipped[:2]))


def _protocol(plan: Plan, host: ModelHost) -> dict[str, Any]:
    """What was asked of which base, the limits of a usable point, and the hash of all of it."""
    asked: dict[str, Any] = {
        "base": host.title,
        "base_fingerprint": host.load().fingerprint,
        "completions": len(plan.completions),
        "items": len(plan.items),
        "forms": [form.name for form in forms_of(FORMS)] if plan.items else [],
        "perplexity_limit": PERPLEXITY_LIMIT,
        "facts_limit": FACTS_LIMIT,
    }
    rows: list[Any] = [*plan.completions, *plan.items]
    return {**asked, "hash": content_hash([asked, [asdict(row) for row in rows], _sanity(), bundled.everyday()])[:16]}
