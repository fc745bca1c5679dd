"""A class in a real browser: a projector and two phones at this machine's own address, where a page is no secure one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.classroom.deck import read_deck
from pipelines.paths import Paths
from studio.classroom import room
from tests import classing
from tests.browser.driver import OPENING

DECK = read_deck()
PHONE = {"width": 400, "height": 800}


def phone(chromium: Any, link: str) -> Any:
    """A phone that scanned the code: it has read the notice and joined."""
    page = chromium.new_context(viewport=PHONE, has_touch=True).new_page()
    page.goto(link, timeout=OPENING)
    page.locator(".ps-consent input").wait_for(timeout=OPENING)
    page.locator(".ps-consent input").check()
    page.get_by_role("button", name="Join").tap()
    page.get_by_text("You are in.").wait_for()
    return page


@pytest.mark.slow
def test_a_class_with_a_projector_and_two_phones(chromium: Any, paths: Paths, tmp_path: Path) -> None:
    made = classing.services(paths)
    with classing.outer_address() as address, classing.teacher(made) as url:
        if not address:
            pytest.skip("this machine has no address but loopback, and none can be lent to it")
        screen = chromium.new_page(viewport={"width": 1400, "height": 900})
        screen.goto(url, timeout=OPENING)
        screen.locator("#class-open").click(timeout=OPENING)
        screen.locator(".ps-class-letters").wait_for(timeout=OPENING)
        assert screen.locator(".ps-qr").is_visible() and f"http://{address}:" in screen.locator(".ps-class-address").inner_text()
        opened = room.of(made).opened
        assert opened
        phones = [phone(chromium, f"http://{address}:{opened.port}/?code={opened.code}") for _ in range(2)]
        assert phones[0].evaluate("isSecureContext") is False
        screen.get_by_text("2 people have joined").first.wait_for()

        screen.locator("#class-next").click()
        for one in phones:
            one.get_by_role("button", name="Say no, and give a reason").tap()
            one.get_by_text("Counted.").wait_for()
            assert one.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        screen.get_by_text("2 of 2 have answered").wait_for()
        phones[0].reload()
        phones[0].locator('.ps-class-tap[aria-pressed="true"]').wait_for(timeout=OPENING)
        screen.locator("#class-reveal").click()
        phones[1].get_by_text("So it was.").wait_for()
        assert "deliberately biased" in phones[1].locator("#class").inner_text()

        screen.locator("#class-question textarea, #class-question input").fill("Should trains be free?")
        screen.locator("#class-ask").click()
        phones[0].get_by_text("Should trains be free?").first.wait_for()
        phones[0].get_by_role("button", name="It is B").tap()
        phones[0].get_by_text("Counted.").wait_for()
        assert len(made.host.read) == 1  # type: ignore[attr-defined]

        with screen.expect_download() as saved:
            screen.locator("#class-json").click()
        assert json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))["rows"][0]["count"] is None, "two people are too few"
        screen.locator("#class-end").click()
        screen.get_by_text("Press once more").wait_for()
        screen.locator("#class-end").click()
        phones[0].get_by_text("The class is over.").wait_for()
        phones[0].get_by_role("button", name="Delete my answers").tap()
        phones[0].get_by_role("button", name="Tap again").tap()
        phones[0].get_by_text("is deleted").wait_for()
        assert room.of(made).table.joined(opened.class_id) == 1
