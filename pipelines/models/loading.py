"""Loads a base model: safetensors only, no code from the model's folder, fp32 on a CPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.models import prepare, zerogpu
from pipelines.models.libraries import ready
from pipelines.models.template import ALPACA, ensure_template

EMBEDDING = "model.embed_tokens.weight"


@dataclass
class Base:
    """A loaded base model with its tokenizer (padding on the left) and the name of its weights."""

    model: Any
    tokenizer: Any
    folder: Path
    fingerprint: str


def load_tokenizer(folder: Path, template: str = "model") -> Any:
    """The tokenizer of a model folder, padded on the left, with its chat template (Alpaca's where it has none or "alpaca" is asked)."""
    ready("transformers")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left", trust_remote_code=False)
    if template == "alpaca":
        tokenizer.chat_template = ALPACA
    ensure_template(tokenizer)
    return tokenizer


def load_base(folder: Path, precision: str = "auto", quantize: str = "none", template: str = "model") -> Base:
    """Loads model and tokenizer; by itself bf16 on CUDA, fp32 elsewhere (bf16 on such CPUs is a hundred times slower).

    Raises StudioError where the folder can't be loaded, or this machine can't hold weights of that kind.
    """
    ready("transformers")
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    cuda = torch.cuda.is_available() and zerogpu.may_use_card()
    kind = torch.bfloat16 if precision == "bf16" or (precision == "auto" and cuda) else torch.float32
    options = _four_bit(cuda) if quantize == "4bit" else {}
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=kind, trust_remote_code=False, use_safetensors=True, **options)
        tokenizer = load_tokenizer(folder, template)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise StudioError(
            f"The model in {folder.name} could not be loaded ({type(error).__name__}: {str(error).splitlines()[0][:160]}).",
            "It must be a causal language model in the Hub's format with safetensors weights; `doctor` checks the embedded one.",
        ) from error
    if not options:
        model = model.to("cuda" if cuda else "cpu")
    return Base(model.eval(), tokenizer, folder, prepare.fingerprint(folder))


def _four_bit(cuda: bool) -> dict[str, Any]:
    """QLoRA's way to hold base weights: 4-bit normal floats, quantized twice, computed in bf16 (Dettmers et al. 2023)."""
    import os
    from importlib.util import find_spec

    import torch
    from transformers import BitsAndBytesConfig

    if not cuda or find_spec("bitsandbytes") is None:
        what = "bitsandbytes is not installed" if cuda else "there is none here"
        raise StudioError(
            f"4-bit base weights need an NVIDIA GPU and the package bitsandbytes; {what}.",
            "Set “Base weights” (quantize) to none, or install it: pip install bitsandbytes",
        )
    settings = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16
    )
    return {"quantization_config": settings, "device_map": {"": int(os.environ.get("LOCAL_RANK", 0))}}


def let_go(base: Base) -> None:
    """Drops the file that weights were packed from: small parameters are copied, and the embedding is read from the disk row by row."""
    import torch
    from safetensors import safe_open

    table, file = base.model.get_input_embeddings(), base.folder / prepare.WEIGHTS
    if file.is_file():
        with safe_open(file, framework="pt") as tensors:
            found = tensors.get_tensor(EMBEDDING) if EMBEDDING in tensors.keys() else None
        if found is not None and (found.dtype, found.shape) == (table.weight.dtype, table.weight.shape):
            table.weight = torch.nn.Parameter(found, requires_grad=False)
    for parameter in base.model.parameters():
        if parameter.dim() == 1:
            parameter.data = parameter.data.clone()
