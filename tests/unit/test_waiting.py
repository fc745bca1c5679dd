"""Who waits for a run: the place and the time are told, and one visitor has only so many at a time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.tuning import waiting
from pipelines.tuning.cost import estimate
from pipelines.tuning.run import Run, write_state
from studio.owning import Who
from studio.services import Services
from studio.tabs.tuning import setup
from studio.views import training
from tests.handmade import make, progress, step


@pytest.fixture
def minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run is expected to take a minute."""
    waiting.expected.cache_clear()
    monkeypatch.setattr(Run, "pairs", lambda self: [])
    monkeypatch.setattr(waiting.Recipe, "from_dict", lambda values: None)
    monkeypatch.setattr(estimate, "estimate", lambda *_: SimpleNamespace(seconds=60.0))


def line_of(paths: Paths, *states: str) -> list[Run]:
    made = []
    for number, state in enumerate(states):
        run = make(paths, f"run-{number}", state)
        write_state(run, state, place=number)  # type: ignore[arg-type]
        made.append(run)
    return made


def test_the_place_and_the_time_before_a_run(paths: Paths, minute: None, monkeypatch: pytest.MonkeyPatch) -> None:
    busy, first, second = line_of(paths, "waiting", "queued", "queued")
    assert waiting.place(first, paths) == (1, 0.0) and waiting.place(second, paths) == (2, 60.0)
    monkeypatch.setattr(waiting.runs, "active", lambda _: busy)
    assert waiting.place(second, paths) == (2, 120.0)
    progress(busy, step(1, 2.0, remaining=45.0), step(2, 2.0, remaining=30))
    assert waiting.place(second, paths) == (2, 90.0)
    assert waiting.place(busy, paths) == (None, None)
    said = training.status(second, [], *waiting.place(second, paths))
    assert "place 2" in said and "1 min 30 s until then" in said


def test_a_run_whose_time_can_not_be_told_counts_nothing(paths: Paths, minute: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise StudioError("No base.")

    monkeypatch.setattr(estimate, "estimate", fails)
    second = line_of(paths, "queued", "queued")[1]
    assert waiting.place(second, paths) == (2, 0.0)


def test_a_visitor_has_only_so_many_runs_at_a_time_but_the_studios_own_computer_any(paths: Paths) -> None:
    services: Services = SimpleNamespace(paths=paths)  # type: ignore[assignment]
    me, other = Who("mine"), Who("theirs")
    for run in line_of(paths, "queued", "queued", "finished"):
        me.claim(run.folder)
    setup._refuse_more(services, me, 1)
    setup._refuse_more(services, other, setup.MOST_RUNS)
    setup._refuse_more(services, setup.AT_HOME, 30)
    with pytest.raises(StudioError, match="2 of your runs"):
        setup._refuse_more(services, me, 2)
    with pytest.raises(StudioError, match="0 of your runs"):
        setup._refuse_more(services, other, setup.MOST_RUNS + 1)
