"""ModelHost owns the one loaded base model, its adapters and the one line before them; nobody else touches torch modules."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from pipelines.errors import StudioError
from pipelines.models import catalog, generating, prepare
from pipelines.models.attached import MAX_LOADED, Attached, Shelf, Spoiled
from pipelines.models.cores import Cores
from pipelines.models.generating import ROUNDED_NOTE, Batch, Engine, Engines
from pipelines.models.growing import Growing, Row, ends_of
from pipelines.models.line import Line, Ticket
from pipelines.models.loading import Base, load_base
from pipelines.models.reading import Reader
from pipelines.models.template import Message, render, template_hash
from pipelines.models.unchanged import SelfTest, check_stored
from pipelines.models.working import Worker
from pipelines.paths import Paths, content_hash
from pipelines.records import ROUNDED, Answer, Column, Sampling, Stamp

T = TypeVar("T")
MAX_PROMPT_TOKENS = 1024
BEAT = 0.1  # seconds between two looks at answers that grow


class ModelHost(Reader):
    """Loads lazily on first use. Thread-safe: one generation at a time, others wait in a fair line (`line`)."""

    def __init__(self, paths: Paths, reference: str = catalog.LANGUAGE_MODEL.name) -> None:
        self.paths = paths
        self.source = catalog.find(reference, paths)
        self.line = Line()
        self.base: Base | None = None
        self.last_test: SelfTest | None = None
        self._logits: Any = None
        self._shelf: Shelf | None = None
        self._engines, self._worker, self._cores = Engines(), Worker(), Cores(paths.root, f"answers-{os.getpid()}")
        self._dirty = False

    @property
    def title(self) -> str:
        return self.source.title

    def load(self, progress: prepare.Progress = prepare.quiet) -> Base:
        """Prepares and loads the base, and notes its logits before any adapter is attached.

        Raises StudioError where the weights on disk no longer give the logits stored when they were converted.
        """
        if self.base is not None and not self._dirty:
            return self.base
        with self.line.turn():
            return self._worker.call(self._load, progress)

    def _load(self, progress: prepare.Progress = prepare.quiet) -> Base:
        if self.base is None or self._dirty:
            base = load_base(prepare.ensure(self.source, self.paths, progress))
            check_stored(base)
            self._engines = generating.install(base)
            self._logits = prepare.probe_logits(base.model, base.tokenizer)
            self.base, self._shelf, self._dirty, self.last_test = base, Shelf(base), False, None
        return self.base

    def self_test(self, ticket: Ticket | None = None) -> SelfTest:
        """Compares the base column with the reference from before any adapter. Sets and returns `last_test`."""
        with self._turn(ticket):
            return self._worker.call(self._self_test)

    @contextmanager
    def _turn(self, ticket: Ticket | None) -> Iterator[None]:
        """A turn of the line; that of a ticket which is being served is used, and not given back."""
        if ticket is None:
            with self.line.turn():
                yield
        elif not ticket.is_served:
            raise RuntimeError("it is not this ticket's turn")
        else:
            yield

    def _self_test(self) -> SelfTest:
        base = self._load()
        with self._watched():
            options = {"adapter_names": ["__base__"]} if self._mixes else {}
            now = prepare.probe_logits(base.model, base.tokenizer, **options)
        difference = float((now - self._logits).abs().max())
        self.last_test = SelfTest(difference if difference == difference else float("inf"))
        self._dirty = self._dirty or not self.last_test.passed
        return self.last_test

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """PEFT's hooks leak when a forward pass raises; the model is loaded afresh before its next use."""
        try:
            yield
        except BaseException:
            self._dirty = True
            raise

    def _attach(self, column: Column) -> Attached:
        """Makes a column's adapter ready.

        Raises StudioError where it does not pass the gate, is not what was checked, or the base is no longer the base afterwards.
        """
        self._load()
        assert self._shelf is not None
        try:
            found, is_new = self._shelf.find(column)
        except Exception as error:
            self._dirty = isinstance(error, Spoiled) or not isinstance(error, StudioError)
            raise
        if is_new and not self._self_test().passed:
            raise StudioError(
                "After loading this adapter the base pane was no longer the base, so nothing was answered.",
                "The model is loaded afresh; try again, or leave this adapter out.",
            )
        return found

    @property
    def _mixes(self) -> bool:
        """Whether adapters are attached, so that each row has to say which one it is for."""
        from peft import PeftModel

        return self.base is not None and isinstance(self.base.model, PeftModel)

    def generate(
        self, columns: Sequence[Column], messages: Sequence[Message], sampling: Sampling, stop: threading.Event | None = None
    ) -> Iterator[list[Answer]]:
        """Answers of all columns to one conversation, growing together from one batch; one list a step."""
        return self.stream([Row(column, messages, sampling.seed) for column in columns], sampling, stop)

    def answer_all(self, rows: Sequence[Row], sampling: Sampling, stop: threading.Event | None = None) -> list[Answer]:
        """Finished answers for any mixture of columns, questions and seeds, from one batch."""
        last: list[Answer] = []
        for last in self.stream(rows, sampling, stop, partial=False):
            pass
        return last

    def stream(
        self, rows: Sequence[Row], sampling: Sampling, stop: threading.Event | None = None, partial: bool = True, rounded: bool = False,
        ticket: Ticket | None = None,
    ) -> Iterator[list[Answer]]:  # fmt: skip
        """Generates for rows in one mixed-adapter batch and yields the answers so far.

        With `rounded` they may come from weights rounded to 16 bits, where that is faster here; every stamp tells which. A `ticket` of the line
        that is being served stays so; without one the stream waits for its own turn.
        Raises StudioError where there is no row, the prompt is too long, or an adapter can't be used.
        """
        if not rows:
            raise StudioError("No column is chosen.", "Choose the base or at least one adapter.")
        if len({row.column.parts for row in rows if row.column.parts}) > MAX_LOADED:
            raise StudioError(f"At most {MAX_LOADED} adapters can answer in one batch.", "Leave some out.")
        with self._turn(ticket):
            yield from self._streamed(list(rows), sampling, stop or threading.Event(), partial, rounded)

    def _streamed(self, rows: list[Row], sampling: Sampling, stop: threading.Event, partial: bool, rounded: bool) -> Iterator[list[Answer]]:
        base, batch, engine, stamps = self._worker.call(self._ready, rows, sampling, stop, rounded)
        done = self._worker.begin(generating.run, base, engine, batch, sampling, self._mixes, self._cores)
        grown, due = Growing(rows, stamps, base.tokenizer, ends_of(base)), 0.0
        try:
            while (step := batch.tokens.steps.get()) is not None:
                grown.add(step)
                self._cores.say()
                if partial and time.monotonic() >= due:  # whoever reads takes time from the thread that generates
                    yield grown.answers(False)
                    due = time.monotonic() + BEAT
        finally:
            batch.abandoned.set()
            done.result()
        if batch.failure:
            self._dirty = True
            raise batch.failure[0]
        yield grown.answers(True, stop.is_set())

    def _ready(self, rows: list[Row], sampling: Sampling, stop: threading.Event, rounded: bool) -> tuple[Base, Batch, Engine, list[Stamp]]:
        """Everything that a batch needs, adapters attached."""
        from pipelines.models.sampling import TokenQueue

        base = self._load()
        attached = {column: self._attach(column) for column in dict.fromkeys(row.column for row in rows)}
        uses = [attached[row.column] for row in rows]
        texts = [render(base.tokenizer, row.messages) for row in rows]
        engine = self._engines.rounded if rounded else self._engines.exact
        stamps = [self._stamp(row, use, text, sampling, engine) for row, use, text in zip(rows, uses, texts, strict=True)]
        return base, Batch(self._encode(texts), [use.name for use in uses], [row.seed for row in rows], stop, TokenQueue()), engine, stamps

    def _encode(self, texts: list[str]) -> Any:
        base = self._load()
        inputs = base.tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
        length = inputs["input_ids"].shape[1]
        if length > MAX_PROMPT_TOKENS:
            raise StudioError(
                f"The text to read is too long ({length} tokens; at most {MAX_PROMPT_TOKENS}).", "Shorten it, or begin a new conversation."
            )
        return inputs.to(base.model.device)

    def _stamp(self, row: Row, use: Attached, text: str, sampling: Sampling, engine: Engine) -> Stamp:
        base = self._load()
        return Stamp(
            base=self.title + (ROUNDED_NOTE if engine.rounded else ""),
            base_fingerprint=base.fingerprint + (ROUNDED if engine.rounded else ""),
            adapter=row.column.name if row.column.adapter else "",
            adapter_fingerprint=use.fingerprint,
            strength=use.strength,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=row.seed,
            max_new_tokens=sampling.max_new_tokens,
            prompt_hash=content_hash(text)[:12],
            template_hash=template_hash(base.tokenizer),
            adapter_settings=use.settings,
        )

    def identity(self, column: Column) -> list[Any]:
        """What a column's answers depend on, for naming them by hash: base, template, and the adapter with its strength.

        Raises StudioError where the adapter can't be used.
        """
        with self.line.turn():
            return self._worker.call(self._identity, column)

    def _identity(self, column: Column) -> list[Any]:
        base, use = self._load(), self._attach(column)
        return [base.fingerprint, template_hash(base.tokenizer), use.fingerprint, use.settings, float(use.strength)]

    def _read(self, column: Column, work: Callable[[Base, str | None], T]) -> T:
        with self.line.turn():
            return self._worker.call(self._work, column, work)

    def _work(self, column: Column, work: Callable[[Base, str | None], T]) -> T:
        base, name = self._load(), self._attach(column).name
        with self._watched(), self._cores.held():
            self._cores.take()
            return work(base, name if self._mixes else None)
