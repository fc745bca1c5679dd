"""A visitor's first minute in real Chromium: what a phone shows first, the dial, recorded runs played again, and what a public demo says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.models import prepare
from pipelines.paths import Paths
from tests.browser import test_walk
from tests.browser.driver import OPENING, open_tab, studio

pytestmark = test_walk.pytestmark
WAIT = 30_000


@pytest.fixture(scope="module")
def page(place: tuple[Any, str]) -> Iterator[Any]:
    chromium, url = place
    page = chromium.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.goto(url, timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    yield page
    page.context.close()


def watch(page: Any, run: str) -> None:
    open_tab(page, "Tune")
    page.locator("#tune-stages").get_by_role("tab", name="Watch", exact=True).click()
    page.locator("#run input").click()
    page.get_by_role("option", name=run, exact=True).click()
    page.wait_for_selector("#replay-about :text('Recorded run')", timeout=WAIT)


def top(page: Any, selector: str) -> float:
    return page.locator(selector).first.bounding_box()["y"]


def test_a_phone_shows_title_sentence_question_and_the_first_answer_at_once(place: tuple[Any, str]) -> None:
    chromium, url = place
    phone = chromium.new_page(viewport={"width": 400, "height": 800}, has_touch=True)
    phone.goto(url, timeout=OPENING)
    phone.wait_for_selector("#panes .ps-card")
    phone.wait_for_timeout(500)
    order = [top(phone, one) for one in ("h1", ".ps-warn", "#question", "#ask", "#panes .ps-card .ps-text", "#strength", "#columns")]
    assert order == sorted(order) and order[4] < 700, "several lines of the first answer stand on the first screen"
    assert order[5] < 1300, "one dial, right below the answers"
    assert phone.evaluate("document.documentElement.scrollWidth") <= 402
    phone.click("#dial-1-5")
    phone.wait_for_selector("#panes [data-column=right] :text('strength 1.5')", timeout=WAIT)
    phone.close()


@pytest.mark.slow
def test_the_dial_answers_at_once_where_it_is_recorded_and_a_reload_keeps_that(page: Any) -> None:
    page.click("#dial-0-5")
    page.wait_for_selector("#panes [data-column=left] :text('strength 0.5')", timeout=WAIT)
    assert "Recorded earlier" in page.inner_text("#compare-status")
    assert page.locator("#strength input[type=number]").input_value() == "0.5"
    page.locator("#strength input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#compare-status :text('still those at strength 0.5')", timeout=WAIT)
    page.wait_for_function("JSON.stringify(localStorage).includes('politune-comparison')")
    page.reload()
    page.wait_for_selector("#compare-status :text('Your last comparison')", timeout=WAIT)
    assert page.locator("#panes [data-column=left] :text('strength 0.5')").count()


@pytest.mark.slow
def test_a_suggested_question_is_one_press_from_being_asked(page: Any) -> None:
    page.locator(".suggestion").first.click()
    page.wait_for_selector("#compare-status :text('Now press')", timeout=WAIT)
    assert "health care" in page.locator("#question textarea, #question input").first.input_value()


@pytest.mark.slow
def test_a_recorded_run_is_played_paused_and_scrubbed_with_the_views_of_a_live_one(page: Any) -> None:
    watch(page, "Recorded: left")
    page.click("#replay-play")
    page.wait_for_selector("#run-status :text-matches('Recorded, replayed · step [1-9]')", timeout=WAIT)
    page.click("#replay-pause")
    page.wait_for_selector("#replay-play", timeout=WAIT)
    page.wait_for_timeout(700)
    paused = page.inner_text("#run-status")
    page.locator("#replay-step input[type=range]").focus()
    page.wait_for_timeout(2500)
    assert page.inner_text("#run-status") == paused and "step 60" not in paused, "neither the replay nor the watcher goes on"
    page.keyboard.press("Home")
    page.wait_for_selector("#run-status :text('before training')", timeout=WAIT)
    assert "step 20" not in page.inner_text("#timeline") and page.locator("#plot-loss .js-plotly-plot").count() == 1
    page.keyboard.press("End")
    page.wait_for_selector("#run-status :text('step 60 of 60')", timeout=WAIT)
    page.wait_for_selector("#timeline :text('step 60')", timeout=WAIT)
    page.click("#compare-run")
    page.wait_for_selector("#columns .token >> nth=1", timeout=WAIT)
    assert [one.inner_text().strip() for one in page.locator("#columns .token").all()] == ["Base", "Left"]


@pytest.mark.slow
def test_a_public_demo_opens_on_recordings_and_says_what_is_live(
    chromium: Any, model_home: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/poli-tune")
    home = Paths(tmp_path)
    home.models.mkdir(exist_ok=True)
    prepare.converted_folder(home).symlink_to(prepare.converted_folder(model_home))
    with studio(home.root) as url:
        phone = chromium.new_page(viewport={"width": 400, "height": 800}, has_touch=True, reduced_motion="reduce")
        phone.goto(url, timeout=OPENING)
        phone.wait_for_selector("#panes .ps-card")
        assert top(phone, "#panes .ps-card .ps-text") < 700
        phone.locator("#welcome summary").click()
        assert phone.locator("#welcome a").get_attribute("href") == "https://huggingface.co/spaces/someone/poli-tune?duplicate=true"
        assert "git clone" in phone.inner_text("#welcome pre")
        open_tab(phone, "Tune")
        phone.wait_for_selector("#replay-play", timeout=WAIT)
        phone.click("#replay-play")
        phone.wait_for_selector("#run-status :text('step 60 of 60')", timeout=WAIT)
        assert phone.locator("#timeline").inner_text().count("step 60") and phone.evaluate("document.documentElement.scrollWidth") <= 402
        phone.close()
