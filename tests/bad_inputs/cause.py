"""What a cause of trouble is, what must come of it, and how it is tried: opened, read to the end, recognized, normalized."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.corpus.columns import normalize_rows, recognize
from pipelines.corpus.sources import open_source
from pipelines.errors import StudioError

Row = dict[str, str]
Write = Callable[[Path], Path | str]


@dataclass(frozen=True)
class Refused:
    """A StudioError whose message holds `words`; `names` is what it must call the source by (default: the file's name)."""

    words: str
    names: str = ""


@dataclass(frozen=True)
class Opened:
    """So many rows of a kind; `holds` are columns of the first row; each of `notes` begins one of the notes, in order."""

    rows: int
    holds: Row
    notes: tuple[str, ...] = ()
    kind: str = "posts"
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Cause:
    """One named way in which an input is broken or hostile. `write` puts it into a folder and returns how it is opened."""

    name: str
    write: Write
    expected: Refused | Opened
    max_bytes: int | None = None
    meddle: Callable[[Path], AbstractContextManager[Any]] = lambda path: nullcontext()


@dataclass(frozen=True)
class Outcome:
    """What came of it: the error, or kind, encoding, all rows and all notes."""

    error: StudioError | None = None
    kind: str = ""
    encoding: str = ""
    rows: Sequence[Row] = ()
    notes: Sequence[str] = ()

    @property
    def sentence(self) -> str:
        if self.error:
            return f"refused: {self.error.message} -> {self.error.hint}"
        return " ".join([f"opened: {len(self.rows)} {self.kind} ({self.encoding or 'no encoding'}).", *self.notes])


def attempt(cause: Cause, folder: Path) -> tuple[str, Outcome]:
    """Writes a cause's input and goes the whole way with it; any exception but StudioError is the caller's to see."""
    reference = str(cause.write(folder))
    try:
        with cause.meddle(Path(reference)):
            source = open_source(reference, max_bytes=cause.max_bytes)
            roles, seen = recognize(source.head, source.name), set[str]()
            rows = [row for batch in source.batches() for row in normalize_rows(batch, roles, seen)]
            for row in rows:
                "".join(row.values()).encode()  # what can't be written as UTF-8 would break every later step
            return reference, Outcome(None, roles.kind, source.encoding, rows, source.notes)
    except StudioError as error:
        return reference, Outcome(error)
