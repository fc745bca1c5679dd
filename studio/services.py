"""One object handed to every tab: where things lie, the model host, the ruler, and each visitor's stop signal."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models.host import ModelHost
from pipelines.paths import Paths
from pipelines.records import Column
from pipelines.stance.embedding import Embedder
from pipelines.stance.ruler import Ruler
from pipelines.tuning import runs

BASE_NAME = "base"
Progress = Callable[[float, str], None]


@dataclass
class Services:
    """Shared by all visitors; nothing of one visitor's is kept here but a signal to stop and how far their work is."""

    paths: Paths
    host: ModelHost
    ruler: Ruler
    public: bool = False
    preparing: tuple[float, str] = (0.0, "")
    _stops: dict[str, threading.Event] = field(default_factory=dict)
    progress: dict[str, tuple[float, str]] = field(default_factory=dict)

    @classmethod
    def create(cls) -> Services:
        """Services from the environment; loads nothing yet."""
        paths = Paths.from_environment()
        public = bool(os.environ.get("SPACE_ID") or os.environ.get("STUDIO_PUBLIC"))
        return cls(paths, ModelHost(paths), Ruler(Embedder(paths)), public)

    def warm_up(self) -> None:
        """Converts (the first time) and loads the base ahead of the first question; `preparing` tells how far it is."""
        try:
            self.host.load(self._note_progress)
            self.preparing = (1.0, "")
        except (StudioError, OSError, RuntimeError) as error:
            self.preparing = (0.0, f"The embedded model could not be made ready: {error}")
            print(error, file=sys.stderr, flush=True)

    def _note_progress(self, fraction: float, text: str) -> None:
        self.preparing = (min(fraction, 0.99), text)

    def adapters(self) -> dict[str, Path]:
        """Names and folders of all adapters that can be a column: the bundled ones, then finished runs by their title."""
        found = {name: bundled.ADAPTERS / name for name in bundled.BUNDLED_SIDES if (bundled.ADAPTERS / name / "adapter").is_dir()}
        if not self.public:
            found |= {run.title: run.folder for run in runs.usable(runs.list_runs(self.paths))}
        return found

    def column_names(self) -> list[str]:
        """All names that can be chosen as columns, the base first."""
        return [BASE_NAME, *self.adapters()]

    def columns(self, names: list[str], strength: float = 1.0) -> list[Column]:
        """Columns by name, in a fixed order; names that are gone are left out."""
        adapters = self.adapters()
        known = [name for name in self.column_names() if name in names]
        return [Column(name, adapters.get(name), strength) for name in known]

    def new_stop(self, session: str) -> threading.Event:
        """A fresh stop signal for a visitor; an earlier one is set, so that an older answer ends."""
        self.stop(session)
        self._stops[session] = threading.Event()
        return self._stops[session]

    def signal(self, work: str) -> threading.Event:
        """The stop signal of a piece of work by its name; made where there is none, kept until `done`."""
        return self._stops.setdefault(work, threading.Event())

    def done(self, work: str) -> None:
        """Forgets the signal of work that has ended."""
        self._stops.pop(work, None)
        self.progress.pop(work, None)

    def stop(self, session: str) -> None:
        """Asks a visitor's running answer or measurement to end."""
        if session in self._stops:
            self._stops.pop(session).set()


def following(work: Callable[[Progress], Any]) -> Iterator[tuple[float, str, Any]]:
    """Runs work in a thread and yields (share done, text, None) as it reports, then (1, "", result).

    Errors of the work are raised here.
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
    while (report := reports.get()) is not None:
        yield (*report, None)
    if "error" in outcome:
        raise outcome["error"]
    yield 1.0, "", outcome["result"]
