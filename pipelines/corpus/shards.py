"""Rows on disk: Parquet files of a few thousand rows, so that a million posts never lie in memory at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError

Row = dict[str, Any]
SHARD_ROWS = 4_000
NUMBERS = frozenset({"economic", "social", "quality", "topic_similarity", "score"})
FLAGS = frozenset({"star"})
VECTOR = "vector"


class Shards:
    """The files `<prefix>-00000.parquet`, ... of a folder, in order. Reading is lazy, a file at a time."""

    def __init__(self, folder: Path, prefix: str = "kept") -> None:
        self.folder, self.prefix = folder, prefix

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self.prefix}-*.parquet"))

    def __len__(self) -> int:
        return sum(map(_count, self.files))

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[list[Row]]:
        """The rows of one file after the other; with `columns` only those of them that exist."""
        for file in self.files:
            yield read(file, columns)

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Row]:
        for batch in self.batches(columns):
            yield from batch

    def slice(self, start: int, count: int) -> list[Row]:
        """Rows start .. start+count, opening only the files that hold them."""
        found: list[Row] = []
        for file in self.files:
            size = _count(file)
            if start < size and len(found) < count:
                found += read(file)[start : start + count - len(found)]
            start = max(0, start - size)
            if len(found) >= count:
                break
        return found


def path_of(folder: Path, prefix: str, number: int) -> Path:
    return folder / f"{prefix}-{number:05d}.parquet"


def read(file: Path, columns: Sequence[str] | None = None) -> list[Row]:
    """The rows of one file.

    Raises StudioError where the file is damaged.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(file, page_checksum_verification=True) as opened:
            wanted = None if columns is None else [name for name in columns if name in opened.schema_arrow.names]
            return opened.read(columns=wanted).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(file) from error


def _count(file: Path) -> int:
    """How many rows a file holds. Raises StudioError where it is damaged."""
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        return int(parquet.read_metadata(file).num_rows)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(file) from error


def _damaged(file: Path) -> StudioError:
    return StudioError(f"The stored rows in {file.name} are damaged.", "Open the data again; finished versions are not affected.")


def table(rows: Sequence[Row]) -> Any:
    """An Arrow table with one schema for all shards: text, but for scores, the star, and the embedding as bytes."""
    import pyarrow

    names = list(dict.fromkeys(name for row in rows for name in row))
    return pyarrow.Table.from_arrays([_column([row.get(name) for row in rows], _kind(name)) for name in names], names=names)


def _column(values: list[Any], kind: Any) -> Any:
    """An Arrow array. Halves of characters (lone surrogates, which JSON can hold and UTF-8 can't) are joined or become U+FFFD."""
    import pyarrow

    try:
        return pyarrow.array(values, type=kind)
    except UnicodeEncodeError:
        whole = [
            value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value for value in values
        ]
        return pyarrow.array(whole, type=kind)


def _kind(name: str) -> Any:
    import pyarrow

    if name == VECTOR:
        return pyarrow.binary()
    return pyarrow.float64() if name in NUMBERS else pyarrow.bool_() if name in FLAGS else pyarrow.string()


def write(file: Path, rows: Sequence[Row]) -> None:
    """Writes one Parquet file whole or not at all."""
    import pyarrow.parquet as parquet

    temporary = file.with_name(f".{file.stem}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        parquet.write_table(table(rows), temporary, compression="zstd", write_page_checksum=True)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def regroup(batches: Iterable[list[Row]], size: int = SHARD_ROWS) -> Iterator[list[Row]]:
    """The same rows in batches of `size`."""
    waiting: list[Row] = []
    for batch in batches:
        waiting += batch
        while len(waiting) >= size:
            yield waiting[:size]
            waiting = waiting[size:]
    if waiting:
        yield waiting
