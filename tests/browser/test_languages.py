"""The page in Chinese: chosen once and kept, nothing of ours left in English, and texts found as pipelines/languages finds them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.languages.catalogue import catalogues
from pipelines.languages.phrases import SLOT
from tests.browser import test_walk
from tests.browser.driver import OPENING, open_stage, open_tab
from tests.browser.test_axe import UNFOLD, VIEWS
from tests.unit.still_english import english

pytestmark = test_walk.pytestmark
CHINESE = next(one for one in catalogues() if one.code == "zh-Hans")
READY = "() => window.psLanguage?.code === 'zh-Hans' && window.psLanguage.ready.then(() => true)"
# What people, models and data say, names of files and versions; everything else that is seen is ours.
CONTENT = (
    "code, kbd, pre, q, textarea, script, style, noscript, [translate=no], [lang=en], .ps-text, .ps-clip, .ps-question, .ps-taught-words, .ps-hash, "
    ".ps-format, #rows td, #question ul, #suggestions, .built-with, footer, .ps-language, .ps-asked > summary, .ps-outcome, td, #set-prompts"
)
SEEN = """content => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = new Set();
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (/[A-Za-z]{3}/.test(walker.currentNode.data) && parent.checkVisibility() && !parent.closest(content)) found.add(walker.currentNode.data.trim());
  }
  for (const input of document.querySelectorAll("[placeholder], [aria-label]")) {
    if (!input.checkVisibility() || input.closest("[translate=no]")) continue;
    for (const name of ["placeholder", "aria-label"]) if (/[A-Za-z]{3}/.test(input.getAttribute(name) ?? "")) found.add(`[${name}] ${input.getAttribute(name)}`);
  }
  for (const input of document.querySelectorAll("input[role=combobox]")) {
    if (input.checkVisibility() && /[A-Za-z]{3}/.test(input.value)) found.add(`[value] ${input.value}`);
  }
  return [...found];
}"""
TOLD = "texts => texts.map(text => window.psLanguage.say(text))"


@pytest.fixture(scope="module")
def page(place: tuple[Any, str]) -> Iterator[Any]:
    page = place[0].new_page(viewport={"width": 1400, "height": 900})
    page.goto(place[1], timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    page.locator(".ps-head .ps-language").select_option("zh-Hans")
    page.wait_for_function(READY)
    page.wait_for_selector("#panes .ps-card")
    yield page
    page.close()


def said(page: Any, text: str) -> str:
    return page.evaluate("text => window.psLanguage.say(text)", text)


def left_over(page: Any) -> list[str]:
    """The visible texts that still hold English words of ours: without the attribute's name, and a preset's key in brackets."""
    return sorted(text for text in page.evaluate(SEEN, CONTENT) if english(re.sub(r"^\[[a-z-]+\] |（[a-z0-9-]+）", "", text)))


def test_the_choice_is_kept_and_everything_of_the_first_screen_is_said(page: Any) -> None:
    assert page.get_attribute("html", "lang") == "zh-Hans" and said(page, "Ask all") in page.inner_text("#ask")
    page.reload()
    page.wait_for_function(READY)
    page.wait_for_selector("#panes .ps-card")
    assert said(page, "Ask all") in page.inner_text("#ask") and not left_over(page)


def test_words_explain_themselves_in_chinese_too(page: Any) -> None:
    word = page.locator(".ps-term:visible").first
    word.wait_for()
    word.click()
    page.wait_for_selector("#ps-says:visible")
    assert re.search(r"[\u4e00-\u9fff]", page.inner_text("#ps-says")) and not english(page.inner_text("#ps-says"))
    page.keyboard.press("Escape")


def test_the_browser_and_the_program_find_texts_alike(page: Any) -> None:
    sources = [SLOT.sub(lambda slot: {"s": "s"}.get(slot[1], "3" if slot[1][0] == "#" else "Economic"), source) for source in CHINESE.texts]
    joined = [f"{first}: {second}" for first, second in zip(sources[::7], sources[3::7], strict=False)] + [
        f"{one} (3 rows)" for one in sources[::11]
    ]
    texts = [*sources, *joined, "Nothing of this is known. Nor that.", "12.5%"]
    here = [CHINESE.phrases.say(text) or text for text in texts]
    assert [pair for pair in zip(texts, page.evaluate(TOLD, texts), here, strict=True) if pair[1] != pair[2]] == []


def test_an_answer_is_asked_for_and_stays_english(page: Any) -> None:
    page.fill("#question textarea, #question input", "Should the state own the railways?")
    page.click("#ask")
    page.wait_for_selector("#panes .ps-question:has-text('railways')", timeout=300_000)
    page.wait_for_selector("#stop:disabled", timeout=300_000)
    assert re.search(r"[A-Za-z]{4}", page.inner_text("#panes .ps-text >> nth=0")) and not left_over(page)


@pytest.mark.slow
@pytest.mark.parametrize("tab", VIEWS)
def test_nothing_of_ours_is_left_in_english(page: Any, tab: str) -> None:
    open_tab(page, said(page, tab))
    if tab == "Curate":
        page.click("#open-bundled-posts")
        page.wait_for_selector("#steps .ps-step", timeout=120_000)
        page.click("#do-all")
        page.wait_for_selector("#curate-status .ps-good", timeout=240_000)
    stages, ready = VIEWS[tab]
    found = {}
    for stage, shows in ready.items():
        if stage:
            open_stage(page, said(page, stage), stages)
        page.wait_for_selector(shows, timeout=120_000)
        page.evaluate(UNFOLD)
        page.wait_for_timeout(700)
        found[stage] = left_over(page)
    assert not any(found.values()), "\n".join(f"{stage}: {text}" for stage, texts in found.items() for text in texts)
