"""The exact text a model is trained on, split into what it only reads and what it learns to write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.models.template import ask, render
from pipelines.records import Pair


@dataclass(frozen=True)
class Formatted:
    """`read` is context, `trained` is what the loss is computed on; `tokens` counts both."""

    read: str
    trained: str
    tokens: int


def formatted(pair: Pair, tokenizer: Any) -> Formatted:
    """Applies the chat template to a pair the way the trainer does."""
    read = render(tokenizer, ask(pair.prompt))
    whole = render(tokenizer, [*ask(pair.prompt), {"role": "assistant", "content": pair.chosen}], for_answer=False)
    return Formatted(read, whole[len(read) :], len(tokenizer(whole, add_special_tokens=False).input_ids))
