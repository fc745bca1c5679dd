"""Hostile text in every place of the studio, in real Chromium at two widths: nothing runs, nothing becomes markup, no layout breaks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.export import audit, audit_figures, audit_page, comparison, review, review_page, stance_files
from pipelines.export.comparison import FORMULA
from pipelines.export.reviewed import gather
from pipelines.models import prepare
from pipelines.paths import Paths, read_json
from pipelines.review.coding import Codes
from pipelines.stance.study import Study
from tests.browser import hostile_home, test_walk
from tests.browser.driver import OPENING, open_tab, studio
from tests.browser.hostile import CELL, ELSEWHERE, SHORT, VECTORS, WIDTHS, Watch, endpoint, line, marker, text
from tests.browser.hostile_home import Home

pytestmark = test_walk.pytestmark
SOON = 120_000
OPEN_ALL = "() => document.querySelectorAll('details').forEach(one => { one.open = true; })"
RUNS = ("grouped", "training", "finished", "failed")
Place = tuple[Any, str, Home]


@pytest.fixture(scope="module")
def place(chromium: Any, model_home: Paths, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A studio in whose home everything is hostile."""
    paths = Paths(tmp_path_factory.mktemp("hostile"))
    paths.models.mkdir()
    prepare.converted_folder(paths).symlink_to(prepare.converted_folder(model_home))
    home = hostile_home.furnish(paths)
    with studio(paths.root) as url:
        yield chromium, url, home


@pytest.fixture
def watch(place: Place) -> Iterator[Watch]:
    context = place[0].new_context(viewport={"width": WIDTHS[0], "height": 900})
    context.set_default_timeout(SOON)
    yield Watch(context.new_page(), place[1])
    context.close()


@pytest.fixture
def main(watch: Watch) -> Watch:
    """The main page at the studio's own computer, with what others made."""
    watch.page.goto(watch.origin, timeout=OPENING)
    watch.page.wait_for_selector("#panes .ps-card")
    watch.page.locator("#everything input").check()
    return watch


def soon(page: Any, part: str, *places: str) -> None:
    """Waits until the texts of these places stand in a part of the page, be it folded."""
    for place in places:
        page.wait_for_selector(f"{part} :text('{marker(place)}')", state="attached", timeout=SOON)


def stage(page: Any, name: str, stages: str) -> None:
    """Opens a stage once it has its place again: a page that was narrow keeps it in a menu for a moment."""
    page.locator(stages).get_by_role("tab", name=name, exact=True).click()


def choose(page: Any, box: str, words: str) -> None:
    """Takes the choice with these words in a dropdown."""
    page.click(f"{box} input")
    page.locator("[role=option]", has_text=words).first.click()


def unfolded(page: Any, wait: int = 500) -> None:
    page.wait_for_timeout(wait)
    page.evaluate(OPEN_ALL)


def test_the_search_finds_a_text_that_is_not_escaped(watch: Watch) -> None:
    watch.page.goto(f"{watch.origin}/rate", timeout=OPENING)
    for one in (*VECTORS[:2], VECTORS[6]):
        watch.page.set_content(one)
        with pytest.raises(AssertionError):
            watch.check(where="a page that shows a text as it is")


def test_a_comparison_that_a_link_opens(place: Place, watch: Watch) -> None:
    page = watch.page
    page.goto(f"{watch.origin}/?comparison={place[2].comparison}", timeout=OPENING)
    soon(page, "#panes", "asked", "answer", "answer-last", "column")
    unfolded(page)
    watch.check("asked", "answer", "answer-tuned", "answer-last", "column", "system", "stamp-base", "stamp-adapter", where="a comparison")
    page.locator("#look").get_by_label("Words that differ", exact=True).check()
    page.wait_for_selector("#panes .ps-differs", timeout=SOON)
    watch.check("answer-last", where="words that differ")


@pytest.mark.slow
def test_who_can_answer_and_prompt_sets(main: Watch) -> None:
    page = main.page
    open_tab(page, "Compare")
    page.click("#columns input")
    page.wait_for_selector(f"[role=option]:has-text('{marker('title-finished')}')", timeout=SOON)
    main.check(where="the list of columns")
    page.keyboard.press("Escape")
    stage(page, "Prompt sets", "#compare-stages")
    soon(page, "#set-table", "set-question0", "set-topic", "set-left", "set-right", "set-column")
    main.check("set-title", where="results of a prompt set")
    page.locator("#set-table tr[data-pick]").first.click()
    soon(page, "#panes", "set-question0")
    main.check("set-left", where="an opened row of a prompt set")


def watched(main: Watch, *names: str) -> None:
    page = main.page
    open_tab(page, "Tune")
    stage(page, "Watch", "#tune-stages")
    for name in names:
        choose(page, "#run", marker("group" if name == "grouped" else f"title-{name}"))
        soon(page, "#timeline", "probe-question0", "probe-answer")
        unfolded(page)
        main.check("probe-question1", "guard", f"{name}-data", where=f"watching the run {name}")


def test_a_run_that_is_watched(main: Watch) -> None:
    watched(main, "failed")
    soon(main.page, "#run-status", "message")


@pytest.mark.slow
def test_all_runs_that_are_watched(main: Watch) -> None:
    watched(main, *RUNS)


@pytest.mark.slow
def test_the_shelf_of_runs(main: Watch) -> None:
    page = main.page
    open_tab(page, "Tune")
    stage(page, "Runs", "#tune-stages")
    soon(page, "#runs", "title-finished", "title-failed", "note", "tag", "group", "failed-side")
    main.check(where="the list of runs")
    page.locator("#runs tr[data-pick]", has_text=marker("title-failed")).click()
    soon(page, "#run-details", "lever", "lever-value", "package")
    main.check("title-failed", "note", where="a run's settings")
    stage(page, "Differences", "#run-stages")
    choose(page, "#other-run", marker("title-finished"))
    soon(page, "#run-differences", "title-failed", "failed-data")
    main.check(where="differences of runs")
    stage(page, "Curves", "#run-stages")
    for name in ("finished", "failed"):
        choose(page, "#overlaid", marker(f"title-{name}"))
    page.keyboard.press("Escape")
    page.wait_for_selector("#overlay .js-plotly-plot .legendtext", timeout=SOON)
    main.check(where="loss curves")
    stage(page, "Set up", "#tune-stages")
    page.click("#data input")
    page.wait_for_selector(f"[role=option]:has-text('{marker('version')}')", timeout=SOON)
    main.check(where="data to tune on")
    page.keyboard.press("Escape")


@pytest.mark.slow
def test_the_answers_of_a_study(main: Watch) -> None:
    page = main.page
    open_tab(page, "Stance")
    choose(page, "#earlier-results", "zq-study-zq")
    soon(page, "#stance-source", "study-note")
    page.locator("#points-table tr[data-pick]").first.click()
    soon(page, "#stance-picked", "study-answers")
    page.wait_for_selector("#stance-plot .js-plotly-plot", timeout=SOON)
    unfolded(page)
    main.check("study-left", "study-question1", "study-stamp", where="where answers land")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "plot", "places"),
    [
        ("How far they moved", "topics", ("study-role", "study-topic")),
        ("How far to trust it", "forms", ("study-reason",)),
        ("What else changed", "evenness", ("study-left", "study-everyday")),
    ],
)
def test_the_parts_of_a_study(main: Watch, part: str, plot: str, places: tuple[str, ...]) -> None:
    page = main.page
    open_tab(page, "Stance")
    choose(page, "#earlier-results", "zq-study-zq")
    soon(page, "#stance-source", "study-note")
    stage(page, part, "#stance-parts")
    page.wait_for_selector(f"#{plot}-plot .js-plotly-plot", timeout=120_000)
    unfolded(page, 1000)
    main.check(*places, where=part)


@pytest.mark.slow
def test_reviews_for_their_owner(main: Watch) -> None:
    page = main.page
    open_tab(page, "Review")
    choose(page, "#review-list", marker("closed-title"))
    soon(page, "#review-card", "closed-column")
    unfolded(page)
    main.check("closed-column", where="a review")
    stage(page, "Coding", "#review-stages")
    choose(page, "#leading-list", marker("research-title"))
    page.locator("#leading").get_by_text("Look back").click()
    soon(page, "#leading", "definition", "code", "settled")
    unfolded(page)
    main.check("code", "definition", "example", "counterexample", "accepted", "settled", where="leading the coding")
    choose(page, "#leading-list", marker("closed-title"))
    soon(page, "#leading", "closed-column")
    unfolded(page)
    main.check("closed-column", where="quotes of a closed review")


@pytest.mark.slow
def test_the_results_of_a_review_and_a_guess_game(main: Watch) -> None:
    page = main.page
    open_tab(page, "Review")
    stage(page, "Results", "#review-stages")
    choose(page, "#outcome-list", marker("closed-title"))
    page.wait_for_selector("#outcome-plot .js-plotly-plot", timeout=SOON)
    unfolded(page)
    main.check("closed-asked", "closed-column", "comment", where="results of a review")
    stage(page, "Guess game", "#review-stages")
    choose(page, "#guess-games", marker("game"))
    soon(page, "#guess-board", "game-question")
    main.check(where="a guess game for its owner")


def test_the_page_of_raters(place: Place, watch: Watch) -> None:
    page = watch.page
    page.goto(f"{watch.origin}/rate", timeout=OPENING)
    soon(page, "#ballot", "research-title", "lesson-title")
    watch.check(where="the list of reviews")
    page.goto(f"{watch.origin}/rate?review={place[2].lesson}", timeout=OPENING)
    soon(page, "#ballot", "lesson-purpose", "lesson-politics")
    watch.check("lesson-title", where="what raters read first")
    page.check("#ballot .ps-consent input")
    page.click("#ballot [data-act=join]")
    page.click("#ballot [data-act=begin]")
    soon(page, "#ballot .ps-asking", "lesson-asked")
    watch.check("lesson-base", "lesson-tuned", where="a pair")
    page.keyboard.press("a")
    page.fill("#ballot .ps-comment textarea", text("own-comment", 1900))
    page.keyboard.press("Control+Enter")
    soon(page, "#ballot", "lesson-column")
    unfolded(page)
    watch.check("stamp-base", "own-comment", where="a pair that is revealed")


def test_the_page_of_guessers(place: Place, watch: Watch) -> None:
    page = watch.page
    page.goto(f"{watch.origin}/guess?game={place[2].game}", timeout=OPENING)
    soon(page, "#guess", "game")
    watch.check(where="what guessers read first")
    page.check("#guess .ps-consent input")
    page.click("#guess [data-act=join]")
    page.click("#guess [data-act=begin]")
    soon(page, "#guess", "game-question", "game-answer")
    watch.check(where="a round")


@pytest.mark.slow
def test_a_file_in_curate_and_saved_versions(main: Watch, tmp_path: Path) -> None:
    page = main.page
    open_tab(page, "Curate")
    page.set_input_files("#upload input", str(_rows(tmp_path)))
    page.wait_for_selector("#found :text('5 preference pairs')", timeout=SOON)
    page.get_by_text("What the columns are").click()
    page.locator("[aria-label=prompt]").first.click()
    page.wait_for_selector(f"[role=option]:has-text('{marker('own-column')}')", timeout=SOON)
    main.check(where="columns of a file")
    page.keyboard.press("Escape")
    stage(page, "6 Rows", "#stages")
    page.locator("#rows tr[data-pick]").first.click()
    soon(page, "#rows", "own-prompt0", "own-chosen0")
    page.wait_for_selector("#formatted .ps-trained", timeout=120_000)
    main.check("own-prompt0", "own-chosen0", where="rows of a file")
    stage(page, "7 Save", "#stages")
    choose(page, "#version", marker("version"))
    soon(page, "#version-card", "version")
    main.check("source", "source-key", "licence", "basis", "step", "setting", "reason", "made-column", "topic", where="a data card")


@pytest.mark.slow
def test_what_an_endpoint_says(main: Watch) -> None:
    page = main.page
    open_tab(page, "Curate")
    page.click("#open-bundled-posts")
    page.wait_for_selector("#steps .ps-step", timeout=SOON)
    stage(page, "2 Score", "#stages")
    page.locator("#annotator").get_by_label("A language model behind an address (endpoint)").check()
    with endpoint(text("endpoint", 2000)) as address:
        page.fill("#endpoint-url textarea, #endpoint-url input", address)
        page.fill("#endpoint-model textarea, #endpoint-model input", text("endpoint-model", 90, hidden=False))
        page.click("#estimate")
        soon(page, "#estimated", "endpoint")
    main.check("endpoint-model", where="what an endpoint says")


def _rows(folder: Path) -> Path:
    """A CSV with a hostile name and hostile cells, one of 1 MB, and a NUL."""
    columns = ["prompt", "chosen", "rejected", "topic", text("own-column", 100)]
    rows = [[text(f"own-{name}{n}", 900) for name in columns[:4]] + [SHORT] for n in range(4)]
    rows.append([text("own-wide", 300), "W" * 10_000, "x" * 1_000_000, "\u202e" * 50, "\0"])
    target = io.StringIO()
    csv.writer(target).writerows([columns, *rows])
    file = folder / f"{line('own-file', 60)}.csv"
    file.write_text(target.getvalue(), encoding="utf-8")
    return file


@pytest.mark.slow
def test_the_state_of_the_studio(main: Watch) -> None:
    open_tab(main.page, "State")
    main.page.wait_for_timeout(1500)
    main.check("title-failed", where="the state of the studio")


@pytest.mark.slow
def test_files_that_are_taken_along_and_opened_from_the_disk(place: Place, tmp_path: Path) -> None:
    paths = place[2].paths
    study = Study.from_dict(read_json(next(paths.results.glob("*.json"))))
    codes = Codes(paths.reviews)
    judged = gather(codes, place[2].closed)
    codes.store.close()
    talk = hostile_home.talk()
    files = {
        "audit": (audit_page.page(audit.whole(study, paths), audit_figures.figures_of(study)), ("study-left", "study-answers")),
        "review": (review_page.to_html(judged), ("closed-asked", "closed-column", "closed-purpose", "definition")),
        "comparison": (_rendered(comparison.to_markdown(talk)), ("asked", "answer", "column", "system", "stamp-base")),
    }
    for name, (page, places) in files.items():
        (tmp_path / f"{name}.html").write_bytes(page.encode("utf-8", "replace"))
        context = place[0].new_context(viewport={"width": WIDTHS[0], "height": 900})
        watch = Watch(context.new_page(), "file://")
        watch.page.goto((tmp_path / f"{name}.html").as_uri())
        unfolded(watch.page)
        watch.check(*places, where=f"the file of the {name}")
        context.close()
    for sheet, holds_a_formula in (
        (comparison.to_csv(talk), True),
        (stance_files.answers_csv(study), True),
        (review.to_csv(judged), False),
    ):
        cells = [cell for row in csv.reader(io.StringIO(sheet)) for cell in row]
        assert any(cell.startswith(f"'{CELL[:9]}") for cell in cells) == holds_a_formula
        assert not [cell for cell in cells if cell.startswith(FORMULA) and not _number(cell)]


def _rendered(markdown: str) -> str:
    """Markdown as a reader that lets HTML through would show it."""
    made = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    assert ELSEWHERE in made
    return f"<!doctype html><meta charset=utf-8><style>* {{ overflow-wrap: anywhere; }} table {{ display: block; overflow: auto; }}</style>{made}"


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
