"""Replies of endpoints, and their store on disk: by content hash, one by one, so that a killed job asks nothing twice.

Only replies are kept, no prompts, no addresses and no keys. Several processes may use one store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import StudioError, whole
from pipelines.models.template import Message, flatten

FILE = "replies.sqlite"
WAIT = 30.0


@dataclass(frozen=True)
class Reply:
    """What the model said, or why nothing came (`problem`). `cached`: it was asked before; `cut`: at the token limit."""

    text: str
    cached: bool
    problem: str = ""
    cut: bool = False


@dataclass(frozen=True)
class Estimate:
    """Calls still to make, replies already stored, tokens at most (four characters each), seconds where measured."""

    calls: int
    cached: int
    tokens: int
    seconds: float | None

    @property
    def sentence(self) -> str:
        """For the page, before anything is started."""
        stored = f"; {self.cached:,} replies are stored already" if self.cached else ""
        if not self.calls:
            return f"Nothing to ask{stored}."
        took = f", about {minutes(self.seconds)}" if self.seconds is not None else ", time not measured yet"
        return f"{self.calls:,} calls, at most {self.tokens:,} tokens{took}{stored}."


def minutes(seconds: float) -> str:
    """A length of time in words."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def plain(conversation: Sequence[Message]) -> list[Message]:
    """Role and text of each message; half characters, which can't be sent or hashed, become question marks."""
    return [{"role": str(m["role"]), "content": whole(flatten(m["content"]))} for m in conversation]


class Replies:
    """One SQLite file in write-ahead mode. Raises StudioError where it can't be read or written.

    An instance belongs to the thread that made it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, text TEXT NOT NULL, cut INTEGER NOT NULL) WITHOUT ROWID"
            )
        except (sqlite3.Error, OSError) as error:
            raise self._broken(error) from error

    def __enter__(self) -> Replies:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def find(self, keys: Iterable[str]) -> dict[str, Reply]:
        """The stored replies among the given keys."""
        found = {}
        try:
            for key in dict.fromkeys(keys):
                row = self._file.execute("SELECT text, cut FROM replies WHERE key = ?", (key,)).fetchone()
                if row:
                    found[key] = Reply(row[0], True, cut=bool(row[1]))
        except sqlite3.Error as error:
            raise self._broken(error) from error
        return found

    def add(self, key: str, reply: Reply) -> None:
        """Stores one reply at once; the first one stays where two processes asked the same."""
        try:
            self._file.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?)", (key, reply.text, int(reply.cut)))
        except sqlite3.Error as error:
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> StudioError:
        return StudioError(
            f"The stored replies in {self.path.parent.name}/{FILE} can't be used ({error}).",
            "Free some disk space, or delete that file: everything is then asked again.",
        )
