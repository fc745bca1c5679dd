"""Identical requests are answered once: whoever asks what is being answered listens along, and what was answered lately is given again.

Answers are drawn with a seed, so that the same columns, words and settings give the same words anyway; sharing them saves time alone.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextvars import copy_context
from dataclasses import asdict, dataclass, field, replace

from pipelines.models.attached import inspected, settings_of
from pipelines.models.growing import Row
from pipelines.models.host import ModelHost
from pipelines.models.line import BEAT, Place, Ticket
from pipelines.models.unchanged import SelfTest
from pipelines.paths import content_hash
from pipelines.records import Answer, Sampling

KEPT = 256


@dataclass(frozen=True)
class Update:
    """How far a request is: its place in the line, the answers so far, and at the end what the base test found.

    `again` tells that the answers were there before, `stopped` that this listener ended them.
    """

    place: Place | None = None
    answers: Sequence[Answer] = ()
    test: SelfTest | None = None
    again: bool = False
    stopped: bool = False


class _AllOfThem(threading.Event):
    """Set once everybody who listens has pressed stop or gone away."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: list[threading.Event] = []

    def is_set(self) -> bool:
        return all(one.is_set() for one in self.listeners)


@dataclass
class _Flight:
    """One request on its way to the model, and who listens."""

    rows: Sequence[Row]
    sampling: Sampling
    ticket: Ticket
    stop: _AllOfThem = field(default_factory=_AllOfThem)
    changed: threading.Condition = field(default_factory=threading.Condition)
    answers: Sequence[Answer] = ()
    test: SelfTest | None = None
    over: bool = False
    failure: BaseException | None = None

    def tell(self, answers: Sequence[Answer] = (), test: SelfTest | None = None, over: bool = False) -> None:
        with self.changed:
            self.answers, self.test, self.over = answers or self.answers, test or self.test, over
            self.changed.notify_all()

    def wait(self, seen: Sequence[Answer], stop: threading.Event) -> bool:
        """Waits for news, at most BEAT seconds. Whether there is more to wait for."""
        end = time.monotonic() + BEAT
        with self.changed:
            while not (self.over or stop.is_set() or self.answers is not seen) and time.monotonic() < end:
                self.changed.wait(BEAT / 10)  # nobody tells of a stop
            return not (self.over or stop.is_set())


class SharedAnswers:
    """Asks a host for visitors, in the host's line. Thread-safe."""

    def __init__(self, host: ModelHost) -> None:
        self.host = host
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight] = {}
        self._answered: OrderedDict[str, tuple[Sequence[Answer], SelfTest]] = OrderedDict()

    def ask(self, rows: Sequence[Row], sampling: Sampling, stop: threading.Event, visitor: str) -> Iterator[Update]:
        """Yields how far the request is, at least once a second until the answers are whole. `stop` ends it for this visitor alone.

        Weights may be rounded (see `ModelHost.stream`). Raises StudioError where the request can't be answered.
        """
        key = self._key(rows, sampling)
        found = self._before(key)
        if found:
            yield Update(None, *found, again=True)
            return
        flight, joined = self._join(key, rows, sampling, stop, visitor)
        seen: Sequence[Answer] = ()
        try:
            while flight.wait(seen, stop):
                seen = flight.answers
                yield Update(None if seen else flight.ticket.place, seen, again=joined)
        finally:
            self._leave(flight, stop)
        if stop.is_set():
            yield Update(None, _ended(flight.answers), flight.test, stopped=True)
        elif flight.failure is None:
            yield Update(None, flight.answers, flight.test, again=joined)
        elif joined:  # what befell another visitor's request is not this one's
            yield from self.ask(rows, sampling, stop, visitor)
        else:
            raise flight.failure

    def _key(self, rows: Sequence[Row], sampling: Sampling) -> str:
        """Everything that the stamps and words of the answers depend on."""
        base = self.host.base.fingerprint if self.host.base else ""
        asked = []
        for row in rows:
            files = inspected(row.column)
            adapters = [[file.fingerprint, strength] for file, strength in files]
            asked.append([row.column.name, adapters, settings_of(files), list(row.messages), row.seed])
        return content_hash([self.host.title, base, asdict(sampling), asked])

    def _before(self, key: str) -> tuple[Sequence[Answer], SelfTest] | None:
        with self._lock:
            if key in self._answered:
                self._answered.move_to_end(key)
            return self._answered.get(key)

    def _join(self, key: str, rows: Sequence[Row], sampling: Sampling, stop: threading.Event, visitor: str) -> tuple[_Flight, bool]:
        """The request on its way, and whether it was so already."""
        with self._lock:
            flight = self._flights.get(key)
            if flight and not flight.stop.is_set():
                flight.stop.listeners.append(stop)
                return flight, True
            flight = self._flights[key] = _Flight(rows, sampling, self.host.line.join(visitor))
            flight.stop.listeners.append(stop)
        threading.Thread(target=copy_context().run, args=(self._fly, key, flight), daemon=True, name="answer").start()
        return flight, False

    def _leave(self, flight: _Flight, stop: threading.Event) -> None:
        """The last one who leaves ends the request."""
        with self._lock:
            flight.stop.listeners.remove(stop)

    def _fly(self, key: str, flight: _Flight) -> None:
        """Waits for the turn, answers, and keeps what was answered whole."""
        try:
            while not flight.ticket.wait(BEAT / 10):
                if flight.stop.is_set():
                    return
            for answers in self.host.stream(flight.rows, flight.sampling, flight.stop, rounded=True, ticket=flight.ticket):
                flight.tell(answers)
            test = self.host.self_test(flight.ticket)
            if test.passed and not flight.stop.is_set():
                self._keep(key, flight.answers, test)
            flight.tell(test=test)
        except BaseException as error:
            flight.failure = error
        finally:
            flight.ticket.leave()
            with self._lock:
                if self._flights.get(key) is flight:
                    del self._flights[key]
            flight.tell(over=True)

    def _keep(self, key: str, answers: Sequence[Answer], test: SelfTest) -> None:
        with self._lock:
            self._answered[key] = (answers, test)
            while len(self._answered) > KEPT:
                self._answered.popitem(last=False)


def _ended(answers: Sequence[Answer]) -> list[Answer]:
    return [answer if answer.finished else replace(answer, finished="stopped") for answer in answers]
