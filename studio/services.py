"""One object handed to every tab: where things lie, the model host, the ruler, and each visitor's stop signal."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipelines import incidents
from pipelines.comparing.columns import BASE_NAME, Catalog, at_step, catalog
from pipelines.comparing.fitting import Loaded, fingerprint_ahead, loaded
from pipelines.errors import StudioError
from pipelines.models import zerohost
from pipelines.models.host import ModelHost
from pipelines.models.line import Line
from pipelines.models.shared import SharedAnswers
from pipelines.paths import Paths
from pipelines.records import Column
from pipelines.review.ballots import Box
from pipelines.review.coding import Codes
from pipelines.stance.embedding import Embedder
from pipelines.stance.ruler import Ruler
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import history
from pipelines.tuning.shelf.about import shown_title
from studio.access import Access

__all__ = ["BASE_NAME", "Services", "following"]
Progress = Callable[[float, str], None]
HOUR, BEAT = 3600.0, 2.0


@dataclass
class Services:
    """Shared by all visitors; nothing of one visitor's is kept here but a signal to stop and how far their work is."""

    paths: Paths
    host: ModelHost
    ruler: Ruler
    access: Access = field(default_factory=Access)
    preparing: tuple[float, str] = (0.0, "")
    _stops: dict[str, threading.Event] = field(default_factory=dict)
    progress: dict[str, tuple[float, str]] = field(default_factory=dict)
    _answering: set[str] = field(default_factory=set)
    _asked: dict[str, list[threading.Event]] = field(default_factory=dict)
    measuring: Line = field(default_factory=Line)

    @classmethod
    def create(cls) -> Services:
        """Services from the environment; loads nothing yet."""
        paths = Paths.from_environment()
        return cls(paths, zerohost.host(paths), Ruler(Embedder(paths)), Access.from_environment())

    @property
    def public(self) -> bool:
        return self.access.public

    @cached_property
    def answers(self) -> SharedAnswers:
        """The model's answers for visitors, identical requests answered once."""
        return SharedAnswers(self.host)

    def warm_up(self) -> None:
        """Converts (the first time) and loads the base ahead of the first question; `preparing` tells how far it is."""
        try:
            self.host.load(self._note_progress)
            self.preparing = (1.0, "")
            _settle()
        except Exception as error:
            problem = incidents.unexpected(error, "The embedded model could not be made ready", "Start again.")
            self.preparing = (0.0, str(problem))
            print(problem, file=sys.stderr, flush=True)

    @cached_property
    def codes(self) -> Codes:
        """The coding of all reviews."""
        return Codes(self.paths.reviews)

    @property
    def box(self) -> Box:
        """All reviews and their ballots."""
        return self.codes.box

    def expire_ballots(self) -> None:
        """Deletes ballots, guesses and predictions whose time is over, once an hour for as long as the studio runs."""
        while True:
            try:
                self.box.expire()
            except StudioError as error:
                print(error, file=sys.stderr, flush=True)
            time.sleep(HOUR)

    def _note_progress(self, fraction: float, text: str) -> None:
        self.preparing = (min(fraction, 0.99), text)

    def loaded(self) -> Loaded:
        """What is known of the base that answers here, also before it is loaded."""
        return loaded(self.host, "" if self.host.base else self._fingerprint_ahead)

    @cached_property
    def _fingerprint_ahead(self) -> str:
        return fingerprint_ahead(self.host)

    def catalog(self) -> Catalog:
        """All that can be a column now; a public studio in which nothing is trained shows nothing of what lies on its disk."""
        return catalog(self.paths, self.loaded(), not self.access.allows("tune"))

    def columns(self, keys: list[str], strength: float = 1.0) -> list[Column]:
        """Columns by key ("base", "left", "run:ID", ..), the base first; those that are gone are left out."""
        return self.catalog().columns(keys, strength)

    def column_of_checkpoint(self, run: Run, step: int) -> Column:
        """A run as it was after a step: "TITLE @ step 20". Raises StudioError where that step was not kept."""
        folder = history.checkpoint(run, step).folder
        return Column(at_step(self.catalog().titles.get(run.id) or shown_title(run), step), folder)

    def claim(self, session: str) -> bool:
        """Whether a visitor may ask now: not while an answer of theirs still grows or waits. Ends with `release`."""
        if session in self._answering:
            return False
        self._answering.add(session)
        return True

    def release(self, session: str) -> None:
        self._answering.discard(session)

    @contextmanager
    def asking(self, session: str) -> Iterator[threading.Event]:
        """The stop signal of one question while the block runs. A program may ask several at once; `stop` ends all of a visitor's."""
        signal = threading.Event()
        self._asked.setdefault(session, []).append(signal)
        try:
            yield signal
        finally:
            self._asked[session] = [one for one in self._asked.get(session, []) if one is not signal]
            if not self._asked[session]:
                del self._asked[session]

    def gone(self, session: str) -> None:
        """A visitor has closed the page: their answer and their measurements end, unless others listen as well."""
        self.release(session)
        for work in (session, f"study-{session}", f"series-{session}", f"mirror-{session}"):
            self.stop(work)

    def new_stop(self, session: str) -> threading.Event:
        """A fresh stop signal for a visitor; an earlier one is set, so that an older answer ends."""
        self.stop(session)
        self._stops[session] = threading.Event()
        return self._stops[session]

    def signal(self, work: str) -> threading.Event:
        """The stop signal of a piece of work by its name; made where there is none, kept until `done`."""
        return self._stops.setdefault(work, threading.Event())

    def interrupt(self, work: str) -> None:
        """Sets the stop signal of work that runs; what begins later is not stopped by it."""
        if work in self._stops:
            self._stops[work].set()

    def done(self, work: str) -> None:
        """Forgets the signal of work that has ended."""
        self._stops.pop(work, None)
        self.progress.pop(work, None)

    def stop(self, session: str) -> None:
        """Asks a visitor's running answers or measurement to end."""
        for signal in list(self._asked.get(session, [])):
            signal.set()
        if session in self._stops:
            self._stops.pop(session).set()


def _settle() -> None:
    """Takes what stays for good out of the collector's sight: beside millions of lasting objects it seldom looks for what visitors leave."""
    gc.collect()
    gc.freeze()


def following(work: Callable[[Progress], Any]) -> Iterator[tuple[float, str, Any]]:
    """Runs work in a thread and yields (share done, text, None) as it reports, then (1, "", result).

    The last report comes again every BEAT seconds, so that remaining time counts down and a stop is seen. Errors of the work are raised.
    """
    import queue

    reports: queue.Queue[tuple[float, str] | None] = queue.Queue()
    outcome: dict[str, Any] = {}

    def body() -> None:
        try:
            outcome["result"] = work(lambda fraction, text: reports.put((fraction, text)))
        except BaseException as error:
            outcome["error"] = error
        finally:
            reports.put(None)

    threading.Thread(target=body, daemon=True, name="work").start()
    last: tuple[float, str] | None = None
    while True:
        try:
            report = reports.get(timeout=BEAT)
        except queue.Empty:
            report = last
            if report is None:
                continue
        if report is None:
            break
        last = report
        yield (*report, None)
    if "error" in outcome:
        raise outcome["error"]
    yield 1.0, "", outcome["result"]
