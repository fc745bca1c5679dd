"""What a series measures: columns by strength or by step, with the placebo's beside, and about how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines import bundled
from pipelines.entries import shown
from pipelines.errors import StudioError
from pipelines.records import Column, Completion, Item
from pipelines.stance.forms import forms_of
from pipelines.stance.plan import SECONDS_A_COLUMN, SECONDS_A_PROMPT, SECONDS_A_SPAN
from pipelines.stance.series_points import Kind

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
MOST_POINTS, STRONGEST, FORMS = 24, 2.0, "quick"
LONGEST_TEXT = 1000


@dataclass(frozen=True)
class Plan:
    """What is measured: columns by x (strength or step), and the placebo's by x. Without `items` there is no questionnaire.

    Raises StudioError where there is nothing to measure, or too much.
    """

    kind: Kind
    of: str
    columns: dict[float, Column]
    placebo: dict[float, Column] = field(default_factory=dict)
    direction: int = 0
    completions: tuple[Completion, ...] = ()
    items: tuple[Item, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.columns) <= MOST_POINTS:
            raise StudioError(f"{len(self.columns)} points are to be measured.", f"Ask for 1 to {MOST_POINTS}, besides the base.")
        if not self.completions and not self.items:
            raise StudioError("There is no instrument.", "Choose the paired completions or the questionnaire.")

    @property
    def count(self) -> int:
        """How many columns are measured, the base among them."""
        return 1 + len(self.columns) + len(set(self.columns) & set(self.placebo))

    @property
    def seconds(self) -> float:
        """About how long it takes on two cores with the embedded model, nothing being kept from before."""
        prompts = len(forms_of(FORMS)) * 2 * (len(self.items) + len(bundled.items("sanity"))) if self.items else 0
        return self.count * (SECONDS_A_SPAN * 4 * len(self.completions) + SECONDS_A_PROMPT * prompts + SECONDS_A_COLUMN)


def at_strengths(name: str, folder: Path, strengths: Sequence[float]) -> dict[float, Column]:
    """An adapter's columns by strength; 0 is the base, which is always measured, and left out here.

    Raises StudioError for a strength that is no number or out of range.
    """
    wrong = next((one for one in strengths if not abs(one) <= STRONGEST), None)
    if wrong is not None:
        raise StudioError(f"The strength {wrong:g} can't be measured.", f"Give strengths between {-STRONGEST:g} and {STRONGEST:g}.")
    return {x: Column(f"{name} × {x:g}", folder, x) for x in sorted({round(one, 3) for one in strengths}) if x}


def parsed(text: str) -> list[float]:
    """Strengths from "0, 0.5, 1"; the usual ones from "". Raises StudioError where one is no number, or there are too many."""
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise StudioError("These are no strengths.", f"Write at most {MOST_POINTS} numbers with commas between them: 0.5, 1, 1.5")
    found = []
    for word in text.replace(";", ",").replace("\n", ",").split(","):
        try:
            found += [float(word)] if word.strip() else []
        except ValueError as error:
            raise StudioError(
                f"“{shown(word.strip(), 20)}” is no strength.", "Write numbers with commas between them: 0.5, 1, 1.5"
            ) from error
    return found or list(STRENGTHS)
