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
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.training.processes import world_size

PLAIN_HEADS = ("llama", "mistral", "qwen2", "qwen3", "smollm3")
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
    return make(recipe, part, model, tokenizer, pairs, folder, callbacks, config)


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
    import torch
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = Dataset.from_list([{"prompt": ask(p.prompt), "completion": _said(p.chosen)} for p in pairs])
    plain = model.config.model_type in PLAIN_HEADS and world_size() == 1 and not torch.cuda.is_available()
    return (_answer_only_trainer() if plain else SFTTrainer)(
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
    from trl import DPOConfig, DPOTrainer

    rows = Dataset.from_list([{"prompt": ask(p.prompt), "chosen": _said(p.chosen), "rejected": _said(p.rejected)} for p in pairs])
    losses: dict[str, Any] = {"loss_type": ["ipo" if part.method == "ipo" else "sigmoid"]}
    if part.method == "dpo-with-sft":
        losses = {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, recipe.sft_weight]}
    seen = part.steps * recipe.batch_size * recipe.accumulation
    return DPOTrainer(
        model=model,
        args=DPOConfig(
            **_arguments(recipe, part, folder), beta=recipe.beta, precompute_ref_log_probs=seen > len(pairs) and world_size() == 1, **losses
        ),
        train_dataset=rows,
        processing_class=tokenizer,
        peft_config=config,
        callbacks=callbacks,
    )


def _answer_only_trainer() -> Any:
    """SFTTrainer whose vocabulary head runs on answer tokens only.

    TRL's own loss on a CPU projects every position to 49k words and throws most of them away; that is a third of a
    step. The loss is the same: mean negative log-likelihood over the answer's tokens. For models whose head is a plain
    linear map; others (scaled or capped logits) go through TRL's own, as do runs on a GPU or of several processes.
    """
    import torch
    from trl import SFTTrainer

    class AnswerOnlySFTTrainer(SFTTrainer):
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
            causal = self.accelerator.unwrap_model(model).get_base_model()
            states = causal.model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False)
            labels = inputs["labels"][:, 1:]
            answer = labels != -100
            logits = causal.lm_head(states.last_hidden_state[:, :-1][answer]).float()
            total = torch.nn.functional.cross_entropy(logits, labels[answer], reduction="sum")
            loss = total / (answer.sum() if num_items_in_batch is None else num_items_in_batch)
            return (loss, {"logits": logits}) if return_outputs else loss

    return AnswerOnlySFTTrainer
