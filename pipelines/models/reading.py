"""What can be read from a model without generating: how likely given texts, labels and the pieces of an answer are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

from pipelines.models.labels import LabelScore
from pipelines.models.loading import Base
from pipelines.models.template import Message, ask, render
from pipelines.models.tracing import Traced
from pipelines.records import Column

T = TypeVar("T")


class Reader(ABC):
    """Reads with whatever `_read` makes ready."""

    @abstractmethod
    def load(self) -> Base:
        """The base, loaded."""

    @abstractmethod
    def _read(self, column: Column, work: Callable[[Base, str | None], T]) -> T:
        """What `work` makes of the base with a column's adapter attached, and of its name where rows have to say which one they are for."""

    def log_likelihoods(self, column: Column, items: Sequence[tuple[str, str]], batch_size: int = 16) -> list[tuple[float, int]]:
        """Sum of log P(continuation | prefix) and the continuation's number of tokens, for each (prefix, continuation).

        Prefixes are used as they are (apply a template before). Natural logarithms.
        """
        from pipelines.models.scoring import log_likelihoods

        return self._read(column, lambda base, name: log_likelihoods(base, items, name, batch_size))

    def label_scores(self, column: Column, questions: Sequence[str], labels: Sequence[tuple[str, str]]) -> list[LabelScore]:
        """How likely a column is to begin its answer to each question with either of two labels (agree, disagree)."""
        from pipelines.models.labels import label_scores

        texts = [self.chat_prefix(question) for question in questions]
        return self._read(column, lambda base, name: label_scores(base, texts, labels, name))

    def trace(self, column: Column, messages: Sequence[Message], answer: str) -> list[Traced]:
        """How much likelier each piece of a column's answer is than for the base, after the same messages."""
        from pipelines.models.tracing import trace

        return self._read(column, lambda base, name: trace(base, render(base.tokenizer, messages), answer, name))

    def exact_text(self, messages: Sequence[Message]) -> str:
        """The very characters that the model reads before it answers, template and system prompt included."""
        return render(self.load().tokenizer, messages)

    def chat_prefix(self, question: str) -> str:
        """The formatted text that stands before an answer to a question."""
        return self.exact_text(ask(question))
