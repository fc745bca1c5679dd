"""Recomputed studies on disk: kept under the time they were made, and opened again from the page of whoever made them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from pipelines.corpus.versions import slug
from pipelines.errors import StudioError
from pipelines.paths import Paths, read_json, write_json
from pipelines.stance.series_file import unused
from pipelines.stance.study import Study
from studio.owning import Who

RECORDED = "recorded"
MOST = 50
MAX_BYTES = 1 << 26
NAME = re.compile(r"stance-(\d{8}-\d{6})(?:-(.+))?\.json")
STAMP = "%Y%m%d-%H%M%S"


def keep(study: Study, paths: Paths, who: Who, name: str = "") -> Path:
    """Writes a study to a file of its own, with the name of its group where there is one. It is `who`'s from the first moment."""
    end = f"-{slug(name)}" if name else ""
    file = unused(paths.results / f"stance-{datetime.now().strftime(STAMP)}{end}.json")
    who.claim(file)
    write_json(file, study.as_dict(), settled=True)
    return file


def listed(paths: Paths, who: Who) -> list[tuple[str, str]]:
    """(what people read, file name) of the newest studies that are theirs or shared, newest first. The files are not opened."""
    known = [file for file in paths.results.glob("stance-*.json") if who.sees(file)]
    files = sorted(known, key=lambda file: (_made(file), file.name), reverse=True)
    return [(_label(file) + who.remark(file), file.name) for file in files[:MOST]]


def choices(paths: Paths, who: Who, public: bool) -> list[tuple[str, str]]:
    """The recorded study and those that may be opened; a public studio keeps none."""
    return [("Recorded, ships with the studio", RECORDED), *([] if public else listed(paths, who))]


def _made(file: Path) -> datetime:
    """The time in the file's name; where there is none, of its last change."""
    try:
        return datetime.strptime(NAME.fullmatch(file.name)[1], STAMP)  # type: ignore[index]
    except (ValueError, TypeError):
        try:
            return datetime.fromtimestamp(file.stat().st_mtime)
        except OSError:
            return datetime.min


def _label(file: Path) -> str:
    found = NAME.fullmatch(file.name)
    name = found[2] if found else file.stem.removeprefix("stance-")
    return f"{_made(file):%d %b %Y, %H:%M:%S}" + (f" · {name}" if name else "")


def opened(name: str, paths: Paths, who: Who) -> Study:
    """The study in one of the kept files. Raises StudioError where it is not one of them, another one's, or damaged."""
    if name not in [file.name for file in paths.results.glob("stance-*.json")]:
        raise StudioError("This result is no longer there.", "Choose another one.")
    who.refuse_unseen(paths.results / name)
    try:
        if (paths.results / name).stat().st_size > MAX_BYTES:
            raise ValueError("too large")
        study = Study.from_dict(read_json(paths.results / name))
        if not study.answers or not set(study.columns) <= set(study.collateral):
            raise ValueError("something is missing")
        study.notes.setdefault("computed", f"{_made(paths.results / name):%Y-%m-%d %H:%M}")
    except (OSError, ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError, StudioError) as error:
        raise damaged(name) from error
    return study


def damaged(name: str) -> StudioError:
    """What is said where a file turns out to be no whole study, also later, when it is shown."""
    return StudioError(f"{name} is damaged and can't be shown.", "It was skipped; what is shown stays. Choose another one.")
