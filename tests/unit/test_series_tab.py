"""The part “How much of it” of the Stance tab without a browser: what it offers, measures, keeps, opens and says."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipelines import bundled
from pipelines.comparing.fitting import embedded_fingerprint
from pipelines.models import catalog
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.models.labels import LabelScore
from pipelines.paths import Paths
from pipelines.records import Column
from pipelines.stance import series as measuring
from pipelines.stance import series_file, statistics
from pipelines.stance.series_points import Series
from studio.access import Access
from studio.owning import Me, Who
from studio.services import Services
from studio.tabs.stances import series as tab
from tests.adapter_files import write_run
from tests.unit.test_series import MOVES, FakeHost, made, placebo, plan

HOME = Who("code", home=True)
ADAPTER = ("left", tab.DOSE, "0.5, 1", True, False)


RIGHT_SPANS = {f" {one.right_span}." for one in bundled.completions()}
NEUTRAL = {one.neutral_stem for one in bundled.completions()}


class Host(FakeHost):
    """Knows which base it would load, as a studio's host does, and moves the bundled completions and statements."""

    def __init__(self, paths: Paths, **more: Any) -> None:
        super().__init__(**more)
        self.source, self.base = catalog.find(LANGUAGE_MODEL.name, paths), None

    def _score(self, column: Column, prefix: str, text: str) -> float:
        if text in RIGHT_SPANS:
            return super()._score(column, "neutral stem" if prefix in NEUTRAL else f"stem {len(prefix) % 5}", " right")
        return super()._score(column, prefix, text)

    def label_scores(self, column: Column, questions: Sequence[str], labels: Sequence[tuple[str, str]]) -> list[LabelScore]:
        keys = {one: next((item.key for item in bundled.items("proposition") if item.text in one), 0) for one in questions}
        move = 0.0 if column.is_base else MOVES[str(column.adapter.name)] * column.strength  # type: ignore[union-attr]
        return [LabelScore(math.log(0.3) + keys[one] * move, math.log(0.3)) for one in questions]


@pytest.fixture(autouse=True)
def unrecorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing is recorded unless a test does so."""
    monkeypatch.setattr(bundled, "RECORDED", tmp_path / "recorded")
    monkeypatch.setattr(statistics, "RESAMPLES", 199)  # quick: no test here looks at an interval
    tab.recorded.cache_clear()
    return tmp_path / "recorded"


@pytest.fixture
def services(paths: Paths) -> Services:
    return Services(paths, Host(paths), SimpleNamespace())  # type: ignore[arg-type]


def record(folder: Path, found: Series) -> None:
    folder.mkdir(parents=True)
    (folder / "dose.json").write_text(json.dumps(found.as_dict()))
    tab.recorded.cache_clear()


def measured(services: Services, values: Sequence[Any] = ADAPTER) -> list[tuple[Any, ...]]:
    return list(tab._measure(services, HOME, tuple(values), "visitor"))


def parts(services: Services) -> dict[str, Any]:
    with gr.Blocks() as page:
        tab.build(services, gr.State(Me()))
    return {one.elem_id: one for one in page.blocks.values() if getattr(one, "elem_id", None)}


def test_before_anything_is_measured_the_page_says_what_to_press_and_shows_no_empty_plot(services: Services) -> None:
    shown = parts(services)
    assert "press “Start”" in shown["series-source"].value and shown["series-plot"].visible is False
    assert shown["earlier-series"].visible is False and tab._refreshed(services, HOME, "left")[1]["visible"] is False
    assert shown["series-adapter"].value == "left" and "about" in shown["series-expected"].value


def test_a_recorded_series_is_shown_first(services: Services, unrecorded: Path) -> None:
    record(unrecorded, made(wanted=plan(placebo=placebo())))
    shown = parts(services)
    assert shown["series-plot"].visible and shown["series-source"].value.count("Recorded") == 1
    assert "Best trade-off: strength 1" in shown["series-summary"].value and "×" not in shown["series-source"].value
    assert shown["earlier-series"].value == tab.RECORDED and shown["series-instrument"].visible is False


def test_measuring_shows_how_far_it_is_and_gives_the_buttons_back(services: Services) -> None:
    steps = measured(services)
    assert all(len(step) == 11 for step in steps)
    assert steps[0][1]["interactive"] is False and steps[0][2]["interactive"] is True
    assert any("left × 1 (4 of 5)" in step[0] for step in steps[:-1])
    last = steps[-1]
    assert "Done in" in last[0] and last[1]["interactive"] is True and last[2]["interactive"] is False
    assert last[4]["of"] == "left" and last[7]["visible"] is True and "Best trade-off: strength 1" in last[10]


def test_what_was_measured_is_kept_listed_and_opened_again(services: Services) -> None:
    last = measured(services)[-1]
    name = last[3]["value"]
    assert last[3]["visible"] is True
    assert name in [file for _, file in last[3]["choices"]] and name in [
        file for _, file in tab._refreshed(services, HOME, "left")[1]["choices"]
    ]
    opened = tab._open(services, HOME, name)
    assert opened[1] == last[4] and opened[5] == last[8] and "Measured" in opened[2]


def test_a_public_studio_keeps_nothing_and_opens_nothing_of_others(services: Services, unrecorded: Path) -> None:
    measured(services)
    services.access = Access(public=True, opened=frozenset({"measure"}))
    before = sorted(services.paths.root.rglob("*"))
    last = measured(services)[-1]
    assert "Kept" not in last[0] and sorted(services.paths.root.rglob("*")) == before
    assert tab._earlier(services, HOME) == []
    record(unrecorded, made())
    name = series_file.listed(services.paths)[0][1]
    assert tab._open(services, HOME, name)[1] is None


def test_a_damaged_result_leaves_what_is_shown(services: Services) -> None:
    services.paths.results.mkdir(parents=True)
    (services.paths.results / "series-20200101-000000-dose-x.json").write_text('{"kind": "step"}')
    opened = tab._open(services, HOME, "series-20200101-000000-dose-x.json")
    assert len(opened) == 8 and "damaged" in opened[2] and opened[3] == gr.skip() and opened[0]["value"] is None


def test_stopping_keeps_the_first_points_and_says_so(services: Services) -> None:
    services.host.before = lambda column: services.stop("series-visitor") if column.strength == 1 and column.adapter else None  # type: ignore[attr-defined]
    last = measured(services)[-1]
    assert "Stopped after 1 of 2 strengths" in last[0] and "Kept as" in last[0] and len(last[4]["points"]) == 2


def test_stopping_at_once_or_a_fault_gives_the_buttons_back_with_a_sentence(
    services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    services.host.before = lambda column: services.stop("series-visitor")  # type: ignore[attr-defined]
    last = measured(services)[-1]
    assert "before its first point" in last[0] and last[1]["interactive"] is True and last[4] == gr.skip()
    services.host.before = lambda column: None  # type: ignore[attr-defined]

    def broken(*_values: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(measuring.collateral, "facts_held", broken)
    last = measured(services)[-1]
    assert "broke off (RuntimeError)" in last[0] and last[1]["interactive"] is True and "a fault" in capsys.readouterr().err


@pytest.mark.parametrize(
    "values,words",
    [
        ((None, tab.DOSE, "1", True, False), "No adapter is chosen"),
        (("left", tab.DOSE, "much", True, False), "“much” is no strength"),
        (("left", tab.DOSE, "3", True, False), "The strength 3 can"),
        (("left", tab.DOSE, "0", True, False), "0 points are to be measured"),
        (("left", tab.COURSE, "1", True, False), "no time course"),
        (("run:gone", tab.DOSE, "1", True, False), "no adapter that can be measured"),
    ],
)
def test_what_cannot_be_measured_is_said_ahead_and_again_where_it_is_started(services: Services, values: Any, words: str) -> None:
    assert words in tab._ahead(services, *values)
    steps = measured(services, values)
    assert len(steps) == 1 and words in steps[0][0] and steps[0][1]["interactive"] is True
    assert services.host.asked == 0  # type: ignore[attr-defined]


def test_the_time_it_takes_grows_with_the_points_and_the_placebo(services: Services) -> None:
    assert "5 measurements" in tab._ahead(services, *ADAPTER) and "3 measurements" in tab._ahead(services, *ADAPTER[:3], False, False)
    assert "No placebo belongs" in tab._ahead(services, "placebo", *ADAPTER[1:]) and "No placebo" not in tab._ahead(services, *ADAPTER)


def test_a_run_with_kept_steps_has_a_time_course(services: Services) -> None:
    prints = {"base_fingerprint": embedded_fingerprint()}
    run = write_run(services.paths.runs / "mine", metrics=prints)
    (run.folder / "state.json").write_text('{"state": "finished"}')
    assert "run:mine" in [key for _, key in tab._refreshed(services, HOME, "left")[0]["choices"]]
    last = measured(services, ("run:mine", tab.COURSE, "", True, False))[-1]
    assert last[4]["kind"] == "step" and [one["x"] for one in last[4]["points"]] == [0, 20, 60] and last[4]["direction"] == -1
    assert "No placebo was measured" in last[9]


def test_an_adapter_that_is_gone_gives_way_when_the_tab_is_opened(services: Services) -> None:
    adapter, _ = tab._refreshed(services, HOME, "run:gone")
    assert adapter["value"] == "left" and tab._refreshed(services, HOME, "right")[0]["value"] == "right"


def test_the_other_instrument_is_drawn_from_what_is_shown(services: Services) -> None:
    last = measured(services, (*ADAPTER[:4], True))[-1]
    assert last[6]["visible"] is True and [name for _, name in last[6]["choices"]] == ["completion", "survey"]
    figure, table, reading = tab._draw(last[4], "survey")
    assert "Questionnaire" in figure.layout.title.subtitle.text and table != last[8] and "30 economic" in reading
    assert tab._draw(None, "survey") == (gr.skip(),) * 3


def test_the_time_left_follows_from_the_time_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tab.time, "monotonic", lambda: 130.0)
    assert tab._left(0.25, "left × 1", 100.0) == "left × 1 · about 1 min 30 s left" and tab._left(0.0, "Measuring", 100.0) == "Measuring"


def test_series_drawn_from_a_study_kept_before_have_no_path_of_this_machine(services: Services) -> None:
    last = measured(services)[-1]
    assert str(services.paths.root) not in json.dumps(last[4]) and str(bundled.ADAPTERS) not in json.dumps(last[4])
