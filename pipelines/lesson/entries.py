"""The lesson's texts lie in YAML; here they are read strictly, so that a missing part is found by a test and not by a class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines import paths
from pipelines.errors import StudioError

FOLDER = paths.ASSETS / "lesson"
MAX_FILE_BYTES = 1 << 17
LONGEST = 1200
PRINTED = "cp1252"  # the letters of the fonts that every reader of PDF has
MEND = "Mend the file, or take it from the project again."


def load(name: str, folder: Path = FOLDER) -> Any:
    """The plain values of one of the lesson's files. Raises StudioError where it is not there or can't be read."""
    try:
        return paths.read_yaml(folder / name, MAX_FILE_BYTES)
    except (OSError, ValueError) as error:
        raise StudioError(f"The lesson's file {name} can't be read ({type(error).__name__}).", MEND) from error


def table(value: Any, where: str, names: tuple[str, ...]) -> dict[str, Any]:
    """A mapping with just these names. Raises StudioError where one is missing or another is there."""
    if not isinstance(value, Mapping):
        raise StudioError(f"{where} is no list of names and values.", MEND)
    missing, unknown = [name for name in names if name not in value], [str(name) for name in value if name not in names]
    if missing or unknown:
        said = f"has no {', '.join(missing)}" if missing else f"has something called {', '.join(unknown)[:80]}"
        raise StudioError(f"{where} {said}.", MEND)
    return dict(value)


def rows(value: Any, where: str) -> list[Any]:
    """A list with something in it. Raises StudioError where it is none."""
    if not isinstance(value, list) or not value:
        raise StudioError(f"{where} is no list with something in it.", MEND)
    return value


def line(value: Any, where: str) -> str:
    """A text on one line that can be printed. Raises StudioError where it is none."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > LONGEST:
        raise StudioError(f"{where} is no text on one line of up to {LONGEST:,} characters.", MEND)
    try:
        value.encode(PRINTED)
    except UnicodeEncodeError as error:
        raise StudioError(f"{where} has a letter that can't be printed: {value[error.start]!r}.", MEND) from error
    return value.strip()


def lines(value: Any, where: str) -> tuple[str, ...]:
    """Several such texts."""
    return tuple(line(one, f"{where}, line {number},") for number, one in enumerate(rows(value, where), 1))


def number(value: Any, where: str, most: int) -> int:
    """A whole number from 1 on. Raises StudioError where it is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise StudioError(f"{where} is no whole number from 1 to {most}.", MEND)
    return value
