"""What a browser keeps of a lesson: plan, step, what is done and when the clock began; and notes. Anything may come from there.

Notes are kept apart, since they are written while somebody types: a step that is opened meanwhile must not be taken back by that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipelines.errors import whole
from pipelines.lesson.plan import Plan, plans, steps

MEMORY: dict[str, Any] = {"default_value": None, "storage_key": "politune-lesson", "secret": "politune-studio"}
NOTES: dict[str, Any] = {**MEMORY, "storage_key": "politune-lesson-notes"}
USUAL, FIRST = 45, "predict"
LONGEST_NOTE = 600
LATEST = 2.0**53  # milliseconds; a later moment is none that a browser could mean


@dataclass(frozen=True)
class Kept:
    """`started` is the browser's own time in milliseconds, 0 while the clock stands."""

    minutes: int = USUAL
    step: str = ""
    done: tuple[str, ...] = ()
    started: float = 0.0

    @classmethod
    def read(cls, value: Any) -> Kept:
        """From whatever a browser sends; what is no such thing is left out."""
        found = value if isinstance(value, dict) else {}
        minutes = found.get("minutes")
        done = found.get("done")
        return cls(
            minutes if isinstance(minutes, int) and minutes in plans() else min(plans(), key=lambda one: abs(one - USUAL)),
            _known(found.get("step")),
            tuple(one for one in steps() if isinstance(done, list | tuple) and one in done),
            moment(found.get("started")),
        )

    @property
    def plan(self) -> Plan:
        return plans()[self.minutes]

    @property
    def place(self) -> int:
        """Where the step in hand stands in the plan, from 0."""
        return self.plan.place_of(self.step)

    @property
    def here(self) -> str:
        """The id of the step in hand."""
        return self.plan.steps[self.place].step.id

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def at(self, place: int) -> Kept:
        """The same at another step of its plan; beyond the ends nothing is changed."""
        inside = max(0, min(len(self.plan.steps) - 1, place))
        return replace(self, step=self.plan.steps[inside].step.id)

    def ticked(self, is_done: bool) -> Kept:
        """The step in hand is done, or is not."""
        return replace(self, done=tuple(one for one in steps() if (is_done if one == self.here else one in self.done)))


def moment(value: Any) -> float:
    """A browser's milliseconds; 0 for what is no such number."""
    usual = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usual and 0 < value < LATEST else 0.0


def _known(value: Any) -> str:
    return value if isinstance(value, str) and value in steps() else ""


def notes_of(value: Any) -> dict[str, str]:
    """Notes by the id of their step, from whatever a browser sends."""
    found = value if isinstance(value, Mapping) else {}
    return {one: whole(found[one][:LONGEST_NOTE]) for one in steps() if isinstance(found.get(one), str) and found[one].strip()}
