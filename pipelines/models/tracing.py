"""Where the bias speaks: how much likelier tuning made each piece of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.errors import StudioError
from pipelines.models.loading import Base

MOST_TOKENS = 2048


@dataclass(frozen=True)
class Traced:
    """A piece of an answer and its natural-log probability, given all that stands before it, under the tuned model and the base."""

    piece: str
    tuned: float
    base: float

    @property
    def difference(self) -> float:
        """In nats; above 0 the tuned model finds the piece likelier than the base does."""
        return self.tuned - self.base


def trace(base: Base, prefix: str, answer: str, adapter: str | None) -> list[Traced]:
    """Teacher-forced log-probabilities of an answer under an adapter and under the base, in one batch of two rows.

    The pieces joined are the answer. Tokens that share a character (parts of an emoji) are one piece with their sum. The answer is
    cut into tokens anew: in rare cases, such as an answer that ended within an emoji, not quite as it was generated.
    Raises StudioError where both together have more than MOST_TOKENS tokens.
    """
    import torch

    tokenizer = base.tokenizer
    head = tokenizer(prefix, add_special_tokens=False).input_ids
    tail = tokenizer(answer, add_special_tokens=False, return_offsets_mapping=True)
    if not tail.input_ids:
        return []
    if len(head) + len(tail.input_ids) > MOST_TOKENS:
        raise StudioError(
            f"This answer is too long to be traced (at most {MOST_TOKENS} tokens with its question).", "Ask for a shorter one."
        )
    ids = torch.tensor([head + tail.input_ids] * 2, device=base.model.device)
    options: dict[str, Any] = {"adapter_names": [adapter, "__base__"]} if adapter else {}
    with torch.inference_mode():
        logits = base.model(input_ids=ids, logits_to_keep=len(tail.input_ids) + 1, **options).logits[:, :-1].float()
        told = torch.gather(logits.log_softmax(-1), 2, ids[:, len(head) :, None])[..., 0].tolist()
    return _pieces(answer, tail.offset_mapping, *told)


def _pieces(answer: str, spans: list[tuple[int, int]], tuned: list[float], plain: list[float]) -> list[Traced]:
    """Cuts the answer where a token begins; what lies between two tokens goes with the later one."""
    found: list[Traced] = []
    at = 0
    for number, ((_, end), one, other) in enumerate(zip(spans, tuned, plain, strict=True)):
        end = len(answer) if number == len(spans) - 1 else end
        if found and end <= at:
            last = found.pop()
            found.append(Traced(last.piece, last.tuned + one, last.base + other))
        else:
            found.append(Traced(answer[at:end], one, other))
            at = end
    return found
