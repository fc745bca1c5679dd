"""Linear layers for few rows, as decoding has them: (W xᵀ)ᵀ instead of x Wᵀ, the same products in an order that BLAS does faster.

`F.linear` with two to eight rows packs all of W anew at each call. With W as the left factor it is only read: on two cores of
a server CPU three rows through SmolLM2's vocabulary head take 3.7 ms instead of 23.5 (`python -m benchmarks.compare`).
"""

from __future__ import annotations

from types import MethodType
from typing import Any

FEW, WIDTH = 8, 4  # two to FEW rows are turned (one alone is faster as it is); fewer than WIDTH are filled up: the kernels like four


def install(model: Any) -> None:
    """Gives the plain fp32 linear layers of a model on a CPU the faster way, where it is one on this machine. Results differ by rounding."""
    import torch

    layers = [module for module in model.modules() if type(module) is torch.nn.Linear]
    plain = [layer for layer in layers if layer.weight.device.type == "cpu" and layer.weight.dtype == torch.float32]
    if plain and pays():
        for layer in plain:
            layer.forward = MethodType(_forward, layer)


def _forward(layer: Any, x: Any) -> Any:
    import torch

    rows = x.numel() // x.shape[-1]
    if not 1 < rows <= FEW or torch.is_grad_enabled():
        return torch.nn.functional.linear(x, layer.weight, layer.bias)
    out = turned(layer.weight, x.reshape(rows, -1)).reshape(*x.shape[:-1], -1)
    return out if layer.bias is None else out + layer.bias


def turned(weight: Any, x: Any) -> Any:
    """x Wᵀ for few rows, shape (rows, in) -> (rows, out), through (W xᵀ)ᵀ."""
    rows = x.shape[0]
    if rows < WIDTH:
        filled = x.new_zeros(WIDTH, x.shape[1])
        filled[:rows] = x
        x = filled
    return (weight @ x.t()).t()[:rows].contiguous()


def pays() -> bool:
    """Whether the turned product is the faster one: with Intel's MKL, which x86 builds of torch come with. No stopwatch, so that the
    same machine always computes the same."""
    import torch

    return bool(torch.backends.mkl.is_available())
