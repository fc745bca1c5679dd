"""A line before something that serves one at a time: visitors in turn, each one's requests in the order in which they came.

Start-time fair queueing (Goyal, Vin, Cheng 1996) with every request counted as one: a request's tag is the tag of what is being served, or one
more than that of the same visitor's last request, whichever is larger, and the smallest tag is next. Who has been overtaken PATIENCE times goes first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from pipelines.errors import StudioError

PATIENCE = 16
MOST_WAITING = 120
BEAT = 1.0  # seconds between two looks of whoever waits
USUAL, MEMORY = 2.0, 0.8  # seconds that a turn takes before any was seen; how much of what was known of it a new one leaves


@dataclass(frozen=True)
class Place:
    """Where somebody stands: how many are before them, and about how many seconds that takes."""

    ahead: int
    seconds: float


class Line:
    """Thread-safe. Whoever joins must leave, whether it was their turn or not; `turn` does both."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = count()
        self._waiting: list[Ticket] = []
        self._now: Ticket | None = None
        self._tag = 0
        self._last: dict[str, int] = {}
        self._usual, self._seen = USUAL, False

    def join(self, visitor: str = "", seconds: float | None = None) -> Ticket:
        """A ticket at the end of the visitor's own requests; `seconds` is what the turn is expected to take, where that is known.

        Without a name every thread is a visitor of its own. Raises StudioError where too many wait already.
        """
        visitor = visitor or f"thread {threading.get_ident()}"
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                raise StudioError(f"{MOST_WAITING} requests are waiting already.", "Try again in a minute.")
            tag = max(self._tag, self._last.get(visitor, -1) + 1)
            self._last[visitor] = tag
            ticket = Ticket(self, visitor, tag, next(self._numbers), seconds)
            self._waiting.append(ticket)
            self._serve()
        return ticket

    @contextmanager
    def turn(self, visitor: str = "", seconds: float | None = None) -> Iterator[Ticket]:
        """Waits for a turn and holds it while the block runs."""
        ticket = self.join(visitor, seconds)
        try:
            while not ticket.wait(BEAT):
                pass
            yield ticket
        finally:
            ticket.leave()

    def state(self) -> dict[str, Any]:
        """{"busy", "waiting", "seconds", "usual"}: whether one is served, how many wait, about how long a newcomer would, and how many
        seconds a turn took lately (None before the first)."""
        with self._changed:
            waiting = [*self._waiting]
            usual = self._usual if self._seen else None
            return {"busy": self._now is not None, "waiting": len(waiting), "seconds": self._until(waiting), "usual": usual}

    def _serve(self) -> None:
        """Calls the next one, where nobody is being served. The caller holds the condition."""
        if self._now is not None or not self._waiting:
            return
        ticket = self._order()[0]
        for other in self._waiting:
            other.overtaken += other.number < ticket.number
        self._waiting.remove(ticket)
        self._now, self._tag, ticket.begun = ticket, max(self._tag, ticket.tag), time.monotonic()
        self._last = {visitor: tag for visitor, tag in self._last.items() if tag >= self._tag}
        self._changed.notify_all()

    def _order(self) -> list[Ticket]:
        return sorted(self._waiting, key=lambda one: (one.overtaken < PATIENCE, one.tag if one.overtaken < PATIENCE else 0, one.number))

    def _leave(self, ticket: Ticket) -> None:
        with self._changed:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if self._now is ticket:
                self._now = None
                if ticket.seconds is None:
                    self._seen = True
                    self._usual = MEMORY * self._usual + (1 - MEMORY) * (time.monotonic() - ticket.begun)
                self._serve()
            self._changed.notify_all()

    def _place(self, ticket: Ticket) -> Place:
        with self._changed:
            if ticket not in self._waiting:
                return Place(0, 0.0)
            order = self._order()
            before = order[: order.index(ticket)]
            return Place(len(before) + (self._now is not None), self._until(before))

    def _until(self, before: list[Ticket]) -> float:
        """Seconds until those have been served, and the one whose turn it is."""
        left = 0.0
        if self._now is not None:
            left = max(0.0, self._takes(self._now) - (time.monotonic() - self._now.begun))
        return left + sum(map(self._takes, before))

    def _takes(self, ticket: Ticket) -> float:
        return self._usual if ticket.seconds is None else ticket.seconds


class Ticket:
    """One request in a line. Any thread may wait for it, hold it and give it back."""

    def __init__(self, line: Line, visitor: str, tag: int, number: int, seconds: float | None) -> None:
        self.line, self.visitor, self.tag, self.number, self.seconds = line, visitor, tag, number, seconds
        self.overtaken, self.begun = 0, 0.0

    @property
    def is_served(self) -> bool:
        return self.line._now is self

    @property
    def place(self) -> Place:
        return self.line._place(self)

    def wait(self, seconds: float) -> bool:
        """Waits at most so long; whether it is this one's turn now."""
        with self.line._changed:
            return self.line._changed.wait_for(lambda: self.is_served, seconds)

    def waiting(self, stop: threading.Event) -> Iterator[Place]:
        """Where it stands, once a second, until its turn comes or `stop` is set."""
        while not stop.is_set() and not self.wait(0):
            yield self.place
            self.wait(BEAT)

    def leave(self) -> None:
        """Ends the turn, or gives the place up. May be called again."""
        self.line._leave(self)

    def __enter__(self) -> Ticket:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()
