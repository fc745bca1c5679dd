"""kill -9 of the studio at each change to the disk that a piece of work makes: saving, a step, a batch, a measurement, a checkpoint, a run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from pipelines.comparing import batch as batches
from pipelines.corpus import drafts, versions
from pipelines.models import adapters
from pipelines.paths import PROJECT
from pipelines.tuning import runs
from pipelines.tuning.run import Run
from pipelines.tuning.training import journal
from tests.faults import crashing, making
from tests.faults.fault import Fault, Scene, diagnosis, digest, repaired
from tests.unit.test_measuring import Host

LOOKED_AT = 3  # homes of killed studios to which the doctor comes


def killed(scene: Scene, act: str, most: int = 12) -> list[Scene]:
    """What was left after each kill; the first is of the kill before the first change, the last of the one before the last."""
    folder = scene.folder / "crashes"
    shutil.copytree(scene.paths.root, folder / "template" / "home")
    if (scene.folder / "left").exists():
        shutil.copytree(scene.folder / "left", folder / "template" / "left")
    command = [sys.executable, "-c", "from tests.faults.crashing import main; main()", act, str(folder), str(most)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    left = [Scene(one) for one in sorted(folder.glob("[0-9]*"))]
    assert len(left) == min(most, int(done.stdout)) > 3, done.stdout
    scene.said.append(f"(killed before {len(left)} of its {int(done.stdout)} changes to the disk)")
    return left


def went_on(scene: Scene, left: list[Scene], act: str, same: Callable[[Scene], Any], confirmed: Callable[[Scene], Any]) -> None:
    """Everywhere what was confirmed is there, also after the doctor, and the work done again gives what it gives where nobody is killed."""
    wanted = same(Scene(scene.folder / "crashes" / "whole"))
    for number, one in enumerate(left):
        before = confirmed(one)
        assert before and before == confirmed(Scene(scene.folder / "crashes" / "template")), f"lost by the kill in {one.folder.name}"
        if number % (len(left) // LOOKED_AT) == 0:
            repaired(one.paths)
            assert not diagnosis(one.paths), one.folder.name
            assert confirmed(one) == before, f"lost by the doctor in {one.folder.name}"
        crashing.ACTS[act](one)
        assert same(one) == wanted, one.folder.name
    scene.goes_on(f"done again it ends as if nobody had been killed, after each of {len(left)} kills", wanted)


def adopt(scene: Scene, one: Scene) -> None:
    """Makes what was left after one kill the studio that the doctor comes to."""
    shutil.rmtree(scene.paths.root)
    shutil.copytree(one.paths.root, scene.paths.root)


def _version(scene: Scene) -> Iterator[None]:
    making.version(scene)
    left = killed(scene, "save_version")
    for one in left:
        assert all(versions.load(name, one.paths).rows for name in versions.available(one.paths)), "a half version is offered"
    adopt(scene, left[len(left) // 2])
    yield

    def rows(one: Scene) -> Any:
        return [versions.load(name, one.paths).hash for name in sorted(versions.available(one.paths))]

    went_on(scene, left, "save_version", rows, lambda one: digest(next(one.paths.datasets.glob("my-pairs-*"))))


def _over(scene: Scene) -> Iterator[None]:
    making.version(scene)
    left = killed(scene, "write_over")
    scene.kept.clear()  # of a version that is written over one of the two is there, at each moment
    wanted = making.pairs().hash
    scene.confirm(
        "the version's rows", lambda: [versions.load(name, scene.paths).hash for name in versions.available(scene.paths)[1:]] == [wanted]
    )
    adopt(scene, left[len(left) // 2])
    yield

    def rows(one: Scene) -> Any:
        (name,) = versions.available(one.paths)[1:]
        return versions.load(name, one.paths).hash

    went_on(scene, left, "write_over", rows, rows)


def _between(scene: Scene) -> Iterator[None]:
    folder = making.version(scene)
    making.run(scene)
    scene.lost.add("the version My pairs")
    folder.rename(folder.with_name(f".{folder.name}.0123abcd.old"))
    scene.tell(lambda: versions.load(folder.name, scene.paths))
    yield
    scene.goes_on("it is written over", versions.save(replace(making.pairs(), details={"license": "cc0-1.0"}), scene.paths) == folder)
    scene.kept.pop("the version My pairs")


def _step(scene: Scene) -> Iterator[None]:
    draft = making.draft(scene.paths)
    scene.confirm("the draft's rows", lambda: tuple(drafts.load(draft.id, scene.paths).after(1).rows()))
    left = killed(scene, "apply_step")
    adopt(scene, left[-2])
    yield

    def after(one: Scene) -> Any:
        found = drafts.load(draft.id, one.paths)
        return [tuple(found.after(number).rows()) for number in (1, 2)], [step.key for step in found.steps[:2]]

    went_on(scene, [one for one in left if len(drafts.load(draft.id, one.paths).steps) == 1], "apply_step", after,
            lambda one: tuple(drafts.load(draft.id, one.paths).after(1).rows()))  # fmt: skip


def _batch(scene: Scene) -> Iterator[None]:
    made = making.batch(scene)
    making.ask_batch(scene, made, stop_after=2)
    scene.confirm("4 rows of the batch", lambda: making.rows_of(made)[:4])
    left = killed(scene, "ask_batch")
    adopt(scene, left[-1])
    yield

    def turns(one: Scene) -> Any:
        found = batches.find(made.id, one.paths)
        return found.state, [turn for _, turn in found.turns()]

    def rows(one: Scene) -> Any:
        return making.rows_of(replace(made, folder=one.paths.batches / made.id))[:4]

    went_on(scene, left, "ask_batch", turns, rows)


def _measurement(scene: Scene) -> Iterator[None]:
    making.version(scene)
    left = killed(scene, "measure", most=8)
    files = [len(list(one.paths.measured.rglob("*.json"))) for one in left]
    assert files == sorted(files) and files[-1] > files[0], "what was answered is kept as it comes"
    adopt(scene, left[len(left) // 2])
    yield

    def measured(one: Scene) -> Any:
        host = Host()
        study = making.measure(one.paths, host)
        return study.answers, study.completions, study.survey, host.batches, host.read

    went_on(scene, left, "measure", measured, lambda one: digest(one.paths.datasets))
    *_, batches_asked, read = measured(left[0])
    scene.goes_on("nothing is asked twice", not batches_asked and not read)


def _checkpoint(scene: Scene) -> Iterator[None]:
    run = making.run(scene, confirmed=False)
    scene.confirm("the adapter and the checkpoint before", lambda: digest(run.adapter) + digest(journal.folder_of(run, 20)))
    left = killed(scene, "keep_checkpoint")
    for one in left:
        own = Run(one.paths.runs / run.id)
        assert all(adapters.inspect(journal.folder_of(own, step)) for step in journal.kept_steps(own)), "a half checkpoint is offered"
    adopt(scene, left[-1])
    yield

    def kept(one: Scene) -> Any:
        own = Run(one.paths.runs / run.id)
        return [(step, digest(journal.folder_of(own, step))) for step in journal.kept_steps(own)]

    went_on(scene, left, "keep_checkpoint", kept, lambda one: digest(one.paths.runs / run.id / "adapter"))


def _beginning(scene: Scene) -> Iterator[None]:
    making.run(scene)
    left = killed(scene, "begin_run")
    for one in left:
        assert {found.state for found in runs.list_runs(one.paths)} <= {"finished", "waiting", "queued"}
        assert all(found.pairs() for found in runs.list_runs(one.paths) if found.id != "run-1"), "a half run is offered"
    adopt(scene, left[-1])
    yield
    went_on(scene, left, "begin_run", _queued, lambda one: digest(one.paths.runs / "run-1"))


def _queued(scene: Scene) -> Any:
    return "queued" in {run.state for run in runs.list_runs(scene.paths)}


FAULTS = [
    Fault("kill -9 of the studio while a version is saved", _version, "killed before"),
    Fault("kill -9 of the studio while a version is written over", _over, "killed before"),
    Fault(
        "a version was moved aside, and the studio died before the new one had its name",
        _between,
        "There is no data set version",
        "my-pairs",
    ),
    Fault("kill -9 of the studio during a step of a draft", _step, "killed before"),
    Fault("kill -9 of the studio while a batch is asked", _batch, "killed before"),
    Fault("kill -9 of the studio during a measurement", _measurement, "killed before"),
    Fault("kill -9 of a process that keeps a checkpoint", _checkpoint, "killed before"),
    Fault("kill -9 of the studio while a run is begun", _beginning, "killed before"),
]
