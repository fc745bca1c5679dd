"""Disks that are full, may not be written, or are gone: what is said, and that nothing confirmed is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pipelines.comparing import batch as batches
from pipelines.corpus import drafts, versions
from pipelines.corpus.engine import Tools
from pipelines.corpus.steps import registry
from pipelines.endpoints.replies import FILE as REPLIES
from pipelines.endpoints.replies import Replies, Reply
from pipelines.models import adapters
from pipelines.review.store import FILE
from pipelines.tuning.training import failures, journal
from tests.faults import making
from tests.faults.fault import Fault, Scene, digest
from tests.faults.making import ballots, confirm_ballots
from tests.faults.rights import logging, said
from tests.unit.test_measuring import Host


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """The kernel refuses to make any file longer than `room` bytes, as a full disk does."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _voting(scene: Scene) -> Iterator[None]:
    made = making.review(scene)
    confirm_ballots(scene)
    log = scene.paths.reviews / f"{FILE}-wal"
    with full_disk(log.stat().st_size):
        assert "Counted" not in scene.tell(made.press)
    assert len(ballots(scene.paths)) == 3
    made.voted = 3
    yield
    scene.goes_on("the same vote counts once there is room", made.counts())


def _version(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    making.version(scene)
    draft = making.draft(scene.paths)
    scene.confirm("the draft", lambda: digest(draft.folder))
    with full_disk(700):
        scene.tell(lambda: drafts.save(draft, "too large", scene.paths), told)
    assert len(versions.available(scene.paths)) == 2 and len(list(scene.paths.datasets.iterdir())) == 1
    yield
    scene.goes_on("the version is saved once there is room", versions.load(drafts.save(draft, "now", scene.paths).name, scene.paths).rows)


def _draft(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    draft = making.draft(scene.paths)
    rows = tuple(draft.rows.rows())
    scene.confirm(
        "the draft's rows and steps", lambda: (tuple(drafts.load(draft.id, scene.paths).rows.rows()), drafts.load(draft.id, scene.paths))
    )
    with full_disk(100):
        scene.tell(lambda: drafts.apply(draft, registry.make("normalize"), Tools(scene.paths)), told)
    yield
    again = drafts.apply(draft, registry.make("normalize"), Tools(scene.paths))
    scene.kept.pop("the draft's rows and steps")
    scene.confirm("the step before", lambda: tuple(again.after(1).rows()) == rows)
    scene.goes_on("the step is done once there is room", len(again.rows) == len(rows))


def _batch(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    made = making.batch(scene)
    making.ask_batch(scene, made, stop_after=2)
    scene.confirm("4 answered questions", lambda: making.rows_of(made)[:4])
    with full_disk((made.folder / batches.ANSWERS).stat().st_size + 100):
        scene.tell(lambda: making.ask_batch(scene, made), told)
    unmended = replace(made, folder=Path(shutil.copytree(made.folder, scene.folder / made.id)))
    making.ask_batch(scene, unmended)
    assert len(unmended.turns()) == 10, "it needs no doctor to go on"
    yield
    scene.goes_on(
        "the rest is asked once there is room", "Question 0?" not in making.ask_batch(scene, made).asked and len(made.turns()) == 10
    )


def _measuring(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    making.version(scene)
    first = making.measure(scene.paths, Host())
    shutil.rmtree(scene.paths.measured)
    host = Host()
    with full_disk(600):
        scene.tell(lambda: making.measure(scene.paths, host), told)
    yield
    again = making.measure(scene.paths, Host())
    scene.goes_on("the measurement ends once there is room, with the same answers", again.answers == first.answers)


def _checkpoint(scene: Scene) -> Iterator[None]:
    run = making.run(scene, confirmed=False)
    journal.snapshot(run, run.adapter, 40, "owner/tiny")
    before = journal.folder_of(run, 40)
    scene.confirm("the checkpoints before", lambda: digest(before) + digest(journal.folder_of(run, 20)))
    with full_disk(1000):
        scene.tell(lambda: journal.snapshot(run, run.adapter, 60, "owner/tiny"), lambda error: str(failures.explain(error)))
    assert journal.kept_steps(run) == [20, 40]
    yield
    journal.snapshot(run, run.adapter, 60, "owner/tiny")
    scene.goes_on("the next checkpoint is kept", adapters.inspect(journal.folder_of(run, 60)))


def _replies(scene: Scene) -> Iterator[None]:
    making.version(scene)
    with Replies(scene.paths.replies) as store:
        store.add("paid for", Reply("a reply", False))
        scene.confirm("a stored reply", lambda: Replies(scene.paths.replies).find(["paid for"]))
        with full_disk((scene.paths.replies / f"{REPLIES}-wal").stat().st_size):
            scene.tell(lambda: store.add("another", Reply("x" * 5000, False)))
    yield
    with Replies(scene.paths.replies) as store:
        store.add("another", Reply("now", False))
        scene.goes_on("the next one is stored", store.find(["another"]))


def _log_full(scene: Scene) -> Iterator[None]:
    with logging(scene) as log:
        assert said(scene) in log.read_bytes()
        first = log.read_bytes()
        scene.confirm("what was logged before", lambda: log.read_bytes()[: len(first)])
        with full_disk(len(first)):
            assert said(scene) not in log.read_bytes()
        made = making.review(scene)
        confirm_ballots(scene)
        yield
        scene.goes_on("the next incident stands in the log", said(scene) in log.read_bytes())
        scene.goes_on("a vote counts", made.counts())


FAULTS = [
    Fault("the disk is full while somebody votes", _voting, "can't be written"),
    Fault("the disk is full while a version is saved", _version, "refused"),
    Fault("the disk is full during a step of a draft", _draft, "refused"),
    Fault("the disk is full while a batch is asked", _batch, "The answers can't be written", "the last line of answers.jsonl"),
    Fault("the disk is full during a measurement", _measuring, "refused"),
    Fault("the disk is full while a checkpoint is written", _checkpoint, "The disk is full"),
    Fault("the disk is full while an endpoint's replies are stored", _replies, "can't be used"),
    Fault("the disk is full while an incident is logged", _log_full, "look up code"),
]
