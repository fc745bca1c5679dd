"""axe-core in the page that is open, and whose each finding is: ours, or of the interface library, whose known ones are listed with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
OURS = ".html-container, .ps-says, .ps-tour, .ps-ask, .ps-skip"  # what we write stands in blocks of HTML, or is added by our scripts
# What Gradio's own markup is known for, and why it stays: we neither ship nor patch Gradio's markup. Rules are axe's names.
KNOWN = {
    "color-contrast": "Placeholders, disabled parts and hints of Gradio's fields; the colours that we set are tested in test_contrast.py.",
}
RUN = """([tags, ours]) => axe.run(document, {runOnly: tags, resultTypes: ["violations"]}).then(({violations}) => violations.flatMap(one =>
  one.nodes.map(node => {
    const selector = [node.target].flat(2).at(-1), found = document.querySelector(selector);
    return {rule: one.id, help: one.help, selector, html: node.html.slice(0, 220), ours: Boolean(found?.closest(ours)),
      why: (node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ""};
  })))"""


@dataclass(frozen=True)
class Finding:
    """One element that breaks a rule, in a view such as "Compare, 400 px, dark"."""

    view: str
    rule: str
    help: str
    selector: str
    html: str
    ours: bool
    why: str

    def __str__(self) -> str:
        known = "" if self.ours or self.rule in KNOWN else " (Gradio's, not listed yet)"
        return f"{self.view}: {self.rule}{known}: {self.selector}\n    {self.why}\n    {self.html}"


@cache
def source() -> str:
    """The script of axe-core, which comes with a package for tests."""
    from axe_playwright_python.sync_playwright import Axe

    return str(Axe().axe_script)


def findings(page: Any, view: str) -> list[Finding]:
    """What axe finds in all that is shown now. The script goes in through the browser's own line, which the page's policy does not bind."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(source())
    return [Finding(view, **one) for one in page.evaluate(RUN, [TAGS, OURS])]


def looks(page: Any, view: str, modes: tuple[str, ...] = ("light", "dark")) -> list[Finding]:
    """The same view in each mode; afterwards light again."""
    found: list[Finding] = []
    for mode in modes:
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", mode == "dark")
        page.wait_for_timeout(350)  # colours may fade from one to the other
        found += findings(page, f"{view}, {page.viewport_size['width']} px, {mode}")
    page.evaluate("document.body.classList.remove('dark')")
    return found


def judged(found: list[Finding]) -> list[Finding]:
    """Prints what is Gradio's, each rule and place once, and returns what is ours."""
    seen: dict[tuple[str, str], Finding] = {}
    for one in found:
        seen.setdefault((one.rule, one.selector), one)
    for one in seen.values():
        if not one.ours:
            print(f"Gradio's: {one.rule}: {one.selector} [{KNOWN.get(one.rule, 'NEW: not in the list yet')}]")
    return [one for one in seen.values() if one.ours]
