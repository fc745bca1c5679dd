"""Frozen linear maps and the thin changes of their adapters (LoRA, Hu et al. 2021), forward and backward.

Shapes: N tokens, I and O the width of a map's input and output, r the rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from pipelines.models.products import USUAL, Frozen


@cache
def _map() -> Any:
    """The function of which torch knows the way back; made when it is first needed, since torch is slow to import."""
    from torch.autograd import Function
    from torch.autograd.function import once_differentiable

    class Map(Function):
        """One frozen map with any number of changes; gradients for the input and both halves of each change."""

        @staticmethod
        def forward(ctx: Any, x: Any, frozen: Frozen, scales: Sequence[float], *halves: Any) -> Any:
            made = frozen(x)
            thin = [x @ down.t() for down in halves[::2]]
            for low, up, scale in zip(thin, halves[1::2], scales, strict=True):
                made.addmm_(low, up.t(), alpha=scale)
            ctx.frozen, ctx.scales = frozen, scales
            ctx.save_for_backward(*((x, *thin, *halves) if halves else ()))
            return made

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, gradient: Any) -> Any:
            found = ctx.frozen.back(gradient.contiguous()) if ctx.needs_input_grad[0] else None
            changes: list[Any] = []
            if ctx.scales:
                x, *rest = ctx.saved_tensors
                thin, halves = rest[: len(ctx.scales)], rest[len(ctx.scales) :]
                for low, down, up, scale in zip(thin, halves[::2], halves[1::2], ctx.scales, strict=True):
                    narrow = gradient @ up * scale
                    if found is not None:
                        found.addmm_(narrow, down)
                    changes += [narrow.t() @ x, gradient.t() @ low * scale]
            return found, None, None, *changes

    return Map


def times(x: Any, layer: Any) -> Any:
    """What a layer of the model gives for x (N, I): its frozen map, and on top what its active adapters add; (N, O)."""
    parts = changes(layer)
    halves = [half for _, down, up in parts for half in (down, up)]
    return _map().apply(x, frozen(layer), [scale for scale, _, _ in parts], *halves)


def forward(layer: Any, x: Any) -> Any:
    """What a plain layer does whose weight is packed, where gradients may have to find their way back."""
    made = _map().apply(x, layer.frozen, [])
    return made if layer.bias is None else made + layer.bias


def frozen(layer: Any) -> Frozen:
    """A layer's weight, as it was made ready; where it was not, the usual products are taken."""
    plain = getattr(layer, "base_layer", layer)
    if not hasattr(plain, "frozen"):
        plain.frozen = Frozen(plain.weight, USUAL, True)
    return plain.frozen


def is_changed(layer: Any) -> bool:
    """Whether adapters are attached to a layer."""
    from peft.tuners.lora import LoraLayer

    return isinstance(layer, LoraLayer)


def changes(layer: Any) -> list[tuple[float, Any, Any]]:
    """Scale and both halves, (r, I) and (O, r), of each adapter that is active in a layer."""
    if not is_changed(layer) or layer.disable_adapters:
        return []
    names = [name for name in layer.active_adapters if name in layer.lora_A]
    return [(layer.scaling[name], layer.lora_A[name].weight, layer.lora_B[name].weight) for name in names]
