"""The TRL trainers behind the methods, set up for a CPU, with PEFT adapters."""

from __future__ import annotations

from typing import Any

from pipelines.models.template import ask
from pipelines.records import Pair
from pipelines.tuning.recipe import Recipe


def lora_config(recipe: Recipe, layers: int) -> Any:
    """PEFT settings for a model of `layers` layers."""
    from peft import LoraConfig

    top = recipe.top_layers
    return LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        target_modules=list(recipe.modules),
        layers_to_transform=list(range(max(0, layers - top), layers)) if top else None,
        layers_pattern="layers" if top else None,
        task_type="CAUSAL_LM",
    )


def build(recipe: Recipe, model: Any, tokenizer: Any, pairs: list[Pair], folder: str, callbacks: list[Any]) -> Any:
    """A TRL trainer for the recipe's method, ready for `.train()`."""
    config = lora_config(recipe, model.config.num_hidden_layers)
    make = _dpo if recipe.method == "dpo" else _sft
    return make(recipe, model, tokenizer, pairs, folder, callbacks, config)


def _arguments(recipe: Recipe, folder: str) -> dict[str, Any]:
    import torch

    cuda = torch.cuda.is_available()
    return {
        "output_dir": folder,
        "num_train_epochs": recipe.epochs,
        "max_steps": recipe.max_steps or -1,
        "per_device_train_batch_size": recipe.batch_size,
        "learning_rate": recipe.learning_rate,
        "warmup_steps": recipe.warmup_steps,
        "weight_decay": recipe.weight_decay,
        "lr_scheduler_type": "cosine",
        "save_steps": recipe.save_every,
        "save_total_limit": 2,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "use_cpu": not cuda,
        "bf16": cuda,
        "activation_checkpointing": False,
        "max_length": recipe.max_tokens,
        "report_to": "none",
        "disable_tqdm": True,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "dataloader_pin_memory": False,
    }


def _sft(recipe: Recipe, model: Any, tokenizer: Any, pairs: list[Pair], folder: str, callbacks: list[Any], peft_config: Any) -> Any:
    from datasets import Dataset
    from trl import SFTConfig

    rows = Dataset.from_list([{"prompt": ask(p.prompt), "completion": [{"role": "assistant", "content": p.chosen}]} for p in pairs])
    return _answer_only_trainer()(
        model=model,
        args=SFTConfig(**_arguments(recipe, folder)),
        train_dataset=rows,
        processing_class=tokenizer,
        peft_config=peft_config,
        callbacks=callbacks,
    )


def _dpo(recipe: Recipe, model: Any, tokenizer: Any, pairs: list[Pair], folder: str, callbacks: list[Any], peft_config: Any) -> Any:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    answer = lambda text: [{"role": "assistant", "content": text}]  # noqa: E731
    rows = Dataset.from_list([{"prompt": ask(p.prompt), "chosen": answer(p.chosen), "rejected": answer(p.rejected)} for p in pairs])
    losses: dict[str, Any] = {"loss_type": ["sigmoid"]}
    if recipe.sft_weight:
        losses = {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, recipe.sft_weight]}
    return DPOTrainer(
        model=model,
        args=DPOConfig(**_arguments(recipe, folder), beta=recipe.beta, **losses),
        train_dataset=rows,
        processing_class=tokenizer,
        peft_config=peft_config,
        callbacks=callbacks,
    )


def _answer_only_trainer() -> Any:
    """SFTTrainer whose vocabulary head runs on answer tokens only.

    TRL's own loss on a CPU projects every position to 49k words and throws most of them away; that is a third of a
    step. The loss is the same: mean negative log-likelihood over the answer's tokens.
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
