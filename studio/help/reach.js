() => {
  // What the keyboard reaches: the content past the head and the tabs, and tables and texts that scroll.
  document.addEventListener("click", event => {
    if (!event.target.closest?.(".ps-skip")) return;
    event.preventDefault();  // the address stays as it is: links to comparisons live in it
    const panels = document.querySelectorAll("#ps-content [role=tabpanel]");
    const open = [...panels].find(panel => panel.checkVisibility()) ?? document.querySelector("main");
    open.setAttribute("tabindex", "-1");
    open.focus({preventScroll: true});
    open.scrollIntoView({block: "start"});
  });

  const SCROLLS = ".ps-scroll, .ps-tall, .ps-rows-box, .ps-flow";
  const look = () => {
    for (const one of document.querySelectorAll(SCROLLS)) {
      const scrolls = !one.querySelector("[tabindex='0'], a, button, input") &&  // else it scrolls with what is reached in it
        (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1);
      if (scrolls === (one.tabIndex === 0)) continue;
      if (!scrolls) {
        for (const name of ["tabindex", "role", "aria-label"]) one.removeAttribute(name);
        continue;
      }
      one.tabIndex = 0;
      one.setAttribute("role", "group");
      one.setAttribute("aria-label", `${one.querySelector("table") ? "Table" : "Part of the page"} that scrolls`);
    }
  };
  let waiting = 0;
  const soon = () => { waiting ||= setTimeout(() => { waiting = 0; look(); }, 300); };
  new MutationObserver(soon).observe(document.querySelector(".gradio-container") ?? document.body, {childList: true, subtree: true});
  for (const name of ["resize", "click"]) addEventListener(name, soon);
  document.addEventListener("toggle", soon, true);
  soon();
}
