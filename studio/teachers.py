"""The teacher's password: a page on which it was given may start and end classes and delete. It is kept in memory only."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.errors import StudioError
from studio.ratelimit import Limiter, Visitor

SHORTEST_PASSWORD = 8
TRIES, TRIES_OF_ALL, TRIES_SECONDS = 5, 40, 600.0
UNLOCKED_SECONDS, MOST_UNLOCKED = 2 * 60 * 60.0, 100
NEEDED = StudioError("This needs the teacher's password.", "Give it under “Teacher's password” on this page, then press again.")
WRONG = StudioError("That is not the teacher's password.", "Try again; it is the one with which the studio was started.")


@dataclass(frozen=True)
class _Tries:
    of_page: Limiter
    of_all: Limiter


class Teachers:
    """`password` is "" where nobody is asked for one."""

    def __init__(self, password: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._password, self._clock = password, clock
        self._until: dict[Visitor, float] = {}
        self._tries = _Tries(Limiter(TRIES, TRIES_SECONDS, "tries", clock), Limiter(TRIES_OF_ALL, TRIES_SECONDS, "tries", clock))
        self._lock = threading.Lock()

    @property
    def are_asked(self) -> bool:
        return bool(self._password)

    def unlock(self, page: Visitor, given: str) -> None:
        """Lets a page in for two hours. Raises StudioError for another word, and for any word after too many tries."""
        with self._lock:
            self._count(page)
            if not secrets.compare_digest((given or "").encode("utf-8", "replace"), self._password.encode("utf-8", "replace")):
                raise WRONG
            while len(self._until) >= MOST_UNLOCKED:
                del self._until[min(self._until, key=lambda one: self._until[one])]
            self._until[page] = self._clock() + UNLOCKED_SECONDS

    def lock(self, page: Visitor) -> None:
        with self._lock:
            self._until.pop(page, None)

    def knows(self, page: Visitor) -> bool:
        """Whether the password was given on this page, in the last two hours."""
        return bool(page.page) and self._until.get(page, 0.0) > self._clock()

    def refuse_others(self, page: Visitor) -> None:
        """Raises StudioError where a password is set and was not given on this page."""
        if self.are_asked and not self.knows(page):
            raise NEEDED

    def _count(self, page: Visitor) -> None:
        try:
            self._tries.of_page.take(page)
            self._tries.of_all.take(Visitor("all"))
        except StudioError as error:
            raise StudioError(
                "The password was tried too often.", "Wait ten minutes, or use the computer on which the studio runs."
            ) from error
