"""The databases (ballots with codes and games; replies of endpoints), whose each review is, and the review that is being asked."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from pipelines.classroom.classes import SCHEMA as CLASSES
from pipelines.endpoints import replies as reply_store
from pipelines.errors import StudioError
from pipelines.health.answers import batch
from pipelines.health.finding import DAMAGE, Finding, Quarantine, folders, said, to_quarantine, whole
from pipelines.health.salvage import Salvaged, salvage
from pipelines.paths import Paths, read_json
from pipelines.review import guesses, predictions, sheets, store
from pipelines.review.ballots import SCHEMA, Box
from pipelines.review.design import Design
from pipelines.review.intervals import counted
from pipelines.review.played import SCHEMA as GAMES

OWNERS, ASKING, JOB = "owners.json", "asking", "job.json"
EVERYTHING = SCHEMA + sheets.SCHEMA + GAMES + guesses.SCHEMA + predictions.SCHEMA + CLASSES
BESIDE = ("-wal", "-shm", "-journal")
UNHARMED = ("locked", "busy", "readonly")  # others write just now, or this user may not: see the rights


def ballots(paths: Paths) -> Iterator[Finding]:
    """The file as SQLite sees it, and then each review as the studio does."""
    file = paths.reviews / store.FILE
    yield (first := _database(file, "ballots", EVERYTHING, "ballots"))
    if first.ok and file.is_file():
        yield from _protocols(paths)


def replies(paths: Paths) -> Iterator[Finding]:
    yield _database(paths.replies / reply_store.FILE, "replies of endpoints", "", "replies")


def _database(file: Path, what: str, schema: str, of: str) -> Finding:
    if not file.exists():
        if strays := _beside(file):
            return to_quarantine(what, f"{strays[0].name} lies there without its database", strays)
        return whole(what, "none yet")
    if not file.is_file():
        return to_quarantine(what, f"{file.name} is no file", [file, *_beside(file)])
    complaint, count = _complaint(file, of)
    if not complaint:
        log = file.with_name(f"{file.name}-wal")
        waiting = f"; {log.stat().st_size:,} bytes in its log" if log.is_file() and log.stat().st_size else ""
        return whole(what, f"{file.name} is sound, {counted(count, 'row')} of {of}{waiting}")
    mend = "moves it into quarantine and saves every row that can still be read into a new one"
    return Finding(what, False, f"{file.name} is damaged: {complaint}", mend, partial(_save_rows, file, what, schema, complaint))


def _complaint(file: Path, of: str) -> tuple[str, int]:
    """What SQLite finds wrong ("" for nothing, also where somebody writes just now), and how many rows a table has."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=store.WAIT)) as opened:
            said = str(opened.execute("PRAGMA integrity_check(1)").fetchone()[0])
            there = opened.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (of,)).fetchone()[0]
            return ("" if said == "ok" else said), int(opened.execute(f"SELECT count(*) FROM {of}").fetchone()[0]) if there else 0
    except sqlite3.Error as error:
        return ("" if any(word in str(error).lower() for word in UNHARMED) else str(error)), 0


def _beside(file: Path) -> list[Path]:
    return [one for end in BESIDE if (one := file.with_name(file.name + end)).exists()]


def _protocols(paths: Paths) -> Iterator[Finding]:
    """Reviews whose frozen protocol is another one than its hash says can only be put back from a backup."""
    box = Box(paths.reviews)
    try:
        with box.store.reading() as opened:
            games = opened.execute("SELECT count(*) FROM sqlite_master WHERE name = 'games'").fetchone()[0]
            query = "SELECT review_id FROM reviews" + (" WHERE review_id NOT IN (SELECT review_id FROM games)" if games else "")
            known = [review_id for (review_id,) in opened.execute(query)]
        for review_id in known:
            try:
                box.review(review_id)
            except StudioError as error:
                yield Finding(f"review {review_id}", False, f"{said(error)} Its ballots are kept; only a backup has its protocol.")
    finally:
        box.store.close()


def _save_rows(file: Path, what: str, schema: str, complaint: str, quarantine: Quarantine) -> str:
    """Saves first, then moves: until the new file takes its place the old one lies where it was."""
    if users := _users(file):
        raise StudioError(f"{file.name} is open in {', '.join(users)}.", "End the studio, then call the doctor again.")
    temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        saved = salvage(file, temporary, schema)
        _settle(temporary)
        for one in (file, *_beside(file)):
            lies = quarantine.take(one, complaint)
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
    where = quarantine.called(lies.parent)
    return f"{what}: {_counts(saved)} The damaged file lies in {where}; delete it when the time of what is in it is over."


def _settle(made: Path) -> None:
    """Raises StudioError where the new file is not sound itself; else it is on the disk."""
    if complaint := _complaint(made, "sqlite_master")[0]:
        raise StudioError(f"The rows could not be saved ({complaint}).", "Nothing was changed; is the disk full?")
    with made.open("rb+") as handle:
        os.fsync(handle.fileno())


def _counts(saved: Salvaged) -> str:
    kept = ", ".join(f"{table} {number:,}" for table, number in saved.saved.most_common() if number)
    lost = ", ".join(f"about {number:,} of {table}" for table, number in saved.lost.most_common() if number)
    shape = " Its table of contents was lost, so rows were told by their shape." if saved.by_shape else ""
    return f"rows saved: {kept or 'none'}; rows that could not be read: {lost or 'none that is known of'}.{shape}"


def _users(file: Path) -> list[str]:
    """Other processes that have the file open for writing, where this user may see them."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and any(_writes(one, file) for one in process.open_files()):
                found.append(f"{process.name()} (process {process.pid})")
    return found


def _writes(opened: object, file: Path) -> bool:
    mode = getattr(opened, "mode", "r+")  # told on Linux only
    return getattr(opened, "path", "") == str(file.resolve()) and mode != "r"


def owners(paths: Paths) -> Iterator[Finding]:
    what, file = "owners of reviews", paths.reviews / OWNERS
    if not file.is_file():
        yield whole(what, "none noted")
        return
    try:
        known = read_json(file)
        if not isinstance(known, dict) or not all(isinstance(one, str) for one in known.values()):
            raise ValueError("no list of owners")
    except DAMAGE as error:
        then = "Reviews so far can then be changed only on the computer on which the studio runs."
        yield to_quarantine(what, f"{OWNERS}: {said(error)}", [file], then)
    else:
        yield whole(what, f"{len(known)} noted")


def being_asked(paths: Paths) -> Iterator[Finding]:
    """The one review that is not frozen yet, with its batches."""
    folder = paths.reviews / ASKING
    if not folder.is_dir():
        return
    what = "review that is not frozen yet"
    try:
        value = read_json(folder / JOB)
        Design.from_dict(value["design"])
        for name in ("mark", "own", "second"):
            value[name]
    except DAMAGE as error:
        yield to_quarantine(what, said(error), [folder], "Set it up again.")
        return
    for one in folders(Paths(folder).batches):
        yield from batch(one, f"{what}, batch {one.name}")
