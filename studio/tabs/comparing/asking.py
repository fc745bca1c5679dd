"""Ask: one question, the base and any adapters side by side, turn by turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pipelines.comparing.comparison import Comparison
from pipelines.errors import StudioError
from studio.services import Services
from studio.tabs.comparing import answering, choosing, dialling, exploring, forms, listed, mixing, sharing
from studio.tabs.comparing.answering import Wish
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.comparing.forms import MODEL, SEED, Drawing
from studio.tabs.comparing.remembering import link_of, opening, recorded, show
from studio.views import cards, messages, welcome

SUGGESTED = "Should landlords be free to set the rent?"
MORE = ("Who should pay for health care?", "How should society deal with crime?", "What should schools teach children about their country?")
OPENING = messages.note(
    "Recorded earlier: one small model, untouched and tuned on three selections of answers. Move the dial below them, or press “Ask all” to ask it live."
)
ONE_DRAW = (
    "The first question was chosen because the difference is easy to see. One answer is one draw; what holds on average over 40 questions "
    "stands in Stance."
)
GREEDY = "Greedy answers are the same each time: take the tick at “Greedy” away, or raise the temperature, to draw again."
ANNOUNCED = "element.setAttribute('role', 'status')"
TO_THE_QUESTION = "() => { const box = document.querySelector('#question textarea, #question input'); box?.focus(); box?.scrollIntoView({block: 'center'}) }"
INTO_SIGHT = "() => document.querySelector('#question')?.scrollIntoView({block: 'nearest'})"
TO_THE_STATUS = "() => document.querySelector('#compare-status')?.scrollIntoView({block: 'nearest'})"
TO_THE_LIGHT = (
    "() => { if (innerWidth <= 640) { document.querySelector('#panes .ps-turn:last-of-type')?.scrollIntoView(); "
    "document.querySelector('#panes .ps-card:has(.ps-tok)')?.scrollIntoView({block: 'nearest', inline: 'start'}) } }"
)
BACK_TO_THE_KEYBOARD = (
    "() => { if (document.activeElement === document.body) document.querySelector('#ask')?.focus({preventScroll: true}) }"
)


@dataclass(frozen=True)
class Asking:
    """The parts that others reach for."""

    question: gr.Textbox | gr.Dropdown
    status: gr.HTML
    panes: gr.HTML
    talk: gr.State
    look: gr.Radio
    below: gr.HTML
    chooser: choosing.Chooser
    drawing: Drawing
    opened: tuple[Any, gr.State]


@dataclass(frozen=True)
class _Controls:
    """The buttons in the order of `answering.buttons`, and what else is wired here only."""

    send: gr.Button
    follow: gr.Button
    stop: gr.Button
    again: gr.Button
    edit: gr.Button
    check: gr.HTML

    @property
    def buttons(self) -> list[gr.Button]:
        return [self.send, self.follow, self.stop, self.again, self.edit]


def build(services: Services, memory: gr.BrowserState) -> Asking:
    """Lays out the stage and wires it."""
    first = recorded()
    talk, free = gr.State(first), not listed.is_on(services)
    with gr.Row(equal_height=True, elem_id="question-row"):
        question = listed.box(services, SUGGESTED)
        send = gr.Button("Ask all", variant="primary", elem_id="ask", scale=1, min_width=100)
        stop = gr.Button("Stop", interactive=False, elem_id="stop", scale=0, min_width=80)
    status = gr.HTML(OPENING if first else opening(first), padding=False, elem_id="compare-status", js_on_load=ANNOUNCED)
    panes = gr.HTML(show(first), elem_id="panes", padding=False)
    quota = forms.quota(len(first.keys) if first else 1)
    dial = dialling.build()
    gr.HTML(messages.note(ONE_DRAW), elem_id="one-draw", padding=False)
    listed.how(services)
    if services.public:
        gr.HTML(welcome.panel(services.access), elem_id="welcome", padding=False)
    with gr.Row(elem_id="go-on-row"):
        follow = gr.Button(answering.FOLLOW, size="sm", elem_id="follow", min_width=150, visible=free)
        again = gr.Button("Draw again", size="sm", elem_id="again", min_width=110)
        edit = gr.Button("Edit the last question", size="sm", elem_id="edit", min_width=150, visible=free)
    look = gr.Radio(list(exploring.LOOKS), value="Answers", label="Look closer", elem_id="look", min_width=300)
    below = gr.HTML(elem_id="below", padding=False)
    check = gr.HTML(cards.self_test(None), padding=False)
    _suggest(question, status, visible=free)
    chooser = choosing.build(services, status)
    dialling.take(dial, chooser.strength)
    added = mixing.build(services, chooser)
    drawing = forms.build(services, question, talk)
    forms.keep_told(quota, chooser.columns, drawing)
    shared = sharing.build(services, talk)
    made = Asking(question, status, panes, talk, look, below, chooser, drawing, (shared["opened"], shared["found"]))
    _wire(services, made, _Controls(send, follow, stop, again, edit, check), memory)
    choosing.wire(services, chooser, memory, added)
    dialling.wire(services, dial, chooser.strength, talk, memory, [status, panes, talk, memory, look, below])
    return made


def _suggest(question: Any, status: gr.HTML, visible: bool) -> None:
    """Other questions to begin with; a press writes one into the field and leads back to it."""
    gr.HTML('<p class="ps-note">Other questions to try:</p>', padding=False, visible=visible, elem_id="others")
    with gr.Row(visible=visible, elem_id="suggestions"):
        buttons = [gr.Button(text, size="sm", elem_classes="suggestion", min_width=200) for text in MORE]
    for button, text in zip(buttons, MORE, strict=True):
        pressed = button.click(lambda value=text: (value, messages.info("Now press “Ask all”.")), None, [question, status], queue=False)
        pressed.then(None, js=INTO_SIGHT)


def _wire(services: Services, made: Asking, controls: _Controls, memory: gr.BrowserState) -> None:
    """Four ways to ask: anew, as a follow-up, once more, and in place of the last question."""
    editing = gr.State("")
    talk, question, chooser, drawing = made.talk, made.question, made.chooser, made.drawing
    outputs = [made.status, made.panes, controls.check, *controls.buttons, talk, memory]
    drawn = [talk, chooser.columns, chooser.strength, *drawing.parts]

    def anew(request: gr.Request, text: str, shown: Comparison | None, *rest: Any) -> Iterator[Any]:
        yield from _answer(services, request, text, None, shown, rest)

    def entered(request: gr.Request, edited: str, text: str, one: Comparison | None, *rest: Any) -> Iterator[Any]:
        """Enter goes on with a conversation and ends an edit; it begins anew only where nothing can be lost by that."""
        work = goes_on if one and (edited == one.id or len(one.turns) > 1) else None
        yield from work(request, edited, text, one, *rest) if work else anew(request, text, one, *rest)

    def goes_on(request: gr.Request, edited: str, text: str, shown: Comparison | None, *rest: Any) -> Iterator[Any]:
        yield from _answer(services, request, text, before(shown) if shown and edited == shown.id else shown, shown, rest)

    def once_more(request: gr.Request, shown: Comparison | None, *rest: Any) -> Iterator[Any]:
        yield from _answer(services, request, shown.last.question if shown else "", before(shown), shown, rest, again=True)

    def announce(request: gr.Request) -> tuple[Any, ...]:
        return _announce(services, request)

    def unlock(request: gr.Request) -> tuple[Any, ...]:
        services.release(request.session_hash or "")
        return *answering.buttons(False), messages.error(
            StudioError("A setting below can't be used.", "Look through the settings, then ask again.")
        )

    def closer(request: gr.Request, one: Comparison | None, wanted: str) -> Iterator[Any]:
        yield from exploring.look(services, one, wanted, request)

    def halt(request: gr.Request) -> None:
        services.stop(request.session_hash or "")

    waits: dict[str, Any] = {"fn": announce, "outputs": [made.status, controls.send, controls.follow, made.look, made.below], **QUIETLY}
    private: dict[str, Any] = {"api_visibility": "private", **MODEL}
    demo = isinstance(question, gr.Dropdown)  # where a choice asks by itself
    ask, submit = controls.send.click(**waits), (question.input if isinstance(question, gr.Dropdown) else question.submit)(**waits)
    follow, draw = controls.follow.click(**waits), controls.again.click(**waits)
    seeded = draw.success(_next_seed, [drawing.levers[SEED], drawing.greedy, drawing.levers[0]], drawing.levers[SEED], **QUIETLY)
    asked = [
        ask.success(anew, [question, *drawn], outputs, api_name="compare", **MODEL),
        submit.success(anew, [question, *drawn], outputs, **private)
        if demo
        else submit.success(entered, [editing, question, *drawn], outputs, **private),
        follow.success(goes_on, [editing, question, *drawn], outputs, **private),
        seeded.success(once_more, drawn, outputs, **private),
    ]
    for event in asked:
        event.failure(unlock, None, [*controls.buttons, made.status], **QUIETLY)
        event.then(None, js=BACK_TO_THE_KEYBOARD)
    if demo:
        asked[1].then(None, js=listed.TO_THE_ANSWERS)
    edited = controls.edit.click(_edit, [talk, editing], [question, editing, made.status, controls.follow], **QUIETLY)
    edited.then(None, js=TO_THE_QUESTION)
    controls.stop.click(halt, queue=False, api_visibility="private")
    draw.then(None, js=TO_THE_STATUS)
    looked = made.look.input(closer, [talk, made.look], [made.status, made.panes, made.below], trigger_mode="always_last", **private)
    looked.then(None, js=TO_THE_LIGHT)


def before(shown: Comparison | None) -> Comparison | None:
    """The conversation before its last turn; None where nothing came before, so that nothing binds what is asked next."""
    return shown.without_last() if shown and len(shown.turns) > 1 else None


def _answer(
    services: Services, request: gr.Request, text: str, earlier: Comparison | None, shown: Comparison | None, rest: Sequence[Any],
    again: bool = False,
) -> Iterator[Any]:  # fmt: skip
    """Makes a wish of the form's values, and asks."""
    keys, dial, *drawn, system = rest
    session = request.session_hash or ""
    here = {"columns": keys or [], "page": session, "link": link_of(request)}
    try:
        sampling = forms.sampling_of(drawn)
        if again and sampling.temperature == 0:
            raise StudioError(GREEDY)
    except StudioError as error:
        services.release(session)
        yield answering.Parts(messages.error(error)).updates(here)
        return
    yield from answering.respond(services, Wish(text, keys, dial, sampling, system or "", earlier, shown), session, here, request)


def _announce(services: Services, request: gr.Request) -> tuple[Any, ...]:
    """At once, before the queue: whoever waits for other visitors' answers sees that. Enter while an answer grows asks nothing."""
    if not services.claim(request.session_hash or ""):
        raise gr.Error("Your last question is still being answered. Stop it, or wait.", duration=5, print_exception=False)
    words = messages.note("Your question is on its way …")
    return words, gr.update(interactive=False, value="Answering …"), gr.update(interactive=False), "Answers", ""


def _next_seed(seed: float | None, greedy: bool, temperature: float) -> int:
    """Another draw is another seed, which then stands in the form."""
    return int(seed or 0) if greedy or not temperature else (int(seed or 0) + 1) % (2**31 - 1)


def _edit(talk: Comparison | None, editing: str) -> tuple[Any, ...]:
    """The last question into the box; pressed once more, nothing is edited. It holds for this very conversation only."""
    if talk is None:
        return gr.skip(), "", messages.error(StudioError("There is no question yet.", "Type one above.")), gr.skip()
    if editing == talk.id:
        return gr.skip(), "", messages.note("Nothing is edited any more; a follow-up is added at the end."), answering.FOLLOW
    said = (
        f"Change the question, then press Enter or “{answering.REPLACE}”: it takes the place of the last one, and what came before stays."
    )
    return talk.last.question, talk.id, messages.info(said), answering.REPLACE
