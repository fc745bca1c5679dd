() => {
  // Words of our own texts explain themselves where they stand. Gradio redraws a text by comparing it with the new one node by node,
  // so what is added here goes when the text changes and is added again; names of fields get a question mark beside them instead.
  const list = document.getElementById("ps-glossary");
  if (!list || window.psGlossary) return;
  const TEXTS = ".ps-lead, .ps-note, .ps-info, .ps-good, .ps-alarm, .ps-legend p, .ps-plan dt, .ps-table th, .ps-levers dt, .ps-said, .ps-outcome, " +
    "#lights .ps-light-words, .ps-terms";
  const NEVER = "button, a, summary, input, textarea, select, label, legend, code, pre, q, h1, h2, h3, h4, td, [role=button], [role=status], [role=alert], " +
    "[aria-live], [aria-busy=true], [role=progressbar], [tabindex], [data-pick], [title], .ps-head, .ps-question, .ps-text, .ps-card, .ps-taught, .ps-ballot, " +
    ".ps-format, .ps-clip, .ps-hash, .ps-steps, #panes, #mirror-panes, #rows, #ballot, #coding, #guess, #ps-help, #ps-tour, #ps-says, .ps-no-terms";
  const QUIET = "#panes, #mirror-panes, #state-lights, #ps-help, .js-plotly-plot, #compare-status";  // they change often and hold no words for us
  let words = JSON.parse(list.dataset.found), labels = Object.entries(JSON.parse(list.dataset.labels)), known, any;
  const learn = () => {  // words of a script without spaces are found within others
    const spellings = Object.keys(words).sort((a, b) => b.length - a.length).map(one => one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const either = spellings.map(one => /^[\x00-\u024f\s]*$/.test(one) ? `(?<![\\p{Script=Latin}\\p{N}_-])${one}(?![\\p{Script=Latin}\\p{N}_-])` : one);
    known = new RegExp(`(${either.join("|")})`, "giu");
    any = new RegExp(known.source, "iu");  // a first look: asking whether something is seen costs more
  };
  learn();
  const scopeOf = element => element.closest("[role=tabpanel]") ?? document.body;
  const stats = window.psGlossary = {passes: 0, milliseconds: 0, slowest: 0};
  let taken = new Map();

  const isFree = (element, key) => {
    if (!key) return false;
    const scope = scopeOf(element);
    if (!taken.has(scope)) taken.set(scope, new Set());
    return !taken.get(scope).has(key) && Boolean(taken.get(scope).add(key));
  };
  const asking = (tag, key) => {
    const made = document.createElement(tag);
    made.dataset.term = key;
    made.setAttribute("aria-expanded", "false");
    made.setAttribute("aria-describedby", `ps-says-${key}`);
    return made;
  };
  const wrap = (node, at, text) => {
    const word = node.splitText(at), made = asking("span", words[text.toLowerCase()]);
    word.splitText(text.length);
    made.className = "ps-term";
    made.setAttribute("role", "button");
    made.tabIndex = 0;
    made.textContent = text;
    word.replaceWith(made);
  };
  const inText = node => {
    const chosen = [...node.data.matchAll(known)].filter(found => isFree(node.parentElement, words[found[1].toLowerCase()]));
    for (const found of chosen.reverse()) wrap(node, found.index, found[1]);  // from the end, so that places before stay
  };
  const inTexts = () => {
    for (const element of document.querySelectorAll(TEXTS)) {
      if (!any.test(element.textContent) || element.closest(NEVER) || !element.closest(".html-container") || !element.checkVisibility()) continue;
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT), nodes = [];
      while (walker.nextNode()) nodes.push(walker.currentNode);
      for (const node of nodes) {
        if (any.test(node.data) && !node.parentElement.closest(NEVER) && node.parentElement.checkVisibility()) inText(node);
      }
    }
  };
  const beside = (block, span) => {
    const mark = block.querySelector(":scope > .ps-ask");
    const range = document.createRange();
    range.selectNodeContents(span);
    const lines = range.getClientRects(), line = lines[lines.length - 1], box = block.getBoundingClientRect();
    if (!mark || !line) return;
    mark.style.left = `${Math.max(0, Math.min(line.right - box.left + 3, box.width - 26))}px`;
    mark.style.top = `${line.top - box.top + line.height / 2 - 12}px`;
  };
  const widths = new ResizeObserver(entries => {
    for (const {target} of entries) {
      const span = target.querySelector("[data-testid=block-info]");
      if (span && target.querySelector(":scope > .ps-ask")) beside(target, span);
    }
  });
  const meaning = text => labels.find(([label]) => text.startsWith(label))?.[1] ?? words[[...text.matchAll(known)][0]?.[1].toLowerCase()];
  const inLabels = () => {
    for (const span of document.querySelectorAll(".gradio-container [data-testid=block-info]")) {
      const block = span.closest(".block"), text = span.textContent.trim();
      const mark = block?.querySelector(":scope > .ps-ask");
      if (!block || mark?.dataset.label === text || span.closest(".ps-no-terms")) continue;
      mark?.remove();
      const key = meaning(text);
      if (!key || !block.checkVisibility() || !isFree(block, key)) continue;
      const made = asking("button", key);
      made.type = "button";
      made.className = "ps-ask";
      made.textContent = "?";
      made.dataset.label = text;
      made.setAttribute("aria-label", `What does “${list.querySelector(`[data-word="${key}"] dt`).textContent}” mean?`);
      block.append(made);
      beside(block, span);
      widths.observe(block);
    }
  };
  const pass = () => {
    const begun = performance.now();
    taken = new Map();
    for (const one of document.querySelectorAll("[data-term]")) if (one.checkVisibility()) isFree(one, one.dataset.term);
    inTexts();
    inLabels();
    changes.takeRecords();
    if (anchor && !anchor.isConnected) close();
    const took = performance.now() - begun;
    stats.passes += 1;
    stats.milliseconds += took;
    stats.slowest = Math.max(stats.slowest, took);
  };
  let waiting = 0;
  const idle = window.requestIdleCallback ?? (work => setTimeout(work, 1));
  const soon = () => {
    if (waiting) return;
    waiting = setTimeout(() => idle(() => { waiting = 0; pass(); }, {timeout: 1000}), 250);
  };
  const changes = new MutationObserver(records => {
    if (records.some(one => one.target.nodeType === 1 && !one.target.closest(QUIET))) soon();
  });

  // The explanation: one box for all words, near the word, in nobody's way.
  const box = document.createElement("div");
  box.id = "ps-says";
  box.className = "ps-says";
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  (document.querySelector("main") ?? document.body).append(box);
  let anchor = null, isPinned = false, leaving = 0;

  const place = () => {
    if (!anchor) return;
    const at = anchor.getClientRects()[0], wide = box.offsetWidth, tall = box.offsetHeight;
    if (!at || at.bottom < 0 || at.top > innerHeight) return close();
    const below = at.bottom + 6 + tall <= innerHeight || at.top < tall + 6;
    box.style.left = `${Math.max(8, Math.min(at.left, document.documentElement.clientWidth - wide - 8))}px`;
    box.style.top = `${below ? at.bottom + 6 : at.top - tall - 6}px`;
  };
  const open = (word, pinned) => {
    if (anchor !== word) close();
    clearTimeout(leaving);
    const entry = list.querySelector(`[data-word="${word.dataset.term}"]`), name = document.createElement("b");
    name.textContent = entry.querySelector("dt").textContent;
    box.replaceChildren(name, " ", entry.querySelector("dd").textContent);
    anchor = word;
    isPinned = pinned || isPinned;
    word.setAttribute("aria-expanded", "true");
    box.hidden = false;
    place();
  };
  const close = () => {
    clearTimeout(leaving);
    anchor?.setAttribute("aria-expanded", "false");
    anchor = null;
    isPinned = false;
    box.hidden = true;
  };
  const asked = event => event.target.closest?.("[data-term]");
  document.addEventListener("click", event => {
    const word = asked(event);
    if (word) {
      event.preventDefault();
      if (word === anchor && isPinned) close(); else open(word, true);
    } else if (anchor && !event.target.closest?.("#ps-says")) close();
    soon();
  });
  document.addEventListener("keydown", event => {
    if (event.key === "Escape" && anchor) {
      event.stopPropagation();
      close();
    } else if ((event.key === "Enter" || event.key === " ") && event.target.matches?.(".ps-term")) {
      event.preventDefault();
      event.target.click();
    }
  }, true);
  document.addEventListener("pointerover", event => {
    if (event.pointerType !== "mouse") return;
    const word = asked(event);
    if (word && word !== anchor && !isPinned) open(word, false);
    else if (word === anchor || event.target.closest?.("#ps-says")) clearTimeout(leaving);
  });
  document.addEventListener("pointerout", event => {
    if (event.pointerType !== "mouse" || !anchor || isPinned || !event.target.closest?.("[data-term], #ps-says")) return;
    leaving = setTimeout(() => { if (!isPinned) close(); }, 250);
  });
  document.addEventListener("focusout", event => { if (asked(event) === anchor) close(); });
  addEventListener("scroll", place, {capture: true, passive: true});
  addEventListener("resize", place);

  // The list at the foot: only what matches the search is shown.
  const search = list.querySelector("input"), said = list.querySelector("[role=status]"), entries = [...list.querySelectorAll("[data-word]")];
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    for (const one of entries) one.hidden = !one.textContent.toLowerCase().includes(wanted);
    const left = entries.filter(one => !one.hidden).length;
    said.textContent = !wanted ? "" : left ? `${left} of ${entries.length} words` : "No word fits. Try a shorter one.";
  });
  document.addEventListener("toggle", soon, true);
  const {ready, say} = window.psLanguage ?? {ready: Promise.resolve(), say: text => text};
  ready.then(() => {  // another language has other words for the same things
    words = Object.fromEntries(Object.entries(words).map(([spelling, key]) => [say(spelling).toLowerCase(), key]));
    labels = labels.map(([label, key]) => [say(label), key]);
    learn();
    changes.observe(document.querySelector(".gradio-container") ?? document.body, {childList: true, subtree: true});
    soon();
  });
}
