"""The steps of a lesson, and plans: ways through them with minutes that add up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.lesson.entries import FOLDER, MEND, line, lines, load, number, rows, table

# Where a step may lead: the studio's tabs and their stages, by id. A test compares them with the page.
PLACES: dict[str, tuple[str, ...]] = {
    "curate": (),
    "tune": ("setup", "watch", "runs"),
    "compare": ("ask", "mirror", "sets"),
    "stance": ("land", "moved", "trust", "else", "dose", "changed", "report", "measure"),
    "review": ("setup", "coding", "results", "guess"),
    "lesson": ("steps", "teacher", "class"),
}
STEP = ("id", "name", "goal", "press", "look_for", "question", "note", "opens")
PLAN = ("minutes", "name", "for_whom", "taught", "steps")
MOST_MINUTES, MOST_PLACES = 240, 3
NOT_TAUGHT = "not yet taught"


@dataclass(frozen=True)
class Place:
    """A tab of the studio, and a stage of it ("" for the one that is open there)."""

    tab: str
    stage: str = ""

    @classmethod
    def read(cls, value: Any, where: str) -> Place:
        """From TAB or TAB/STAGE. Raises StudioError where the studio has no such place."""
        tab, _, stage = line(value, where).partition("/")
        if tab not in PLACES or (stage and stage not in PLACES[tab]):
            raise StudioError(f"{where}: the studio has no place “{value}”.", f"Its tabs are {', '.join(PLACES)}.")
        return cls(tab, stage)


@dataclass(frozen=True)
class Step:
    """One step: why, what to press, what to look for, what to talk about, what is noted down, and where to press it."""

    id: str
    name: str
    goal: str
    press: tuple[str, ...]
    look_for: tuple[str, ...]
    question: str
    note: str
    opens: tuple[Place, ...]

    @classmethod
    def read(cls, value: Any, where: str) -> Step:
        """Raises StudioError where a part is missing or is no text."""
        given = table(value, where, STEP)
        texts = {name: line(given[name], f"{where}: {name}") for name in ("id", "name", "goal", "question", "note")}
        several = {name: lines(given[name], f"{where}: {name}") for name in ("press", "look_for")}
        opens = rows(given["opens"], f"{where}: opens")
        if len(opens) > MOST_PLACES:
            raise StudioError(f"{where} opens {len(opens)} places; at most {MOST_PLACES} fit.", MEND)
        return cls(**texts, **several, opens=tuple(Place.read(one, f"{where}: opens") for one in opens))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Timed:
    """A step within a plan: it begins after so many minutes and takes `minutes`."""

    step: Step
    begins: int
    minutes: int


@dataclass(frozen=True)
class Plan:
    """A way through the steps in so many minutes. `taught` says whether somebody has taught it already."""

    minutes: int
    name: str
    for_whom: str
    taught: bool
    steps: tuple[Timed, ...]

    @property
    def remark(self) -> str:
        return "" if self.taught else NOT_TAUGHT

    def place_of(self, step_id: Any) -> int:
        """Where a step stands in this plan, from 0; the first one where the plan has no such step."""
        return next((place for place, one in enumerate(self.steps) if one.step.id == step_id), 0)

    @classmethod
    def read(cls, value: Any, where: str, known: dict[str, Step]) -> Plan:
        """Raises StudioError where a step is unknown or comes twice, or the minutes don't add up."""
        given = table(value, where, PLAN)
        minutes = number(given["minutes"], f"{where}: minutes", MOST_MINUTES)
        if not isinstance(given["taught"], bool):
            raise StudioError(f"{where}: taught is neither true nor false.", MEND)
        steps = _timed(rows(given["steps"], f"{where}: steps"), where, known)
        total = sum(one.minutes for one in steps)
        if total != minutes:
            raise StudioError(f"{where} has {minutes} minutes, but its steps have {total}.", "Make them equal.")
        return cls(minutes, line(given["name"], f"{where}: name"), line(given["for_whom"], f"{where}: for_whom"), given["taught"], steps)


def _timed(given: list[Any], where: str, known: dict[str, Step]) -> tuple[Timed, ...]:
    made: list[Timed] = []
    for one in given:
        found = table(one, f"A step of {where}", ("step", "minutes"))
        step = known.get(str(found["step"]))
        if step is None or any(before.step is step for before in made):
            said = "is unknown" if step is None else "comes twice"
            raise StudioError(f"{where}: the step “{str(found['step'])[:40]}” {said}.", f"The steps are {', '.join(known)}.")
        begins = sum(before.minutes for before in made)
        made.append(Timed(step, begins, number(found["minutes"], f"{where}: {step.id}", MOST_MINUTES)))
    return tuple(made)


def read_steps(folder: Path = FOLDER) -> dict[str, Step]:
    """The steps by id, in the file's order. Raises StudioError where the file is damaged or an id comes twice."""
    found = [Step.read(one, f"Step {place}") for place, one in enumerate(rows(load("steps.yaml", folder), "steps.yaml"), 1)]
    if len({one.id for one in found}) < len(found):
        raise StudioError("Two steps of the lesson have the same id.", MEND)
    return {one.id: one for one in found}


def read_plans(folder: Path = FOLDER) -> dict[int, Plan]:
    """The plans by their minutes, shortest first. Raises StudioError where the file is damaged or two have equally many."""
    known = read_steps(folder)
    found = [Plan.read(one, f"Plan {place}", known) for place, one in enumerate(rows(load("plans.yaml", folder), "plans.yaml"), 1)]
    if len({one.minutes for one in found}) < len(found):
        raise StudioError("Two plans of the lesson have the same minutes.", MEND)
    return {one.minutes: one for one in sorted(found, key=lambda one: one.minutes)}


@cache
def steps() -> dict[str, Step]:
    """The steps that ship with the studio, by id."""
    return read_steps()


@cache
def plans() -> dict[int, Plan]:
    """The plans that ship with the studio, by minutes."""
    return read_plans()


def plan(minutes: int) -> Plan:
    """The plan of so many minutes. Raises StudioError where there is none."""
    if minutes not in plans():
        raise StudioError(f"There is no plan of {minutes} minutes.", f"Choose {' or '.join(map(str, plans()))}.")
    return plans()[minutes]
