"""What every opened source is: its first rows, what is known about it, and a way to go through all rows in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pipelines.errors import StudioError

Record = dict[str, Any]
HEAD_ROWS = 1_000
BATCH_ROWS = 10_000
BATCH_CHARACTERS = 50_000_000
SENTENCES = {
    "long": (
        "{n} row had more cells than the header; the extra cells were left out",
        "{n} rows had more cells than the header; the extra cells were left out",
    ),
    "short": (
        "{n} row had fewer cells than the header; the missing ones are empty",
        "{n} rows had fewer cells than the header; the missing ones are empty",
    ),
    "header": ("{n} row repeated the header and was left out", "{n} rows repeated the header and were left out"),
    "nul": ("{n} NUL character was removed", "{n} NUL characters were removed"),
    "mark": ("{n} byte order mark inside the text was removed", "{n} byte order marks inside the text were removed"),
    "broken": ("{n} place could not be decoded and was replaced by “�”", "{n} places could not be decoded and were replaced by “�”"),
    "half": (
        "{n} half of a character (a lone surrogate) was replaced by “�”",
        "{n} halves of characters (lone surrogates) were replaced by “�”",
    ),
    "nan": ("{n} NaN or Infinity was read as an empty cell", "{n} NaN or Infinity were read as empty cells"),
}


@dataclass
class Notes:
    """What had to be mended while reading: counts by kind (a key of SENTENCES), and the first line where each happened."""

    fixed: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, line: int = 0, count: int = 1) -> None:
        """Counts something that was mended in a line (0: no line is known)."""
        self.counts[kind] += count
        self.first.setdefault(kind, line)

    def say(self, sentence: str) -> None:
        """Notes something about the whole source, once."""
        if sentence not in self.fixed:
            self.fixed.append(sentence)

    def sentences(self) -> list[str]:
        """Sentences for people, one a kind."""
        return self.fixed + [self._counted(kind, count) for kind, count in self.counts.items()]

    def _counted(self, kind: str, count: int) -> str:
        line = self.first[kind]
        where = "" if not line else f" (line {line:,})" if count == 1 else f" (the first in line {line:,})"
        return SENTENCES[kind][count > 1].format(n=f"{count:,}") + where + "."


Reader = Callable[[Notes], Iterator[Record]]


@dataclass
class Source:
    """An opened source. `read` makes one pass over all rows; nothing but `head` (at most HEAD_ROWS rows) is kept in memory.

    `total` is None where the number of rows is unknown until all were read; `size_bytes` is 0 where the size is unknown;
    `details` are a data set's split, config and revision; more than `max_characters` of text are refused while reading.
    Raises StudioError where the first rows can't be read or there are none.
    """

    name: str
    read: Reader = field(repr=False)
    reference: str = ""
    encoding: str = ""
    total: int | None = None
    size_bytes: int = 0
    batch_rows: int = BATCH_ROWS
    max_characters: int | None = None
    details: dict[str, str] = field(default_factory=dict)
    head: list[Record] = field(init=False, repr=False)
    _notes: Notes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._notes = Notes()
        with closing(self._pass()) as rows:
            self.head = list(islice(rows, HEAD_ROWS))
            if self.total is None and len(self.head) < HEAD_ROWS:
                self.total = len(self.head)
        if not self.head:
            raise StudioError(f"{self.name} holds no rows.", "It needs at least one row with text.")

    @property
    def columns(self) -> list[str]:
        """Names of the columns in the order of their first appearance in the head."""
        return list(dict.fromkeys(key for row in self.head for key in row))

    @property
    def notes(self) -> list[str]:
        """What had to be mended, in sentences; about the head at first, about all rows once `batches` has gone through them."""
        return self._notes.sentences()

    def batches(self) -> Iterator[list[Record]]:
        """All rows from the first on, in lists of at most `batch_rows` (fewer where texts are very long).

        Raises StudioError where the source is damaged further on, has changed or is gone.
        """
        if self.total == len(self.head):
            yield from (self.head[start : start + self.batch_rows] for start in range(0, len(self.head), self.batch_rows))
            return
        self._notes = Notes()
        batch: list[Record] = []
        weight = 0
        with closing(self._pass()) as rows:
            for row in rows:
                batch.append(row)
                weight += _weight(row)
                if len(batch) >= self.batch_rows or weight >= BATCH_CHARACTERS:
                    yield batch
                    batch, weight = [], 0
        if batch:
            yield batch

    def _pass(self) -> Generator[Record, None, None]:
        """All rows, up to `max_characters`."""
        characters = 0
        for row in _guarded(self.read(self._notes), self.name):
            if self.max_characters is not None:
                characters += _weight(row)
                if characters > self.max_characters:
                    raise StudioError(
                        f"{self.name} has more than {self.max_characters / 1e6:g} MB of text, the most that can be opened here.",
                        "Choose a part of it, such as the split train[:1000].",
                    )
            yield row


def read_all(source: Source, max_rows: int) -> list[Record]:
    """All rows as one list. Raises StudioError where there are more than `max_rows`."""
    rows: list[Record] = []
    for batch in source.batches():
        rows += batch
        if len(rows) > max_rows:
            raise StudioError(f"{source.name} has more than {max_rows:,} rows, the most that can be opened here.", "Use a part of it.")
    return rows


def _weight(row: Record) -> int:
    """About how many characters a row holds; what is neither text nor a list counts as one."""
    return sum(
        len(value) if isinstance(value, str | bytes) else len(repr(value)) if isinstance(value, list | dict) else 1
        for value in row.values()
    )


def _guarded(rows: Iterator[Record], name: str) -> Iterator[Record]:
    """The same rows; what the operating system or Python's limits refuse becomes a sentence."""
    try:
        yield from rows
    except OSError as error:
        reason = error.strerror or str(error).split("\n")[0][:120]
        raise StudioError(f"{name} can't be read ({reason}).", "Check that it is still there, and its rights.") from error
    except (RecursionError, MemoryError) as error:
        raise StudioError(
            f"{name} is nested too deeply or too large to be read here.", "Save it as JSONL or Parquet, one row after another."
        ) from error
