"""Tables and plain text: CSV, TSV with a guessed delimiter, and text files with a post a line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from pipelines.corpus.sources import decoding
from pipelines.corpus.sources.decoding import Encoding
from pipelines.corpus.sources.source import Notes, Record
from pipelines.errors import StudioError

MAX_CELL = 2_000_000
MAX_COLUMNS = 1_000
LONG_NAME = 100
DELIMITERS = (",", ";", "\t", "|")
ONE_COLUMN = "\x1f"
SAMPLE_LINES = 50


def table(path: Path, encoding: Encoding, notes: Notes, limit: int | None = None, delimiter: str = "") -> Iterator[Record]:
    """Rows of a CSV file as dicts; ragged rows are mended and counted. The first row that is not empty is the header.

    Raises StudioError where a quotation mark is never closed, or there are too many columns or characters in a cell.
    """
    csv.field_size_limit(MAX_CELL)
    delimiter = delimiter or guess_delimiter(list(islice(decoding.lines(path, encoding, Notes(), limit, ""), SAMPLE_LINES)))
    reader = _Rows(decoding.lines(path, encoding, notes, limit, ""), delimiter, path.name)
    names: list[str] = []
    header: list[str] = []
    for cells in reader:
        if not names:
            header, names = cells, column_names(cells, path.name, notes)
        elif cells == header:
            notes.add("header", reader.first_line)
        else:
            yield _record(names, cells, reader.first_line, notes)


def _record(names: list[str], cells: list[str], line: int, notes: Notes) -> Record:
    if len(cells) > len(names):
        notes.add("long", line)
    elif len(cells) < len(names):
        notes.add("short", line)
        cells = cells + [""] * (len(names) - len(cells))
    return dict(zip(names, cells, strict=False))


def column_names(cells: list[str], file: str, notes: Notes) -> list[str]:
    """The header's cells as unique names: empty ones become column_N, repeated ones get a number; both are noted.

    Raises StudioError where there are more than MAX_COLUMNS.
    """
    if len(cells) > MAX_COLUMNS:
        raise StudioError(
            f"{file} has {len(cells):,} columns; at most {MAX_COLUMNS:,} can be opened.", "Keep the columns with texts, ids and topics."
        )
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        wanted = name = " ".join(cell.replace("\ufeff", "").split()) or f"column_{number}"
        if wanted in names:
            name = next(f"{wanted}_{n}" for n in range(2, len(cells) + 2) if f"{wanted}_{n}" not in names + cells)
            notes.say(f"The column “{wanted}” appears more than once; column {number} is called “{name}” here.")
        names.append(name)
    if max(map(len, names)) > LONG_NAME:
        notes.say("The first line was taken as the column names, but looks like content; if it is, put a line of names on top.")
    return names


class _Rows:
    """csv.reader over lines, without empty rows; `first_line` is where the row began (from 1)."""

    def __init__(self, lines: Iterable[str], delimiter: str, name: str) -> None:
        self.lines, self.delimiter, self.name = lines, delimiter, name
        self.first_line = self.next_line = 1
        self.current: list[str] = []

    def __iter__(self) -> Iterator[list[str]]:
        reader = csv.reader(self._watched(), delimiter=self.delimiter)
        last: list[str] = []
        try:
            for cells in reader:
                self.first_line, self.next_line = self.next_line, reader.line_num + 1
                if any(cell.strip() for cell in cells):
                    yield cells
                last, self.current = self.current, []
        except csv.Error as error:
            self.first_line = self.next_line
            raise self._refusal(str(error)) from error
        self._refuse_open_quote(last)

    def _watched(self) -> Iterator[str]:
        """Keeps the lines of the row in hand."""
        for line in self.lines:
            self.current.append(line)
            yield line

    def _refuse_open_quote(self, last: list[str]) -> None:
        """The reader silently closes a quotation mark that is open where the file ends; its strict mode does not."""
        try:
            list(csv.reader(last, delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            if str(error) == "unexpected end of data":
                raise self._refusal("a quotation mark is never closed") from error

    def _refusal(self, reason: str) -> StudioError:
        if "field limit" in reason:
            reason = f"a cell has more than {MAX_CELL:,} characters; perhaps a quotation mark is never closed"
        return StudioError(
            f"The row in line {self.first_line:,} of {self.name} can't be read ({reason}).",
            "Close or double the quotation mark in that line.",
        )


def guess_delimiter(lines: list[str]) -> str:
    """The delimiter of the header that also gives most of the first rows as many cells as the header.

    A header without any delimiter means one column, in which commas are text.
    """
    text = [line for line in lines if line.strip()]
    found = [one for one in DELIMITERS if text and one in text[0]]
    if not found:
        return ONE_COLUMN
    return max(found, key=lambda one: _fit(text, one))


def _fit(lines: list[str], delimiter: str) -> tuple[float, int]:
    try:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter) if cells]
    except csv.Error:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


def plain(path: Path, encoding: Encoding, notes: Notes, limit: int | None = None) -> Iterator[Record]:
    """A post a line; empty lines are left out."""
    for line in decoding.lines(path, encoding, notes, limit):
        if line.strip():
            yield {"text": line.strip("\r\n")}
