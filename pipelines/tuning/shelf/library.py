"""What people do with the runs on disk: see which are damaged, delete them, and know how much room they take."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.tuning.run import ACTIVE, Run
from pipelines.tuning.shelf.about import refuse_bundled, shown_title
from pipelines.tuning.shelf.reading import tried

BUSY = (*ACTIVE, "queued")
RUN_FILES = ("job.json", "data.jsonl", "state.json", "progress.jsonl", "metrics.json", "adapter")
LAUNCH_LOCK = ".launch.lock"  # held where a run is started: none may start between the look and the rename
GONE = ".gone-"
PARTS = {"data.jsonl": "data", "trainer.log": "logs", "progress.jsonl": "logs"}
FOLDERS = ("adapter", "checkpoints", "resume")


def damaged(paths: Paths) -> list[Path]:
    """Folders of runs whose job.json is missing or can't be read, by name; they can be deleted like others."""
    inside = [f for f in paths.runs.glob("*") if not f.name.startswith(".") and _looks_like_a_run(f)]
    outside = [f for f in _outside(paths).values() if tried(partial(_looks_like_a_run, f), False)]
    return sorted({f for f in inside + outside if not Run(f).readable})


def _looks_like_a_run(folder: Path) -> bool:
    return folder.is_dir() and any((folder / name).exists() for name in RUN_FILES)


@dataclass(frozen=True)
class Deleted:
    """What came of deleting many: bytes freed, and (id, reason) of each run that is still there."""

    freed: int
    kept: tuple[tuple[str, str], ...] = ()


def delete(run: Run, paths: Paths) -> int:
    """Deletes a run for good and returns the bytes freed; one with a folder of its own only leaves the list (0 bytes).

    It takes a hidden name first, so that a crash leaves no half run in the list; the next deletion removes what was left.
    Raises StudioError where it is bundled, waits for its turn, trains, is not there, or can't be moved.
    """
    from filelock import FileLock, Timeout

    refuse_bundled(run)
    paths.runs.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(paths.runs / LAUNCH_LOCK, timeout=30):
            hidden = _off_the_list(run, paths)
    except Timeout as error:
        raise StudioError("A run is being started just now.", "Try again in a minute.") from error
    except OSError as error:
        raise StudioError(f"“{run.id}” can't be deleted ({error.strerror}).", "Close what uses its folder, then try again.") from error
    freed = _bytes(hidden) if hidden else 0
    for left in paths.runs.glob(f"{GONE}*"):
        shutil.rmtree(left, ignore_errors=True)
    return freed - (_bytes(hidden) if hidden else 0)


def delete_many(runs: Iterable[Run], paths: Paths) -> Deleted:
    """Deletes what can be deleted, and says what was not and why."""
    freed, kept = 0, []
    for run in runs:
        try:
            freed += delete(run, paths)
        except StudioError as error:
            kept.append((run.id, str(error)))
    return Deleted(freed, tuple(kept))


def _off_the_list(run: Run, paths: Paths) -> Path | None:
    """Takes the run off the list; its folder under a hidden name, or None where the folder stays because it is not ours."""
    state, folder = run.state, run.folder
    if state in BUSY:
        raise StudioError(f"“{shown_title(run)}” can't be deleted: its state is {state}.", "Stop it first, or wait until it ends.")
    if folder.parent.resolve() != paths.runs.resolve():
        markers = [file for file, listed in _outside(paths).items() if tried(listed.resolve, None) == folder.resolve()]
        if not markers:
            raise StudioError(f"“{run.id}” lies outside the studio's folder and is not in its list.", "Nothing was changed.")
        for marker in markers:
            marker.unlink(missing_ok=True)
        return None
    if folder.name.startswith(".") or not _looks_like_a_run(folder):
        raise StudioError(f"There is no run called “{run.id}”.", "It may have been deleted already; look at the list again.")
    if folder.is_symlink():
        folder.unlink()
        return None
    return folder.rename(paths.runs / f"{GONE}{uuid.uuid4().hex}")


def sizes(run: Run) -> dict[str, int]:
    """Bytes by part: adapter, checkpoints, resume, data, logs and other. Links are counted, not followed."""
    parts = dict.fromkeys((*FOLDERS, "data", "logs", "other"), 0)
    for file, size in _files(run.folder):
        first = file.relative_to(run.folder).parts[0]
        parts[first if first in FOLDERS else PARTS.get(first, "other")] += size
    return parts


def _bytes(folder: Path) -> int:
    return sum(size for _, size in _files(folder))


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            file = Path(parent) / name
            if stat := tried(file.lstat, None):
                yield file, stat.st_size


def _outside(paths: Paths) -> dict[Path, Path]:
    """Folders outside the studio's that its list remembers, by the file that does; also those whose job can't be read."""
    markers = {file: tried(partial(file.read_text, encoding="utf-8"), "") for file in paths.runs.glob("*.elsewhere")}
    return {file: Path(text) for file, text in markers.items() if text}
