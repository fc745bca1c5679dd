"""Recorded runs played again: what stood there after each step and nothing else, and what the page shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines import bundled
from pipelines.tuning.recorded import Recording, recording
from pipelines.tuning.run import Run
from studio.tabs.tuning import playing
from studio.views import training
from tests.unit.test_training_views import alarm, begin, make, probe, short_run, step

SHIPPED = [Run(bundled.ADAPTERS / side) for side in bundled.BUNDLED_SIDES]


def made(run: Run) -> Recording:
    found = recording(run)
    assert found is not None
    return found


def is_skip(update: Any) -> bool:
    return isinstance(update, dict) and set(update) == {"__type__"}


@pytest.mark.parametrize("run", SHIPPED, ids=bundled.BUNDLED_SIDES)
def test_the_shipped_runs_have_all_that_a_replay_shows(run: Run) -> None:
    found = made(run)
    assert found.steps == tuple(range(1, 61)) and found.looks == (0, 20, 40, 60) and found.missing == []
    seconds = [found.seconds_upto(number) for number in found.steps]
    assert all(one is not None for one in seconds) and seconds == sorted(seconds, key=float)  # type: ignore[arg-type]
    assert training.timeline(run, found.upto(25)).count("<b>step 20</b>") == len(training._answers(run, found.upto(25))), (
        "every question was answered after step 20, none after a later one"
    )
    assert "step 40" not in training.timeline(run, found.upto(25)) and found.upto(60) == run.progress()


def test_nothing_of_later_steps_is_known_before_them(tmp_path: Path) -> None:
    found = made(make(tmp_path / "run", [*short_run(8), alarm(6, "repetition")]))
    for number in range(9):
        assert all(line.get("step", 0) <= number for line in found.upto(number) if line["event"] != "begin")
    assert found.looks == (0, 6, 8) and [found.looks_upto(number) for number in (0, 5, 6, 8)] == [1, 1, 2, 3]


def test_steps_that_were_done_again_count_once_as_they_were_the_second_time(tmp_path: Path) -> None:
    lines = [begin(), *(step(n, 1.0) for n in range(1, 6)), alarm(5, "repetition"), begin(3), step(4, 9.0), step(5, 8.0)]
    found = made(make(tmp_path / "run", lines))
    assert found.steps == (1, 2, 3, 4, 5) and found.looks == ()
    assert [line["loss"] for line in found.upto(4) if line["event"] == "step"] == [1.0, 1.0, 1.0, 9.0]


def test_what_was_not_noted_is_said_and_not_made_up(tmp_path: Path) -> None:
    old = made(make(tmp_path / "old", [begin(), step(1), step(2)]))
    assert old.missing == ["sample answers", "a shift on the ruler", "how hard everyday text is", "how much answers repeat themselves"]
    assert "It did not note sample answers or a shift" in training.recorded(old, False, 12) and old.seconds_upto(2) is None
    quiet = {**probe(2), "repetition": 0.0}
    assert made(make(tmp_path / "new", [probe(0), begin(), step(1), step(2), quiet])).missing == []


@pytest.mark.parametrize("state,steps", [("training", 5), ("failed", 5), ("interrupted", 5), ("finished", 1)])
def test_a_run_that_goes_on_or_left_nothing_to_play_is_no_recording(tmp_path: Path, state: str, steps: int) -> None:
    assert recording(make(tmp_path / "run", short_run(steps), state)) is None and recording(None) is None
    assert playing.offered(None)[1]["visible"] is False


def test_frames_hold_the_start_every_look_and_the_end() -> None:
    found = made(SHIPPED[0])
    frames = found.frames(24)
    assert {0, 20, 40, 60} <= set(frames) and frames == sorted(frames) and len(frames) <= 28
    assert found.frames(1000) == list(range(61))


def test_a_replay_takes_twelve_seconds_and_jumps_where_less_motion_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(playing.time, "monotonic", lambda: sum(slept))
    monkeypatch.setattr(playing.time, "sleep", slept.append)
    frames = list(playing.play(SHIPPED[0], False, 60, ("", -1)))
    assert [frame[0] for frame in frames] == made(SHIPPED[0]).frames(playing.FRAMES) and sum(slept) == pytest.approx(playing.SECONDS)
    assert [frame[0] for frame in playing.play(SHIPPED[0], True, 60, ("", -1))] == [0, 20, 40, 60]
    assert next(playing.play(SHIPPED[0], False, 31, ("", -1)))[0] > 31, "a replay that was paused goes on"
    assert "Recorded, replayed · before training" in frames[0][1] and "step 60 of 60" in frames[-1][1]
    assert [update["visible"] for update in frames[0][-2:]] == [False, True] and [update["visible"] for update in frames[-1][-2:]] == [
        True,
        False,
    ]


def test_figures_of_the_looks_are_sent_only_when_there_is_a_new_one() -> None:
    frames = list(playing.play(SHIPPED[0], True, 0, ("", -1)))
    assert all(not any(map(is_skip, frame)) for frame in frames), "every jump is a look"
    at = playing.moment(SHIPPED[0], 20, ("", -1))[-1]
    later = playing.moment(SHIPPED[0], 21, at)
    assert [is_skip(update) for update in later] == [False, True, False, True, True, True, True, False]
    other = playing.moment(SHIPPED[1], 21, at)
    assert not any(map(is_skip, other)) and is_skip(playing.moment(None, 3, at)[0])


def test_hostile_numbers_from_a_page_end_at_the_runs_own_steps() -> None:
    for sent, shown in ((-5, "before training"), (10_000, "step 60 of 60"), (None, "before training")):
        assert shown in playing.moment(SHIPPED[0], sent, ("", -1))[0]  # type: ignore[arg-type]


def test_a_recording_is_marked_with_its_day_and_how_long_it_took() -> None:
    about, slider, at, *_ = playing.offered(SHIPPED[0])
    assert "Recorded run" in about and "before the studio was shipped, on 2026-11-22, in 3 min 25 s" in about and "12 s" in about
    assert slider["maximum"] == slider["value"] == 60 and at == ("left", 4)
