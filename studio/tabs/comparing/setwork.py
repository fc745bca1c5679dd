"""The work behind “Prompt sets”: which sets may be asked here, and a batch asked in a thread that outlives the page."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipelines.comparing import batch as batches
from pipelines.comparing.batch import Batch
from pipelines.comparing.columns import Catalog
from pipelines.comparing.prompts import PromptSet, bundled_sets
from pipelines.errors import StudioError
from pipelines.models.line import Line, Ticket
from pipelines.records import Column, Sampling
from studio.owning import Who
from studio.services import Services
from studio.telling import told
from studio.views import messages

WORK = "batch-"
OWN = "own"
MOST_WAITING = 2  # sets of one visitor, besides the one that is being asked
SECONDS_A_STEP, SECONDS_A_ROW_AND_STEP, SECONDS_TO_READ = 0.06, 0.014, 0.13  # fitted to 4, 8 and 16 rows on two cores
NOT_IN_CLASS = StudioError("This set is off in a class and in public: it names living politicians and vaccines.", "Choose another one.")


def in_class() -> bool:
    return bool(os.environ.get("STUDIO_CLASS"))


def refuse_visitors(services: Services) -> None:
    """Raises StudioError in a public studio where its owner has not opened this: nobody asks for free by the hundred."""
    services.access.refuse("batch")


def sets(services: Services) -> dict[str, PromptSet]:
    """The bundled sets that may be asked here; a restricted one neither in a class nor in public."""
    closed = services.public or in_class()
    return {name: one for name, one in bundled_sets().items() if not (closed and one.restricted)}


def chosen_set(services: Services, name: str | None, own: PromptSet | None, feature: str = "batch") -> PromptSet:
    """The set of that name, or the uploaded one. Raises StudioError where there is none, or it may not be asked for this `feature`."""
    services.access.refuse(feature)
    if name == OWN and own is None:
        raise StudioError("The uploaded questions are not here any more.", "Upload the file again, or choose another set.")
    found = own if name == OWN else bundled_sets().get(name or "")
    if found is None:
        raise StudioError("No set is chosen.", "Choose one, or upload your own questions.")
    if found.restricted and (in_class() or services.public):
        raise NOT_IN_CLASS
    return found


def results(services: Services, who: Who) -> list[Batch]:
    """A visitor's own batches, as far as they may be read here, newest first."""
    if not services.access.allows("batch"):
        return []
    known = [one for one in batches.list_batches(services.paths) if who.sees(one.folder)]
    return [one for one in known if not (one.restricted and in_class())]


def in_hand(services: Services, who: Who, batch_id: str | None) -> Batch:
    """Raises StudioError where no batch is chosen, it is gone, damaged or another one's, or it may not be read here."""
    refuse_visitors(services)
    if not batch_id:
        raise StudioError("No result is chosen.", "Choose one under “Results”.")
    found = batches.find(batch_id, services.paths)
    who.refuse_others(found.folder)
    if found.restricted and in_class():
        raise NOT_IN_CLASS
    return found


def expected(questions: int, columns: int, tokens: int) -> float:
    """About how many seconds a set takes on two cores, were every answer as long as it may be."""
    groups, rows = -(-questions // batches.QUESTIONS_A_BATCH), questions * columns
    return tokens * (groups * SECONDS_A_STEP + rows * SECONDS_A_ROW_AND_STEP) + rows * SECONDS_TO_READ


@dataclass(frozen=True)
class Job:
    """A batch that is being asked or waits for it, and the mark of whoever pressed the button."""

    batch: Batch
    mark: str
    ticket: Ticket
    stop: threading.Event

    @property
    def name(self) -> str:
        return f"{WORK}{self.batch.id}"

    def asks(self, prompts: PromptSet, keys: Sequence[str], sampling: Sampling, strength: float) -> bool:
        """Whether it is just this set, of these columns, with these settings."""
        asked = (self.batch.prompts, self.batch.keys, self.batch.sampling, self.batch.strength)
        return asked == (tuple(prompts.prompts), tuple(keys), sampling, strength)


@dataclass
class Asker:
    """Asks one batch after another, for all pages of this studio: visitors in turn, whose others only count.

    `problems` says how the last asking of a batch broke off, as HTML.
    """

    services: Services
    problems: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    line: Line = field(default_factory=Line)
    one: threading.Lock = field(default_factory=threading.Lock)

    def start(self, batch: Batch, columns: Sequence[Column], mark: str) -> None:
        """Puts a batch into the line, to be asked in a thread that outlives the page. The caller holds `one`."""
        seconds = expected(len(batch.prompts) - batch.answered, len(columns), batch.sampling.max_new_tokens)
        ticket = self.line.join(mark or "nobody", seconds)
        job = Job(batch, mark, ticket, self.services.signal(f"{WORK}{batch.id}"))
        self.problems.pop(batch.id, None)
        self.jobs[batch.id] = job
        threading.Thread(target=self._run, args=(job, columns, seconds), daemon=True, name=job.name).start()

    def progress(self, job: Job) -> tuple[float, str]:
        """The share done of a batch whose turn it is, and a sentence."""
        begun = (job.batch.answered / len(job.batch.prompts), f"{job.batch.title}: getting ready")
        share, words = self.services.progress.get(job.name, begun)
        return share, f"{words} · stopping" if job.stop.is_set() else words

    def _run(self, job: Job, columns: Sequence[Column], seconds: float) -> None:
        try:
            with job.ticket:
                for _ in job.ticket.waiting(job.stop):
                    pass
                if not job.stop.is_set():
                    batches.run(job.batch, columns, self.services.host, self._reporter(job, seconds), job.stop)
        except Exception as error:
            self.problems[job.batch.id] = told(error, "What was answered until then is kept; press “Go on”.")
        finally:
            with self.one:
                self.jobs.pop(job.batch.id, None)
                self.services.done(job.name)

    def _reporter(self, job: Job, seconds: float) -> Callable[[float, str], None]:
        before, many, title = job.batch.answered, len(job.batch.prompts), job.batch.title

        def report(share: float, words: str) -> None:
            ahead = f" · up to about {messages.duration(seconds)}" if share * many < before + 0.5 else ""
            self.services.progress[job.name] = (share, f"{title}: {words}{ahead}")

        return report


@dataclass(frozen=True)
class Visit:
    """One visitor before the asker: what they see of it and may do."""

    asker: Asker
    who: Who

    @property
    def services(self) -> Services:
        return self.asker.services

    def results(self) -> list[Batch]:
        return results(self.services, self.who)

    def in_hand(self, batch_id: str | None) -> Batch:
        """Raises StudioError like the function of this name."""
        return in_hand(self.services, self.who, batch_id)

    def jobs(self) -> list[Job]:
        """Those that this visitor began, in their order, and at home what was shown and is nobody's."""
        return [job for job in list(self.asker.jobs.values()) if self.who.may_change(job.batch.folder)]

    def job(self, batch_id: str | None) -> Job | None:
        """What is told about: the chosen batch where it is asked or waits, else the first of this visitor's that is."""
        own = self.jobs()
        return next((job for job in own if job.batch.id == batch_id), None) or next(iter(own), None)

    @property
    def waits(self) -> int:
        """How many of their sets wait for their turn."""
        return sum(not job.ticket.is_served for job in list(self.asker.jobs.values()) if job.mark == self.who.mark)

    def begin(self, prompts: PromptSet, keys: Sequence[str], sampling: Sampling, strength: float) -> str:
        """Begins a new batch and returns its id. Raises StudioError where it can't be asked, or too many of theirs wait."""
        listed = self.services.catalog()
        kept = listed.kept(keys)
        columns = listed.columns(kept, strength)
        if not columns:
            raise StudioError("No column is chosen.", "Tick who answers under “Ask”.")
        with self.asker.one:
            if any(job.mark == self.who.mark and job.asks(prompts, kept, sampling, strength) for job in self.asker.jobs.values()):
                raise StudioError(
                    f"“{prompts.title}” is being asked already, of these columns and with these settings.", "Wait until it ends."
                )
            self._refuse_more()
            batch = batches.create(prompts, kept, columns, sampling, strength, self.services.paths, claim=self.who.claim)
            self.asker.start(batch, columns, self.who.mark)
        return batch.id

    def go_on(self, batch_id: str | None) -> None:
        """Asks what a batch has no answer to yet. Raises StudioError where it is at work already, or a column of it is gone."""
        batch = self.in_hand(batch_id)
        with self.asker.one:
            if batch.id in self.asker.jobs:
                raise StudioError(f"“{batch.title}” is being asked already.", "Wait until it ends, or stop it.")
            if batch.state == "finished":
                raise StudioError("All its questions are answered.", "Nothing is left to ask.")
            self._refuse_more()
            self.asker.start(batch, _columns(self.services.catalog(), batch), self.who.mark)

    def stop(self, batch_id: str | None = None) -> bool:
        """Their batch ends within a word, and the questions in work are asked again by `go_on`; False where they have none at work."""
        refuse_visitors(self.services)
        job = self.job(batch_id)
        if job:
            job.stop.set()
        return job is not None

    def _refuse_more(self) -> None:
        if self.waits >= MOST_WAITING:
            raise StudioError(f"{MOST_WAITING} of your sets wait already.", "Wait until one of them has its turn, or stop it.")


def _columns(listed: Catalog, batch: Batch) -> list[Column]:
    found = [listed.find(key) for key in batch.keys]
    gone = next((name for name, offer in zip(batch.names, found, strict=True) if offer is None), None)
    if gone:
        raise StudioError(
            f"“{gone}” can't answer here any more.", "It was deleted or needs another base. Ask the set anew, of other columns."
        )
    return [offer.column(batch.strength) for offer in found if offer]
