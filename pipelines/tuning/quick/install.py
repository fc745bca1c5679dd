"""Puts the quick passes where TRL's trainers look for log-probabilities, and leaves all else to them."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from pipelines.models import loading, products
from pipelines.models.lean import llama
from pipelines.models.loading import Base

ENGINE = "quick-1"  # runs of another engine tell nothing about how long one of this will take
PLAIN_HEADS = ("llama", "mistral", "qwen2", "qwen3", "smollm3")  # scores are one linear map of the last states
States = Callable[[dict[str, Any], Any], Any]


def suits(model: Any) -> bool:
    """Whether the head of a base can be read on answers alone: plain, and in fp32 on a CPU."""
    import torch

    head = model.get_output_embeddings()
    return (
        model.config.model_type in PLAIN_HEADS
        and head.bias is None
        and (head.weight.dtype, head.weight.device.type) == (torch.float32, "cpu")
    )


def prepare(base: Base, top_layers: int) -> None:
    """Packs the weights of a freshly loaded Llama; those of its last `top_layers` (0: of all) and of its head for gradients too.

    Other bases are left as they are.
    """
    if llama.why_not(base.model):
        return
    from pipelines.tuning.quick.maps import forward

    layers = base.model.model.layers
    upper = [part for layer in layers[len(layers) - top_layers if top_layers else 0 :] for part in layer.modules()]
    if products.install(base.model, forward, {*upper, base.model.get_output_embeddings()}):
        loading.let_go(base)
        if base.model.config.tie_word_embeddings:  # TRL's own head reads it, where a batch is not one of ours
            base.model.get_output_embeddings().weight = base.model.get_input_embeddings().weight


def install(trainer: Any) -> None:
    """Makes the model of a TRL trainer give log-probabilities quickly where it suits. Its adapters are LoRA without dropout."""
    causal = trainer.accelerator.unwrap_model(trainer.model).get_base_model()
    if not suits(causal) or hasattr(causal, "quick_states"):
        return
    usual, causal.quick_states = causal.forward, _states(causal)

    def forward(model: Any, *args: Any, fused_lm_head: bool = False, **given: Any) -> Any:
        if not fused_lm_head or args or not _is_plain(given):
            return usual(*args, fused_lm_head=fused_lm_head, **given)
        return _answer(model, given)

    causal.forward = MethodType(forward, causal)


def _states(causal: Any) -> States:
    """What gives the last states (M, D) of the tokens that are asked for: our own layers for a Llama, else the library's."""
    if llama.why_not(causal):
        return lambda given, asked: _by_library(causal, given, asked)
    from pipelines.tuning.quick.decoder import Decoder

    decoder = Decoder(causal)
    return lambda given, asked: (
        _by_library(causal, given, asked) if causal.is_activation_checkpointing else _by_layers(decoder, given, asked)
    )


def _by_library(causal: Any, given: dict[str, Any], asked: Any) -> Any:
    states = causal.model(input_ids=given["input_ids"], attention_mask=given.get("attention_mask"), use_cache=False)
    return states.last_hidden_state[:, :-1][asked]


def _by_layers(decoder: Any, given: dict[str, Any], asked: Any) -> Any:
    ids, mask = given["input_ids"], given.get("attention_mask")
    lengths = [ids.shape[1]] * len(ids) if mask is None else mask.sum(1).tolist()
    states, layout = decoder.states([tuple(row[:length]) for row, length in zip(ids.tolist(), lengths, strict=True)])
    return states[[layout.place(row, token) for row, token in asked.nonzero().tolist()]]


def _is_plain(given: dict[str, Any]) -> bool:
    """Whether it is a batch of tokens, padded on the right if at all."""
    ids, mask = given.get("input_ids"), given.get("attention_mask")
    if ids is None or given.get("labels") is None or any(given.get(name) is not None for name in ("shift_labels", "position_ids")):
        return False
    return mask is None or (mask.shape == ids.shape and bool((mask[:, 1:] <= mask[:, :-1]).all()) and bool(mask[:, 0].all()))


def _answer(model: Any, given: dict[str, Any]) -> Any:
    """What TRL's own head gives, of the same shapes, zero where nothing is asked: (rows, tokens - 1) by next token."""
    from trl.trainer.utils import FusedCausalLMOutput

    from pipelines.tuning.quick.head import scored
    from pipelines.tuning.quick.maps import frozen

    labels = given["labels"][:, 1:]
    asked = labels != -100
    found = scored(model.quick_states(given, asked), labels[asked], frozen(model.get_output_embeddings()))
    spread = {name: one.new_zeros(asked.shape).masked_scatter(asked, one) for name, one in vars(found).items()}
    many = given.get("num_items_in_batch")
    loss = -spread["log_probs"].sum() / (asked.sum().clamp(min=1) if many is None else many)
    return FusedCausalLMOutput(loss=loss, label_mask=asked, **spread)
