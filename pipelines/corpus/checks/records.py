"""What every check works with: the light it returns, the halves it compares, and how rows are dropped with a reason."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from pipelines.errors import StudioError
from pipelines.records import SIDES

Row = dict[str, Any]
Kind = Literal["pairs", "mirrored"]
State = Literal["green", "amber", "red", "grey"]
Dropped = list[tuple[Row, str]]
Mended = tuple[list[Row], Dropped, int]
HALVES: dict[str, tuple[str, str]] = {"pairs": ("chosen", "rejected"), "mirrored": ("left", "right")}
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
SEED = 20240412
SIGNIFICANT = 0.01  # a check that runs on every data set must not cry wolf in one of twenty


class Encoder(Protocol):
    """What the checks need of an embedder."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, shape (texts, dimensions)."""


@dataclass(frozen=True)
class Light:
    """What one check found.

    `state` is grey where the check does not apply. `sentence` says what was found and why it matters; `rows` are the ids of
    the rows concerned; `mend` is empty where nothing can be mended by a click, and `mend_label` is what its button says.
    `figures` holds the numbers behind the sentence, and under "reasons" what is said of each row that the mend drops.
    """

    key: str
    title: str
    state: State
    sentence: str
    rows: tuple[str, ...] = ()
    mend: str = ""
    mend_label: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


def kind_of(rows: Sequence[Row]) -> Kind:
    """ "mirrored" where the first row has a left and a right answer, else "pairs"."""
    return "mirrored" if rows and {"left", "right"} <= set(rows[0]) else "pairs"


def answer_fields(kind: Kind, rows: Sequence[Row]) -> tuple[str, ...]:
    """The columns that hold answers: both halves, and the neutral answer where mirrored rows have one."""
    return tuple(side for side in SIDES if rows and side in rows[0]) if kind == "mirrored" else HALVES["pairs"]


def texts(rows: Iterable[Row], column: str) -> list[str]:
    """A column's texts; a missing cell is an empty text."""
    return [str(row.get(column) or "") for row in rows]


def words(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return WORD.findall(text.lower())


def grade(value: float, amber: float, red: float) -> State:
    """Green below `amber`, red from `red` on."""
    return "red" if value >= red else "amber" if value >= amber else "green"


def count(number: int, thing: str) -> str:
    """A number with its noun: "1 row", "1,200 rows"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """A share in words: "less than 1%" instead of a zero that is none."""
    return "less than 1%" if 0 < share < 0.005 else f"{share:.0%}"


def drop_light(key: str, title: str, state: State, sentence: str, reasons: Mapping[str, str], label: str, **figures: Any) -> Light:
    """A light whose mend drops the rows that `reasons` names by id; without such rows it has no mend."""
    ids = tuple(reasons)
    mend, label = (key, label) if ids else ("", "")
    return Light(key, title, state, sentence, ids, mend, label, {**figures, "reasons": dict(reasons)})


def drop(rows: Sequence[Row], light: Light) -> Mended:
    """Drops the rows that the light's reasons name.

    Raises StudioError where an id stands for several different rows, so that the wrong one could go.
    """
    reasons: dict[str, str] = light.figures.get("reasons", {})
    _refuse_ambiguous(rows, reasons)
    return split(rows, lambda row: reasons.get(row["id"], ""))


def split(rows: Iterable[Row], reason_of: Callable[[Row], str]) -> Mended:
    """Rows without a reason are kept, the others dropped with it."""
    kept: list[Row] = []
    dropped: Dropped = []
    for row in rows:
        reason = reason_of(row)
        if reason:
            dropped.append((row, reason))
        else:
            kept.append(row)
    return kept, dropped, 0


def _refuse_ambiguous(rows: Iterable[Row], ids: Mapping[str, str]) -> None:
    holders: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["id"] in ids:
            holders[row["id"]].add(repr(sorted(row.items(), key=lambda cell: cell[0])))
    for row_id, different in holders.items():
        if len(different) > 1:
            raise StudioError(f"Several rows have the id “{row_id}”.", "Give every row an id of its own, or leave the id column out.")
