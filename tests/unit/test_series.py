"""Doses and time courses on a made-up model: what is measured of whom, what is usable, which point is best, what is kept."""

from __future__ import annotations

import argparse
import json
import math
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.commands import series as command
from pipelines.comparing import series as whose
from pipelines.comparing.columns import Catalog, catalog
from pipelines.comparing.fitting import Loaded
from pipelines.comparing.series import Wanted
from pipelines.errors import StudioError
from pipelines.figures.series import plot, unusable_spans
from pipelines.models.labels import LabelScore
from pipelines.paths import Paths
from pipelines.records import Column, Completion, Item
from pipelines.stance import series, series_file, statistics
from pipelines.stance.kept import Kept
from pipelines.stance.series import Plan, Point, Series, at_strengths, measure, parsed
from pipelines.stance.series_points import best, rule, sentences, usable_reach, usable_words
from studio.views import series as view
from tests.adapter_files import write_run

AXES = ("economic", "social")
COMPLETIONS = tuple(
    Completion(f"c-{axis}-{n}", axis, "t", f"{axis} stem {n}", f"right {n}", f"left {n}", "neutral stem") for axis in AXES for n in range(6)
)
ITEMS = tuple(Item(f"i-{axis}-{n}", "proposition", axis, "t", 1 - 2 * (n % 2), f"Say {n}", f"Deny {n}") for axis in AXES for n in range(4))
MOVES = {"left": -1.0, "right": 1.0, "placebo": 0.1}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer resamples: no test here looks at the digits of an interval."""
    monkeypatch.setattr(statistics, "RESAMPLES", 199)


class FakeHost:
    """An adapter called after its folder moves the spans by its strength; from `breaks` on everyday text gets half as likely a token.

    `calls` are the columns in the order in which their everyday text was read; `before` is called with a column before anything is.
    """

    title = "tiny"

    def __init__(self, breaks: float = 1.5, before: Callable[[Column], None] = lambda column: None) -> None:
        self.breaks, self.before, self.calls, self.asked = breaks, before, list[str](), 0

    def load(self) -> Any:
        return SimpleNamespace(fingerprint="b" * 12, tokenizer=SimpleNamespace(bos_token="<s>"))

    def chat_prefix(self, question: str) -> str:
        return f"chat {question}"

    def identity(self, column: Column) -> list[Any]:
        self.before(column)
        return ["b", "t", column.adapter.name if column.adapter else "", "", 0.0 if column.is_base else column.strength]

    def log_likelihoods(self, column: Column, items: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
        self.asked += 1
        if items[0][0].startswith("chat"):
            self.calls.append(column.name)
        return [(self._score(column, prefix, text), 1) for prefix, text in items]

    def _score(self, column: Column, prefix: str, text: str) -> float:
        strength = 0.0 if column.is_base else column.strength
        if prefix.startswith("chat"):
            return -2.0 - (0.5 if strength >= self.breaks and column.name.startswith("left") else 0.0)
        if prefix == "<s>":
            return 0.0
        if not prefix.endswith(("neutral stem",)) and text.startswith(" right"):
            number = int(prefix[-1])
            return -3.0 + strength * MOVES.get(column.adapter.name if column.adapter else "", 0.0) * (0.8 + 0.08 * number)
        return -3.0

    def label_scores(self, column: Column, questions: Sequence[str], labels: Sequence[tuple[str, str]]) -> list[LabelScore]:
        move = 0.0 if column.is_base else column.strength * 0.3
        return [LabelScore(math.log(0.3) + (move if "Say" in one else 0.0), math.log(0.3)) for one in questions]


def plan(kind: str = "strength", xs: Sequence[float] = (0.5, 1.0, 1.5), name: str = "left", **more: Any) -> Plan:
    folder = Path("/adapters") / name
    return Plan(kind, name, at_strengths(name, folder, xs), completions=COMPLETIONS, **{"direction": -1, **more})  # type: ignore[arg-type]


def placebo(xs: Sequence[float] = (0.5, 1.0, 1.5)) -> dict[float, Column]:
    return at_strengths("placebo", Path("/adapters/placebo"), xs)


def made(host: FakeHost | None = None, wanted: Plan | None = None, **more: Any) -> Series:
    return measure(host or FakeHost(), wanted or plan(), **more)  # type: ignore[arg-type]


def shift(mean: float, width: float = 0.1, n: int = 24) -> dict[str, Any]:
    return {"mean": mean, "low": mean - width, "high": mean + width, "p": 0.01, "n": n}


def point(x: float, mean: float, usable: bool = True, net: float | None = None, width: float = 0.05, survey: float | None = None) -> Point:
    def shifts(value: float, asked: float | None) -> dict[str, Any]:
        found = {"completion": {"economic": shift(value, width), "social": shift(value, width), "both": shift(value, width, 48)}}
        return found | ({"survey": {"both": shift(asked), "economic": shift(asked), "social": shift(asked)}} if asked is not None else {})

    beyond = {} if net is None else shifts(net, survey)
    return Point(x, f"left × {x:g}", shifts(mean, survey), 1.02 if usable else 1.4, [], usable, beyond)


def course(*points: Point, direction: int = -1, beside: Sequence[Point] = (), kind: str = "step") -> Series:
    first = point(0, 0.0, survey=0.0 if "survey" in points[0].shifts else None)
    return Series(kind, "left", [first, *points], list(beside), direction)  # type: ignore[arg-type]


def test_shifts_grow_with_strength_and_begin_at_the_base() -> None:
    found = made()
    assert [one.x for one in found.points] == [0, 0.5, 1.0, 1.5] and found.points[0].column == "base"
    means = [one.shifts["completion"]["social"]["mean"] for one in found.points]
    assert means == pytest.approx([0, -0.5, -1.0, -1.5]) and found.points[0].shifts["completion"]["social"]["p"] == 1
    whole = found.points[2].shifts["completion"]
    assert [whole[name]["n"] for name in (*AXES, "both")] == [6, 6, 12]
    assert whole["both"]["low"] < whole["both"]["mean"] < whole["both"]["high"] < 0
    assert made(wanted=plan(name="right")).points[2].shifts["completion"]["economic"]["mean"] == pytest.approx(1.0)


def test_the_base_is_measured_once_and_the_placebo_right_after_each_strength() -> None:
    host = FakeHost()
    made(host, plan(xs=(1.0, 0.5), placebo=placebo((0.5, 2.0))))
    assert host.calls == ["base", "left × 0.5", "placebo × 0.5", "left × 1"]


def test_what_is_left_beyond_the_placebo_is_the_difference_of_the_two() -> None:
    found = made(wanted=plan(placebo=placebo((0.5, 1.0))))
    assert [one.x for one in found.placebo] == [0.5, 1.0] and not found.points[0].net and not found.points[3].net
    own, beside = found.points[2], found.placebo[1]
    for axis in (*AXES, "both"):
        expected = own.shifts["completion"][axis]["mean"] - beside.shifts["completion"][axis]["mean"]
        assert own.net["completion"][axis]["mean"] == pytest.approx(expected) and expected == pytest.approx(-1.1)


def test_a_point_is_usable_up_to_the_limits_of_perplexity_and_facts() -> None:
    found = made()
    assert [one.usable for one in found.points] == [True, True, True, False]
    assert found.points[3].perplexity_ratio == pytest.approx(math.exp(0.5)) and found.points[1].perplexity_ratio == 1


@pytest.mark.parametrize("lost,usable", [(1, True), (2, False)])
def test_one_lost_fact_is_borne_and_two_are_not(monkeypatch: pytest.MonkeyPatch, lost: int, usable: bool) -> None:
    held = lambda host, column: ["a", "b", "c", "d"][0 if column.is_base else lost :]  # noqa: E731
    monkeypatch.setattr(series.collateral, "facts_held", held)
    found = made(FakeHost(breaks=9)).points[1]
    assert len(found.facts_lost) == lost and found.usable is usable


def test_a_stop_keeps_the_points_that_are_complete_and_says_so() -> None:
    stop = threading.Event()
    host = FakeHost(before=lambda column: stop.set() if column.strength == 1.0 and column.adapter else None)
    found = made(host, stop=stop)
    assert [one.x for one in found.points] == [0, 0.5] and host.calls == ["base", "left × 0.5"]
    assert "Stopped after 1 of 3 strengths; these are kept." in sentences(found)
    assert "stopped" not in made().notes


def test_a_stop_before_the_first_point_keeps_nothing() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StudioError, match="before its first point"):
        made(stop=stop)


def test_a_stop_during_the_placebo_keeps_the_adapters_point_without_a_net_shift() -> None:
    stop = threading.Event()
    host = FakeHost(before=lambda column: stop.set() if column.name == "placebo × 0.5" else None)
    found = made(host, plan(placebo=placebo()), stop=stop)
    assert [one.x for one in found.points] == [0, 0.5] and not found.placebo and not found.points[1].net


def test_a_point_that_cannot_be_measured_is_left_out_with_a_sentence() -> None:
    def broken(column: Column) -> None:
        if column.strength == 1.0 and column.adapter:
            raise StudioError("The file is damaged.")

    found = made(FakeHost(before=broken))
    assert [one.x for one in found.points] == [0, 0.5, 1.5]
    assert any("left × 1 is missing. The file is damaged." in text for text in sentences(found))


def test_where_no_point_can_be_measured_it_is_said_why() -> None:
    def broken(column: Column) -> None:
        if column.adapter:
            raise StudioError("The file is damaged.")

    with pytest.raises(StudioError, match="The file is damaged"):
        made(FakeHost(before=broken))


def test_a_model_that_gives_no_numbers_has_no_point(monkeypatch: pytest.MonkeyPatch) -> None:
    real = FakeHost._score
    monkeypatch.setattr(FakeHost, "_score", lambda self, column, *text: math.nan if column.strength == 1.5 else real(self, column, *text))
    found = made()
    assert [one.x for one in found.points] == [0, 0.5, 1.0] and "no numbers" in found.notes["skipped"][0]


def test_what_was_measured_once_is_not_asked_again(tmp_path: Path) -> None:
    first, again, more = FakeHost(), FakeHost(), FakeHost()
    one = made(first, kept=Kept(tmp_path))
    other = made(again, kept=Kept(tmp_path))
    assert first.asked == 12 and again.asked == 0 and other.points == one.points
    made(more, plan(xs=(0.5, 0.75)), kept=Kept(tmp_path))
    assert more.calls == ["left × 0.75"]


def test_the_questionnaire_is_asked_only_where_it_is_wanted() -> None:
    found = made(wanted=plan(items=ITEMS))
    assert made().instruments == ["completion"] and found.instruments == ["completion", "survey"]
    assert found.points[2].shifts["survey"]["both"]["n"] == 8 and found.protocol["items"] == 8 and len(found.protocol["forms"]) == 2
    assert found.notes["survey_reasons"] and "the base misses its gates" in sentences(found)[-1]


def test_progress_rises_and_names_what_is_measured() -> None:
    told: list[tuple[float, str]] = []
    made(progress=lambda fraction, text: told.append((fraction, text)))
    assert [fraction for fraction, _ in told] == [0, 0.25, 0.5, 0.75, 1.0] and told[2][1] == "left × 1 (3 of 4)"


def test_the_protocol_changes_with_what_is_asked_and_not_with_whom() -> None:
    one = made().protocol
    assert one["hash"] == made(wanted=plan(name="right", xs=(1.0,))).protocol["hash"]
    assert one["hash"] != made(wanted=plan(items=ITEMS)).protocol["hash"] and one["base_fingerprint"] == "b" * 12


@pytest.mark.parametrize("text,found", [("0.5, 1", [0.5, 1.0]), ("1;2\n", [1.0, 2.0]), ("", list(series.STRENGTHS)), ("-1", [-1.0])])
def test_strengths_are_read_from_text(text: str, found: list[float]) -> None:
    assert parsed(text) == found


@pytest.mark.parametrize("text", ["strong", "0.5 1", "1,two"])
def test_words_are_no_strengths(text: str) -> None:
    with pytest.raises(StudioError, match="is no strength"):
        parsed(text)


@pytest.mark.parametrize("strength", [2.5, -3, math.nan, math.inf])
def test_strengths_out_of_range_are_refused(strength: float) -> None:
    with pytest.raises(StudioError, match="can't be measured"):
        at_strengths("left", Path("left"), [1, strength])


def test_zero_is_the_base_and_repeats_count_once() -> None:
    assert list(at_strengths("left", Path("left"), [1, 0, 1.0, 0.25])) == [0.25, 1.0]
    with pytest.raises(StudioError, match="0 points"):
        plan(xs=[0])
    with pytest.raises(StudioError, match="25 points"):
        plan(xs=[0.01 * n for n in range(1, 26)])


def test_the_best_trade_off_is_the_largest_usable_shift_in_the_trained_direction() -> None:
    found = course(point(10, -0.1), point(20, -0.3), point(30, 0.5), point(40, -0.9, usable=False))
    assert (
        best(found).point is found.points[2] and "step 20" in best(found).sentence and "to the left from the base" in best(found).sentence
    )
    other = Series("step", "right", found.points, direction=1)
    assert best(other).point is found.points[3]


def test_with_a_placebo_the_best_is_the_largest_beyond_it() -> None:
    beside = [point(10, -0.1), point(20, -0.8)]
    found = course(point(10, -0.4, net=-0.3), point(20, -0.9, net=-0.1), point(30, -5.0), beside=beside)
    assert best(found).point is found.points[1] and "beyond the placebo: -0.300" in best(found).sentence and "beyond" in rule(found)
    alone = course(point(10, -0.4), beside=[point(20, 0.1)])
    assert best(alone).point is None and "the placebo was measured at none" in best(alone).sentence


def test_of_equal_points_the_earlier_is_best() -> None:
    assert best(course(point(10, -0.2), point(20, -0.2))).point.x == 10  # type: ignore[union-attr]
    both = Series("strength", "left", [point(-1, -0.2), point(0, 0.0), point(0.5, -0.2)], direction=-1)
    assert best(both).point.x == 0.5  # type: ignore[union-attr]


def test_where_nothing_is_usable_or_nothing_moved_no_point_is_best() -> None:
    broken = course(point(10, -0.5, usable=False), point(20, -0.9, usable=False))
    assert best(broken).point is None and "none of the 2 steps measured is usable" in best(broken).sentence
    back = course(point(10, 0.2), point(20, 0.0))
    assert best(back).point is None and "moved to the left" in best(back).sentence
    unknown = course(point(10, -0.2), direction=0)
    assert best(unknown).point is None and "neither towards the left nor" in best(unknown).sentence


def test_a_best_point_that_is_not_beyond_chance_or_not_confirmed_is_called_so() -> None:
    assert "includes 0" in best(course(point(10, -0.1, width=0.3))).sentence and "includes 0" not in best(course(point(10, -0.1))).sentence
    assert "points the other way" in best(course(point(10, -0.1, survey=0.2))).sentence
    assert "points the other way" not in best(course(point(10, -0.1, survey=-0.2))).sentence


def test_the_usable_reach_ends_before_the_first_unusable_point() -> None:
    found = course(point(10, -0.1), point(20, -0.2, usable=False), point(30, -0.3))
    assert usable_reach(found) == (0, 10)
    assert "Usable from step 0 to 10" in usable_words(found) and "30 passed the limits too" in usable_words(found) and "1.40 times" in usable_words(found)  # fmt: skip
    assert "All 1 steps" in usable_words(course(point(10, -0.1))) and "No step next to the base" in usable_words(
        course(point(10, 0.1, False))
    )
    both = Series("strength", "left", [point(-1, 0.1, usable=False), point(-0.5, 0.1), point(0, 0.0), point(1, -0.2)])
    assert usable_reach(both) == (-0.5, 1)


def test_a_series_survives_its_way_through_a_file_and_is_listed_newest_first(paths: Paths) -> None:
    found = made(wanted=plan(placebo=placebo()))
    file = series_file.keep(found, paths)
    (paths.results / "series-20200101-000000-dose-old.json").write_text("{}")
    (paths.results / "series-notes.json").write_text("{}")
    listed = series_file.listed(paths)
    assert [name for _, name in listed] == [file.name, "series-20200101-000000-dose-old.json"]
    assert listed[1][0] == "01 Jan 2020, 00:00:00 · dose-old" and "dose-left" in file.name
    assert series_file.opened(file.name, paths) == found


@pytest.mark.parametrize(
    "text", ["{}", "[]", "{", json.dumps({"kind": "step", "of": "x", "points": [], "placebo": []}), json.dumps({"kind": "x", "points": 3})]
)
def test_a_damaged_file_is_refused_with_a_sentence(paths: Paths, text: str) -> None:
    paths.results.mkdir(parents=True)
    (paths.results / "series-20200101-000000-dose-x.json").write_text(text)
    with pytest.raises(StudioError, match="damaged"):
        series_file.opened("series-20200101-000000-dose-x.json", paths)


@pytest.mark.parametrize("change", [{"shifts": {"completion": 5}}, {"perplexity_ratio": "much"}, {"net": {"completion": {"both": {}}}}])
def test_a_file_with_a_broken_point_is_damaged(paths: Paths, change: dict[str, Any]) -> None:
    value = made().as_dict()
    value["points"][1] |= change
    paths.results.mkdir(parents=True)
    (paths.results / "series-20200101-000000-dose-x.json").write_text(json.dumps(value))
    with pytest.raises(StudioError, match="damaged"):
        series_file.opened("series-20200101-000000-dose-x.json", paths)


def test_no_other_file_can_be_opened(paths: Paths) -> None:
    with pytest.raises(StudioError, match="no longer there"):
        series_file.opened("../series-20200101-000000-dose-x.json", paths)


def test_the_plot_shows_every_point_with_n_the_limit_and_the_best() -> None:
    found = made(wanted=plan(placebo=placebo()))
    figure = plot(found)
    assert figure.layout.title.text == "Left by strength, n = 12 items"
    lines = {(one.name, one.yaxis): one for one in figure.data if one.mode == "lines+markers"}
    assert list(lines["Left", "y2"].x) == [0, 0.5, 1, 1.5] and list(lines["Left", "y2"].y) == pytest.approx([0, -0.5, -1, -1.5])
    assert list(lines["Placebo", "y3"].y) == pytest.approx([1, 1, 1, 1]) and lines["Left", "y"].marker.symbol[3] == "x-open"
    assert [one.name for one in figure.data if one.marker.symbol == "star"] == ["best trade-off: strength 1"] * 2
    words = " ".join(str(one.text) for one in figure.layout.annotations)
    assert all(word in words for word in ("unusable", "limit 1.10", "↑ right", "↓ progressive", "(n = 6)"))
    assert sum(shape.type == "rect" for shape in figure.layout.shapes) == 3


def test_a_plot_without_damage_has_no_shade_and_one_without_direction_no_star() -> None:
    figure = plot(course(point(10, -0.1), direction=0))
    assert not any(shape.type == "rect" for shape in figure.layout.shapes) and not any(one.marker.symbol == "star" for one in figure.data)


def test_the_plot_can_show_either_instrument_and_titles_cannot_bring_markup() -> None:
    found = course(point(10, -0.1, survey=-0.7))
    found.of = "<b>x"
    figure = plot(found, "survey")
    assert -0.7 in list(next(one for one in figure.data if one.mode == "lines+markers").y) and "<b>x" not in figure.layout.title.text
    assert plot(found, "nonsense").layout.title.text == plot(found).layout.title.text


def test_many_times_harder_text_gets_a_logarithmic_axis() -> None:
    wild = Point(20, "left", point(20, 0.1).shifts, 50.0, [], False)
    assert plot(course(wild)).layout.yaxis3.type == "log" and plot(course(point(10, 0.1))).layout.yaxis3.type is None


def test_unusable_stretches_reach_half_way_to_the_usable_points() -> None:
    states = [True, False, False, True, False]
    assert unusable_spans([point(10 * n, 0, usable) for n, usable in enumerate(states)]) == [(5, 25), (35, 40)]


def test_the_table_holds_the_same_numbers_as_the_plot_and_names_the_best_and_the_unusable() -> None:
    found = made(wanted=plan(placebo=placebo()))
    said = view.table(found)
    assert said.count("<tr>") == 1 + 4 + 3 and said.count(">best<") == 1 and said.count("unusable") == 1
    for one in (*found.tuned, *found.placebo):
        for axis in AXES:
            assert f"{one.shifts['completion'][axis]['mean']:+.3f} (" in said
    found.of = "<script>"
    assert "<script>" not in view.table(found) + view.summary(found) + view.source(found) + view.reading(found)


def test_the_page_says_whether_a_placebo_was_measured() -> None:
    assert "No placebo was measured" in view.reading(made())
    assert "counts only beyond the placebo" in view.reading(made(wanted=plan(placebo=placebo())))


TINY = Loaded("tiny", frozenset({"owner/tiny"}), "b" * 12)


@pytest.fixture
def listed(paths: Paths) -> Catalog:
    """A left run with steps 20 and 60 and its placebo in one group, and a right run alone."""
    group, hashes = {"id": "g", "name": "Group", "seeds": 1}, {"settings_hash": "s", "prompts_hash": "p"}
    write_run(paths.runs / "one", {**hashes, "group": {**group, "role": "left"}})
    write_run(paths.runs / "two", {**hashes, "side": "neutral", "group": {**group, "role": "placebo"}}, seed=1)
    write_run(paths.runs / "three", {"side": "right"}, seed=2)
    for name in ("one", "two", "three"):
        (paths.runs / name / "state.json").write_text('{"state": "finished"}')
    return catalog(paths, TINY)


def test_a_time_course_has_every_kept_step_and_the_groups_own_placebo(listed: Catalog, paths: Paths) -> None:
    found = whose.plan_of(listed, Wanted("run:one", by_step=True), paths)
    assert found.kind == "step" and list(found.columns) == [20, 60] == list(found.placebo) and found.direction == -1
    assert found.columns[20].adapter.name == "step-00020" and found.columns[20].strength == 1  # type: ignore[union-attr]
    assert "two" in str(found.placebo[60].adapter) and found.count == 5 and not found.items


def test_a_dose_turns_the_adapter_and_its_placebo_up_together(listed: Catalog, paths: Paths) -> None:
    found = whose.plan_of(listed, Wanted("run:one", strengths=(0, 0.5, 1), questionnaire=True), paths)
    assert [column.strength for column in found.placebo.values()] == [0.5, 1] and len(found.items) == 60
    assert not whose.plan_of(listed, Wanted("run:one", placebo=False), paths).placebo
    assert found.seconds > whose.plan_of(listed, Wanted("run:one", strengths=(0, 0.5, 1)), paths).seconds


def test_a_run_without_a_group_and_a_placebo_have_no_placebo(listed: Catalog, paths: Paths) -> None:
    assert whose.placebo_of(listed, "run:three") == "" == whose.placebo_of(listed, "run:two")
    assert (
        whose.plan_of(listed, Wanted("run:three"), paths).direction == 1 and whose.plan_of(listed, Wanted("run:two"), paths).direction == 0
    )


def test_an_adapter_that_is_gone_or_has_no_steps_is_refused(listed: Catalog, paths: Paths) -> None:
    with pytest.raises(StudioError, match="no adapter that can be measured"):
        whose.plan_of(listed, Wanted("run:gone"), paths)
    with pytest.raises(StudioError, match="no adapter that can be measured"):
        whose.plan_of(listed, Wanted("base"), paths)
    listed.offers.pop("run:one@20")
    with pytest.raises(StudioError, match="no time course"):
        whose.plan_of(listed, Wanted("run:one", by_step=True), paths)


def test_a_run_that_has_not_ended_has_a_time_course_and_no_dose(listed: Catalog, paths: Paths) -> None:
    listed.offers.pop("run:three")
    assert ("run:three" in [key for _, key in whose.choices(listed)]) and list(
        whose.plan_of(listed, Wanted("run:three", by_step=True), paths).columns
    ) == [20, 60]
    with pytest.raises(StudioError, match="has not ended"):
        whose.plan_of(listed, Wanted("run:three"), paths)


def test_the_command_line_reads_its_options_and_prints_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    names = parser.add_subparsers()

    def adder(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        one = names.add_parser(name, help=text)
        one.set_defaults(run=run)
        return one

    command.add(adder)
    options = parser.parse_args(["course", "--run", "ID", "--no-placebo"])
    assert options.run is command.course and options.run_id == "ID" and options.no_placebo and not options.questionnaire
    assert parsed(parser.parse_args(["dose"]).strengths) == list(series.STRENGTHS)
    found = made(wanted=plan(placebo=placebo()))
    summary = json.loads(json.dumps(command.summary(found)))
    assert summary["best"] == 1.0 and summary["usable"] == [0, 1.0] and len(summary["points"]) == 4
    said = command.lines(found)
    assert len(said) == (4 + 3) * 3 + len(sentences(found)) and sum("UNUSABLE" in line for line in said) == 3
