"""Keys name columns: "left", "left*0.5" (a strength of its own), "left*0.5+right*0.5" (a blend), "run:ID@20*1.5".

A part without a strength follows the bias dial. Keys outlive a new title of a run, travel in links and stand on the command line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.entries import number, shown
from pipelines.errors import StudioError

LOWEST, HIGHEST = -2.0, 2.0
MOST_PARTS = 2
MAX_COLUMNS = 6
TRAIL = (0.0, 0.25, 0.5, 0.75, 1.0)
PART = re.compile(r"(?P<offer>.+?)\*(?P<strength>-?[0-9]{1,2}(?:\.[0-9]{1,3})?)")
BETWEEN = re.compile(r"(?<=[0-9])\+(?=[^0-9\s])")


@dataclass(frozen=True)
class Part:
    """One adapter of a column: the key of an offer, and its strength (None: the bias dial's)."""

    offer: str
    strength: float | None = None


def parse(key: str) -> tuple[Part, ...]:
    """The parts of a key.

    Raises StudioError for a strength out of range, or a blend of more than two or of parts without strengths.
    """
    if not PART.fullmatch(key):
        return (Part(key),)
    found = [PART.fullmatch(text) for text in BETWEEN.split(key)]
    if not all(found) or len(found) > MOST_PARTS:
        raise StudioError(
            f"“{shown(key)}” is not a column.", f"A blend is written like left*0.5+right*0.5, with at most {MOST_PARTS} parts."
        )
    parts = tuple(Part(one["offer"], float(one["strength"])) for one in found if one)
    wrong = next((part for part in parts if part.strength is None or not LOWEST <= part.strength <= HIGHEST), None)
    if wrong:
        raise StudioError(f"The strength {wrong.strength:g} is out of range.", f"It must lie between {LOWEST:g} and {HIGHEST:g}.")
    return parts


def made(*parts: tuple[str, float]) -> str:
    """The key of a column with strengths of its own: `made(("left", 0.5))` is "left*0.5". Raises StudioError for a strength out of range."""
    strengths = [round(number(strength, "The strength", LOWEST, HIGHEST), 3) + 0.0 for _, strength in parts]
    return "+".join(f"{offer}*{strength:g}" for (offer, _), strength in zip(parts, strengths, strict=True))


def canonical(key: str) -> str:
    """One way to write it: "left*1.0" is "left*1". Raises StudioError like `parse`."""
    parts = [(part.offer, part.strength) for part in parse(key)]
    return made(*[(offer, strength) for offer, strength in parts if strength is not None]) or key


def trail(offer: str, strengths: Sequence[float] = TRAIL) -> list[str]:
    """Keys of one adapter at rising strengths."""
    return [made((offer, strength)) for strength in strengths]
