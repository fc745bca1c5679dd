"""`main()` with the arguments ACT FOLDER MOST kills a piece of work at each of its changes to the disk, every time in a copy of its own.

FOLDER/template/home is the STUDIO_HOME before the work. FOLDER/NN/home is what was left of it after kill -9 just before change NN, for at
most MOST changes, evenly spread. FOLDER/whole/home is what comes of the work where nobody kills it. Prints the number of changes.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from pipelines.comparing import batch as batches
from pipelines.corpus import drafts, versions
from pipelines.corpus.engine import Tools
from pipelines.corpus.steps import registry
from pipelines.tuning import runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from pipelines.tuning.training import journal
from tests.faults import making
from tests.faults.fault import Scene
from tests.unit.test_measuring import Host

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.chmod"}
MODULES = "modules.txt"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def save_version(scene: Scene) -> None:
    versions.save(making.pairs("Second", 8), scene.paths)


def write_over(scene: Scene) -> None:
    dataset = making.pairs()
    versions.save(replace(dataset, details={"license": "cc0-1.0"}), scene.paths)


def apply_step(scene: Scene) -> None:
    (draft,) = (drafts.load(name, scene.paths) for name, _ in drafts.recent(scene.paths, 9))
    drafts.apply(draft, registry.make("normalize"), Tools(scene.paths))


def ask_batch(scene: Scene) -> None:
    making.ask_batch(scene, batches.list_batches(scene.paths)[0])


def measure(scene: Scene) -> None:
    making.measure(scene.paths, Host())


def keep_checkpoint(scene: Scene) -> None:
    run = Run(scene.paths.runs / "run-1")
    journal.snapshot(run, run.adapter, 40, "owner/tiny")


def begin_run(scene: Scene) -> None:
    run = runs.create(making.pairs("Second", 8), "chosen", Recipe(base="tiny"), scene.paths)
    runs.write_state(run, "queued", place=1)


ACTS: dict[str, Callable[[Scene], None]] = {
    one.__name__: one for one in (save_version, write_over, apply_step, ask_batch, measure, keep_checkpoint, begin_run)
}


def changes(act: Callable[[Scene], None], folder: Path, last: int) -> int:
    """Does the work in a process of its own, which dies just before its change number `last` (0: never). Returns how many it made."""
    shutil.copytree(folder.parent / "template", folder)
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        with os.fdopen(reader, "rb") as told:
            made = len(told.read())
        _, status = os.waitpid(child, 0)
        assert last or status == 0, f"the work failed by itself ({status})"
        return made
    home = str(folder)
    seen = 0

    def watch(event: str, args: tuple[Any, ...]) -> None:
        nonlocal seen
        writes = event in CHANGES or (event == "open" and isinstance(args[2], int) and args[2] & WRITING)
        if not writes or not str(args[0]).startswith(home):
            return
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(writer, b".")

    sys.addaudithook(watch)
    try:
        act(Scene(folder))
        if not last:
            (folder / MODULES).write_text("\n".join(sys.modules))
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def main() -> None:
    act, folder, most = ACTS[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3])
    made = changes(act, folder / "whole", 0)
    for name in (folder / "whole" / MODULES).read_text().split("\n"):
        with suppress(ImportError):
            import_module(name)  # else each of the many processes would
    for place in sorted({1 + round(number * (made - 1) / (min(most, made) - 1)) for number in range(min(most, made))}):
        changes(act, folder / f"{place:04d}", place)
    print(made)
