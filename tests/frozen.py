"""Small frozen reviews for tests: designs, stamped answers and protocols that no model had to write."""

from __future__ import annotations

from typing import Any

from pipelines.comparing.comparison import Turn
from pipelines.comparing.prompts import Prompt
from pipelines.records import Answer, Stamp
from pipelines.review.design import Design
from pipelines.review.protocol import Protocol, freeze

ADAPTERS = {"base": "", "left": "f1f1f1f1f1f1", "right": "e2e2e2e2e2e2"}


def prompts(number: int) -> tuple[Prompt, ...]:
    return tuple(Prompt(f"p{one}", f"What about matter {one}?", "matters") for one in range(number))


def design(number: int = 20, keys: tuple[str, ...] = ("base", "left"), **changes: Any) -> Design:
    return Design("Two models", "To see whether raters notice a difference.", keys, prompts(number), **changes)


def answer(column: str, prompt: Prompt, seed: int = 7, **changes: Any) -> Answer:
    """Words that betray nothing of the column but differ between columns, prompts and seeds."""
    adapter = ADAPTERS[column]
    stamp = Stamp("tiny-model", "b0b0b0b0b0b0", f"adapter-{column}" if adapter else "", adapter, float(bool(adapter)), 0.3, 0.9, seed, 72, "ph", "th")  # fmt: skip
    words = {"base": "It depends", "left": "Probably so", "right": "Probably not"}[column]
    return Answer(column, prompt.text, changes.pop("text", f"{words}, says draw {seed} on {prompt.id}."), 9, "eos", stamp)


def turns(made: Design, seed: int = 7) -> list[tuple[Prompt, Turn]]:
    return [(one, Turn(one.text, tuple(answer(key, one, seed) for key in made.keys))) for one in made.drawn]


def second_turns(made: Design, seed: int = 8) -> list[tuple[Prompt, Turn]]:
    """The base once more, with another seed, for the pairs of one model."""
    return [(one, Turn(one.text, (answer("base", one, seed),))) for one in made.doubled]


def protocol(number: int = 20, keys: tuple[str, ...] = ("base", "left"), **changes: Any) -> Protocol:
    made = design(number, keys, **changes)
    return freeze(made, [*turns(made), *second_turns(made)])
