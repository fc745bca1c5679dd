"""The list of runs under Watch follows what a run does."""

from typing import Any

import gradio as gr
import pytest

from studio.services import Services
from studio.tabs.tuning import watch


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(watch, "choices", lambda given: [("a run (training)", "r1")])
    return object.__new__(Services)


def skipped(update: Any) -> bool:
    return update == gr.skip()


def test_a_run_in_another_state_is_named_anew_and_what_was_said_at_the_start_goes_when_it_ends(services: Any) -> None:
    choices, said, standing = watch.restated(services, ("r1", "training", 5, 1, ""), ("", ""))
    assert choices["choices"] == [("a run (training)", "r1")] and skipped(said) and standing == ("r1", "training")
    assert all(skipped(one) for one in watch.restated(services, ("r1", "training", 9, 2, ""), standing))
    choices, said, standing = watch.restated(services, ("r1", "finished", 12, 3, ""), standing)
    assert not skipped(choices) and said == "" and standing == ("r1", "finished")


def test_another_run_takes_nothing_away_that_was_said(services: Any) -> None:
    assert skipped(watch.restated(services, ("r2", "finished", 1, 1, ""), ("r1", "training"))[1])
