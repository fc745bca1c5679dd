"""`make screenshots`: renews assets/screenshots/, each tab at 1400 and 400 pixels."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pipelines.models import prepare
from pipelines.paths import ASSETS, Paths
from tests.browser.driver import browser, open_stage, open_tab, studio

TABS = ("Curate", "Tune", "Compare", "Stance")
TARGET = ASSETS / "screenshots"


def main() -> None:
    """Starts a studio and takes the pictures. Tune shows the run of the bundled left adapter."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Paths(Path(folder))
        home.models.mkdir()
        prepare.converted_folder(home).symlink_to(prepare.converted_folder(Paths.from_environment()))
        with studio(home.root) as url, browser() as chromium:
            for width in (1400, 400):
                take(chromium, url, width)


def take(chromium: Any, url: str, width: int) -> None:
    """One picture a tab at one width."""
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(url)
    page.wait_for_selector("#panes .ps-card")
    for tab in TABS:
        open_tab(page, tab)
        if tab == "Curate":
            curate(page, width)
        if tab == "Tune":
            page.wait_for_selector("#tune-cost .ps-note", timeout=60_000)
            page.screenshot(path=str(TARGET / f"tune-setup-{width}.png"), full_page=True)
            page.locator("#tune-stages").get_by_role("tab", name="Watch", exact=True).click()
            page.wait_for_selector("#plot-shift .js-plotly-plot")
        page.wait_for_timeout(2500)
        page.screenshot(path=str(TARGET / f"{tab.lower()}-{width}.png"), full_page=True)
        if tab == "Compare":
            compare(page, width)
    page.close()


def compare(page: Any, width: int) -> None:
    """Where the bias speaks in the recorded answers."""
    page.locator("#look").get_by_label("Where the bias speaks", exact=True).check()
    page.wait_for_selector("#panes .ps-tok", timeout=120_000)
    page.screenshot(path=str(TARGET / f"compare-bias-{width}.png"), full_page=True)


def curate(page: Any, width: int) -> None:
    """All steps on the raw posts, with pictures of the stages that have something to show."""
    page.click("#open-bundled-posts")
    page.wait_for_selector("#steps .ps-step")
    page.click("#do-all")
    page.wait_for_selector("#curate-status .ps-good", timeout=120_000)
    page.wait_for_timeout(2500)
    open_stage(page, "3 Select")
    page.click("#compare-strategies")
    page.wait_for_selector("#strategies table", timeout=90_000)
    page.wait_for_timeout(2500)
    page.screenshot(path=str(TARGET / f"curate-select-{width}.png"), full_page=True)
    open_stage(page, "6 Rows")
    page.locator("#rows tr[data-pick]").nth(2).click()
    page.wait_for_selector("#formatted .ps-trained", timeout=60_000)
    page.screenshot(path=str(TARGET / f"curate-rows-{width}.png"), full_page=True)
    open_stage(page, "5 Check")


if __name__ == "__main__":
    main()
