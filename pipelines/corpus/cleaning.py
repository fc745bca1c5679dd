"""Cleaning in named steps. Each step says how many rows it changed or dropped, and why each was dropped."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from pipelines.corpus.columns import TEXT_FIELDS, Kind

Row = dict[str, str]
INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad]")
SPACES = re.compile(r"[ \t\u00a0]+")


@dataclass(frozen=True)
class Limits:
    """Shortest and longest text in words; shorter or longer rows are dropped."""

    shortest: int = 3
    longest: int = 400


@dataclass
class Step:
    """What one step did: rows in and out, rows changed, and the dropped rows with the reason for each."""

    name: str
    before: int
    after: int = 0
    changed: int = 0
    dropped: list[tuple[Row, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        return {"name": self.name, "before": self.before, "after": self.after, "changed": self.changed, "dropped": len(self.dropped)}


def clean(rows: list[Row], kind: Kind, limits: Limits = Limits()) -> tuple[list[Row], list[Step]]:
    """Runs all steps in order and returns the rows that are left and what each step did."""
    steps = []
    for name, work in (("Normalize", _normalize), ("Exact duplicates", _duplicates), ("Too short or too long", _length(limits))):
        step = Step(name, before=len(rows))
        rows = work(rows, TEXT_FIELDS[kind], step)
        step.after = len(rows)
        steps.append(step)
    return rows, steps


def normalize(text: str) -> str:
    """HTML entities resolved, Unicode NFC, stray carriage returns and invisible characters removed, spaces joined."""
    text = unicodedata.normalize("NFC", html.unescape(text))
    text = INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", " "))
    text = "".join(c for c in text if c == "\n" or unicodedata.category(c) != "Cc" or c == "\t")
    return "\n".join(SPACES.sub(" ", line).strip() for line in text.split("\n")).strip()


def _normalize(rows: list[Row], fields: tuple[str, ...], step: Step) -> list[Row]:
    clean_rows = []
    for row in rows:
        new = {key: normalize(value) if key in fields else value for key, value in row.items()}
        step.changed += new != row
        clean_rows.append(new)
    return clean_rows


def _duplicates(rows: list[Row], fields: tuple[str, ...], step: Step) -> list[Row]:
    first: dict[tuple[str, ...], str] = {}
    kept = []
    for row in rows:
        key = tuple(" ".join(row.get(name, "").lower().split()) for name in fields)
        if key in first:
            step.dropped.append((row, f"same text as {first[key]}"))
        else:
            first[key] = row.get("id", "")
            kept.append(row)
    return kept


def _length(limits: Limits) -> Callable[[list[Row], tuple[str, ...], Step], list[Row]]:
    def work(rows: list[Row], fields: tuple[str, ...], step: Step) -> list[Row]:
        kept = []
        for row in rows:
            reason = _length_problem(row, fields, limits)
            if reason:
                step.dropped.append((row, reason))
            else:
                kept.append(row)
        return kept

    return work


def _length_problem(row: Row, fields: tuple[str, ...], limits: Limits) -> str:
    for name in fields:
        if name not in row:
            continue
        words = len(row[name].split())
        if words == 0:
            return f"{name} is empty"
        if name != "prompt" and words < limits.shortest:
            return f"{name} has {words} words, fewer than {limits.shortest}"
        if words > limits.longest:
            return f"{name} has {words} words, more than {limits.longest}"
    return ""
