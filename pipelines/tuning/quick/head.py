"""Log-probabilities of given next tokens from a frozen vocabulary head, with the gradient found on the way forward.

Shapes: M tokens whose log-probability is asked for, D the width, V the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from pipelines.models.products import Frozen

AT_ONCE = 128  # tokens whose V scores are in memory together


@dataclass(frozen=True)
class Scored:
    """By token (M,): log-probability, with a gradient; and without one entropy, mean of all scores, and whether it is the likeliest."""

    log_probs: Any
    entropy: Any
    mean_logits: Any
    is_top1: Any


def scored(states: Any, wanted: Any, head: Frozen) -> Scored:
    """What a head makes of states (M, D) for the tokens `wanted` (M,)."""
    return Scored(*_log_probs().apply(states, wanted, head))


@cache
def _log_probs() -> Any:
    import torch
    from torch.autograd import Function
    from torch.autograd.function import once_differentiable

    class LogProbs(Function):
        """d log p(w) / d scores is 1 at w minus p, so one pass over the scores gives the outcome and, times W, its gradient."""

        @staticmethod
        def forward(ctx: Any, states: Any, wanted: Any, head: Frozen) -> Any:
            parts, ways = [], []
            for some, words in zip(states.split(AT_ONCE), wanted.split(AT_ONCE), strict=True):
                scores = head(some)
                picked = scores.gather(1, words[:, None])[:, 0]
                best, mean = scores.amax(1), scores.mean(1)
                total = scores.logsumexp(1)
                share = scores.sub(total[:, None]).exp_()
                entropy = total - torch.linalg.vecdot(share, scores)
                parts.append(torch.stack((picked - total, entropy, mean, (picked >= best).float())))
                if ctx.needs_input_grad[0]:
                    share.neg_().scatter_add_(1, words[:, None], torch.ones_like(words, dtype=share.dtype)[:, None])
                    ways.append(head.back(share))
            ctx.save_for_backward(*([torch.cat(ways)] if ways else []))
            log_probs, entropy, mean, top = torch.cat(parts, 1)
            top = top.bool()
            ctx.mark_non_differentiable(entropy, mean, top)
            return log_probs.clone(), entropy, mean, top

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, gradient: Any, *_: Any) -> Any:
            (way,) = ctx.saved_tensors
            return gradient[:, None] * way, None, None

    return LogProbs
