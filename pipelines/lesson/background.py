"""What stands behind the lesson: notes for the teacher, whose values are in a model, misconceptions, limits, further reading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.lesson.entries import FOLDER, MEND, line, lines, load, number, rows, table
from pipelines.lesson.plan import steps

PARTS = ("warning", "values", "misconceptions", "limits", "reading")
LATEST_YEAR = 2100


@dataclass(frozen=True)
class Saying:
    """What people say (or believe), and a plain answer to it."""

    said: str
    answer: str


@dataclass(frozen=True)
class Note:
    """For the teacher, about one step."""

    goes_wrong: tuple[str, ...]
    students_say: tuple[Saying, ...]


@dataclass(frozen=True)
class Part:
    """A paragraph with a title."""

    title: str
    text: str


@dataclass(frozen=True)
class Work:
    """Something to read, and why."""

    authors: str
    year: int
    title: str
    where: str
    why: str


@dataclass(frozen=True)
class Background:
    """All that belongs to the lesson as a whole."""

    warning: str
    values: tuple[Part, ...]
    misconceptions: tuple[Saying, ...]
    limits: tuple[str, ...]
    reading: tuple[Work, ...]


def read_notes(folder: Path = FOLDER) -> dict[str, Note]:
    """Notes by the id of their step, one for each. Raises StudioError where one is missing, left over or damaged."""
    given = table(load("notes.yaml", folder), "notes.yaml", tuple(steps()))
    return {step_id: _note(given[step_id], f"The note on “{step_id}”") for step_id in steps()}


def _note(value: Any, where: str) -> Note:
    given = table(value, where, ("goes_wrong", "students_say"))
    says = rows(given["students_say"], f"{where}: students_say")
    return Note(lines(given["goes_wrong"], f"{where}: goes_wrong"), tuple(_saying(one, where, "said") for one in says))


def _saying(value: Any, where: str, name: str) -> Saying:
    given = table(value, where, (name, "answer"))
    return Saying(line(given[name], f"{where}: {name}"), line(given["answer"], f"{where}: answer"))


def read_background(folder: Path = FOLDER) -> Background:
    """Raises StudioError where the file is damaged or a work comes twice."""
    given = table(load("background.yaml", folder), "background.yaml", PARTS)
    listed = {name: rows(given[name], name) for name in ("values", "misconceptions", "reading")}
    works = tuple(_work(one, f"Work {place}") for place, one in enumerate(listed["reading"], 1))
    if len({one.title.lower() for one in works}) < len(works):
        raise StudioError("A work comes twice in the list of reading.", MEND)
    return Background(
        line(given["warning"], "warning"),
        tuple(_part(one, f"Part {place}") for place, one in enumerate(listed["values"], 1)),
        tuple(_saying(one, f"Misconception {place}", "belief") for place, one in enumerate(listed["misconceptions"], 1)),
        lines(given["limits"], "limits"),
        works,
    )


def _part(value: Any, where: str) -> Part:
    given = table(value, where, ("title", "text"))
    return Part(line(given["title"], where), line(given["text"], where))


def _work(value: Any, where: str) -> Work:
    given = table(value, where, ("authors", "year", "title", "where", "why"))
    texts = {name: line(given[name], f"{where}: {name}") for name in ("authors", "title", "where", "why")}
    return Work(year=number(given["year"], f"{where}: year", LATEST_YEAR), **texts)


@cache
def notes() -> dict[str, Note]:
    """The notes that ship with the studio, by the id of their step."""
    return read_notes()


@cache
def background() -> Background:
    """What ships with the studio."""
    return read_background()
