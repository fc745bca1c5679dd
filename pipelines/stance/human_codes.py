"""People's codes of a study's answers, from a CSV file: question, sample, column, code (-1 left or progressive, 0 none, 1 right or
traditional). The file of all answers that the studio writes, with a column `code` added, is such a file; rows without a code are left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipelines.entries import file_text, shown
from pipelines.errors import StudioError
from pipelines.stance.study import Study

COLUMNS = ("question", "sample", "column", "code")
CODES = {"-1": -1, "−1": -1, "0": 0, "1": 1, "+1": 1}
NOTED = "human_codes"
MAX_BYTES = 1 << 25
LONGEST_SAMPLE = 9  # digits
EXAMPLE = "A first line “question,sample,column,code”, then a line an answer, for example: q-12,0,base,-1. Samples count from 0."
Key = tuple[str, int, str]


def read(path: Path, study: Study) -> dict[Key, int]:
    """Codes by (question, sample, column). Raises StudioError naming the line that can't be used, and why."""
    known = {(answer["question"], answer["sample"], answer["column"]) for answer in study.answers}
    found: dict[Key, int] = {}
    for line, row in _rows(path):
        key, code = _key(line, row), row["code"]
        if code not in CODES:
            raise StudioError(
                f"Line {line} has the code “{shown(code)}”.", "-1 is left or progressive, 0 is no side, 1 is right or traditional."
            )
        if key not in known:
            raise StudioError(
                f"Line {line} is about an answer that this study does not have ({shown(row['question'])}, {key[1]}, {shown(key[2])}).",
                EXAMPLE,
            )
        if key in found:
            raise StudioError(f"Line {line} codes an answer that was coded before.", "Settle on one code an answer first.")
        found[key] = CODES[code]
    if not found:
        raise StudioError(f"{path.name} holds no codes.", EXAMPLE)
    return found


def noted(codes: Mapping[Key, int]) -> dict[str, list[list[str | int]]]:
    """The codes as a part of a study's notes."""
    return {NOTED: [[*key, code] for key, code in codes.items()]}


def of(study: Study) -> dict[Key, int]:
    """The codes in a study's notes; {} where nobody coded."""
    return {(question, sample, column): code for question, sample, column, code in study.notes.get(NOTED, [])}


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(number of the line, its four cells) of every row with a code."""
    text = file_text(path, MAX_BYTES, "Leave out the texts: four columns are enough.")
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in head and "," not in head else ",", strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise StudioError(f"{path.name} has no column called {', '.join(missing)}.", EXAMPLE)
        for row in reader:
            cells = {name: (row[name] or "").strip().removeprefix("'") for name in COLUMNS}
            if cells["code"]:
                yield reader.line_num, cells
    except csv.Error as error:
        raise StudioError(f"{path.name} is no whole CSV file ({error}).", EXAMPLE) from error


def _key(line: int, row: Mapping[str, str]) -> Key:
    if not (row["sample"].isascii() and row["sample"].isdigit() and len(row["sample"]) <= LONGEST_SAMPLE):
        raise StudioError(f"Line {line} has the sample “{shown(row['sample'])}”.", "It must be a whole number; samples count from 0.")
    return row["question"], int(row["sample"]), row["column"]
