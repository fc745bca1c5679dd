"""The work behind “Set up”: the models are asked in a thread that outlives the page, then the review is frozen.

paths.reviews/asking holds the one review that is not frozen yet, with its batches: apart from those of “Prompt sets”, where raters look.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from pipelines.comparing import batch as batches
from pipelines.comparing.batch import Batch
from pipelines.comparing.columns import Catalog
from pipelines.comparing.comparison import Turn
from pipelines.comparing.prompts import Prompt, PromptSet
from pipelines.errors import StudioError
from pipelines.paths import Paths, read_json, write_json
from pipelines.records import Column, Sampling
from pipelines.review.ballots import Box
from pipelines.review.design import Design
from pipelines.review.protocol import freeze
from studio.services import Services
from studio.tabs.reviews import owning
from studio.tabs.reviews.owning import NOT_YOURS, Who, mark_of, refuse_visitors
from studio.telling import told

WORK = "review-asking"
ASKING, JOB = "asking", "job.json"


@dataclass(frozen=True)
class Job:
    """A review that is not frozen yet: whose it is, and the batches of its answers; `second` is "" where no model meets itself.

    `created` is when it was frozen, "" before: a studio that ended right after that freezes the same review again, not another one.
    """

    design: Design
    mark: str
    own: str
    second: str
    created: str = ""


@dataclass
class Setter:
    """Asks for and freezes one review at a time, for all pages of this studio. `problem` says how the last asking broke off, as HTML."""

    services: Services
    box: Box
    problem: str = ""
    frozen: str = ""
    stopping: bool = False
    _one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def running(self) -> bool:
        return WORK in self.services.progress

    @property
    def progress(self) -> tuple[float, str]:
        """The share done, and a sentence."""
        share, words = self.services.progress.get(WORK, (0.0, "Getting ready"))
        return share, f"{words} · stopping" if self.stopping else words

    @property
    def job(self) -> Job | None:
        """What is being asked, or was when the studio stopped; None where nothing is left to freeze."""
        try:
            value = read_json(self._folder / JOB)
            mark, own, second = (str(value[name]) for name in ("mark", "own", "second"))
            return Job(Design.from_dict(value["design"]), mark, own, second, str(value.get("created", "")))
        except (OSError, ValueError, KeyError, TypeError, StudioError):
            return None

    def begin(self, design: Design, sampling: Sampling, who: Who) -> None:
        """Begins to ask. Raises StudioError where a review is being asked already, or this one can't be."""
        refuse_visitors(self.services)
        with self._one:
            self._refuse_second()
            columns = self._columns(design.keys)
            shutil.rmtree(self._folder, ignore_errors=True)
            own = self._batch(design, design.drawn, design.keys, columns, sampling)
            alone = _alone(columns)
            again = Sampling(sampling.temperature, sampling.top_p, sampling.max_new_tokens, (sampling.seed + 1) % (2**31 - 1))
            second = self._batch(design, design.doubled, [design.keys[alone]], [columns[alone]], again) if design.doubled else ""
            self._keep(Job(design, mark_of(who.code), own, second))
            self._start()

    def go_on(self, who: Who) -> None:
        """Asks what has no answer yet, then freezes. Raises StudioError where nothing is left, or it is another one's."""
        with self._one:
            self._left(who)
            if self.running:
                raise StudioError("It is being asked already.", "Wait until it ends, or stop it.")
            self._start()

    def stop(self, who: Who) -> None:
        """Ends the asking within a word; what was answered is kept."""
        self._left(who)
        if self.running:
            self.stopping = True
            self.services.interrupt(WORK)

    def discard(self, who: Who) -> None:
        """Forgets the review that is not frozen yet, with its answers."""
        with self._one:
            self._left(who)
            if self.running:
                raise StudioError("It is being asked just now.", "Stop it first.")
            shutil.rmtree(self._folder, ignore_errors=True)
            self.problem = ""

    @property
    def answered(self) -> tuple[int, int]:
        """How many questions of the unfrozen review have been answered, of how many."""
        found = [self._find(one) for one in (job.own, job.second) if one] if (job := self.job) else []
        return sum(one.answered for one in found), sum(len(one.prompts) for one in found)

    @property
    def _folder(self) -> Path:
        return self.services.paths.reviews / ASKING

    def _keep(self, job: Job) -> None:
        write_json(self._folder / JOB, {**{one.name: getattr(job, one.name) for one in fields(job)}, "design": job.design.as_dict()})

    def _left(self, who: Who) -> Job:
        refuse_visitors(self.services)
        job = self.job
        if job is None:
            raise StudioError("No review waits to be frozen.", "Press “Ask the models and freeze”.")
        if not who.owns(job.mark):
            raise NOT_YOURS
        return job

    def _refuse_second(self) -> None:
        if (job := self.job) or self.running:
            title = job.design.title if job else "Another review"
            raise StudioError(
                f"“{title}” is not frozen yet, and only one review at a time is asked.", "Wait, go on with it, or discard it."
            )

    def _columns(self, keys: Sequence[str]) -> list[Column]:
        """The columns of these keys, all of them, in their order."""
        found = [self._catalog.find(key) for key in keys]
        gone = next((key for key, offer in zip(keys, found, strict=True) if offer is None), None)
        if gone:
            raise StudioError(f"“{gone}” can't answer here (any more).", "Choose other columns.")
        return [offer.column() for offer in found if offer]

    @property
    def _catalog(self) -> Catalog:
        return self.services.catalog()

    def _batch(
        self, design: Design, prompts: tuple[Prompt, ...], keys: Sequence[str], columns: Sequence[Column], sampling: Sampling
    ) -> str:
        return batches.create(PromptSet("review", design.title, prompts), keys, columns, sampling, 1.0, Paths(self._folder)).id

    def _find(self, batch_id: str) -> Batch:
        return batches.find(batch_id, Paths(self._folder))

    def _start(self) -> None:
        stop = self.services.signal(WORK)
        self.problem, self.frozen, self.stopping = "", "", False
        self.services.progress[WORK] = (0.0, "Getting ready")
        threading.Thread(target=self._run, args=(stop,), daemon=True, name=WORK).start()

    def _run(self, stop: threading.Event) -> None:
        try:
            self._ask_and_freeze(stop)
        except Exception as error:
            self.problem = told(error, "What was answered until then is kept; press “Go on”.")
        finally:
            self.services.done(WORK)

    def _ask_and_freeze(self, stop: threading.Event) -> None:
        job = self.job
        if job is None:
            raise StudioError("The review that was being asked is damaged.", "Set it up again.")
        asked, done = [self._find(one) for one in (job.own, job.second) if one], 0.0
        turns: list[tuple[Prompt, Turn]] = []
        rows = [len(one.prompts) * len(one.columns) for one in asked]
        for batch, share in zip(asked, (count / sum(rows) for count in rows), strict=True):
            batches.run(batch, self._columns(batch.keys), self.services.host, self._reporter(job.design.title, done, share), stop)
            if stop.is_set():
                return
            done, turns = done + share, turns + batch.turns()
        self.services.progress[WORK] = (done, f"{job.design.title}: freezing")
        review_id = self._frozen(job, turns)
        shutil.rmtree(self._folder, ignore_errors=True)
        self.frozen = review_id

    def _frozen(self, job: Job, turns: Sequence[tuple[Prompt, Turn]]) -> str:
        """Opens the review. Its time is on the disk and its owner known before, so that doing it again after a crash changes nothing."""
        protocol = freeze(job.design, turns)
        protocol = replace(protocol, created=job.created or protocol.created)
        self._keep(replace(job, created=protocol.created))
        owning.note(self.services.paths, protocol.hash[:12], job.mark)
        return self.box.open_review(protocol)

    def _reporter(self, title: str, before: float, share: float) -> Callable[[float, str], None]:
        def report(fraction: float, words: str) -> None:
            self.services.progress[WORK] = (before + share * fraction, f"{title}: {words}")

        return report


def _alone(columns: Sequence[Column]) -> int:
    """The place of the column that meets itself: the base, or the first where there is none (as in protocol.freeze)."""
    return next((place for place, one in enumerate(columns) if one.is_base), 0)
