"""The share of the cores: all of them alone, a part while others say that they are at work."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.models import cores
from pipelines.models.cores import Cores


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    monkeypatch.setattr(cores, "total", lambda: 8)
    yield
    torch.set_num_threads(before)


def test_whoever_is_alone_has_all_cores_and_two_have_half_each(tmp_path: Path) -> None:
    import torch

    answers, training = Cores(tmp_path, "answers"), Cores(tmp_path, "training")
    assert answers.take() == 8 and torch.get_num_threads() == 8
    assert training.take() == 4 and answers.take() == 4 and torch.get_num_threads() == 4


def test_a_word_counts_for_some_seconds_only_and_one_from_the_future_not_at_all(tmp_path: Path) -> None:
    answers, training = Cores(tmp_path, "answers"), Cores(tmp_path, "training")
    training.say()
    for away in (-30, 30):
        os.utime(tmp_path / "busy" / "training", (time.time() + away,) * 2)
        assert answers.take() == 8
    os.utime(tmp_path / "busy" / "training", (0, 0))
    answers.take()
    assert [file.name for file in (tmp_path / "busy").iterdir()] == ["answers"], "what a killed process left is cleared away"


def test_long_work_goes_on_saying_so_and_stops_when_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "AGAIN", 0.01)
    answers, training = Cores(tmp_path, "answers"), Cores(tmp_path, "training")
    with training.held():
        os.utime(tmp_path / "busy" / "training", (0, 0))
        end = time.monotonic() + 10
        while not answers.others() and time.monotonic() < end:
            time.sleep(0.01)
        assert answers.take() == 4
    assert answers.take() == 8
    training.say()
    assert answers.take() == 4, "what begins again at once is told at once"


def test_more_kinds_than_cores_leave_one_each_and_a_folder_that_can_not_be_made_stops_nobody(tmp_path: Path) -> None:
    kinds: list[Any] = [Cores(tmp_path, str(number)) for number in range(12)]
    assert [one.take() for one in kinds][-1] == 1
    (tmp_path / "file").touch()
    assert Cores(tmp_path / "file", "answers").take() == 8
