"""The loop that draws one token a row and step, greedily from scores that may carry noise, until all rows have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.models.lean.halves import Halves
from pipelines.models.lean.llama import Llama, Span

if TYPE_CHECKING:
    from pipelines.models.sampling import SharedNoise

FEWER = 0.75  # rows that have ended are let go as soon as no more than this part of them goes on


@dataclass(frozen=True)
class Asked:
    """Prompts padded on the left, `ids` and `mask` (R, P), and the name of each row's adapter."""

    ids: Any
    mask: Any
    names: Sequence[str]


@dataclass(frozen=True)
class Until:
    """When to end: tokens that end a row, the most tokens of any row, and a signal."""

    ends: set[int]
    most: int
    stopped: Callable[[], bool]


def decode(llama: Llama, model: Any, asked: Asked, noise: SharedNoise, until: Until, emit: Callable[[list[int]], None]) -> None:
    """Hands each step's tokens to `emit`, one a row in the order asked; what follows a row's end means nothing.

    `model` is the one whose attached adapters the rows name.
    """
    rows = sorted(range(len(asked.names)), key=lambda row: asked.names[row])  # those of one adapter together
    noise.keep(rows)
    halves = Halves(model, [asked.names[row] for row in rows], llama.families, len(llama.blocks))
    batch = _Batch(llama, asked.ids[rows], asked.mask[rows], halves, until.most)
    said, ended = [min(until.ends)] * len(rows), set[int]()
    scores = batch.read_prompts()
    for step in range(1, until.most + 1):
        drawn = noise.draw(scores)
        for row, token in zip(rows, drawn.tolist(), strict=True):
            said[row] = token
            if token in until.ends:
                ended.add(row)
        emit(list(said))
        going = [place for place, row in enumerate(rows) if row not in ended]
        if not going or step == until.most or until.stopped():
            return
        if len(going) <= FEWER * len(rows):
            rows, drawn = [rows[place] for place in going], drawn[going]
            noise.keep(going)
            batch.keep(going)
        scores = batch.read_next(drawn)


class _Batch:
    """Rows that are read together: their cache, how many tokens each has read, and which of all are not padding."""

    def __init__(self, llama: Llama, ids: Any, mask: Any, halves: Halves, most: int) -> None:
        import torch

        self.llama, self.halves, self.ids, self.mask = llama, halves, ids, mask.bool()
        self.cache = llama.cache(len(ids), ids.shape[1] + most)
        self.end = ids.shape[1]
        self.lengths = self.mask.sum(1, keepdim=True)
        padded = not bool(self.mask.all())
        self.seen = torch.cat((self.mask, self.mask.new_ones(len(ids), most)), 1) if padded else None

    def read_prompts(self) -> Any:
        """Scores (R, vocabulary) after the prompts; a prompt that several rows share is read once as far as their adapters allow."""
        import torch

        texts = [(tuple(ids), tuple(mask)) for ids, mask in zip(self.ids.tolist(), self.mask.tolist(), strict=True)]
        first = {text: place for place, text in reversed(list(enumerate(texts)))}
        places = sorted(first.values())
        spread = torch.tensor([places.index(first[text]) for text in texts]) if len(places) < len(texts) else None
        mask = self.mask[places]
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        return self.llama.read(self.ids[places], self.cache, Span(0, positions, self._causal(mask), spread), self.halves)

    def _causal(self, mask: Any) -> Any:
        """What each token may see, (1 or U, 1, P, P): what stands before it and is no padding; padding sees itself, lest it be nothing."""
        before = mask.new_ones(self.end, self.end).tril()[None, None]
        if self.seen is None:
            return before
        return (before & mask[:, None, None]) | mask.new_ones(self.end).diag()[None, None]

    def read_next(self, tokens: Any) -> Any:
        """Scores (R, vocabulary) after one more token a row, (R,)."""
        start = self.end
        self.end += 1
        seen = None if self.seen is None else self.seen[:, None, None, : self.end]
        scores = self.llama.read(tokens[:, None], self.cache, Span(start, self.lengths, seen), self.halves)
        self.lengths = self.lengths + 1
        return scores

    def keep(self, places: Sequence[int]) -> None:
        """Lets go of all other rows."""
        kept = list(places)
        self.cache = [(key[kept], value[kept]) for key, value in self.cache]
        self.lengths, self.halves = self.lengths[kept], self.halves.of_rows(kept)
        self.seen = None if self.seen is None else self.seen[kept]
