"""What a phone does itself: sends one tap, waits for the answer, and says so where none comes. Nothing hidden is ever in its page."""

from __future__ import annotations

from typing import Any

from studio.tabs.reviews.visitor import together

MEMORY: dict[str, Any] = {"default_value": None, "storage_key": "politune-class", "secret": "politune-studio"}
# A tap is sent at once; the page that comes back says what is counted. Roles of a guess are kept apart while they are chosen, and lie in the
# browser's session until they are sent, so that a reload keeps them. Digits press the choices, where no field is being typed into.
PLAY_JS = (
    together(MEMORY["storage_key"], "class")
    + """const page = () => element.querySelector(".ps-ballot");
const fields = () => [...element.querySelectorAll("fieldset[data-letter]")];
const chosen = field => field.querySelector("input:checked")?.value;
const free = () => fields().filter(field => !chosen(field));
const guess = () => Object.fromEntries(fields().filter(chosen).map(field => [field.dataset.letter, chosen(field)]));
const input = (field, role) => field.querySelector(`input[value="${role}"]`);
const key = () => `politune-class-${page().dataset.class}-${page().dataset.card}`;
let seen = "", acted = "", waiting = 0, sure = 0;
const complain = text => { const place = element.querySelector(".ps-missing"); if (place) place.textContent = text; };
const open = () => { clearTimeout(waiting); waiting = 0; element.classList.remove("ps-sent"); };
const send = (act, more) => {
  if (waiting) return;
  if (act === "join" && known !== signed()) return anew();
  acted = act;
  element.classList.add("ps-sent");
  waiting = setTimeout(() => { open(); complain("The studio has not answered yet. Tap again; nothing counts twice."); }, 8000);
  trigger("click", {act, class: page().dataset.class || "", card: page().dataset.card || "", ...more});
};
const settle = changed => {
  const role = chosen(changed);
  fields().forEach(field => { if (field !== changed && chosen(field) === role) input(field, role).checked = false; });
  const left = ["left", "right", "placebo"].filter(one => !fields().some(field => chosen(field) === one));
  if (free().length === 1 && left.length === 1) input(free()[0], left[0]).checked = true;
  try { sessionStorage.setItem(key(), JSON.stringify(guess())); } catch {}
  complain("");
};
const press = button => {
  const act = button.dataset.act, more = {};
  if (act === "join") Object.assign(more, {
    code: element.querySelector(".ps-class-code input").value, consent: element.querySelector(".ps-consent input").checked,
    nonce: nonce(page().dataset.class)
  });
  if (act === "choose") more.said = button.dataset.letter || Number(button.dataset.choice);
  if (act === "lock") {
    if (free().length) { complain("Say something of every answer first."); input(free()[0], "left").focus(); return; }
    more.said = guess();
  }
  if (act === "delete" && !sure) {
    sure = setTimeout(() => { sure = 0; button.textContent = button.dataset.text; }, 6000);
    button.dataset.text = button.textContent;
    button.textContent = "Tap again to delete them";
    return;
  }
  send(act, more);
};
element.addEventListener("click", event => { const button = event.target.closest("[data-act]"); if (button) press(button); });
element.addEventListener("change", event => { const field = event.target.closest("fieldset[data-letter]"); if (field) settle(field); });
element.addEventListener("keydown", event => {
  if (event.key === "Enter" && event.target.closest(".ps-class-code")) element.querySelector("[data-act='join']")?.click();
});
const digits = event => {
  if (!element.isConnected) return document.removeEventListener("keydown", digits);
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select")) return;
  element.querySelectorAll("[data-act='choose']")[Number(event.key) - 1]?.click();
};
document.addEventListener("keydown", digits);
const fresh = () => {
  const here = page();
  if (!here || here.dataset.new === seen) return;
  const first = !seen;
  seen = here.dataset.new;
  open();
  if (here.dataset.stage === "in") joined(here.dataset.class);
  if ((acted === "join" && here.dataset.stage === "in") || (acted === "delete" && here.dataset.stage === "door")) changed();
  if (fields().length) {
    let kept = {};
    try { kept = JSON.parse(sessionStorage.getItem(key())) || {}; } catch {}
    fields().forEach(field => {
      const own = field.dataset.own || kept[field.dataset.letter];
      field.querySelectorAll("input").forEach(one => { one.checked = own === one.value; });
    });
  }
  const said = acted === "choose" || acted === "lock";
  if (!first && !said) { element.scrollIntoView({block: "start"}); here.querySelector("h2")?.focus({preventScroll: true}); }
  acted = "";
};
new MutationObserver(fresh).observe(element, {childList: true, subtree: true, attributes: true, attributeFilter: ["data-new"]});
fresh();"""
)
