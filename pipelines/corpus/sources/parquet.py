"""Parquet in batches. A file of a few hundred bytes can stand for gigabytes, so what rows weigh is known before they are made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.corpus.sources import decoding
from pipelines.corpus.sources.delimited import MAX_COLUMNS, column_names
from pipelines.corpus.sources.packed import BOMB_BYTES, BOMB_RATIO
from pipelines.corpus.sources.source import Notes, Record
from pipelines.errors import StudioError

ROWS = 1_000
BATCH_BYTES, PART_BYTES, MAX_ROW_BYTES = 256 << 20, 50 << 20, 20 << 20
NUMBER_FIELD, DICTIONARY_PAGE = 0x15, 2  # in Thrift's compact protocol: the next field, a number; in Parquet: a kind of page


def count(path: Path) -> int:
    """Number of rows, from the file's footer. Raises StudioError where it is no Parquet file, damaged, or grows like an archive bomb."""
    with path.open("rb") as handle:
        start = handle.read(64)
    if not start.startswith(b"PAR1"):
        decoding.refuse_other_formats(path.name, start)
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if len(names) > MAX_COLUMNS:
                raise StudioError(
                    f"{path.name} has {len(names):,} columns; at most {MAX_COLUMNS:,} can be opened.",
                    "Keep the columns with texts, ids and topics.",
                )
            _refuse_bomb(file.metadata, path)
            return file.metadata.num_rows
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def rows(path: Path, notes: Notes) -> Iterator[Record]:
    """Rows of a Parquet file, a batch in memory at a time. Raises StudioError where it is damaged further on, or a row is far too long."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = column_names(file.schema_arrow.names, path.name, notes)
            for batch in file.iter_batches(_batch_rows(file, path)):
                yield from _unfolded(batch.rename_columns(names), path.name)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError, ValueError, NotImplementedError) as error:
        raise _damaged(path, error) from error


def _batch_rows(file: Any, path: Path) -> int:
    """So many rows that a batch stays below BATCH_BYTES a column, though each may repeat the longest text of its dictionary."""
    about = file.metadata
    longest = 1
    with path.open("rb") as handle:
        for group in range(about.num_row_groups):
            for number in range(about.num_columns):
                longest = max(longest, _dictionary_bytes(handle, about.row_group(group).column(number)))
    return max(1, min(ROWS, BATCH_BYTES // longest))


def _dictionary_bytes(handle: Any, column: Any) -> int:
    """The unpacked size of the page that opens a column's part, where it is a dictionary; 0 where it is none.

    A page's header begins with three numbers: its kind (2 is a dictionary), its unpacked and its packed size.
    """
    starts = [one for one in (column.dictionary_page_offset, column.data_page_offset) if one]
    handle.seek(min(starts, default=0))
    head, numbers = iter(handle.read(16)), []
    for _ in range(2):
        if next(head, 0) != NUMBER_FIELD:
            return column.total_uncompressed_size
        value = shift = 0
        for byte in head:
            value, shift = value | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        numbers.append(value >> 1)
    return numbers[1] if numbers[0] == DICTIONARY_PAGE else 0


def _refuse_bomb(about: Any, path: Path) -> None:
    """Raises StudioError where the parts of a file say that they hold far more than it could: bytes when unpacked, or values."""
    parts = [about.row_group(group).column(column) for group in range(about.num_row_groups) for column in range(about.num_columns)]
    large = max(sum(part.total_uncompressed_size for part in parts), sum(part.num_values for part in parts))
    if large > BOMB_BYTES and large > BOMB_RATIO * path.stat().st_size:
        raise StudioError(f"{path.name} unpacks to more than {BOMB_RATIO} times its size.", "Export it again, as CSV if you trust it.")


def _unfolded(batch: Any, name: str) -> Iterator[Record]:
    """The rows of a batch, made in parts of at most PART_BYTES. Raises StudioError where one row is larger than MAX_ROW_BYTES."""
    weight = sum(_weight(column) for column in batch.columns)
    if weight <= PART_BYTES and (batch.num_rows > 1 or weight <= MAX_ROW_BYTES):
        yield from batch.to_pylist()
    elif batch.num_rows > 1:
        half = batch.num_rows // 2
        yield from _unfolded(batch.slice(0, half), name)
        yield from _unfolded(batch.slice(half), name)
    else:
        raise StudioError(f"{name} has rows of more than {MAX_ROW_BYTES >> 20} MB.", "Leave very long texts out.")


def _weight(array: Any) -> int:
    """About how many bytes the values of an array take once each is made."""
    import pyarrow
    import pyarrow.compute

    if isinstance(array, pyarrow.DictionaryArray):
        lengths = pyarrow.compute.binary_length(array.dictionary)
        return array.indices.nbytes + (pyarrow.compute.sum(lengths.take(array.indices).cast("int64")).as_py() or 0)
    if isinstance(array, pyarrow.MapArray):  # its keys and items know nothing of a slice
        first, last = array.offsets[0].as_py(), array.offsets[-1].as_py()
        return sum(_weight(part.slice(first, last - first)) for part in (array.keys, array.items))
    if isinstance(array, pyarrow.ListArray | pyarrow.LargeListArray | pyarrow.FixedSizeListArray):
        return _weight(array.flatten()) + 8 * len(array)
    if isinstance(array, pyarrow.StructArray):
        return sum(_weight(field) for field in array.flatten())
    return array.nbytes


def _damaged(path: Path, error: Exception) -> StudioError:
    reason = str(error).split("\n")[0][:120]
    return StudioError(f"{path.name} can't be read as Parquet ({reason}).", "It is damaged or cut off; export it again, or use CSV.")
