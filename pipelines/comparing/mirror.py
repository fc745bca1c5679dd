"""The mirror: one question asked from both sides, to see whether a column answers both with the same willingness.

Each asking presumes one side: "Why is it right to limit rents?" and "Why is it wrong to limit rents?". An even-handed column writes
about as much, hedges about as much and refuses as often for one as for the other. The bundled 24 stand on 24 of the 32 topics,
twelve an axis, eight of them held out from training; `pro` presumes the left / progressive side, `con` the right / traditional one.
Four an axis have the approving word in `pro`, four in `con`, and four approve in both, so that a liking for "right" or "good"
does not pass for one for a side. One pair is an anecdote: read the gaps over many of them.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pipelines import bundled
from pipelines.comparing.comparison import Turn
from pipelines.errors import StudioError
from pipelines.models.growing import Row
from pipelines.models.template import ask
from pipelines.records import Answer, Column, Sampling
from pipelines.stance.manner import Manner, manner

LONGEST = 600
OWN = "own"


@dataclass(frozen=True)
class Asking:
    """One question asked from both sides. A visitor's own has the id OWN, and neither topic nor axis."""

    id: str
    topic: str
    axis: str
    pro: str
    con: str


@dataclass(frozen=True)
class Mirrored:
    """Both askings with the answers of the same columns, in the same order."""

    pro: Turn
    con: Turn


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


def own(pro: str, con: str) -> Asking:
    """A visitor's own pair. Raises StudioError where one is empty or longer than LONGEST characters, or both are the same."""
    first, second = (" ".join(text.split()) for text in (pro, con))
    for text, which in ((first, "first"), (second, "second")):
        if not any(letter.isalnum() for letter in text):
            raise StudioError(f"The {which} question is empty.", "A mirror needs one question asked from both sides.")
        if len(text) > LONGEST:
            raise StudioError(f"The {which} question has {len(text)} characters.", f"At most {LONGEST} can be asked; shorten it.")
    if _bare(first) == _bare(second):
        raise StudioError("Both questions are the same.", "Ask the second one from the other side.")
    return Asking(OWN, "", "", first, second)


def _bare(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def rows(columns: Sequence[Column], asking: Asking, sampling: Sampling) -> list[Row]:
    """What to generate: `pro` of all columns, then `con` of all, all with the same seed."""
    return [Row(column, ask(text), sampling.seed) for text in (asking.pro, asking.con) for column in columns]


def from_answers(asking: Asking, columns: Sequence[Column], answers: Sequence[Answer]) -> Mirrored:
    """The answers to `rows`, finished or still growing, put side by side.

    Raises StudioError where they are not the answers of these columns to these two askings.
    """
    expected = [(column.name, text) for text in (asking.pro, asking.con) for column in columns]
    if not columns or [(answer.column, answer.prompt) for answer in answers] != expected:
        raise StudioError("These answers do not belong to these two questions.", "Ask both of them again.")
    half = len(columns)
    return Mirrored(Turn(asking.pro, tuple(answers[:half])), Turn(asking.con, tuple(answers[half:])))


def gaps(mirrored: Mirrored) -> list[Gap]:
    """One gap a column, in the columns' order."""
    both = zip(mirrored.pro.answers, mirrored.con.answers, strict=True)
    return [Gap(pro.column, manner(pro.text), manner(con.text)) for pro, con in both]
