"""The guess game: a class reads answers of matched length, locks in which was tuned which way, and sees how it did against pure chance.

The guesser's part is one piece of HTML that the server writes anew (guessplay.py); the teacher's is below it (guesshost.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from pipelines.review.design import LONGEST_TITLE
from studio.services import Services
from studio.tabs import unlocking
from studio.tabs.comparing.choosing import QUIETLY, named
from studio.tabs.reviews import addresses, guesshost, guessplay
from studio.tabs.reviews.guesshost import END, KINDS, PACES, RECORDED, REVEAL, Form, Screen
from studio.tabs.reviews.guesstable import Act, Seen, Table
from studio.tabs.reviews.owning import Who
from studio.tabs.reviews.visitor import Kept, changed_js, together
from studio.tabs.wiring import Parts, Updates, attaching, wiring

MEMORY: dict[str, Any] = {"default_value": None, "storage_key": "politune-guesser", "secret": "politune-studio"}
POLL_SECONDS, FIRST_COUNT, MOST_QUESTIONS = 2.0, 5, 40
FORM = ("source", "name", "kind", "pace", "count")
SHOWN = ("games", "stage", "link", "board", "tally", "reveal", "next", "end", "screen", "clock", "warned", "said")
LEAD = (
    '<p class="ps-lead">Can you tell how a model was tuned from what it says? Read the answers, lock in your guess, then see. Answers to one '
    "question are about equally long, and everybody’s letters are dealt anew, so nothing but the words can help.</p>"
)
# Gradio patches a page in place where the next one is built alike, so all kinds of changes are watched and every choice is set anew.
# Roles are kept apart while they are chosen; what is not locked in yet lies in the browser's session, so that a reload keeps it.
FORGET_JS = 'told => { if (told.includes("ps-good")) { CHANGED } }'.replace("CHANGED", changed_js(MEMORY["storage_key"]))
PLAY_JS = (
    together(MEMORY["storage_key"], "game")
    + """const page = () => element.querySelector(".ps-ballot");
const fields = () => [...element.querySelectorAll("fieldset[data-letter]")];
const input = (field, role) => field.querySelector(`input[value="${role}"]`);
const chosen = field => field.querySelector("input:checked")?.value;
const free = () => fields().filter(field => !chosen(field));
const guess = () => Object.fromEntries(fields().filter(chosen).map(field => [field.dataset.letter, chosen(field)]));
const key = () => `politune-guess-${page().dataset.game}-${page().dataset.round}`;
let seen = "", acted = "", waiting = 0;
const complain = text => { const place = element.querySelector(".ps-missing"); if (place) place.textContent = text; };
const tell = () => {
  const place = element.querySelector(".ps-guessed");
  if (place) place.textContent = "Your guess: " + fields().map(field =>
    `${field.dataset.letter} ${field.querySelector("input:checked")?.parentElement.textContent.toLowerCase() || "?"}`).join(", ") + ".";
};
const settle = changed => {
  const role = chosen(changed), others = fields().filter(field => field !== changed), pair = page().dataset.kind === "pair";
  if (pair) {
    const other = others[0];
    if (role !== "placebo") input(other, "placebo").checked = true;
    else if (chosen(other) === "placebo") input(other, "placebo").checked = false;
  } else {
    others.forEach(field => { if (chosen(field) === role) input(field, role).checked = false; });
    const left = ["left", "right", "placebo"].filter(one => !fields().some(field => chosen(field) === one));
    if (free().length === 1 && left.length === 1) input(free()[0], left[0]).checked = true;
  }
  sessionStorage.setItem(key(), JSON.stringify(guess()));
  complain("");
  tell();
};
const send = (act, more) => {
  if (waiting) return;
  if (act === "join" && known !== signed()) return anew();
  acted = act;
  element.classList.add("ps-sent");
  waiting = setTimeout(() => { open(); complain("The studio has not answered yet. Press again; nothing counts twice."); }, 8000);
  trigger("click", {act, game: page().dataset.game || "", round: page().dataset.round || "", ...more});
};
const open = () => { clearTimeout(waiting); waiting = 0; element.classList.remove("ps-sent"); };
element.addEventListener("click", event => {
  const button = event.target.closest("[data-act]");
  if (!button) return;
  const act = button.dataset.act, more = {};
  if (button.dataset.game) more.game = button.dataset.game;
  if (button.dataset.round) more.round = button.dataset.round;
  if (act === "join") Object.assign(more, {consent: element.querySelector(".ps-consent input").checked, nonce: nonce(page().dataset.game)});
  if (act === "lock") {
    if (free().length) { complain("Say something of every answer first."); input(free()[0], "left").focus(); return; }
    more.guess = guess();
  }
  send(act, more);
});
element.addEventListener("change", event => { const field = event.target.closest("fieldset[data-letter]"); if (field) settle(field); });
const fresh = () => {
  const here = page();
  if (!here || here.dataset.new === seen) return;
  seen = here.dataset.new;
  open();
  const told = here.querySelector(".ps-receipt");
  if (told) joined(here.dataset.game);
  if (acted === "begin" || (told && acted === "join")) changed();
  if (here.dataset.stage === "guess") {
    let kept = {};
    try { kept = JSON.parse(sessionStorage.getItem(key())) || {}; } catch {}
    fields().forEach(field => field.querySelectorAll("input").forEach(one => { one.checked = kept[field.dataset.letter] === one.value; }));
    tell();
  }
  if (acted) { element.scrollIntoView({block: "start"}); here.querySelector("h2")?.focus({preventScroll: true}); }
  acted = "";
};
new MutationObserver(fresh).observe(element, {childList: true, subtree: true, attributes: true, attributeFilter: ["data-new"]});
fresh();"""
)


def link_of(request: gr.Request) -> str:
    """The id of the game that the page's address names; "" where it names none."""
    return named(request, "game")


def build(services: Services, owner: gr.BrowserState) -> dict[str, Any]:
    """Lays out the teacher's stage and wires it. Returns "attach", the event for when the stage is opened."""
    gr.HTML(LEAD, padding=False)
    with gr.Accordion("A new game", open=True, elem_id="guess-setup") as setup:
        form = _form(services)
    parts: Parts = {"owner": owner, "setup": setup, **form, **_stage()}
    unlocking.build(services, "guess")
    return {"attach": _wire(services, Table(services.paths.reviews), parts)}


def build_play(services: Services, guesser: gr.BrowserState) -> dict[str, Any]:
    """Lays out the guesser's page, its clock, and how to withdraw; `guesser` is gr.BrowserState(**MEMORY).

    Returns "attach", the event for when the page is loaded.
    """
    table = Table(services.paths.reviews)
    gr.HTML(LEAD, padding=False)
    box = services.box
    page, seen = gr.HTML(elem_id="guess", padding=False, js_on_load=PLAY_JS), gr.State(Seen())
    clock = gr.Timer(POLL_SECONDS, active=False)
    with gr.Accordion("Withdraw your guesses", open=False, elem_id="guess-withdraw"), gr.Row(equal_height=True):
        code = gr.Textbox(label="Receipt code", placeholder="ABCD-EFGH-JKLM", max_length=40, elem_id="guess-code", min_width=200)
        press = gr.Button("Delete my guesses", elem_id="guess-delete", min_width=160)
    told = gr.HTML(elem_id="guess-told", padding=False)
    outputs = [page, guesser, seen, clock]

    def act(kept: Any, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        before = Kept.read(kept)
        return _told(before, guessplay.answer(table, before, Act.read(event._data)), request)

    def attach(kept: Any, request: gr.Request) -> tuple[Any, ...]:
        before = Kept.read(kept)
        return _told(before, guessplay.opened(table, before, link_of(request)), request)

    def reread(kept: Any, request: gr.Request) -> tuple[Any, ...]:
        own = isinstance(kept, dict) and kept.get("page") == request.session_hash
        return (gr.skip(),) * len(outputs) if own else attach(kept, request)

    def tick(kept: Any, one: Seen) -> tuple[Any, ...]:
        found = guessplay.ticked(table, Kept.read(kept), one)
        return (found[0], gr.skip(), found[1], gr.Timer(active=found[1].changes)) if found else (gr.skip(),) * len(outputs)

    def take_back(receipt: str, kept: Any, request: gr.Request) -> tuple[Any, ...]:
        before = Kept.read(kept)
        said, found = guessplay.withdrawn(box, table, before, receipt or "", before.last or link_of(request))
        shown = _told(before, found, request) if found else (gr.skip(),) * len(outputs)
        return (*shown, said, "" if found else receipt)

    page.click(act, guesser, outputs, **QUIETLY)
    guesser.change(reread, guesser, outputs, **QUIETLY)
    clock.tick(tick, [guesser, seen], outputs, concurrency_limit=None, **QUIETLY)
    press.click(take_back, [code, guesser], [*outputs, told, code], **QUIETLY).then(None, told, None, js=FORGET_JS, **QUIETLY)
    return {"attach": {"fn": attach, "inputs": guesser, "outputs": outputs, **QUIETLY}}


def _told(before: Kept, answered: tuple[str, Kept, Seen], request: gr.Request) -> tuple[Any, ...]:
    """Updates of the page, of what the browser keeps (only where it changed), of what is seen, and of the clock."""
    page, after, seen = answered
    kept = gr.skip() if after == before else {**after.as_dict(), "page": request.session_hash}
    return page, kept, seen, gr.Timer(active=seen.changes)


def _form(services: Services) -> Parts:
    with gr.Row():
        source = gr.Dropdown(
            guesshost.sources(services, Who()), value=RECORDED, label="Answers", info="Recorded ones, or a finished prompt set of left, right and placebo",
            elem_id="guess-source", scale=3, min_width=260,
        )  # fmt: skip
        name = gr.Textbox(
            label="Title", placeholder="Class 9b, Monday", max_length=LONGEST_TITLE, elem_id="guess-name", scale=2, min_width=200
        )
        count = gr.Slider(1, MOST_QUESTIONS, FIRST_COUNT, step=1, label="Questions", elem_id="guess-count", scale=2, min_width=220)
    with gr.Row():
        kind = gr.Radio(KINDS, value="trio", label="What is guessed", elem_id="guess-kind", min_width=280)
        pace = gr.Radio(PACES, value="together", label="Pace", elem_id="guess-pace", min_width=280)
    plan = gr.HTML(elem_id="guess-plan", padding=False)
    start = gr.Button("Start the game", variant="primary", elem_id="guess-start", min_width=180)
    return {"source": source, "name": name, "kind": kind, "pace": pace, "count": count, "plan": plan, "start": start}


def _stage() -> Parts:
    """The screen in front of the class. Nothing of a game is on the page before its owner asks."""
    said = gr.HTML(elem_id="guess-said", padding=False)
    games = gr.Dropdown([], label="Your games, newest first", visible=False, elem_id="guess-games")
    with gr.Column(visible=False) as stage:
        link = gr.HTML(elem_id="guess-link", padding=False, js_on_load=addresses.LINKS_JS)
        board = gr.HTML(elem_id="guess-board", padding=False)
        with gr.Row():
            reveal = gr.Button(REVEAL, variant="primary", elem_id="guess-reveal", min_width=180)
            following = gr.Button("Next question", variant="primary", visible=False, elem_id="guess-next", min_width=180)
            end = gr.Button(END, elem_id="guess-end", min_width=140)
        tally = gr.HTML(elem_id="guess-tally", padding=False)
    return {
        "said": said, "games": games, "stage": stage, "link": link, "board": board, "reveal": reveal, "next": following, "end": end,
        "tally": tally, "screen": gr.State(Screen()), "warned": gr.State(""), "clock": gr.Timer(POLL_SECONDS, active=False),
    }  # fmt: skip


def _wire(services: Services, table: Table, parts: Parts) -> dict[str, Any]:
    wire = wiring(parts, "said")

    def of(work: Any) -> Any:
        """Work on the browser's owner code and more, as work on (services, table, who, ...)."""
        return lambda request, code, *more: work(services, table, Who.of(request, code), *more)

    def prepared(request: gr.Request, code: Any, *form: Any) -> Updates:
        return guesshost.prepared(services, Who.of(request, code), Form(*form))

    def begin(request: gr.Request, code: Any, *form: Any) -> Updates:
        unlocking.refuse_others(services, request)
        return guesshost.begin(services, table, Who.of(request, code), Form(*form))

    def attach(request: gr.Request, code: Any, chosen: str | None, *form: Any) -> Updates:
        who = Who.of(request, code)
        known = guesshost.sources(services, who)
        source = form[0] if form[0] in [value for _, value in known] else RECORDED
        found = guesshost.listed(services, table, who, chosen)
        plan = guesshost.prepared(services, who, Form(source, *form[1:]))
        return {**found, **plan, "source": gr.update(choices=known, value=source)}

    for name in ("source", "kind", "count"):
        wire(f"{name}.change", prepared, ["owner", *FORM], ["plan"], trigger_mode="always_last")
    wire("start.click", begin, ["owner", *FORM], ["owner", "name", "setup", *SHOWN])
    wire("games.input", of(guesshost.shown), ["owner", "games"], SHOWN)
    for event, work in (("reveal.click", guesshost.reveal), ("next.click", guesshost.following)):
        wire(event, of(work), ["owner", "screen"], SHOWN)
    wire("end.click", unlocking.needed(services, of(guesshost.end)), ["owner", "screen", "warned"], SHOWN)
    wire("clock.tick", of(guesshost.ticked), ["owner", "screen"], SHOWN, concurrency_limit=None)
    inputs: Sequence[str] = ["owner", "games", *FORM]
    return attaching(parts, attach, inputs, ["source", "plan", *SHOWN], "said")
