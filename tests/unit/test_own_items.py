"""A visitor's own statements: read as they are, or refused with the line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import StudioError
from pipelines.stance.own_items import LONGEST, MOST, read

HEAD = "text,opposite,axis,key,topic\n"
GOOD = HEAD + '"Taxes are too high.",Taxes are too low.,economic,1,taxes\nRents are too high.,Rents are too low.,Economic,-1,\n'


def written(folder: Path, content: str | bytes) -> Path:
    file = folder / "own.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_statements_are_read_with_key_and_axis(tmp_path: Path) -> None:
    first, second = read(written(tmp_path, "\ufeff" + GOOD))
    assert (first.id, first.axis, first.key, first.topic, first.text) == ("own-1", "economic", 1, "taxes", "Taxes are too high.")
    assert second.key == -1 and second.axis == "economic" and second.kind == "proposition"


@pytest.mark.parametrize(
    ("content", "said"),
    (
        (HEAD, "no statements"),
        ("", "lacks the columns text, opposite, axis, key, topic"),
        ("text,opposite,axis,key\na,b,social,1\n", "lacks the column topic"),
        (HEAD + "a,,social,1,t\n", "Statement 1 .* no opposite"),
        (HEAD + "...,b,social,1,t\n", "Statement 1 .* no text"),
        (HEAD + "Same.,same.,social,1,t\n", "same as its opposite"),
        (HEAD + "a,b,cultural,1,t\n", "axis “cultural”"),
        (HEAD + "a,b,social,2,t\n", "key “2”"),
        (HEAD + f"{'x' * (LONGEST + 1)},b,social,1,t\n", f"{LONGEST + 1} characters"),
        (HEAD + "a,b,social,1,t\nc,d,social,1,t\n", "have the key 1"),
        (HEAD + '"a,b,social,1,t\n', "no whole CSV"),
        (HEAD + "a,b,social,1,t\n" * (MOST + 1), f"holds {MOST + 1} statements"),
        (b"\xff\xfe\x00a", "no UTF-8"),
        (b"x" * ((1 << 20) + 1), "larger than 1 MB"),
    ),
)
def test_what_can_not_be_used_is_told(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(StudioError, match=said):
        read(written(tmp_path, content))
