"""A position at which people, files or other programs hand something in, besides data files: what is tried there, and what must come of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from tests.bad_inputs.writing import Write, raw

Try = Callable[[Path], Any]


@dataclass(frozen=True)
class Said:
    """A StudioError in which these words stand (as a regular expression where `pattern`)."""

    words: str
    pattern: bool = False


@dataclass(frozen=True)
class Taken:
    """No error: what the input becomes."""

    result: Any


@dataclass(frozen=True)
class Trial:
    """One named cause at one parser or form; `attempt` gets an empty folder."""

    parser: str
    cause: str
    attempt: Try
    expected: Said | Taken

    @property
    def name(self) -> str:
        return f"{self.parser}: {self.cause}"


@dataclass(frozen=True)
class End:
    """What came of a trial: the error, or the result."""

    error: StudioError | None = None
    result: Any = None

    @property
    def sentence(self) -> str:
        return f"refused: {self.error.message} -> {self.error.hint}" if self.error else f"taken: {self.result!r}"


def tried(trial: Trial, folder: Path) -> End:
    """Any exception but StudioError is the caller's to see."""
    try:
        return End(result=trial.attempt(folder))
    except StudioError as error:
        return End(error)


def is_as_stated(trial: Trial, end: End) -> bool:
    """Whether the sentence, or the result, is the one that the catalogue states; a sentence comes with a hint and can be sent on."""
    if isinstance(trial.expected, Taken):
        return end.error is None and end.result == trial.expected.result
    if end.error is None or not end.error.hint:
        return False
    end.sentence.encode()
    words = trial.expected.words if trial.expected.pattern else re.escape(trial.expected.words)
    return re.search(words, f"{end.error.message} {end.error.hint}") is not None


def table(parser: str, attempt: Callable[[Any, Path], Any], rows: dict[str, tuple[Any, str | Taken]]) -> list[Trial]:
    """Trials that differ in the value only: cause -> (value, words of the sentence or what it becomes)."""
    return [
        Trial(parser, cause, lambda folder, value=value: attempt(value, folder), wanted if isinstance(wanted, Taken) else Said(wanted))
        for cause, (value, wanted) in rows.items()
    ]


def files(parser: str, read: Callable[[Path], Any], name: str, rows: dict[str, tuple[Any, str | Taken]]) -> list[Trial]:
    """The same for files called `name`: a value is text, bytes, or a way to write the file and return its path."""

    def attempt(content: str | bytes | Write, folder: Path) -> Any:
        if isinstance(content, str):
            content = content.encode()
        return read(Path((raw(name, content) if isinstance(content, bytes) else content)(folder)))

    return table(parser, attempt, rows)


def places(parser: str, read: Callable[[Path], Any], ending: str, words: str = "can't be read") -> list[Trial]:
    """What may be wrong with the place of any file: none there, a folder, NUL in the name, a name too long for any disk."""
    rows: dict[str, tuple[Any, str | Taken]] = {
        "no such file": (lambda folder: folder / f"gone{ending}", words),
        "a folder with a file's name": (lambda folder: _made(folder / f"folder{ending}"), words),
        "NUL in the file's name": (lambda folder: folder / f"a\x00b{ending}", words),
        "a file name of 5,000 letters": (lambda folder: folder / ("x" * 5_000 + ending), words),
    }
    return files(parser, read, f"a{ending}", rows)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def sparse(name: str, size: int) -> Write:
    """A file of so many zero bytes, which takes no room on the disk."""

    def write(folder: Path) -> Path:
        with (folder / name).open("wb") as handle:
            handle.truncate(size)
        return folder / name

    return write
