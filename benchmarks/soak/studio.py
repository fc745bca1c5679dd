"""A studio in a process of its own, as `make run` starts it, with a review to vote in, and what can be seen of it from outside."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.memory import held
from pipelines.comparing.comparison import Turn
from pipelines.comparing.prompts import Prompt
from pipelines.models import prepare
from pipelines.paths import PROJECT, Paths
from pipelines.records import Answer, Stamp
from pipelines.review.ballots import Box
from pipelines.review.design import Design
from pipelines.review.protocol import freeze
from pipelines.review.store import FILE

LOOK_SECONDS = 2.0


@contextmanager
def running(home: Paths) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a studio on a free port of this machine, and its process."""
    home.models.mkdir(parents=True)
    prepare.converted_folder(home).symlink_to(prepare.converted_folder(Paths.from_environment()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port), "STUDIO_HOME": str(home.root)}
    with (home.root / "terminal.log").open("wb") as terminal:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=environment, stdout=terminal, stderr=terminal)
    try:
        _await(f"http://127.0.0.1:{port}/", process)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait()


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).read(1)
            return
        except OSError:
            time.sleep(0.3)
    raise SystemExit("the studio did not start")


def review(home: Paths, pairs: int) -> str:
    """Freezes a review of so many questions, whose answers no model had to write; returns its id."""
    prompts = tuple(Prompt(f"p{number}", f"What about matter {number}?", "matters") for number in range(pairs))
    design = Design("Which one?", "To load the studio with votes.", ("base", "left"), prompts)
    first = [(one, Turn(one.text, tuple(_answer(key, one, 7) for key in design.keys))) for one in design.drawn]
    again = [(one, Turn(one.text, (_answer("base", one, 8),))) for one in design.doubled]
    return Box(home.reviews).open_review(freeze(design, [*first, *again]))


def _answer(column: str, prompt: Prompt, seed: int) -> Answer:
    adapter = "" if column == "base" else "f1f1f1f1f1f1"
    name = f"adapter-{column}" if adapter else ""
    stamp = Stamp("a base", "b0b0b0b0b0b0", name, adapter, float(bool(adapter)), 0.3, 0.9, seed, 72, "ph", "th")
    return Answer(column, prompt.text, f"Draw {seed} of {len(column)} on {prompt.id}.", 9, "eos", stamp)


def ballots(home: Paths, review_id: str) -> list[tuple[int, str, str]]:
    """(rater, item, comment) of all that lies in the database."""
    with closing(sqlite3.connect(f"file:{home.reviews / FILE}?mode=ro", uri=True)) as database:
        return database.execute("SELECT rater_number, item_id, comment FROM ballots WHERE review_id = ?", (review_id,)).fetchall()


class Watched:
    """The memory of a process over time, in bytes, read in a thread until `end`."""

    def __init__(self, process: int) -> None:
        self.seen: list[tuple[float, int]] = []
        self._over, self._process = threading.Event(), process
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        begun = time.monotonic()
        while not self._over.wait(LOOK_SECONDS):
            self.seen.append((time.monotonic() - begun, held([self._process])))

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def megabytes_a_minute(self, since: float) -> float:
        """The slope of a straight line through what was seen after so many seconds."""
        late = [(seconds / 60, size / 1e6) for seconds, size in self.seen if seconds >= since]
        if len(late) < 3:
            return float("nan")
        minute, size = (sum(column) / len(late) for column in zip(*late, strict=True))
        spread = sum((one - minute) ** 2 for one, _ in late)
        return sum((one - minute) * (other - size) for one, other in late) / spread


def said_in_terminal(home: Paths) -> str:
    return (Path(home.root) / "terminal.log").read_text(encoding="utf-8", errors="replace")
