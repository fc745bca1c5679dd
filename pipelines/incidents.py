"""What went wrong without being anybody's mistake: a code for the person, the whole story under that code in STUDIO_HOME/log/studio.log."""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import sqlite3
import sys
import threading
import time
import traceback
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from pipelines.errors import Cancelled, StudioError
from pipelines.paths import Paths

LOG = logging.getLogger("politune")
SIZE, FILES = 2 << 20, 3
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that looks like another one
AGAIN = 60.0  # seconds within which the same error at the same place keeps its code and is not written out once more
MOST = 20_000  # characters of one entry: an error may quote a whole file
SECRET_VARIABLES = re.compile(r"TOKEN|KEY|SECRET|PASSWORD", re.IGNORECASE)
SECRET_SHAPES = re.compile(r"\b(?:hf_|sk-)[A-Za-z0-9_-]{8,}|(?<=Bearer )\S+")
SHORTEST_SECRET = 6
HIDDEN = "[hidden]"
OVERHEARD = ("uvicorn.error", "asyncio", "gradio")  # loggers of others whose errors are ours to tell
LOCKED, UNWRITABLE = (
    ("locked", "busy"),
    ("full", "disk i/o", "readonly", "unable to open"),
)  # what SQLite says of others at work, and of the disk
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE)
# The last one is oneDNN's, which makes its products anew where there is room and says no more than this where there is none.
SIGNS_OF_NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "bad_alloc",
    "bad alloc",
    "could not create a primitive",
)


@dataclass(frozen=True)
class Incident:
    """One thing that went wrong in this process. `when` is local time, `what` the error in one line, `times` how often it came in a row."""

    code: str
    when: str
    what: str
    during: str = ""
    times: int = 1
    place: str = ""
    begun: float = 0.0


class _Known:
    """The latest incidents of this process, and secrets that were typed in and must not be written down."""

    def __init__(self) -> None:
        self.incidents: deque[Incident] = deque(maxlen=20)
        self.typed: set[str] = set()
        self.lock = threading.Lock()


_KNOWN = _Known()


def log_file(paths: Paths) -> Path:
    return paths.root / "log" / "studio.log"


class _Discreet(logging.Formatter):
    """Neither secrets nor more than MOST characters; of what is longer the beginning and the end stay."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        text = discreet(super().format(record))
        return text if len(text) <= MOST else f"{text[: MOST // 2]}\n[{len(text) - MOST:,} characters left out]\n{text[-MOST // 2 :]}"


class _Terminal(logging.Handler):
    """Standard error, whatever that is by now."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):  # a terminal that was closed has no reader
            print(self.format(record), file=sys.stderr, flush=True)


class _Overheard(logging.Filter):
    """Notes the errors of somebody else's logger. A filter, since the web server takes all handlers away when it starts."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            error = record.exc_info[1] if record.exc_info else None
            note(error or RuntimeError(record.getMessage()), f"the web server ({record.name})")
        return True


def _handler(made: logging.Handler) -> logging.Handler:
    made.setFormatter(_Discreet())
    return made


LOG.setLevel(logging.INFO)
LOG.propagate = False
if not LOG.handlers:
    LOG.addHandler(_handler(_Terminal()))


def open_log(paths: Paths) -> None:
    """Writes incidents to the studio's log from now on, besides standard error, and those of threads and of the web server as well.

    A disk that can't be written leaves only standard error.
    """
    for old in [one for one in LOG.handlers if isinstance(one, RotatingFileHandler)]:
        LOG.removeHandler(old)
        old.close()
    try:
        log_file(paths).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        LOG.addHandler(
            _handler(RotatingFileHandler(log_file(paths), maxBytes=SIZE, backupCount=FILES - 1, encoding="utf-8", errors="replace"))
        )
    except OSError as error:
        print(f"The log below {paths.root} can't be written ({error.strerror}); what goes wrong is told here only.", file=sys.stderr)
    _listen()


def _listen() -> None:
    threading.excepthook, sys.excepthook = _of_a_thread, _of_the_process
    for name in OVERHEARD:
        logger = logging.getLogger(name)
        if not any(isinstance(one, _Overheard) for one in logger.filters):
            logger.addFilter(_Overheard())


def _of_a_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        note(args.exc_value, f"the thread {args.thread.name if args.thread else 'of the system'}")


def _of_the_process(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        note(error, "the studio itself")


def note(error: BaseException, during: str = "") -> str:
    """Writes an error with its traceback into the log, and returns the code that it stands under there.

    What comes again and again, as from a page that looks every second, keeps its code and is only counted.
    """
    one = _counted(discreet(" ".join(f"{type(error).__name__}: {error}".split()))[:300], during, _place(error))
    if one.times == 1:
        LOG.error("%s %s", one.code, during or "unexpected", exc_info=error)
    elif str(one.times).strip("0") == "1":  # the 10th, the 100th
        LOG.error("%s again, %d times by now", one.code, one.times)
    return one.code


def _counted(what: str, during: str, place: str) -> Incident:
    """Remembers an incident: a new one, or the same once more within AGAIN seconds of its first time."""
    when, now = datetime.now().isoformat(" ", "seconds"), time.monotonic()
    with _KNOWN.lock:
        same = [one for one in _KNOWN.incidents if (one.what, one.during, one.place) == (what, during, place) and now - one.begun < AGAIN]
        if same:
            _KNOWN.incidents.remove(same[0])
            found = replace(same[0], when=when, times=same[0].times + 1)
        else:
            found = Incident("".join(secrets.choice(LETTERS) for _ in range(5)), when, what, during, 1, place, now)
        _KNOWN.incidents.append(found)
    return found


def _place(error: BaseException) -> str:
    """Where it was raised: file and line."""
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    return f"{frames[0].filename}:{frames[0].lineno}" if frames else ""


def unexpected(error: BaseException, what: str = "This broke off", then: str = "Nothing was changed; try again.") -> StudioError:
    """Any error as a sentence for the person at the page: what broke off, why where that is known, what to do, and the code in the log.

    A StudioError is one already; work that a person stopped has no code.
    """
    if isinstance(error, StudioError):
        return error
    if isinstance(error, Cancelled):
        return StudioError("Stopped.", then)
    code = note(error, what)
    why, mend = _why(error) or (f"{what} ({type(error).__name__}).", "")
    return StudioError(why, " ".join(part for part in (mend, then, f"If it stays, look up code {code} in the studio's log.") if part))


def _why(error: BaseException) -> tuple[str, str] | None:
    """What is wrong and what to do, where the error is one that every machine knows; None where it is not."""
    said = str(error).lower()
    if isinstance(error, MemoryError) or any(sign in said for sign in SIGNS_OF_NO_MEMORY):
        return "There was not enough memory.", "Close other programs, or ask for less at once."
    if isinstance(error, sqlite3.Error):
        if any(word in said for word in LOCKED):
            return "Others are writing just now.", "Try again in a moment."
        if any(word in said for word in UNWRITABLE):
            return f"The disk refused ({error}).", "Make room on it, or see whether the studio's folder may be written."
        return "The studio's database is damaged.", "`python -m pipelines doctor` says what to do."
    if isinstance(error, OSError) and error.errno in (*FULL, *REFUSED):
        mend = "Make room on it." if error.errno in FULL else "See whether the studio's folder may be read and written."
        return f"The disk refused ({os.strerror(error.errno)}).", mend
    if isinstance(error, FileNotFoundError):
        return "A file that this needs is gone.", "It was deleted or moved meanwhile: load the page again."
    return None


def latest() -> list[Incident]:
    """The latest incidents of this process, newest first."""
    with _KNOWN.lock:
        return list(reversed(_KNOWN.incidents))


def keep_secret(value: str | None) -> None:
    """From now on this word is hidden wherever an incident is told: a key that somebody typed into the page."""
    if value and len(value) >= SHORTEST_SECRET:
        with _KNOWN.lock:
            _KNOWN.typed.add(value)


def discreet(text: str) -> str:
    """The text without secrets: those of the environment, those that were typed in, and what looks like a token."""
    with _KNOWN.lock:
        known = set(_KNOWN.typed)
    known |= {value for name, value in os.environ.items() if SECRET_VARIABLES.search(name) and len(value) >= SHORTEST_SECRET}
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return SECRET_SHAPES.sub(HIDDEN, text)
