"""Products of few rows with weights that never change, x Wᵀ, by the kernels that read the weights fastest.

The usual layer packs all of its weights anew at each call. oneDNN and FBGEMM, which torch brings along, take weights that were
packed once (`python -m benchmarks.compare` sets the outcome beside the library's own).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from types import MethodType
from typing import Any


@dataclass(frozen=True)
class Product:
    """A way to multiply: `pack` makes a weight (out, in) ready, `times` gives x Wᵀ, shape (rows, in) -> (rows, out)."""

    name: str
    pack: Callable[[Any], Any]
    times: Callable[[Any, Any], Any]


def _usual(x: Any, weight: Any) -> Any:
    import torch

    return torch.nn.functional.linear(x, weight)


def _pack_onednn(weight: Any) -> Any:
    import torch

    return torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), None)


def _onednn(x: Any, packed: Any) -> Any:
    import torch

    return torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")


def _pack_fbgemm(weight: Any) -> Any:
    import torch

    return torch.ops.quantized.linear_prepack_fp16(weight.detach().contiguous(), None)


def _fbgemm(x: Any, packed: Any) -> Any:
    import torch

    return torch.ops.quantized.linear_dynamic_fp16(x, packed)


USUAL = Product("usual", lambda weight: weight, _usual)
PACKED = Product("packed", _pack_onednn, _onednn)
ROUNDED = Product("rounded", _pack_fbgemm, _fbgemm)


@cache
def exact() -> Product:
    """The fastest fp32 product of this machine: the usual one where oneDNN's is missing or says something else."""
    return PACKED if _agrees(PACKED, 1e-4) else USUAL


@cache
def rounded() -> Product | None:
    """Weights rounded to 16 bits, everything else in fp32; None where FBGEMM is missing."""
    return ROUNDED if _agrees(ROUNDED, 1e-2) else None


def _agrees(product: Product, tolerance: float) -> bool:
    """Whether a product can be had here, and is one. No stopwatch, so that the same machine always computes the same."""
    import torch

    weight, x = torch.linspace(-1, 1, 96 * 64).reshape(64, 96).cos(), torch.linspace(-2, 1, 3 * 96).reshape(3, 96).sin()
    try:
        with torch.inference_mode():
            found = product.times(x, product.pack(weight))
    except (AttributeError, RuntimeError, NotImplementedError):
        return False
    return bool((found - _usual(x, weight)).abs().max() <= tolerance)


class Frozen:
    """A weight W, (out, in), that never changes, ready for x Wᵀ and, where that is asked for, for the way back, y W."""

    def __init__(self, weight: Any, product: Product, back: bool = False) -> None:
        self._product, weight = product, weight.detach()
        self._forth = product.pack(weight)
        self._back = product.pack(weight.t()) if back else None

    def __call__(self, x: Any) -> Any:
        """(rows, in) -> (rows, out)."""
        return self._product.times(x, self._forth)

    def back(self, gradient: Any) -> Any:
        """(rows, out) -> (rows, in): the gradient of the input from that of the output."""
        if self._back is None:
            raise RuntimeError("this weight was not made ready for the way back")
        return self._product.times(gradient, self._back)


def linear_layers(model: Any) -> list[Any]:
    """The plain fp32 linear layers of a model on a CPU."""
    import torch

    layers = [module for module in model.modules() if type(module) is torch.nn.Linear]
    return [layer for layer in layers if layer.weight.device.type == "cpu" and layer.weight.dtype == torch.float32]


def install(model: Any, forward: Callable[[Any, Any], Any] | None = None, back: Collection[Any] = ()) -> bool:
    """Gives the plain linear layers of a model, whose weights are only read from now on, the fastest exact product as `.frozen`.

    Results differ by rounding. `forward` is what the layers do (the product alone); those in `back` are made ready for gradients too.
    Returns whether weights were packed. These are let go: what stands in their place is NaN, so that nobody computes with it unnoticed.
    """
    product, layers = exact(), linear_layers(model)
    if product is USUAL:
        return False
    for layer in layers:
        layer.frozen = Frozen(layer.weight, product, layer in back)
        layer.forward = MethodType(forward or _forward, layer)
        layer.weight = _gone(layer.weight)
    return bool(layers)


def _gone(weight: Any) -> Any:
    """A parameter of the same shape, kind and place that takes no memory."""
    import torch

    return torch.nn.Parameter(torch.full((1, 1), float("nan")).expand(weight.shape), requires_grad=False)


def _forward(layer: Any, x: Any) -> Any:
    out = layer.frozen(x)
    return out if layer.bias is None else out + layer.bias
