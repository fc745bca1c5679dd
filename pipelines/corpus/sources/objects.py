"""JSON, one object a line or one document whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.corpus.sources import decoding
from pipelines.corpus.sources.decoding import Encoding
from pipelines.corpus.sources.delimited import MAX_COLUMNS
from pipelines.corpus.sources.source import Notes, Record
from pipelines.errors import StudioError

MAX_JSON = 200 << 20
MAX_DEPTH = 50
LIST_NAMES = ("data", "rows", "records", "items", "examples", "train", "posts", "pairs")
SHAPE = 'It should look like [{"prompt": "...", "chosen": "...", "rejected": "..."}].'


class _Json:
    """Parses JSON the way tables need it: NaN is an empty cell, long numbers keep all their digits as text."""

    def __init__(self, notes: Notes) -> None:
        self.notes, self.line = notes, 0
        self.decoder = json.JSONDecoder(parse_constant=self._constant, parse_int=lambda digits: int(digits) if len(digits) < 19 else digits)

    def _constant(self, name: str) -> None:
        self.notes.add("nan", self.line)

    def parse(self, text: str, line: int = 0) -> Any:
        """Raises ValueError where the text is not JSON or is nested deeper than MAX_DEPTH."""
        self.line = line
        try:
            value = self.decoder.decode(text)
            if text.count("[") + text.count("{") > MAX_DEPTH and _deeper(value):
                raise RecursionError
        except RecursionError as error:
            raise ValueError(f"nested more than {MAX_DEPTH} levels deep") from error
        return self._without_halves(value) if "\\u" in text else value

    def _without_halves(self, value: Any) -> Any:
        if isinstance(value, str):
            return decoding.without_surrogates(value, "half", self.line, self.notes)
        if isinstance(value, list):
            return [self._without_halves(one) for one in value]
        if isinstance(value, dict):
            return {self._without_halves(key): self._without_halves(one) for key, one in value.items()}
        return value


def _deeper(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [part for one in level if isinstance(one, dict | list) for part in (one.values() if isinstance(one, dict) else one)]
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)


def json_lines(path: Path, encoding: Encoding, notes: Notes, limit: int | None = None) -> Iterator[Record]:
    """One object a line; empty lines are left out.

    Raises StudioError naming the first line that is not an object.
    """
    parser = _Json(notes)
    for number, line in enumerate(decoding.lines(path, encoding, notes, limit), 1):
        if not line.strip():
            continue
        try:
            row = parser.parse(line.strip(), number)
        except ValueError as error:
            raise StudioError(
                f"Line {number:,} of {path.name} is not valid JSON ({_reason(error, line)}).", "Every line must be one whole object."
            ) from error
        if not isinstance(row, dict):
            raise StudioError(f"Line {number:,} of {path.name} is not an object.", 'Every line must look like {"text": "..."}.')
        yield _narrow(row, path.name)


def _reason(error: ValueError, line: str) -> str:
    if line.rstrip().endswith("},"):
        return "it ends in a comma"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, character {error.pos + 1:,}"
    return "a number of too many digits" if "integer string" in str(error) else str(error)


def _narrow(row: Record, name: str) -> Record:
    if len(row) > MAX_COLUMNS:
        raise StudioError(
            f"{name} has rows of {len(row):,} columns; at most {MAX_COLUMNS:,} can be opened.",
            "Keep the columns with texts, ids and topics.",
        )
    return row


def is_json_lines(path: Path, encoding: Encoding, limit: int | None = None) -> bool:
    """Whether a file called .json holds one object a line: the first line is a whole object, and not the only one."""
    text = (line.strip() for line in decoding.lines(path, encoding, Notes(), limit))
    try:
        first = next(filter(None, text), "")
        if not (first.startswith("{") and first.endswith("}")):
            return False
        return isinstance(_Json(Notes()).parse(first), dict) and next(filter(None, text), "") != ""
    except (ValueError, StudioError):  # a line too long to be a row; what else is wrong is said when the document is read
        return False


def json_document(path: Path, encoding: Encoding, notes: Notes, limit: int | None = None) -> Iterator[Record]:
    """The rows of a whole JSON document of at most MAX_JSON bytes: a list of objects, wherever in it the list is.

    Raises StudioError where it is larger, not JSON, or holds no such list.
    """
    if path.stat().st_size > MAX_JSON:
        raise StudioError(
            f"{path.name} is larger than {MAX_JSON >> 20} MB, the most that is read as one JSON document.",
            "Save it as JSONL, one object a line.",
        )
    text = decoding.whole(path, encoding, notes, limit or MAX_JSON)
    try:
        value = _Json(notes).parse(text)
    except ValueError as error:
        where = f"line {error.lineno:,}: {error.msg}" if isinstance(error, json.JSONDecodeError) else _reason(error, "")
        raise StudioError(
            f"{path.name} is not valid JSON ({where}).", "It must hold a list of objects, or one object a line (JSONL)."
        ) from error
    del text
    for number, row in enumerate(_rows_in(value), 1):
        if isinstance(row, str):
            row = {"text": row}
        if not isinstance(row, dict):
            raise StudioError(f"{path.name} is not a list of objects (number {number:,} is not one).", SHAPE)
        yield _narrow(row, path.name)


def _rows_in(value: Any) -> list[Any]:
    """A list as it is; of an object the list of objects found soonest, known names first; else the object as the only row."""
    if isinstance(value, list):
        return value
    level = [value] if isinstance(value, dict) else []
    for _ in range(3):
        for one in level:
            lists = [one[name] for name in (*LIST_NAMES, *one) if _holds_rows(one.get(name))]
            if lists:
                return lists[0]
        level = [part for one in level for part in one.values() if isinstance(part, dict)]
    return [value]


def _holds_rows(value: Any) -> bool:
    """A list of objects that are rows, not the turns of a conversation."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) and not {"role", "from"} & set(one) for one in value)
