"""Runs on disk. A run is a folder that explains itself; the page and the command line only read it.

job.json (recipe, side, data, base, versions) · data.jsonl (the rows) · state.json · progress.jsonl · checkpoints/
· adapter/ · metrics.json · card.md · trainer.log. A file called `stop` asks the trainer to end early.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pipelines.corpus.versions import Dataset, slug
from pipelines.errors import StudioError
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.paths import PROJECT, Paths, atomic_folder, read_json, refuse_strangers, write_json, write_text
from pipelines.records import Pair
from pipelines.tuning.recipe import Recipe

State = Literal["waiting", "starting", "training", "finished", "stopped", "failed", "interrupted"]
ACTIVE = ("starting", "training")
USABLE = ("finished", "stopped")
PACKAGES = ("torch", "transformers", "peft", "trl")
DEFAULT_SAMPLE = "Should the government do more to help people with low incomes?"


@dataclass(frozen=True)
class Run:
    """A view of a run folder. Cheap to make; reads the files each time it is asked."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def job(self) -> dict[str, Any]:
        return read_json(self.folder / "job.json")

    @property
    def title(self) -> str:
        """Side, data and time, for people."""
        job = self.job
        return f"{job['side']} · {job['data']['name']} · {job['created'][:19].replace('T', ' ')}"

    @property
    def state(self) -> State:
        """What the trainer last wrote; a trainer that is gone without a last word left an interrupted run."""
        file = self.folder / "state.json"
        if not file.is_file():
            return "waiting"
        written = read_json(file)
        if written["state"] in ACTIVE and not _alive(written):
            return "interrupted"
        return written["state"]

    @property
    def message(self) -> str:
        """A sentence about how it ended, where there is one."""
        file = self.folder / "state.json"
        return str(read_json(file).get("message", "")) if file.is_file() else ""

    @property
    def adapter(self) -> Path:
        return self.folder / "adapter"

    @property
    def metrics(self) -> dict[str, Any]:
        file = self.folder / "metrics.json"
        return read_json(file) if file.is_file() else {}

    def progress(self) -> list[dict[str, Any]]:
        """All lines of progress so far; one that is being written, or was when a process died, is left out."""
        file = self.folder / "progress.jsonl"
        if not file.is_file():
            return []
        return [line for line in map(_parsed, file.read_text(encoding="utf-8").split("\n")[:-1]) if line]

    def pairs(self) -> list[Pair]:
        """The rows it is trained on."""
        lines = (self.folder / "data.jsonl").read_text(encoding="utf-8").split("\n")
        return [Pair(**json.loads(line)) for line in lines if line.strip()]

    def request_stop(self) -> None:
        """Asks the trainer to end after this step and to keep what was learned."""
        (self.folder / "stop").touch()

    def log_tail(self, lines: int = 12) -> str:
        """The end of what the trainer printed."""
        file = self.folder / "trainer.log"
        return "\n".join(file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]) if file.is_file() else ""


def create(
    dataset: Dataset,
    side: str,
    recipe: Recipe,
    paths: Paths,
    base: str = LANGUAGE_MODEL.name,
    sample: str = DEFAULT_SAMPLE,
    target: Path | None = None,
) -> Run:
    """Writes a run folder, ready to be started.

    Raises StudioError where the data has no such side.
    """
    pairs = dataset.pairs(side)
    now = datetime.now(UTC)
    folder = target or paths.runs / f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}-{slug(dataset.name)}-{side}"
    job = {
        "created": now.isoformat(timespec="seconds"),
        "side": side,
        "data": {"name": dataset.name, "kind": dataset.kind, "hash": dataset.hash, "rows": len(pairs)},
        "recipe": recipe.as_dict(),
        "recipe_hash": recipe.hash,
        "base": base,
        "sample_question": sample,
        "versions": _versions(),
    }
    folder = folder.resolve()
    refuse_strangers(folder, "job.json")
    with atomic_folder(folder) as temporary:
        write_json(temporary / "job.json", job)
        write_text(temporary / "data.jsonl", "".join(json.dumps(asdict(pair), ensure_ascii=False) + "\n" for pair in pairs))
    return Run(folder)


def _parsed(line: str) -> dict[str, Any]:
    try:
        return json.loads(line)
    except ValueError:
        return {}


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in PACKAGES}


def launch(run: Run, paths: Paths, threads: int | None = None) -> subprocess.Popen[bytes]:
    """Starts the training process of a run (again, where it was interrupted); it outlives the page.

    Raises StudioError where another run is training: two at once on a few cores are five times slower each.
    """
    from filelock import FileLock

    paths.runs.mkdir(parents=True, exist_ok=True)
    with FileLock(paths.runs / ".launch.lock", timeout=30):
        refuse_if_busy(paths)
        if run.state in USABLE:
            raise StudioError("This run has ended already.", "Start a new one.")
        _note_outside(run, paths)
        (run.folder / "stop").unlink(missing_ok=True)
        environment = {
            **os.environ,
            "STUDIO_HOME": str(paths.root),
            "PYTHONPATH": str(PROJECT),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
        if threads:
            environment["OMP_NUM_THREADS"] = str(threads)
        with (run.folder / "trainer.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipelines.tuning.trainer", str(run.folder)],
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=PROJECT, env=environment, start_new_session=True,
            )  # fmt: skip
        write_state(run, "starting", pid=process.pid)
    return process


def refuse_if_busy(paths: Paths) -> None:
    """Raises StudioError where a run is training."""
    busy = active(paths)
    if busy:
        raise StudioError(f"A run is training already ({busy.title}).", "Wait until it ends or stop it, then start again.")


def _note_outside(run: Run, paths: Paths) -> None:
    """A run that was given a folder of its own is remembered, so that it counts as training and can be listed."""
    if run.folder.parent != paths.runs.resolve():
        write_text(_marker(run, paths), str(run.folder))


def forget(run: Run, paths: Paths) -> None:
    """Takes a run with a folder of its own off the list; its folder stays."""
    _marker(run, paths).unlink(missing_ok=True)


def _marker(run: Run, paths: Paths) -> Path:
    return paths.runs / f"{run.id}.elsewhere"


def write_state(run: Run, state: State, message: str = "", pid: int | None = None) -> None:
    """Notes where a run stands, with the process that is responsible for it."""
    import psutil

    pid = pid or os.getpid()
    try:
        born = psutil.Process(pid).create_time()
    except psutil.Error:
        born = 0.0
    write_json(
        run.folder / "state.json",
        {"state": state, "message": message, "pid": pid, "born": born, "at": datetime.now(UTC).isoformat(timespec="seconds")},
    )


def _alive(written: dict[str, Any]) -> bool:
    import psutil

    try:
        process = psutil.Process(written["pid"])
        return abs(process.create_time() - written["born"]) < 2 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def list_runs(paths: Paths) -> list[Run]:
    """All runs, newest first."""
    inside = [f for f in paths.runs.glob("*") if not f.name.startswith(".")]
    outside = [Path(f.read_text(encoding="utf-8")) for f in paths.runs.glob("*.elsewhere")]
    folders = [f for f in inside + outside if (f / "job.json").is_file()]
    return [Run(folder) for folder in sorted(folders, key=lambda f: f.name, reverse=True)]


def active(paths: Paths) -> Run | None:
    """The run that is training now."""
    return next((run for run in list_runs(paths) if run.state in ACTIVE), None)


def find(run_id: str, paths: Paths) -> Run:
    """The run of that id. Raises StudioError where there is none."""
    run = next((run for run in list_runs(paths) if run.id == run_id), None)
    if run is None:
        raise StudioError(f"There is no run called “{run_id}”.", "`python -m pipelines runs` lists them.")
    return run


def usable(runs: Sequence[Run]) -> list[Run]:
    """Runs that have an adapter to compare with the base."""
    return [run for run in runs if run.state in USABLE and (run.adapter / "adapter_config.json").is_file()]
