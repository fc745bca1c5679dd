() => {
  // Four stops that somebody asked for. It lies in a corner, takes no keys but Escape, and what it points at can be used meanwhile.
  const KEY = "politune-tour", again = document.querySelector("[data-tour=again]");
  if (!again || window.psTour) return;
  window.psTour = true;
  const stops = JSON.parse(again.dataset.stops), still = matchMedia("(prefers-reduced-motion: reduce)");
  const remembered = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const remember = () => { try { localStorage.setItem(KEY, "seen"); } catch { /* a browser that keeps nothing offers it again */ } };
  const offer = document.querySelector("[data-tour=offer]");
  if (offer && remembered()) offer.hidden = true;

  const make = (tag, className, text = "") => Object.assign(document.createElement(tag), {className, textContent: text});
  const ring = make("div", "ps-tour-ring"), box = make("div", "ps-tour"), count = make("p", "ps-note ps-tour-count");
  const title = make("h2", "ps-tour-title"), says = make("p", "ps-tour-says"), foot = make("div", "ps-tour-foot");
  const back = make("button", "ps-press", "Back"), next = make("button", "ps-press ps-primary", "Next"), end = make("button", "ps-press", "Close");
  box.id = "ps-tour";
  title.id = "ps-tour-title";
  says.id = "ps-tour-says";
  title.tabIndex = -1;
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-labelledby", "ps-tour-title");
  box.setAttribute("aria-describedby", "ps-tour-says");
  ring.setAttribute("aria-hidden", "true");
  for (const one of [back, next, end]) one.type = "button";
  foot.append(end, back, next);
  box.append(count, title, says, foot);
  box.hidden = ring.hidden = true;
  (document.querySelector("main") ?? document.body).append(ring, box);
  let at = -1, from = null, target = null, clock = 0;

  const said = text => window.psLanguage?.say(text) ?? text;  // a tab bears its name in the language of the page
  const visible = selector => [...document.querySelectorAll(selector)].find(one => one.checkVisibility());
  const follow = () => {
    const place = target?.isConnected && target.checkVisibility() ? target.getBoundingClientRect() : null;
    ring.hidden = !place;
    if (place) Object.assign(ring.style, {left: `${place.left - 5}px`, top: `${place.top - 5}px`, width: `${place.width + 10}px`, height: `${place.height + 10}px`});
  };
  const tabs = within => [...document.querySelectorAll(`${within} [role=tab]`)];
  const opened = (within, name) => {
    const found = tabs(within).filter(one => [name, said(name)].includes(one.textContent.trim()));
    if (found.length && !found.some(one => one.getAttribute("aria-selected") === "true")) found[0].click();
  };
  const comparing = () => {
    opened("#ps-content", "Compare");
    opened("#compare-stages", "Ask");
  };
  const pointed = ({at: place}) => {
    if (!place.startsWith("tab:")) return visible(place);
    const tab = tabs("#ps-content").find(one => [place.slice(4), said(place.slice(4))].includes(one.textContent.trim()) && one.checkVisibility({visibilityProperty: true}));
    return tab ?? visible("#ps-content .overflow-menu") ?? visible("#ps-content [role=tablist]");
  };
  const point = () => {
    if (at < 0) return;
    target = pointed(stops[at]);
    if (target) {
      const room = innerHeight - box.offsetHeight - 40, tall = target.getBoundingClientRect().height;
      const top = target.getBoundingClientRect().top + scrollY - Math.max(20, (room - tall) / 2);
      scrollTo({top, behavior: still.matches ? "instant" : "smooth"});
    }
    follow();
  };
  const go = to => {
    at = to;
    const stop = stops[at];
    count.textContent = `Stop ${at + 1} of ${stops.length}`;
    title.textContent = stop.title;
    says.textContent = stop.says;
    back.hidden = at === 0;
    next.textContent = at === stops.length - 1 ? "Done" : "Next";
    box.hidden = false;
    comparing();
    point();
    setTimeout(() => { comparing(); point(); }, 300);  // a tab that was just opened is drawn by now
    title.focus({preventScroll: true});
  };
  const start = event => {
    from = event.currentTarget;
    clearInterval(clock);
    clock = setInterval(follow, 400);  // answers grow and folds open while it stands there
    go(0);
  };
  const close = () => {
    clearInterval(clock);
    box.hidden = ring.hidden = true;
    target = null;
    at = -1;
    remember();
    from?.focus();
  };
  for (const one of document.querySelectorAll("[data-tour]")) one.addEventListener("click", start);
  next.addEventListener("click", () => at === stops.length - 1 ? close() : go(at + 1));
  back.addEventListener("click", () => go(at - 1));
  end.addEventListener("click", close);
  document.addEventListener("keydown", event => { if (event.key === "Escape" && at >= 0) close(); });
  addEventListener("scroll", follow, {capture: true, passive: true});
  addEventListener("resize", follow);
}
