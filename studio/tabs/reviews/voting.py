"""Take part: join a review, judge pairs blindly by mouse or keyboard, come back after a reload, withdraw.

The whole stage is one piece of HTML that the server writes anew after each press (taking.py). Its script keeps what is chosen but not
counted yet in the browser's session storage, and sends it with the press. A new page may reuse the old one's nodes, so the script sets every
field itself: a pair must never begin with the last one's votes.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY, named
from studio.tabs.reviews import taking
from studio.tabs.reviews.visitor import DRAFTS, Act, Kept, changed_js, together

MEMORY: dict[str, Any] = {"default_value": None, "storage_key": "politune-rater", "secret": "politune-studio"}
IS_KEPT = f"(kept, there) => [kept, localStorage.getItem('{MEMORY['storage_key']}') !== null]"
LEAD = (
    '<p class="ps-lead">Judge pairs of answers without knowing which model wrote them. Your votes are anonymous, and a receipt code takes '
    "them back at any time.</p>"
)
FORGET_JS = """told => {
  if (!told.includes("ps-good")) return;
  Object.keys(sessionStorage).filter(key => key.startsWith("DRAFTS")).forEach(key => sessionStorage.removeItem(key));
  CHANGED
}""".replace("DRAFTS", DRAFTS).replace("CHANGED", changed_js(MEMORY["storage_key"]))
BALLOT_JS = (
    together(MEMORY["storage_key"], "review")
    + """const VOTES = {1: "A", 2: "B", 3: "same", 4: "unsure", a: "A", b: "B", s: "same", u: "unsure"};
const LATE = "The studio has not answered yet, so nothing says that this is counted. Your choices are kept in this page: press again. " +
  "A pair never counts twice.";
const LATE_JOIN = "The studio has not answered yet. Press again: however often you press, you join once.";
const page = () => element.querySelector(".ps-ballot");
const fields = () => [...element.querySelectorAll("fieldset[data-asked]")];
const chosen = field => field.querySelector("input:checked")?.value;
const words = () => element.querySelector(".ps-comment textarea");
const primary = () => element.querySelector(".ps-ballot-foot .ps-primary");
const store = () => page()?.dataset.draft && "DRAFTS" + page().dataset.draft;
const filled = () => ({
  votes: Object.fromEntries(fields().filter(chosen).map(field => [field.dataset.asked, chosen(field)])), comment: words()?.value || "",
});
const now = () => fields().find(one => one.contains(document.activeElement)) || fields().find(one => !chosen(one));
const mark = () => { const at = now(); fields().forEach(one => one.classList.toggle("ps-now", one === at)); };
const save = () => { if (store()) sessionStorage.setItem(store(), JSON.stringify(filled())); };
let seen = "", waiting = 0, acted = "", live = document.getElementById("ps-live");
if (!live) {
  live = Object.assign(document.createElement("div"), {id: "ps-live", className: "ps-unseen"});
  live.setAttribute("role", "status");
  document.body.append(live);
}
const free = () => { clearTimeout(waiting); waiting = 0; element.classList.remove("ps-sent"); };
const complain = text => { const place = element.querySelector(".ps-missing"); if (place) place.textContent = text; };
const send = (act, more = {}) => {
  if (waiting || !page()) return;
  if (act === "join" && known !== signed()) return anew();
  acted = act;
  complain("");
  element.classList.add("ps-sent");
  waiting = setTimeout(() => { free(); complain(act === "join" ? LATE_JOIN : LATE); }, 8000);
  trigger("click", {act, review: page().dataset.review || "", item: page().dataset.item || "", ...more});
};
const vote = () => {
  const missing = fields().find(one => !chosen(one));
  if (!missing) return send("vote", filled());
  complain("Answer everything that is asked; “can’t tell” is an answer as well.");
  missing.querySelector("input").focus();
  mark();
};
const press = button => {
  const act = button.dataset.act;
  if (act === "vote") vote();
  else if (act === "join") send(act, {
    consent: element.querySelector(".ps-consent input").checked, politics: element.querySelector(".ps-politics")?.value || "",
    nonce: nonce(page().dataset.review),
  });
  else send(act, button.dataset.review ? {review: button.dataset.review} : {});
};
const restored = () => {
  fields().forEach(one => one.querySelectorAll("input").forEach(input => { input.checked = input.defaultChecked; }));
  if (words()) words().value = words().defaultValue;
  let kept = null;
  try { kept = store() && JSON.parse(sessionStorage.getItem(store())); } catch { return; }
  if (!kept) return;
  fields().forEach(one => one.querySelectorAll("input").forEach(input => { input.checked = kept.votes[one.dataset.asked] === input.value; }));
  if (words()) words().value = kept.comment;
};
const fresh = () => {
  const here = page();
  if (!here || here.dataset.new === seen) return;
  seen = here.dataset.new;
  free();
  if (here.dataset.counted) sessionStorage.removeItem("DRAFTS" + here.dataset.counted);
  restored();
  const told = here.querySelector(".ps-receipt");
  if (told) joined(here.dataset.review);
  if (acted === "begin" || (told && acted === "join")) changed();
  if (acted) {
    const head = here.querySelector("h2");
    live.textContent = [here.querySelector(".ps-ballot-said")?.textContent, head?.textContent].filter(Boolean).join(" ");
    element.scrollIntoView({block: "start"});
    (here.dataset.stage === "revealed" ? primary() : head)?.focus({preventScroll: true});
  }
  acted = "";
  mark();
};
const keys = event => {
  if (!element.isConnected) return document.removeEventListener("keydown", keys);
  const at = event.target, typing = at.matches("textarea, select, input:not([type=radio])");
  if (event.altKey || event.metaKey || event.isComposing || event.repeat || !element.getClientRects().length || !page()?.dataset.item) return;
  if (event.key === "Enter") {
    if (!element.contains(at) && at !== document.body) return;
    if (at.matches("button, summary, a") || (typing && !event.ctrlKey)) return;
    event.preventDefault();
    return press(primary());
  }
  const said = VOTES[event.key.toLowerCase()], field = now();
  if (!said || !field || typing || event.ctrlKey) return;
  event.preventDefault();
  field.querySelector(`input[value="${said}"]`).checked = true;
  save();
  (fields().find(one => !chosen(one))?.querySelector("input") || primary()).focus();
  mark();
};
element.addEventListener("click", event => { const found = event.target.closest("[data-act]"); if (found) press(found); });
element.addEventListener("input", () => { save(); mark(); });
element.addEventListener("focusin", mark);
document.addEventListener("keydown", keys);
new MutationObserver(fresh).observe(element, {childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["data-new"]});
fresh();""".replace("DRAFTS", DRAFTS)
)


def link_of(request: gr.Request) -> str:
    """The id of the review that the page's address names; "" where it names none."""
    return named(request, "review")


def build(services: Services, rater: gr.BrowserState) -> dict[str, Any]:
    """Lays out the stage and wires it. `rater` is made from MEMORY outside of all tabs, so that it is there when the page is loaded.

    Returns "attach" (the event for when the tab or the stage is opened: fn, inputs, outputs), and "restore", the same for the page's load.
    """
    box = services.box
    gr.HTML(LEAD, padding=False)
    page, there = gr.HTML(elem_id="ballot", padding=False, js_on_load=BALLOT_JS), gr.Checkbox(visible=False)
    with gr.Accordion("Withdraw your ballots", open=False, elem_id="withdraw"), gr.Row(equal_height=True):
        receipt = gr.Textbox(label="Receipt code", placeholder="ABCD-EFGH-JKLM", max_length=40, elem_id="withdraw-code", min_width=200)
        withdraw = gr.Button("Delete my ballots", elem_id="withdraw-press", min_width=160)
    told = gr.HTML(elem_id="withdraw-told", padding=False)

    def attach(kept: Any, there: bool, request: gr.Request) -> tuple[Any, Any]:
        if there and kept is None:
            return gr.skip(), gr.skip()  # the browser keeps something that it has not read yet; its reading is told soon after
        return _told(Kept.read(kept), taking.opened(box, Kept.read(kept), link_of(request)), request)

    def reread(kept: Any, request: gr.Request) -> tuple[Any, Any]:
        own = isinstance(kept, dict) and kept.get("page") == request.session_hash
        return (gr.skip(), gr.skip()) if own else attach(kept, False, request)

    def act(kept: Any, event: gr.EventData, request: gr.Request) -> tuple[Any, Any]:
        return _told(Kept.read(kept), taking.answer(box, Kept.read(kept), Act.read(event._data)), request)

    def take_back(code: str, kept: Any, request: gr.Request) -> tuple[Any, Any, str, str]:
        before = Kept.read(kept)
        said, shown, after = taking.withdrawn(box, before, code or "", before.last or link_of(request))
        return (*_told(before, (shown, after), request), said, "" if shown else code)

    page.click(act, rater, [page, rater], **QUIETLY)
    rater.change(reread, rater, [page, rater], **QUIETLY)
    for press in (withdraw.click, receipt.submit):
        press(take_back, [receipt, rater], [page, rater, told, receipt], **QUIETLY).then(None, told, None, js=FORGET_JS, **QUIETLY)
    opened = {"fn": attach, "inputs": [rater, there], "outputs": [page, rater], **QUIETLY}
    return {"attach": opened, "restore": {**opened, "js": IS_KEPT}, "page": page}


def _told(before: Kept, answered: tuple[str, Kept], request: gr.Request) -> tuple[Any, Any]:
    """Updates of the page and of what the browser keeps, which is written only where it changed."""
    page, after = answered
    kept = gr.skip() if after == before else {**after.as_dict(), "page": request.session_hash}
    return page or gr.skip(), kept
