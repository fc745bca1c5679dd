"""The work behind “Prompt sets”: which sets may be asked here, and a batch asked in a thread that outlives the page."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.comparing import batch as batches
from pipelines.comparing.batch import Batch
from pipelines.comparing.columns import Catalog
from pipelines.comparing.prompts import PromptSet, bundled_sets
from pipelines.errors import StudioError
from pipelines.records import Column, Sampling
from studio.services import Services
from studio.views import messages

WORK = "batch-"
OWN = "own"
SECONDS_A_STEP, SECONDS_A_ROW_AND_STEP, SECONDS_TO_READ = 0.06, 0.014, 0.13  # fitted to 4, 8 and 16 rows on two cores
NOT_HERE = StudioError(
    "Prompt sets are not asked in this public demo.", "Run the studio on your own laptop with the commands in its README."
)
NOT_IN_CLASS = StudioError("This set is off in a class: it names living politicians and vaccines.", "Choose another one.")


def in_class() -> bool:
    return bool(os.environ.get("STUDIO_CLASS"))


def refuse_visitors(services: Services) -> None:
    """Raises StudioError in a public studio, where nobody asks for free by the hundred."""
    if services.public:
        raise NOT_HERE


def sets(services: Services) -> dict[str, PromptSet]:
    """The bundled sets that may be asked here; a restricted one neither in a class nor in public."""
    closed = services.public or in_class()
    return {name: one for name, one in bundled_sets().items() if not (closed and one.restricted)}


def chosen_set(services: Services, name: str | None, own: PromptSet | None) -> PromptSet:
    """The set of that name, or the uploaded one. Raises StudioError where there is none, or it may not be asked here."""
    refuse_visitors(services)
    if name == OWN and own is None:
        raise StudioError("The uploaded questions are not here any more.", "Upload the file again, or choose another set.")
    found = own if name == OWN else bundled_sets().get(name or "")
    if found is None:
        raise StudioError("No set is chosen.", "Choose one, or upload your own questions.")
    if found.restricted and in_class():
        raise NOT_IN_CLASS
    return found


def results(services: Services) -> list[Batch]:
    """Batches that may be read here, newest first."""
    if services.public:
        return []
    return [one for one in batches.list_batches(services.paths) if not (one.restricted and in_class())]


def in_hand(services: Services, batch_id: str | None) -> Batch:
    """Raises StudioError where no batch is chosen, it is gone or damaged, or it may not be read here."""
    refuse_visitors(services)
    if not batch_id:
        raise StudioError("No result is chosen.", "Choose one under “Results”.")
    found = batches.find(batch_id, services.paths)
    if found.restricted and in_class():
        raise NOT_IN_CLASS
    return found


def expected(questions: int, columns: int, tokens: int) -> float:
    """About how many seconds a set takes on two cores, were every answer as long as it may be."""
    groups, rows = -(-questions // batches.QUESTIONS_A_BATCH), questions * columns
    return tokens * (groups * SECONDS_A_STEP + rows * SECONDS_A_ROW_AND_STEP) + rows * SECONDS_TO_READ


@dataclass
class Asker:
    """Asks one batch at a time, for all pages of this studio. `problems` says how the last asking of a batch broke off, as HTML."""

    services: Services
    problems: dict[str, str] = field(default_factory=dict)
    stopping: bool = False
    _one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def running(self) -> str:
        """The id of the batch that is being asked, "" for none."""
        return next((name.removeprefix(WORK) for name in list(self.services.progress) if name.startswith(WORK)), "")

    @property
    def progress(self) -> tuple[float, str]:
        """The share done of the running batch, and a sentence."""
        share, words = self.services.progress.get(f"{WORK}{self.running}", (0.0, "Getting ready"))
        return share, f"{words} · stopping" if self.stopping else words

    def begin(self, prompts: PromptSet, keys: Sequence[str], sampling: Sampling, strength: float) -> str:
        """Begins a new batch and returns its id. Raises StudioError where one runs already, or this one can't be asked."""
        with self._one:
            self._refuse_second()
            listed = self.services.catalog()
            kept = listed.kept(keys)
            columns = listed.columns(kept, strength)
            if not columns:
                raise StudioError("No column is chosen.", "Tick who answers under “Ask”.")
            batch = batches.create(prompts, kept, columns, sampling, strength, self.services.paths)
            self._start(batch, columns)
        return batch.id

    def go_on(self, batch_id: str | None) -> None:
        """Asks what a batch has no answer to yet. Raises StudioError where one runs already, or a column of it is gone."""
        batch = in_hand(self.services, batch_id)
        with self._one:
            self._refuse_second()
            if batch.state == "finished":
                raise StudioError("All its questions are answered.", "Nothing is left to ask.")
            self._start(batch, _columns(self.services.catalog(), batch))

    def stop(self) -> None:
        """The batch that runs ends within a word; the questions in work are asked again by `go_on`."""
        refuse_visitors(self.services)
        if self.running:
            self.stopping = True
            self.services.interrupt(f"{WORK}{self.running}")

    def _refuse_second(self) -> None:
        if self.running:
            title = next((one.title for one in results(self.services) if one.id == self.running), "another set")
            raise StudioError(f"“{title}” is being asked already, and only one set at a time is.", "Wait until it ends, or stop it.")

    def _start(self, batch: Batch, columns: Sequence[Column]) -> None:
        name = f"{WORK}{batch.id}"
        stop = self.services.signal(name)
        self.problems.pop(batch.id, None)
        self.stopping = False
        self.services.progress[name] = (batch.answered / len(batch.prompts), f"{batch.title}: getting ready")
        threading.Thread(target=self._run, args=(batch, columns, name, stop), daemon=True, name=name).start()

    def _run(self, batch: Batch, columns: Sequence[Column], name: str, stop: threading.Event) -> None:
        before = batch.answered
        seconds = expected(len(batch.prompts) - before, len(columns), batch.sampling.max_new_tokens)

        def report(share: float, words: str) -> None:
            ahead = f" · up to about {messages.duration(seconds)}" if share * len(batch.prompts) < before + 0.5 else ""
            self.services.progress[name] = (share, f"{batch.title}: {words}{ahead}")

        try:
            batches.run(batch, columns, self.services.host, report, stop)
        except Exception as error:
            self.problems[batch.id] = told(error, "What was answered until then is kept; press “Go on”.")
        finally:
            self.services.done(name)


def _columns(listed: Catalog, batch: Batch) -> list[Column]:
    found = [listed.find(key) for key in batch.keys]
    gone = next((name for name, offer in zip(batch.names, found, strict=True) if offer is None), None)
    if gone:
        raise StudioError(
            f"“{gone}” can't answer here any more.", "It was deleted or needs another base. Ask the set anew, of other columns."
        )
    return [offer.column(batch.strength) for offer in found if offer]


def told(error: Exception, then: str = "Nothing was changed; try again.") -> str:
    """Any error as a sentence; what is our own fault is printed in the terminal."""
    if isinstance(error, StudioError):
        return messages.error(error)
    traceback.print_exception(error)
    return messages.error(StudioError(f"This broke off ({type(error).__name__}).", then))
