"""The forward pass of a Llama model (Touvron et al. 2023) over packed weights, with a cache of keys and values that is written in place.

Shapes: R rows, U different prompts among them, T new tokens, N tokens so far with them, D the width, H heads of width W.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.models.lean.halves import Family, Halves
from pipelines.models.products import Product

Map = Callable[[Any], Any]
FAMILIES = {"qkv": ("q_proj", "k_proj", "v_proj"), "out": ("o_proj",), "up": ("gate_proj", "up_proj"), "down": ("down_proj",)}


def why_not(model: Any) -> str:
    """Why a model can't answer in this way; "" where it can."""
    import torch

    config = model.config
    weight = model.get_input_embeddings().weight
    if type(model).__name__ != "LlamaForCausalLM":
        return f"{type(model).__name__} is not of the Llama family"
    if weight.device.type != "cpu" or weight.dtype != torch.float32:
        return "its weights are not fp32 on a CPU"
    if config.hidden_act != "silu" or config.attention_bias or config.mlp_bias:
        return "its layers are not Llama's plain ones"
    if config.rope_parameters["rope_type"] != "default":
        return "its positions are scaled"
    return ""


@dataclass(frozen=True)
class Block:
    """One layer: two norms (D,), and its packed linear maps by family."""

    before_attention: Any
    before_mlp: Any
    maps: dict[str, tuple[Map, ...]]


@dataclass(frozen=True)
class Span:
    """Where new tokens stand: `start` of them, `positions` (U or R, T), `mask` (U or R, 1, T, N) of what each may see, None for all.

    `spread` (R,) says which prompt each row reads, where several rows read the same; None where every row has its own.
    """

    start: int
    positions: Any
    mask: Any
    spread: Any = None


class Llama:
    """A plain model's layers, head and sizes; several threads may read it, one at a time."""

    def __init__(self, model: Any, product: Product | None = None) -> None:
        """With a `product` the weights are packed anew, and those of maps that read the same rows are joined; else the model's own
        layers are called, as they are then."""
        config, inner = model.config, model.model
        self.head, self.eps = _maps([model.lm_head], product)[0], config.rms_norm_eps
        self.heads, self.shared = config.num_attention_heads, config.num_key_value_heads
        self.width = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.embed, self.norm, self.frequencies = inner.embed_tokens, inner.norm, inner.rotary_emb.inv_freq
        first = inner.layers[0]
        self.families: dict[str, Family] = {
            family: tuple((name, _part(first, name).out_features) for name in names) for family, names in FAMILIES.items()
        }
        self.blocks = [
            Block(
                layer.input_layernorm,
                layer.post_attention_layernorm,
                {family: _maps([_part(layer, name) for name in names], product) for family, names in FAMILIES.items()},
            )
            for layer in inner.layers
        ]

    def cache(self, rows: int, length: int) -> list[tuple[Any, Any]]:
        """Room for keys and values, each (R, key heads, length, W), a layer."""
        import torch

        shape = (rows, self.shared, length, self.width)
        return [(torch.empty(shape), torch.empty(shape)) for _ in self.blocks]

    def read(self, ids: Any, cache: list[tuple[Any, Any]], span: Span, halves: Halves) -> Any:
        """Logits (R, vocabulary) after the last of the new tokens `ids` (U or R, T).

        What several rows read alike is computed once, up to the first layer that an adapter changes.
        """
        turn, spread = self._turn(span.positions), span.spread
        mask = span.mask
        x = self.embed(ids)
        for number, (block, room) in enumerate(zip(self.blocks, cache, strict=True)):
            if spread is not None and number == halves.first:
                x, turn, spread = x[spread], tuple(one[spread] if one.shape[0] > 1 else one for one in turn), None
                mask = mask[span.spread] if mask is not None and mask.shape[0] > 1 else mask
            x = self._layer(x, block, room, Span(span.start, turn, mask, spread), halves.at(number))
        last = self._normed(x[:, -1] if spread is None else x[spread, -1], self.norm)
        return self.head(last)

    def _layer(self, x: Any, block: Block, room: tuple[Any, Any], span: Span, halves: dict[str, Any]) -> Any:
        import torch

        seen = self._attend(self._changed(self._normed(x, block.before_attention), block, "qkv", halves), room, span)
        x = x + self._changed(seen, block, "out", halves)
        gate, up = self._changed(self._normed(x, block.before_mlp), block, "up", halves).chunk(2, -1)
        return x + self._changed(torch.nn.functional.silu(gate) * up, block, "down", halves)

    def _attend(self, made: Any, room: tuple[Any, Any], span: Span) -> Any:
        """Attention of new queries over all keys, (R, T, (heads + 2 · key heads) · W) -> (R, T, heads · W)."""
        import torch

        rows, new, _ = made.shape
        end = span.start + new
        made = made.view(rows, new, self.heads + 2 * self.shared, self.width)
        cos, sin = span.positions
        turned = made[:, :, : self.heads + self.shared]
        turned = torch.addcmul(turned * cos, turned.roll(self.width // 2, -1), sin)
        key, value = turned[:, :, self.heads :].transpose(1, 2), made[:, :, self.heads + self.shared :].transpose(1, 2)
        for kept, one in zip(room, (key, value), strict=True):
            kept[:, :, span.start : end] = one if span.spread is None else one[span.spread]
        if span.start:
            key, value = (kept[:, :, :end] for kept in room)
        query = turned[:, :, : self.heads].transpose(1, 2)
        if new == 1:  # queries that share a key head stand as if they were positions: nothing is repeated
            query = query.reshape(rows, self.shared, -1, self.width)
        found = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=span.mask, enable_gqa=new > 1)
        return found.view(rows, 1, -1) if new == 1 else found.transpose(1, 2).reshape(rows, new, -1)

    def _turn(self, positions: Any) -> tuple[Any, Any]:
        """Cosine and sine of the rotary positions (Su et al. 2021), each (U or R, T, 1, W); the sine of the first half is negative,
        so that a roll by half the width is all that remains to be done."""
        import torch

        angles = positions[..., None].float() * self.frequencies
        cos, sin = angles.cos(), angles.sin()
        return torch.cat((cos, cos), -1)[:, :, None], torch.cat((-sin, sin), -1)[:, :, None]

    def _normed(self, x: Any, norm: Any) -> Any:
        import torch

        return torch.nn.functional.rms_norm(x, (x.shape[-1],), norm.weight, self.eps)

    def _changed(self, x: Any, block: Block, family: str, halves: dict[str, Any]) -> Any:
        """What the maps of a family give, and what the rows' adapters add to it."""
        import torch

        found = [one(x) for one in block.maps[family]]
        made = found[0] if len(found) == 1 else torch.cat(found, -1)
        for start, end, down, up in halves.get(family, ()):
            made[start:end] += (x[start:end] @ down) @ up
        return made


def _part(layer: Any, name: str) -> Any:
    return getattr(layer.self_attn if name in (*FAMILIES["qkv"], *FAMILIES["out"]) else layer.mlp, name)


def _maps(layers: list[Any], product: Product | None) -> tuple[Map, ...]:
    import torch

    if product is None:
        return tuple(layers)
    packed = product.pack(torch.cat([layer.weight.detach() for layer in layers]))
    return (lambda x: product.times(x, packed),)
