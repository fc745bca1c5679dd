"""One review from its set-up to its report, one guess game and one prediction, in real Chromium with the embedded model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import test_walk
from tests.browser.driver import OPENING, open_stage, open_tab
from tests.browser.test_review import Rater

pytestmark = test_walk.pytestmark
# What the stage looked like when it was opened, told only after the next press.
LATE = """() => { const page = document.querySelector("#coding .ps-ballot"); page.querySelector(".ps-coding").remove();
  page.dataset.turn = "opened-0"; page.dataset.new = "late"; }"""
STAGES, SLOW = "#review-stages", 300_000
REVIEW: dict[str, str] = {}


@pytest.fixture(scope="module")
def owner(place: tuple[Any, str]) -> Iterator[Any]:
    chromium, url = place
    page = chromium.new_page(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    page.goto(url, timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    open_tab(page, "Review")
    page.wait_for_selector("#review-plan :text('pairs of answers')")
    yield page
    page.close()


@pytest.fixture(scope="module")
def raters(place: tuple[Any, str]) -> Iterator[list[Rater]]:
    """Two raters, each with a browser of their own, who have joined the review."""
    chromium, url = place
    contexts = [chromium.new_context(viewport={"width": 1400, "height": 900}) for _ in range(2)]
    yield [Rater(context.new_page(), None, f"{url}/{REVIEW['link']}").join() for context in contexts]
    for context in contexts:
        context.close()


@pytest.mark.slow
def test_the_form_outlives_a_reload_and_the_models_are_asked_once_it_is_pressed(owner: Any) -> None:
    owner.fill("#review-title input, #review-title textarea", "Two on the economy")
    owner.fill("#review-count input[type=number]", "2")
    owner.keyboard.press("Tab")
    owner.wait_for_selector("#review-plan :text('4 pairs of answers (2 + 1 again with sides swapped + 1 of one model against itself)')")
    owner.wait_for_timeout(1000)
    owner.reload()
    owner.wait_for_selector("#panes .ps-card")
    open_tab(owner, "Review")
    owner.wait_for_selector("#review-plan :text('4 pairs of answers')")
    assert owner.locator("#review-title input, #review-title textarea").first.input_value() == "Two on the economy"
    owner.click("#review-start")
    owner.wait_for_selector("#review-status [role=progressbar]")
    owner.reload()
    owner.wait_for_selector("#panes .ps-card")
    open_tab(owner, "Review")
    owner.wait_for_selector("#review-card .ps-hash", timeout=SLOW)
    REVIEW["hash"] = owner.inner_text("#review-card .ps-hash").strip()
    REVIEW["link"] = str(owner.get_attribute("#review-card a[data-link]", "href"))
    assert REVIEW["link"] == f"rate?review={REVIEW['hash'][:12]}" and len(REVIEW["hash"]) == 64


@pytest.mark.slow
def test_two_raters_judge_everything_while_the_results_stay_sealed(owner: Any, raters: list[Rater]) -> None:
    for number, rater in enumerate(raters):
        for _ in range(4):
            rater.vote("1su" if number else "b2a")
        rater.page.wait_for_selector("#ballot :text('All 4 pairs are counted')")
        assert REVIEW["hash"] not in rater.page.content()
    open_stage(owner, "Results", STAGES)
    owner.wait_for_selector("#outcome-said :text('Sealed until its owner closes it')")
    assert not owner.locator("#outcome-plot .js-plotly-plot").count() and "8 ballots" in owner.inner_text("#outcome-progress")


@pytest.mark.slow
def test_two_coders_calibrate_and_code_and_what_they_differ_about_is_settled(owner: Any, raters: list[Rater]) -> None:
    open_stage(owner, "Coding", STAGES)
    owner.click("#leading-use")
    owner.wait_for_selector("#leading-book-said .ps-good")
    owner.fill("#leading-count input", "1")
    owner.click("#leading-calibrate")
    owner.wait_for_selector("#leading-calibration-said .ps-good")
    for rater in raters:
        code(rater.page, ("no-stance",))
    owner.click("#leading-again")
    owner.wait_for_selector("#leading-calibration [data-act=accept]")
    owner.fill("#leading-calibration textarea", "One pair, read alike.")
    owner.click("#leading-calibration [data-act=accept]")
    owner.wait_for_selector("#leading-calibration .ps-good")
    owner.click("#leading-code")
    owner.wait_for_selector("#leading-coding-said .ps-good")
    code(raters[0].page, ("no-stance", "fairness"), memo="sounds fair")
    code(raters[1].page, ("no-stance",))
    assert "sounds fair" not in raters[1].page.content()
    owner.click("#leading-again")
    owner.wait_for_selector("#leading-settling [data-act=applies]")
    seen = []
    while owner.locator("#leading-settling [data-act=applies]").count():
        key = owner.get_attribute("#leading-settling [data-new]", "data-key")
        seen.append(owner.inner_text("#leading-settling"))
        owner.fill("#leading-settling textarea", "It says so in other words.")
        owner.click("#leading-settling [data-act=applies]")
        owner.wait_for_function("key => document.querySelector('#leading-settling [data-new]')?.dataset.key !== key", arg=key)
        assert len(seen) < 9, "there are no more differences than codes"
    assert "sounds fair" in "".join(seen) and "Left" not in "".join(seen)


def code(page: Any, codes: tuple[str, ...], memo: str = "") -> None:
    """Opens the round that is not finished and gives codes to the first answer of each pair, with a memo at the last code."""
    tab = page.get_by_role("tab", name="Code answers")
    if tab.get_attribute("aria-selected") != "true":
        tab.click()
    page.wait_for_selector("#coding .ps-review, #coding [data-act=list]")
    if not page.locator("#coding .ps-review").count():
        page.click("#coding [data-act=list]")
    page.click("#coding .ps-review .ps-primary")
    page.wait_for_selector("#coding .ps-coding")
    page.evaluate(LATE)
    page.wait_for_selector("#coding .ps-coding .ps-code")
    while page.wait_for_selector("#coding .ps-coding, #coding [data-stage=end]").get_attribute("data-stage") != "end":
        for one in codes:
            page.click(f"#coding [data-letter=A] .ps-code[data-code={one}]")
            page.wait_for_selector(f"#coding [data-letter=A] .ps-code[data-code={one}][aria-pressed=true]")
        if memo:
            page.fill(f"#coding [data-letter=A] .ps-given li[id*='{codes[-1]}'] textarea", memo)
        before = page.get_attribute("#coding .ps-ballot", "data-new")
        page.click("#coding [data-act=done]")
        page.wait_for_selector(f"#coding .ps-ballot:not([data-new='{before}'])")


@pytest.mark.slow
def test_once_it_is_closed_the_report_says_what_was_not_established(owner: Any, raters: list[Rater], tmp_path: Path) -> None:
    open_stage(owner, "Set up", STAGES)
    owner.click("#review-close")
    owner.wait_for_selector("#review-close:has-text('Press again')")
    owner.click("#review-close")
    owner.wait_for_selector("#review-card :text('closed')")
    open_stage(owner, "Results", STAGES)
    owner.wait_for_selector("#outcome-plot .js-plotly-plot", timeout=120_000)
    assert "No difference was established" in owner.inner_text("#outcome-summary")
    open_stage(owner, "Coding", STAGES)
    owner.click("#leading-again")
    owner.locator("[data-quote]").first.check()
    owner.wait_for_selector("#leading-found-said .ps-good")
    open_stage(owner, "Results", STAGES)
    report, whole = taken(owner, "html", tmp_path), json.loads(taken(owner, "json", tmp_path))
    assert REVIEW["hash"] in report and "Not established" in report and "deliberately biased" in report
    assert "sounds fair" not in report, "memos are single persons' words"
    assert REVIEW["hash"] in json.dumps(whole)
    assert not [rater.code for rater in raters if rater.code in report + json.dumps(whole)]
    raters[0].page.reload()
    raters[0].page.wait_for_selector("#coding :text('The end of this round')")
    raters[0].page.get_by_role("tab", name="Judge pairs").click()
    raters[0].page.wait_for_selector("#ballot :text('closed')")


def taken(owner: Any, kind: str, folder: Path) -> str:
    """The file of a review, as it is downloaded."""
    name = {"html": "Report (HTML", "json": "JSON (whole"}[kind]
    owner.click("#outcome-format input")
    owner.get_by_role("option", name=re.compile(re.escape(name))).click()
    owner.click("#outcome-export")
    owner.wait_for_selector(f"#outcome-file a[href*='.{kind}']", timeout=120_000)
    with owner.expect_download() as download:
        owner.locator("#outcome-file a").first.click()
    file = folder / f"review.{kind}"
    download.value.save_as(file)
    return file.read_text(encoding="utf-8")


def test_a_class_guesses_on_phones_and_the_teacher_reveals_against_chance(owner: Any, place: tuple[Any, str]) -> None:
    chromium, url = place
    open_stage(owner, "Guess game", STAGES)
    owner.fill("#guess-count input[type=number]", "1")
    owner.keyboard.press("Tab")
    owner.fill("#guess-name input, #guess-name textarea", "Class of three")
    owner.click("#guess-start")
    link = owner.wait_for_selector("#guess-link a[data-link]").get_attribute("href")
    contexts = [chromium.new_context(viewport={"width": 400, "height": 800}, has_touch=True) for _ in range(3)]
    students = [student(context.new_page(), f"{url}/{link}") for context in contexts]
    owner.wait_for_selector("#guess-board :text('3 of 3 have locked in')", timeout=120_000)
    assert all("Locked" in one.inner_text("#guess") and "biased" not in one.inner_text("#guess") for one in students)
    owner.click("#guess-reveal")
    owner.wait_for_selector("#guess-tally :text('chance')")
    assert "this class" in owner.inner_text("#guess-tally").lower()
    for one in students:
        one.wait_for_selector("#guess :text('deliberately biased')", timeout=120_000)
        assert one.evaluate("document.documentElement.scrollWidth") <= 402
    for context in contexts:
        context.close()


def student(page: Any, link: str) -> Any:
    """Joins a game on a phone and locks in that the first answer is left and the second right."""
    page.goto(link, timeout=OPENING)
    page.wait_for_selector("#guess .ps-consent")
    page.check("#guess .ps-consent input")
    page.click("#guess [data-act=join]")
    page.click("#guess [data-act=begin]")
    page.wait_for_selector("#guess fieldset[data-letter]")
    for number in range(2):
        page.locator("#guess fieldset[data-letter]").nth(number).locator("label").nth(number).click()
    page.click("#guess [data-act=lock]")
    page.wait_for_selector("#guess .ps-good:has-text('Locked')")
    return page


def test_a_guess_is_dropped_before_the_points_of_the_stance_plot_appear(owner: Any) -> None:
    open_tab(owner, "Stance")
    owner.click("#predict")
    owner.wait_for_selector("#predict-plot .js-plotly-plot")
    assert not owner.is_visible("#stance-headline") and not owner.is_visible("#stance-plot")
    owner.fill("#predict-left-economic input[type=number]", "-1")
    owner.keyboard.press("Tab")
    owner.wait_for_timeout(500)
    owner.click("#predict-drop")
    owner.wait_for_selector("#predict-told .ps-good")
    assert "-1.0" in owner.inner_text("#predict-told") and owner.is_visible("#stance-headline")
    owner.click("#predict-leave")
    owner.wait_for_selector("#stance-plot .js-plotly-plot")
    assert not owner.is_visible("#predict-told")
