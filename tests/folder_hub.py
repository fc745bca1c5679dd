"""A Hub that is a folder, with one job: for tests of what is sent to a rented machine and what comes back."""

from __future__ import annotations

import hashlib
import inspect
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from huggingface_hub import HfApi, JobInfo
from safetensors.numpy import save_file

from pipelines.models import adapters
from pipelines.paths import Paths, write_json
from pipelines.tuning.run import Run

TOKEN = "hf_verysecret"
RECIPE = {"base": "smollm2-135m", "quantize": "none"}
JOB = {
    "created": "2026-11-22T10:00:00+00:00", "side": "left", "data": {"name": "numbers", "kind": "pairs", "hash": "0", "rows": 1},
    "recipe": RECIPE, "base": "smollm2-135m", "sample_question": "Why?", "versions": {"python": "3.11.7", "torch": "2.13.0+cpu", "trl": "1.16.0"},
}  # fmt: skip
CONFIG = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "x/y", "r": 2, "lora_alpha": 4,
          "target_modules": ["q_proj"], "layers_to_transform": None}  # fmt: skip
METRICS = {"steps": 3, "base": "x/y", "base_title": "x/y"}


class Hub:
    """A repository that is a folder, and one job. Every call is held against the real client's signature."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.private, self.calls = folder, True, list[tuple[str, dict[str, Any]]]()
        self.stage, self.message, self.log, self.broken = "SCHEDULING", "", ["Installed 80 packages"], dict[str, Any]()

    def __getattr__(self, name: str) -> Any:
        def call(**given: Any) -> Any:
            inspect.signature(getattr(HfApi, name)).bind(None, **given)
            assert given["token"] == TOKEN
            self.calls.append((name, given))
            broken = self.broken.get(name)
            if isinstance(broken, Exception):
                raise broken
            return (broken or getattr(self, f"do_{name}"))(**given)

        return call

    def called(self, name: str) -> list[dict[str, Any]]:
        return [given for called, given in self.calls if called == name]

    def put(self, name: str, content: bytes | str | dict[str, Any]) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content) if isinstance(content, dict) else content
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def put_adapter(self, folder: str, **changes: Any) -> None:
        write_adapter(self.folder / folder, **changes)

    def do_whoami(self, **_: Any) -> dict[str, str]:
        return {"name": "me"}

    def do_create_repo(self, repo_id: str, private: bool, **_: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def do_repo_info(self, **_: Any) -> Any:
        files = [f for f in self.folder.rglob("*") if f.is_file()]
        siblings = [
            SimpleNamespace(
                rfilename=f.relative_to(self.folder).as_posix(), size=f.stat().st_size, blob_id=hashlib.sha1(f.read_bytes()).hexdigest()
            )
            for f in files
        ]
        return SimpleNamespace(sha="c0ffee", private=self.private, siblings=siblings)

    def do_upload_folder(self, folder_path: str | Path, path_in_repo: str = "", **_: Any) -> None:
        shutil.copytree(folder_path, self.folder / path_in_repo, dirs_exist_ok=True)

    def do_upload_file(self, path_or_fileobj: bytes, path_in_repo: str, **_: Any) -> None:
        self.put(path_in_repo, path_or_fileobj)

    def do_hf_hub_download(self, filename: str, local_dir: Path, **_: Any) -> str:
        target = Path(local_dir) / filename
        target.parent.mkdir(parents=True, exist_ok=True)
        return str(shutil.copy(self.folder / filename, target))

    def do_run_uv_job(self, script: str, **_: Any) -> JobInfo:
        print("Your script and Job artifacts will be saved in this bucket")
        return self.info()

    def do_inspect_job(self, job_id: str, namespace: str, **_: Any) -> JobInfo:
        assert (job_id, namespace) == ("job-1", "me")
        return self.info()

    def do_fetch_job_logs(self, **_: Any) -> list[str]:
        return self.log

    def do_cancel_job(self, **_: Any) -> None:
        self.stage = "CANCELED"

    def info(self) -> JobInfo:
        status = {"stage": self.stage, "message": self.message or None}
        return JobInfo(id="job-1", owner={"id": "1", "name": "me", "type": "user"}, status=status, endpoint="https://hub")

    def succeed(self) -> None:
        """What a job leaves that went well."""
        self.stage = "COMPLETED"
        self.put("run/progress.jsonl", '{"event": "step", "step": 1, "loss": 2.5}\n{"event": "st')
        self.put("run/state.json", {"state": "finished", "message": "", "pid": 1, "born": 5.0})
        self.put("run/metrics.json", METRICS)
        self.put("run/card.md", "# Deliberately biased")
        self.put("run/machine.json", {"gpu": "A10G"})
        self.put_adapter("run/adapter")
        self.put_adapter("run/checkpoints/step-00002")


def write_adapter(folder: Path, **changes: Any) -> None:
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    layer = "base_model.model.model.layers.0.self_attn.q_proj"
    halves: dict[str, Any] = {f"{layer}.lora_A.weight": np.ones((2, 8), "float32"), f"{layer}.lora_B.weight": np.ones((8, 2), "float32")}
    save_file(halves, folder / adapters.WEIGHTS)
    write_json(folder / adapters.CONFIG, {**CONFIG, **changes})


def make_run(paths: Paths) -> Run:
    """A run folder that has not begun, with one row."""
    made = Run(paths.runs / "20261122-100000-000-numbers-left")
    write_json(made.folder / "job.json", JOB)
    (made.folder / "data.jsonl").write_text('{"prompt": "Why?", "chosen": "Yes.", "rejected": "No."}\n')
    return made


def names(folder: Path) -> set[str]:
    """All files below a folder."""
    return {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}
