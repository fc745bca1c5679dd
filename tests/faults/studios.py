"""Two studios on one STUDIO_HOME, and what one of them leaves when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from pipelines.paths import PROJECT
from pipelines.review.ballots import Box
from pipelines.tuning import runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from tests.faults import fake_trainer, making
from tests.faults.fault import Fault, Scene
from tests.faults.folders import services
from tests.faults.making import PROTOCOL, ballots, confirm_ballots

VOTING = """
import sys
from pathlib import Path
from pipelines.review.ballots import Box
from pipelines.review.protocol import shown
box = Box(Path(sys.argv[1]))
while True:
    one = box.join(sys.argv[2], True)
    for item in shown(box.review(sys.argv[2]), one.token):
        box.vote(sys.argv[2], one.token, item.item_id, {"economy": "B", "social": "B", "writing": "B"}, "from the other studio")
        print(box.who(one.token)[1], item.item_id, flush=True)
"""
TRAINING = """
import sys
from pathlib import Path
from pipelines.paths import Paths
from pipelines.tuning import runs
from pipelines.tuning.run import Run
home, folder, sys.executable = sys.argv[1:]
runs.enqueue([Run(Path(folder))], Paths(Path(home)))
print("begun", flush=True)
sys.stdin.read()
"""


@contextmanager
def other_studio(code: str, *values: str) -> Iterator[subprocess.Popen[str]]:
    """Another studio's process, which is killed at the latest at the end."""
    command = [sys.executable, "-c", code, *values]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def until(happened: Callable[[], bool], what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"it did not happen in time: {what}"
        time.sleep(0.02)


def _voting(scene: Scene) -> Iterator[None]:
    made = making.review(scene)
    with other_studio(VOTING, str(scene.paths.reviews), made.id) as other:
        assert other.stdout
        told = [other.stdout.readline().split()]
        for _ in range(10):
            assert "Counted" in made.press()
            told.append(other.stdout.readline().split())
        other.send_signal(signal.SIGKILL)
        told += [line.split() for line in other.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    there = ballots(scene.paths)
    assert {(int(number), item) for number, item in told} <= set(there), "a ballot that the other studio called counted is gone"
    assert 13 + len(told) <= len(there) <= 13 + len(told) + 1, "a ballot was doubled, or counted though nobody was told"
    confirm_ballots(scene)
    scene.tell(lambda: f"{len(told)} ballots were called counted by the studio that was killed; {made.press()}")
    yield
    scene.goes_on("the studio that is left counts a vote", made.counts())
    scene.goes_on("a third one joins", Box(scene.paths.reviews).join(made.id, True).token and PROTOCOL.items)


@contextmanager
def fake_training(scene: Scene) -> Iterator[str]:
    """Trainers are stand-ins here; all that are left are killed at the end. Yields what stands in for Python."""
    script = scene.folder / "python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{fake_trainer.__file__}" "$@"\n')
    script.chmod(0o755)
    try:
        with patch.object(sys, "executable", str(script)):
            yield str(script)
    finally:
        for run in runs.list_runs(scene.paths):
            if run.state in runs.ACTIVE:
                os.kill(run.written["pid"], signal.SIGKILL)


def new_run(scene: Scene) -> Run:
    time.sleep(0.002)  # runs are named by the millisecond
    return runs.create(making.pairs(), "chosen", Recipe(base="tiny"), scene.paths)


def _training(scene: Scene) -> Iterator[None]:
    from studio.tabs.tuning import watch

    making.run(scene)
    page, python = services(scene), sys.executable
    with fake_training(scene) as stand_in:
        first, second = new_run(scene), new_run(scene)
        with patch.object(sys, "executable", python):
            other = other_studio(TRAINING, str(scene.paths.root), str(first.folder), stand_in)
            process = other.__enter__()
        assert process.stdout and process.stdout.readline() == "begun\n"
        runs.enqueue([second], scene.paths)
        until(lambda: first.state == "training" and len(first.progress()) > 3, "the first trains")
        assert second.state == "queued", "two trained at once"
        scene.tell(lambda: watch.look(page, second.id, watch.NOTHING)[0])
        other.__exit__(None, None, None)
        steps = len(first.progress())
        until(lambda: len(first.progress()) > steps, "it trains on, though its studio is dead")
        os.kill(first.written["pid"], signal.SIGKILL)
        until(lambda: first.state == "interrupted", "it is told to be interrupted")
        learned = first.progress()[:steps]
        scene.confirm(f"{steps} steps of the run that was killed", lambda: first.progress()[:steps] == learned)
        scene.tell(lambda: watch.look(page, first.id, watch.NOTHING)[0])
        yield
        watch.look(page, second.id, watch.NOTHING)
        until(lambda: second.state == "training", "the second trains")
        scene.goes_on("the run that waited trains now", runs.active(scene.paths) == second)
        second.request_stop()
        until(lambda: second.state == "stopped", "it stops")
        runs.enqueue([first], scene.paths)
        until(lambda: first.state == "training" and len(first.progress()) > steps, "the first goes on")
        scene.goes_on("the run that was killed goes on", runs.active(scene.paths) == first)


FAULTS = [
    Fault("two studios on one STUDIO_HOME vote at once, and one is killed with -9", _voting, "Counted"),
    Fault("two studios train on one STUDIO_HOME; studio and trainer are killed with -9", _training, "is next", "run "),
]
