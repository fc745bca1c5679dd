"""The training process of one run: `python -m pipelines.tuning.training.trainer RUN_FOLDER`.

Reads job.json and data.jsonl, writes progress as it goes, goes on from the last checkpoint where there is one, and
ends with adapter/, metrics.json and card.md - or with a sentence in state.json that says why not. Then it starts the
next run of the queue.
"""

from __future__ import annotations

import math
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pipelines import incidents
from pipelines.errors import StudioError
from pipelines.models.cores import Cores
from pipelines.paths import Paths
from pipelines.stance.embedding import Embedder
from pipelines.stance.ruler import Ruler
from pipelines.tuning import parts, runs
from pipelines.tuning.parts import Part
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run, reserve, write_state
from pipelines.tuning.training import engines, failures, journal
from pipelines.tuning.training.ending import finish
from pipelines.tuning.training.journal import Journal
from pipelines.tuning.training.material import Material, load, with_adapter
from pipelines.tuning.training.probe import Probe
from pipelines.tuning.training.processes import is_main, shared
from pipelines.tuning.training.watcher import Watch, callback

POLITE = 10  # of 19: beside a page that wants the cores, about a tenth of them


def main(folder: str) -> int:
    """Trains one run, then lets the queue go on; the exit code is 0 where an adapter was saved."""
    run, paths = Run(Path(folder)), Paths.from_environment()
    try:
        return guarded(run, paths)
    finally:
        runs.advance(paths)


def guarded(run: Run, paths: Paths) -> int:
    """Trains one run; whatever ends it is noted in its state. 0 where an adapter was saved. One process alone may write into a folder."""
    from filelock import FileLock, Timeout

    alone = FileLock(run.folder / ".training.lock") if is_main() else nullcontext()
    try:
        with alone.acquire(timeout=0) if isinstance(alone, FileLock) else alone:
            return _guarded(run, paths)
    except Timeout:
        print("Another process trains this run already.", flush=True)
        return 1


def _guarded(run: Run, paths: Paths) -> int:
    try:
        if is_main():
            write_state(run, "starting")
            reserve(run)
        train(run, paths)
        return 0
    except Exception as error:  # the last words of a process whose only reader is state.json
        code = "" if isinstance(error, StudioError) else incidents.note(error, "training")
        if is_main():
            write_state(run, "failed", str(failures.explain(error, code)))
    return 1


def train(run: Run, paths: Paths) -> None:
    """Runs the whole job. Raises StudioError where the data or the base can't be used."""
    recipe = Recipe.from_dict(run.job["recipe"])
    log = Journal(run)
    log.write(event="stage", text="Loading the model")
    material = load(run, recipe, paths)
    log.write(event="data", rows=len(material.pairs), too_long=material.too_long)
    plan = parts.plan(recipe, len(material.pairs))
    total = sum(part.steps for part in plan)
    watch = Watch(
        run, log, _probe(run, recipe, material, log, paths), recipe, total, material.source.public_id, Cores(paths.root, "training")
    )
    with watch.cores.held():
        _train(run, recipe, material, plan, watch, log)
    if is_main():
        finish(run, recipe, material, watch)


def _train(run: Run, recipe: Recipe, material: Material, plan: list[Part], watch: Watch, log: Journal) -> None:
    """All parts that are not done yet, and the looks before and after."""
    _first_look(watch, material)
    watch.ending = shared(_decided(run, log))
    model = None
    for part in plan:
        if watch.ending:
            break
        if part.last_step not in shared(journal.kept_steps(run)):
            model = None  # two bases at once would double the memory
            model = _train_part(run, part, plan, recipe, material, watch, log)
    _last_look(run, watch, model, recipe, material)


def _probe(run: Run, recipe: Recipe, material: Material, log: Journal, paths: Paths) -> Probe:
    ruler = None
    if recipe.ruler and is_main():
        log.write(event="stage", text="Making the ruler ready")
        ruler = Ruler(Embedder(paths))
    return Probe(material.base, recipe, material.pairs, run.job["sample_question"], ruler)


def _first_look(watch: Watch, material: Material) -> None:
    """How the base answers; where a run goes on, what was seen before the first step still counts."""
    seen = shared(watch.log.probes())
    if seen:
        watch.probe.remember(seen[0])
    else:
        watch.log.write(event="stage", text="Asking the base the sample questions")
        watch.look(material.base.model, 0)
        if not shared(math.isfinite(watch.probe.first_perplexity or math.nan)):
            raise StudioError("The base gives no numbers for plain text.", "Its weights are damaged: use another copy of the model.")


def _decided(run: Run, log: Journal) -> str:
    """Why an earlier process had ended the training, where it could not finish; "" where it had not."""
    ends = [line for line in journal.standing(run.progress()) if line.get("event") == "end"]
    return str(ends[-1]["why"]) if ends and ends[-1]["step"] in journal.kept_steps(run) else ""


def _train_part(run: Run, part: Part, plan: list[Part], recipe: Recipe, material: Material, watch: Watch, log: Journal) -> Any:
    """Trains one part, from its last checkpoint where there is one, and returns the model."""
    model = material.base.model if part.number == 1 else with_adapter(run, part.offset, material, recipe)
    folder = run.folder / "resume" / f"part-{part.number}"
    log.write(event="stage", text="Preparing the rows")
    trainer = engines.build(recipe, part, model, material.base.tokenizer, material.pairs, folder, [callback(watch, part)])
    checkpoint = journal.latest(folder)
    begun = part.offset + (int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0)
    if is_main():
        journal.forget_after(run, begun)
    log.write(event="begin", step=begun, total=watch.total, phases=[{"method": one.method, "steps": one.steps} for one in plan])
    if is_main():
        write_state(run, "training")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return trainer.model


def _last_look(run: Run, watch: Watch, model: Any, recipe: Recipe, material: Material) -> None:
    """How the model answers in the end; where an earlier process did the last step, its adapter is loaded for that."""
    steps, seen = shared((journal.kept_steps(run), watch.log.probes()))
    if steps and seen[-1]["step"] != steps[-1]:
        watch.look(with_adapter(run, steps[-1], material, recipe) if model is None else model, steps[-1])


def give_way() -> None:
    """Lets whoever looks at a page, or asks a model, go first; absolute, since one trainer starts the next one."""
    if hasattr(os, "nice"):
        os.nice(max(0, POLITE - os.nice(0)))


if __name__ == "__main__":
    give_way()
    sys.exit(main(sys.argv[1]))
