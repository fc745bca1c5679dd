"""Answers that grow by one token a step, in the order of the rows they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.models.template import Message
from pipelines.records import Answer, Column, Stamp


@dataclass(frozen=True)
class Row:
    """One answer to generate: who answers, to what, with which seed."""

    column: Column
    messages: Sequence[Message]
    seed: int


class Growing:
    """Token lists that grow by one a step, and the answers made from them."""

    def __init__(self, rows: Sequence[Row], stamps: list[Stamp], tokenizer: Any) -> None:
        self.rows, self.stamps, self.tokenizer = rows, stamps, tokenizer
        self.tokens: list[list[int]] = [[] for _ in rows]
        self.ended = [False] * len(rows)

    def add(self, step: Sequence[int]) -> None:
        """One new token a row; what comes after a row's end is padding."""
        for number, token in enumerate(step):
            if self.ended[number]:
                continue
            if token == self.tokenizer.eos_token_id:
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
