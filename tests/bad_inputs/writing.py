"""Short ways to put an input into a folder."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Write = Callable[[Path], Path | str]
POST = "Taxes are too high for most people."
ROW = {"prompt": "Should rents be limited?", "chosen": "Yes, they should be limited.", "rejected": "No, they should be free."}


def raw(name: str, content: bytes) -> Write:
    """A file with these bytes."""

    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def text(name: str, content: str, encoding: str = "utf-8") -> Write:
    """A file with this text."""
    return raw(name, content.encode(encoding))


def value(name: str, content: Any) -> Write:
    """A JSON file."""
    return text(name, json.dumps(content))


def packed(name: str, content: bytes, keep: float = 1.0) -> Write:
    """A gzip file, of which only the first part may be kept."""
    whole = gzip.compress(content, mtime=0)
    return raw(name, whole[: int(len(whole) * keep)])


def parquet(name: str, columns: dict[str, list[Any]] | None = None, mend: Callable[[bytes], bytes] = lambda data: data) -> Write:
    """A Parquet file of these columns (default: 3,000 posts), whose bytes may be spoilt."""

    def write(folder: Path) -> Path:
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.table(columns or {"text": [f"{POST} Number {n}." for n in range(3_000)]})
        pyarrow.parquet.write_table(table, folder / name)
        (folder / name).write_bytes(mend((folder / name).read_bytes()))
        return folder / name

    return write


def folder_of(name: str, **files: str) -> Write:
    """A folder of small files, whose names are given with _ for the dot."""

    def write(folder: Path) -> Path:
        (folder / name).mkdir()
        for file, content in files.items():
            (folder / name / file.replace("_", ".")).write_text(content, encoding="utf-8")
        return folder / name

    return write
