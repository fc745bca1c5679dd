"""One zip file with all that a studio can't make again, also while it runs.

Databases are copied by SQLite's own backup, so they are of one moment. Of a run that is training its finished checkpoints come along, with
what the trainer needs to go on from them. Left out: models and other things that are made again, locks, and what is half written.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tempfile
import time
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.errors import StudioError
from pipelines.health.parcel import KEPT, MADE_AGAIN, MANIFEST, Manifest, Packed, is_bomb, is_fit
from pipelines.paths import Paths
from pipelines.review import store
from pipelines.tuning.run import RESERVE, USABLE, Run
from pipelines.tuning.training.journal import COMPLETE

PIECE = 1 << 20
DATABASE, BESIDE_IT = ".sqlite", (".sqlite-wal", ".sqlite-shm", ".sqlite-journal")
PASSING = (RESERVE, "stop")
GROWING = ("progress.jsonl", "answers.jsonl")  # their last line may be half written
FIRST = ("asking", store.FILE, "state.json", "draft.json", "job.json")  # what others refer to, or what says how far things are
PRESSED = (".safetensors", ".parquet", ".zip", ".gz", ".pt", ".png")
CHANGED = "it changed while it was copied; back up once more"


@dataclass(frozen=True)
class Made:
    """A finished backup."""

    file: Path
    manifest: Manifest


def back_up(paths: Paths, target: Path | None = None) -> Made:
    """Writes a backup that only its owner can read; without a `target` into the current folder, named by the time.

    Raises StudioError where there is nothing to back up, the target exists or lies among what is backed up, a database is damaged, or the
    disk can't take it; nothing is left then.
    """
    target = (target or Path(f"politune-backup-{datetime.now():%Y%m%d-%H%M%S}.zip")).absolute()
    _refuse(paths, target)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        for presses in (True, False):
            manifest = _written(paths, temporary, presses)
            if not is_bomb(_unpacked(temporary), temporary.stat().st_size):
                break
        os.replace(temporary, target)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise StudioError(f"The backup can't be written ({reason}).", "Look at the room on the disk and the rights there.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return Made(target, manifest)


def _unpacked(file: Path) -> int:
    with zipfile.ZipFile(file) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _refuse(paths: Paths, target: Path) -> None:
    if not any((paths.root / name).is_dir() for name in KEPT):
        raise StudioError(f"There is nothing to back up in {paths.root}.", "Is STUDIO_HOME the studio's folder?")
    if target.exists() or not target.parent.is_dir():
        raise StudioError(f"{target} exists already, or its folder does not.", "Give another name: nothing is overwritten.")
    if any(target.resolve().is_relative_to((paths.root / name).resolve()) for name in KEPT):
        raise StudioError("The backup would lie among what it holds.", "Give a place outside of the studio's folder.")


def _written(paths: Paths, file: Path, presses: bool) -> Manifest:
    handle = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as sink, tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as aside:
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED if presses else zipfile.ZIP_STORED) as archive:
            packing = _Packing(paths.root, archive, Path(aside))
            for name in KEPT:
                packing.add_shelf(paths.root / name)
            packing.note_strangers()
            archive.writestr(_entry(MANIFEST, time.time()), json.dumps(packing.manifest.as_dict(), ensure_ascii=False, indent=0))
        sink.flush()
        os.fsync(sink.fileno())
    return packing.manifest


class _Packing:
    """Only what the manifest names counts as packed: a thing that went away in the middle stands in the zip file, but not in there."""

    def __init__(self, root: Path, archive: zipfile.ZipFile, aside: Path) -> None:
        self.root, self._archive, self._aside = root, archive, aside
        self.manifest = Manifest()

    def add_shelf(self, shelf: Path) -> None:
        """All of one of the kept folders; each folder in it is whole, or left out by name."""
        if not shelf.is_dir():
            return
        for one in _sorted(shelf.iterdir()):
            if _is_passing(one):
                continue
            if one.is_dir() and not one.is_symlink():
                self._add_folder(one)
            else:
                self._add_all([one])

    def note_strangers(self) -> None:
        """Names what else lies in STUDIO_HOME, so that nobody thinks it came along."""
        known = (*KEPT, *MADE_AGAIN)
        strangers = sorted(one.name for one in self.root.iterdir() if one.name not in known and not one.name.startswith("."))
        self.manifest.left_out += [f"{name}: it is not the studio's" for name in strangers]
        for marker in sorted((self.root / "runs").glob("*.elsewhere")):
            self.manifest.left_out.append(f"runs/{marker.stem}: its folder lies elsewhere")

    def _add_folder(self, folder: Path) -> None:
        before, so_far = _mark(folder), dict(self.manifest.files)
        for unit in _units(folder):
            self._add_all(unit)
        if _mark(folder) != before:
            self.manifest.files = so_far
            self._leave_out(folder, CHANGED)

    def _add_all(self, files: list[Path]) -> None:
        """All of these files or none."""
        found = {}
        for file in files:
            name = file.relative_to(self.root).as_posix()
            if _is_passing(file):
                continue
            if file.is_symlink() or not is_fit(name):
                self._leave_out(file, "links and odd names do not come along")
                continue
            try:
                found[name] = self._add_database(file, name) if file.suffix == DATABASE else self._add(file, name)
            except FileNotFoundError:
                self._leave_out(file.parent if len(files) > 1 else file, CHANGED)
                return
        self.manifest.files |= found

    def _leave_out(self, thing: Path, reason: str) -> None:
        self.manifest.left_out.append(f"{thing.relative_to(self.root).as_posix()}: {reason}")

    def _add(self, file: Path, name: str) -> Packed:
        """As many bytes as it has now, however it grows meanwhile."""
        digest = hashlib.sha256()
        with file.open("rb") as source:
            told = os.fstat(source.fileno())
            left = _last_line(file) if file.name in GROWING else told.st_size
            size, entry = left, _entry(name, told.st_mtime)
            entry.compress_type = zipfile.ZIP_STORED if file.suffix in PRESSED else self._archive.compression
            entry.file_size = size
            with self._archive.open(entry, "w") as sink:
                while piece := source.read(min(PIECE, left)):
                    left -= len(piece)
                    digest.update(piece)
                    sink.write(piece)
        return Packed(size - left, digest.hexdigest(), told.st_mtime)

    def _add_database(self, file: Path, name: str) -> Packed:
        """A copy of one moment. Raises StudioError where the database is damaged: a backup must be one."""
        copy = self._aside / file.name
        if not file.exists():
            raise FileNotFoundError(file)
        try:
            with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=store.WAIT)) as source:
                copy.touch(mode=0o600)
                with closing(sqlite3.connect(copy)) as made:
                    source.backup(made)
                    said = str(made.execute("PRAGMA integrity_check(1)").fetchone()[0])
        except sqlite3.OperationalError:  # no room, no rights, or locked: nothing is wrong with the database
            raise
        except sqlite3.DatabaseError as error:
            said = str(error)
        if said != "ok":
            raise StudioError(f"{name} is damaged ({said}).", "Call `python -m pipelines doctor --repair` first, then back up.")
        os.utime(copy, (file.stat().st_mtime, file.stat().st_mtime))
        packed = self._add(copy, name)
        copy.unlink()
        return packed


def _units(folder: Path) -> Iterator[list[Path]]:
    """The files of a folder in the parts that must be whole: in a run each adapter and checkpoint is one, elsewhere all are."""
    inner = [folder / "adapter", *_sorted((folder / "checkpoints").glob("*"))] if folder.parent.name == "runs" else []
    apart = [*inner, folder / "resume"] if inner else []
    if folder.parent.name in ("measured", "reviews") and folder.name != "asking":
        yield from ([file] for file in _files(folder, []))
        return
    yield _files(folder, apart)
    for one in inner:
        yield _files(one, [])
    if inner and Run(folder).state not in USABLE:
        yield from (
            _files(one, []) for one in _sorted((folder / "resume").glob("*/checkpoint-*"), newest=True) if (one / COMPLETE).is_file()
        )


def _files(folder: Path, apart: Iterable[Path]) -> list[Path]:
    """All files in a folder, the telling ones first, without those in folders that are set apart. Raises OSError where one can't be read."""
    found: list[Path] = []
    for here, inner, names in os.walk(folder, onerror=_refuse_closed):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and Path(here) / name not in apart)
        links = [name for name in inner if (Path(here) / name).is_symlink()]
        found += _sorted(Path(here) / name for name in (*names, *links))
    return found


def _refuse_closed(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _sorted(things: Iterable[Path], newest: bool = False) -> list[Path]:
    order = {name: place for place, name in enumerate(FIRST)}
    return sorted(things, key=lambda one: (order.get(one.name, len(order)), one.name), reverse=newest)


def _is_passing(file: Path) -> bool:
    """Whether it means nothing once the process that wrote it is gone."""
    return file.name.startswith(".") or file.name.endswith((".lock", *BESIDE_IT)) or file.name in PASSING


def _mark(folder: Path) -> tuple[int, int] | None:
    try:
        told = folder.stat()
    except FileNotFoundError:
        return None
    return told.st_dev, told.st_ino


def _last_line(file: Path) -> int:
    """Where the last whole line ends."""
    return file.read_bytes().rfind(b"\n") + 1


def _entry(name: str, changed: float) -> zipfile.ZipInfo:
    moment = max(time.localtime(changed)[:6], (1980, 1, 1, 0, 0, 0))
    entry = zipfile.ZipInfo(name, moment)
    entry.external_attr = 0o100600 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
