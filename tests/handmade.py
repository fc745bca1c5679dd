"""Run folders written by hand, for tests that train nothing: whole ones, old ones, damaged ones and hostile ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.paths import Paths, write_json
from pipelines.tuning.run import Run, write_state

JOB: dict[str, Any] = {
    "created": "2026-11-22T15:10:10+00:00",
    "side": "left",
    "data": {"name": "Café rows", "kind": "pairs", "hash": "a" * 64, "rows": 100},
    "recipe": {"method": "sft", "base": "smollm2-135m", "learning_rate": 0.002, "seed": 7, "modules": ["q_proj", "v_proj"]},
    "base": "smollm2-135m",
    "sample_question": "Should rents be limited?",
    "group": None,
    "versions": {"torch": "2.13.0", "peft": "0.21.2"},
}
ADAPTER = {"adapter_config.json": "{}", "adapter_model.safetensors": "12345"}
DAMAGED = ("", "{", "null", "[]", '"text"', "{}", '{"side": 3, "data": [], "recipe": {}, "created": ""}', "[" * 100_000, b"\xff\xfe{}")


def put(file: Path, content: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


def put_adapter(folder: Path) -> None:
    for name, content in ADAPTER.items():
        put(folder / name, content)


def make(paths: Paths, name: str = "run-1", state: str = "finished", folder: Path | None = None, **changes: Any) -> Run:
    run = Run(folder or paths.runs / name)
    write_json(run.folder / "job.json", {**JOB, **changes})
    write_state(run, state)  # type: ignore[arg-type]
    put_adapter(run.adapter)
    return run


def progress(run: Run, *lines: Any) -> None:
    put(run.folder / "progress.jsonl", "".join(json.dumps(line) + "\n" for line in lines))


def step(number: int, loss: float, **more: Any) -> dict[str, Any]:
    return {"event": "step", "step": number, "loss": loss, **more}


def ids(runs: list[Run]) -> list[str]:
    return [run.id for run in runs]
