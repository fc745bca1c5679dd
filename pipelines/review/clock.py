"""Whether the clock may be believed when it says that somebody's time is over: one hard jump would delete ballots early, and for good.

The database remembers what the clock showed when it was last looked at, and beside it a count of seconds that nobody can set. A jump that was
seen moves every rater's last day with it, and back again. Where the machine was off in between, nobody can tell a jump from a long holiday:
then nothing is deleted before the clock has been steady for an hour, or, after an absence longer than any holiday, before a person agrees.
"""

from __future__ import annotations

import math
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from pathlib import Path

DAY = 86_400
STEP = 2.0 * DAY  # seconds by which a clock may be put right without anybody asking
STEADY = 3600.0
LONGEST_OFF = 120.0 * DAY  # a machine that was off for longer is less likely than a wrong date
SCHEMA = """
CREATE TABLE IF NOT EXISTS clock (
    one INTEGER PRIMARY KEY CHECK (one = 1), seen REAL NOT NULL, steady REAL NOT NULL, boot TEXT NOT NULL, high REAL NOT NULL,
    shifted INTEGER NOT NULL, gap_from REAL, gap_to REAL, gap_steady REAL, asks INTEGER NOT NULL
) WITHOUT ROWID;
"""
_OWN_START = uuid.uuid4().hex


@dataclass(frozen=True)
class Moment:
    """`wall` is in seconds since 1970, `steady` in seconds since `boot`, a name for when that count began; it goes on while a laptop sleeps."""

    wall: float
    steady: float
    boot: str


@dataclass(frozen=True)
class Doubt:
    """The clock went from one time to another (seconds since 1970) while nobody looked; `asks` is whether only a person can settle it."""

    since: float
    now: float
    asks: bool

    @property
    def sentence(self) -> str:
        return f"The clock went from {_date(self.since)} to {_date(self.now)} since the studio last looked."

    @property
    def hint(self) -> str:
        """What ends the doubt."""
        alone = "" if self.asks else " A studio that runs deletes it by itself once its clock has been steady for an hour."
        return f"Is today's date right? Then `python -m pipelines review expire --yes` deletes what is over; else set the clock.{alone}"


@dataclass(frozen=True)
class _Known:
    """What was seen last. `high` is the latest time that was believed, `shifted` the days by which last days were moved."""

    seen: float
    steady: float
    boot: str
    high: float
    shifted: int = 0
    gap_from: float | None = None
    gap_to: float | None = None
    gap_steady: float | None = None
    asks: int = 0

    @property
    def doubt(self) -> Doubt | None:
        return None if self.gap_from is None or self.gap_to is None else Doubt(self.gap_from, self.gap_to, bool(self.asks))

    def doubted(self, since: float, until: float, asks: bool) -> _Known:
        """The same, not knowing whether that time has passed; all is believed where it is short."""
        if until - since <= STEP:
            return self.believed(self.seen)
        return replace(self, gap_from=since, gap_to=until, gap_steady=self.steady, asks=int(asks or until - since > LONGEST_OFF))

    def believed(self, wall: float) -> _Known:
        return replace(self, high=max(self.high, wall), gap_from=None, gap_to=None, gap_steady=None, asks=0)


def moment(clock: Callable[[], float]) -> Moment:
    """Now. A clock of one's own is believed, unless it counts steady seconds by itself (a method `moment`)."""
    if clock is time.time:
        return Moment(time.time(), *_steady())
    own = getattr(clock, "moment", None)
    return own() if own else Moment(wall := clock(), wall, "given")


def _steady() -> tuple[float, str]:
    """Seconds that go on through sleep and can't be set, and since when they are counted."""
    if sys.platform == "linux":
        try:
            return time.clock_gettime(time.CLOCK_BOOTTIME), Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            pass  # a system without them: only this process knows when its count began
    elif sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC_RAW), _OWN_START
    return time.monotonic(), _OWN_START


def look(open_file: sqlite3.Connection, at: Moment, confirmed: bool = False) -> Doubt | None:
    """Compares the clock with what was seen last, moves raters' last days with a jump that was seen, and says what is in doubt now.

    `confirmed` is that a person says the date is right. A step of a transaction on the store.
    """
    before = _read(open_file, at)
    after, days = _compared(before, at)
    if confirmed:
        after = after.believed(at.wall)
    _move(open_file, days)
    values = (1, *astuple(after))
    open_file.execute(f"INSERT OR REPLACE INTO clock VALUES ({', '.join('?' * len(values))})", values)
    return after.doubt


def joining(open_file: sqlite3.Connection, at: Moment) -> float:
    """The time from which a rater's days count: never before one that was believed already.

    Only a jump is written down here: when somebody joined is nobody's business.
    """
    before = _read(open_file, at)
    if abs(at.wall - _expected(before, at)) > STEP:
        look(open_file, at)
        before = _read(open_file, at)
    return at.wall if before.doubt else max(at.wall, before.high)


def _compared(known: _Known, at: Moment) -> tuple[_Known, int]:
    """What is known now, and by how many days raters' last days move."""
    expected, moved = _expected(known, at), at.wall - _expected(known, at)
    now = replace(known, seen=at.wall, steady=at.steady, boot=at.boot)
    if moved > STEP:
        if _saw(known, at) and not known.doubt and expected >= known.high - STEP:
            days = math.ceil(moved / DAY)
            return replace(now, high=at.wall, shifted=known.shifted + days), days
        if known.doubt:
            return now.doubted(known.doubt.since, known.doubt.now + moved, known.doubt.asks or _saw(known, at)), 0
        return now.doubted(max(expected, known.high), at.wall, False), 0
    if moved < -STEP:
        days = min(known.shifted, math.floor(-moved / DAY))
        now = replace(now, shifted=known.shifted - days, high=known.high - days * DAY)
        return (now.doubted(known.doubt.since, known.doubt.now + moved, known.doubt.asks) if known.doubt else now), -days
    return _gone_on(now, at, _saw(known, at)), 0


def _gone_on(now: _Known, at: Moment, saw: bool) -> _Known:
    """After a time without a jump: a doubt ends once the clock was steady for long enough."""
    if now.gap_steady is None:
        return now.believed(at.wall)
    if not saw:
        return replace(now, gap_steady=at.steady)
    return now if now.asks or at.steady - now.gap_steady < STEADY else now.believed(at.wall)


def _saw(known: _Known, at: Moment) -> bool:
    """Whether steady seconds were counted from then to now."""
    return known.boot == at.boot and at.steady >= known.steady


def _expected(known: _Known, at: Moment) -> float:
    """What the clock shows now if nobody set it, and the machine was not off."""
    return known.seen + (at.steady - known.steady if _saw(known, at) else 0.0)


def _read(open_file: sqlite3.Connection, at: Moment) -> _Known:
    """What was seen last; in a database of an earlier version the time of the newest thing in it."""
    names = ", ".join(one.name for one in fields(_Known))
    row = open_file.execute(f"SELECT {names} FROM clock WHERE one = 1").fetchone()
    if row:
        return _Known(*row)
    (newest,) = open_file.execute("SELECT max(max(opened), max(ifnull(closed, 0))) FROM reviews").fetchone()
    return _Known(at.wall, at.steady, at.boot, at.wall) if newest is None else _Known(newest, 0.0, "", newest)


def _move(open_file: sqlite3.Connection, days: int) -> None:
    if days:
        open_file.execute("UPDATE raters SET expires = expires + ?", (days * DAY,))


def _date(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds):%d %b %Y, %H:%M}"
    except (OverflowError, OSError, ValueError):
        return f"{seconds:.0f} seconds after 1970"
