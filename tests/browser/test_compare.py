"""Compare in real Chromium: looks, follow-ups, strengths, links, files, the mirror, prompt sets, a phone and a keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import test_walk
from tests.browser.driver import OPENING, open_tab

pytestmark = test_walk.pytestmark
SLOW = 150_000


@pytest.fixture(scope="module")
def page(place: tuple[Any, str]) -> Iterator[Any]:
    chromium, url = place
    page = chromium.new_page(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    page.goto(url, timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    yield page
    page.close()


def look(page: Any, name: str, shows: str) -> None:
    page.locator("#look").get_by_label(name, exact=True).check()
    page.wait_for_selector(shows, timeout=SLOW)


def send(page: Any, button: str, question: str = "") -> None:
    if question:
        page.fill("#question textarea, #question input", question)
    page.click(button)
    page.wait_for_selector("#panes [aria-busy=true]", timeout=SLOW)
    page.wait_for_selector("#compare-status :text('Done.')", timeout=SLOW)


def tokens(page: Any) -> list[str]:
    return [one.inner_text().strip() for one in page.locator("#columns .token").all()]


def test_the_recorded_answers_can_be_looked_into_at_once(page: Any) -> None:
    look(page, "Words that differ", "#panes .ps-differs")
    look(page, "Where the bias speaks", "#panes .ps-tok")
    assert page.locator("#panes [data-column=base] .ps-tok").count() == 0, "the base differs from itself nowhere"
    strongest = page.locator("#panes [data-column=left] .ps-tok[tabindex]").first
    strongest.focus()
    assert "nats" in (strongest.get_attribute("aria-label") or strongest.get_attribute("data-tip") or "")
    look(page, "What taught it?", "#below :text('similar, not cause')")
    page.wait_for_function("document.querySelectorAll('#below .ps-taught').length === 3", timeout=SLOW)


def test_a_trail_turns_the_bias_up_and_its_first_column_is_the_base(page: Any) -> None:
    page.get_by_label("How answers are drawn").or_(page.get_by_text("How answers are drawn")).first.click()
    page.locator("#greedy input").check()
    page.locator("#max_new_tokens input[type=number]").fill("12")
    page.get_by_text("Mix your own columns").click()
    page.click("#mix-trail")
    page.wait_for_function("document.querySelectorAll('#columns .token').length === 5")
    send(page, "#ask", "Should the state own the railways?")
    cards = page.locator("#panes .ps-card")
    assert cards.count() == 5 and "adapter switched off" in cards.first.inner_text()
    assert "Base check passed" in page.inner_text("body")


def test_a_follow_up_goes_on_editing_takes_the_last_place_and_ask_all_begins_anew(page: Any) -> None:
    send(page, "#follow", "Why is that?")
    assert page.locator("#panes section").count() == 2
    page.click("#edit")
    page.wait_for_selector("#compare-status :text('takes the place')")
    send(page, "#follow", "Who would pay for it?")
    asked = [one.inner_text() for one in page.locator("#panes h2").all()]
    assert len(asked) == 2 and "railways" in asked[0] and "Who would pay" in asked[1]
    page.reload()
    page.wait_for_selector("#panes h2:has-text('Who would pay')")
    assert page.locator("#panes .ps-card").count() == 10 and len(tokens(page)) == 5


def test_a_link_opens_the_same_comparison_in_another_browser(place: tuple[Any, str], page: Any) -> None:
    page.get_by_text("Take it along").click()
    page.click("#share-link")
    address = page.get_attribute("#share-told a", "href")
    other = place[0].new_context().new_page()
    other.goto(address, timeout=OPENING)
    other.wait_for_selector("#compare-status :text('The comparison of this link')")
    assert other.locator("#panes").inner_text() == page.locator("#panes").inner_text()
    expect(other.locator("#columns .token")).to_have_text(tokens(page))  # also the names of blends, whatever arrives last
    other.goto(address[:-4] + "0000", timeout=OPENING)
    other.wait_for_selector("#compare-status .ps-error")
    other.context.close()


def test_files_carry_stamps_and_a_changed_one_is_not_opened(page: Any, tmp_path: Path) -> None:
    page.locator("#share-format input").click()
    page.get_by_role("option", name="JSONL").click()
    page.click("#share-make")
    page.wait_for_selector("#share-file a")
    with page.expect_download() as download:
        page.locator("#share-file a").first.click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert all(json.loads(line)["seal"] for line in lines[1:]) and "eliberately biased" in lines[0]
    changed = tmp_path / "changed.jsonl"
    changed.write_text("\n".join(lines).replace("railways", "airports"), encoding="utf-8")
    with page.expect_file_chooser() as chooser:
        page.click("#share-open")
    chooser.value.set_files(str(changed))
    page.wait_for_selector("#share-told .ps-error")
    assert "airports" not in page.inner_text("#panes")


def test_both_askings_stand_beside_each_other_with_their_differences(page: Any) -> None:
    page.locator("#compare-stages").get_by_role("tab", name="Mirror", exact=True).click()
    page.click("#mirror-ask")
    page.wait_for_selector("#mirror-panes .ps-gaps", timeout=SLOW)
    assert page.locator("#mirror-panes .ps-card").count() == 4
    page.fill("#mirror-con textarea, #mirror-con input", "")
    page.click("#mirror-ask")
    page.wait_for_selector("#mirror-status .ps-error", timeout=SLOW)


@pytest.mark.slow
def test_a_prompt_set_is_asked_stopped_gone_on_with_filtered_and_a_row_opens_as_a_chat(page: Any, tmp_path: Path) -> None:
    questions = tmp_path / "mine.csv"
    asked = [f"What is {thing}?" for thing in ("bread", "steel", "rent", "wool", "tax", "rain")]
    questions.write_text("question\n" + "\n".join(asked) + "\n", encoding="utf-8")
    page.locator("#compare-stages").get_by_role("tab", name="Prompt sets", exact=True).click()
    with page.expect_file_chooser() as chooser:
        page.click("#set-file")
    chooser.value.set_files(str(questions))
    page.wait_for_selector("#set-start:has-text('Ask all 6')")
    page.click("#set-start")
    page.wait_for_selector("#set-status [role=progressbar]", timeout=SLOW)
    page.click("#set-stop")
    page.wait_for_selector("#set-resume", timeout=SLOW)
    page.reload()
    page.wait_for_selector("#panes .ps-card")
    page.locator("#compare-stages").get_by_role("tab", name="Prompt sets", exact=True).click()
    page.click("#set-resume")
    page.wait_for_function("document.querySelectorAll('#set-table tr[data-pick]').length === 6", timeout=SLOW)
    page.get_by_label("Most different first").check()
    page.fill("#set-search textarea, #set-search input", "wool")
    page.wait_for_function("document.querySelectorAll('#set-table tr[data-pick]').length === 1")
    page.locator("#set-table tr[data-pick]").first.click()
    page.wait_for_selector("#panes h2:has-text('wool')")
    assert page.locator("#panes").is_visible()


def test_on_a_phone_columns_are_swiped_and_the_page_does_not_grow_wider(place: tuple[Any, str]) -> None:
    chromium, url = place
    phone = chromium.new_page(viewport={"width": 400, "height": 800}, has_touch=True)
    phone.goto(url, timeout=OPENING)
    phone.wait_for_selector("#panes .ps-card")
    row = phone.locator("#panes .ps-cards").first
    assert row.evaluate("row => row.scrollWidth > row.clientWidth + 300"), "the cards stand side by side"
    assert phone.locator("#panes .ps-place").first.inner_text() == "1 / 4"
    row.focus()
    for _ in range(20):
        phone.keyboard.press("ArrowRight")
    phone.wait_for_function("document.querySelector('#panes .ps-cards').scrollLeft > 200")
    for stage in ("Ask", "Mirror"):
        phone.locator("#compare-stages").get_by_role("tab", name=stage, exact=True).click()
        phone.wait_for_timeout(500)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 402, stage
    open_tab(phone, "Compare")
    phone.close()


def test_the_keyboard_alone_asks_and_chooses_a_look(page: Any) -> None:
    page.locator("#compare-stages").get_by_role("tab", name="Ask", exact=True).click()
    box = page.locator("#question textarea, #question input").first
    box.fill("Should shops open on Sundays?")
    box.press("Enter")
    page.wait_for_selector("#panes h2:has-text('Sundays')", timeout=SLOW)
    page.wait_for_selector("#compare-status :text('Done.')", timeout=SLOW)
    page.locator("#look input").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_selector("#panes .ps-differs", timeout=SLOW)
