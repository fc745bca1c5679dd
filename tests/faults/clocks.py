"""Clocks that jump: nothing is deleted early, and nothing that was made later counts as older."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from unittest.mock import patch

from pipelines.corpus import drafts, versions
from pipelines.review.ballots import Box
from pipelines.review.clock import DAY, Moment
from pipelines.tuning import runs
from pipelines.tuning.run import Run
from pipelines.tuning.training import journal
from tests.faults import making
from tests.faults.fault import Fault, Scene
from tests.faults.making import confirm_ballots


class Clock:
    """A clock that somebody sets while seconds go on, and a machine that is started again. Days since 1970."""

    def __init__(self, days: float = 20_000) -> None:
        self.days, self.since_start, self.start = days, 0.0, "first"

    def __call__(self) -> float:
        return self.days * DAY

    def moment(self) -> Moment:
        return Moment(self(), self.since_start, self.start)

    def pass_by(self, seconds: float) -> None:
        self.days += seconds / DAY
        self.since_start += seconds

    def start_again(self, days: float) -> None:
        """The machine was off and shows another date now."""
        self.days, self.since_start, self.start = days, 0.0, f"{self.start} and again"


def _forwards(scene: Scene) -> Iterator[None]:
    clock = Clock()
    made = making.review(scene, clock=clock)
    confirm_ballots(scene)
    made.box.expire()
    clock.start_again(clock.days + 10 * 365)
    after = Box(scene.paths.reviews, clock)
    assert after.expire() == 0
    scene.tell(lambda: doubt.sentence if (doubt := after.doubt()) else "no doubt")
    clock.pass_by(7200)
    assert after.expire() == 0, "also hours later nothing is deleted before a person agrees"
    made.box = after
    yield
    scene.goes_on("a vote counts", made.counts())
    clock.start_again(20_001)
    assert Box(scene.paths.reviews, clock).expire() == 0
    scene.goes_on("put right, the next rater has all their days", Box(scene.paths.reviews, clock).join(made.id, True).token)
    clock.pass_by(400 * DAY)
    scene.goes_on(
        "ballots go when their days are really over", Box(scene.paths.reviews, clock).expire(confirmed=True) == 4 and not _forget(scene)
    )


def _forget(scene: Scene) -> None:
    """What was deleted because its time was over is not missed."""
    scene.kept = {"that nothing went too early": (lambda: True, True)}


def _backwards(scene: Scene) -> Iterator[None]:
    clock = Clock()
    made = making.review(scene, clock=clock)
    confirm_ballots(scene)
    made.box.expire()
    clock.start_again(3)
    made.box = Box(scene.paths.reviews, clock)
    assert made.box.expire() == 0
    scene.tell(made.press)
    yield
    scene.goes_on("a vote counts", made.counts())
    another = made.box.join(made.id, True)
    clock.start_again(20_001)
    assert Box(scene.paths.reviews, clock).expire() == 0
    scene.goes_on("put right, who joined meanwhile is still there", Box(scene.paths.reviews, clock).who(another.token))


def _files(scene: Scene) -> Iterator[None]:
    """Versions, drafts and runs, whose times are in their names and on their files."""
    making.version(scene)
    draft = making.draft(scene.paths)
    ahead = time.time() + 3 * 365 * DAY
    for file in scene.paths.root.rglob("*"):
        os.utime(file, (ahead, ahead))
    scene.confirm("the draft", lambda: drafts.load(draft.id, scene.paths).steps)
    run = making.run(scene, "20291123-000000-000-later", confirmed=False)
    runs.write_state(run, "training", pid=os.getpid())
    scene.tell(lambda: f"training: {Run(run.folder).state}")
    with patch("time.time", lambda: 3.0 * DAY):
        scene.tell(lambda: f"with the clock set back: {Run(run.folder).state}")
    yield
    runs.write_state(run, "finished")
    journal.snapshot(run, run.adapter, 40, "owner/tiny")
    with patch("time.time", lambda: 3.0 * DAY):
        saved = versions.save(making.pairs("Saved with the clock set back", 9), scene.paths)
        scene.goes_on("a version is saved", saved.name in versions.available(scene.paths))
        scene.goes_on("a draft is made", making.draft(scene.paths).steps)
        scene.goes_on("a run is listed", run.id in {one.id for one in runs.list_runs(scene.paths)} and journal.kept_steps(run) == [20, 40])


FAULTS = [
    Fault("the clock jumps ten years forwards while the studio is off", _forwards, "The clock went from"),
    Fault("the clock jumps backwards to 1970", _backwards, "Counted"),
    Fault("files from the future, and a run that trains while the clock is set back", _files, "with the clock set back: training"),
]
