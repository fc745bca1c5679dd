"""The plane of Stance in real Chromium: a point and its row open the same answers, files are made, and it fits a phone and a keyboard.

The sections stand on a page of their own with the recorded study and a questionnaire that is made up; no language model is loaded.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from pipelines import bundled
from pipelines.figures.look import label
from pipelines.paths import read_json
from pipelines.stance.ruler import Ruler
from pipelines.stance.study import Study
from studio.services import Services
from studio.tabs.stances import map as wording
from studio.tabs.stances import plane
from studio.theme import css, theme
from tests.browser import test_walk
from tests.browser.driver import OPENING
from tests.unit.test_plane import surveyed
from tests.unit.test_taught import Bag

pytestmark = test_walk.pytestmark
SOON = 120_000
PLOT, POINT = "#stance-plot .js-plotly-plot", ".points path"


def study(passed: bool = True) -> Study:
    return surveyed(passed, Study.from_dict(read_json(bundled.RECORDED / "stance.json")))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with both sections, and a button that shows another study: of one draw, and with checks that failed."""
    patch = pytest.MonkeyPatch()
    patch.setenv("STUDIO_HOME", str(tmp_path_factory.mktemp("stance")))
    services, first = Services.create(), study()
    services.ruler = Ruler(Bag())  # type: ignore[arg-type]
    with gr.Blocks(fill_width=True) as page:
        current = gr.State(None)
        parts = [section.build(services, current, first) for section in (plane, wording)]

        def another() -> tuple[Any, ...]:
            other = study(passed=False)
            other.answers = [answer for answer in other.answers if answer["sample"] == 0]
            return other.as_dict(), *(update for part in parts for update in part.show(other))

        gr.Button("Another", elem_id="another").click(another, None, [current, *(one for part in parts for one in part.outputs)])
    _, address, _ = page.queue().launch(
        prevent_thread_lock=True, quiet=True, ssr_mode=False, server_name="127.0.0.1", server_port=None, css=css(), theme=theme()
    )
    yield address
    page.close()
    patch.undo()


@pytest.fixture(params=[1300, 400])
def page(request: pytest.FixtureRequest, chromium: Any, url: str) -> Iterator[Any]:
    page = chromium.new_page(viewport={"width": request.param, "height": 900}, accept_downloads=True)
    page.goto(url, timeout=OPENING)
    page.wait_for_selector(f"{PLOT} {POINT}", timeout=SOON)
    yield page
    page.close()


def press(page: Any, trace: int, number: int) -> dict[str, Any]:
    """Clicks a point with the mouse; where another one lies on top of it, it is that one that is pressed. Gives what the plot told."""
    page.evaluate(f"""document.querySelector("{PLOT}").on("plotly_click", told => {{ window.told = told.points[0].customdata; }})""")
    page.locator(f"{PLOT} .trace").nth(trace).locator(POINT).nth(number).scroll_into_view_if_needed()
    box = page.locator(f"{PLOT} .trace").nth(trace).locator(POINT).nth(number).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(f"{PLOT} .hoverlayer .hovertext", timeout=SOON)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("window.told")
    question, sample, column = page.evaluate("window.told")
    return next(a for a in study().answers if (a["question"], a["sample"], a["column"]) == (question, sample, column))


def press_form(page: Any) -> None:
    """Clicks the first small point of the cloud of forms."""
    point = page.locator(f"{PLOT} .trace").first.locator(POINT).first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(f"{PLOT} .hoverlayer .hovertext", timeout=SOON)
    page.mouse.down()
    page.mouse.up()


def opened(page: Any) -> dict[str, str]:
    """The words of every card that is open, by column."""
    return {
        card.get_attribute("data-column"): card.locator(".ps-text").inner_text() for card in page.locator("#stance-picked .ps-card").all()
    }


def expected(answer: dict[str, Any]) -> dict[str, str]:
    same = [a for a in study().answers if (a["question"], a["sample"]) == (answer["question"], answer["sample"])]
    return {a["column"]: a["text"] for a in same}


def turned_to(page: Any, answer: dict[str, Any]) -> Any:
    """The answer's own row, wherever it stands: the table is narrowed to its column and turned page by page until it is there."""
    row = page.locator(f'#points-table tr[data-pick*=\'"{answer["question"]}", {answer["sample"]}, "{answer["column"]}"\']')
    chooser = page.locator("#points-column input")
    chooser.scroll_into_view_if_needed()
    chooser.fill(label(study(), answer["column"]))
    chooser.press("Enter")
    page.wait_for_selector("#points-count :text('of 120')", timeout=SOON)
    for first in (51, 101):
        if row.count():
            break
        page.click("#points-more")
        page.wait_for_selector(f"#points-count :text('Answers {first} to')", timeout=SOON)
    assert row.count() == 1, "every answer has one row"
    return row


def as_read(words: dict[str, str]) -> dict[str, str]:
    return {name: " ".join(text.split()) for name, text in words.items()}


def test_a_point_of_the_plot_and_its_row_in_the_table_open_the_same(page: Any) -> None:
    answer = press(page, 1, 3)
    page.wait_for_selector("#stance-picked .ps-card", timeout=SOON)
    by_point = opened(page)
    assert as_read(by_point) == as_read(expected(answer)) and len(by_point) == 4
    assert f"{answer['economic']:+.2f}" in page.inner_text("#stance-picked .ps-points-scores")
    page.wait_for_function("document.querySelectorAll('#stance-near .ps-taught').length === 3", timeout=SOON)
    assert "similarity" in page.inner_text("#stance-near") and "similar, not cause" in page.inner_text("#stance-near")
    by_point_near = page.inner_text("#stance-near")
    other = page.locator("#points-table tr[data-pick]").nth(40)
    other.click()
    page.wait_for_function(
        "before => document.querySelector('#stance-picked .ps-text').innerText !== before", arg=by_point["base"], timeout=SOON
    )
    row = turned_to(page, answer)
    row.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "before => document.querySelector('#stance-picked .ps-text').innerText === before", arg=by_point["base"], timeout=SOON
    )
    assert opened(page) == by_point and row.get_attribute("aria-selected") == "true"
    page.wait_for_function("before => document.querySelector('#stance-near').innerText === before", arg=by_point_near, timeout=SOON)


def test_points_are_pressed_also_after_another_study_was_shown(page: Any) -> None:
    page.click("#another")
    page.wait_for_selector("#points-count :text('of 160')", timeout=SOON)
    page.wait_for_function(f"document.querySelectorAll('{PLOT} .trace:first-child path.point').length === 40", timeout=SOON)
    answer = press(page, 0, 7)
    page.wait_for_selector("#stance-picked .ps-card", timeout=SOON)
    assert as_read(opened(page)) == as_read(expected(answer)) and answer["sample"] == 0
    page.locator("#stance-cloud label", has_text="forms").click()
    page.wait_for_selector(f"{PLOT} :text('Shift in the questionnaire')", timeout=SOON)
    assert "No positions are shown" in page.inner_text("#stance-note")
    press_form(page)
    page.wait_for_selector("#stance-picked pre.ps-form", timeout=SOON)
    assert "mean x, economic" in page.inner_text("#stance-picked") and "form “" in page.inner_text("#stance-picked")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"] + 2


def test_the_table_is_filtered_and_turned(page: Any) -> None:
    assert page.locator("#points-table tr[data-pick]").count() == 50
    page.click("#points-more")
    page.wait_for_selector("#points-count :text('51 to 100 of 480')", timeout=SOON)
    page.locator("#points-column input").click()
    page.get_by_role("option", name="Placebo").click()
    page.wait_for_selector("#points-count :text('1 to 50 of 120')", timeout=SOON)
    assert {row.locator("td").nth(1).inner_text().strip() for row in page.locator("#points-table tr[data-pick]").all()} == {"Placebo"}


def test_picture_and_numbers_are_downloaded_without_any_other_address(page: Any, tmp_path: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_download() as made:
        page.click("#stance-plane-png")
    made.value.save_as(tmp_path / "plane.png")
    size = Image.open(tmp_path / "plane.png").size
    assert made.value.suggested_filename == "stance-plane.png" and size[0] > 900 and size[1] == 3 * 580
    with page.expect_download() as made:
        page.click("#stance-plane-csv")
    made.value.save_as(tmp_path / "plane.csv")
    with (tmp_path / "plane.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 480 + 4 and sum(bool(row["x_plus"]) for row in rows) == 4
    assert not [address for address in asked if not address.startswith(("http://127.0.0.1", "blob:", "data:"))]


def test_the_map_is_drawn_when_it_is_asked_for_and_its_points_open_too(page: Any) -> None:
    page.click("#draw-map")
    page.wait_for_selector("#answer-map .js-plotly-plot .points path", timeout=120_000)
    assert "not a stance" in page.inner_text("#answer-map") and "480 answers" in page.inner_text("#answer-map")
    point = page.locator("#answer-map .trace").nth(2).locator(POINT).first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#answer-map .hoverlayer .hovertext", timeout=SOON)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_selector("#stance-picked .ps-card", timeout=SOON)
