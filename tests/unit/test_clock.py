"""Clocks that jump: no ballot goes early, none stays after its time for that, and nothing else takes a jump for time that has passed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pipelines import cli
from pipelines.corpus import draft as draft_module
from pipelines.corpus import drafts
from pipelines.corpus.engine import Tools
from pipelines.corpus.sources import Source
from pipelines.paths import Paths
from pipelines.review import clock as clocks
from pipelines.review.ballots import Box
from pipelines.review.clock import DAY, STEADY, Moment
from pipelines.review.predictions import Plot, Predictions
from tests import frozen

KEPT, START = 30, 20_000.0


class Machine:
    """A machine whose clock can be set, that can sleep, and that can be off. Time is in days; `right` is the one that nobody can set."""

    def __init__(self) -> None:
        self.right, self.wrong, self.on, self.boot = START, 0.0, START, "first"

    def __call__(self) -> float:
        return (self.right + self.wrong) * DAY

    def moment(self) -> Moment:
        return Moment(self(), (self.right - self.on) * DAY, self.boot)

    def goes_on(self, days: float) -> None:
        self.right += days

    def was_off(self, days: float, wrong: float | None = None) -> None:
        """Off for so long; on again, its clock is wrong by so many days, or as before."""
        self.right += days
        self.on, self.boot = self.right, self.boot + "+"
        self.wrong = self.wrong if wrong is None else wrong


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def box(paths: Paths, machine: Machine) -> Box:
    """A review with one ballot, whose rater has joined now."""
    made = Box(paths.reviews, machine)
    review_id = made.open_review(frozen.protocol(3, keep_days=KEPT))
    voted(made, review_id)
    made.expire()
    return made


def voted(box: Box, review_id: str) -> None:
    rater = box.join(review_id, True)
    votes = {one.id: "A" for one in box.review(review_id).design.asked}
    box.vote(review_id, rater.token, box.review(review_id).items[0].id, votes)


def lived(box: Box, machine: Machine, days: float, looks: int = 6) -> int:
    """A studio that runs for so long and looks now and then; how many ballots went."""
    gone = box.expire()
    for _ in range(looks):
        machine.goes_on(days / looks)
        gone += box.expire()
    return gone


@pytest.mark.parametrize("jump", [3.0, 31.0, 365.0, 27_000.0])
def test_a_jump_that_was_seen_deletes_nothing_early_and_all_in_time(box: Box, machine: Machine, jump: float) -> None:
    assert lived(box, machine, 5) == 0
    machine.wrong = jump
    assert lived(box, machine, KEPT - 6) == 0 and box.doubt() is None
    assert lived(box, machine, 4) == 1


@pytest.mark.parametrize("jump", [3.4, 365.0, 27_000.7])
def test_a_jump_forwards_and_back_leaves_everybodys_days_as_they_were(box: Box, machine: Machine, jump: float) -> None:
    machine.wrong = jump
    assert lived(box, machine, 1) == 0
    voted(box, box.reviews()[0].id)  # somebody joins while the clock is wrong
    machine.goes_on(1)
    machine.wrong = 0.0
    assert lived(box, machine, KEPT - 4) == 0
    assert lived(box, machine, 6) == 2


def test_a_jump_and_back_over_a_restart_is_undone_too(box: Box, machine: Machine) -> None:
    machine.wrong = 5_000.0
    assert lived(box, machine, 1) == 0
    machine.was_off(0.5, wrong=0.0)
    assert lived(box, machine, KEPT - 3) == 0 and lived(box, machine, 5) == 1


def test_a_clock_that_goes_backwards_deletes_nothing_early_and_comes_back_without_a_doubt(box: Box, machine: Machine) -> None:
    assert lived(box, machine, 3) == 0
    machine.was_off(0.1, wrong=-20_000.0)  # an empty battery: 1970
    voted(box, box.reviews()[0].id)
    assert lived(box, machine, 0.2) == 0
    machine.wrong = 0.0
    assert lived(box, machine, 1) == 0 and box.doubt() is None
    assert lived(box, machine, KEPT - 6) == 0 and lived(box, machine, 6) == 2


def test_after_two_months_off_the_time_is_over_once_the_clock_was_steady_for_an_hour(box: Box, machine: Machine) -> None:
    machine.was_off(60)
    assert box.expire() == 0
    doubt = box.doubt()
    assert doubt is not None and not doubt.asks and doubt.since == START * DAY and doubt.now == (START + 60) * DAY
    machine.goes_on(0.9 * STEADY / DAY)
    assert box.expire() == 0
    machine.goes_on(0.2 * STEADY / DAY)
    assert box.expire() == 1 and box.doubt() is None


def test_the_hour_begins_anew_with_every_start_and_asks_a_person_where_the_clock_jumps_in_it(box: Box, machine: Machine) -> None:
    machine.was_off(60)
    for _ in range(4):
        assert box.expire() == 0
        machine.goes_on(0.7 * STEADY / DAY)
        assert box.expire() == 0
        machine.was_off(0.001)
    assert box.expire() == 0
    machine.wrong = 40.0
    assert lived(box, machine, 2) == 0 and (doubt := box.doubt()) and doubt.asks and doubt.since == START * DAY
    assert box.expire(confirmed=True) == 1


def test_a_date_years_away_deletes_nothing_before_a_person_agrees_and_nothing_once_it_is_right_again(box: Box, machine: Machine) -> None:
    machine.was_off(1, wrong=5_000.0)
    assert lived(box, machine, 2) == 0
    doubt = box.doubt()
    assert doubt is not None and doubt.asks and "The clock went from" in doubt.sentence and "since the studio last looked" in doubt.sentence
    machine.wrong = 0.0
    assert lived(box, machine, KEPT - 5) == 0 and box.doubt() is None
    assert lived(box, machine, 4) == 1


def test_a_night_or_a_weekend_off_and_a_sleeping_laptop_are_no_doubt(box: Box, machine: Machine) -> None:
    for _ in range(12):
        machine.was_off(1.9)
        assert lived(box, machine, 0.1) == 0 and box.doubt() is None
    machine.goes_on(7.5)  # it slept, which steady seconds count
    assert box.expire() == 1 and box.doubt() is None


def test_guesses_and_predictions_are_in_the_same_database_and_spared_too(paths: Paths, box: Box, machine: Machine) -> None:
    plots = Predictions(paths.reviews, machine)
    plot_id = plots.open_plot(Plot("Where?", ("base", "left"), "a study", KEPT))
    plots.drop(plots.join(plot_id, True).token, "left", 0.1, 0.2)
    machine.wrong = 400.0
    assert lived(box, machine, KEPT - 2) == 0 and plots.joined(plot_id) == 1
    assert lived(box, machine, 5) == 1 and plots.joined(plot_id) == 0


def test_joining_leaves_no_trace_of_when_it_was(box: Box, machine: Machine) -> None:
    with box.store.reading() as file:
        before = file.execute("SELECT * FROM clock").fetchall()
    machine.goes_on(0.7)
    box.join(box.reviews()[0].id, True)
    with box.store.reading() as file:
        assert file.execute("SELECT * FROM clock").fetchall() == before


def test_a_database_of_an_earlier_version_is_looked_at_from_its_newest_review_on(box: Box, machine: Machine) -> None:
    with box.store.transaction() as file:
        file.execute("DELETE FROM clock")
    machine.was_off(40)
    assert box.expire() == 0 and box.doubt() is not None
    machine.goes_on(1)
    assert box.expire() == 1


def test_the_real_count_of_seconds_goes_on_and_says_since_when() -> None:
    first = clocks.moment(time.time)
    time.sleep(0.01)
    second = clocks.moment(time.time)
    assert first.boot == second.boot != "" and 0.005 < second.steady - first.steady < 5 and abs(second.wall - time.time()) < 5


def test_the_command_line_says_what_it_saw_and_deletes_only_when_told(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    box = Box(paths.reviews)
    voted(box, box.open_review(frozen.protocol(3, keep_days=KEPT)))
    box.expire()
    with box.store.transaction() as file:  # as if it were two months ago, before the machine was started last
        file.execute("UPDATE clock SET seen = seen - ?, high = high - ?, boot = 'before'", (60 * DAY, 60 * DAY))
        file.execute("UPDATE raters SET expires = expires - ?", (60 * DAY,))
    box.store.close()

    def said(*words: str) -> str:
        assert cli.main(["review", "expire", *words]) in (None, 0)
        return capsys.readouterr().out

    first = said()
    assert (
        "The clock went from" in first and "Nothing was deleted" in first and "1 rater" in first and "--yes" in first and "an hour" in first
    )
    assert "1 ballot of raters whose time was over was deleted" in said("--yes") and "No ballots were deleted" in said()


def aged(paths: Paths, hours: float) -> str:
    made = drafts.create(Source("x.jsonl", lambda notes: iter([{"text": "rents", "id": "1"}])), paths, tools=Tools(paths))
    when = time.time() - hours * 3600
    os.utime(made.folder / draft_module.ABOUT, (when, when))
    return made.id


def test_a_jump_of_the_clock_takes_no_draft_and_a_late_one_goes_all_the_same(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh, old, real = aged(paths, 1), aged(paths, 7), time.time()
    begun = time.monotonic()
    monkeypatch.setattr(time, "time", lambda: real + 48 * 3600)
    drafts.expire(paths, 6)
    assert [one.name for one in paths.drafts.iterdir()] == [fresh] and old != fresh
    monkeypatch.setattr(time, "time", lambda: real - 48 * 3600)
    drafts.expire(paths, 6)
    assert len(list(paths.drafts.iterdir())) == 1
    monkeypatch.setattr(time, "time", lambda: real + 6 * 3600)
    monkeypatch.setattr(time, "monotonic", lambda: begun + 6 * 3600)
    drafts.expire(paths, 6)
    assert not list(paths.drafts.iterdir())


def test_what_waits_to_be_fetched_outlives_a_jump(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from studio.tabs.tuning import downloads

    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    first, real = downloads.passing_folder(), time.time()
    monkeypatch.setattr(time, "time", lambda: real + 10 * 3600)
    downloads.passing_folder()
    assert first.is_dir()


def test_a_link_that_was_made_after_the_clock_was_set_back_is_kept(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.comparing import comparison
    from studio.tabs.comparing.remembering import recorded

    monkeypatch.setattr(comparison, "MOST_KEPT", 2)
    shown = recorded()
    assert shown
    paths.comparisons.mkdir(parents=True)
    for name in ("0" * 16, "1" * 16, "2" * 16):
        (paths.comparisons / f"{name}.json").write_text("{}")
        os.utime(paths.comparisons / f"{name}.json", (time.time() + 9_000 + int(name[0]), time.time() + 9_000 + int(name[0])))
    made = comparison.keep(shown, paths)
    assert sorted(one.stem for one in paths.comparisons.glob("*.json")) == sorted([made, "2" * 16])
