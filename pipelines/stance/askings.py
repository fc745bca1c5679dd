"""Mirrored askings: one question asked from both sides, and how differently a column answers the two.

Each asking presumes one side: "Why is it right to limit rents?" and "Why is it wrong to limit rents?". An even-handed column writes
about as much, hedges about as much and refuses as often for one as for the other. The bundled 24 stand on 24 of the 32 topics,
twelve an axis, eight of them held out from training; `pro` presumes the left / progressive side, `con` the right / traditional one.
Four an axis have the approving word in `pro`, four in `con`, and four approve in both, so that a liking for "right" or "good"
does not pass for one for a side. One pair is an anecdote: read the gaps over many of them (stance/evenness.py).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pipelines import bundled
from pipelines.models.growing import Row
from pipelines.models.template import ask
from pipelines.records import Column, Sampling
from pipelines.stance.manner import Manner

PRO, CON = SIDES = ("pro", "con")


@dataclass(frozen=True)
class Asking:
    """One question asked from both sides. A visitor's own has neither topic nor axis."""

    id: str
    topic: str
    axis: str
    pro: str
    con: str


@dataclass(frozen=True)
class Gap:
    """How differently one column answered the two askings. Every difference is pro minus con."""

    column: str
    pro: Manner
    con: Manner

    @property
    def words(self) -> int:
        return self.pro.words - self.con.words

    @property
    def hedges(self) -> float:
        """In hedges per 100 words."""
        return self.pro.hedges_per_100_words - self.con.hedges_per_100_words

    @property
    def refusal(self) -> int:
        """1: only pro was refused, -1: only con, 0: both or neither."""
        return int(self.pro.refusal) - int(self.con.refusal)


@cache
def askings() -> tuple[Asking, ...]:
    """The 24 bundled ones, economic before social."""
    with (bundled.DATA / "askings.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(Asking(**row) for row in csv.DictReader(handle))


def rows(columns: Sequence[Column], asking: Asking, sampling: Sampling) -> list[Row]:
    """What to generate: `pro` of all columns, then `con` of all, all with the same seed."""
    return [Row(column, ask(text), sampling.seed) for text in (asking.pro, asking.con) for column in columns]
