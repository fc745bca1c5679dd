"""The host of a ZeroGPU Space with a real (tiny) model: what the platform's process answers is what a plain host answers."""

import importlib
import threading
from pathlib import Path

import pytest

from pipelines.models import zerohost
from pipelines.models.growing import Row
from pipelines.models.host import ModelHost
from pipelines.paths import Paths
from pipelines.records import Column, Sampling
from tests.unit.test_zerogpu import Platform, platform

__all__ = ["platform"]


def test_a_lent_card_gives_the_answers_of_a_plain_host(
    platform: Platform, paths: Paths, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.reload(zerohost)
    try:
        rows = [Row(Column("base"), [{"role": "user", "content": "Why?"}], seed) for seed in (1, 2)]
        sampling = Sampling(max_new_tokens=6)
        plain = ModelHost(paths, str(tiny)).answer_all(rows, sampling)
        host = module.ZeroHost(paths, str(tiny))
        with host.line.turn() as ticket:
            assert list(host.stream(rows, sampling, threading.Event(), ticket=ticket))[-1] == plain
            assert host.self_test(ticket).passed
        assert platform.asked == [15] and host.base is None  # nothing was loaded on this side
    finally:
        monkeypatch.delenv("SPACES_ZERO_GPU")
        importlib.reload(zerohost)
