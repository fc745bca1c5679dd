"""What was left half-made or half-deleted by a process that died, the room on the disk, and the right to write."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipelines.health.finding import FOLDER, Finding, Quarantine, to_quarantine, whole
from pipelines.paths import Paths

OLD = 3600.0  # seconds after which nobody works on it any more
NAME = re.compile(r"\..+\.(tmp|old|forgotten)|\.(gone|incoming)-.+")
LEAST = 2e9  # bytes


def leftovers(paths: Paths) -> Iterator[Finding]:
    """Temporary names that nothing was written to for an hour."""
    alone = [one for one in _temporary(paths.root) if one.suffix == ".old" and not _replaced(one).exists()]
    for one in alone:
        name = _replaced(one).relative_to(paths.root).as_posix()
        found = "a process died while it put a new one in its place"
        yield Finding(name, False, found, "puts the old one back", partial(_put_back, one, name))
    old = [one for one in _temporary(paths.root) if time.time() - newest(one) > OLD and one not in alone]
    for one in old:
        name = one.relative_to(paths.root).as_posix()
        yield to_quarantine(f"leftover {name}", "a process died while it made or deleted this", [one])
    if not old:
        yield whole("leftovers", "none")


def _replaced(old: Path) -> Path:
    """The name that a folder had before it was to be replaced (paths.atomic_folder)."""
    return old.with_name(old.name[1:].rpartition(".")[0].rpartition(".")[0])


def _put_back(old: Path, name: str, quarantine: Quarantine) -> str:
    old.rename(_replaced(old))
    return f"{name}: the one before is back."


def _temporary(root: Path) -> Iterator[Path]:
    for folder, inner, files in os.walk(root):
        here = [name for name in (*inner, *files) if NAME.fullmatch(name)]
        yield from (Path(folder) / name for name in sorted(here))
        inner[:] = [name for name in inner if name not in here and not (Path(folder) == root and name == FOLDER)]


def newest(thing: Path) -> float:
    """When it, or anything in it, was last written, in seconds since 1970."""
    try:
        inside = [one.lstat().st_mtime for one in thing.rglob("*")] if thing.is_dir() and not thing.is_symlink() else []
        return max([thing.lstat().st_mtime, *inside])
    except OSError:  # it was gone while we looked: somebody works on it
        return time.time()


def quarantined(paths: Paths) -> Iterator[Finding]:
    """How much lies there: only a person may delete it."""
    files = [one for one in (paths.root / FOLDER).rglob("*") if one.is_file() and not one.is_symlink()]
    size = sum(one.stat().st_size for one in files) / 1e6
    left = f"{len(files)} file{'s' * (len(files) != 1)}, {size:.1f} MB in {paths.root / FOLDER}; delete them by hand once nobody misses anything"
    yield whole("quarantine", left if files else "empty")


def room(paths: Paths) -> Iterator[Finding]:
    free = shutil.disk_usage(_existing(paths.root)).free
    yield Finding("free space", free > LEAST, f"{free / 1e9:.1f} GB at {paths.root}")


def rights(paths: Paths) -> Iterator[Finding]:
    """Whether this user may write where the studio does."""
    folders = [_existing(paths.root), *(one for one in sorted(paths.root.glob("*")) if one.is_dir())]
    closed = [one for one in folders if not os.access(one, os.R_OK | os.W_OK | os.X_OK)]
    closed += [one for one in sorted(paths.root.glob("*/*.sqlite")) if not os.access(one, os.R_OK | os.W_OK)]
    named = ", ".join(str(one) for one in closed)
    yield Finding("rights", not closed, f"{named} can't be written; give this user the right to" if closed else "everything can be written")


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
