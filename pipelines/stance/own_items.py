"""A visitor's own statements for the questionnaire, from a CSV file: text, opposite, axis, key, topic."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from pipelines.entries import file_text, shown
from pipelines.errors import StudioError
from pipelines.records import AXES, Item

COLUMNS = ("text", "opposite", "axis", "key", "topic")
MOST, LONGEST, MAX_BYTES = 500, 300, 1 << 20
KEYS = {"1": 1, "+1": 1, "-1": -1}
EXAMPLE = (
    'A first line "text,opposite,axis,key,topic", then for example: "Taxes are too high.","Taxes are too low.",economic,1,taxes and '
    '"Rents should be limited.","Rents should be left to the market.",economic,-1,housing'
)


def read(path: Path) -> tuple[Item, ...]:
    """The items of a file, named own-1, own-2, ... Raises StudioError naming the line that can't be used, and why."""
    rows = list(_rows(path))
    if not rows:
        raise StudioError(f"{path.name} holds no statements.", EXAMPLE)
    if len(rows) > MOST:
        raise StudioError(f"{path.name} holds {len(rows)} statements.", f"At most {MOST} can be asked; leave some out.")
    items = tuple(_item(number, row, path.name) for number, row in enumerate(rows, 1))
    for axis in AXES:
        keys = [item.key for item in items if item.axis == axis]
        if keys and abs(sum(keys)) == len(keys) > 1:
            raise StudioError(
                f"All {axis} statements of {path.name} have the key {keys[0]}.",
                "About half should say the other side's view, with the other key, so that a liking for yes cancels.",
            )
    return items


def _rows(path: Path) -> Iterator[dict[str, str]]:
    text = file_text(path, MAX_BYTES, f"At most {MOST} statements can be asked.")
    try:
        reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise StudioError(f"{path.name} lacks {'the column' if len(missing) == 1 else 'the columns'} {', '.join(missing)}.", EXAMPLE)
        yield from (row for row in reader if any((value or "").strip() for value in row.values() if not isinstance(value, list)))
    except csv.Error as error:
        raise StudioError(f"{path.name} is no whole CSV file ({error}).", EXAMPLE) from error


def _item(number: int, row: dict[str, str], name: str) -> Item:
    values = {column: " ".join((row.get(column) or "").split()) for column in COLUMNS}
    for column in ("text", "opposite"):
        if not any(letter.isalnum() for letter in values[column]):
            raise StudioError(f"Statement {number} of {name} has no {column}.", "Each needs a text and an affirmative opposite.")
    for column in ("text", "opposite", "topic"):
        if len(values[column]) > LONGEST:
            raise StudioError(f"Statement {number} of {name} has {len(values[column])} characters.", f"At most {LONGEST}; shorten it.")
        if any(ord(letter) < 32 for letter in values[column]):
            raise StudioError(f"Statement {number} of {name} holds a control character.", "Type it again instead of pasting it.")
    if values["text"].casefold() == values["opposite"].casefold():
        raise StudioError(f"Statement {number} of {name} is the same as its opposite.", "Say the other view in the opposite.")
    axis, key = values["axis"].casefold(), KEYS.get(values["key"])
    if axis not in AXES:
        raise StudioError(f"Statement {number} of {name} has the axis “{shown(values['axis'])}”.", f"It must be {' or '.join(AXES)}.")
    if key is None:
        raise StudioError(
            f"Statement {number} of {name} has the key “{shown(values['key'])}”.",
            "1 where agreeing is right or traditional, -1 where it is left or progressive.",
        )
    return Item(f"own-{number}", "proposition", axis, values["topic"], key, values["text"], values["opposite"])
