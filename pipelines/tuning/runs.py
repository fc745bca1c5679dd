"""Making, finding and starting runs. A run that can't start yet waits in a queue; whoever ends one starts the next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.corpus.versions import Dataset, slug
from pipelines.entries import is_torn, shown
from pipelines.errors import StudioError
from pipelines.paths import PROJECT, Paths, atomic_folder, content_hash, refuse_strangers, write_json, write_text
from pipelines.records import Pair
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import ACTIVE, USABLE, Run, State, write_state

__all__ = ["ACTIVE", "USABLE", "Run", "State", "write_state"]
PACKAGES = ("torch", "transformers", "peft", "trl")
DEFAULT_SAMPLE = "Should the government do more to help people with low incomes?"
LOCK_SECONDS = 30
LONGEST_SAMPLE = 600
USUAL_THREADS = "STUDIO_USUAL_THREADS"


def create(
    dataset: Dataset,
    side: str,
    recipe: Recipe,
    paths: Paths,
    sample: str = DEFAULT_SAMPLE,
    target: Path | None = None,
    group: dict[str, Any] | None = None,
) -> Run:
    """Writes a run folder, ready to be started.

    Raises StudioError where the data has no such side, or the sample question can't be asked.
    """
    about = {"name": dataset.name, "kind": dataset.kind, "hash": dataset.hash}
    return write(dataset.pairs(side, recipe.seed), side, about, recipe, paths, sample, target, group)


def write(
    pairs: Sequence[Pair],
    side: str,
    data: dict[str, Any],
    recipe: Recipe,
    paths: Paths,
    sample: str = DEFAULT_SAMPLE,
    target: Path | None = None,
    group: dict[str, Any] | None = None,
) -> Run:
    """The same for pairs that are at hand. `settings_hash` names all but data and seed, `prompts_hash` the questions alone."""
    if is_torn(sample) or len(sample) > LONGEST_SAMPLE:
        raise StudioError("The sample question is too long or holds half a character.", f"At most {LONGEST_SAMPLE} characters are asked.")
    now = datetime.now(UTC)
    folder = (target or paths.runs / f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}-{slug(data['name'])}-{side}").resolve()
    versions = _versions()
    job = {
        "created": now.isoformat(timespec="seconds"),
        "side": side,
        "data": {**data, "rows": len(pairs)},
        "recipe": recipe.as_dict(),
        "recipe_hash": recipe.hash,
        "settings_hash": content_hash([{**recipe.as_dict(), "seed": "any"}, versions, sample]),
        "prompts_hash": content_hash([pair.prompt for pair in pairs]),
        "rows_hash": content_hash([asdict(pair) for pair in pairs]),
        "base": recipe.base,
        "sample_question": sample,
        "group": group,
        "versions": versions,
    }
    refuse_strangers(folder, "job.json")
    with atomic_folder(folder) as temporary:
        write_json(temporary / "job.json", job)
        write_text(temporary / "data.jsonl", "".join(json.dumps(asdict(pair), ensure_ascii=False) + "\n" for pair in pairs))
    return Run(folder)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"python": sys.version.split()[0], **{name: version(name) for name in PACKAGES}}


def launch(run: Run, paths: Paths, threads: int | None = None) -> subprocess.Popen[bytes]:
    """Starts the training process of a run (again, where it was interrupted); it outlives the page.

    Raises StudioError where another run is training: two at once on a few cores are five times slower each.
    """
    with _locked(paths):
        refuse_if_busy(paths)
        if run.state != "queued":
            _refuse_begun(run)
        return _start(run, paths, threads)


def _locked(paths: Paths) -> Any:
    from filelock import FileLock

    paths.runs.mkdir(parents=True, exist_ok=True)
    return FileLock(paths.runs / ".launch.lock", timeout=LOCK_SECONDS)


def _start(run: Run, paths: Paths, threads: int | None = None) -> subprocess.Popen[bytes]:
    note_outside(run, paths)
    (run.folder / "stop").unlink(missing_ok=True)
    environment = {
        **os.environ,
        "STUDIO_HOME": str(paths.root),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH")))),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    environment.setdefault("CUDA_VISIBLE_DEVICES", "0")  # one process: TRL refuses to share one out to several cards by itself
    _set_threads(environment, threads)
    with (run.folder / "trainer.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.tuning.training.trainer", str(run.folder)],
            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=PROJECT, env=environment, start_new_session=True,
        )  # fmt: skip
    try:
        write_state(run, "starting", pid=process.pid)
    except OSError:
        process.kill()
        process.wait()
        raise
    return process


def _set_threads(environment: dict[str, str], threads: int | None) -> None:
    """A number of threads that is asked for one run is not passed on to those that its trainer starts after it."""
    usual = environment.pop(USUAL_THREADS, None)
    if usual is not None:
        environment["OMP_NUM_THREADS"] = usual
        if not usual:
            del environment["OMP_NUM_THREADS"]
    if threads:
        environment[USUAL_THREADS] = environment.get("OMP_NUM_THREADS", "")
        environment["OMP_NUM_THREADS"] = str(threads)


def enqueue(wanted: Sequence[Run], paths: Paths) -> None:
    """Puts runs at the end of the queue, in this order, and starts the first one if nothing trains.

    Raises StudioError where one of them trains, waits already or has ended: two processes would write into one folder.
    """
    with _locked(paths):
        for run in wanted:
            _refuse_begun(run)
        last = max([run.written.get("place", 0) for run in queued(paths)], default=0)
        for place, run in enumerate(wanted, last + 1):
            note_outside(run, paths)
            write_state(run, "queued", place=place)
    advance(paths)


def _refuse_begun(run: Run) -> None:
    state = run.state
    if state in (*ACTIVE, "queued"):
        raise StudioError("This run goes on already." if state in ACTIVE else "This run is in the queue already.", "Nothing was changed.")
    if state in USABLE:
        raise StudioError("This run has ended already.", "Start a new one.")
    if (run.folder / "remote.json").is_file():
        raise StudioError("This run was sent to another machine.", "Start a new one, here or there.")


def queued(paths: Paths) -> list[Run]:
    """Runs that wait for their turn, the next one first."""
    waiting = [run for run in list_runs(paths) if run.state == "queued"]
    return sorted(waiting, key=lambda run: run.written.get("place", 0))


def advance(paths: Paths) -> Run | None:
    """Starts the next run of the queue if nothing trains. Called by a trainer at its end, and by every page that looks."""
    if not queued(paths):
        return None
    with _locked(paths):
        if active(paths):
            return None
        for run in queued(paths):
            try:
                _start(run, paths)
                return run
            except StudioError as error:
                write_state(run, "failed", f"It could not be started: {error}")
            except OSError as error:
                with suppress(OSError):  # where the disk is full there is no room for this word either
                    write_state(run, "failed", f"It could not be started: {error.strerror or error}")
                return None
    return None


def unqueue(run: Run, paths: Paths) -> None:
    """Takes a run out of the queue; it can be started later. Nothing happens to one that has begun."""
    with _locked(paths):
        if run.state == "queued":
            write_state(run, "waiting")


def refuse_if_busy(paths: Paths) -> None:
    """Raises StudioError where a run is training."""
    busy = active(paths)
    if busy:
        raise StudioError(f"A run is training already ({busy.title}).", "Wait until it ends or stop it, then start again.")


def note_outside(run: Run, paths: Paths) -> None:
    """A run that was given a folder of its own is remembered, so that it counts as training and can be listed."""
    if run.folder.resolve().parent != paths.runs.resolve():
        write_text(_marker(run, paths), str(run.folder))


def forget(run: Run, paths: Paths) -> None:
    """Takes a run with a folder of its own off the list; its folder stays."""
    _marker(run, paths).unlink(missing_ok=True)


def _marker(run: Run, paths: Paths) -> Path:
    return paths.runs / f"{run.id}-{content_hash(str(run.folder))[:8]}.elsewhere"


def list_runs(paths: Paths) -> list[Run]:
    """All runs whose job can be read, newest first."""
    inside = [f for f in paths.runs.glob("*") if not f.name.startswith(".")]
    outside = [Path(f.read_text(encoding="utf-8", errors="replace")) for f in paths.runs.glob("*.elsewhere")]
    folders = [f for f in inside + outside if Run(f).readable]
    return [Run(folder) for folder in sorted(folders, key=lambda f: f.name, reverse=True)]


def active(paths: Paths) -> Run | None:
    """The run that is training on this machine now."""
    return next((run for run in list_runs(paths) if run.state in ACTIVE and not run.written.get("remote")), None)


def find(run_id: str, paths: Paths) -> Run:
    """The run of that id. Raises StudioError where there is none."""
    run = next((run for run in list_runs(paths) if run.id == run_id), None)
    if run is None:
        raise StudioError(f"There is no run called “{shown(run_id)}”.", "`python -m pipelines runs` lists them.")
    return run


def usable(runs: Sequence[Run]) -> list[Run]:
    """Runs that have an adapter to compare with the base."""
    return [run for run in runs if run.state in USABLE and (run.adapter / "adapter_config.json").is_file()]
