"""The TRL trainers behind the methods, with PEFT adapters: one trainer a part of the run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.models.template import ask
from pipelines.records import Pair
from pipelines.tuning.parts import Part
from pipelines.tuning.quick import install
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.training.processes import world_size

NUMBERED = re.compile(r"(?:^|\.)(\w+)\.\d+\.")


def adapter_config(recipe: Recipe, model: Any) -> Any:
    """PEFT settings for a loaded model.

    Raises StudioError where the model has no part of a layer that the recipe names.
    """
    from peft import LoraConfig

    pattern, known = layer_parts(model)
    missing = [name for name in recipe.modules if name not in known]
    if missing:
        raise StudioError(
            f"The base has no {', '.join(missing)} in its layers.",
            f"It has {', '.join(known)}; name some of these, or none for all of them.",
        )
    layers = model.config.num_hidden_layers
    top = recipe.top_layers
    return LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        target_modules=list(recipe.modules or known),
        layers_to_transform=list(range(max(0, layers - top), layers)) if top else None,
        layers_pattern=pattern if top else None,
        task_type="CAUSAL_LM",
    )


def layer_parts(model: Any) -> tuple[str, list[str]]:
    """The name under which a model keeps its layers ("layers", "h"), and the linear maps in one of them."""
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D

    linear = [name for name, module in model.named_modules() if isinstance(module, Linear | Conv1D) and NUMBERED.search(name)]
    if not linear:
        raise StudioError("The base has no layers that an adapter could be put into.", "Use a decoder-only language model.")
    pattern = Counter(match.group(1) for name in linear if (match := NUMBERED.search(name))).most_common(1)[0][0]
    return pattern, list(dict.fromkeys(name.rpartition(".")[2] for name in linear if f"{pattern}." in name))


def build(recipe: Recipe, part: Part, model: Any, tokenizer: Any, pairs: Sequence[Pair], folder: Path, callbacks: list[Any]) -> Any:
    """A TRL trainer for one part of a recipe, ready for `.train()`. A model that has an adapter goes on with it."""
    from peft import PeftModel

    config = None if isinstance(model, PeftModel) else adapter_config(recipe, model)
    make = _sft if part.method == "sft" else _preference
    trainer = make(recipe, part, model, tokenizer, pairs, folder, callbacks, config)
    _quicken(trainer)
    return trainer


def _quicken(trainer: Any) -> None:
    """One process alone has the passes of `pipelines.tuning.quick`; several share out TRL's own."""
    if world_size() == 1:
        install.install(trainer)


def _arguments(recipe: Recipe, part: Part, folder: Path) -> dict[str, Any]:
    import torch

    cuda = torch.cuda.is_available()
    return {
        "output_dir": str(folder),
        "max_steps": part.steps,
        "per_device_train_batch_size": _rows_a_process(recipe),
        "gradient_accumulation_steps": recipe.accumulation,
        "learning_rate": part.learning_rate,
        "warmup_steps": part.warmup,
        "weight_decay": recipe.weight_decay,
        "lr_scheduler_type": {"constant": "constant_with_warmup"}.get(recipe.schedule, recipe.schedule),
        "save_steps": recipe.save_every,
        "save_total_limit": None,  # the watcher removes old ones by their number: the clock may step back
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "use_cpu": not cuda,
        "bf16": cuda and recipe.precision != "fp32",
        "activation_checkpointing": recipe.checkpointing,  # the older name, gradient_checkpointing, is set from this one
        "max_length": recipe.max_tokens,
        "report_to": "none",
        "disable_tqdm": True,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "dataloader_pin_memory": False,
        "ddp_find_unused_parameters": False if world_size() > 1 else None,
    }


def _rows_a_process(recipe: Recipe) -> int:
    """The recipe's rows are shared out, so that a step means the same however many processes there are."""
    processes = world_size()
    if recipe.batch_size % processes:
        raise StudioError(
            f"{recipe.batch_size} rows can't be shared out evenly among {processes} processes.",
            "Set “Rows at once” (batch_size) to a multiple of their number.",
        )
    return recipe.batch_size // processes


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def _sft(
    recipe: Recipe, part: Part, model: Any, tokenizer: Any, pairs: Sequence[Pair], folder: Path, callbacks: list[Any], config: Any
) -> Any:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = Dataset.from_list([{"prompt": ask(p.prompt), "completion": _said(p.chosen)} for p in pairs])
    return SFTTrainer(
        model=model,
        args=SFTConfig(**_arguments(recipe, part, folder)),
        train_dataset=rows,
        processing_class=tokenizer,
        peft_config=config,
        callbacks=callbacks,
    )


def _preference(
    recipe: Recipe, part: Part, model: Any, tokenizer: Any, pairs: Sequence[Pair], folder: Path, callbacks: list[Any], config: Any
) -> Any:
    """DPO and its kin. The base's log-probabilities are computed once ahead where every row is seen more than once."""
    from datasets import Dataset
    from trl import DPOConfig

    rows = Dataset.from_list([{"prompt": ask(p.prompt), "chosen": _said(p.chosen), "rejected": _said(p.rejected)} for p in pairs])
    losses: dict[str, Any] = {"loss_type": ["ipo" if part.method == "ipo" else "sigmoid"]}
    if part.method == "dpo-with-sft":
        losses = {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, recipe.sft_weight]}
    seen = part.steps * recipe.batch_size * recipe.accumulation
    return _preference_trainer()(
        model=model,
        args=DPOConfig(
            **_arguments(recipe, part, folder), beta=recipe.beta, precompute_ref_log_probs=seen > len(pairs) and world_size() == 1, **losses
        ),
        train_dataset=rows,
        processing_class=tokenizer,
        peft_config=config,
        callbacks=callbacks,
    )


def _preference_trainer() -> Any:
    """DPOTrainer, which asks the base for its log-probabilities while it is being made."""
    from trl import DPOTrainer

    class Trainer(DPOTrainer):
        def _precompute_ref_logps(self, *args: Any, **options: Any) -> Any:
            _quicken(self)
            return super()._precompute_ref_logps(*args, **options)

    return Trainer
