"""What all stages of Curate share: the draft in hand, how work on it is run with progress, and who is told afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from pipelines import incidents
from pipelines.corpus import drafts
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.errors import StudioError
from studio import owning
from studio.services import Progress, Services, following
from studio.telling import told
from studio.views import messages

AS_BEFORE = "Your rows are as before; try again."
MEMORY = {"default_value": "", "storage_key": "politune-draft", "secret": "politune-studio"}
Work = Callable[..., tuple[Draft, str]]
Watcher = Callable[..., tuple[Any, ...]]


@dataclass
class Desk:
    """`draft` holds the id of the draft in hand, "" for none. Stages register what they do and what they show.

    Where an input is `me`, what is remembered of the page, work and watchers are given whoever sits at it (a Who).
    """

    services: Services
    draft: Any
    status: Any
    stop: Any
    clock: Any
    seen: Any
    me: Any
    _watchers: list[tuple[Watcher, list[Any], list[Any]]] = field(default_factory=list)
    _slow: list[tuple[Watcher, Any]] = field(default_factory=list)
    _plain: list[tuple[Any, Callable[[str], tuple[str, str]]]] = field(default_factory=list)
    _acts: list[tuple[Any, Work, list[Any], str, bool]] = field(default_factory=list)

    def watch(self, shows: Watcher, outputs: list[Any], inputs: list[Any] | None = None) -> None:
        """`shows(draft, *values of inputs)` fills `outputs` after every change of the draft."""
        self._watchers.append((shows, outputs, inputs or []))

    def watch_slowly(self, shows: Watcher, output: Any) -> None:
        """The same for one output that takes seconds; everything else is shown before it."""
        self._slow.append((shows, output))

    def act(self, trigger: Any, work: Work, inputs: list[Any], name: str, fresh: bool = False) -> None:
        """On `trigger`, `work(draft, tools, *values)` makes a new draft and a sentence; `fresh` work starts without a draft."""
        self._acts.append((trigger, work, inputs, name, fresh))

    def find(self, draft_id: str) -> Draft | None:
        """The draft in hand, or None where there is none."""
        try:
            return drafts.load(draft_id, self.services.paths) if draft_id else None
        except StudioError:
            return None

    def tools(self, name: str, progress: Progress | None = None) -> Tools:
        """What steps need; the work called `name` ends when somebody presses Stop, and a reloaded page can see how far it is."""

        def report(share: float, words: str) -> None:
            self.services.progress[name] = (share, words)
            if progress:
                progress(share, words)

        return Tools(
            self.services.paths, self.services.ruler, self.services.host, progress=report, cancelled=self.services.signal(name).is_set
        )

    def refresh(self, request: gr.Request, draft_id: str, *sent: Any) -> tuple[Any, ...]:
        """What all stages show for the draft in hand; a stage that fails leaves the others as they should be."""
        draft, values, at = self.find(draft_id), owning.given(request, sent), 0
        shown: list[Any] = []
        for shows, outputs, inputs in self._watchers:
            try:
                shown += shows(draft, *values[at : at + len(inputs)])
            except Exception as error:
                incidents.note(error, "showing a stage of Curate")
                shown += [gr.skip()] * len(outputs)
            at += len(inputs)
        return tuple(shown)

    @property
    def outputs(self) -> list[Any]:
        return [output for _, outputs, _ in self._watchers for output in outputs]

    @property
    def inputs(self) -> list[Any]:
        return [self.draft, *(one for *_, inputs in self._watchers for one in inputs)]

    def follow_later(self, trigger: Any, work: Callable[[str], tuple[str, str]]) -> None:
        """On `trigger`, `work(draft id)` gives the draft id from now on and a sentence, without a step being run."""
        self._plain.append((trigger, work))

    def finish(self) -> None:
        """Wires everything that was registered."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        for trigger, work, inputs, name, fresh in self._acts:
            begun = trigger(_begin, None, [self.status, self.stop], queue=False, **quiet)
            ran = begun.then(
                self._runner(work, fresh), [self.draft, *inputs], [self.draft, self.status, self.stop],
                concurrency_id="curation", concurrency_limit=2, show_progress="hidden", api_name=name,
            )  # fmt: skip
            self.follow(ran.then)
        for trigger, plain in self._plain:
            self.follow(trigger(plain, self.draft, [self.draft, self.status], **quiet).then)
        self.stop.click(self._end, self.draft, self.status, queue=False, **quiet)
        self.attend_on(self.clock.tick)
        self.follow(self.seen.change)

    def follow(self, trigger: Any) -> Any:
        """On `trigger` everything is shown anew, the quick parts first."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        event = trigger(self.refresh, self.inputs, self.outputs, **quiet)
        for shows, output in self._slow:
            event = event.then(lambda draft_id, shows=shows: shows(self.find(draft_id)), self.draft, output, **quiet)
        return event

    def attend_on(self, trigger: Any) -> None:
        """On `trigger`, and from then on while it runs, shows how far a step is that a page before a reload has begun."""
        shown = [self.status, self.stop, self.clock, self.seen]
        trigger(self.attend, self.draft, shown, show_progress="hidden", api_visibility="private")

    def attend(self, draft_id: str) -> tuple[Any, ...]:
        """How far a step is that still runs on the draft in hand; `seen` changes with every step that ends, and only then all is shown anew."""
        draft = self.find(draft_id)
        if draft is None or not drafts.busy(draft_id, self.services.paths):
            return "", gr.update(visible=False), gr.Timer(active=False), ""
        share, words = self.services.progress.get(f"draft-{draft_id}", (0.0, "A step is still running on these rows"))
        return (
            messages.bar(share, f"Still at work since before the reload · {words}"),
            gr.update(visible=True),
            gr.Timer(active=True),
            str(len(draft.steps)),
        )

    @staticmethod
    def _names(draft_id: str, session: str | None) -> tuple[str, str]:
        """The names of the work on a draft, which any page that shows it can stop, and of a visitor's first opening."""
        return f"draft-{draft_id}", f"open-{session}"

    def _end(self, draft_id: str, request: gr.Request) -> str:
        for name in self._names(draft_id, request.session_hash):
            self.services.interrupt(name)
        return messages.info("Stopping after the part that is being worked on. What is done so far is kept.")

    def _runner(self, work: Work, fresh: bool) -> Callable[..., Iterator[tuple[Any, ...]]]:
        def run(request: gr.Request, draft_id: str, *sent: Any) -> Iterator[tuple[Any, ...]]:
            values = tuple(owning.given(request, sent))
            name = self._names(draft_id, request.session_hash)[fresh]
            ended = False
            try:
                self.services.access.take_step(request)
                for share, words, result in following(
                    lambda report: self._work(work, "" if fresh else draft_id, fresh, name, report, values)
                ):
                    if result is None:
                        yield gr.skip(), messages.bar(share, words), gr.skip()
                ended = True
                new, sentence = result
                yield new.id, messages.good(sentence) if sentence else "", gr.update(visible=False)
            except Exception as error:
                ended = True
                yield gr.skip(), told(error, AS_BEFORE), gr.update(visible=False)
            finally:
                if self.services.public and not ended:  # the visitor has gone; on a laptop the work goes on for the next page
                    self.services.signal(name).set()

        return run

    def _work(self, work: Work, draft_id: str, fresh: bool, name: str, report: Progress, values: tuple[Any, ...]) -> tuple[Draft, str]:
        """One act in a thread of its own: alone on its draft, and stopped by its own signal."""
        if fresh:
            try:
                return work(None, self.tools(name, report), *values)
            finally:
                self.services.done(name)
        if not draft_id:
            raise StudioError("Nothing is open yet.", "Open some data first.")
        with drafts.working(draft_id, self.services.paths) as draft:
            try:
                return work(draft, self.tools(name, report), *values)
            finally:
                self.services.done(name)


def _begin() -> tuple[Any, Any]:
    return messages.note("Working … (waiting for its turn, if others are at work)"), gr.update(visible=True)


PRESSED = """element.addEventListener("click", event => {
  const found = event.target.closest("[data-pick]");
  if (found) trigger("click", {pick: found.dataset.pick});
});
element.addEventListener("keydown", event => {
  if (event.key === "Enter" && event.target.matches("[data-pick]")) event.target.click();
});"""


def picking(html: Any, chosen: Any) -> Callable[..., Any]:
    """A trigger for `Desk.act`: what was pressed inside an HTML component (its `data-pick`) is put into the state `chosen` first."""

    def trigger(*values: Any, **options: Any) -> Any:
        picked = html.click(_picked, None, chosen, queue=False, show_progress="hidden", api_visibility="private")
        return picked.then(*values, **options)

    return trigger


def _picked(event: gr.EventData) -> str:
    return str(event.pick)
