"""Words that explain themselves, the tour, the keyboard's way through Compare, and no motion for whoever wants none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import test_walk
from tests.browser.driver import OPENING, open_stage, open_tab

pytestmark = test_walk.pytestmark
SLOW = 150_000
# What of ours is focused, and whether its place is shown by more than the browser's own faint line.
OUTLINED = """() => { const one = document.activeElement, look = getComputedStyle(one);
  return !one.closest(".html-container, .ps-tour") || (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2); }"""
MOVING = """() => document.getAnimations().map(one => one.effect?.target).filter(one => one?.matches(".html-container *, [class^='ps-']"))
  .map(one => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def page(place: tuple[Any, str]) -> Iterator[Any]:
    page = place[0].new_page(viewport={"width": 1400, "height": 900})
    page.goto(place[1], timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    yield page
    page.close()


def test_a_word_explains_itself_on_enter_and_tap_and_nothing_moves(page: Any) -> None:
    word = page.locator(".ps-term:visible").first
    word.wait_for()
    says = page.locator("#ps-says")
    height = page.evaluate("document.body.scrollHeight")
    word.focus()
    page.keyboard.press("Enter")
    expect(says).to_be_visible()
    assert word.get_attribute("aria-expanded") == "true" and len(says.inner_text().split()) > 8
    assert page.evaluate("document.body.scrollHeight") == height
    described = page.locator(f"#{word.get_attribute('aria-describedby')}")
    assert described.count() == 1 and (described.text_content() or "?") in says.inner_text()
    page.keyboard.press("Escape")
    expect(says).to_be_hidden()
    assert word.get_attribute("aria-expanded") == "false" and word.evaluate("one => one === document.activeElement")
    word.click()
    expect(says).to_be_visible()
    page.locator("h1").click()
    expect(says).to_be_hidden()
    assert not page.locator(".ps-card .ps-term, .ps-question .ps-term, textarea .ps-term, td .ps-term").count()


def test_the_tour_is_offered_once_opens_only_when_asked_and_is_left_with_escape(page: Any) -> None:
    offer, tour = page.locator("[data-tour=offer]"), page.locator("#ps-tour")
    expect(tour).to_be_hidden()
    offer.focus()
    page.keyboard.press("Enter")
    for number in range(4):
        expect(tour.locator(".ps-tour-count")).to_have_text(f"Stop {number + 1} of 4")
        assert page.evaluate("document.activeElement.id") == "ps-tour-title"
        expect(page.locator(".ps-tour-ring")).to_be_visible()
        if number < 3:
            tour.get_by_role("button", name="Next").click()
    page.keyboard.press("Escape")
    expect(tour).to_be_hidden()
    assert offer.evaluate("one => one === document.activeElement")
    page.reload()
    page.wait_for_selector("#panes .ps-card")
    expect(offer).to_be_hidden()
    expect(page.locator("[data-tour=again]")).to_be_visible()


@pytest.mark.slow
def test_the_glossary_at_the_foot_is_searched(page: Any) -> None:
    page.locator("#ps-glossary > summary").click()
    page.get_by_label("Search the glossary").fill("placebo")
    shown = page.locator("#ps-glossary dl > div:visible")
    assert 1 <= shown.count() < 15 and "placebo" in shown.first.inner_text().lower()
    page.get_by_label("Search the glossary").fill("zzz")
    expect(page.locator("#ps-glossary [role=status]")).to_contain_text("No word fits")
    page.get_by_label("Search the glossary").fill("")
    page.locator("#ps-glossary > summary").click()


@pytest.mark.slow
def test_the_words_are_found_on_every_tab_once_a_stage_and_cost_little_time(page: Any) -> None:
    for tab in ("Curate", "Tune", "Stance"):
        open_tab(page, tab)
        page.wait_for_selector(".ps-term:visible, .ps-ask:visible", timeout=60_000)
        twice = """() => { const seen = {}; for (const one of document.querySelectorAll("[data-term]")) if (one.checkVisibility()) {
            const key = [...document.querySelectorAll("[role=tabpanel]")].indexOf(one.closest("[role=tabpanel]")) + one.dataset.term;
            seen[key] = (seen[key] ?? 0) + 1; } return Object.entries(seen).filter(([, n]) => n > 1); }"""
        assert page.evaluate(twice) == []
    open_tab(page, "Compare")
    stats = page.evaluate("window.psGlossary")
    print(
        f"\nlooking for words: {stats['passes']} passes, {stats['milliseconds'] / stats['passes']:.1f} ms each, slowest {stats['slowest']:.0f} ms"
    )
    assert stats["milliseconds"] / stats["passes"] < 60


@pytest.mark.slow
def test_the_tour_fits_a_phone_and_covers_nothing_that_it_points_at(place: tuple[Any, str]) -> None:
    page = place[0].new_page(viewport={"width": 400, "height": 800}, has_touch=True)
    page.goto(place[1], timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    page.locator("[data-tour=offer]").tap()
    for number in range(4):
        expect(page.locator(".ps-tour-count")).to_have_text(f"Stop {number + 1} of 4")
        page.wait_for_timeout(1200)
        box, ring = page.locator("#ps-tour").bounding_box(), page.locator(".ps-tour-ring").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 400 and box["height"] < 400
        assert ring["y"] < box["y"] and ring["y"] + min(ring["height"], 60) <= box["y"] + 1, "the top of what is shown lies above the box"
        page.locator("#ps-tour .ps-primary").tap()
    expect(page.locator("#ps-tour")).to_be_hidden()
    page.close()


@pytest.mark.slow
def test_compare_is_used_with_tab_enter_and_arrows_alone(place: tuple[Any, str]) -> None:
    page = place[0].new_page(viewport={"width": 1400, "height": 900})
    page.goto(place[1], timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "ps-skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "tabpanel" and "#" not in page.url
    until(page, "#question textarea, #question input")
    page.keyboard.press("Control+a")
    page.keyboard.type("Should the state own the railways?")
    until(page, "#ask")
    page.keyboard.press("Enter")
    page.wait_for_selector("#compare-status :text('Done.')", timeout=SLOW)
    assert "railways" in page.inner_text("#panes h2")
    until(page, "#strength input")
    before = page.locator("#strength input[type=number]").input_value()
    if page.evaluate("document.activeElement.type") != "range":
        until(page, "#strength input[type=range]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert float(page.locator("#strength input[type=number]").input_value()) > float(before)
    until(page, "[role=tab]", "Shift+Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    page.close()


def until(page: Any, selector: str, key: str = "Tab", most: int = 140) -> None:
    """Presses a key until an element is reached; every place of ours on the way is seen."""
    for _ in range(most):
        page.keyboard.press(key)
        assert page.evaluate(OUTLINED), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached with {most} presses of {key}")


@pytest.mark.slow
def test_nothing_of_ours_moves_for_whoever_wants_less_motion(place: tuple[Any, str]) -> None:
    page = place[0].new_page(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    page.goto(place[1], timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    page.click("#ask")
    page.wait_for_selector("#panes [aria-busy=true]", timeout=SLOW)
    moving = [page.evaluate(MOVING) for _ in range(10) if page.wait_for_timeout(150) is None]
    assert not any(moving)
    page.evaluate("document.querySelector('#stop').click()")  # a short answer may have ended by itself
    page.locator("[data-tour=offer]").click()
    assert page.evaluate(MOVING) == []
    open_tab(page, "Stance")
    open_stage(page, "How far they moved", "#stance-parts")
    assert page.evaluate(MOVING) == []
    page.close()
