"""The teacher's stage: open a class on this network, lead it card by card in front of a projector, and take its totals along."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.comparing.comparison import LONGEST_QUESTION
from pipelines.review.design import LONGEST_TITLE
from studio.classroom import leading, room
from studio.classroom.leading import END, FIRST, SHOWN, Screen
from studio.classroom.room import Room
from studio.services import Services
from studio.tabs import unlocking
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.wiring import Parts, Updates, attaching, safe, wiring
from studio.views import messages

POLL_SECONDS = 2.0
LEAD = (
    '<p class="ps-lead">Thirty phones, one screen. Students say what they expect and what they think they see; then you reveal it. Phones reach '
    "a page of their own on your network, with a class code; of the rest of the studio they see nothing.</p>"
)
ASKING = "The four columns answer the class’s question, once for all phones: about half a minute …"
# The browser saves the file itself, so that nothing of a class is laid out to be fetched.
SAVE_JS = """told => {
  if (!told) return;
  const {name, text, type} = JSON.parse(told), link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}"""
FULL_JS = "() => { const box = document.querySelector('#class-screen'); document.fullscreenElement ? document.exitFullscreen() : box?.requestFullscreen?.() }"
# Whoever unfolds the address for a latecomer keeps it unfolded when the next one joins.
FOLD_JS = """let wish = null;
element.addEventListener("click", event => { const head = event.target.closest("summary"); if (head) wish = !head.parentElement.open; });
const keep = () => { const way = element.querySelector("details"); if (way && wish !== null && way.open !== wish) way.open = wish; };
new MutationObserver(keep).observe(element, {childList: true, subtree: true});"""


def build(services: Services, owner: gr.BrowserState) -> dict[str, Any]:
    """Lays out the stage and wires it. Returns "attach", the event for when it is opened.

    A class belongs to the studio and not to one browser, so `owner` is not asked: whoever may lead it sees the one that is open.
    """
    gr.HTML(LEAD, padding=False)
    if services.public:
        gr.HTML(messages.info("In a public studio no class is opened. Run the studio on a computer in the classroom."), padding=False)
        return {"attach": {"fn": lambda: None, "inputs": None, "outputs": None, **QUIETLY}}
    said = gr.HTML(elem_id="class-said", padding=False)
    parts: Parts = {"said": said, **_setup(), **_stage(), "file": gr.Textbox(visible=False), "screen": gr.State(Screen())}
    parts |= {"warned": gr.State(""), "clock": gr.Timer(POLL_SECONDS, active=False)}
    unlocking.build(services, "class")
    return {"attach": _wire(services, room.of(services), parts)}


def _setup() -> Parts:
    with gr.Column(visible=True, elem_id="class-setup") as setup:
        with gr.Row(equal_height=True):
            title = gr.Textbox(
                label="Title, as phones show it",
                placeholder=leading.deck().title,
                max_length=LONGEST_TITLE,
                elem_id="class-title",
                min_width=240,
            )
            start = gr.Button("Open the class on this network", variant="primary", elem_id="class-open", min_width=240)
        with gr.Row(equal_height=True):
            earlier = gr.Dropdown([], label="A class that was not ended", visible=False, elem_id="class-earlier", min_width=240)
            go_on = gr.Button("Go on with it", visible=False, elem_id="class-go-on", min_width=160)
        with gr.Accordion("Cards, and ballots on paper", open=False, elem_id="class-cards"):
            known = leading.offered()
            cards = gr.CheckboxGroup(
                known, value=[one for _, one in known], label="Cards that are played, in this order", elem_id="class-deck"
            )
            ballots = gr.Button("Printable ballots (HTML)", size="sm", elem_id="class-ballots", min_width=180)
    return {"setup": setup, "title": title, "start": start, "earlier": earlier, "go_on": go_on, "cards": cards, "ballots": ballots}


def _stage() -> Parts:
    """The screen in front of the class, and below it what only the teacher needs."""
    with gr.Column(visible=False, elem_id="class-stage") as stage:
        with gr.Column(elem_id="class-screen"):
            door = gr.HTML(elem_id="class-door", padding=False, js_on_load=FOLD_JS)
            board = gr.HTML(elem_id="class-board", padding=False)
            with gr.Row(elem_id="class-steps"):
                back = gr.Button("Back", elem_id="class-back", interactive=False, min_width=90)
                reveal = gr.Button("Reveal", variant="primary", elem_id="class-reveal", interactive=False, min_width=140)
                following = gr.Button(FIRST, variant="primary", elem_id="class-next", min_width=140)
                full = gr.Button("Full screen", elem_id="class-full", min_width=110)
        with gr.Row(equal_height=True):
            question = gr.Textbox(
                label="The class’s own question",
                placeholder="Should …?",
                max_length=LONGEST_QUESTION,
                elem_id="class-question",
                scale=4,
                min_width=240,
            )
            at_once = gr.Checkbox(False, label="Show names at once", elem_id="class-at-once", scale=1, min_width=170)
            ask = gr.Button("Ask it live", elem_id="class-ask", scale=1, min_width=140)
        with gr.Row():
            paper = gr.Checkbox(False, label="Ballots on paper: answers on the screen", elem_id="class-paper", min_width=260)
            end = gr.Button(END, size="sm", variant="stop", elem_id="class-end", min_width=140)
    with gr.Row(visible=False) as take:
        table = gr.Button("Results (CSV)", size="sm", elem_id="class-csv", min_width=120)
        whole = gr.Button("Results (JSON)", size="sm", elem_id="class-json", min_width=120)
    return {
        "take": take, "stage": stage, "door": door, "board": board, "back": back, "reveal": reveal, "next": following, "full": full, "question": question,
        "at_once": at_once, "ask": ask, "paper": paper, "csv": table, "json": whole, "end": end,
    }  # fmt: skip


def _wire(services: Services, place: Room, parts: Parts) -> dict[str, Any]:
    wire = wiring(parts, "said")

    def led(work: Any) -> Any:
        """Work on (room, values ...) as a handler that refuses whoever may not lead a class."""

        def run(request: gr.Request, *values: Any) -> Updates:
            room.refuse_others(services, request)
            return work(place, *values)

        return run

    def attach(request: gr.Request, on_paper: bool) -> Updates:
        """A page that may not lead sees no class, and no complaint before it presses anything."""
        try:
            room.refuse_others(services, request)
        except Exception:
            return {"stage": gr.update(visible=False), "clock": gr.Timer(active=False)}
        return leading.shown(place, on_paper)

    def tick(request: gr.Request, before: Screen, on_paper: bool) -> Updates:
        try:
            room.refuse_others(services, request)
        except Exception:
            return attach(request, on_paper)
        return leading.ticked(place, before, on_paper)

    def ask(request: gr.Request, question: str, at_once: bool, on_paper: bool) -> Updates:
        room.refuse_others(services, request)
        return leading.ask(services, place, question, bool(at_once), request.session_hash or "", on_paper)

    def files(kind: str) -> Any:
        return led(lambda one: leading.results(one, kind))

    wire("start.click", led(leading.begin), ["title", "cards"], SHOWN)
    wire("go_on.click", led(leading.go_on), ["earlier"], SHOWN)
    for name, by in (("back", -1), ("next", 1)):
        wire(f"{name}.click", led(lambda one, on_paper, by=by: leading.step(one, by, on_paper)), ["paper"], SHOWN)
    wire("reveal.click", led(leading.reveal), ["screen", "paper"], SHOWN)
    wire("paper.input", led(leading.shown), ["paper"], SHOWN)
    wire("end.click", led(leading.end), ["warned"], SHOWN)
    wire("clock.tick", tick, ["screen", "paper"], SHOWN, concurrency_limit=None)
    inputs, outputs = [parts[one] for one in ("question", "at_once", "paper")], [parts[one] for one in ("question", "said", *SHOWN)]
    for event in (parts["ask"].click, parts["question"].submit):
        event(lambda: messages.note(ASKING), None, parts["said"], **QUIETLY).then(
            safe(parts, ask, "said"), inputs, outputs, show_progress="hidden", api_visibility="private"
        )
    made = [wire(f"{kind}.click", files(kind), [], ["file"]) for kind in ("csv", "json")]
    made.append(wire("ballots.click", led(lambda _, *values: leading.ballots(*values)), ["title", "cards"], ["file"]))
    for event in made:
        event.then(None, parts["file"], None, js=SAVE_JS, **QUIETLY)
    parts["full"].click(None, None, None, js=FULL_JS, **QUIETLY)
    return attaching(parts, attach, ["paper"], SHOWN, "said")
