"""Following runs on the command line: their progress in words, line by line, until the last has ended."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from pipelines.paths import Paths
from pipelines.records import AXES
from pipelines.tuning import groups, runs
from pipelines.tuning.run import ACTIVE, Run
from pipelines.tuning.shelf.reading import tried

POLL_SECONDS = 0.5
BUSY = (*ACTIVE, "queued")


class Teller:
    """Prints what a run said since the last call. What it had said before the teller was made counts as told; what is standard error
    then stays the place where it is told."""

    def __init__(self, run: Run, name: str = "") -> None:
        self.run, self.mark, self.told, self.out = run, f"[{name}] " if name else "", len(run.progress()), sys.stderr

    def __call__(self) -> None:
        for line in self.run.progress()[self.told :]:
            self.told += 1  # before it is printed: Ctrl+C may come in between, and nothing is to be told twice
            if text := tried(partial(sentence, line), ""):
                print(f"{self.mark}{text}".rstrip(), file=self.out, flush=True)


def tellers(wanted: Sequence[Run]) -> list[Teller]:
    """One for each run; where there are several, every line begins with the run's role in its group and its seed."""
    if len(wanted) == 1:
        return [Teller(wanted[0])]
    seeds = {run.job["recipe"]["seed"] for run in wanted}
    return [Teller(run, groups.role(run) + (f" seed {run.job['recipe']['seed']}" if len(seeds) > 1 else "")) for run in wanted]


def sentence(line: dict[str, Any]) -> str:
    """A line of progress in words; "" for one that says nothing to people."""
    match line.get("event"):
        case "step":
            return f"step {line['step']}/{line['total']}  loss {_figure(line['loss'])}  {line['remaining']:.0f} s left"
        case "probe":
            return f"look at step {line['step']}: {_shift(line.get('shift'))}{_first_answer(line)}"
        case "sample":
            return f"look at step {line['step']}: {_flat(line['text'])}"
        case "guard":
            return f"ALARM at step {line['step']}: {line['text']}"
        case "data":
            return f"{line['rows']} rows, {line['too_long']} too long and left out"
        case "begin" if line["step"]:
            return f"goes on after step {line['step']}"
        case _:
            return str(line.get("text", ""))


def _figure(value: float | None) -> str:
    return "no number" if value is None else f"{value:.3f}"


def _shift(shift: dict[str, float] | None) -> str:
    return f"({', '.join(f'{axis} {shift[axis]:+.2f}' for axis in AXES)}) " if shift else ""


def _first_answer(line: dict[str, Any]) -> str:
    answers = line.get("answers") or [{"text": ""}]
    return _flat(answers[0]["text"])


def _flat(text: str) -> str:
    """One line of what a model wrote, without what a terminal would obey."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def follow(telling: Sequence[Teller], paths: Paths) -> None:
    """Tells all until the last run has ended, and lets the queue go on. The first Ctrl+C asks the run that trains to stop and
    takes the others out of the queue; the second one leaves, and the run goes on alone."""
    wanted = [tell.run for tell in telling]
    interruptible(lambda: _until_the_end(telling, paths), lambda: _stop(wanted, paths))


def interruptible(work: Callable[[], None], stop: Callable[[], None]) -> None:
    """Does a work that can be begun again at any time; the first Ctrl+C calls `stop` and then waits on, the second one is raised."""
    try:
        work()
    except KeyboardInterrupt:
        print("Stopping after this step; what was learned is kept. Press Ctrl+C again to leave at once.", file=sys.stderr, flush=True)
        stop()
        work()


def _until_the_end(telling: Sequence[Teller], paths: Paths) -> None:
    while True:
        runs.advance(paths)
        ended = not any(tell.run.state in BUSY for tell in telling)
        for tell in telling:
            tell()
        if ended:
            return
        time.sleep(POLL_SECONDS)


def _stop(wanted: Sequence[Run], paths: Paths) -> None:
    for run in wanted:
        runs.unqueue(run, paths)
    for run in wanted:
        if run.state in ACTIVE:
            run.request_stop()


@contextmanager
def told_meanwhile(tell: Teller) -> Iterator[None]:
    """Tells from a thread while the block, in which this process trains, runs."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(POLL_SECONDS):
            tell()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        tell()
