"""Lead the coding: a review's owner decides on a codebook, calibrates raters, opens the coding, settles differences and picks quotes.

What the owner decides is in Gradio's own fields; what is read and decided on (agreement, differences, quotes) is HTML that the server
writes anew. Its script keeps a reason that was typed but not sent in the browser's session, so that neither a mistake nor a reload loses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from pipelines.review.ballots import Box
from studio.access import FEATURES
from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.reviews import leadingacts, leadingpage
from studio.tabs.reviews.leadingpage import OPEN_CALIBRATION, OPEN_CODING, TELLS, Act, Form
from studio.tabs.reviews.leadingwork import Leader
from studio.tabs.reviews.owning import Who
from studio.tabs.wiring import Parts, Updates, attaching, wiring
from studio.telling import told
from studio.views import messages

FIRST_PAIRS = 5
LEAD = (
    '<p class="ps-lead">Besides voting, raters can mark in words what an answer does: it hedges, takes no stance, appeals to fairness. You lead '
    "that here, for a review of your own; while it is open this page shows you no columns either.</p>"
)
SLOWLY: dict[str, Any] = {"queue": True, "show_progress": "minimal", "concurrency_limit": 2}
SEEN = ("owner", "reviews")
FORM = ("raters", "coders", "count", "offered")
OUTPUTS = (
    "reviews", "box", "standing", "book_head", "book", "use", "upload", "calibration_head", "raters", "count", "calibrate", "calibration",
    "coding_head", "coders", "code", "coding", "settling_head", "settling", "found_head", "found", "offered", *TELLS,
)  # fmt: skip
DRAFTS = "politune-leading-"
ACTS_JS = """const page = () => element.querySelector("[data-new]");
const areas = () => [...element.querySelectorAll("textarea[data-draft]")];
let seen = "", waiting = 0, acted = false;
const free = () => { clearTimeout(waiting); waiting = 0; element.classList.remove("ps-sent"); };
const send = data => {
  if (waiting) return;
  acted = true;
  element.classList.add("ps-sent");
  waiting = setTimeout(free, 8000);
  trigger("click", data);
};
const fresh = () => {
  const here = page();
  if (!here || here.dataset.new === seen) return;
  seen = here.dataset.new;
  free();
  if (here.dataset.counted) sessionStorage.removeItem("DRAFTS" + here.dataset.counted);
  areas().forEach(area => { area.value = sessionStorage.getItem("DRAFTS" + area.dataset.draft) ?? area.defaultValue; });
  element.querySelectorAll("input[data-quote]").forEach(one => { one.checked = one.defaultChecked; });
  const problem = element.querySelector(".ps-error");
  if (acted && problem) areas()[0]?.focus();
  else if (acted) element.querySelector("h4[tabindex]")?.focus();
  acted = false;
};
element.addEventListener("input", event => {
  const area = event.target.closest("textarea[data-draft]");
  if (area) sessionStorage.setItem("DRAFTS" + area.dataset.draft, area.value);
});
element.addEventListener("click", event => {
  const button = event.target.closest("[data-act]");
  if (button) send({act: button.dataset.act, key: button.dataset.key, reason: areas()[0]?.value || ""});
});
element.addEventListener("change", event => {
  const tick = event.target.closest("input[data-quote]");
  if (tick) trigger("click", {act: tick.checked ? "pick" : "drop", key: tick.dataset.quote});
});
new MutationObserver(fresh).observe(element, {childList: true, subtree: true, attributes: true, attributeFilter: ["data-new"]});
fresh();""".replace("DRAFTS", DRAFTS)


def build(services: Services, box: Box, owner: gr.BrowserState) -> dict[str, Any]:
    """Lays out the stage and wires it; `owner` is gr.BrowserState(**OWNER), made outside of all tabs so that a reload keeps it.

    Returns "attach", the event for when the stage is opened.
    """
    if not services.access.allows("review"):
        gr.HTML(messages.error(FEATURES["review"]), padding=False)
        return {"attach": {"fn": lambda: None, "inputs": None, "outputs": None, **QUIETLY}}
    leader = Leader(services, box)
    gr.HTML(LEAD, padding=False)
    parts: Parts = {"owner": owner, **_top(), "offered": gr.State({})}
    with gr.Column(visible=False, elem_id="leading") as whole:
        parts |= {"box": whole, **_book_form(), **_calibration_form(), **_coding_form(), **_end_form()}

    def look(request: gr.Request, code: Any, chosen: str | None, *values: Any) -> Updates:
        return leadingpage.looked(leader, Who.of(request, code), chosen, Form(*values))

    _wire(leader, parts, look)
    return {"attach": {**attaching(parts, look, [*SEEN, *FORM], OUTPUTS, "said"), **SLOWLY}}


def _wire(leader: Leader, parts: Parts, look: Callable[..., Updates]) -> None:
    inputs = [*SEEN, *FORM]

    def owned(work: Callable[..., Updates]) -> Callable[..., Updates]:
        def run(request: gr.Request, code: Any, chosen: str | None, *values: Any) -> Updates:
            return work(leader, Who.of(request, code), chosen, Form(*values[: len(FORM)]), *values[len(FORM) :])

        return run

    for event in ("reviews.input", "again.click"):
        wiring(parts, "said")(event, look, inputs, OUTPUTS, **SLOWLY)
    for event, work, tells, more in (
        ("use.click", leadingacts.use, "book_said", ()),
        ("upload.upload", leadingacts.uploaded, "book_said", ("upload",)),
        ("calibrate.click", leadingacts.calibrate, "calibration_said", ()),
        ("code.click", leadingacts.code, "coding_said", ()),
    ):
        wiring(parts, tells)(event, owned(work), [*inputs, *more], OUTPUTS, **SLOWLY)
    for name in ("calibration", "settling"):
        parts[name].click(_acting(leader, parts), [parts[one] for one in inputs], [parts[one] for one in OUTPUTS], **{**QUIETLY, **SLOWLY})
    parts["found"].click(_ticking(leader, parts), [parts[one] for one in SEEN], [parts["found"], parts["found_said"]], **QUIETLY)


def _acting(leader: Leader, parts: Parts) -> Callable[..., dict[Any, Any]]:
    """Presses in a page that the server wrote."""

    def run(
        code: Any, chosen: str | None, raters: Any, coders: Any, count: Any, offered: Any, event: gr.EventData, request: gr.Request
    ) -> dict[Any, Any]:
        try:
            act, form = Act.read(event._data), Form(raters, coders, count, offered)
            return {parts[name]: value for name, value in leadingacts.acted(leader, Who.of(request, code), chosen, form, act).items()}
        except Exception as error:
            return {parts["said"]: told(error)}

    return run


def _ticking(leader: Leader, parts: Parts) -> Callable[..., dict[Any, Any]]:
    def run(code: Any, chosen: str | None, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        try:
            act = Act.read(event._data)
            shown = leadingacts.ticked(leader, Who.of(request, code), chosen, act.key, act.name == "pick")
            return {parts[name]: value for name, value in shown.items()}
        except Exception as error:
            return {parts["found_said"]: told(error)}

    return run


def _top() -> Parts:
    with gr.Row(equal_height=True):
        reviews = gr.Dropdown([], label="Review of yours, newest first", elem_id="leading-list", scale=4, min_width=240)
        again = gr.Button("Look again", size="sm", elem_id="leading-again", scale=1, min_width=110)
    return {"reviews": reviews, "again": again, "said": _html("said"), "standing": _html("standing")}


def _html(name: str, **more: Any) -> gr.HTML:
    return gr.HTML(elem_id=f"leading-{name.replace('_', '-')}", padding=False, **more)


def _book_form() -> Parts:
    head, book = _html("book_head"), _html("book")
    with gr.Row():
        use = gr.Button("Use this codebook", variant="primary", elem_id="leading-use", scale=0, min_width=330)
        upload = gr.UploadButton("Upload your own (YAML)", file_types=[".yaml", ".yml"], elem_id="leading-upload", scale=0, min_width=330)
    return {"book_head": head, "book": book, "use": use, "upload": upload, "book_said": _html("book_said")}


def _calibration_form() -> Parts:
    head = _html("calibration_head")
    with gr.Row(equal_height=True):
        raters = gr.CheckboxGroup([], label="Who calibrates", elem_id="leading-raters", scale=3, min_width=240)
        count = gr.Number(FIRST_PAIRS, label="Pairs of answers", precision=0, elem_id="leading-count", scale=1, min_width=130)
    with gr.Row():
        calibrate = gr.Button(OPEN_CALIBRATION, variant="primary", elem_id="leading-calibrate", scale=0, min_width=330)
    said, shown = _html("calibration_said"), _html("calibration", js_on_load=ACTS_JS)
    return {
        "calibration_head": head,
        "raters": raters,
        "count": count,
        "calibrate": calibrate,
        "calibration_said": said,
        "calibration": shown,
    }


def _coding_form() -> Parts:
    head = _html("coding_head")
    coders = gr.CheckboxGroup([], label="Who codes", elem_id="leading-coders")
    with gr.Row():
        code = gr.Button(OPEN_CODING, variant="primary", elem_id="leading-code", scale=0, min_width=330)
    return {"coding_head": head, "coders": coders, "code": code, "coding_said": _html("coding_said"), "coding": _html("coding")}


def _end_form() -> Parts:
    settling_head, settling = _html("settling_head"), _html("settling", js_on_load=ACTS_JS)
    found_head, said, found = _html("found_head"), _html("found_said"), _html("found", js_on_load=ACTS_JS)
    return {"settling_head": settling_head, "settling": settling, "found_head": found_head, "found_said": said, "found": found}
