"""The mirror of Compare: a bundled or a visitor's own question asked from both sides, and the answers put side by side.

What an asking and a gap are, and the bundled askings, stand in stance/askings.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.comparing.comparison import Turn
from pipelines.errors import StudioError
from pipelines.records import Answer, Column
from pipelines.stance.askings import Asking, Gap, askings, rows
from pipelines.stance.manner import manner

__all__ = ["LONGEST", "OWN", "Asking", "Gap", "Mirrored", "askings", "from_answers", "gaps", "own", "rows"]

LONGEST = 600
OWN = "own"


@dataclass(frozen=True)
class Mirrored:
    """Both askings with the answers of the same columns, in the same order."""

    pro: Turn
    con: Turn


def own(pro: str, con: str) -> Asking:
    """A visitor's own pair, with the id OWN. Raises StudioError where one is empty or longer than LONGEST characters, or both are the same."""
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
