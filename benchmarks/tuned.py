"""A run of a benchmark: made by the studio's own trainer, gone on with where it was interrupted, and stripped of what only a page needs."""

from __future__ import annotations

import shutil
import time

from pipelines.corpus.versions import Dataset
from pipelines.paths import Paths
from pipelines.tuning import runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import ACTIVE, Run

LEFTOVERS = ("checkpoints", "resume", "trainer.log", "reserve")


def finished(run: Run, dataset: Dataset, side: str, recipe: Recipe, paths: Paths) -> Run:
    """The run in that folder, trained to its end in a process of its own. SystemExit where it does not get there."""
    if not run.readable or run.state == "failed":
        run = runs.create(dataset, side, recipe, paths, target=run.folder)
    if run.state not in (*runs.USABLE, *ACTIVE):
        runs.launch(run, paths).wait()
    while run.state in ACTIVE:  # left behind by a benchmark that was ended
        time.sleep(1)
    runs.forget(run, paths)
    if run.state != "finished":
        raise SystemExit(f"{run.folder.name}: {run.state}. {run.message}")
    for leftover in LEFTOVERS:
        target = run.folder / leftover
        shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
    return run
