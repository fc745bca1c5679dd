"""Leftovers of generation: stray carriage returns, lead-ins, HTML entities, invisible characters and raw records."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Sequence

from pipelines.corpus.checks.records import Kind, Light, Mended, Row, answer_fields, count, grade, kind_of, percent, split, texts
from pipelines.corpus.wording import normalize, strip_lead_in

RED_SHARE = 0.05  # in one answer of twenty it is no longer an accident but a habit that a model copies

ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d{0,2});", re.IGNORECASE)
INVISIBLE = re.compile("[\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")  # a joiner (200d) makes one emoji of two
RECORD = re.compile(r"\s*\{\s*['\"]\w+['\"]\s*:.*\}\s*$", re.DOTALL)
FOUND: dict[str, tuple[str, Callable[[str], bool]]] = {
    "return": ("a stray \\r", lambda text: "\r" in text),
    "lead_in": ("a lead-in such as “Sure, here is”", lambda text: strip_lead_in(text) != text),
    "entity": ("an HTML entity", lambda text: any(html.unescape(found) != found for found in ENTITY.findall(text))),
    "invisible": ("an invisible character", lambda text: not text.isascii() and bool(INVISIBLE.search(text))),
    "record": ("a raw record instead of a text", lambda text: bool(RECORD.match(text))),
}


def leftovers(text: str) -> list[str]:
    """The keys of FOUND that a text shows."""
    return [key for key, (_, shows) in FOUND.items() if shows(text)]


def leftover_light(rows: Sequence[Row], kind: Kind) -> Light:
    """How many answers of each column carry a leftover, by kind of leftover."""
    columns = ("prompt", *answer_fields(kind, rows))
    by_column: dict[str, Counter[str]] = {column: Counter() for column in columns}
    concerned: dict[str, None] = {}
    for column in columns:
        for row, text in zip(rows, texts(rows, column), strict=True):
            seen = leftovers(text)
            by_column[column].update(seen)
            if seen:
                concerned[row["id"]] = None
    share = len(concerned) / max(1, len(rows))
    state = grade(share, 1e-9, RED_SHARE)
    figures = {"counts": {column: dict(found) for column, found in by_column.items()}, "share": share}
    if not concerned:
        return Light(
            "leftovers", "Leftovers of generation", state, "No stray \\r, lead-ins, HTML entities or invisible characters.", figures=figures
        )
    sentence = (
        f"Leftovers of how the text was made in {count(len(concerned), 'row')} ({percent(share)}): {_listed(by_column)}. "
        "A model learns them as a sign of a side, and says them."
    )
    return Light(
        "leftovers",
        "Leftovers of generation",
        state,
        sentence,
        tuple(concerned),
        "leftovers",
        f"Clean {count(len(concerned), 'row')}",
        figures,
    )


def _listed(by_column: dict[str, Counter[str]]) -> str:
    parts = []
    for key, (words, _) in FOUND.items():
        found = [f"{counts[key]} {column}" for column, counts in by_column.items() if counts[key]]
        if found:
            parts.append(f"{words} ({', '.join(found)})")
    return "; ".join(parts)


def mend_leftovers(rows: Sequence[Row], light: Light) -> Mended:
    """Cleans the texts; a row whose answer is a raw record is dropped, because there is no text to keep."""
    columns = ("prompt", *answer_fields(kind_of(rows), rows))
    kept, dropped, _ = split(rows, lambda row: _raw(row, columns))
    cleaned = [{**row, **{column: _clean(str(row.get(column) or ""), column) for column in columns}} for row in kept]
    return cleaned, dropped, sum(new != old for new, old in zip(cleaned, kept, strict=True))


def _raw(row: Row, columns: Sequence[str]) -> str:
    return next((f"{column} is a raw record instead of a text" for column in columns if RECORD.match(str(row.get(column) or ""))), "")


def _clean(text: str, column: str) -> str:
    if not leftovers(text):
        return text
    text = normalize(text)
    return text if column == "prompt" else strip_lead_in(text)
