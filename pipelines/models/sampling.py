"""Drawing tokens with one random number stream per row, so that columns differ by their adapter and not by luck."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Any

import torch
from transformers import LogitsProcessor, StoppingCriteria, TopPLogitsWarper
from transformers.generation.streamers import BaseStreamer


class SharedNoise(LogitsProcessor):
    """Gumbel-max sampling: argmax(logits / T + g) with g = -log(-log u) draws from softmax(logits / T).

    Rows with equal seeds get equal u at each step (common random numbers). Used with greedy search, so that one
    batch serves greedy and sampled answers. Source of the formula: Gumbel, 1954; Maddison et al., 2014.
    """

    def __init__(self, seeds: Sequence[int], temperature: float, top_p: float) -> None:
        self.temperature = temperature
        self.seeds = list(seeds)
        self.top_p = TopPLogitsWarper(top_p) if top_p < 1 else None
        self.generators = {seed: torch.Generator().manual_seed(seed) for seed in set(seeds)}

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        if self.temperature == 0:
            return scores
        scores = scores / self.temperature
        if self.top_p is not None:
            scores = self.top_p(input_ids, scores)
        size = scores.shape[-1]
        drawn = {seed: torch.rand(size, generator=g).clamp_(1e-20, 1 - 1e-7) for seed, g in self.generators.items()}
        uniform = torch.stack([drawn[seed] for seed in self.seeds]).to(scores.device)
        return scores - torch.log(-torch.log(uniform))


class StopWhenSet(StoppingCriteria):
    """Ends generation when an event is set. PEFT's hooks leak if generation is ended by an exception instead."""

    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        return torch.full((input_ids.shape[0],), self.event.is_set(), device=input_ids.device, dtype=torch.bool)


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
