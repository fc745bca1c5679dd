"""The script of the stage “Code answers”: marking words, keys, and what the browser keeps.

Presses go to the server one after another, each with the pair of the page on which it was made, so that none is lost or meets another pair.
Memos that are not kept yet stay in the browser's session storage, and so does the place to go on with after a reload. Places in a text are
counted in whole characters, not in the browser's halves of them.
"""

from __future__ import annotations

from studio.tabs.reviews import voting

PLACE = "politune-coding"
WHERE_JS = (
    "(kept, there, place) => { let at = null; try { at = JSON.parse(sessionStorage.getItem('PLACE')); } catch {} "
    "return [kept, localStorage.getItem('RATER') !== null, {...at, turn: `opened-${at?.turn || 0}`}]; }"
).replace("PLACE", PLACE).replace("RATER", voting.MEMORY["storage_key"])  # fmt: skip
CODING_JS = """const LATE = "The studio has not answered yet, so nothing says that this is kept. What you typed stays in this page: press again. " +
  "A code never counts twice.";
const page = () => element.querySelector(".ps-ballot");
const card = letter => element.querySelector(`.ps-card[data-letter="${letter}"]`);
const text = letter => card(letter)?.querySelector(".ps-text");
const memos = () => [...element.querySelectorAll(".ps-given textarea")];
const typing = on => on.matches("textarea, select, input, [contenteditable]");
const points = string => [...string].length;
const place = () => { try { return JSON.parse(sessionStorage.getItem("PLACE")) || {}; } catch { return {}; } };
const stay = more => sessionStorage.setItem("PLACE", JSON.stringify({...place(), ...more}));
let seen = "", waiting = 0, sent = null, queue = [], turn = place().turn || 0, item = "", at = "A", picked = null, telling = 0, folds = new Set();
let live = document.getElementById("ps-live");
if (!live) {
  live = Object.assign(document.createElement("div"), {id: "ps-live", className: "ps-unseen"});
  live.setAttribute("role", "status");
  document.body.append(live);
}
const complain = said => { const place = element.querySelector(".ps-missing"); if (place) place.textContent = said; };
const draft = (memo, here = page()) => {
  const of = memo.closest("li").dataset;
  return ["DRAFTSmemo", here.dataset.round, here.dataset.item, of.letter, of.code, of.start, of.end].join("-");
};
const push = (act, more = {}) => {
  const here = page().dataset;
  queue.push({act, round: here.round || "", item: here.item || "", version: here.version || "", ...more});
  go();
};
const go = () => {
  if (waiting || !queue.length) return;
  complain("");
  sent = {...queue.shift(), turn: String(++turn)};
  stay({turn});
  const held = document.activeElement;
  sent.held = element.contains(held) ? held.dataset.key || "" : "";
  waiting = setTimeout(() => { waiting = 0; queue = []; again(); complain(LATE); }, 8000);
  const {held: _, draft: __, ...told} = sent;
  element.classList.add("ps-unsaid");
  trigger("click", told);
};
const again = () => memos().forEach(memo => { delete memo.dataset.sent; });
const keep = memo => {
  const of = memo.closest("li").dataset;
  if (memo.value === memo.defaultValue || memo.dataset.sent === memo.value) return;
  memo.dataset.sent = memo.value;
  push("memo", {letter: of.letter, code: of.code, start: +of.start, end: +of.end, memo: memo.value, draft: draft(memo)});
};
const states = () => memos().forEach(memo => {
  const state = memo.parentNode.querySelector(".ps-memo-state");
  const said = memo.value === memo.defaultValue ? state.dataset.kept : "not kept yet";
  if (state.dataset.said === said) return;  // the words that are shown may be those of another language
  state.dataset.said = said;
  state.textContent = said;
});
const show = () => {
  for (const letter of "AB") {
    const own = card(letter), mine = picked?.letter === letter, target = own?.querySelector("[data-target]");
    if (!own) continue;
    own.classList.toggle("ps-now", letter === at && !page().dataset.fixed);
    if (!target) continue;
    const words = mine && (points(picked.words) > 60 ? [...picked.words].slice(0, 60).join("") + " …" : picked.words);
    target.textContent = mine ? `“${words}”` : "the whole answer";
    own.querySelector("[data-move=none]").hidden = !mine;
  }
  if (!window.CSS?.highlights || !window.Highlight) return;
  CSS.highlights.delete("ps-picked");
  if (picked) CSS.highlights.set("ps-picked", new Highlight(stretch(text(picked.letter), picked.begin, picked.finish)));
};
const stretch = (own, begin, finish) => {
  const range = document.createRange(), nodes = document.createTreeWalker(own, NodeFilter.SHOW_TEXT);
  range.selectNodeContents(own);
  for (let before = 0, node; (node = nodes.nextNode()); before += node.length) {
    if (begin >= before && begin <= before + node.length) range.setStart(node, begin - before);
    if (finish > before && finish <= before + node.length) range.setEnd(node, finish - before);
  }
  return range;
};
const pick = (letter, begin, finish) => {
  picked = letter ? {letter, begin, finish, words: text(letter).textContent.slice(begin, finish)} : null;
  if (letter) at = letter;
  show();
  clearTimeout(telling);
  telling = setTimeout(() => { live.textContent = picked ? `Marked in answer ${picked.letter}: ${picked.words}` : "Codes go to the whole answer"; }, 500);
};
const grasp = () => {
  const chosen = document.getSelection();
  if (!element.isConnected) return document.removeEventListener("selectionchange", grasp);
  if (!chosen.rangeCount || chosen.isCollapsed || !page()?.dataset.item || page().dataset.fixed) return;
  const own = ["A", "B"].map(text).find(one => one?.contains(chosen.anchorNode)) || ["A", "B"].map(text).find(one => one?.contains(chosen.focusNode));
  if (!own) return;
  const range = chosen.getRangeAt(0).cloneRange(), all = document.createRange();
  all.selectNodeContents(own);
  if (range.compareBoundaryPoints(Range.START_TO_START, all) < 0) range.setStart(all.startContainer, all.startOffset);
  if (range.compareBoundaryPoints(Range.END_TO_END, all) > 0) range.setEnd(all.endContainer, all.endOffset);
  all.setEnd(range.startContainer, range.startOffset);
  const raw = range.toString(), begin = all.toString().length + raw.length - raw.trimStart().length, words = raw.trim();
  if (words) pick(own.closest("[data-letter]").dataset.letter, begin, begin + words.length);
};
const step = (letter, move) => {
  if (move === "none") return pick("");
  const words = [...text(letter).textContent.matchAll(/\\S+/g)].map(word => [word.index, word.index + word[0].length]);
  if (!words.length) return;
  let from = move === "back" ? words.length - 1 : 0, to = from;
  if (picked?.letter === letter) {
    from = words.findIndex(word => word[1] > picked.begin);
    to = words.filter(word => word[0] < picked.finish).length - 1;
    if (move === "on") from = to = Math.min(to + 1, words.length - 1);
    if (move === "back") from = to = Math.max(from - 1, 0);
    if (move === "more") to = Math.min(to + 1, words.length - 1);
    if (move === "less") to = Math.max(to - 1, from);
  }
  document.getSelection().removeAllRanges();
  pick(letter, words[from][0], words[to][1]);
};
const code = chip => {
  const letter = chip.closest("[data-letter]").dataset.letter, whole = {letter, code: chip.dataset.code, start: -1, end: -1};
  at = letter;
  if (picked?.letter !== letter) return push(chip.getAttribute("aria-pressed") === "true" ? "take" : "give", whole);
  const before = text(letter).textContent.slice(0, picked.begin), start = points(before);
  push("give", {...whole, start, end: start + points(picked.words), words: picked.words});
};
const press = button => {
  const of = button.dataset, row = button.closest("li[data-code]")?.dataset;
  if ("jump" in of) {
    const place = of.jump ? card(at).querySelector("h3") : element.querySelector(".ps-codebook h3");
    place.scrollIntoView({block: "start"});
    return place.focus({preventScroll: true});
  }
  if (of.move) { at = button.closest("[data-letter]").dataset.letter; return step(at, of.move); }
  memos().forEach(keep);
  if (of.code && !of.act) return code(button);
  if (of.act === "take") return push("take", {letter: row.letter, code: row.code, start: +row.start, end: +row.end});
  if (of.act === "give") return push("give", {letter: of.letter, code: of.code, start: +of.start, end: +of.end, memo: of.memo || ""});
  push(of.act, of.round ? {round: of.round, item: ""} : {});
};
const settle = act => {
  if (act.act === "give" && act.words) { picked = null; document.getSelection().removeAllRanges(); }
  if (act.act === "memo" && sessionStorage.getItem(act.draft) === act.memo) sessionStorage.removeItem(act.draft);
  if (act.act === "take" && page().dataset.item === act.item) {
    sessionStorage.removeItem(["DRAFTSmemo", act.round, act.item, act.letter, act.code, act.start, act.end].join("-"));
  }
};
const restored = () => memos().forEach(memo => {
  const wanted = sessionStorage.getItem(draft(memo)) ?? memo.defaultValue;
  if (memo.value !== wanted) memo.value = wanted;
});
const focus = (act, here, moved) => {
  const head = here.querySelector("h2"), error = here.querySelector(".ps-error");
  live.textContent = [...here.querySelectorAll(".ps-ballot-said, .ps-code-said")].map(one => one.textContent.trim()).concat(moved && head ? head.textContent : [])
    .filter(Boolean).join(" ");
  if (moved) { element.scrollIntoView({block: "start"}); return head?.focus({preventScroll: true}); }
  error?.scrollIntoView({block: "nearest"});
  if (document.activeElement !== document.body || !act.held) return;
  const again = element.querySelector(`[data-key="${CSS.escape(act.held)}"]`) || card(act.letter)?.querySelector("h3");
  again?.focus({preventScroll: true});
};
const fresh = () => {
  const here = page();
  if (!here || here.dataset.new === seen) return;
  seen = here.dataset.new;
  const said = here.dataset, where = [said.round, said.item, said.stage].join(), moved = where !== item;
  const act = sent && said.turn === sent.turn ? sent : null;
  const opening = said.turn?.startsWith("opened-");
  // The stage was opened before the last press and is told only now: the page of that press stands.
  if (opening && said.turn !== `opened-${turn}`) { const {round, item} = place(); return waiting ? 0 : push(round ? "look" : "list", {round, item}); }
  if (act || !said.turn || opening) { clearTimeout(waiting); waiting = 0; sent = null; element.classList.remove("ps-unsaid"); }
  if (moved) { picked = null; at = "A"; item = where; }
  if (act && said.kept) settle(act);
  // Nothing goes on over what failed.
  if (act && !said.kept && ["give", "take", "memo", "done"].includes(act.act)) queue = [];
  if (!queue.length) again();
  stay({round: said.round || "", item: said.item || ""});
  element.querySelectorAll("[data-fold]").forEach(fold => { fold.open = folds.has(fold.dataset.fold); });
  restored();
  states();
  show();
  if (act) focus(act, here, moved);
  go();
};
const keys = event => {
  if (!element.isConnected) return document.removeEventListener("keydown", keys);
  const on = event.target, key = event.key.toLowerCase(), arrow = {arrowright: "on", arrowleft: "back"}[key];
  if (event.altKey || event.metaKey || event.ctrlKey || event.isComposing || typing(on)) return;
  if (!page()?.dataset.item || !element.getClientRects().length || !(element.contains(on) || on.matches("body, [role=tab]"))) return;
  if (arrow && on.matches(".ps-text") && !page().dataset.fixed) {
    event.preventDefault();
    return step(on.closest("[data-letter]").dataset.letter, event.shiftKey ? {on: "more", back: "less"}[arrow] : arrow);
  }
  if (event.repeat) return;
  if (key === "escape" && picked) { document.getSelection().removeAllRanges(); return pick(""); }
  if (key === "enter" && !on.matches("button, summary, a")) { event.preventDefault(); return press(element.querySelector(".ps-ballot-foot .ps-primary")); }
  if (key === "a" || key === "b") { event.preventDefault(); at = key.toUpperCase(); text(at).focus(); return show(); }
  const chip = card(at)?.querySelector(`.ps-code[data-hot="${CSS.escape(key)}"]`);
  if (chip) { event.preventDefault(); press(chip); }
};
element.addEventListener("click", event => {
  const fold = event.target.closest("summary")?.parentNode;
  if (fold) return setTimeout(() => folds[fold.open ? "add" : "delete"](fold.dataset.fold));
  const found = event.target.closest("[data-act], [data-move], [data-jump], .ps-code");
  if (found) return press(found);
  if (event.target.closest(".ps-text") && document.getSelection().isCollapsed && picked) pick("");
});
// A code pressed by mouse takes neither the marked words nor the focus, so that Enter after it means the pair.
element.addEventListener("mousedown", event => {
  if (!event.target.closest(".ps-code, [data-move]")) return;
  event.preventDefault();
  const held = document.activeElement;
  if (!element.contains(held)) element.querySelector("h2").focus({preventScroll: true});
  else if (typing(held)) held.blur();
});
element.addEventListener("focusin", event => {
  const own = event.target.closest("[data-letter]")?.dataset.letter;
  if (own && own !== at) { at = own; show(); }
});
element.addEventListener("input", event => {
  if (!event.target.matches(".ps-given textarea")) return;
  sessionStorage.setItem(draft(event.target), event.target.value);
  states();
});
element.addEventListener("change", event => { if (event.target.matches(".ps-given textarea")) keep(event.target); });
document.addEventListener("selectionchange", grasp);
document.addEventListener("keydown", keys);
new MutationObserver(fresh).observe(element, {childList: true, subtree: true, attributes: true, attributeFilter: ["data-new"]});
fresh();""".replace("DRAFTS", voting.DRAFTS).replace("PLACE", PLACE)
