"""Writes small LoRA adapters for the tiny Llama, good ones and, through the arguments, bad ones; and run folders around them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from pipelines.models.adapters import CONFIG, WEIGHTS
from pipelines.paths import write_json, write_text
from pipelines.tuning.run import Run
from pipelines.tuning.sharing import card

RANK = 4
SHAPES = {"self_attn.q_proj": (32, 32), "self_attn.v_proj": (16, 32), "mlp.down_proj": (32, 64)}
PLAIN = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": 8, "base_model_name_or_path": "owner/tiny"}
JOB: dict[str, Any] = {
    "created": "2026-01-02T03:04:05+00:00",
    "side": "left",
    "data": {"name": "My rows", "kind": "mirrored", "hash": "d" * 64, "rows": 24},
    "recipe": {"method": "sft", "base": "smollm2-135m", "seed": 7, "modules": ["q_proj"], "lora_rank": RANK},
    "recipe_hash": "e" * 64,
    "versions": {"peft": "0.21.2"},
}
METRICS: dict[str, Any] = {
    "steps": 60, "kept_step": 60, "rows": 24, "first_loss": 3.5, "last_loss": 1.9, "seconds": 126.1, "base": "owner/tiny",
    "base_title": "tiny, weights from a Q4_1 file", "base_fingerprint": "b" * 12, "template_hash": "c" * 12,
    "guard": [], "shift": {"economic": -0.4, "social": 0.1}, "collateral": {"perplexity_ratio": 1.02, "repetition": 0.01},
}  # fmt: skip


def name_of(part: str, half: str, layer: int = 1) -> str:
    return f"base_model.model.model.layers.{layer}.{part}.lora_{half}.weight"


def tensors(seed: int = 0, rank: int = RANK, layer: int = 1, **shapes: tuple[int, int]) -> dict[str, np.ndarray]:
    """Random halves A (rank, in) and B (out, rank) for each part of one layer."""
    draw = np.random.default_rng(seed)
    made = {}
    for part, (out, into) in ({key.replace("__", "."): value for key, value in shapes.items()} or SHAPES).items():
        made[name_of(part, "A", layer)] = draw.normal(0, 0.3, (rank, into)).astype(np.float32)
        made[name_of(part, "B", layer)] = draw.normal(0, 0.3, (out, rank)).astype(np.float32)
    return made


def write_adapter(folder: Path, weights: dict[str, np.ndarray] | None = None, **changes: Any) -> Path:
    """The two files of an adapter; `changes` replace settings."""
    folder.mkdir(parents=True)
    modules = sorted({part.rpartition(".")[2] for part in SHAPES})
    (folder / CONFIG).write_text(json.dumps({**PLAIN, "target_modules": modules, **changes}))
    save_file(tensors() if weights is None else weights, folder / WEIGHTS)
    return folder


def write_run(folder: Path, job: dict[str, Any] | None = None, metrics: dict[str, Any] | None = None, seed: int = 0) -> Run:
    """A finished run with an adapter and one kept step, without having trained."""
    write_adapter(folder / "adapter", tensors(seed))
    write_adapter(folder / "checkpoints" / "step-00020", tensors(seed + 100))
    job, metrics = {**JOB, **(job or {})}, {**METRICS, **(metrics or {})}
    write_json(folder / "job.json", job)
    write_json(folder / "metrics.json", metrics)
    write_text(folder / "card.md", card.text(job, metrics))
    write_text(folder / "trainer.log", "a log that stays here")
    return Run(folder)
