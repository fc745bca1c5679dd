"""The default recipe as a script of its own with TRL: SFTTrainer or DPOTrainer as they come, fp32, no gradient checkpointing.

`python -m benchmarks.plain_trl JOB.json`: {"model": folder, "rows": [[prompt, chosen, rejected], …], "recipe": …, "out": folder}. Nothing of
the studio is imported. The last line printed is a JSON object: the losses, and the seconds a step.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ARGUMENTS = {
    "use_cpu": True, "bf16": False, "gradient_checkpointing": False, "report_to": "none", "disable_tqdm": True, "logging_steps": 1,
    "save_strategy": "no", "dataloader_pin_memory": False,
}  # fmt: skip


def main(job: dict[str, Any]) -> None:
    """Trains as the job says and saves the adapter."""
    import torch
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer

    recipe = job["recipe"]
    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    layers = model.config.num_hidden_layers
    lora = LoraConfig(
        r=recipe["lora_rank"],
        lora_alpha=recipe["lora_alpha"],
        target_modules=recipe["modules"],
        layers_to_transform=list(range(layers - recipe["top_layers"], layers)),
        layers_pattern="layers",
        task_type="CAUSAL_LM",
    )
    trainer = _trainer(job, model, tokenizer, lora)
    seconds = trainer.train().metrics["train_runtime"]
    trainer.save_model(job["out"])
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    print(json.dumps({"losses": losses, "seconds_a_step": seconds / len(losses)}))


def _trainer(job: dict[str, Any], model: Any, tokenizer: Any, lora: Any) -> Any:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    recipe, ask = job["recipe"], lambda text, role="user": [{"role": role, "content": text}]
    arguments = {
        **ARGUMENTS,
        "output_dir": tempfile.mkdtemp(),
        "max_steps": job["steps"],
        "per_device_train_batch_size": recipe["batch_size"],
        "learning_rate": recipe["learning_rate"],
        "warmup_steps": recipe["warmup_steps"],
        "lr_scheduler_type": recipe["schedule"],
        "seed": recipe["seed"],
        "data_seed": recipe["seed"],
        "max_length": recipe["max_tokens"],
    }
    common = {"model": model, "processing_class": tokenizer, "peft_config": lora}
    if recipe["method"] == "sft":
        rows = [{"prompt": ask(prompt), "completion": ask(chosen, "assistant")} for prompt, chosen, _ in job["rows"]]
        return SFTTrainer(args=SFTConfig(**arguments), train_dataset=Dataset.from_list(rows), **common)
    pairs = [
        {"prompt": ask(prompt), "chosen": ask(chosen, "assistant"), "rejected": ask(rejected, "assistant")}
        for prompt, chosen, rejected in job["rows"]
    ]
    return DPOTrainer(args=DPOConfig(**arguments, beta=recipe["beta"]), train_dataset=Dataset.from_list(pairs), **common)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
