"""What all stages of Curate share: the draft in hand, how work on it is run with progress, and who is told afterwards."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from pipelines.corpus import drafts
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Cancelled, Tools
from pipelines.errors import StudioError
from studio.services import Progress, Services, following
from studio.views import messages

MEMORY = {"default_value": "", "storage_key": "politune-draft", "secret": "politune-studio"}
Work = Callable[..., tuple[Draft, str]]
Watcher = Callable[..., tuple[Any, ...]]


@dataclass
class Desk:
    """`draft` holds the id of the draft in hand, "" for none. Stages register what they do and what they show."""

    services: Services
    draft: Any
    status: Any
    stop: Any
    _watchers: list[tuple[Watcher, list[Any], list[Any]]] = field(default_factory=list)
    _slow: list[tuple[Watcher, Any]] = field(default_factory=list)
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

    def tools(self, session: str = "", progress: Progress | None = None) -> Tools:
        """What steps need; work ends when the visitor presses Stop."""
        signal = self.services.new_stop(f"curate-{session}")
        report = progress or (lambda share, words: None)
        return Tools(self.services.paths, self.services.ruler, self.services.host, progress=report, cancelled=signal.is_set)

    def refresh(self, draft_id: str, *values: Any) -> tuple[Any, ...]:
        """What all stages show for the draft in hand."""
        draft, at = self.find(draft_id), 0
        shown: list[Any] = []
        for shows, _, inputs in self._watchers:
            shown += shows(draft, *values[at : at + len(inputs)])
            at += len(inputs)
        return tuple(shown)

    @property
    def outputs(self) -> list[Any]:
        return [output for _, outputs, _ in self._watchers for output in outputs]

    @property
    def inputs(self) -> list[Any]:
        return [self.draft, *(one for *_, inputs in self._watchers for one in inputs)]

    def finish(self) -> list[Any]:
        """Wires everything that was registered; returns the last event of each act, so that others can follow."""
        ends = []
        for trigger, work, inputs, name, fresh in self._acts:
            begun = trigger(_busy, None, [self.status, self.stop], queue=False, show_progress="hidden", api_visibility="private")
            ran = begun.then(
                self._runner(work, fresh),
                [self.draft, *inputs],
                [self.draft, self.status, self.stop],
                concurrency_id="curation",
                concurrency_limit=2,
                show_progress="hidden",
                api_name=name,
            )
            ends.append(self.follow(ran))
        self.stop.click(self._end, None, self.status, queue=False, api_visibility="private")
        return ends

    def follow(self, event: Any) -> Any:
        """After `event` everything is shown anew, the quick parts first."""
        event = event.then(self.refresh, self.inputs, self.outputs, show_progress="hidden", api_visibility="private")
        for shows, output in self._slow:
            event = event.then(
                lambda draft_id, shows=shows: shows(self.find(draft_id)), self.draft, output, show_progress="hidden", api_visibility="private"
            )
        return event

    def _end(self, request: gr.Request) -> str:
        self.services.stop(f"curate-{request.session_hash}")
        return messages.info("Stopping after the part that is being worked on. What is done so far is kept.")

    def _runner(self, work: Work, fresh: bool) -> Callable[..., Iterator[tuple[Any, ...]]]:
        def run(request: gr.Request, draft_id: str, *values: Any) -> Iterator[tuple[Any, ...]]:
            idle = gr.update(interactive=False)
            try:
                draft = None if fresh else self._need(draft_id)
                for share, words, result in following(lambda report: work(draft, self.tools(request.session_hash or "", report), *values)):
                    if result is None:
                        yield gr.skip(), messages.bar(share, words), gr.skip()
                new, sentence = result
                yield new.id, messages.good(sentence) if sentence else "", idle
            except Cancelled:
                yield gr.skip(), messages.info("Stopped. Press the same button to go on; finished parts are not done again."), idle
            except StudioError as error:
                yield gr.skip(), messages.error(error), idle
            except OSError as error:
                yield (
                    gr.skip(),
                    messages.error(StudioError(f"The disk refused ({error.strerror or error}).", "Is there room? Nothing was lost.")),
                    idle,
                )
            except Exception:
                traceback.print_exc()
                yield (
                    gr.skip(),
                    messages.error(
                        StudioError("This step failed for a reason of our own.", "The terminal has the details; your rows are as before.")
                    ),
                    idle,
                )

        return run

    def _need(self, draft_id: str) -> Draft:
        if not draft_id:
            raise StudioError("Nothing is open yet.", "Open some data first.")
        return drafts.load(draft_id, self.services.paths)


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


def _busy() -> tuple[Any, Any]:
    return messages.note("Working …"), gr.update(interactive=True)
