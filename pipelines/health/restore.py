"""Puts a backup into a folder that holds nothing: judged as a whole first, then unpacked beside it, then renamed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import struct
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import StudioError
from pipelines.health.parcel import MANIFEST, MOST_FILES, MOST_MANIFEST, NOTHING, Manifest, Packed, is_bomb, is_fit
from pipelines.models.header import shown

PIECE = 1 << 20
SPARE = 100 << 20  # bytes that stay free
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, KeyError, struct.error, OverflowError)
PRIVATE = ".sqlite"  # ballots are no other user's business


def restore(file: Path, target: Path) -> Manifest:
    """Makes `target` the STUDIO_HOME that was backed up. What the trainer needs to go on are pickles: restore your own backups only.

    Raises StudioError where the target holds anything, and where the file is no whole backup; nothing is left of it then.
    """
    target = target.absolute()
    _refuse_full(target)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with _opened(file) as archive:
            manifest = inspected(archive, file.stat().st_size)
            temporary.parent.mkdir(parents=True, exist_ok=True)
            _refuse_no_room(manifest, temporary.parent)
            temporary.mkdir()
            for name, packed in manifest.files.items():
                _unpack(archive, name, packed, temporary / name)
        _take_place(temporary, target)
    except OSError as error:
        raise StudioError(
            f"The backup can't be restored ({error.strerror or error}).", "Look at the room on the disk and the rights."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return manifest


def _refuse_full(target: Path) -> None:
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise StudioError(f"{target} holds things already.", "Nothing was changed: restore into a new or empty folder (--into FOLDER).")


def _take_place(temporary: Path, target: Path) -> None:
    try:
        if target.exists():
            target.rmdir()
        temporary.rename(target)
    except OSError as error:
        raise StudioError(
            f"{target} can't be replaced ({error.strerror or error}).", "Something came into it, or it is a mount: give a new folder in it."
        ) from error


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    """A zip file; whatever is wrong with it becomes a sentence."""
    if not file.is_file():
        raise StudioError(f"There is no file {file}.", "Give the zip file that `python -m pipelines backup` wrote.")
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except DAMAGE as error:
        raise StudioError(f"{file.name} is no whole backup ({shown(error)}).", NOTHING) from error


def inspected(archive: zipfile.ZipFile, packed_bytes: int) -> Manifest:
    """The manifest, once every name, kind and size was judged. Raises StudioError or one of DAMAGE."""
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise StudioError(f"The backup holds more than {MOST_FILES:,} files.", NOTHING)
    for entry in entries:
        _refuse_entry(entry)
    named = {entry.filename: entry for entry in entries}
    if len(named) < len(entries):
        raise StudioError("Two files of the backup have the same name.", NOTHING)
    if MANIFEST not in named:
        raise StudioError(f"This zip file holds no {MANIFEST}, so it is no backup of a studio.", NOTHING)
    if named[MANIFEST].file_size > MOST_MANIFEST:
        raise StudioError(f"{MANIFEST} of this backup is too large.", NOTHING)
    if is_bomb(sum(entry.file_size for entry in entries), packed_bytes):
        raise StudioError("This zip file unpacks to more than a hundred times its size: an archive bomb.", NOTHING)
    try:
        with archive.open(MANIFEST) as told:
            manifest = Manifest.from_dict(json.loads(told.read(MOST_MANIFEST).decode("utf-8")))
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise StudioError(f"{MANIFEST} of this backup is damaged.", NOTHING) from error
    for name, one in manifest.files.items():
        if name not in named or named[name].file_size != one.size:
            raise StudioError(f"{shown(name)} is missing in the backup, or has another size than it should.", NOTHING)
    return manifest


def _refuse_entry(entry: zipfile.ZipInfo) -> None:
    if entry.orig_filename != MANIFEST and not is_fit(entry.orig_filename):
        raise StudioError(
            f"The backup holds a name that could lead out of the folder or has no place in it ({shown(entry.orig_filename)}).", NOTHING
        )
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        raise StudioError(f"The backup holds a link or something else that is no file ({shown(entry.filename)}).", NOTHING)
    if entry.flag_bits & 0x2041 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise StudioError(f"{shown(entry.filename)} in the backup is packed in a way that no studio does.", NOTHING)


def _refuse_no_room(manifest: Manifest, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if manifest.bytes + SPARE > free:
        needed = f"{manifest.bytes / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free"
        raise StudioError(f"There is not enough room on the disk ({needed}).", "Nothing was restored; make room, or give another folder.")


def _unpack(archive: zipfile.ZipFile, name: str, packed: Packed, target: Path) -> None:
    """Writes one file. Raises StudioError where it is larger than it says or its sum is another one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), packed.size
    handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if target.suffix == PRIVATE else 0o666)
    with archive.open(name) as source, os.fdopen(handle, "wb") as sink:
        while piece := source.read(PIECE):
            left -= len(piece)
            if left < 0:
                break
            digest.update(piece)
            sink.write(piece)
    if left or digest.hexdigest() != packed.sha256:
        raise StudioError(f"{shown(name)} in the backup is damaged.", NOTHING)
    os.utime(target, (packed.changed, packed.changed))
