"""The one thread in which a process computes with its model, for as long as it lives.

OpenMP makes new threads for every thread that computes, and once there are more of them than cores none waits for its next part of a product
but falls asleep: a product of few rows then takes twice as long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """Does one job after another. Its thread ends with the process, whatever it is doing then."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Callable[..., Any], Future[Any]]] = SimpleQueue()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self, job: Callable[P, T], *args: P.args, **named: P.kwargs) -> Future[T]:
        """Does a job after those before it; the future has what it returned or raised."""
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="model")
                self._thread.start()
        outcome: Future[T] = Future()
        context = copy_context()
        self._jobs.put((lambda: context.run(job, *args, **named), outcome))
        return outcome

    def call(self, job: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Does a job and gives or raises what it gave or raised. A job may not wait for another one."""
        return self.begin(job, *args, **named).result()

    def _work(self) -> None:
        while True:
            job, outcome = self._jobs.get()
            try:
                outcome.set_result(job())
            except BaseException as error:
                outcome.set_exception(error)
            del job, outcome  # they hold the model
