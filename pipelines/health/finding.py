"""What the doctor says of one thing, and the quarantine into which damaged things move whole."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from pipelines import marks
from pipelines.errors import StudioError
from pipelines.paths import Paths

FOLDER, REASONS = "quarantine", "reasons.jsonl"
WHOLE = "all of them whole"
MARK_FILE = marks.FILE
DAMAGE = (StudioError, OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError)  # what a file that is none may raise


class Quarantine:
    """STUDIO_HOME/quarantine/DATE-TIME, made when the first thing comes in. Things keep their path below STUDIO_HOME; nothing is deleted.

    Only the owner of the files can look into it, since ballots may be there.
    """

    def __init__(self, paths: Paths) -> None:
        self._root, self._folder = paths.root, Path()

    @property
    def folder(self) -> Path:
        """Raises OSError where it can't be made."""
        if self._folder == Path():
            home = self._root / FOLDER
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            made, number = home / f"{datetime.now():%Y%m%d-%H%M%S}", 1
            while made.exists():
                number += 1
                made = made.with_name(f"{made.name.partition('_')[0]}_{number}")
            made.mkdir(mode=0o700)
            self._folder = made
        return self._folder

    def take(self, thing: Path, reason: str) -> Path:
        """Moves a file, a folder or a link as it is, and notes why. Returns where it lies now."""
        target = self.folder / thing.relative_to(self._root)
        while target.exists() or target.is_symlink():
            target = target.with_name(f"{target.name}_")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(thing, target)
        with (self.folder / REASONS).open("a", encoding="utf-8") as handle:
            handle.write(json.dumps({"was": str(thing.relative_to(self._root)), "reason": reason}, ensure_ascii=False) + "\n")
        return target

    def replace(self, file: Path, content: bytes, reason: str) -> None:
        """Takes the file as it is and leaves another content in its place."""
        temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            temporary.write_bytes(content)
            self.take(file, reason)
            os.replace(temporary, file)
        finally:
            temporary.unlink(missing_ok=True)

    def called(self, lies: Path) -> str:
        """How people read where something lies now."""
        return lies.relative_to(self._root).as_posix()


Act = Callable[[Quarantine], str]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `repair` says what --repair would do, "" for nothing; `act` does it and says what was done.

    `more` are further values of its row.
    """

    what: str
    ok: bool
    found: str
    repair: str = ""
    act: Act | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def row(self) -> dict[str, Any]:
        return {"what": self.what, "ok": self.ok, "found": self.found, "repair": self.repair, **self.more}


def whole(what: str, found: str) -> Finding:
    return Finding(what, True, found)


def to_quarantine(what: str, found: str, things: list[Path], then: str = "") -> Finding:
    """A finding about things that can only be moved away. `then` says in a sentence what that means."""
    return Finding(what, False, found, f"moves it into quarantine. {then}".strip(), partial(_moved, things, what, found))


def _moved(things: list[Path], what: str, found: str, quarantine: Quarantine) -> str:
    lie = [quarantine.take(thing, found) for thing in things if thing.exists() or thing.is_symlink()]
    return f"{what}: moved to {quarantine.called(lie[0])}." if lie else f"{what}: it was gone already."


def complaint_about_mark(file: Path) -> str:
    """What is wrong with the file that says whose a thing is, "" where nothing is or there is none."""
    try:
        mark = marks.WHOLE.fullmatch(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    except (OSError, ValueError):
        mark = None
    return "" if mark else f"{file.name}, which says whose it is, is damaged"


def unmarked(what: str, file: Path) -> Iterator[Finding]:
    """A finding where the mark on a thing is damaged, so that not even its maker sees it."""
    if complaint := complaint_about_mark(file):
        yield to_quarantine(what, complaint, [file], "From then on it belongs to the computer on which the studio runs.")


def folders(shelf: Path) -> Iterator[Path]:
    """What lies on a shelf by name, without hidden things, links and files."""
    if shelf.is_dir():
        yield from sorted(one for one in shelf.iterdir() if one.is_dir() and not one.is_symlink() and not one.name.startswith("."))


def said(error: Exception) -> str:
    if isinstance(error, StudioError):
        return error.message
    return (
        f"it can't be read ({error})" if isinstance(error, OSError | ValueError) else f"it can't be read ({type(error).__name__}: {error})"
    )
