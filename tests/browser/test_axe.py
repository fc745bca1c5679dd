"""axe-core over every tab and stage, wide and narrow, light and dark: nothing in our own markup; what is Gradio's is printed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.models import prepare
from pipelines.paths import Paths
from pipelines.review.ballots import Box
from tests.browser import axe, reviewing, test_walk
from tests.browser.driver import OPENING, open_stage, open_tab, studio

pytestmark = test_walk.pytestmark
# Tab, the id of its stages, and the stages with what must stand there before it is looked at.
VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "Curate": (
        "#stages",
        dict.fromkeys(("1 Clean", "2 Score", "3 Select", "4 Pairs", "7 Save"), "#steps .ps-step")
        | {"5 Check": "#lights .ps-light", "6 Rows": "#rows tr[data-pick]"},
    ),
    "Tune": ("#tune-stages", {"Set up": "#tune-cost .ps-note", "Watch": "#plot-shift .js-plotly-plot", "Runs": "#runs"}),
    "Compare": ("#compare-stages", {"Ask": "#panes .ps-card", "Mirror": "#mirror-ask", "Prompt sets": "#set-start"}),
    "Stance": (
        "#stance-parts",
        {
            "Where answers land": "#stance-plot .js-plotly-plot",
            "How far they moved": "#topics-plot .js-plotly-plot",
            "How far to trust it": "#forms-plot .js-plotly-plot",
            "What else changed": "#evenness-plot .js-plotly-plot",
            "How much of it": "#series-plot .js-plotly-plot",
            "When the data changed": "#changed-plot .js-plotly-plot",
            "Audit report": "#stance-parts",
            "Measure anew": "#recompute",
        },
    ),
    "Review": (
        "#review-stages",
        {"Set up": "#review-plan dl", "Coding": "#review-stages", "Results": "#review-stages", "Guess game": "#review-stages"},
    ),
    "Lesson": ("#lesson-stages", {"Steps": ".ps-lesson-line", "For the teacher": "#lesson-stages", "Class": "#class-open"}),
    "State": ("", {"": "#state-lights .ps-light"}),
}
UNFOLD = """() => { for (const one of document.querySelectorAll(".html-container details")) if (one.checkVisibility()) one.open = true;
  for (const one of document.querySelectorAll("button.label-wrap:not(.open)")) if (one.checkVisibility()) one.click(); }"""


@pytest.fixture(scope="module")
def home(model_home: Paths, tmp_path_factory: pytest.TempPathFactory) -> tuple[Paths, str]:
    """A studio's folder with one review that can be judged, and the review's id."""
    made = Paths(tmp_path_factory.mktemp("axe"))
    made.models.mkdir()
    prepare.converted_folder(made).symlink_to(prepare.converted_folder(model_home))
    box, protocol = Box(made.reviews), reviewing.protocol(3, raters=5)
    box.open_review(protocol)
    box.store.close()
    return made, protocol.hash[:12]


@pytest.fixture(scope="module")
def url(home: tuple[Paths, str]) -> Iterator[str]:
    with studio(home[0].root) as made:
        yield made


def opened(chromium: Any, url: str, width: int) -> Any:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(url, timeout=OPENING)
    return page


def refuse(found: list[axe.Finding]) -> None:
    ours = axe.judged(found)
    assert not ours, "\n".join(map(str, ours))


def test_the_first_screen_has_nothing_that_axe_finds(place: tuple[Any, str]) -> None:
    page = opened(*place, 1400)
    page.wait_for_selector("#panes .ps-card")
    assert page.get_attribute("html", "lang") == "en" and page.locator("main").count() == 1 and page.locator("h1").count() == 1
    found = axe.findings(page, "Compare")
    page.close()
    refuse(found)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("tab", VIEWS)
def test_every_stage_of_every_tab_in_light_and_dark(chromium: Any, url: str, tab: str, width: int) -> None:
    page, found = opened(chromium, url, width), []
    page.wait_for_selector("#panes .ps-card")
    open_tab(page, tab)
    if tab == "Curate":
        page.click("#open-bundled-posts")
        page.wait_for_selector("#steps .ps-step", timeout=120_000)
        page.click("#do-all")
        page.wait_for_selector("#curate-status .ps-good", timeout=240_000)
    stages, ready = VIEWS[tab]
    for stage, shows in ready.items():
        if stage:
            open_stage(page, stage, stages)
        page.wait_for_selector(shows, timeout=120_000)
        page.evaluate(UNFOLD)
        page.wait_for_timeout(700)
        found += axe.looks(page, f"{tab} {stage}".strip())
    page.close()
    refuse(found)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 400])
def test_the_pages_of_raters_and_guessers(chromium: Any, url: str, home: tuple[Paths, str], width: int) -> None:
    page = opened(chromium, f"{url}/rate?review={home[1]}", width)
    page.wait_for_selector("#ballot .ps-consent")
    found = axe.looks(page, "Rate, before")
    page.check("#ballot .ps-consent input")
    page.click("#ballot [data-act=join]")
    page.wait_for_selector("#ballot .ps-receipt code")
    found += axe.looks(page, "Rate, receipt")
    page.click("#ballot [data-act=begin]")
    page.wait_for_selector("#ballot .ps-asking")
    found += axe.looks(page, "Rate, a pair")
    page.goto(f"{url}/guess", timeout=OPENING)
    page.wait_for_selector("#guess", state="attached")
    page.wait_for_timeout(1500)
    found += axe.looks(page, "Guess")
    page.close()
    refuse(found)
