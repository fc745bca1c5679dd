"""Answers that grow by one token a step, in the order of the rows they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.models.loading import Base
from pipelines.models.template import Message
from pipelines.records import Answer, Column, Stamp


@dataclass(frozen=True)
class Row:
    """One answer to generate: who answers, to what, with which seed."""

    column: Column
    messages: Sequence[Message]
    seed: int


def ends_of(base: Base) -> set[int]:
    """Every token with which an answer ends; some models have more than the tokenizer's one."""
    found = base.model.generation_config.eos_token_id
    more = found if isinstance(found, list) else [found]
    return {int(one) for one in [*more, base.tokenizer.eos_token_id] if one is not None}


class Growing:
    """Token lists that grow by one a step, and the answers made from them."""

    def __init__(self, rows: Sequence[Row], stamps: list[Stamp], tokenizer: Any, ends: set[int]) -> None:
        self.rows, self.stamps, self.tokenizer, self.ends = rows, stamps, tokenizer, ends
        self.tokens: list[list[int]] = [[] for _ in rows]
        self.ended = [False] * len(rows)

    def add(self, step: Sequence[int]) -> None:
        """One new token a row; what comes after a row's end is padding."""
        for number, token in enumerate(step):
            if self.ended[number]:
                continue
            if token in self.ends:
                self.ended[number] = True
            else:
                self.tokens[number].append(token)

    def answers(self, final: bool, stopped: bool = False) -> list[Answer]:
        """What has been said so far; `final` fills in how each answer ended."""
        texts = self.tokenizer.batch_decode(self.tokens, skip_special_tokens=True)
        return [self._one(number, text, final, stopped) for number, text in enumerate(texts)]

    def _one(self, number: int, text: str, final: bool, stopped: bool) -> Answer:
        row = self.rows[number]
        finished = "eos" if self.ended[number] else "" if not final else "stopped" if stopped else "length"
        question = str(row.messages[-1]["content"])
        return Answer(row.column.name, question, text.strip(), len(self.tokens[number]), finished, self.stamps[number])
