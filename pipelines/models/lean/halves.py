"""The adapters of a batch: for every layer and family of maps, which rows are changed by which two thin matrices (LoRA, Hu et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

Family = tuple[tuple[str, int], ...]  # maps that read the same rows, each with how many numbers it gives
Change = tuple[int, int, Any, Any]  # rows from, to, down (in, ranks), up (ranks, out)


class Halves:
    """What changes rows that stand in the order of their adapters; `first` is the lowest layer that is changed, or one beyond the last."""

    def __init__(self, model: Any, names: Sequence[str], families: dict[str, Family], layers: int) -> None:
        """`names` has one attached adapter a row, those of equal name together; names that are not attached are the base."""
        self._changes: list[dict[str, list[Change]]] = [{} for _ in range(layers)]
        parts = _parts(model)
        start = 0
        for name, rows in groupby(names):
            end = start + len(list(rows))
            for number in range(layers):
                for family, members in families.items():
                    made = _joined(parts, number, members, name)
                    if made is not None:
                        self._changes[number].setdefault(family, []).append((start, end, *made))
            start = end
        self.first = next((number for number, change in enumerate(self._changes) if change), layers)

    def at(self, layer: int) -> dict[str, list[Change]]:
        """By family, what is added to which rows."""
        return self._changes[layer]

    def of_rows(self, kept: Sequence[int]) -> Halves:
        """The same for the rows that are kept, in their order."""
        made = object.__new__(Halves)
        made.first = self.first
        made._changes = [{family: _moved(changes, kept) for family, changes in one.items()} for one in self._changes]
        return made


def _moved(changes: list[Change], kept: Sequence[int]) -> list[Change]:
    found = []
    for start, end, down, up in changes:
        places = [place for place, row in enumerate(kept) if start <= row < end]
        if places:
            found.append((places[0], places[-1] + 1, down, up))
    return found


def _parts(model: Any) -> dict[tuple[int, str], Any]:
    """The LoRA layers of a model by number of layer and name of map. A walk over all modules would take longer with every adapter."""
    from peft import PeftModel
    from peft.tuners.lora import LoraLayer

    plain = model.get_base_model() if isinstance(model, PeftModel) else model
    blocks = [(number, block) for number, layer in enumerate(plain.model.layers) for block in (layer.self_attn, layer.mlp)]
    return {(number, name): part for number, block in blocks for name, part in block.named_children() if isinstance(part, LoraLayer)}


def _joined(parts: dict[tuple[int, str], Any], number: int, members: Family, name: str) -> tuple[Any, Any] | None:
    """Both halves of one adapter for maps that read the same rows: the lower ones side by side, the upper ones in blocks."""
    import torch

    there = [(place, part) for place, (member, _) in enumerate(members) if (part := parts.get((number, member))) and name in part.lora_A]
    if not there:
        return None
    sizes = [size for _, size in members]
    down = torch.cat([part.lora_A[name].weight for _, part in there]).t().contiguous()
    up = down.new_zeros(down.shape[1], sum(sizes))
    row = 0
    for place, part in there:
        block, at = part.lora_B[name].weight.t() * part.scaling[name], sum(sizes[:place])
        up[row : row + len(block), at : at + block.shape[1]] = block
        row += len(block)
    return down, up
