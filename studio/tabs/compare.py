"""Compare: one question, the base and any adapters side by side, all answers growing together from one batch."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.comparing.columns import MAX_COLUMNS
from pipelines.errors import StudioError
from pipelines.models.template import ask
from pipelines.paths import read_json
from pipelines.records import Answer, Sampling
from studio.services import Services
from studio.tabs import choosing
from studio.views import cards, messages

SUGGESTED = "Should landlords be free to set the rent?"
MORE = ("Who should pay for health care?", "How should society deal with crime?", "What should schools teach children about their country?")
MAX_QUESTION = 600
MEMORY = {"default_value": None, "storage_key": "politune-comparison", "secret": "politune-studio"}
NOTHING = tuple([gr.skip()] * 6)  # for the parts that are restored
IS_KEPT = f"(kept, there) => [kept, localStorage.getItem('{MEMORY['storage_key']}') !== null]"


@cache
def recorded() -> dict[str, Any] | None:
    """The comparison that ships with the studio: {"question": .., "answers": [..]}."""
    file = bundled.RECORDED / "comparison.json"
    return read_json(file) if file.is_file() else None


def show(comparison: dict[str, Any] | None) -> str:
    """A stored comparison as cards."""
    if not comparison:
        return messages.info("Press “Ask all” to see the answers side by side.")
    return cards.cards(comparison["question"], [Answer.from_dict(a) for a in comparison["answers"]])


def build(services: Services) -> dict[str, Any]:
    """Lays out the tab and wires it; returns the parts that other tabs reach for."""
    with gr.Row(equal_height=True):
        question = gr.Textbox(
            SUGGESTED, label="Your question", lines=1, max_lines=4, scale=5, min_width=320, elem_id="question", max_length=MAX_QUESTION
        )
        with gr.Column(scale=1, min_width=120):
            send = gr.Button("Ask all", variant="primary", elem_id="ask")
            stop = gr.Button("Stop", interactive=False, elem_id="stop")
    with gr.Row():
        for text in MORE:
            gr.Button(text, size="sm", elem_classes="suggestion").click(lambda value=text: value, outputs=question, queue=False)
    status = gr.HTML(_opening(recorded()), padding=False)
    panes = gr.HTML(show(recorded()), elem_id="panes", padding=False)
    check = gr.HTML(cards.self_test(None), padding=False)
    chooser = choosing.build(services, status)
    with gr.Accordion("How answers are drawn", open=False):
        levers = _sampling_form()

    memory, there = gr.BrowserState(**MEMORY), gr.Checkbox(visible=False)

    def respond(
        text: str, names: list[str], dial: float, temperature: float, top_p: float, cap: float, seed: float, request: gr.Request
    ) -> Iterator[Any]:
        try:
            sampling = Sampling(temperature, top_p, int(cap or 0), int(seed or 0))
        except StudioError as error:
            yield messages.error(error), gr.skip(), gr.skip(), *_buttons(False), gr.skip()
            return
        yield from _respond(services, text, names, dial, sampling, request.session_hash or "")

    outputs = [status, panes, check, send, stop, memory]
    for trigger, name in ((send.click, "compare"), (question.submit, None)):
        waiting = trigger(_announce, None, [status, send], queue=False, show_progress="hidden", api_visibility="private")
        waiting.then(
            respond,
            [question, chooser.columns, chooser.strength, *levers],
            outputs,
            concurrency_id="model",
            concurrency_limit=1,
            show_progress="hidden",
            api_name=name,
        )
    stop.click(_stopper(services), queue=False)
    choosing.wire(services, chooser, memory)
    restored = [status, panes, question, chooser.strength, chooser.columns, chooser.picker]
    memory.change(_reader(services), memory, restored, **choosing.QUIETLY)
    return {
        "chooser": chooser.parts,
        "restore": {
            "fn": lambda kept, there: restore(services, kept, there),
            "inputs": [memory, there],
            "outputs": restored,
            "js": IS_KEPT,
            "show_progress": "hidden",
        },
        "refresh": choosing.refresh(services, chooser),
    }


def _reader(services: Services) -> Any:
    def read(kept: Any, request: gr.Request) -> tuple[Any, ...]:
        """Shows what an earlier page left in the browser, when that has been read; what this page writes itself is skipped."""
        if not isinstance(kept, dict) or kept.get("page") == request.session_hash:
            return NOTHING
        return restore(services, kept)

    return read


def restore(services: Services, memory: dict[str, Any] | None, there: bool = False) -> tuple[Any, ...]:
    """After a reload: the visitor's last comparison, else the recorded one; and those ticked columns that are still there.

    Where the browser keeps something that it has not read yet (`there`), nothing is changed: its reading is told soon after.
    """
    if there and memory is None:
        return NOTHING
    kept = memory if isinstance(memory, dict) else {}
    ticked = choosing.restored(services, kept.get("columns"))
    if kept.get("answers"):
        try:
            said = messages.note("Your last comparison, kept in this browser.")
            return said, show(kept), kept["question"], kept.get("strength", 1.0), *ticked
        except (KeyError, TypeError, AttributeError):
            pass
    return _opening(recorded()), show(recorded()), gr.skip(), gr.skip(), *ticked


def _opening(comparison: dict[str, Any] | None) -> str:
    if not comparison:
        return messages.note("Nothing is recorded yet.")
    return messages.note(
        "Recorded earlier: the same small model, untouched and tuned on three selections of answers. Press “Ask all” to see it live. This question was chosen because the difference is easy to see; what holds on average over 40 questions stands in Stance."
    )


def _sampling_form() -> list[gr.components.Component]:
    """One field a lever, made from the dataclass."""
    made: list[gr.components.Component] = []
    with gr.Row():
        for lever in fields(Sampling):
            about = lever.metadata
            if lever.name == "seed":
                made.append(gr.Number(lever.default, precision=0, label=about["label"], info=about["hint"], min_width=240))
                continue
            step = 1 if isinstance(lever.default, int) else 0.05
            made.append(
                gr.Slider(
                    about["low"],
                    about["high"],
                    lever.default,
                    step=step,
                    label=about["label"],
                    info=about["hint"],
                    min_width=240,
                    elem_id=lever.name,
                )
            )
    return made


def _stopper(services: Services) -> Any:
    def stop(request: gr.Request) -> None:
        services.stop(request.session_hash or "")

    return stop


def _announce() -> tuple[str, Any]:
    """At once, before the queue: whoever waits for other visitors' answers sees that."""
    return messages.note("Waiting for the model; it answers one visitor after another …"), gr.update(interactive=False, value="Answering …")


def _buttons(busy: bool) -> tuple[Any, Any]:
    return gr.update(interactive=not busy, value="Answering …" if busy else "Ask all"), gr.update(interactive=busy)


def _respond(services: Services, text: str, names: list[str], dial: float, sampling: Sampling, session: str) -> Iterator[tuple[Any, ...]]:
    """Yields (status, panes, check, send, stop, memory) while the answers grow."""
    keep = gr.skip()
    text = (text or "").strip()
    problem = _problem(text, names, services)
    if problem:
        yield messages.error(problem), keep, keep, *_buttons(False), keep
        return
    columns = services.columns(names, dial)
    stop = services.new_stop(session)
    yield (
        messages.note("The columns read your question together …"),
        cards.waiting(text, [c.name for c in columns]),
        keep,
        *_buttons(True),
        keep,
    )
    try:
        answers: list[Answer] = []
        begun = time.monotonic()
        for answers in services.host.generate(columns, ask(text), sampling, stop):
            yield _so_far(answers, sampling, begun), cards.cards(text, answers, live=True), keep, *_buttons(True), keep
        if services.host.last_test is None:
            services.host.self_test()
        said = (
            "Stopped; what was said until then is kept."
            if stop.is_set()
            else "Done. Every card carries its stamp: open it to see what exactly was asked of whom."
        )
        said_by = [answer.as_dict() for answer in answers]
        memory = {"question": text, "strength": dial, "answers": said_by, "columns": names, "page": session}
        yield messages.note(said), cards.cards(text, answers), cards.self_test(services.host.last_test), *_buttons(False), memory
    except StudioError as error:
        yield messages.error(error), keep, keep, *_buttons(False), keep
    except Exception as error:  # whatever it was, the visitor gets the buttons back and a sentence
        traceback.print_exc()
        yield (
            messages.error(StudioError(f"The answer broke off ({type(error).__name__}).", "Nothing is lost; press “Ask all” again.")),
            keep,
            keep,
            *_buttons(False),
            keep,
        )


def _so_far(answers: list[Answer], sampling: Sampling, begun: float) -> str:
    """Tokens and the time that is left at most."""
    most = max(answer.tokens for answer in answers)
    left = (time.monotonic() - begun) / max(1, most) * (sampling.max_new_tokens - most)
    text = f"Answering together · {most} of at most {sampling.max_new_tokens} tokens · at most {messages.duration(left)} left"
    return messages.bar(most / sampling.max_new_tokens, text)


def _problem(text: str, names: list[str], services: Services) -> StudioError | None:
    if not text:
        return StudioError("There is no question.", "Type one, or choose one of the suggestions.")
    if len(text) > MAX_QUESTION:
        return StudioError(f"The question has {len(text)} characters; at most {MAX_QUESTION} are read.", "Shorten it.")
    if not services.columns(names or []):
        return StudioError("No column is chosen.", "Choose the base and at least one adapter below.")
    if len(names) > MAX_COLUMNS:
        return StudioError(f"{len(names)} columns are chosen; at most {MAX_COLUMNS} fit side by side.", "Take some out.")
    return None
