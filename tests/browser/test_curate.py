"""Curate in real Chromium: from posts to saved pairs, the hidden faults, a hostile file, and nothing lost by a reload."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import test_walk
from tests.browser.driver import OPENING, open_stage, open_tab

pytestmark = test_walk.pytestmark
LONG = 120_000


@pytest.fixture(scope="module")
def page(place: tuple[Any, str]) -> Iterator[Any]:
    chromium, url = place
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.goto(url, timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    open_tab(page, "Curate")
    yield page
    page.close()


def wait_good(page: Any) -> str:
    page.wait_for_selector("#curate-status .ps-good", timeout=LONG)
    page.wait_for_timeout(800)
    return page.inner_text("#curate-status")


def opened(page: Any, words: str) -> None:
    page.wait_for_selector(f"#found :text('{words}')", timeout=120_000)
    page.wait_for_timeout(500)


def test_posts_become_checked_pairs_with_every_step_shown(page: Any) -> None:
    page.click("#open-bundled-posts")
    opened(page, "656 posts opened")
    page.click("#do-all")
    assert "656 posts became" in wait_good(page)
    page.wait_for_selector("#steps :text('Match into pairs')", timeout=120_000)
    names = page.locator("#steps .ps-step-name").all_inner_texts()
    assert names[0] == "Opened" and names[-2:] == ["Select", "Match into pairs"] and len(names) == 12
    open_stage(page, "2 Score")
    assert "100% (16 of 16)" in page.inner_text("#label-report")
    open_stage(page, "5 Check")
    page.wait_for_selector("#lights .ps-light", timeout=LONG)
    assert page.locator("#lights .ps-light").count() >= 10


def test_a_row_is_read_edited_starred_and_the_change_taken_back(page: Any) -> None:
    open_stage(page, "6 Rows")
    page.locator("#rows tr[data-pick]").first.click()
    page.wait_for_selector("#formatted .ps-trained", timeout=120_000)
    page.fill("#edit-left textarea", "Edited by a careful reader of this row.")
    page.click("#row-save")
    wait_good(page)
    page.wait_for_selector("#rows :text('Edited by a careful reader')")
    page.locator("body").click(position={"x": 5, "y": 5})
    page.keyboard.press("s")
    page.wait_for_selector("#rows .ps-star", timeout=120_000)
    page.click("#undo")
    page.wait_for_selector("#rows .ps-star", state="detached", timeout=120_000)
    assert "Edited by a careful reader" in page.inner_text("#rows")
    page.click("#undo")
    page.wait_for_selector("#rows :text('Edited by a careful reader')", state="detached", timeout=120_000)


def test_a_version_is_saved_and_a_reload_keeps_the_draft(page: Any) -> None:
    open_stage(page, "7 Save")
    page.fill("#version-name textarea, #version-name input", "my lesson")
    page.click("#save-version")
    page.wait_for_selector("#saved :text('content hash')", timeout=120_000)
    assert "my-lesson-" in page.inner_text("#saved")
    page.wait_for_selector("#version-card :text('Match into pairs')", timeout=120_000)
    page.reload()
    page.wait_for_selector("#panes .ps-card")
    open_tab(page, "Curate")
    page.wait_for_selector("#steps :text('Match into pairs')", timeout=120_000)
    open_tab(page, "Tune")
    page.wait_for_timeout(800)
    page.locator("#data input").first.click()
    assert page.get_by_role("option", name="my-lesson").count() == 1
    page.keyboard.press("Escape")
    open_tab(page, "Curate")


def test_the_hidden_faults_are_found_and_mended_with_one_press(page: Any) -> None:
    page.get_by_role("button", name="Open data").click()
    page.click("#open-bundled-confounded")
    opened(page, "96 preference pairs opened")
    open_stage(page, "5 Check")
    page.click("#check")
    page.wait_for_selector("#lights .ps-red", timeout=LONG)
    page.locator("[data-light=leakage] button").click()
    assert "10 dropped" in wait_good(page)
    page.wait_for_selector("[data-light=leakage].ps-green", timeout=LONG)


def test_a_hostile_file_is_text_and_nothing_of_it_runs(page: Any, tmp_path: Path) -> None:
    words = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script> [x](javascript:window.hacked=1) should rents be limited?"
    file = tmp_path / "<b>rows.jsonl"
    file.write_text(
        json.dumps({"id": '"><svg onload=window.hacked=1>', "prompt": words, "chosen": words + " yes", "rejected": words + " no"})
    )
    page.get_by_role("button", name="Open data").click()
    page.set_input_files("#upload input[type=file]", str(file))
    opened(page, "1 preference pairs opened")
    open_stage(page, "6 Rows")
    page.locator("#rows tr[data-pick]").first.click()
    page.wait_for_selector("#formatted .ps-trained", timeout=120_000)
    assert "onerror" in page.inner_text("#rows") and not page.evaluate("window.hacked")
    assert page.locator("#rows img, #rows script, #rows svg, #formatted img").count() == 0


def test_a_missing_folder_gets_a_sentence_and_the_open_draft_stays(page: Any) -> None:
    page.get_by_role("button", name="Open data").click()
    page.fill("#reference textarea, #reference input", "/no/such/folder")
    page.click("#open")
    page.wait_for_selector("#curate-status .ps-error", timeout=120_000)
    assert "neither a file" in page.inner_text("#curate-status") and "Traceback" not in page.inner_text("body")
    assert "1 preference pairs" in page.inner_text("#found")


def test_every_stage_fits_a_phone(place: tuple[Any, str], page: Any) -> None:
    chromium, url = place
    phone = chromium.new_page(viewport={"width": 400, "height": 800})
    phone.goto(url, timeout=OPENING)
    phone.wait_for_selector("#panes .ps-card")
    open_tab(phone, "Curate")
    phone.click("#open-bundled-confounded")
    phone.wait_for_selector("#steps .ps-step", timeout=120_000)
    for stage in ("1 Clean", "2 Score", "3 Select", "4 Pairs", "5 Check", "6 Rows", "7 Save"):
        open_stage(phone, stage)
        phone.wait_for_timeout(400)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 402, stage
    phone.close()


def test_a_draft_is_deleted_with_its_rows_after_a_question(page: Any) -> None:
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Delete this draft").click()
    page.wait_for_timeout(800)
    assert page.locator("#steps .ps-step").count() >= 1
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete this draft").click()
    page.wait_for_selector("#curate-status :text('The draft is deleted')", timeout=120_000)
    page.wait_for_selector("#found :text('Nothing is open yet')", timeout=120_000)
