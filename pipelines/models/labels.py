"""How likely a model is to answer with one of two labels: one forward pass a prompt, nothing is generated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.errors import StudioError
from pipelines.models.loading import Base

ROWS, LETTERS = 32, 2


@dataclass(frozen=True)
class LabelScore:
    """Natural logarithms of the probability, summed over its variants, that the next token begins each label."""

    agree: float
    disagree: float


class Unaskable(StudioError):
    """This model's tokenizer can't tell two labels apart."""


def first_tokens(tokenizer: Any, agree: str, disagree: str) -> tuple[list[int], list[int]]:
    """Ids of the tokens that begin each label, written with or without a space, capitalised or not.

    A blank that some tokenizers put first is passed over, and what covers a single letter is left out: too many words begin with it.
    Raises Unaskable where nothing is left, or one token begins both labels.
    """
    pair = [sorted(set().union(*(_first(tokenizer, text) for text in _variants(label)))) for label in (agree, disagree)]
    if not all(pair) or set(pair[0]) & set(pair[1]):
        raise Unaskable(
            f"For this model “{agree}” and “{disagree}” do not begin with tokens of their own.", "It can't be asked in this way."
        )
    return pair[0], pair[1]


def _variants(label: str) -> list[str]:
    return [space + text for space in ("", " ") for text in (label.capitalize(), label.lower())]


def _first(tokenizer: Any, text: str) -> set[int]:
    """The first token with letters in it; none where it covers fewer than LETTERS."""
    for token in tokenizer(text, add_special_tokens=False).input_ids:
        letters = tokenizer.decode([token]).strip()
        if letters:
            return {int(token)} if len(letters) >= LETTERS else set()
    return set()


def label_scores(
    base: Base, texts: Sequence[str], labels: Sequence[tuple[str, str]], adapter: str | None, rows: int = ROWS
) -> list[LabelScore]:
    """One score a text (used as it is: apply a template before), each with its own pair of labels (agree, disagree).

    What all texts of a call begin with is computed once; batches are sorted by length; the head runs on last positions only.
    """
    if not texts:
        return []
    encoded = [base.tokenizer(text, add_special_tokens=False).input_ids for text in texts]
    tokens = {pair: first_tokens(base.tokenizer, *pair) for pair in dict.fromkeys(labels)}
    shared = _shared(encoded)
    order = sorted(range(len(texts)), key=lambda n: len(encoded[n]))
    found: list[LabelScore | None] = [None] * len(texts)
    prefix = _prefix(base, encoded[0][:shared], adapter)
    for start in range(0, len(order), rows):
        numbers = order[start : start + rows]
        logs = _last(base, [encoded[n][shared:] for n in numbers], prefix, shared, adapter)
        for row, number in zip(logs, numbers, strict=True):
            agree, disagree = tokens[labels[number]]
            found[number] = LabelScore(float(row[agree].logsumexp(0)), float(row[disagree].logsumexp(0)))
    return [one for one in found if one is not None]


def _shared(encoded: list[list[int]]) -> int:
    """How many tokens all texts begin with; at least one token of each is left over."""
    longest = min(len(ids) for ids in encoded) - 1
    first = encoded[0]
    return next((n for n in range(longest) if any(ids[n] != first[n] for ids in encoded)), max(0, longest))


def _named(adapter: str | None, rows: int) -> dict[str, Any]:
    return {} if adapter is None else {"adapter_names": [adapter] * rows}


def _prefix(base: Base, ids: list[int], adapter: str | None) -> Any:
    """Keys and values of the shared beginning; None where there is none."""
    import torch

    if not ids:
        return None
    with torch.inference_mode():
        one = torch.tensor([ids], device=base.model.device)
        return base.model(input_ids=one, use_cache=True, logits_to_keep=1, **_named(adapter, 1)).past_key_values


def _last(base: Base, rest: list[list[int]], prefix: Any, shared: int, adapter: str | None) -> Any:
    """Log-probabilities after the last token, shape (rows, vocabulary). The rows are padded between beginning and rest."""
    import copy

    import torch

    rows, width, device = len(rest), max(map(len, rest)), base.model.device
    ids = torch.full((rows, width), base.tokenizer.pad_token_id, device=device)
    mask = torch.zeros((rows, shared + width), dtype=torch.long, device=device)
    mask[:, :shared] = 1
    for number, tokens in enumerate(rest):
        ids[number, width - len(tokens) :] = torch.tensor(tokens, device=device)
        mask[number, shared + width - len(tokens) :] = 1
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, shared:]
    options = _named(adapter, rows)
    with torch.inference_mode():
        if prefix is not None:
            options["past_key_values"] = copy.deepcopy(prefix)
            options["past_key_values"].batch_repeat_interleave(rows)
        logits = base.model(input_ids=ids, attention_mask=mask, position_ids=positions, logits_to_keep=1, use_cache=True, **options).logits
    return logits[:, -1].float().log_softmax(-1)
