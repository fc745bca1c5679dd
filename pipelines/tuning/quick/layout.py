"""Rows of tokens laid end to end, without padding, and what all of them begin with (the template) only once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Row = tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """First the `shared` tokens that all rows begin with, then what is left of each, which lies at `spans` from and to."""

    shared: int
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Layout:
        """At least one token of each row is left over."""
        shared = min(len(row) for row in rows) - 1 if len(rows) > 1 else 0
        shared = next((at for at in range(shared) if len({row[at] for row in rows}) > 1), shared)
        spans, start = [], shared
        for row in rows:
            spans.append((start, start + len(row) - shared))
            start = spans[-1][1]
        return cls(shared, tuple(spans))

    @property
    def positions(self) -> list[int]:
        """The number of each token in its row."""
        rest = [number for start, end in self.spans for number in range(self.shared, self.shared + end - start)]
        return [*range(self.shared), *rest]

    def joined(self, parts: Sequence[Any]) -> Any:
        """(N, …) from what belongs to all tokens of each row, (L, …)."""
        import torch

        return torch.cat([parts[0][: self.shared], *(part[self.shared :] for part in parts)])

    def place(self, row: int, token: int) -> int:
        """Where a row's token lies."""
        return token if token < self.shared else self.spans[row][0] + token - self.shared
