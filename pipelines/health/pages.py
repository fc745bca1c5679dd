"""Reads the rows of a SQLite file page by page, past those that are damaged: SQLite itself stops at the first one.

Follows the published file format. Nothing is written, and a page that makes no sense costs its own rows only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.health.wal import newest_pages

MAGIC = b"SQLite format 3\0"
USUAL_SIZE, HEADER = 4096, 100
INNER_INDEX, INNER_TABLE, LEAF_INDEX, LEAF_TABLE = 2, 5, 10, 13
INNER, INDEX = (INNER_INDEX, INNER_TABLE), (INNER_INDEX, LEAF_INDEX)
NUMBERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # bytes of an integer by its type
DAMAGE = (IndexError, ValueError, struct.error)  # also UnicodeDecodeError

Record = tuple[Any, ...]


@dataclass
class Read:
    """What a table gave: (row number, values in the order of storage), how many rows of pages that still tell could not be read,
    and how many pages not at all."""

    records: list[tuple[int, Record]] = field(default_factory=list)
    unread: int = 0
    pages: int = 0

    @property
    def lost(self) -> int:
        """About how many rows are gone: a page that can't be read counts as many as the others hold on average."""
        return self.unread + self.pages * max(1, round(len(self.records) / max(1, self._good)))

    _good: int = 0

    def count_page(self) -> None:
        self._good += 1


class Pages:
    """A database with what its write-ahead log adds, in memory."""

    def __init__(self, file: Path) -> None:
        self.data = bytearray(file.read_bytes())
        whole = self.data.startswith(MAGIC)
        told = int.from_bytes(self.data[16:18], "big") if whole else USUAL_SIZE
        self.size = {1: 65536}.get(told, told) if told in (1, *(1 << n for n in range(9, 16))) else USUAL_SIZE
        self.usable = self.size - (self.data[20] if whole and self.data[20] <= self.size - 480 else 0)
        for number, page in newest_pages(file.with_name(f"{file.name}-wal"), self.size).items():
            end = number * self.size
            self.data.extend(bytes(max(0, end - len(self.data))))
            self.data[end - self.size : end] = page
        self.count = len(self.data) // self.size

    def table(self, root: int) -> Read:
        """All rows of the table or index that begins at a page."""
        found, waiting, seen = Read(), [root], set[int]()
        while waiting:
            number = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            if not 1 <= number <= self.count:
                found.pages += 1
                continue
            try:
                waiting += self._page(number, found)
            except DAMAGE:
                found.pages += 1
        return found

    def every_index_page(self) -> Iterator[Read]:
        """Each page that looks like a part of an index or of a table without row numbers: for a file that lost its table of contents."""
        for number in range(1, self.count + 1):
            if self.data[(number - 1) * self.size + (HEADER if number == 1 else 0)] in INDEX:
                found = Read()
                try:
                    self._page(number, found)
                except DAMAGE:
                    continue
                yield found

    def _page(self, number: int, found: Read) -> list[int]:
        """Adds a page's rows, and returns the pages below it. Raises one of DAMAGE where it is no page of a table."""
        start = (number - 1) * self.size
        head = start + (HEADER if number == 1 else 0)
        kind, cells = self.data[head], int.from_bytes(self.data[head + 3 : head + 5], "big")
        first = head + (12 if kind in INNER else 8)
        if kind not in (*INNER, *INDEX, LEAF_TABLE) or first + 2 * cells > start + self.size:
            raise ValueError("no page of a table")
        below = [int.from_bytes(self.data[head + 8 : head + 12], "big")] if kind in INNER else []
        for place in range(cells):
            at = start + int.from_bytes(self.data[first + 2 * place : first + 2 * place + 2], "big")
            if kind in INNER:
                below.append(int.from_bytes(self.data[at : at + 4], "big"))
                at += 4
            if kind != INNER_TABLE:
                try:
                    found.records.append(self._cell(at, kind))
                except DAMAGE:
                    found.unread += 1
        found.count_page()
        return below

    def _cell(self, at: int, kind: int) -> tuple[int, Record]:
        length, at = self._varint(at)
        row, at = self._varint(at) if kind == LEAF_TABLE else (0, at)
        return row, decoded(self._payload(length, at, kind))

    def _payload(self, length: int, at: int, kind: int) -> bytes:
        """The bytes of a row, whose end may stand on pages of its own."""
        if length > len(self.data):
            raise ValueError("longer than the file")
        least = (self.usable - 12) * 32 // 255 - 23
        most = self.usable - 35 if kind == LEAF_TABLE else (self.usable - 12) * 64 // 255 - 23
        here = least + (length - least) % (self.usable - 4)
        here = length if length <= most else here if here <= most else least
        made = bytes(self.data[at : at + here])
        further = int.from_bytes(self.data[at + here : at + here + 4], "big") if here < length else 0
        while len(made) < length:
            if not 1 <= further <= self.count:
                raise ValueError("its end is missing")
            start = (further - 1) * self.size
            made += self.data[start + 4 : start + min(self.usable, 4 + length - len(made))]
            further = int.from_bytes(self.data[start : start + 4], "big")
        return made

    def _varint(self, at: int) -> tuple[int, int]:
        return varint(self.data, at)


def varint(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where the next thing stands."""
    value = 0
    for place in range(8):
        byte = data[at + place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    value = value << 8 | data[at + 8]
    return value - (1 << 64) if value >> 63 else value, at + 9


def decoded(payload: bytes) -> Record:
    """The values of a row. Raises one of DAMAGE where the bytes are none: every length must fit, and every text be UTF-8."""
    end, at = varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = varint(payload, at)
        kinds.append(kind)
    values, here = [], end
    for kind in kinds:
        value, here = _value(payload, kind, here)
        values.append(value)
    if here != len(payload) or at != end:
        raise ValueError("lengths that do not fit")
    return tuple(values)


def _value(payload: bytes, kind: int, at: int) -> tuple[Any, int]:
    if kind in (0, 8, 9):
        return (None if kind == 0 else kind - 8), at
    if kind in NUMBERS:
        return int.from_bytes(payload[at : at + NUMBERS[kind]], "big", signed=True), at + NUMBERS[kind]
    if kind == 7:
        return struct.unpack(">d", payload[at : at + 8])[0], at + 8
    if kind < 12:
        raise ValueError("no kind of value")
    length = (kind - 12) // 2
    piece = payload[at : at + length]
    return (piece.decode("utf-8") if kind % 2 else piece), at + length
