"""Prompt sets: many questions asked of all columns at once, their answers as a table, each row a conversation to go on with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from pipelines.comparing import prompts
from pipelines.comparing.comparison import Comparison
from studio.owning import Me, Who
from studio.services import Services
from studio.tabs.comparing import setpage, setrows
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.comparing.setpage import Seen, Updates, View
from studio.tabs.comparing.setrows import AS_ASKED, COMPARATOR, MOST_DIFFERENT
from studio.tabs.comparing.setwork import Asker, Visit
from studio.tabs.wiring import attaching, wiring

POLL_SECONDS = 1.0
FORMATS = [
    ("CSV (for a spreadsheet)", "csv"), ("JSONL (whole, with seals)", "jsonl"), ("Markdown", "markdown"),
    ("LLM Comparator (two columns)", COMPARATOR),
]  # fmt: skip
LEAD = (
    '<p class="ps-lead">Many questions asked of all columns at once. It goes on while the page is closed, can be stopped and gone on with, '
    "and every row of the result opens as a conversation.</p>"
)
# A press tells which batch the pressed row belongs to; a table that grows keeps its place and the row in focus.
TABLE_JS = """let kept = {};
const parts = () => [element.querySelector(".ps-answers-box"), element.querySelector("[data-view]")?.dataset.view];
element.addEventListener("click", event => {
  const row = event.target.closest("tr[data-pick]"), batch = row?.closest("[data-batch]")?.dataset.batch;
  if (batch && !(event.detail && String(getSelection()))) trigger("click", {batch, pick: row.dataset.pick});
});
element.addEventListener("keydown", event => {
  if (event.key === "Enter" && event.target.matches("tr[data-pick]")) event.target.click();
});
element.addEventListener("scroll", () => {
  const [box, view] = parts();
  if (box) kept = {...kept, view, top: box.scrollTop, left: box.scrollLeft};
}, true);
element.addEventListener("focusin", event => { kept.pick = event.target.dataset.pick; });
element.addEventListener("focusout", event => { if (event.relatedTarget) delete kept.pick; });
new MutationObserver(() => {
  const [box, view] = parts();
  if (!box || view !== kept.view) return;
  box.scrollTo(kept.left, kept.top);
  if (kept.pick && document.activeElement === document.body)
    box.querySelector(`tr[data-pick="${kept.pick}"]`)?.focus({preventScroll: true});
}).observe(element, {childList: true, subtree: true});"""
PREPARED, VIEW = ("preview", "start", "who"), ("different", "sort", "search", "page", "seen")
LISTED = ("table", "back", "more", "page", "count")
LOOKED = (
    "start", "stop", "resume", "timer", "box", "results", *LISTED, "first", "second", "file", "delete", "warned", "seen", "told", "status",
)  # fmt: skip
Wire = Callable[..., Any]


def build(
    services: Services,
    me: gr.State,
    columns: gr.Dropdown,
    strength: gr.Slider,
    levers: Sequence[Component],
    greedy: gr.Checkbox | None = None,
) -> dict[str, Any]:
    """Lays out the stage and wires it. `levers` are the sampling form's fields in the order of the dataclass, `greedy` its box if any.

    `me` is what is remembered of the page (owning.py): a visitor has batches of their own.
    Returns "attach" (the event for when the page is loaded or the stage opened: fn, inputs, outputs), and "opened", the event after
    which "comparison" holds what a pressed row opens, None where it could not be opened.
    """
    asker, comparison = Asker(services), gr.State(None)
    gr.HTML(LEAD, padding=False)
    parts = {**_asking_form(services), **_results_form(), "columns": columns, "strength": strength, "me": me}
    drawn = {f"lever {n}": one for n, one in enumerate((*levers, *([greedy] if greedy else [])))}
    parts |= drawn
    asked = ["which", "own", "columns", "strength", *drawn]
    _wire_asking(_wiring(parts), _wiring_for(parts, asker), services, asked)
    _wire_results(_wiring(parts), _wiring_for(parts, asker))

    def opened(request: gr.Request, known: Me, event: gr.EventData) -> tuple[Comparison | None, str]:
        return setrows.opened(Visit(asker, Who.at(request, known)), event.batch, event.pick)

    return {
        "attach": _attach(asker, asked, parts),
        "opened": parts["table"].click(opened, me, [comparison, parts["told"]], **QUIETLY),
        "comparison": comparison,
    }


def _wiring(parts: dict[str, Any]) -> Wire:
    def wire(event: str, work: Callable[..., Updates], inputs: Sequence[str], outputs: Sequence[str], **options: Any) -> None:
        """Work needs no request here; what goes wrong is said in the last of `outputs`."""
        wiring(parts, outputs[-1])(event, lambda _, *values: work(*values), inputs, outputs, **options)

    return wire


def _wiring_for(parts: dict[str, Any], asker: Asker) -> Wire:
    """The same for work that gets a visitor before the values."""

    def wire(event: str, work: Callable[..., Updates], inputs: Sequence[str], outputs: Sequence[str], **options: Any) -> None:
        def visited(request: gr.Request, known: Me, *values: Any) -> Updates:
            return work(Visit(asker, Who.at(request, known)), *values)

        wiring(parts, outputs[-1])(event, visited, ["me", *inputs], outputs, **options)

    return wire


def _wire_asking(wire: Wire, wire_for: Wire, services: Services, asked: Sequence[str]) -> None:
    many, last = len(asked), {"trigger_mode": "always_last"}
    for name in ("which", *asked[2:]):
        wire(f"{name}.change", lambda *v: setpage.prepared(services, *v), asked, PREPARED, **last)
    wire("upload.upload", lambda *v: setpage.uploaded(services, *v), ["upload", *asked[2:]], ["which", "own", *PREPARED, "said"])
    wire_for("start.click", lambda who, *v: setpage.begin(who, v[:many], View(*v[many:])), [*asked, *VIEW], [*LOOKED, "said"])
    wire_for("resume.click", lambda who, one, *v: setpage.go_on(who, one, View(*v)), ["results", *VIEW], [*LOOKED, "said"])
    wire_for("stop.click", setpage.stop, ["results"], ["status", "said"])
    wire_for("timer.tick", lambda who, one, *v: setpage.look(who, one, View(*v)), ["results", *VIEW], LOOKED, concurrency_limit=None)
    wire_for("me.change", setpage.known_again, [], ["results", "said"])


def _wire_results(wire: Wire, wire_for: Wire) -> None:
    outputs = [*(name for name in LOOKED if name != "told"), "told"]
    wire_for("results.input", lambda who, one, *v: setpage.chosen(who, one, View(*v)), ["results", *VIEW], [*LOOKED, "said"])
    for event in ("different.input", "sort.input", "search.change"):  # a text box tells of pasted words by "change" only
        wire_for(
            event, lambda who, one, *v: setpage.listing(who, one, View(*v)), ["results", *VIEW[:3]], LISTED,
            trigger_mode="always_last",
        )  # fmt: skip
    for name, by in (("back", -1), ("more", 1)):
        wire_for(
            f"{name}.click",
            lambda who, one, *v, by=by: setpage.listing(who, one, View(*(*v[:3], v[3] + by))),
            ["results", *VIEW[:4]],
            LISTED,
        )
    wire("kind.input", setpage.sides, ["kind"], ["first", "second"])
    wire_for("make.click", setpage.export, ["results", "kind", "first", "second"], ["file", "told"])
    wire_for("delete.click", lambda who, one, warned, *v: setpage.delete(who, one, warned, View(*v)), ["results", "warned", *VIEW], outputs)


def _attach(asker: Asker, asked: Sequence[str], parts: dict[str, Any]) -> dict[str, Any]:
    """The event that shows everything anew; both `attached` and `prepared` speak of the button “Ask all”."""
    many, outputs = len(asked), list(dict.fromkeys((*PREPARED, *LOOKED)))

    def attach(request: Any, known: Me, *values: Any) -> Updates:
        found = setpage.attached(Visit(asker, Who.at(request, known)), values[many], View(*values[many + 1 :]))
        ahead = setpage.prepared(asker.services, *values[:many])
        return {**found, **ahead, "start": {**ahead["start"], **found["start"]}}

    return attaching(parts, attach, ("me", *asked, "results", *VIEW), outputs, outputs[-1])


def _asking_form(services: Services) -> dict[str, Component]:
    """What is asked, of whom, and how far it is."""
    with gr.Row(equal_height=True):
        which = gr.Dropdown(
            setpage.choices(services, None), value="opinion", label="Set of questions", elem_id="set", scale=4, min_width=240
        )
        upload = gr.UploadButton("Bring your own (CSV)", file_types=list(prompts.ENDINGS), elem_id="set-file", scale=1, min_width=180, visible=services.access.allows("upload"))  # fmt: skip
    preview, who = gr.HTML(elem_id="set-preview", padding=False), gr.HTML(elem_id="set-who", padding=False)
    with gr.Row():
        start = gr.Button("Ask all questions", variant="primary", elem_id="set-start", min_width=200)
        resume = gr.Button("Go on", visible=False, elem_id="set-resume", min_width=120)
        stop = gr.Button("Stop", visible=False, elem_id="set-stop", min_width=120)
    said, status = gr.HTML(elem_id="set-said", padding=False), gr.HTML(elem_id="set-status", padding=False)
    return {
        "which": which, "upload": upload, "preview": preview, "who": who, "start": start, "resume": resume, "stop": stop, "said": said,
        "status": status, "timer": gr.Timer(POLL_SECONDS, active=False), "seen": gr.State(Seen()), "own": gr.State(None),
    }  # fmt: skip


def _results_form() -> dict[str, Component]:
    """Results so far, filters, the table, and how to take it along."""
    told = gr.HTML(elem_id="set-told", padding=False)
    with gr.Column(visible=False) as box:
        with gr.Row(equal_height=True):
            earlier = gr.Dropdown([], label="Results, newest first", elem_id="set-results", scale=4, min_width=260)
            delete = gr.Button(setpage.UNSURE, size="sm", elem_id="set-delete", scale=1, min_width=150)
        with gr.Row():
            search = gr.Textbox(label="Search", placeholder="words of questions or answers", elem_id="set-search", min_width=220)
            sort = gr.Radio([AS_ASKED, MOST_DIFFERENT], value=AS_ASKED, label="Order", elem_id="set-sort", min_width=260)
            with gr.Column(min_width=260):
                different = gr.Checkbox(False, label="Only different", info="Not those with the same words", elem_id="set-different")
        count = gr.HTML(elem_id="set-count", padding=False)
        table = gr.HTML(elem_id="set-table", padding=False, js_on_load=TABLE_JS)
        with gr.Row():
            back = gr.Button("← Back", size="sm", visible=False, elem_id="set-back", min_width=120)
            more = gr.Button("More →", size="sm", visible=False, elem_id="set-more", min_width=120)
        with gr.Row(equal_height=True):
            kind = gr.Dropdown(FORMATS, value="csv", label="Take it along as", elem_id="set-format", min_width=220)
            first = gr.Dropdown([], label="A", visible=False, elem_id="set-first", min_width=140)
            second = gr.Dropdown([], label="B", visible=False, elem_id="set-second", min_width=140)
            make = gr.Button("Make the file", elem_id="set-export", min_width=140)
        file = gr.File(label="The file", visible=False, interactive=False, height=70, elem_id="set-file-out")
    return {
        "told": told, "box": box, "results": earlier, "delete": delete, "search": search, "sort": sort, "different": different,
        "count": count, "table": table, "back": back, "more": more, "kind": kind, "first": first, "second": second, "make": make,
        "file": file, "page": gr.State(1), "warned": gr.State(""),
    }  # fmt: skip
