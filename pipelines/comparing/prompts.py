"""Prompt sets: named lists of questions, those that ship with the studio and those that people bring as a CSV or text file.

A table has a column `question`, `prompt` or `text`, and may have `id` and `topic`. A file without such a header is taken for one
question a line, its first line included, where nothing in it looks like a separator between cells.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from pipelines import bundled
from pipelines.corpus.sources import decoding
from pipelines.corpus.sources.delimited import ONE_COLUMN, guess_delimiter
from pipelines.corpus.sources.source import Notes
from pipelines.corpus.versions import slug
from pipelines.entries import is_blank, shown
from pipelines.errors import StudioError

MAX_BYTES = 1_000_000
MOST_QUESTIONS = 500
LONGEST_QUESTION = 600
LONGEST_NAME = 80
QUESTION_COLUMNS = ("question", "prompt", "text")
ENDINGS = (".csv", ".tsv", ".txt")
SEPARATOR = re.compile(r"\t|[,;|](?=\S)")  # prose has a space after a comma
SAVE_AGAIN = "Save it as UTF-8 text and try again."
WHY_RESTRICTED = (
    "Seven questions on the subjects of the open prompts in the published PoliTune code, in our words. They name living politicians and "
    "vaccines, so the set is off in a class and in a public studio: what a biased model makes up about people may be false."
)


@dataclass(frozen=True)
class Prompt:
    """One question of a set; ids are unique in it."""

    id: str
    text: str
    topic: str = ""


@dataclass(frozen=True)
class PromptSet:
    """Questions under a name. A `restricted` set is off in a class and in a public studio; `note` says why, or what a file needed."""

    name: str
    title: str
    prompts: tuple[Prompt, ...]
    restricted: bool = False
    note: str = ""


@dataclass(frozen=True)
class _Row:
    line: int
    cells: list[str]


def bundled_sets() -> dict[str, PromptSet]:
    """The sets that ship with the studio, by name."""
    opinion = tuple(Prompt(one.id, one.text, one.topic) for one in bundled.questions())
    everyday = tuple(Prompt(f"day-{number:02d}", question) for number, (question, _) in enumerate(bundled.everyday(), 1))
    paper = replace(
        read_csv(bundled.DATA / "open_prompts.csv"), name="paper", title="The paper's open prompts", restricted=True, note=WHY_RESTRICTED
    )
    made = (PromptSet("opinion", "Neutral opinion questions", opinion), PromptSet("everyday", "Everyday questions", everyday), paper)
    return {one.name: one for one in made}


def find(reference: str) -> PromptSet:
    """A bundled set by its name, or the questions of a file by its path. Raises StudioError where it is neither."""
    ready = bundled_sets()
    return ready[reference] if reference in ready else read_csv(Path(reference))


def read_csv(path: Path) -> PromptSet:
    """The questions of a CSV, TSV or text file; `note` says what was guessed about its encoding.

    Raises StudioError where there is no such file, or it is empty, larger than MAX_BYTES, no clean text, has no column of questions,
    too many or too long questions, an id twice, or a quotation mark that is never closed.
    """
    lines, note = _lines(path)
    names, rows = _table(path, lines)
    places = _places(names)
    if places is None:
        rows, names, places = _one_a_line(path, lines, names), ["question"], {"question": 0}
    prompts = _prompts(path.name, rows, places, len(names))
    left_out = len(rows) - len(prompts)
    blank = f"{left_out} row{'s' * (left_out > 1)} without a question {'were' if left_out > 1 else 'was'} left out." if left_out else ""
    return PromptSet(slug(path.stem), path.name, prompts, note=f"{note} {blank}".strip())


def _lines(path: Path) -> tuple[list[str], str]:
    """The file's lines with their ends, and a sentence about a guessed encoding."""
    if path.suffix.lower() not in ENDINGS:
        raise StudioError(f"{path.name[:80]} is neither a prompt set nor a file that can hold one.", f"Use one of {', '.join(ENDINGS)}.")
    notes = Notes()
    try:
        if not path.is_file():
            raise StudioError(f"There is no file called {path.name[:80]}.", "Check the path.")
        if path.stat().st_size > MAX_BYTES:
            raise StudioError(f"{path.name} is larger than {MAX_BYTES // 10**6} MB.", "Questions take little room: is it the right file?")
        encoding = decoding.recognize_encoding(path, MAX_BYTES)
        lines = list(decoding.lines(path, encoding, notes, MAX_BYTES, ""))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StudioError(f"{path.name[:80]} can't be read ({reason}).", "Check that it is still there, and its rights.") from error
    if not "".join(lines).strip():
        raise StudioError(f"{path.name} is empty.", "Write at least one question into it.")
    if notes.counts["nul"]:
        raise StudioError(f"Line {notes.first['nul']:,} of {path.name} holds a NUL character, which no text has.", SAVE_AGAIN)
    if notes.counts["broken"]:
        raise StudioError(f"Line {notes.first['broken']:,} of {path.name} is not UTF-8.", SAVE_AGAIN)
    return lines, " ".join(notes.fixed)


def _table(path: Path, lines: Sequence[str]) -> tuple[list[str], list[_Row]]:
    """The header's cells in lower case, and the rows below it. A text file's only separator is the line's end."""
    if path.suffix.lower() == ".txt":
        rows = [_Row(number, [line.strip()]) for number, line in enumerate(lines, 1) if line.strip()]
    else:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else guess_delimiter(list(lines))
        rows = list(_cells(path.name, lines, delimiter))
    if not rows:
        raise StudioError(f"{path.name} holds no question.", "Write at least one below the column names.")
    header = [cell.strip().lower() for cell in rows[0].cells]
    return header, rows[1:]


def _cells(name: str, lines: Sequence[str], delimiter: str) -> Iterator[_Row]:
    """Rows that are not empty, each with the line in which it begins; strict about quotation marks, which would swallow questions."""
    reader, line = csv.reader(lines, delimiter=delimiter, strict=True), 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        is_open = "end of data" in str(error) or "field limit" in str(error)
        reason = "a quotation mark is never closed" if is_open else "a quotation mark stands in a wrong place"
        raise StudioError(
            f"The row in line {line:,} of {name} can't be read ({reason}).",
            "Close it, double it, or save the questions as .txt, one a line.",
        ) from error


def _places(names: Sequence[str]) -> dict[str, int] | None:
    """Where question, id and topic stand in a row; None where no column is called like a question."""
    wanted = next((name for name in QUESTION_COLUMNS if name in names), None)
    if wanted is None:
        return None
    return {"question": names.index(wanted), **{name: names.index(name) for name in ("id", "topic") if name in names}}


def _one_a_line(path: Path, lines: Sequence[str], names: Sequence[str]) -> list[_Row]:
    """The rows of a file without a header. Raises StudioError where it rather is a table whose columns are called otherwise."""
    if path.suffix.lower() == ".txt":
        return [_Row(number, [line]) for number, line in enumerate(lines, 1) if line.strip()]
    if any(SEPARATOR.search(line.strip()) for line in lines):
        shown = ", ".join(f"“{name[:40]}”" for name in names[:12])
        raise StudioError(
            f"{path.name} has no column called {', '.join(QUESTION_COLUMNS[:-1])} or {QUESTION_COLUMNS[-1]} (there is {shown}).",
            "Name the column of the questions “question”; for one question a line write “question” into the first line.",
        )
    return list(_cells(path.name, lines, ONE_COLUMN))


def _prompts(name: str, rows: Sequence[_Row], places: dict[str, int], width: int) -> tuple[Prompt, ...]:
    found: list[Prompt] = []
    seen: dict[str, int] = {}
    for row in rows:
        if any(cell.strip() for cell in row.cells[width:]):
            raise StudioError(
                f"The row in line {row.line:,} of {name} has more cells than there are columns.",
                "Put a question with a comma in quotation marks.",
            )
        text, given, topic = (_cell(row, places.get(column)) for column in ("question", "id", "topic"))
        if is_blank(text):
            continue
        _refuse_long(name, row.line, text, given, topic)
        if given in seen:
            raise StudioError(
                f"The id “{shown(given)}” in line {row.line:,} of {name} is also in line {seen[given]:,}.", "Give each its own id."
            )
        if given:
            seen[given] = row.line
        found.append(Prompt(given, text, topic))
        if len(found) > MOST_QUESTIONS:
            raise StudioError(f"{name} holds more than {MOST_QUESTIONS} questions.", "Split the file.")
    if not found:
        raise StudioError(f"{name} holds no question.", "Write at least one below the column names.")
    return tuple(_named(found))


def _cell(row: _Row, place: int | None) -> str:
    return row.cells[place].replace("\r\n", "\n").strip() if place is not None and place < len(row.cells) else ""


def _refuse_long(name: str, line: int, text: str, given: str, topic: str) -> None:
    for what, value, most in (("question", text, LONGEST_QUESTION), ("id", given, LONGEST_NAME), ("topic", topic, LONGEST_NAME)):
        if len(value) > most:
            raise StudioError(f"The {what} in line {line:,} of {name} has {len(value):,} characters; at most {most} fit.", "Shorten it.")


def _named(prompts: Sequence[Prompt]) -> Iterator[Prompt]:
    """The same with ids q1, q2, .. where there is none; given ones are left as they are."""
    taken = {one.id for one in prompts}
    free = (name for number in count(1) if (name := f"q{number}") not in taken)
    return (one if one.id else replace(one, id=next(free)) for one in prompts)
