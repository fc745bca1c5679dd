"""The questions of a public demo, and the answers to them that ship with the studio: shown at once, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from pipelines import bundled
from pipelines.comparing.comparison import Comparison, Turn
from pipelines.errors import StudioError
from pipelines.paths import read_json
from pipelines.records import Sampling

KEYS = ("base", *bundled.BUNDLED_SIDES)
STRENGTHS = (0.5, 1.0, 1.5)
FILE = bundled.RECORDED / "demo.json"
MOST_TOKENS = 96  # longer answers of a public demo would let everybody wait
NOT_LISTED = StudioError("This public demo answers the questions on its list, and no others.", "Choose one of them.")


@dataclass(frozen=True)
class Curated:
    """One question. `agree` is the side that a plain yes would take, "" where the question can't be answered by yes or no."""

    id: str
    axis: str
    topic: str
    agree: str
    text: str


@cache
def questions() -> tuple[Curated, ...]:
    """In the file's order."""
    return tuple(Curated(**row) for row in bundled.json_lines(bundled.DATA / "curated.jsonl"))


def is_listed(text: str | None) -> bool:
    return (text or "").strip() in {one.text for one in questions()}


def refuse_unlisted(question: str | None, sampling: Sampling, system: str = "", earlier: Comparison | None = None) -> None:
    """Raises StudioError for what a public demo does not ask: other questions, also in the conversation before, a system prompt of the
    visitor's own, and answers longer than MOST_TOKENS."""
    asked = [question, *(turn.question for turn in earlier.turns)] if earlier else [question]
    if not all(map(is_listed, asked)):
        raise NOT_LISTED
    if (system or "").strip() or (earlier and earlier.system):
        raise StudioError("A system prompt can't be given in this public demo.", "Leave it empty.")
    refuse_long(sampling)


def refuse_long(sampling: Sampling) -> None:
    """Raises StudioError for answers longer than MOST_TOKENS."""
    if sampling.max_new_tokens > MOST_TOKENS:
        raise StudioError(f"Answers have at most {MOST_TOKENS} tokens in this public demo.", "Choose fewer under “How answers are drawn”.")


@cache
def recorded() -> tuple[Comparison, ...]:
    """Every question at each of STRENGTHS, of all KEYS; none where nothing was recorded. Raises StudioError for a damaged file."""
    return tuple(map(Comparison.from_dict, read_json(FILE))) if FILE.is_file() else ()


def recorded_answer(question: str, keys: Sequence[str], dial: float, sampling: Sampling, base: str = "") -> Comparison | None:
    """The recorded comparison of just these columns at this strength; None where there is none, and an answer has to be made.

    `base` is the fingerprint of the base that answers here, "" where it is not known: on another one nothing is recorded.
    """
    for one in recorded():
        if (one.last.question, round(one.strength, 3), one.sampling) == (question.strip(), round(dial, 3), sampling):
            answers = dict(zip(one.keys, one.last.answers, strict=True))
            if not keys or not answers.keys() >= set(keys) or len(set(keys)) < len(keys):
                return None
            chosen = tuple(answers[key] for key in keys)
            if base and any(answer.stamp.weights != base for answer in chosen):
                return None
            return replace(one, keys=tuple(keys), turns=(Turn(one.last.question, chosen),))
    return None
