"""The exercise: a data set with planted faults, a sheet to fill in, and a key that is counted in the data themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.lesson.entries import FOLDER, MEND, line, lines, load, number, table

FILE = "confounded.jsonl"
PARTS = ("title", "data", "task", "hints", "sheet", "afterwards", "faults")
MOST_LINES, SHOWN_ROWS = 20, 3


@dataclass(frozen=True)
class Fault:
    """A kind of planted fault: `light` is the check of Curate that is about it, `rows` the ids of the rows that have it."""

    id: str
    name: str
    light: str
    why: str
    rows: tuple[str, ...]

    @property
    def examples(self) -> tuple[str, ...]:
        """A few of its rows, to look at together."""
        return self.rows[:SHOWN_ROWS]


@dataclass(frozen=True)
class Exercise:
    """What students are told and fill in. `faults` is the key, the kind with most rows first; `clean` rows have none, of `total`."""

    title: str
    data: str
    task: str
    hints: tuple[str, ...]
    columns: tuple[str, ...]
    lines: int
    afterwards: tuple[str, ...]
    faults: tuple[Fault, ...]
    clean: int
    total: int


def read_exercise(folder: Path = FOLDER) -> Exercise:
    """Raises StudioError where the file is damaged, or names other faults than the data have."""
    given = table(load("exercise.yaml", folder), "exercise.yaml", PARTS)
    sheet = table(given["sheet"], "The sheet", ("columns", "lines"))
    planted = {row["id"]: row["planted"] for row in bundled.json_lines(bundled.DATA / FILE)}
    return Exercise(
        line(given["title"], "title"),
        line(given["data"], "data"),
        line(given["task"], "task"),
        lines(given["hints"], "hints"),
        lines(sheet["columns"], "The sheet's columns"),
        number(sheet["lines"], "The sheet's lines", MOST_LINES),
        lines(given["afterwards"], "afterwards"),
        _faults(given["faults"], planted),
        sum(not faults for faults in planted.values()),
        len(planted),
    )


def _faults(given: Any, planted: dict[str, list[str]]) -> tuple[Fault, ...]:
    counts = Counter(fault for faults in planted.values() for fault in faults)
    told = table(given, "The key", tuple(counts))
    made = []
    for fault, _ in counts.most_common():
        words = table(told[fault], f"The fault “{fault}”", ("name", "light", "why"))
        texts = {name: line(words[name], f"The fault “{fault}”: {name}") for name in words}
        made.append(Fault(fault, rows=tuple(row for row, faults in planted.items() if fault in faults), **texts))
    if len({one.light for one in made}) < len(made):
        raise StudioError("Two faults of the key name the same check.", MEND)
    return tuple(made)


@cache
def exercise() -> Exercise:
    """The exercise that ships with the studio."""
    return read_exercise()
