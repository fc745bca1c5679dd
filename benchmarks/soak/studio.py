"""A studio in a process of its own, as `make run` starts it, with a review to vote in, and what can be seen of it from outside."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from benchmarks.memory import allocated, held
from benchmarks.serving import link_model, served
from pipelines.comparing.comparison import Turn
from pipelines.comparing.prompts import Prompt
from pipelines.paths import Paths
from pipelines.records import Answer, Stamp
from pipelines.review.ballots import Box
from pipelines.review.design import Design
from pipelines.review.protocol import freeze
from pipelines.review.store import FILE

LOOK_SECONDS, TERMINAL = 2.0, "terminal.log"


@contextmanager
def running(home: Paths) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a studio with this new home, and its process; what it prints is kept there."""
    link_model(home)
    with (home.root / TERMINAL).open("wb") as terminal, served(terminal, STUDIO_HOME=str(home.root)) as found:
        yield found


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
    """The memory that a process has allocated over time, in bytes, read in a thread until `end`.

    What it shares with others is left out: the share falls when a trainer begins, and rises when it ends, without a byte being taken.
    """

    def __init__(self, process: int) -> None:
        self.seen: list[tuple[float, int]] = []
        self._over, self._process = threading.Event(), process
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        begun = time.monotonic()
        while not self._over.wait(LOOK_SECONDS):
            self.seen.append((time.monotonic() - begun, allocated([self._process])))

    @property
    def megabytes(self) -> float:
        """All that it holds now, files that it shares with others in proportion."""
        return held([self._process]) / 1e6

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
    return (home.root / TERMINAL).read_text(encoding="utf-8", errors="replace")
