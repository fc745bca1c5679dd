"""What lies in a version's folder: the same rows as Parquet (what `load_dataset` opens) and as JSONL, their hash and statistics.

Rows are read and written a few thousand at a time, so that a million posts never lie in memory at once.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, overload

from pipelines.corpus.columns import TEXT_FIELDS
from pipelines.corpus.shards import FLAGS, NUMBERS, SHARD_ROWS, VECTOR, Row, Shards, read, regroup
from pipelines.paths import file_hash

VERSION, CARD, OLD_ROWS = "version.json", "README.md", "rows.jsonl"
PARQUET, LINES = "data/train-00000-of-00001.parquet", "data/train.jsonl"
DATA = (PARQUET, LINES)
IN_MEMORY = 50_000
COUNTED = {"topic": "topics", "made": "made", "annotator": "annotators"}
_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def leaves(column: str) -> bool:
    """Whether a column may be part of a version: embeddings and unmasked originals (names that begin with "_") never are."""
    return column != VECTOR and not column.startswith("_")


def public(row: Row) -> Row:
    """A row as it is hashed: columns that never leave and empty cells left out, scores as floats, all else as text."""
    return {name: _typed(name, value) for name, value in row.items() if value is not None and value == value and leaves(name)}


def _typed(name: str, value: Any) -> Any:
    if name in NUMBERS:
        return float(value)
    if name in FLAGS:
        return bool(value)
    return value if isinstance(value, str) else _canonical(value) if isinstance(value, list | dict) else str(value)


@dataclass(frozen=True)
class Survey:
    """What one pass over rows tells. `statistics` holds counts by topic, way of making and annotator, and mean words by text."""

    hash: str
    rows: int
    columns: tuple[str, ...]
    statistics: dict[str, dict[str, Any]]


def survey(kind: str, rows: Iterable[Row]) -> Survey:
    """Reads all rows once. The hash is `content_hash([kind, rows])`, computed without holding the rows."""
    digest = hashlib.sha256(f"[{_canonical(kind)},[".encode())
    count, columns = 0, dict[str, None]()
    words, filled = Counter[str](), Counter[str]()
    values: dict[str, Counter[str]] = {name: Counter() for name in COUNTED}
    for row in map(public, rows):
        digest.update(f"{',' if count else ''}{_canonical(row)}".encode())
        count += 1
        columns.update(dict.fromkeys(row))
        for name in TEXT_FIELDS[kind]:
            words[name] += len(row.get(name, "").split())
            filled[name] += name in row
        for name, counter in values.items():
            counter.update([row[name]] if row.get(name) else [])
    digest.update(b"]]")
    statistics: dict[str, dict[str, Any]] = {title: dict(values[name].most_common()) for name, title in COUNTED.items()}
    statistics["mean_words"] = {name: round(words[name] / n, 1) for name, n in filled.items() if n}
    return Survey(digest.hexdigest(), count, tuple(columns), statistics)


def rows_hash(kind: str, rows: Iterable[Row]) -> str:
    """SHA-256 over kind and rows: what a version is named by."""
    return survey(kind, rows).hash


def write_data(folder: Path, rows: Iterable[Row], columns: Sequence[str]) -> dict[str, str]:
    """Writes both files and returns their SHA-256 by name. Every row has all columns; an empty cell is null in both."""
    import pyarrow
    import pyarrow.parquet as parquet

    schema = pyarrow.schema([(name, _arrow_type(name)) for name in columns])
    (folder / PARQUET).parent.mkdir(parents=True)
    with (
        parquet.ParquetWriter(folder / PARQUET, schema, compression="zstd") as table,
        (folder / LINES).open("w", encoding="utf-8", newline="\n") as lines,
    ):
        for batch in regroup([public(row)] for row in rows):
            full = [{name: row.get(name) for name in columns} for row in batch]
            table.write_table(pyarrow.Table.from_pylist(full, schema=schema))
            lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in full)
    return {name: file_hash(folder / name) for name in DATA}


def _arrow_type(name: str) -> Any:
    import pyarrow

    return pyarrow.float64() if name in NUMBERS else pyarrow.bool_() if name in FLAGS else pyarrow.string()


def open_rows(folder: Path, about: dict[str, Any]) -> Sequence[Row]:
    """A version's rows: in memory up to 50,000, read from disk as needed beyond.

    Raises OSError, ValueError or KeyError where files are missing, unreadable, or not those that were written.
    """
    if "files" not in about:  # saved before versions held Parquet and a card
        return tuple(json.loads(line) for line in (folder / OLD_ROWS).read_text(encoding="utf-8").split("\n") if line)
    for name in DATA:
        if file_hash(folder / name) != about["files"][name]:
            raise ValueError(f"{name} was changed")
    stored = Stored(folder / PARQUET)
    return tuple(stored) if len(stored) <= IN_MEMORY else stored


class Stored(Sequence[Row]):
    """The rows of a Parquet file, read a row group at a time; the last group that was asked for stays in memory."""

    def __init__(self, file: Path) -> None:
        import pyarrow.parquet as parquet

        metadata = parquet.read_metadata(file)
        sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        self.file, self.ends = file, list(accumulate(sizes))
        self._held: tuple[int, list[Row]] = (-1, [])

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def __iter__(self) -> Iterator[Row]:
        import pyarrow.parquet as parquet

        with parquet.ParquetFile(self.file) as table:
            for batch in table.iter_batches(batch_size=SHARD_ROWS):
                yield from batch.to_pylist()

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        number = range(len(self))[place]
        group = bisect_right(self.ends, number)
        if self._held[0] != group:
            self._held = (group, self._read(group))
        return self._held[1][number - (self.ends[group - 1] if group else 0)]

    def _read(self, group: int) -> list[Row]:
        import pyarrow.parquet as parquet

        with parquet.ParquetFile(self.file) as table:
            return table.read_row_group(group).to_pylist()


def shard_rows(shards: Shards) -> Iterator[Row]:
    """The rows of shards without the columns that never leave, which are not even read."""
    import pyarrow.parquet as parquet

    for file in shards.files:
        yield from read(file, [name for name in parquet.read_schema(file).names if leaves(name)])
