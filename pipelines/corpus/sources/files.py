"""Files by their endings: which reader opens what, and how large a file may be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pipelines.corpus.sources import decoding, delimited, objects, parquet
from pipelines.corpus.sources.decoding import Encoding
from pipelines.corpus.sources.packed import PACKED, megabytes
from pipelines.corpus.sources.source import Notes, Reader, Record, Source
from pipelines.errors import StudioError

TextReader = Callable[[Path, Encoding, Notes, int | None], Iterator[Record]]
READERS: dict[str, TextReader] = {
    ".csv": delimited.table,
    ".tsv": partial(delimited.table, delimiter="\t"),
    ".json": objects.json_document,
    ".jsonl": objects.json_lines,
    ".ndjson": objects.json_lines,
    ".txt": delimited.plain,
}


def open_file(path: Path, reference: str, max_bytes: int | None, batch_rows: int) -> Source:
    """Opens a file of at most `max_bytes` (packed and unpacked; None: any size).

    Raises StudioError where it is empty, too large, of another kind than its name says, or damaged.
    """
    before = path.stat()
    if before.st_size == 0:
        raise StudioError(f"{path.name} is empty.", "Choose a file with at least one row.")
    if max_bytes is not None and before.st_size > max_bytes:
        raise StudioError(
            f"{path.name} is {megabytes(before.st_size)}; at most {megabytes(max_bytes)} can be opened here.",
            "Use a part of it, or the path of the file on your own machine or the command line.",
        )
    ending = _ending(path)
    total: int | None = None
    if ending == ".parquet":
        total, encoding = parquet.count(path), ""
        read: Reader = partial(parquet.rows, path)
    else:
        encoding, read = _text(path, ending, max_bytes)
    return Source(path.name, _unchanged(path, before, read), reference, encoding, total, before.st_size, batch_rows, max_bytes)


def _ending(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    ending = suffixes[0] if len(suffixes) == 2 and suffixes[1] in PACKED else (suffixes or [""])[-1]
    packed = bool(suffixes) and suffixes[-1] in PACKED
    if ending in READERS or (ending == ".parquet" and not packed):
        return ending
    known = ", ".join([*READERS, ".parquet"])
    raise StudioError(
        f"{path.name}: files of the kind “{path.suffix or 'no ending'}” can't be opened.",
        f"Use one of {known}; text may be packed as .gz or .zst.",
    )


def _text(path: Path, ending: str, limit: int | None) -> tuple[str, Reader]:
    encoding = decoding.recognize_encoding(path, limit)
    reader = READERS[ending]
    if ending == ".json" and objects.is_json_lines(path, encoding, limit):
        reader = objects.json_lines
    return encoding.label, lambda notes: reader(path, encoding, notes, limit)


def _unchanged(path: Path, before: os.stat_result, read: Reader) -> Reader:
    """Refuses to go on with a file that is no longer the one that was looked at."""

    def checked(notes: Notes) -> Iterator[Record]:
        now = path.stat()
        if (now.st_size, now.st_mtime_ns, now.st_ino) != (before.st_size, before.st_mtime_ns, before.st_ino):
            raise StudioError(f"{path.name} has changed since it was opened.", "Open it again.")
        yield from read(notes)

    return checked
