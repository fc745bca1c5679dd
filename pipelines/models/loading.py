"""Loads a base model: safetensors only, no code from the model's folder, fp32 on a CPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.models import prepare
from pipelines.models.template import ensure_template


@dataclass
class Base:
    """A loaded base model with its tokenizer (padding on the left) and the name of its weights."""

    model: Any
    tokenizer: Any
    folder: Path
    fingerprint: str


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model folder, padded on the left, with a chat template (Alpaca's where it has none)."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left", trust_remote_code=False)
    ensure_template(tokenizer)
    return tokenizer


def load_base(folder: Path) -> Base:
    """Loads model and tokenizer; bf16 on CUDA, fp32 elsewhere (bf16 on such CPUs is a hundred times slower).

    Raises StudioError where the folder can't be loaded.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    cuda = torch.cuda.is_available()
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.bfloat16 if cuda else torch.float32, trust_remote_code=False, use_safetensors=True
        )
        tokenizer = load_tokenizer(folder)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise StudioError(
            f"The model in {folder.name} could not be loaded ({type(error).__name__}: {str(error).splitlines()[0][:160]}).",
            "It must be a causal language model in the Hub's format with safetensors weights; `doctor` checks the embedded one.",
        ) from error
    return Base(model.to("cuda" if cuda else "cpu").eval(), tokenizer, folder, prepare.fingerprint(folder))
