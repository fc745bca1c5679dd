"""Teacher-forced log-probabilities of given texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.models.loading import Base


def log_likelihoods(base: Base, items: Sequence[tuple[str, str]], adapter: str | None, batch_size: int) -> list[tuple[float, int]]:
    """Sum of log P(continuation | prefix) and token count of each continuation, batched by length."""
    encoded = [_split(base.tokenizer, prefix, continuation) for prefix, continuation in items]
    order = sorted(range(len(encoded)), key=lambda n: len(encoded[n][0]))
    results: list[tuple[float, int]] = [(0.0, 0)] * len(encoded)
    for start in range(0, len(order), batch_size):
        numbers = order[start : start + batch_size]
        for number, value in zip(numbers, _score(base, [encoded[n] for n in numbers], adapter), strict=True):
            results[number] = value
    return results


def _split(tokenizer: Any, prefix: str, continuation: str) -> tuple[list[int], int]:
    """Token ids of both, and how many at the start belong to the prefix. Tokenized apart: the border is exact."""
    head = tokenizer(prefix, add_special_tokens=False).input_ids
    tail = tokenizer(continuation, add_special_tokens=False).input_ids
    return head + tail, len(head)


def _score(base: Base, rows: list[tuple[list[int], int]], adapter: str | None) -> list[tuple[float, int]]:
    import torch

    width = max(len(ids) for ids, _ in rows)
    device = base.model.device
    ids = torch.full((len(rows), width), base.tokenizer.pad_token_id, device=device)
    mask = torch.zeros_like(ids)
    wanted = torch.zeros(len(rows), width - 1, dtype=torch.bool, device=device)
    for number, (tokens, head) in enumerate(rows):
        ids[number, : len(tokens)] = torch.tensor(tokens, device=device)
        mask[number, : len(tokens)] = 1
        wanted[number, head - 1 : len(tokens) - 1] = True
    options = {"adapter_names": [adapter] * len(rows)} if adapter is not None else {}
    first = min(head for _, head in rows) - 1
    with torch.inference_mode():
        logits = base.model(input_ids=ids, attention_mask=mask, logits_to_keep=width - first, **options).logits[:, :-1].float()
        picked = torch.gather(logits.log_softmax(-1), 2, ids[:, first + 1 :, None])[..., 0]
    picked = picked.masked_fill(~wanted[:, first:], 0.0)
    return [(float(total), int(count)) for total, count in zip(picked.sum(1), wanted.sum(1), strict=True)]
