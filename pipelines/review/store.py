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
from pipelines.incidents import LOCKED, UNWRITABLE

FILE = "ballots.sqlite"
WAIT = 5.0
TRIES, PAUSE = 5, 0.02


class Store:
    """One file in write-ahead mode with `synchronous=FULL`: what a transaction wrote is on the disk when its block has ended.

    Opened at first use and again after an error. Threads of one process take turns; other processes are waited for (WAIT seconds each).
    Reading has a connection of its own and waits for no writer. A transaction may have a reading inside, which sees what was before it,
    but no reading a transaction.
    """

    def __init__(self, folder: Path, schema: str) -> None:
        self.path = folder / FILE
        self._writer, self._reader = _Line(self.path, schema), _Line(self.path, schema, only_reads=True)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block's statements or none. Raises StudioError where the file is damaged, full, locked or read-only."""
        with self._writer.used() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                _rolled_back(connection)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For statements that only read, all of the same moment. Raises StudioError like `transaction`."""
        with self._reader.used() as connection:
            if connection.in_transaction:  # a reading within a reading
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                _rolled_back(connection)

    def shrink(self) -> bool:
        """Empties the write-ahead log. Returns whether deleted rows are gone from the disk: another process that reads may hold it up.

        Never waits for another process and never raises, since what was deleted before is deleted; whoever needs it calls again later.
        """
        with suppress(StudioError):
            for attempt in range(TRIES):  # others in this process read for moments only
                time.sleep(PAUSE * bool(attempt))
                with self._writer.used() as connection, self._reader.turn():
                    if _emptied(connection):
                        return True
        return False

    def close(self) -> None:
        for line in (self._writer, self._reader):
            line.close()


class _Line:
    """A connection to the file, for one thread at a time."""

    def __init__(self, path: Path, schema: str, only_reads: bool = False) -> None:
        self.path, self._schema, self._only_reads = path, schema, only_reads
        self._lock = threading.RLock()
        self._open: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._log: tuple[int, int] | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises StudioError where another thread does not end in time."""
        if not self._lock.acquire(timeout=WAIT):
            raise _others()
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def used(self) -> Iterator[sqlite3.Connection]:
        """The connection, opened anew where the file is another one than before. Raises StudioError for whatever goes wrong with it."""
        with self.turn():
            try:
                if self._open is not None and self._log and self._log != _which(self._log_path):
                    self._carry_over(self._open)
                if self._open is None or self._file != _which(self.path):
                    self.close()
                    self._open = self._opened()
                    self._file = _which(self.path)
                yield self._open
                self._log = self._log or _which(self._log_path)
            except (sqlite3.Error, OSError) as error:
                self.close()
                raise self._refused(error) from error

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                with suppress(sqlite3.Error):
                    self._open.close()
            self._open = self._log = None

    @property
    def _log_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}-wal")

    def _carry_over(self, connection: sqlite3.Connection) -> None:
        """Somebody deleted the log while it was open: what only it holds goes into the file before it is let go.

        Raises StudioError where others read just then. Where another connection has done so already there is nothing left in it.
        """
        with suppress(sqlite3.Error):
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise _others()
        self.close()

    def _opened(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)  # ballots are no other user's business; the files beside it take the same rights
        connection = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            _to_write_ahead(connection)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            connection.executescript(self._schema)
            connection.execute(f"PRAGMA query_only={'ON' if self._only_reads else 'OFF'}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _refused(self, error: Exception) -> StudioError:
        name, reason = f"{self.path.parent.name}/{FILE}", str(error).lower()
        if any(word in reason for word in LOCKED):
            return _others()
        if isinstance(error, OSError) or any(word in reason for word in UNWRITABLE):
            return StudioError(f"{name} can't be written ({error}).", "Nothing was counted; make room on the disk or check its rights.")
        return StudioError(
            f"{name} is damaged or not a file of this studio ({error}).",
            "Nothing was counted. End the studio; then `python -m pipelines doctor --repair` saves what can still be read.",
        )


def _which(path: Path) -> tuple[int, int] | None:
    """Which file lies at a path; None for none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _others() -> StudioError:
    return StudioError("Others are writing ballots just now.", "Nothing was counted; try again in a moment.")


def _rolled_back(connection: sqlite3.Connection) -> None:
    """Ends a transaction that is still open."""
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _emptied(connection: sqlite3.Connection) -> bool:
    """Whether the write-ahead log could be emptied at once. Without one deleted rows are overwritten where they stood."""
    connection.execute("PRAGMA busy_timeout=0")
    try:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        connection.execute(f"PRAGMA busy_timeout={int(WAIT * 1000)}")


def _to_write_ahead(connection: sqlite3.Connection) -> None:
    """The switch does not wait for another process that switches at the same moment, so it is tried again."""
    until = time.monotonic() + WAIT
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
            return  # where the disk can't do it the older journal stays, which is as safe
        except sqlite3.OperationalError as error:
            if not any(word in str(error).lower() for word in LOCKED) or time.monotonic() > until:
                raise
            time.sleep(0.02)
