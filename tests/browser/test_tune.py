"""Tune in real Chromium: the cost before the start, a group in the queue, a killed studio, two watchers, and what is done with runs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.models import prepare
from pipelines.paths import PROJECT, Paths
from pipelines.tuning import groups, runs
from pipelines.tuning.recipe import Recipe
from tests.browser.driver import CHROMIUM, OPENING, await_studio, open_tab

pytestmark = pytest.mark.timeout(480)
if CHROMIUM is None:
    if os.environ.get("CI"):
        raise RuntimeError("chromium is missing: browser tests must run here")
    pytestmark = [pytestmark, pytest.mark.skip(reason="install chromium to run the browser tests")]
SLOW = 150_000


class Killable:
    """A studio in a process of its own that can be killed and started again on the same address."""

    def __init__(self, home: Paths) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.home, self.url = home, f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        environment = {**os.environ, "STUDIO_HOME": str(self.home.root), "PORT": str(self.port), "HOST": "127.0.0.1"}
        self.process = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=environment)
        await_studio(self.url, self.process)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(20)


@pytest.fixture(scope="module")
def place(chromium: Any, model_home: Paths, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Killable]]:
    home = Paths(tmp_path_factory.mktemp("tune"))
    home.models.mkdir()
    prepare.converted_folder(home).symlink_to(prepare.converted_folder(model_home))
    studio = Killable(home)
    yield chromium, studio
    studio.kill()


@pytest.fixture(scope="module")
def page(place: tuple[Any, Killable]) -> Iterator[Any]:
    chromium, studio = place
    page = chromium.new_page(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    open_tune(page, studio.url)
    yield page
    page.close()


def open_tune(page: Any, url: str) -> None:
    page.goto(url, timeout=OPENING)
    page.wait_for_selector("#panes .ps-card")
    open_tab(page, "Tune")


def stage(page: Any, name: str, within: str = "#tune-stages") -> None:
    page.locator(within).get_by_role("tab", name=name, exact=True).click()


def until(happened: Callable[[], Any], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def load_recipe(page: Any, recipe: Recipe, folder: Path) -> None:
    file = folder / "small.yaml"
    file.write_text(recipe.to_yaml("For a test."), encoding="utf-8")
    if not page.locator("#load-recipe").is_visible():
        page.get_by_text("Expert: every setting of the recipe").click()
    with page.expect_file_chooser() as chooser:
        page.click("#load-recipe")
    chooser.value.set_files(str(file))
    page.wait_for_selector("#recipe-said :text('is loaded')", state="attached")


def test_the_cost_is_said_before_the_start_and_what_can_not_fit_is_refused_with_advice(page: Any) -> None:
    page.wait_for_selector("#tune-cost :text-matches('About .* for 60 steps on this computer; needs about')", timeout=SLOW)
    page.get_by_text("Expert: every setting of the recipe").click()
    page.locator("#preset input").click()
    page.get_by_role("option", name="paper-llama3-8b").click()
    page.wait_for_selector("#tune-cost .ps-error", timeout=SLOW)
    page.click("#start-tuning")
    page.wait_for_selector("#tune-said .ps-error")
    assert "Traceback" not in page.inner_text("body") and not page.locator("#run-status [role=progressbar]").is_visible()
    page.locator("#preset input").click()
    page.get_by_role("option", name="classroom").click()
    page.wait_for_selector("#tune-cost :text-matches('for 60 steps')", timeout=SLOW)


def test_the_command_follows_the_form(page: Any) -> None:
    page.get_by_label("Short look: 20 steps").check()
    page.get_by_text("Show the command").click()
    page.wait_for_selector("#command :text-matches('max-steps')", timeout=SLOW)
    assert "python -m pipelines tune" in page.inner_text("#command")


@pytest.mark.slow
def test_a_group_trains_one_after_another_outlives_the_studio_and_is_seen_by_two_watchers(
    page: Any, place: tuple[Any, Killable], tiny: Path, tmp_path: Path
) -> None:
    chromium, studio = place
    small = replace(Recipe(), base=str(tiny), top_layers=1, lora_rank=4, batch_size=4, ruler=False, sample_tokens=4, max_tokens=1024)
    load_recipe(page, small, tmp_path)
    page.get_by_label("Short look: 20 steps").check()
    page.click("#start-group")
    page.wait_for_selector("#group .ps-table, #group table", timeout=SLOW)
    group = groups.list_groups(studio.home)[0]
    assert [groups.role(run) for run in group.runs] == ["left", "right", "placebo"] and group.same_settings
    assert "identical" in page.inner_text("#group").lower() or "same settings" in page.inner_text("#group").lower()
    studio.kill()
    until(lambda: group.runs[0].state == "finished")
    studio.start()
    other = chromium.new_page(viewport={"width": 400, "height": 800})
    for watcher in (page, other):
        open_tune(watcher, studio.url)
        stage(watcher, "Watch")
    until(lambda: all(run.state == "finished" for run in group.runs))
    for watcher in (page, other):
        watcher.wait_for_selector("#run-status :text('Finished')", timeout=SLOW)
        assert watcher.locator("#plot-loss .js-plotly-plot").count() == 1
        assert watcher.evaluate("document.documentElement.scrollWidth") <= watcher.viewport_size["width"] + 2
    other.close()
    prints = {run.metrics["adapter_fingerprint"] for run in group.runs}
    assert len(prints) == 3, "different data must give different adapters"


@pytest.mark.slow
def test_runs_are_named_found_compared_taken_out_and_deleted(page: Any, place: tuple[Any, Killable]) -> None:
    _, studio = place
    stage(page, "Runs")
    page.wait_for_selector("#runs [data-pick]")
    page.locator("#runs [data-pick]").first.click()
    page.wait_for_selector("#run-details table, #run-details dl, #run-details .ps-levers", timeout=SLOW)
    page.fill("#run-title input, #run-title textarea", "My <b>first</b> run")
    page.fill("#run-tags input, #run-tags textarea", "Lesson, draft")
    page.click("#save-about")
    page.wait_for_selector("#runs-said .ps-good")
    search = page.locator("#search-runs input, #search-runs textarea").first
    search.press_sequentially("tag:lesson")
    page.wait_for_function("document.querySelectorAll('#runs [data-pick]').length === 1")
    assert "<b>first</b>" in page.inner_text("#runs"), "a title is shown as it was typed"
    stage(page, "Differences", "#run-stages")
    page.locator("#other-run input").click()
    page.get_by_role("listbox").get_by_role("option").nth(2).click()
    page.wait_for_selector("#run-differences table")
    assert "Learning rate" not in page.inner_text("#run-differences"), "only what differs is shown"
    stage(page, "Take out", "#run-stages")
    page.click("#export")
    page.wait_for_selector("#export-said :text-matches('deliberately-biased-.*zip is ready')", timeout=SLOW)
    assert "deliberately-biased" in page.locator("#exported a[href]").first.get_attribute("href")
    stage(page, "About", "#run-stages")
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#delete-run")
    page.wait_for_selector("#runs-said :text('Deleted')")
    assert len(runs.list_runs(studio.home)) == 2


def test_a_pickle_is_not_brought_in(page: Any, tmp_path: Path) -> None:
    import zipfile

    archive = tmp_path / "evil.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("adapter_model.bin", b"\x80\x04.")
        made.writestr("adapter_config.json", "{}")
    stage(page, "Runs")
    stage(page, "Bring in", "#run-stages")
    page.locator("#import input[type=file]").set_input_files(str(archive))
    page.wait_for_selector("#imported .ps-error", timeout=SLOW)
    assert "Traceback" not in page.inner_text("#imported")
