"""From bytes to lines of text: recognized encodings, and what is mended on the way."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipelines.corpus.sources.packed import CHUNK, open_bytes
from pipelines.corpus.sources.source import Notes
from pipelines.errors import StudioError

SURVEY_BYTES = 64 << 20
SURVEY_ERRORS = 200
MAX_LINE = 8_000_000
IN_USE = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp874",
    "koi8_r",
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "cp949",
)
SURROGATES = re.compile("[\ud800-\udfff]+")
MAGIC = {
    b"PK\x03\x04": ("a ZIP archive or an Excel workbook", "Unpack it, or export the sheet as CSV."),
    b"\xd0\xcf\x11\xe0": ("an old Office document", "Export the sheet as CSV."),
    b"PAR1": ("a Parquet file", "Give it the ending .parquet."),
    b"ARROW1": ("an Arrow file", "Save it as Parquet."),
    b"\x1f\x8b": ("packed with gzip", "Unpack it, or add .gz to its name."),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "Unpack it, or add .zst to its name."),
    b"%PDF": ("a PDF document", "Copy its text into a text file, a post a line."),
    b"SQLite format 3": ("an SQLite database", "Export the table as CSV."),
    b"\x89PNG": ("a picture", "Choose a file with text."),
    b"\xff\xd8\xff": ("a picture", "Choose a file with text."),
    b"version https://git-lfs": ("a Git LFS pointer, not the data itself", "Fetch the data with `git lfs pull`."),
    b"<!doctype html": ("a web page", "Download the data itself: the link led to a page about it."),
    b"<html": ("a web page", "Download the data itself: the link led to a page about it."),
}


@dataclass(frozen=True)
class Encoding:
    """A codec's name, how its errors are handled, and whether it is a guess."""

    name: str
    errors: str = "replace"
    guessed: bool = False

    @property
    def label(self) -> str:
        return self.name.removesuffix("-sig")


UTF8 = Encoding("utf-8-sig", "surrogateescape")
MARKS = {
    codecs.BOM_UTF8: UTF8,
    codecs.BOM_UTF32_LE: Encoding("utf-32"),
    codecs.BOM_UTF16_LE: Encoding("utf-16"),
    codecs.BOM_UTF16_BE: Encoding("utf-16"),
}


def recognize_encoding(path: Path, limit: int | None = None) -> Encoding:
    """Looks at byte order marks, then whether the first SURVEY_BYTES are UTF-8, then asks charset-normalizer.

    Raises StudioError where the file is no text.
    """
    with open_bytes(path, limit) as handle:
        start = handle.read(CHUNK)
        refuse_other_formats(path.name, start)
        marked = next((encoding for mark, encoding in MARKS.items() if start.startswith(mark)), None) or _unmarked_utf16(start)
        if marked:
            return marked
        if _controls(start) > 0.1:
            raise _no_text(path.name)
        valid, broken, sample = _survey(start, handle)
    if broken == 0 or valid >= broken:
        return UTF8
    if _controls(sample) > 0.005:
        raise _no_text(path.name)
    return _guess(sample)


def refuse_other_formats(name: str, start: bytes) -> None:
    """Raises StudioError that says what a file really is where its first bytes are those of another format."""
    head = start[:64].removeprefix(codecs.BOM_UTF8).lstrip()
    for magic, (what, hint) in MAGIC.items():
        if start.startswith(magic) or head.lower().startswith(magic):
            raise StudioError(f"{name} is {what}.", hint)


def _no_text(name: str) -> StudioError:
    return StudioError(f"{name} is not text in an encoding that is recognized.", "Save it as UTF-8 and try again.")


def _controls(data: bytes) -> float:
    """Share of bytes that no text has: control characters but tab, line ends and form feed."""
    head = data[: 1 << 16]
    return len(head.translate(None, bytes(set(range(256)) - (set(range(32)) - {9, 10, 12, 13})))) / max(1, len(head))


def _unmarked_utf16(data: bytes) -> Encoding | None:
    """UTF-16 without a mark: in Latin text every other byte is zero."""
    head = data[:4096]
    even, odd = head[::2].count(0) / max(1, len(head[::2])), head[1::2].count(0) / max(1, len(head[1::2]))
    if max(even, odd) > 0.4 and min(even, odd) < 0.05:
        return Encoding("utf-16-le" if odd > even else "utf-16-be", guessed=True)
    return None


def _survey(data: bytes, handle: IO[bytes]) -> tuple[int, int, bytes]:
    """Continuation bytes of valid UTF-8, broken places (at most SURVEY_ERRORS), and a sample around the first of them."""
    valid, broken, seen, sample, rest = 0, 0, 0, b"", b""
    while data and seen < SURVEY_BYTES and broken < SURVEY_ERRORS:
        seen, data = seen + len(data), rest + data
        while broken < SURVEY_ERRORS:
            try:
                text, used = codecs.utf_8_decode(data, "strict", False)
            except UnicodeDecodeError as error:
                sample = sample or data[max(0, error.start - (1 << 14)) : error.start + (1 << 15)]
                valid += error.start - len(data[: error.start].decode())
                broken, data = broken + 1, data[error.end :]
                continue
            valid, rest = valid + used - len(text), data[used:]
            break
        data = handle.read(CHUNK)
    return valid, broken + bool(rest and not data), sample or rest


def _guess(sample: bytes) -> Encoding:
    """charset-normalizer's best guess among encodings in use; Windows-1252, the most widespread, where it fits as well."""
    from charset_normalizer import from_bytes

    matches = from_bytes(sample, cp_isolation=list(IN_USE))
    best, western = matches.best(), next((match for match in matches if match.encoding == "cp1252"), None)
    if best is None or "cp1252" in best.could_be_from_charset:
        return Encoding("cp1252", guessed=True)
    if western and western.chaos <= best.chaos and western.coherence >= best.coherence - 0.05:
        return Encoding("cp1252", guessed=True)
    return Encoding(best.encoding, guessed=True)


def lines(path: Path, encoding: Encoding, notes: Notes, limit: int | None = None, newline: str | None = None) -> Iterator[str]:
    """Physical lines with their ends, mended and counted in `notes`; `newline` as for `open`.

    Raises StudioError naming a line of more than MAX_LINE characters.
    """
    _tell_guess(encoding, notes)
    with io.TextIOWrapper(open_bytes(path, limit), encoding.name, encoding.errors, newline=newline) as handle:
        number = 0
        while line := handle.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE:
                raise StudioError(
                    f"Line {number:,} of {path.name} is longer than {MAX_LINE:,} characters.", "Is it one row a line? Remove the long line."
                )
            yield line if line.isascii() and "\x00" not in line else mend(line, number, encoding, notes)


def whole(path: Path, encoding: Encoding, notes: Notes, limit: int) -> str:
    """The whole text of a file of at most `limit` bytes, mended. Raises StudioError where it is larger."""
    _tell_guess(encoding, notes)
    with io.TextIOWrapper(open_bytes(path, limit), encoding.name, encoding.errors) as handle:
        return mend(handle.read(), 0, encoding, notes)


def mend(text: str, line: int, encoding: Encoding, notes: Notes) -> str:
    """Removes NUL characters and byte order marks at the start, and shows what could not be decoded as “�”."""
    if "\x00" in text:
        notes.add("nul", line, text.count("\x00"))
        text = text.replace("\x00", "")
    if text.startswith("\ufeff"):
        notes.add("mark", line)
        text = text.lstrip("\ufeff")
    if encoding.errors == "replace" and "\ufffd" in text:
        notes.add("broken", line, text.count("\ufffd"))
    return without_surrogates(text, "broken", line, notes)


def without_surrogates(text: str, kind: str, line: int, notes: Notes) -> str:
    """Lone surrogates (escaped broken bytes, or halves of characters in JSON) replaced by “�” and counted as `kind`."""
    if text.isascii():
        return text
    text, count = SURROGATES.subn("\ufffd", text)
    if count:
        notes.add(kind, line, count)
    return text


def _tell_guess(encoding: Encoding, notes: Notes) -> None:
    if encoding.guessed:
        notes.say(f"The encoding was guessed as {encoding.label}; look whether accents and quotation marks are right.")
