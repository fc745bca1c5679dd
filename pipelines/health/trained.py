"""Runs: what says what they are, where they stand, their rows, their adapters and the lines of their progress."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.health.finding import Act, Finding, Quarantine, said, to_quarantine, whole
from pipelines.models import adapters
from pipelines.paths import Paths, content_hash, read_json
from pipelines.tuning import runs
from pipelines.tuning.run import ACTIVE, USABLE, Run, write_state
from pipelines.tuning.shelf import about, library, reading
from pipelines.tuning.shelf.reading import tried
from pipelines.tuning.training import journal

STATE, METRICS, PROGRESS = "state.json", "metrics.json", "progress.jsonl"
NOTES = (METRICS, about.ABOUT, "remote.json")
CUT_OFF = "The process that trained it is gone; go on with it from its last checkpoint."
WAIT = 30.0


def all_runs(paths: Paths) -> Iterator[Finding]:
    """A run that failed or was interrupted and says so is whole: a page can start it again."""
    for folder in library.damaged(paths):
        found = "job.json, which says what it is, is missing or damaged"
        if folder.parent == paths.runs:
            yield to_quarantine(f"run {folder.name}", found, [folder])
        else:
            yield Finding(f"run {folder.name}", False, f"{found}; it lies in {folder}, where the studio changes nothing")
    for run in runs.list_runs(paths):
        try:
            troubles = list(_troubles(run, paths))
        except FileNotFoundError:  # deleted while we looked
            continue
        for found, repair, act in troubles:
            yield Finding(f"run {run.id}", False, found, repair, act)
        if not troubles:
            yield whole(f"run {run.id}", f"{run.state} {run.message}".strip())


Trouble = tuple[str, str, Act]


def _troubles(run: Run, paths: Paths) -> Iterator[Trouble]:
    """What is wrong with a run, what --repair would do, and how; nothing where it lies elsewhere, behind a link or in a folder of its own."""
    if run.folder.parent.resolve() != paths.runs.resolve() or run.folder.is_symlink():
        return
    yield from _state(run, paths)
    if run.state in ACTIVE:
        return
    for name in NOTES:
        file = run.folder / name
        if file.is_file() and not isinstance(tried(partial(read_json, file), None), dict):
            found = f"{name} is damaged"
            yield found, f"moves {name} into quarantine; the run stays", partial(_without, [file], run, found)
    if complaint := _rows(run):
        yield complaint, "moves the whole run into quarantine", partial(_without, [run.folder], run, complaint)
        return
    yield from _adapters(run, paths)
    if _bad_lines(run):
        yield f"{PROGRESS} has lines that were not written to their end", "takes them out", partial(_mend_progress, run, paths)


def _state(run: Run, paths: Paths) -> Iterator[Trouble]:
    file = run.folder / STATE
    if file.is_file() and not run.written:
        yield f"{STATE} is damaged", "works out from its adapter and metrics where it stands", partial(_work_out_state, run, paths)
    elif run.written.get("state") in ACTIVE and run.state not in ACTIVE:
        found = f"it says “{run.written['state']}”, but the process that trained it is gone"
        yield found, "notes that it was interrupted; it can be gone on with", partial(_note_interrupted, run, paths)


def _rows(run: Run) -> str:
    """What is wrong with the rows it is trained on, "" where nothing is; runs made by hand may have none."""
    if not (run.folder / "data.jsonl").is_file():
        return ""
    try:
        rows = run.pairs()
    except reading.DAMAGE:
        return "data.jsonl, its rows, is damaged"
    wanted = run.job.get("rows_hash")
    same = not wanted or content_hash([asdict(row) for row in rows]) == wanted
    return "" if same else "data.jsonl holds other rows than it was made with"


def _adapters(run: Run, paths: Paths) -> Iterator[Trouble]:
    for step in tried(partial(journal.kept_steps, run), []):
        folder = journal.folder_of(run, step)
        if complaint := _gate(folder):
            found = f"the checkpoint of step {step} is damaged: {complaint}"
            yield found, "moves that checkpoint into quarantine; the run stays", partial(_without, [folder], run, found)
    if run.state not in USABLE:
        return
    wanted = reading.metrics(run).get("adapter_fingerprint")
    if complaint := _gate(run.adapter, wanted):
        found = f"its adapter is damaged: {complaint}"
        yield (
            found,
            "puts the same adapter in its place from a checkpoint, or moves it into quarantine",
            partial(_mend_adapter, run, found, paths),
        )


def _gate(folder: Path, wanted: Any = None) -> str:
    """Why an adapter does not pass, "" where it does; `wanted` is its recorded fingerprint, None for any."""
    try:
        fingerprint = adapters.inspect(folder).fingerprint
    except (StudioError, OSError) as error:
        return said(error)
    return "" if wanted in (None, fingerprint) else "its weights are not those that the run recorded"


def _bad_lines(run: Run) -> bool:
    file = run.folder / PROGRESS
    return file.is_file() and file.read_bytes() != _good_lines(file)


def _good_lines(file: Path) -> bytes:
    return b"".join(
        line + b"\n" for line in file.read_bytes().split(b"\n")[:-1] if isinstance(tried(partial(json.loads, line), None), dict)
    )


@contextmanager
def _standing_still(run: Run, paths: Paths) -> Iterator[None]:
    """While nobody can start it. Raises StudioError where it trains."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(paths.runs / library.LAUNCH_LOCK, timeout=WAIT):
            if run.state in ACTIVE:
                raise StudioError("It trains just now.", "Wait until it ends.")
            yield
    except Timeout as error:
        raise StudioError("A run is being started just now.", "Try again in a minute.") from error


def _without(things: list[Path], run: Run, found: str, quarantine: Quarantine) -> str:
    with _standing_still(run, Paths(run.folder.parent.parent)):
        lies = [quarantine.take(thing, found) for thing in things]
    return f"run {run.id}: {quarantine.called(lies[0])} ({found})."


def _work_out_state(run: Run, paths: Paths, quarantine: Quarantine) -> str:
    with _standing_still(run, paths):
        quarantine.take(run.folder / STATE, f"{STATE} is damaged")
        metrics = reading.metrics(run)
        ended = metrics.get("adapter_fingerprint") and not _gate(run.adapter, metrics["adapter_fingerprint"])
        if ended:
            write_state(run, "stopped" if metrics.get("stopped_early") else "finished")
        else:
            write_state(run, "interrupted", CUT_OFF)
    return f"run {run.id}: it is noted as {run.state} again."


def _note_interrupted(run: Run, paths: Paths, quarantine: Quarantine) -> str:
    with _standing_still(run, paths):
        write_state(run, "interrupted", CUT_OFF)
    return f"run {run.id}: it is noted as interrupted; go on with it: python -m pipelines tune --resume {run.id}"


def _mend_adapter(run: Run, found: str, paths: Paths, quarantine: Quarantine) -> str:
    """The kept checkpoint is the same adapter; without a whole one the run says that it has none any more."""
    with _standing_still(run, paths):
        metrics = reading.metrics(run)
        wanted = metrics.get("adapter_fingerprint")
        same = [f for step in journal.kept_steps(run) if wanted and not _gate(f := journal.folder_of(run, step), wanted)]
        if run.adapter.exists():
            quarantine.take(run.adapter, found)
        if same:
            journal.copy_adapter(same[0], run.adapter, str(read_json(same[0] / journal.CONFIG).get("base_model_name_or_path") or ""))
            return f"run {run.id}: its adapter is back, from the checkpoint {same[0].name} with the same fingerprint."
        write_state(run, "failed", f"Its adapter was damaged and lies in {quarantine.called(quarantine.folder)}.")
    return f"run {run.id}: its adapter lies in quarantine, and no checkpoint has the same one; start it again for a new one."


def _mend_progress(run: Run, paths: Paths, quarantine: Quarantine) -> str:
    file = run.folder / PROGRESS
    with _standing_still(run, paths):
        quarantine.replace(file, _good_lines(file), "lines that were not written to their end")
    return f"run {run.id}: {PROGRESS} mended; its other lines are as they were."
