"""A Llama model's layers (Touvron et al. 2023) over the rows of a training batch, with gradients for its adapters.

Layers below the lowest adapter give the same for a row each time it is seen, so what they give is kept.
Shapes: N tokens laid end to end (layout.py), D the width, H heads of width W.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.tuning.quick.layout import Layout, Row
from pipelines.tuning.quick.maps import is_changed, times

KEPT_BYTES = 512 * 2**20


class Decoder:
    """The layers of a model whose adapters may change while its own weights never do."""

    def __init__(self, model: Any) -> None:
        """`model` is a causal Llama model with its adapters attached."""
        config, inner = model.config, model.model
        self.eps, self.heads, self.shared_heads = config.rms_norm_eps, config.num_attention_heads, config.num_key_value_heads
        self.width = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.embed, self.norm, self.frequencies = inner.embed_tokens, inner.norm, inner.rotary_emb.inv_freq
        lowest = next((number for number, layer in enumerate(inner.layers) if any(map(is_changed, layer.modules()))), len(inner.layers))
        self.lower, self.upper = inner.layers[:lowest], inner.layers[lowest:]
        self._kept: dict[Row, Any] = {}
        self._room = KEPT_BYTES

    def states(self, rows: Sequence[Row]) -> tuple[Any, Layout]:
        """The last states (N, D) of rows of token numbers, after the last norm, and where each token lies."""
        layout = Layout.of(rows)
        x = self._through(self.upper, layout.joined(self._below(rows)), layout)
        return self._normed(x, self.norm), layout

    def _below(self, rows: Sequence[Row]) -> list[Any]:
        """What the layers below all adapters give for each row, (L, D).

        A row is read by itself: what it gives must not depend, not even in the last bit, on what was kept when it came, since a run
        that goes on after a stop ends with the same adapter.
        """
        import torch

        made: dict[Row, Any] = {}
        for row in dict.fromkeys(rows):
            if row not in self._kept:
                with torch.no_grad():
                    made[row] = states = self._through(self.lower, self.embed(torch.tensor(row)), Layout.of([row]))
                if states.nbytes <= self._room:
                    self._kept[row] = states
                    self._room -= states.nbytes
        return [made[row] if row in made else self._kept[row] for row in rows]

    def _through(self, layers: Any, x: Any, layout: Layout) -> Any:
        from torch.nn.functional import silu

        turn, masks = self._turn(layout), _masks(layout)
        for layer in layers:
            heads, mlp, seen = layer.self_attn, layer.mlp, self._normed(x, layer.input_layernorm)
            query, key, value = times(seen, heads.q_proj), times(seen, heads.k_proj), times(seen, heads.v_proj)
            x = x + times(self._attend(query, key, value, layout, turn, masks), heads.o_proj)
            seen = self._normed(x, layer.post_attention_layernorm)
            x = x + times(silu(times(seen, mlp.gate_proj)) * times(seen, mlp.up_proj), mlp.down_proj)
        return x

    def _attend(self, query: Any, key: Any, value: Any, layout: Layout, turn: tuple[Any, Any], masks: list[Any]) -> Any:
        """Attention of each row over what it begins with and itself; (N, H · W)."""
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        query, key = self._turned(query, turn), self._turned(key, turn)
        many = self.heads // self.shared_heads
        key, value = (one.repeat_interleave(many, 0) for one in (key, value.view(len(value), -1, self.width).transpose(0, 1)))
        common = [one[None, :, : layout.shared] for one in (query, key, value)]
        found = [scaled_dot_product_attention(common[0], common[1], common[2], is_causal=True)] if layout.shared else []
        for (start, end), mask in zip(layout.spans, masks, strict=True):
            keys, values = (torch.cat((one, whole[None, :, start:end]), 2) for one, whole in zip(common[1:], (key, value), strict=True))
            found.append(scaled_dot_product_attention(query[None, :, start:end], keys, values, attn_mask=mask))
        return torch.cat(found, 2)[0].transpose(0, 1).reshape(query.shape[1], -1)

    def _turned(self, made: Any, turn: tuple[Any, Any]) -> Any:
        """Rotary positions (Su et al. 2021); (N, H · W) -> (H, N, W)."""
        import torch

        made, (cos, sin) = made.view(len(made), -1, self.width), turn
        return torch.addcmul(made * cos, made.roll(self.width // 2, -1), sin).transpose(0, 1)

    def _turn(self, layout: Layout) -> tuple[Any, Any]:
        """Cosine and sine, (N, 1, W); the sine of the first half is negative, so that a roll by half the width is all that remains."""
        import torch

        angles = torch.tensor(layout.positions)[:, None].float() * self.frequencies
        cos, sin = angles.cos(), angles.sin()
        return torch.cat((cos, cos), -1)[:, None], torch.cat((-sin, sin), -1)[:, None]

    def _normed(self, x: Any, norm: Any) -> Any:
        from torch.nn.functional import rms_norm

        return rms_norm(x, (x.shape[-1],), norm.weight, self.eps)


def _masks(layout: Layout) -> list[Any]:
    """What each token that is left of a row may see, (L - shared, L): what stands before it."""
    import torch

    longest = max(end - start for start, end in layout.spans)
    whole = torch.ones(longest, layout.shared + longest, dtype=torch.bool).tril(layout.shared)
    return [whole[: end - start, : layout.shared + end - start] for start, end in layout.spans]
