"""The model host of a ZeroGPU Space: answers grow on a lent card in the platform's process, all else is computed here on the CPU.

That process knows nothing of what was attached here since it began, so that it gets folders and questions, and attaches adapters by itself,
through the same gate.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipelines.models import catalog, prepare, zerogpu
from pipelines.models.growing import Row
from pipelines.models.host import ModelHost
from pipelines.models.line import Ticket
from pipelines.models.unchanged import SelfTest
from pipelines.paths import Paths
from pipelines.records import Answer, Sampling

_there: dict[tuple[str, str], ModelHost] = {}  # of the platform's process, for as long as it lives


def _seconds(root: str, reference: str, rows: list[Row], sampling: Sampling, partial: bool) -> int:
    return zerogpu.seconds_for(len(rows), sampling.max_new_tokens)


@zerogpu.on_gpu(_seconds)
def grow(root: str, reference: str, rows: list[Row], sampling: Sampling, partial: bool) -> Iterator[tuple[list[Answer], SelfTest | None]]:
    """The answers so far, again and again, and at last what the base test found there."""
    host = _host(root, reference)
    for answers in host.stream(rows, sampling, partial=partial):
        yield answers, None
    yield answers, host.self_test()


def _host(root: str, reference: str) -> ModelHost:
    """A plain host of the process that this runs in."""
    if (root, reference) not in _there:
        if zerogpu.is_here():
            import torch

            torch.set_num_threads(1)  # a forked process waits for ever for the threads of the one it came from
        _there[root, reference] = ModelHost(Paths(Path(root)), reference)
    return _there[root, reference]


class ZeroHost(ModelHost):
    """As ModelHost; its streams run on a lent card, and the base test after one is that of the model which answered."""

    def __init__(self, paths: Paths, reference: str = catalog.LANGUAGE_MODEL.name) -> None:
        super().__init__(paths, reference)
        self._reference = reference
        self._tested: SelfTest | None = None

    def _streamed(self, rows: list[Row], sampling: Sampling, stop: threading.Event, partial: bool, rounded: bool) -> Iterator[list[Answer]]:
        """Answers from the lent card, whose weights are never rounded further. A stop leaves what was said."""
        self._tested = None
        prepare.ensure(self.source, self.paths)  # here, since there the seconds are counted
        for answers, test in grow(str(self.paths.root), self._reference, rows, sampling, partial):
            if test is not None:
                self._tested = test
            elif stop.is_set():
                yield [answer if answer.finished else replace(answer, finished="stopped") for answer in answers]
                return
            else:
                yield answers

    def self_test(self, ticket: Ticket | None = None) -> SelfTest:
        """The test that came with the last stream of this turn, else that of the base here."""
        found, self._tested = self._tested, None
        if found is None or ticket is None or not ticket.is_served:
            return super().self_test(ticket)
        self.last_test = found
        return found


def host(paths: Paths) -> ModelHost:
    """The model host that this machine needs."""
    return ZeroHost(paths) if zerogpu.is_here() else ModelHost(paths)
