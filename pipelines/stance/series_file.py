"""Series on disk: one JSON file each, named by time and adapter, and opened again from the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path

from pipelines.errors import StudioError
from pipelines.paths import Paths, read_json, write_json
from pipelines.stance.series_points import Series

MOST, MAX_BYTES, LONGEST_NAME = 50, 1 << 24, 40
STAMP = "%Y%m%d-%H%M%S"
NAME = re.compile(r"series-(\d{8}-\d{6})-(.+)\.json")
DAMAGE = (OSError, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)


def keep(series: Series, paths: Paths, claim: Callable[[Path], None] | None = None) -> Path:
    """Writes a series to a file of its own. `claim` writes beside it whose it is, before anybody can see it."""
    name = re.sub(r"[^a-z0-9]+", "-", series.of.lower()).strip("-")[:LONGEST_NAME] or "adapter"
    kind = "dose" if series.kind == "strength" else "course"
    file = unused(paths.results / f"series-{datetime.now().strftime(STAMP)}-{kind}-{name}.json")
    if claim:
        claim(file)
    write_json(file, series.as_dict())
    return file


def unused(file: Path) -> Path:
    """The name itself, or with a number behind it: within a second, or where a clock was set back, a name can be taken already."""
    names = (file.with_stem(f"{file.stem}-{number}") for number in count(2))
    return file if not file.exists() else next(name for name in names if not name.exists())


def listed(paths: Paths, shown: Callable[[Path], bool] = lambda file: True) -> list[tuple[str, str]]:
    """(what people read, file name) of the newest series, newest first; `shown` says which count. The files are not opened."""
    known = [file for file in paths.results.glob("series-*.json") if shown(file)]
    found = [(match[1], match[2], file.name) for file in known if (match := NAME.fullmatch(file.name))]
    return [(f"{_when(time)} · {name}", file) for time, name, file in sorted(found, reverse=True)[:MOST]]


def _when(stamp: str) -> str:
    try:
        return f"{datetime.strptime(stamp, STAMP):%d %b %Y, %H:%M:%S}"
    except ValueError:
        return stamp


def opened(name: str, paths: Paths) -> Series:
    """The series in one of the kept files. Raises StudioError where it is not one of them, or damaged."""
    if name not in [file.name for file in paths.results.glob("series-*.json")] or not NAME.fullmatch(name):
        raise StudioError("This result is no longer there.", "Choose another one.")
    return read(paths.results / name)


def read(file: Path) -> Series:
    """A series from a file. Raises StudioError where it is damaged."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ValueError("too large")
        return Series.from_dict(read_json(file))
    except DAMAGE as error:
        raise damaged(file.name) from error


def damaged(name: str) -> StudioError:
    """What is said where a file turns out to be no whole series, also later, when it is shown."""
    return StudioError(f"{name} is damaged and can't be shown.", "It was skipped; what is shown stays. Choose another one.")
