"""`make screenshots`: renews assets/screenshots/, each tab at 1400 and 400 pixels."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

from pipelines.models import prepare
from pipelines.paths import ASSETS, Paths
from tests.browser.driver import OPENING, browser, open_stage, open_tab, studio
from tests.browser.test_review import Rater

TABS, WIDTHS = ("Curate", "Tune", "Compare", "Stance", "Review", "Lesson", "State"), (1400, 400)
TARGET = ASSETS / "screenshots"


def main() -> None:
    """Starts a studio and takes the pictures. Tune shows the run of the bundled left adapter."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Paths(Path(folder))
        home.models.mkdir()
        prepare.converted_folder(home).symlink_to(prepare.converted_folder(Paths.from_environment()))
        with studio(home.root) as url, browser() as chromium:
            judged(chromium, url)
            for width in WIDTHS:
                take(chromium, url, width)
                chinese(chromium, url, width)
            taught(chromium, url)


def take(chromium: Any, url: str, width: int) -> None:
    """One picture a tab at one width."""
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(url, timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    for tab in TABS:
        open_tab(page, tab)
        if tab == "Curate":
            curate(page, width)
        if tab == "Tune":
            page.wait_for_selector("#tune-cost .ps-note", timeout=120_000)
            page.screenshot(path=str(TARGET / f"tune-setup-{width}.png"), full_page=True)
            page.locator("#tune-stages").get_by_role("tab", name="Watch", exact=True).click()
            page.wait_for_selector("#plot-shift .js-plotly-plot")
        page.wait_for_timeout(2500)
        page.screenshot(path=str(TARGET / f"{tab.lower()}-{width}.png"), full_page=True)
        if tab == "Compare":
            compare(page, width)
        if tab == "Stance":
            stance(page, width)
        if tab == "Review":
            open_stage(page, "Results", "#review-stages")
            page.wait_for_selector("#outcome-plot .js-plotly-plot", timeout=120_000)
            page.wait_for_timeout(1500)
            page.screenshot(path=str(TARGET / f"review-results-{width}.png"), full_page=True)
    page.close()


def chinese(chromium: Any, url: str, width: int) -> None:
    """The first screen in Chinese; the machine needs a font for it."""
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{url}/?language=zh-Hans", timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    page.wait_for_function("() => window.psLanguage?.ready.then(() => true)")
    page.wait_for_timeout(1500)
    page.screenshot(path=str(TARGET / f"compare-zh-{width}.png"), full_page=True)
    page.close()


def taught(chromium: Any, url: str) -> None:
    """A class: what stands at the wall and on a phone while a card is open."""
    screen = chromium.new_page(viewport={"width": 1400, "height": 900})
    screen.goto(url, timeout=OPENING)
    screen.wait_for_selector("#panes .ps-card")
    open_tab(screen, "Lesson")
    open_stage(screen, "Class", "#lesson-stages")
    screen.locator("#class-open").click()
    screen.locator(".ps-class-letters").wait_for()
    address, code = screen.locator(".ps-class-address").inner_text().strip(), screen.locator(".ps-class-letters").inner_text()
    phone = chromium.new_context(viewport={"width": 400, "height": 800}, has_touch=True).new_page()
    phone.goto(f"http://127.0.0.1:{address.rpartition(':')[2].rstrip('/')}/?code={code.replace(' ', '')}", timeout=OPENING)
    phone.locator(".ps-consent input").check()
    phone.get_by_role("button", name="Join").tap()
    phone.get_by_text("You are in.").wait_for()
    screen.screenshot(path=str(TARGET / "class-1400.png"), full_page=True)
    screen.locator("#class-next").click()
    phone.locator(".ps-class-tap").first.wait_for()
    phone.wait_for_timeout(1500)
    phone.screenshot(path=str(TARGET / "class-400.png"), full_page=True)
    for _ in range(2):
        screen.locator("#class-end").click()
        screen.wait_for_timeout(1500)
    phone.context.close()
    screen.close()


def judged(chromium: Any, url: str) -> None:
    """A review whose three raters press keys at random, so that it finds nothing; with pictures of what a rater sees."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.goto(url, timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    open_tab(page, "Review")
    page.wait_for_selector("#review-plan dl")
    page.fill("#review-title input, #review-title textarea", "Votes at random")
    page.fill("#review-count input[type=number]", "6")
    page.keyboard.press("Tab")
    page.click("#review-start")
    page.wait_for_selector("#review-card .ps-hash", timeout=200_000)
    link, drawn = page.get_attribute("#review-card a[data-link]", "href"), random.Random(1)
    for number in range(3):
        width = WIDTHS[number % 2]
        rater = Rater(chromium.new_context(viewport={"width": width, "height": 900}).new_page(), None, f"{url}/{link}").join()
        rater.page.screenshot(path=str(TARGET / f"rate-{width}.png"), full_page=True)
        while rater.page.locator("#ballot .ps-asking").count():
            rater.vote("".join(drawn.choices("absu", (4, 4, 1, 1), k=3)))
        rater.page.context.close()
    for _ in range(2):
        page.click("#review-close")
        page.wait_for_timeout(1500)
    page.close()


def compare(page: Any, width: int) -> None:
    """Where the bias speaks in the recorded answers."""
    page.locator("#look").get_by_label("Where the bias speaks", exact=True).check()
    page.wait_for_selector("#panes .ps-tok", timeout=120_000)
    page.screenshot(path=str(TARGET / f"compare-bias-{width}.png"), full_page=True)


def stance(page: Any, width: int) -> None:
    """The other parts of Stance, each with its last plot drawn."""
    parts = {"moved": "topics", "trust": "forms", "else": "evenness", "dose": "series", "changed": "changed"}
    titles = {"moved": "How far they moved", "trust": "How far to trust it", "else": "What else changed", "dose": "How much of it"}
    titles["changed"] = "When the data changed"
    for part, plot in parts.items():
        open_stage(page, titles[part], "#stance-parts")
        page.wait_for_selector(f"#{plot}-plot .js-plotly-plot", timeout=120_000)
        page.wait_for_timeout(2500)
        page.screenshot(path=str(TARGET / f"stance-{part}-{width}.png"), full_page=True)


def curate(page: Any, width: int) -> None:
    """All steps on the raw posts, with pictures of the stages that have something to show."""
    page.click("#open-bundled-posts")
    page.wait_for_selector("#steps .ps-step")
    page.click("#do-all")
    page.wait_for_selector("#curate-status .ps-good", timeout=120_000)
    page.wait_for_timeout(2500)
    open_stage(page, "3 Select")
    page.click("#compare-strategies")
    page.wait_for_selector("#strategies table", timeout=120_000)
    page.wait_for_timeout(2500)
    page.screenshot(path=str(TARGET / f"curate-select-{width}.png"), full_page=True)
    open_stage(page, "6 Rows")
    page.locator("#rows tr[data-pick]").nth(2).click()
    page.wait_for_selector("#formatted .ps-trained", timeout=120_000)
    page.screenshot(path=str(TARGET / f"curate-rows-{width}.png"), full_page=True)
    open_stage(page, "5 Check")


if __name__ == "__main__":
    main()
