"""The SQLite file that all of a studio's reviews share: written through to the disk, and honest where it can't be.

Any table here with the columns `review_id` and `rater_number` is a rater's: withdrawal and expiry clear it (see ballots.py).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.errors import StudioError

FILE = "ballots.sqlite"
WAIT = 15.0
BUSY = ("locked", "busy")
FULL = ("full", "disk i/o", "readonly", "unable to open")


class Store:
    """One file in write-ahead mode with `synchronous=FULL`: what a transaction wrote is on the disk when its block has ended.

    Opened at first use and again after an error. Threads of one process take turns; other processes are waited for (WAIT seconds).
    """

    def __init__(self, folder: Path, schema: str) -> None:
        self.path = folder / FILE
        self._schema = schema
        self._lock = threading.RLock()
        self._open: sqlite3.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block's statements or none. Raises StudioError where the file is damaged, full, locked or read-only."""
        with self._lock, self._guarded() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For statements that only read. Raises StudioError like `transaction`."""
        with self._lock, self._guarded() as connection:
            yield connection

    def shrink(self) -> None:
        """Empties the write-ahead log, so that deleted rows are gone from the disk; another process that reads may put it off."""
        with self.reading() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                with suppress(sqlite3.Error):
                    self._open.close()
            self._open = None

    @contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._open is None or not self.path.exists():
                self.close()
                self._open = self._opened()
            yield self._open
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise self._refused(error) from error

    def _opened(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)  # ballots are no other user's business; the files beside it take the same rights
        connection = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            _to_write_ahead(connection)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            connection.executescript(self._schema)
        except BaseException:
            connection.close()
            raise
        return connection

    def _refused(self, error: Exception) -> StudioError:
        name, reason = f"{self.path.parent.name}/{FILE}", str(error).lower()
        if any(word in reason for word in BUSY):
            return StudioError("Others are writing ballots just now.", "Nothing was counted; try again in a moment.")
        if isinstance(error, OSError) or any(word in reason for word in FULL):
            return StudioError(f"{name} can't be written ({error}).", "Nothing was counted; make room on the disk or check its rights.")
        return StudioError(
            f"{name} is damaged or not a file of this studio ({error}).",
            "Nothing was counted. Put a copy of it back, or move it away with the files beside it that begin with its name to begin anew.",
        )


def _to_write_ahead(connection: sqlite3.Connection) -> None:
    """The switch does not wait for another process that switches at the same moment, so it is tried again."""
    until = time.monotonic() + WAIT
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
            return  # where the disk can't do it the older journal stays, which is as safe
        except sqlite3.OperationalError as error:
            if not any(word in str(error).lower() for word in BUSY) or time.monotonic() > until:
                raise
            time.sleep(0.02)
