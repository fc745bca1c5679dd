"""A run: a folder that explains itself. The page and the command line only read it.

job.json (recipe, side, data, base, versions) · data.jsonl (the rows) · state.json · progress.jsonl · about.json (title,
note, tags) · checkpoints/ (the adapter at some steps) · resume/ (the trainer's own files) · adapter/ · metrics.json ·
card.md · trainer.log. A file called `stop` asks the trainer to end early.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pipelines.paths import read_json, write_json
from pipelines.records import Pair

State = Literal["waiting", "queued", "starting", "training", "finished", "stopped", "failed", "interrupted"]
ACTIVE = ("starting", "training")
USABLE = ("finished", "stopped")
RESERVE, RESERVED_BYTES = "reserve", 1 << 16


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
    def readable(self) -> bool:
        """Whether there is a job that says what this run is."""
        try:
            job = self.job
            return all(isinstance(job[name], dict) for name in ("data", "recipe")) and all(
                isinstance(text, str) for text in (job["side"], job["created"], job["data"]["name"])
            )
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return False

    @property
    def title(self) -> str:
        """Side, data and time, for people; the group's name instead of the data's, and the seed, where it is one of many."""
        job = self.job
        group = job.get("group")
        if group:
            seed = f" · seed {job['recipe']['seed']}" if group.get("seeds", 1) > 1 else ""
            return f"{group.get('role', job['side'])} · {group['name']}{seed}"
        return f"{job['side']} · {job['data']['name']} · {job['created'][:19].replace('T', ' ')}"

    @property
    def written(self) -> dict[str, Any]:
        """The last word about where it stands; {} where there is none yet."""
        try:
            value = read_json(self.folder / "state.json")
        except (OSError, ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def state(self) -> State:
        """What the trainer last wrote; a trainer that is gone without a last word left an interrupted run.

        Where that word can't be read any more, a run with an adapter and metrics has finished.
        """
        written = self.written
        if not written and (self.folder / "state.json").exists():  # damaged: what was finished is not begun anew
            return "finished" if (self.folder / "metrics.json").is_file() and self.adapter.is_dir() else "interrupted"
        if written.get("state") in ACTIVE and not _alive(written):
            return "interrupted"
        return written.get("state", "waiting")

    @property
    def message(self) -> str:
        """A sentence about how it ended, where there is one."""
        return str(self.written.get("message", ""))

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
        return [line for line in map(_parsed, file.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]) if line]

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


def write_state(run: Run, state: State, message: str = "", pid: int | None = None, **more: Any) -> None:
    """Notes where a run stands, with the process that is responsible for it.

    A full disk must not swallow the reason of a failure: the room that a run keeps in reserve is given up for it.
    """
    pid = pid or os.getpid()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    value = {"state": state, "message": message, "pid": pid, "born": _born(pid), "at": now, **more}
    if state not in ACTIVE:
        (run.folder / RESERVE).unlink(missing_ok=True)
    write_json(run.folder / "state.json", value, settled=state not in ACTIVE)


def reserve(run: Run) -> None:
    """Keeps a little room on the disk for the last word of a run."""
    (run.folder / RESERVE).write_bytes(os.urandom(RESERVED_BYTES))


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _born(pid: int) -> float:
    import psutil

    try:
        return _since_boot(psutil.Process(pid))
    except psutil.Error:
        return 0.0


def _since_boot(process: Any) -> float:
    """When a process began, in seconds since the machine did: the clock may be set while it runs."""
    import psutil

    return process.create_time() - psutil.boot_time()


def _alive(written: dict[str, Any]) -> bool:
    """Whether the process that wrote this still runs; a run on another machine is asked through its job instead."""
    import psutil

    if written.get("remote"):
        return True
    try:
        process = psutil.Process(written["pid"])
        return abs(_since_boot(process) - written["born"]) < 2 and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False
