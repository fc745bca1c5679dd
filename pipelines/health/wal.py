"""What stands in a write-ahead log of SQLite and has not reached its database yet."""

from __future__ import annotations

import struct
from pathlib import Path

HEAD, FRAME = 32, 24
ORDERS = {0x377F0682: "<", 0x377F0683: ">"}  # of the bytes that sums are made of, by the log's first number


def newest_pages(log: Path, size: int) -> dict[int, bytes]:
    """The newest committed pages by number; none where there is no log, it is damaged from the start, or its pages have another size.

    As SQLite does, everything from the first damaged frame on counts for nothing.
    """
    try:
        data = log.read_bytes()
    except FileNotFoundError:
        return {}
    if len(data) < HEAD:
        return {}
    magic, _, told, _ = struct.unpack(">4I", data[:16])
    order = ORDERS.get(magic)
    if order is None or told != size or (sums := _added(data[:24], order, (0, 0))) != struct.unpack(">2I", data[24:HEAD]):
        return {}
    committed: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    for start in range(HEAD, len(data) - FRAME - size + 1, FRAME + size):
        page = data[start + FRAME : start + FRAME + size]
        number, commits = struct.unpack(">2I", data[start : start + 8])
        sums = _added(page, order, _added(data[start : start + 8], order, sums))
        if data[start + 8 : start + 16] != data[16:24] or sums != struct.unpack(">2I", data[start + 16 : start + FRAME]) or not number:
            break
        waiting[number] = page
        if commits:
            committed |= waiting
            waiting = {}
    return committed


def _added(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    """The log's running sums with these bytes added."""
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for place in range(0, len(words), 2):
        first = (first + words[place] + second) & 0xFFFFFFFF
        second = (second + words[place + 1] + first) & 0xFFFFFFFF
    return first, second
