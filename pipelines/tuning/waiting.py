"""How long a run in the queue waits for those before it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.tuning import runs
from pipelines.tuning.cost import estimate
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run


def place(run: Run, paths: Paths) -> tuple[int | None, float | None]:
    """A run's place in the queue, from 1, and about how many seconds it waits there; None where it does not wait."""
    waiting = runs.queued(paths)
    ahead = next((number for number, one in enumerate(waiting) if one.id == run.id), None)
    if ahead is None:
        return None, None
    busy = runs.active(paths)
    return ahead + 1, (left(busy, paths) if busy else 0.0) + sum(expected(one.folder, paths) for one in waiting[:ahead])


def left(run: Run, paths: Paths) -> float:
    """Seconds that a run which goes on still takes: as its trainer says, or before it says so all that was expected."""
    said = next((line["remaining"] for line in reversed(run.progress()) if isinstance(line.get("remaining"), int | float)), None)
    return expected(run.folder, paths) if said is None else float(said)


@lru_cache(maxsize=256)
def expected(folder: Path, paths: Paths) -> float:
    """Seconds that a whole run is expected to take; 0 where that can't be told."""
    run = Run(folder)
    try:
        return float(estimate.estimate(Recipe.from_dict(run.job["recipe"]), run.pairs(), paths).seconds)
    except (StudioError, OSError, ValueError, KeyError, TypeError):
        return 0.0
