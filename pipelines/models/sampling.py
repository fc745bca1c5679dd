"""Drawing tokens with one random number stream per row, so that columns differ by their adapter and not by luck."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import LogitsProcessor, StoppingCriteria
from transformers.generation.streamers import BaseStreamer

FEW = 128


class SharedNoise(LogitsProcessor):
    """Gumbel-max sampling: argmax(logits / T + g) with g = -log(-log u) draws from softmax(logits / T).

    Rows with equal seeds get equal u at each step (common random numbers). Used with greedy search, so that one
    batch serves greedy and sampled answers. Source of the formula: Gumbel, 1954; Maddison et al., 2014.
    """

    def __init__(self, seeds: Sequence[int], temperature: float, top_p: float) -> None:
        self.temperature, self.top_p = temperature, top_p
        self.seeds = list(seeds)
        self.generators = {seed: torch.Generator().manual_seed(seed) for seed in set(seeds)}

    def keep(self, rows: Sequence[int]) -> None:
        """Goes on with these rows alone, in this order."""
        self.seeds = [self.seeds[row] for row in rows]

    def draw(self, scores: Any) -> Any:
        """One token a row, (R,), from scores (R, vocabulary)."""
        if self.temperature == 0:
            return scores.argmax(-1)
        noisy, tokens = self._noisy(scores)
        return tokens.gather(1, noisy.argmax(-1, keepdim=True))[:, 0]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        if self.temperature == 0:
            return scores
        noisy, tokens = self._noisy(scores)
        return torch.full_like(scores, float("-inf")).scatter(1, tokens, noisy)

    def _noisy(self, scores: Any) -> tuple[Any, Any]:
        """Scores with noise of the tokens that may be drawn, and which tokens these are, both (R, at most the vocabulary)."""
        kept, tokens = likeliest(scores / self.temperature, self.top_p)
        size = scores.shape[-1]
        drawn = {seed: torch.rand(size, generator=self.generators[seed]).clamp_(1e-20, 1 - 1e-7) for seed in dict.fromkeys(self.seeds)}
        uniform = torch.stack([drawn[seed] for seed in self.seeds]).to(scores.device).gather(1, tokens)
        return kept - torch.log(-torch.log(uniform)), tokens


def likeliest(scores: Any, top_p: float) -> tuple[Any, Any]:
    """The likeliest tokens of each row that together reach the probability top_p: their scores, -inf for those beyond, and their ids.

    Nucleus sampling (Holtzman et al., 2020). The whole vocabulary is sorted only where FEW tokens do not reach it.
    """
    size = scores.shape[-1]
    if top_p >= 1:
        return scores, torch.arange(size, device=scores.device).expand(scores.shape)
    total = scores.logsumexp(-1, keepdim=True)
    for most in (min(FEW, size), size):
        found, tokens = scores.topk(most)
        chance = (found - total).exp()
        if bool((chance.sum(-1) >= top_p).all()):
            break
    before = chance.cumsum(-1) - chance
    return found.masked_fill((before >= top_p) & (before > 0), float("-inf")), tokens


class StopWhen(StoppingCriteria):
    """Ends generation when asked to. PEFT's hooks leak if generation is ended by an exception instead."""

    def __init__(self, over: Callable[[], bool]) -> None:
        self.over = over

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        return torch.full((input_ids.shape[0],), self.over(), device=input_ids.device, dtype=torch.bool)


class TokenQueue(BaseStreamer):
    """Hands each step's new tokens, one a row, from the generating thread to a reader; None marks the end."""

    def __init__(self) -> None:
        self.steps: queue.Queue[list[int] | None] = queue.Queue()
        self.prompt_seen = False

    def put(self, value: Any) -> None:
        if not self.prompt_seen:
            self.prompt_seen = True
            return
        self.steps.put(value.reshape(-1).tolist())

    def end(self) -> None:
        self.steps.put(None)
