"""The plug is pulled: whatever the disk was not asked to keep is gone, as on a file system that makes names before it writes contents."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipelines.comparing import batch as batches
from pipelines.comparing import comparison as comparisons
from pipelines.corpus import versions
from pipelines.models import adapters
from pipelines.tuning import runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from pipelines.tuning.training import journal
from tests.faults import making
from tests.faults.fault import Fault, Scene, digest
from tests.unit.test_measuring import Host


@contextmanager
def plugged(home: Path) -> Iterator[Callable[[], int]]:
    """Yields what pulls the plug: every file below `home` that was not waited for (fsync) is then empty. Returns how many these were.

    SQLite asks the disk by itself, past Python, so its files are left alone.
    """
    kept: set[tuple[int, int]] = set()
    real = os.fsync

    def fsync(handle: Any) -> None:
        number = handle if isinstance(handle, int) else handle.fileno()
        real(number)
        kept.add((os.fstat(number).st_ino, os.fstat(number).st_size))

    def pull() -> int:
        lost = [one for one in home.rglob("*") if one.is_file() and ".sqlite" not in one.name and one.stat().st_size]
        lost = [one for one in lost if (one.stat().st_ino, one.stat().st_size) not in kept]
        for one in lost:
            os.truncate(one, 0)
        return len(lost)

    with patch.object(os, "fsync", fsync):
        yield pull


def _saved(scene: Scene) -> Iterator[None]:
    from studio import results
    from studio.owning import Who
    from studio.tabs.reviews import owning

    me = Who("my browser")
    with plugged(scene.paths.root) as pull:
        folder = making.version(scene)
        making.version(scene, "Another")
        making.review(scene)
        making.confirm_ballots(scene)
        owning.note(scene.paths, "a review", me.mark)
        scene.confirm("whose review it is", lambda: digest(scene.paths.reviews / owning.OWNERS))
        talk = making.comparison(scene.paths)
        scene.confirm("a comparison that is kept for a link", lambda: comparisons.opened(talk.id, scene.paths))
        study = results.keep(making.measure(scene.paths, Host()), scene.paths, me)
        scene.confirm("a measured result", lambda: results.opened(study.name, scene.paths, me).answers)
        pull()
    yield
    scene.goes_on("a version is saved", versions.save(making.pairs("After it", 9), scene.paths) != folder)
    host = Host()
    scene.goes_on("what was lost of the single answers is asked again", making.measure(scene.paths, host) and host.batches)


def _batch(scene: Scene) -> Iterator[None]:
    with plugged(scene.paths.root) as pull:
        made = making.batch(scene)
        making.ask_batch(scene, made, stop_after=2)
        scene.confirm("4 answered questions of a batch", lambda: making.rows_of(made)[:4])
        scene.confirm("what it asks of whom", lambda: batches.find(made.id, scene.paths) and made.base_fingerprint)
        pull()
    yield
    making.ask_batch(scene, made)
    scene.goes_on("the batch goes on", made.state == "finished")


def _run(scene: Scene) -> Iterator[None]:
    with plugged(scene.paths.root) as pull:
        run = runs.create(making.pairs(), "chosen", Recipe(base="tiny"), scene.paths)
        source = making.run(scene, "another", confirmed=False)
        journal.snapshot(run, source.adapter, 20, "owner/tiny")
        journal.copy_adapter(journal.folder_of(run, 20), run.adapter, "owner/tiny")
        scene.confirm("the run's rows", run.pairs)
        scene.confirm("its checkpoint", lambda: adapters.inspect(journal.folder_of(run, 20)).fingerprint)
        scene.confirm("its adapter", lambda: adapters.inspect(run.adapter).fingerprint)
        runs.write_state(run, "finished")
        scene.confirm("that it has finished", lambda: Run(run.folder).state)
        shutil.rmtree(source.folder)  # made by hand, and by no studio
        pull()
    yield
    scene.goes_on("a new run is made", runs.create(making.pairs(), "rejected", Recipe(base="tiny"), scene.paths).pairs())


FAULTS = [
    Fault("the plug is pulled after things were called saved", _saved, "", "kept answer"),
    Fault("the plug is pulled while a batch is asked", _batch),
    Fault("the plug is pulled after a run has finished", _run),
]
