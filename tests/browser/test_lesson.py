"""A lesson in real Chromium: what is noted, ticked and timed stays over a reload, and every button leads where it says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.driver import CHROMIUM, OPENING, open_stage, open_tab

pytestmark = pytest.mark.timeout(300)
if CHROMIUM is None:
    if os.environ.get("CI"):
        raise RuntimeError("chromium is missing: browser tests must run here")
    pytestmark = [pytestmark, pytest.mark.skip(reason="install chromium to run the browser tests")]
PREDICTED = "Left says <b>prevention</b>, right says prison."


@pytest.fixture(scope="module")
def page(place: tuple[Any, str]) -> Iterator[Any]:
    chromium, url = place
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.goto(url, timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    yield page
    page.close()


def at_step(page: Any, name: str) -> None:
    page.wait_for_selector(f"#lesson-step h2:text-is('{name}')")


def test_place_ticks_notes_and_the_clock_stay_over_a_reload(page: Any) -> None:
    open_tab(page, "Lesson")
    at_step(page, "Predict")
    page.fill("#lesson-note textarea", PREDICTED)
    page.click("#lesson-clock")
    page.wait_for_selector("#lesson-clock:has-text('Stop the clock')")
    page.click("#lesson-next")
    at_step(page, "Curate")
    assert PREDICTED in page.inner_text(".ps-lesson-recall") and page.locator(".ps-lesson-recall b").count() == 1
    page.reload()
    page.wait_for_selector("#panes .ps-card")
    open_tab(page, "Lesson")
    at_step(page, "Curate")
    page.wait_for_selector(".ps-lesson-clock:has-text('left of it')")
    assert "“Predict”" in page.inner_text(".ps-lesson-clock") and page.locator(".ps-lesson-tick").count() == 1
    page.click("#lesson-back")
    at_step(page, "Predict")
    assert page.input_value("#lesson-note textarea") == PREDICTED and page.is_checked("#lesson-done input")


@pytest.mark.parametrize(
    ("step", "button", "there"),
    [
        pytest.param("predict", "Open Stance", "#predict", marks=pytest.mark.slow),
        pytest.param("curate", "Open Curate", "#open-bundled", marks=pytest.mark.slow),
        ("tune-recorded", "Open Tune: watch", "#run"),
        ("compare", "Class on phones", "#class-setup"),
        pytest.param("compare", "Open the guess game", "#guess-start", marks=pytest.mark.slow),
        pytest.param("compare", "Open Compare", "#ask", marks=pytest.mark.slow),
    ],
)
def test_each_button_opens_what_it_says(page: Any, step: str, button: str, there: str) -> None:
    open_tab(page, "Lesson")
    open_stage(page, "Steps", "#lesson-stages")
    page.click(f"[data-step={step}]")
    page.wait_for_selector(f"[data-step={step}][aria-current]")
    page.locator("button[id^=lesson-open-]", has_text=button).click()
    page.wait_for_selector(there, state="visible")


def test_a_handout_comes_out_of_the_tab(page: Any) -> None:
    open_tab(page, "Lesson")
    open_stage(page, "For the teacher", "#lesson-stages")
    page.click("#handout-make")
    page.wait_for_selector("#handout-save", state="visible")
    with page.expect_download() as made:
        page.click("#handout-save")
    assert made.value.suggested_filename == "lesson-45-student.pdf" and Path(made.value.path()).read_bytes().startswith(b"%PDF")


def test_on_a_phone_nothing_is_wider_than_the_screen(place: tuple[Any, str]) -> None:
    chromium, url = place
    phone = chromium.new_page(viewport={"width": 400, "height": 850})
    phone.goto(url, timeout=OPENING)
    open_tab(phone, "Lesson")
    at_step(phone, "Predict")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 400
    phone.close()
