() => {
  // Says the page's own texts in the chosen language, wherever Gradio or a script of ours puts them. What people and models wrote stays.
  // pipelines/languages finds a text in the same way; a browser test holds the two to each other.
  const KEY = "politune-language", pick = document.querySelector(".ps-language");
  if (!pick || window.psLanguage) return;
  const versions = JSON.parse(pick.dataset.languages);
  const kept = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const own = () => Object.keys(versions).find(one => navigator.languages.some(told => told.split("-")[0] === one.split("-")[0] && told === navigator.languages[0]));
  const asked = new URLSearchParams(location.search).get("language") ?? kept() ?? own();
  const code = asked in versions ? asked : "en";
  pick.value = code;
  document.addEventListener("change", event => {
    if (!event.target.matches?.(".ps-language")) return;
    try { localStorage.setItem(KEY, event.target.value); } catch { /* it holds for this visit */ }
    const there = new URL(location.href);
    there.searchParams.delete("language");
    if (kept() !== event.target.value) there.searchParams.set("language", event.target.value);
    history.replaceState(null, "", there);
    location.reload();
  });
  if (code === "en") {
    window.psLanguage = {code, say: text => text, ready: Promise.resolve()};
    return;
  }

  // How a text is found: as it stands, by a pattern, sentence by sentence, part by part.
  const TAG = /<(\/?)([a-z]+)>/g, WORD = /[A-Za-z]{2,}/, SLOT = /\{(#?\d|s)\}/, DEEPEST = 4;
  const NUMBER = "([-−+±≥≤<>~]?\\s?\\d(?:[\\d,.]*\\d)?%?)", ANYTHING = "(.+?)", PLURAL = "(?:s|es)?";
  const SENTENCE = /(?<=[.!?…])\s+(?=[A-Z“‘(\d<])/, BOUNDARY = /[.!?…]\s+(?=[A-Z“‘\d])/, VERBATIM = /<(?:code|kbd|q)>\{(\d)\}<\//g;
  const BRACKETED = /^(.+?) \(([^()]+)\)$/s;
  const ENDS = {".": "。", ":": "：", "…": "…", "?": "？", "!": "！", ",": "，"};
  const JOINTS = [[" · ", " · "], ["; ", "；"], [": ", "："], [" – ", " – "], [" | ", " | "], [", ", "，"]];
  let exact = new Map(), patterns = [];
  const found = new Map();  // texts asked before
  const slot = name => name === "s" ? PLURAL : name[0] === "#" ? NUMBER : ANYTHING;
  const escaped = text => text.replace(/[.*+?^${}()|[\]\\\/-]/g, "\\$&");
  const pattern = (source, target) => {
    const parts = source.split(SLOT), plain = parts.filter((_, at) => at % 2 === 0);
    const needed = plain.reduce((a, b) => b.length > a.length ? b : a).toLowerCase();
    const names = parts.filter((name, at) => at % 2 && name !== "s");
    const text = parts.map((part, at) => at % 2 ? slot(part) : escaped(part)).join("");
    const verbatim = new Set([...names.filter(name => name[0] === "#"), ...[...source.matchAll(VERBATIM)].map(one => one[1])]);
    let regex = null;
    return {source, target, needed, names, verbatim, literal: plain.join("").length, match: core => (regex ??= new RegExp(`^(?:${text})$`, "is")).exec(core)};
  };
  const load = texts => {
    for (const [spelled, target] of Object.entries(texts)) {
      const source = plain(spelled);
      if (SLOT.test(source)) patterns.push(pattern(source, target)); else exact.set(source, target);
    }
    patterns.sort((a, b) => b.literal - a.literal || (a.source < b.source ? -1 : 1));
  };
  const otherCase = letter => letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase();
  const asItStands = core => exact.get(core) ?? exact.get(otherCase(core[0]) + core.slice(1)) ?? null;
  const byPattern = (core, depth) => {
    if (depth > DEEPEST) return null;
    const lower = core.toLowerCase();
    for (const one of patterns) {
      if (one.literal > core.length || !lower.includes(one.needed)) continue;
      const groups = one.match(core)?.slice(1);
      if (!groups || groups.some(text => BOUNDARY.test(text))) continue;
      const values = Object.fromEntries(one.names.map((name, at) => [name, one.verbatim.has(name) ? groups[at] : say(groups[at], depth + 1) ?? groups[at]]));
      return one.target.split(SLOT).map((part, at) => at % 2 ? values[part] ?? "" : part).join("");
    }
    return null;
  };
  const known = (core, depth) => {
    const whole = asItStands(core) ?? byPattern(core, depth), last = core.at(-1), shorter = core.slice(0, -1).trimEnd();
    if (whole !== null || !(last in ENDS) || !shorter) return whole;
    const said = asItStands(shorter) || byPattern(shorter, depth);
    return said === null ? null : said + ENDS[last];
  };
  const joined = (parts, joint, depth) => {
    if (parts.length < 2) return null;
    const said = parts.map(part => say(part, depth + 1));
    if (!said.some((one, at) => one !== null && WORD.test(parts[at]))) return null;
    return said.reduce((whole, one, at) => whole + (!at ? "" : one !== null && said[at - 1] !== null ? joint : joint || " ") + (one ?? parts[at]), "");
  };
  const inParts = (core, depth) => {
    for (const [joint, other] of JOINTS) {
      const whole = core.includes(joint) ? joined(core.split(joint), other, depth) : null;
      if (whole !== null) return whole;
    }
    const match = BRACKETED.exec(core);
    if (!match) return null;
    const [outer, inner] = [say(match[1], depth + 1), say(match[2], depth + 1)];
    return outer !== null && WORD.test(match[1]) ? `${outer}（${inner || match[2]}）` : null;
  };
  const isBalanced = text => {
    const opened = [];
    return [...text.matchAll(TAG)].every(tag => tag[1] ? opened.pop() === tag[2] : opened.push(tag[2])) && !opened.length;
  };
  const tagged = (core, depth) => {
    const parts = core.split(SENTENCE);
    const said = parts.length > 1 && parts.every(isBalanced) ? parts.map(part => say(part, depth + 1)) : [null];
    return said.includes(null) ? null : said.join("");
  };
  const say = (text, depth = 0) => {
    const core = text.trim();
    if (!WORD.test(core)) return text;
    const key = `${depth} ${core}`;
    if (!found.has(key)) {
      let said = known(core, depth);
      if (said === null && depth < DEEPEST) said = core.search(TAG) < 0 ? joined(core.split(SENTENCE), "", depth) || inParts(core, depth) : tagged(core, depth);
      if (found.size > 20000) found.clear();
      found.set(key, said || null);
    }
    const said = found.get(key);
    return said === null ? null : text.replace(core, () => said);
  };

  // Where texts stand: runs of text with their inline tags, some attributes, and what a list of choices shows.
  const INLINE = "a, abbr, b, code, em, i, kbd, mark, q, small, strong, sub, sup, u", OPAQUE = "code, kbd, q";
  const CONTENT = "[translate=no], [lang=en], .ps-text, .ps-clip, .ps-taught-words, script, style, pre, code";  // what models, people and data say
  const NEVER = `${CONTENT}, textarea, [contenteditable=true], kbd, q`;
  const ATTRIBUTES = ["placeholder", "title", "aria-label", "alt", "aria-valuetext", "aria-description", "data-tip"];
  const isInline = node => node.nodeType === 3 ||
    (node.nodeType === 1 && node.matches(INLINE) && !node.matches("[translate=no], [lang=en]") && [...node.childNodes].every(isInline));
  const spelled = node => node.nodeType === 3 ? node.data
    : `<${node.localName}>${[...node.childNodes].map(spelled).join("")}</${node.localName}>`;
  const elementsIn = nodes => nodes.flatMap(node => node.nodeType === 1 ? [node, ...elementsIn([...node.childNodes])] : []);
  const built = (text, elements) => {
    const root = [[]], opened = [];
    let at = 0;
    for (const tag of text.matchAll(TAG)) {
      if (tag.index > at) root.at(-1).push(document.createTextNode(text.slice(at, tag.index)));
      at = tag.index + tag[0].length;
      if (!tag[1]) { root.push([]); opened.push(tag[2]); continue; }
      if (opened.pop() !== tag[2]) return null;
      const inner = root.pop(), place = elements.findIndex(one => one.localName === tag[2]);
      if (place < 0) return null;
      root.at(-1).push([elements.splice(place, 1)[0], inner]);
    }
    if (at < text.length) root.at(-1).push(document.createTextNode(text.slice(at)));
    return opened.length ? null : root[0];
  };
  const placed = parts => parts.map(part => {
    if (part.nodeType) return part;
    part[0].replaceChildren(...placed(part[1]));
    return part[0];
  });
  const sayRun = nodes => {
    const whole = nodes.map(spelled).join("");
    if (!WORD.test(whole)) return;
    if (nodes.length === 1 && nodes[0].nodeType === 3) {
      const said = say(plain(whole));
      if (said !== null && said !== whole) nodes[0].data = said;
      return;
    }
    const lead = /^\s*/.exec(whole)[0], said = say(plain(whole).trim());
    const parts = said === null ? null : built(lead + said + /\s*$/.exec(whole)[0], elementsIn(nodes));
    if (parts) {
      const next = nodes.at(-1).nextSibling, parent = nodes[0].parentNode, made = placed(parts);
      for (const node of nodes) if (node.parentNode === parent && !made.includes(node)) node.remove();
      for (const node of made) parent.insertBefore(node, next);
      return;
    }
    for (const node of nodes) if (node.nodeType === 3) sayRun([node]); else if (!node.matches(OPAQUE)) sayInside(node);
  };
  const sayInside = element => {
    let run = [];
    const end = () => { if (run.length) sayRun(run); run = []; };
    for (const node of [...element.childNodes]) {
      if (isInline(node)) { run.push(node); continue; }
      end();
      if (node.nodeType === 1) sayAll(node);
    }
    end();
  };
  const plain = text => text.replace(/\s+/g, " ");
  const broken = (text, count) => {  // as many lines as before, about equally long, never within a number or a Latin word
    const parts = text.split(/(?<![\w.,%+−-])|(?![\w.,%+−-])/), found = Array(count).fill("");
    for (let at = 0, done = 0; at < parts.length; done += parts[at].length, at += 1) found[Math.min(count - 1, Math.floor(done * count / text.length))] += parts[at];
    return found;
  };
  const sayLines = element => {  // a text that a plot has broken into lines is one
    const lines = [...element.querySelectorAll(":scope > tspan.line")], each = lines.map(one => say(plain(one.textContent)));
    const said = lines.length > 1 && each.includes(null) ? say(plain(lines.map(one => one.textContent).join(" "))) : null;
    if (said === null) return sayInside(element);
    broken(said, lines.length).forEach((part, at) => { lines[at].textContent = part; });
  };
  const sayAttributes = element => {
    for (const name of ATTRIBUTES) {
      const text = element.getAttribute(name), said = text && WORD.test(text) ? say(text) : null;
      if (said !== null && said !== text) element.setAttribute(name, said);
    }
  };
  const sayAll = element => {
    if (element.matches(CONTENT)) return;
    sayAttributes(element);
    if (element.matches("svg text")) sayLines(element); else if (!element.matches("textarea")) sayInside(element);
  };
  const shown = new WeakMap();  // what a list of choices holds while it shows something else
  const sayChoices = () => {
    for (const input of document.querySelectorAll("input[role=combobox]")) {
      if (input.closest("[translate=no]") || shown.get(input)?.said === input.value) continue;
      const said = say(input.value);
      if (said === null || said === input.value) continue;
      shown.set(input, {text: input.value, said});
      input.value = said;
    }
  };
  document.addEventListener("beforeinput", ({target}) => {
    const one = shown.get(target);
    if (one && target.value === one.said) target.value = one.text;
    shown.delete(target);
  }, true);

  const stats = {passes: 0, milliseconds: 0, slowest: 0};
  const changes = new MutationObserver(records => {
    const begun = performance.now(), places = new Set();
    for (const {type, target, addedNodes} of records) {
      if (type === "attributes") { if (!target.closest(NEVER)) sayAttributes(target); continue; }
      if (type === "childList" && !addedNodes.length) continue;
      let place = type === "characterData" ? target.parentElement : target;
      while (place?.matches(INLINE) && place.parentElement && isInline(place)) place = place.parentElement;
      place = place?.closest("svg text") ?? place;
      if (place?.isConnected && !place.closest(NEVER)) places.add(place);
      for (const node of addedNodes) if (node.nodeType === 1 && node.isConnected && !node.closest(NEVER) && !isInline(node)) sayAll(node);
    }
    for (const place of places) if (place.matches("svg text")) sayLines(place); else sayInside(place);
    changes.takeRecords();
    const took = performance.now() - begun;
    stats.passes += 1;
    stats.milliseconds += took;
    stats.slowest = Math.max(stats.slowest, took);
  });
  const begin = texts => {
    load(texts);
    document.documentElement.lang = code;
    sayAll(document.documentElement);
    sayChoices();
    setInterval(sayChoices, 300);
    changes.observe(document.documentElement, {subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES});
    const confirmed = window.confirm.bind(window);
    window.confirm = text => confirmed(say(text) ?? text);
  };
  const place = new URL(`languages/${code}.json?${versions[code]}`, location.href);
  const ready = fetch(place).then(answer => answer.json()).then(begin).catch(() => { pick.value = "en"; });
  window.psLanguage = {code, say: text => say(text) ?? text, ready, stats};
}
