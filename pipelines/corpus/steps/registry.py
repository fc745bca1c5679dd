"""All curation steps by key, in their usual order, and the plan that each kind of data starts with."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pipelines.corpus.engine import Step, check_settings
from pipelines.corpus.steps.duplicates import ExactDuplicates, NearDuplicates
from pipelines.corpus.steps.hand import Hand
from pipelines.corpus.steps.mending import Mend
from pipelines.corpus.steps.pairing import Match
from pipelines.corpus.steps.scoring import Annotate, Spam, Weak
from pipelines.corpus.steps.selecting import Select
from pipelines.corpus.steps.text import Language, Length, Mask, Normalize
from pipelines.corpus.steps.writing import Synthesize
from pipelines.errors import StudioError

ALL: tuple[Any, ...] = (
    Normalize,
    Mask,
    Language,
    Length,
    ExactDuplicates,
    NearDuplicates,
    Spam,
    Annotate,
    Weak,
    Select,
    Match,
    Synthesize,
    Mend,
    Hand,
)
STEPS: dict[str, Any] = {step.key: step for step in ALL}
CLEANING = {
    "posts": ("normalize", "mask", "language", "length", "exact", "near", "spam"),
    "pairs": ("normalize", "mask", "length", "exact"),
    "mirrored": ("normalize", "mask", "length", "exact"),
}
SCORING = ("annotate", "weak")


def make(key: str, values: dict[str, Any] | None = None) -> Step:
    """A step from its key and settings. Raises StudioError for an unknown step, setting or value."""
    if key not in STEPS:
        raise StudioError(f"There is no curation step called “{key}”.", f"There are: {', '.join(STEPS)}.")
    known = {one.name for one in fields(STEPS[key])}
    unknown = set(values or {}) - known
    if unknown:
        raise StudioError(
            f"The step {key} has no setting called {', '.join(sorted(unknown))}.", f"It knows {', '.join(sorted(known)) or 'none'}."
        )
    step = STEPS[key](**(values or {}))
    check_settings(step)
    return step
