"""What the page itself fetches: nothing from anywhere but the studio, on any tab and on the pages that raters and players open."""

from __future__ import annotations

import os
from typing import Any

import pytest

from studio.tabs.reviews import addresses
from tests.browser.driver import CHROMIUM, OPENING, open_tab

if CHROMIUM is None:
    if os.environ.get("CI"):
        raise RuntimeError("chromium is missing: browser tests must run here")
    pytestmark = pytest.mark.skip(reason="install chromium to run the browser tests")
FOREIGN_PICTURE = """() => new Promise(done => {
  addEventListener("securitypolicyviolation", event => done(event.effectiveDirective));
  document.body.append(Object.assign(new Image(), {src: "https://example.org/seen.png"}));
  setTimeout(() => done("fetched"), 3000);
})"""
TABS = ("Curate", "Tune", "Stance", "Review", "Compare")


def test_every_request_of_the_page_goes_to_the_studio(place: tuple[Any, str]) -> None:
    chromium, url = place
    page, asked = chromium.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.goto(url, timeout=OPENING)
    page.wait_for_selector("#panes .ps-card", timeout=OPENING)
    for tab in TABS:
        open_tab(page, tab)
        page.wait_for_timeout(600)
    for name in (addresses.RATE, addresses.GUESS):
        page.goto(f"{url}/{name}", timeout=OPENING)
        page.wait_for_timeout(1500)
    assert page.evaluate(FOREIGN_PICTURE) == "img-src", "a picture in somebody's words is not fetched"
    page.close()
    far = sorted({one for one in asked if not one.startswith((f"{url}/", "data:", "blob:")) and one != "https://example.org/seen.png"})
    print(f"{len(asked)} requests, {len(far)} of them to anywhere else")
    assert len(asked) > 40 and far == []
