"""Runs the curation steps whose rows do not depend on each other on Ray Data, over the same Parquet shards as engine.py.

A worker reads a shard, does the step's own work and writes the shard's result as the local engine would: so the result is
equal row for row, and what one engine began the other can finish. All machines must see the studio's folder under the same
path (a shared drive) and have the studio installed. Steps that need all rows in order run here, as always.
"""

from __future__ import annotations

import copy
import logging
import os
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from pipelines.corpus.engine import DONE, Result, Step, Tools, Work, check_settings, count_file, finish, run, store
from pipelines.corpus.shards import Shards, read
from pipelines.errors import Cancelled, StudioError
from pipelines.paths import PROJECT, Paths
from pipelines.stance.embedding import Embedder

OBJECT_STORE = 200_000_000
EXTRA = "pip install -r requirements-ray.txt"
QUIET: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
SPREADABLE = ("normalize", "mask", "language", "length", "spam", "annotate", "weak")
_KEPT: dict[Path, Work] = {}


class Job(NamedTuple):
    """What a worker needs to know. `ruler` comes without its embedding model, which every worker loads for itself."""

    step: Step
    source: Shards
    target: Path
    paths: Paths
    ruler: Any
    embedder: Any


def run_on_ray(step: Step, source: Shards, target: Path, tools: Tools, address: str | None = None) -> Result:
    """engine.run on Ray: on the cluster at `address`, or on a local one that ends with this process.

    Raises Cancelled where a person stopped it (finished shards stay), StudioError where Ray is missing, can't be reached
    or a worker failed.
    """
    if not spreads(step) or (target / DONE).is_file():
        return run(step, source, target, tools)
    check_settings(step)
    ray = connect(address)
    target.mkdir(parents=True, exist_ok=True)
    started, files = monotonic(), source.files
    parts = [{"number": n, "file": str(file)} for n, file in enumerate(files) if not count_file(target, n).is_file()]
    done = len(files) - len(parts)
    try:
        for one in _results(ray, parts, _job(step, source, target, tools)):
            if one["error"]:
                raise StudioError(one["error"], one["hint"])
            done += 1
            tools.progress(done / len(files), f"{step.label} on Ray: {done} of {len(files)} parts")
            if tools.cancelled() and done < len(files):
                raise Cancelled
    except ray.exceptions.RayError as error:
        raise StudioError(
            f"Ray stopped at “{step.label}” ({_cause(error)}).", "Start it again: the parts that are finished are kept."
        ) from error
    return finish(len(files), target, monotonic() - started)


def spreads(step: Step) -> bool:
    """Whether a step can be spread: not where it needs all rows in order, nor where it asks a model that only this process
    holds, or an endpoint: its key stays here, and more machines would only pass the bound on calls at a time.
    """
    return step.per_row and step.key in SPREADABLE and getattr(step, "annotator", "offline") == "offline"


def connect(address: str | None = None, processors: int | None = None) -> Any:
    """The library, connected to a cluster; a local one has all of this machine's processors, or as many as given.

    Nothing is reported to Ray's makers. Raises StudioError where it is not installed or the cluster can't be reached.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise StudioError("Ray is not installed.", f"Install it with: {EXTRA}") from error
    local = {"address": "local", "num_cpus": processors, "include_dashboard": False, "object_store_memory": OBJECT_STORE}
    try:
        if not ray.is_initialized():
            ray.init(**QUIET, **({"address": address} if address else local), runtime_env={"env_vars": {"PYTHONPATH": str(PROJECT)}})
    except (ConnectionError, OSError, ValueError, RuntimeError) as error:
        where = f"the Ray cluster at {address}" if address else "a local Ray"
        raise StudioError(f"Could not connect to {where} ({error}).", "Check the address, or leave it out to use this machine.") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.enable_operator_progress_bars = False
    return ray


def _job(step: Step, source: Shards, target: Path, tools: Tools) -> Job:
    source, target = Shards(source.folder.resolve(), source.prefix), target.resolve()
    if tools.ruler is None:
        return Job(step, source, target, tools.paths, None, None)
    ruler = copy.copy(tools.ruler)
    ruler.embedder = None
    return Job(step, source, target, tools.paths, ruler, tools.ruler.embedder.source)


def _results(ray: Any, parts: list[dict[str, Any]], job: Job) -> Any:
    """What the workers say of each part, as they finish."""
    if not parts:
        return []
    dataset = ray.data.from_items(parts, override_num_blocks=len(parts))
    return dataset.map(partial(_work, job)).iter_rows()


def _work(job: Job, part: dict[str, Any]) -> dict[str, Any]:
    """One shard, in a process of Ray. What a person can mend is said, not raised: Ray would try it again and wrap it up."""
    try:
        rows = read(Path(part["file"]))
        store(rows, _started(job)(rows), job.target, part["number"])
    except StudioError as error:
        return {**part, "error": error.message, "hint": error.hint}
    return {**part, "error": "", "hint": ""}


def _started(job: Job) -> Work:
    """The step's work. A process of Ray does many parts and keeps it, with the models it loaded, until another step comes."""
    if job.target not in _KEPT:
        _KEPT.clear()
        if job.ruler is not None:
            job.ruler.embedder = Embedder(job.paths)
            job.ruler.embedder.source = job.embedder
        _KEPT[job.target] = job.step.start(Tools(job.paths, ruler=job.ruler), job.source)
    return _KEPT[job.target]


def _cause(error: BaseException) -> str:
    """The innermost error's kind and first line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {str(error).strip().splitlines()[-1] if str(error).strip() else ''}"[:300]
