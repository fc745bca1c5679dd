"""Saves what can still be read of a damaged SQLite file into a new one: table by table, row by row."""

from __future__ import annotations

import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.health.pages import Pages, Read, Record

CONTENTS = 1  # the page at which the table of contents begins
WITHOUT_ROWID = re.compile(r"WITHOUT\s+ROWID\s*$", re.IGNORECASE)
FITTING: dict[str, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (float, int)}


@dataclass(frozen=True)
class Table:
    """`columns` by name with type, whether it must have a value, and place in the primary key from 1, 0 for none; `root` is 0 where lost."""

    name: str
    sql: str
    root: int
    columns: tuple[tuple[str, str, bool, int], ...]

    @property
    def is_numbered(self) -> bool:
        """Whether rows have a number of their own."""
        return not WITHOUT_ROWID.search(self.sql)

    @property
    def stored(self) -> tuple[tuple[str, str, bool, int], ...]:
        """The columns in the order in which values are stored: without row numbers the key comes first."""
        if self.is_numbered:
            return self.columns
        key = sorted((one for one in self.columns if one[3]), key=lambda one: one[3])
        return (*key, *(one for one in self.columns if not one[3]))

    def fits(self, record: Record) -> bool:
        """Whether these values can be a row of this table."""
        pairs = zip(self.stored, record, strict=False)
        return len(record) == len(self.columns) and all(_fits(value, column, self.is_numbered) for column, value in pairs)

    def row(self, number: int, record: Record) -> dict[str, Any]:
        """Values by column; a column that is the row's number is not stored a second time."""
        named = {column[0]: value for column, value in zip(self.stored, record, strict=True)}
        return {name: number if self._is_number(name) and named[name] is None else named[name] for name in named}

    def _is_number(self, name: str) -> bool:
        return self.is_numbered and any(one[0] == name and one[1] == "INTEGER" and one[3] for one in self.columns)


def _fits(value: Any, column: tuple[str, str, bool, int], is_numbered: bool) -> bool:
    _, kind, needed, key = column
    if value is None:
        return (is_numbered and bool(key)) or not (needed or key)
    return not isinstance(value, bool) and isinstance(value, FITTING.get(kind, (object,)))


@dataclass
class Salvaged:
    """Rows that were saved, and about how many could not be read, by table. `by_shape`: the file had lost its table of contents."""

    saved: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    by_shape: bool = False


def salvage(damaged: Path, target: Path, schema: str) -> Salvaged:
    """Writes a new file that only its owner can read. `schema` makes the tables that the file should have; others it had are kept too.

    Raises sqlite3.Error or OSError where the new file can't be written.
    """
    pages, result = Pages(damaged), Salvaged()
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(target, isolation_level=None)) as made:
        made.execute("PRAGMA secure_delete=ON")
        made.executescript(schema)
        tables = list(_tables(pages, made))
        result.by_shape = not tables
        made.execute("BEGIN")
        for table, found in _by_root(pages, tables) if tables else _by_shape(pages, made):
            _put(made, table, found, result)
        made.execute("COMMIT")
    return result


def _tables(pages: Pages, made: sqlite3.Connection) -> Iterator[Table]:
    """The tables of the damaged file as its contents tell them, each made in the new one where it is not there yet."""
    for _, record in pages.table(CONTENTS).records:
        if len(record) != 5 or record[0] != "table" or not all(isinstance(one, str) for one in (record[1], record[4])):
            continue
        name, root, sql = record[1], record[3], record[4]
        if name.startswith("sqlite_") or not sql.upper().startswith("CREATE TABLE") or not isinstance(root, int):
            continue
        try:
            if not _columns(made, name):
                made.execute(sql)
        except sqlite3.Error:
            continue
        yield Table(name, sql, root, _columns(made, name))


def _columns(made: sqlite3.Connection, name: str) -> tuple[tuple[str, str, bool, int], ...]:
    return tuple((one[1], one[2].upper(), bool(one[3]), one[5]) for one in made.execute(f"PRAGMA table_info({_quoted(name)})"))


def _by_root(pages: Pages, tables: Sequence[Table]) -> Iterator[tuple[Table, Read]]:
    for table in tables:
        yield table, pages.table(table.root)


def _by_shape(pages: Pages, made: sqlite3.Connection) -> Iterator[tuple[Table, Read]]:
    """Rows without a table of contents: those that only one table can have, as its columns' kinds tell."""
    listed = made.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
    tables = [Table(name, sql, 0, _columns(made, name)) for name, sql in listed]
    tables = [one for one in tables if not one.is_numbered and len(one.columns) > 2]
    for found in pages.every_index_page():
        for record in found.records:
            fitting = [one for one in tables if one.fits(record[1])]
            if len(fitting) == 1:
                yield fitting[0], Read([record])


def _put(made: sqlite3.Connection, table: Table, found: Read, result: Salvaged) -> None:
    lost = found.lost
    for number, record in found.records:
        if not table.fits(record):
            lost += 1
            continue
        row = table.row(number, record)
        names, places = ", ".join(map(_quoted, row)), ", ".join("?" * len(row))
        try:
            added = made.execute(f"INSERT OR IGNORE INTO {_quoted(table.name)} ({names}) VALUES ({places})", tuple(row.values())).rowcount
        except sqlite3.IntegrityError:  # no other: a full disk must not pass for rows that can't be read
            added = 0
        result.saved[table.name] += added
        lost += not added
    result.lost[table.name] += lost


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
