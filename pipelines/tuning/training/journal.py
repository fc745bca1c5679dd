"""What a training process says while it works: one JSON object a line in progress.jsonl, and the snapshots of the adapter."""

from __future__ import annotations

import json
import math
import shutil
import time
from pathlib import Path
from typing import Any

from pipelines.paths import atomic_folder, read_json, write_json
from pipelines.tuning.run import Run
from pipelines.tuning.training.processes import is_main

STARTED = time.monotonic()
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
COMPLETE = "complete"
NUMBERS = ("perplexity", "perplexity_ratio", "repetition", "chosen", "rejected")


class Journal:
    """Appends events with the seconds since the process began. Of several processes only the first writes."""

    def __init__(self, run: Run) -> None:
        self.run, self.file = run, run.folder / "progress.jsonl"
        if is_main() and self.file.is_file() and not self.file.read_bytes().endswith(b"\n"):
            with self.file.open("ab") as handle:  # a process died in the middle of a line
                handle.write(b"\n")

    def write(self, **values: Any) -> None:
        """One event. Numbers that JSON has no word for (NaN) are written as null."""
        if not is_main():
            return
        line = json.dumps({**_plain(values), "elapsed": elapsed()}, ensure_ascii=False)
        with self.file.open("a", encoding="utf-8") as handle:
            handle.write(line + "\n")

    def probes(self) -> list[dict[str, Any]]:
        """All looks at the model so far, this process's and earlier ones', by step; a later look at the same step counts."""
        found = {line["step"]: line for line in standing(self.run.progress()) if line.get("event") == "probe"}
        return [
            {name: math.nan if value is None and name in NUMBERS else value for name, value in found[step].items()}
            for step in sorted(found)
        ]


def standing(progress: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines that still hold: where a process went on from a checkpoint, what an earlier one did after that step is undone."""
    kept: list[dict[str, Any]] = []
    for line in progress:
        if line.get("event") == "begin":
            kept = [one for one in kept if one.get("step", 0) <= line["step"]]
        kept.append(line)
    return kept


def elapsed() -> float:
    """Seconds since this process began."""
    return round(time.monotonic() - STARTED, 2)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()}


def snapshot(run: Run, made: Path, step: int, base_id: str) -> Path:
    """Keeps the adapter of a step: its weights and a config that names the base and nothing of this machine.

    `made` is a folder that PEFT wrote. Returns checkpoints/step-NNNNN, which is there whole or not at all.
    """
    target = folder_of(run, step)
    copy_adapter(made, target, base_id)
    return target


def forget_after(run: Run, step: int) -> None:
    """Removes kept adapters of steps that will be done again."""
    for kept in kept_steps(run):
        if kept > step:
            shutil.rmtree(folder_of(run, kept), ignore_errors=True)


def copy_adapter(made: Path, target: Path, base_id: str) -> None:
    """The two files of an adapter, whole or not at all."""
    with atomic_folder(target) as folder:
        shutil.copyfile(made / WEIGHTS, folder / WEIGHTS)
        config = read_json(made / CONFIG)
        write_json(folder / CONFIG, {**config, "base_model_name_or_path": base_id})


def folder_of(run: Run, step: int) -> Path:
    """Where the adapter of a step is kept."""
    return run.folder / "checkpoints" / f"step-{step:05d}"


def kept_steps(run: Run) -> list[int]:
    """Steps whose adapter is kept whole, ascending."""
    folders = (run.folder / "checkpoints").glob("step-*")
    return sorted(int(f.name[5:]) for f in folders if f.name[5:].isdigit() and (f / CONFIG).is_file() and (f / WEIGHTS).is_file())


def prune(folder: Path) -> None:
    """Removes all but the two newest checkpoints of a trainer; each first loses the mark that it is complete."""
    made = sorted(folder.glob("checkpoint-*"), key=lambda f: int(f.name.rpartition("-")[2]))
    for old in made[:-2]:
        (old / COMPLETE).unlink(missing_ok=True)
        shutil.rmtree(old, ignore_errors=True)


def latest(folder: Path) -> Path | None:
    """The newest checkpoint from which a trainer can go on; those that were being written when it died are removed."""
    found = []
    for one in folder.glob("checkpoint-*"):
        if (one / COMPLETE).is_file():
            found.append(one)
        elif is_main():
            shutil.rmtree(one, ignore_errors=True)
    return max(found, key=lambda f: int(f.name.rpartition("-")[2]), default=None)
