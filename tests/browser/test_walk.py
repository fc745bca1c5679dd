"""A stranger's way through the studio in real Chromium: look, curate, tune, reload, compare, measure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.driver import CHROMIUM, OPENING, open_stage, open_tab

pytestmark = pytest.mark.timeout(480)
if CHROMIUM is None:
    if os.environ.get("CI"):
        raise RuntimeError("chromium is missing: browser tests must run here")
    pytestmark = [pytestmark, pytest.mark.skip(reason="install chromium to run the browser tests")]
SLOW = 300_000
# Pressed within the page as soon as words are there: an answer may end before a press from outside arrives.
STOPPED_AT_ONCE = """() => {
  const stop = document.querySelector("#stop");
  if (stop.disabled || !/Answering together · [1-9]/.test(document.querySelector("#compare-status").textContent)) return false;
  stop.click();
  return true;
}"""


@pytest.fixture(scope="module")
def page(place: tuple[Any, str]) -> Iterator[Any]:
    chromium, url = place
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.goto(url, timeout=OPENING)
    yield page
    page.close()


def test_the_first_screen_is_a_finished_comparison_that_says_what_it_is(page: Any) -> None:
    page.wait_for_selector("#panes .ps-card")
    assert [card.get_attribute("data-column") for card in page.locator("#panes .ps-card").all()] == ["base", "left", "right", "placebo"]
    text = page.inner_text("body")
    assert "it holds no opinions" in text and "nothing here measures commercial assistants" in text
    tabs = page.locator("[role=tablist]").first.get_by_role("tab").all()
    assert [tab.inner_text() for tab in tabs if tab.is_visible()] == ["Curate", "Tune", "Compare", "Stance", "Review", "Lesson", "State"]
    assert page.locator("#question textarea, #question input").first.input_value()


def test_a_run_survives_a_reload_and_can_be_compared_with_one_click(page: Any) -> None:
    open_tab(page, "Tune")
    page.get_by_label("Try it out: 5 steps").check()
    page.click("#start-tuning")
    page.wait_for_selector("#run-status :text('Training · step'), #run-status .ps-good", timeout=SLOW)
    page.reload()
    page.wait_for_selector("#panes .ps-card")
    open_tab(page, "Tune")
    page.locator("#tune-stages").get_by_role("tab", name="Watch", exact=True).click()
    page.wait_for_selector("#run-status :text('Finished: 5 steps')", timeout=SLOW)
    assert "5 steps" in page.inner_text("#run-status") and page.locator("#timeline .ps-timeline div").count() >= 3
    assert page.locator("#plot-shift .js-plotly-plot").count() == 1
    page.click("#compare-run")
    page.wait_for_selector("#columns", state="visible")
    page.wait_for_timeout(800)
    assert page.locator("#columns .token").count() == 2


def test_columns_answer_together_with_stamps_and_a_reload_keeps_them(page: Any) -> None:
    open_tab(page, "Compare")
    page.fill("#question textarea, #question input", "Should the state own the railways?")
    page.click("#ask")
    page.wait_for_selector("#panes .ps-question:has-text('railways')", timeout=SLOW)
    page.wait_for_selector(":text('Base check passed')", timeout=SLOW)
    assert page.locator("#panes .ps-card").count() == 2
    assert "deliberately biased" in page.inner_text("#panes")
    page.locator("#panes summary").nth(1).click()
    assert "token cap" in page.inner_text("#panes")
    page.reload()
    page.wait_for_selector("#panes .ps-question:has-text('railways')")
    assert page.locator("#panes .ps-card").count() == 2


def test_stop_ends_an_answer_and_keeps_what_was_said(page: Any) -> None:
    page.get_by_text("How answers are drawn").click()
    page.locator("#max_new_tokens input[type=number]").fill("256")
    page.click("#ask")
    page.wait_for_function(STOPPED_AT_ONCE, polling=50, timeout=SLOW)
    page.wait_for_selector(":text('Stopped; what was said until then is kept')", timeout=120_000)


def test_stance_opens_with_recorded_results_and_says_what_they_show(page: Any) -> None:
    open_tab(page, "Stance")
    page.wait_for_selector("#stance-plot .js-plotly-plot")
    page.wait_for_selector("#stance-headline :text('lands right of the placebo')")
    assert "95% interval" in page.inner_text("#stance-headline") and "Recorded" in page.inner_text("#stance-source")


def test_a_point_of_the_plane_opens_the_answers_behind_it(page: Any) -> None:
    page.wait_for_selector("#points-table tr[data-pick]")
    page.locator("#points-table tr[data-pick]").nth(5).click()
    page.wait_for_selector("#stance-picked .ps-card")
    assert page.locator("#stance-picked .ps-card").count() == 4
    page.wait_for_selector("#stance-near .ps-taught", timeout=120_000)


@pytest.mark.slow
def test_every_part_of_stance_is_filled_when_it_is_opened(page: Any) -> None:
    open_tab(page, "Stance")
    open_stage(page, "How far they moved", "#stance-parts")
    page.wait_for_selector("#topics-plot .js-plotly-plot", timeout=SLOW)
    assert page.locator("#shifts tbody tr").count() == 18 and "On these 60 statements in 8 forms" in page.inner_text("#verdict")
    open_stage(page, "How far to trust it", "#stance-parts")
    page.wait_for_selector("#forms-plot .js-plotly-plot", timeout=SLOW)
    trust = page.inner_text("#validity")
    assert "How far to trust the ruler" in trust and "This model cannot answer a questionnaire" in trust
    open_stage(page, "What else changed", "#stance-parts")
    page.wait_for_selector("#evenness-plot .js-plotly-plot", timeout=SLOW)
    assert "No tuned column crosses a red line" in page.inner_text("#red-lines")
    open_stage(page, "How much of it", "#stance-parts")
    page.wait_for_selector("#series-plot .js-plotly-plot", timeout=SLOW)


def test_a_measurement_shows_progress_can_be_stopped_and_loses_nothing(page: Any) -> None:
    open_tab(page, "Stance")
    open_stage(page, "Measure anew", "#stance-parts")
    page.click("#recompute")
    page.wait_for_selector("#stance-status [role=progressbar]", timeout=SLOW)
    page.click("#stop-recompute")
    page.wait_for_selector("#stance-status :text('What was answered is kept')", timeout=SLOW)
    assert "Recorded" in page.inner_text("#stance-source")


def test_the_page_fits_a_phone(place: tuple[Any, str]) -> None:
    chromium, url = place
    phone = chromium.new_page(viewport={"width": 400, "height": 800})
    phone.goto(url, timeout=OPENING)
    phone.wait_for_selector("#panes .ps-card")
    for tab in ("Compare", "Curate", "Tune", "Stance", "Review", "State"):
        open_tab(phone, tab)
        phone.wait_for_timeout(700)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 402, tab
    phone.close()
