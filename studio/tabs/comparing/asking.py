"""Ask: one question, the base and any adapters side by side, turn by turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import gradio as gr

from pipelines.comparing.comparison import Comparison
from pipelines.errors import StudioError
from pipelines.models.template import ask as asked
from pipelines.records import Sampling
from studio.services import Services
from studio.tabs.comparing import answering, choosing, exploring, mixing, sharing
from studio.tabs.comparing.answering import Wish
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.comparing.remembering import opening, recorded, show
from studio.views import cards, messages

SUGGESTED = "Should landlords be free to set the rent?"
MORE = ("Who should pay for health care?", "How should society deal with crime?", "What should schools teach children about their country?")
SEED = [one.name for one in fields(Sampling)].index("seed")
MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1, "show_progress": "hidden"}


@dataclass(frozen=True)
class Asking:
    """The parts that others reach for. `outputs` is the order of `answering.Parts.updates`."""

    question: gr.Textbox
    status: gr.HTML
    panes: gr.HTML
    talk: gr.State
    look: gr.Radio
    below: gr.HTML
    chooser: choosing.Chooser
    levers: list[gr.components.Component]
    greedy: gr.Checkbox
    opened: list[tuple[Any, gr.State]]


def build(services: Services, memory: gr.BrowserState) -> Asking:
    """Lays out the stage and wires it."""
    first = recorded()
    talk, editing = gr.State(first), gr.State(False)
    with gr.Row(equal_height=True):
        question = gr.Textbox(
            SUGGESTED, label="Your question", lines=1, max_lines=4, scale=5, min_width=320, elem_id="question",
            max_length=answering.MAX_QUESTION,
        )  # fmt: skip
        with gr.Column(scale=2, min_width=220):
            with gr.Row():
                send = gr.Button("Ask all", variant="primary", elem_id="ask", min_width=100)
                stop = gr.Button("Stop", interactive=False, elem_id="stop", min_width=80)
            follow = gr.Button("Ask as a follow-up", elem_id="follow", min_width=180)
    with gr.Row():
        for text in MORE:
            gr.Button(text, size="sm", elem_classes="suggestion").click(lambda value=text: value, outputs=question, queue=False)
    status = gr.HTML(opening(first), padding=False, elem_id="compare-status")
    panes = gr.HTML(show(first), elem_id="panes", padding=False)
    with gr.Row(elem_id="look-row"):
        look = gr.Radio(list(exploring.LOOKS), value="Answers", label="Look closer", elem_id="look", scale=4, min_width=300)
        again = gr.Button("Draw again", size="sm", elem_id="again", scale=1, min_width=110)
        edit = gr.Button("Edit the last question", size="sm", elem_id="edit", scale=1, min_width=150)
    below = gr.HTML(elem_id="below", padding=False)
    check = gr.HTML(cards.self_test(None), padding=False)
    chooser = choosing.build(services, status)
    mixing.build(services, chooser)
    with gr.Accordion("How answers are drawn", open=False):
        greedy = gr.Checkbox(False, label="Greedy: always the likeliest word, no chance at all", elem_id="greedy")
        levers = _sampling_form()
    system = _system_form(services, question, talk)
    shared = sharing.build(services, talk)

    outputs = [status, panes, check, send, follow, stop, again, edit, talk, memory]
    drawn = [chooser.columns, chooser.strength, *levers, greedy, system]

    def begin(request: gr.Request, text: str, keys: list[str], dial: float, *rest: Any) -> Iterator[Any]:
        yield from _answer(services, Wish(text, keys, dial, Sampling()), rest, request)

    def goes_on(
        request: gr.Request, one: Comparison | None, replaces: bool, text: str, keys: list[str], dial: float, *rest: Any
    ) -> Iterator[Any]:
        earlier = one.without_last() if one and replaces else one
        yield from _answer(services, Wish(text, keys, dial, Sampling(), earlier=earlier), rest, request)

    def draw(request: gr.Request, one: Comparison | None, keys: list[str], dial: float, *rest: Any) -> Iterator[Any]:
        wish = Wish(one.last.question if one else "", keys, dial, Sampling(), earlier=one.without_last() if one else None)
        yield from _answer(services, wish, rest, request)

    def closer(one: Comparison | None, wanted: str) -> Iterator[Any]:
        yield from exploring.look(services, one, wanted)

    waits: dict[str, Any] = {"fn": _announce, "outputs": [status, send, follow, look, below], **QUIETLY}
    for trigger, name in ((send.click, "compare"), (question.submit, None)):
        visible = {"api_name": name} if name else {"api_visibility": "private"}
        trigger(**waits).then(begin, [question, *drawn], outputs, **MODEL, **visible).then(lambda: False, None, editing, **QUIETLY)
    follow.click(**waits).then(goes_on, [talk, editing, question, *drawn], outputs, api_visibility="private", **MODEL).then(
        lambda: False, None, editing, **QUIETLY
    )
    again.click(_next_seed, [levers[SEED], greedy, levers[0]], [levers[SEED], status], **QUIETLY).then(**waits).then(
        draw, [talk, *drawn], outputs, api_visibility="private", **MODEL
    )
    edit.click(_edit, talk, [question, editing, status], **QUIETLY)
    stop.click(_stopper(services), queue=False, api_visibility="private")
    look.input(closer, [talk, look], [status, panes, below], trigger_mode="always_last", api_visibility="private", **MODEL)
    choosing.wire(services, chooser, memory)
    return Asking(question, status, panes, talk, look, below, chooser, levers, greedy, [(shared["opened"], shared["found"])])


def _answer(services: Services, wish: Wish, rest: tuple[Any, ...], request: gr.Request) -> Iterator[Any]:
    """Fills the sampling form's values and the system prompt into a wish, and asks."""
    *levers, greedy, system = rest
    try:
        sampling = sampling_of(levers, greedy)
    except StudioError as error:
        yield answering.Parts(messages.error(error)).updates(request.session_hash or "")
        return
    yield from answering.respond(services, replace(wish, sampling=sampling, system=system or ""), request.session_hash or "")


def sampling_of(levers: Any, greedy: bool) -> Sampling:
    """The form's values. Raises StudioError for one out of range."""
    temperature, top_p, cap, seed = levers
    return Sampling(0.0 if greedy else temperature, top_p, int(cap or 0), int(seed or 0))


def _announce() -> tuple[Any, ...]:
    """At once, before the queue: whoever waits for other visitors' answers sees that."""
    words = messages.note("Waiting for the model; it answers one visitor after another …")
    return words, gr.update(interactive=False, value="Answering …"), gr.update(interactive=False), "Answers", ""


def _next_seed(seed: float | None, greedy: bool, temperature: float) -> tuple[int, str]:
    """Another draw is another seed, which then stands in the form."""
    if greedy or not temperature:
        return int(seed or 0), messages.note("Greedy answers are the same each time.")
    return (int(seed or 0) + 1) % (2**31 - 1), ""


def _edit(talk: Comparison | None) -> tuple[Any, bool, str]:
    if talk is None:
        return gr.skip(), False, messages.error(StudioError("There is no question yet.", "Type one above."))
    said = "Change the question above, then press “Ask as a follow-up”: it takes the place of the last one, and what came before stays."
    return talk.last.question, True, messages.info(said)


def _stopper(services: Services) -> Any:
    def stop(request: gr.Request) -> None:
        services.stop(request.session_hash or "")

    return stop


def _sampling_form() -> list[gr.components.Component]:
    """One field a lever, made from the dataclass."""
    made: list[gr.components.Component] = []
    with gr.Row():
        for lever in fields(Sampling):
            about = lever.metadata
            common: dict[str, Any] = {"label": about["label"], "info": about["hint"], "min_width": 240, "elem_id": lever.name}
            if lever.name == "seed":
                made.append(gr.Number(lever.default, precision=0, **common))
                continue
            step = 1 if isinstance(lever.default, int) else 0.05
            made.append(gr.Slider(about["low"], about["high"], lever.default, step=step, **common))
    return made


def _system_form(services: Services, question: gr.Textbox, talk: gr.State) -> gr.Textbox:
    """The system prompt, and the very text that a column reads."""
    with gr.Accordion("System prompt, and the exact text that the models read", open=False, elem_id="exact"):
        system = gr.Textbox(
            "", label="System prompt for all columns", lines=2, max_length=answering.MAX_SYSTEM, elem_id="system",
            placeholder="empty: the template's own one, as in training",
        )  # fmt: skip
        reveal = gr.Button("Show the exact text", size="sm", elem_id="exact-show")
        text = gr.HTML(padding=False, elem_id="exact-text")
    reveal.click(lambda *v: _exact(services, *v), [question, system, talk], text, api_visibility="private", **MODEL)
    return system


def _exact(services: Services, question: str, system: str, talk: Comparison | None) -> str:
    """A new question's text, and the whole conversation's of the first tuned column where there are several turns."""
    try:
        words = answering.checked(question, "question", answering.MAX_QUESTION)
        head = [{"role": "system", "content": system.strip()}] if (system or "").strip() else []
        shown = messages.note("“Ask all” sends:") + _read_by(services, [*head, *asked(words)])
        if talk and len(talk.turns) > 0:
            place = min(1, len(talk.keys) - 1)
            name = cards.title(talk.last.answers[place].column)
            shown += messages.note(f"“Ask as a follow-up” sends to “{name}”; every column reads its own earlier answers:")
            shown += _read_by(services, talk.messages(place, words))
        return shown
    except StudioError as error:
        return messages.error(error)


def _read_by(services: Services, talk: list[dict[str, Any]]) -> str:
    from html import escape

    return f'<div class="ps-format"><span class="ps-read">{escape(services.host.exact_text(talk))}</span></div>'
