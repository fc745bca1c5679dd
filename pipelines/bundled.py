"""Typed readers of the data that ships in assets/data."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TypeVar

from pipelines.paths import ASSETS, read_json
from pipelines.records import Completion, Item, MirroredRow, Question, Topic

DATA = ASSETS / "data"
ADAPTERS = ASSETS / "adapters"
RECORDED = ASSETS / "recorded"
BUNDLED_SIDES = ("left", "right", "placebo")
T = TypeVar("T", Topic, Question, Completion)


def _csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _typed(kind: type[T], name: str) -> tuple[T, ...]:
    wanted = [f.name for f in fields(kind)]
    return tuple(kind(**{key: row[key] for key in wanted}) for row in _csv_rows(DATA / name))


def json_lines(path: Path) -> list[dict]:
    """The objects of a JSONL file, in order."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def checksums() -> dict[str, str]:
    """Recorded SHA-256 sums by name, for packaged and bundled weights."""
    return read_json(ASSETS / "checksums.json")


@cache
def topics() -> dict[str, Topic]:
    """The 32 topics by id, in the file's order."""
    return {topic.id: topic for topic in _typed(Topic, "topics.csv")}


@cache
def pairs() -> tuple[MirroredRow, ...]:
    """The mirrored rows on the 24 training topics."""
    return tuple(MirroredRow(**row) for row in json_lines(DATA / "pairs.jsonl"))


@cache
def questions(half: str = "all") -> tuple[Question, ...]:
    """The neutral opinion questions: half "development", "confirmation" or "all"."""
    return tuple(q for q in _typed(Question, "questions.csv") if half in ("all", q.half))


@cache
def completions() -> tuple[Completion, ...]:
    """The 48 paired completions."""
    return _typed(Completion, "completions.csv")


@cache
def items(kind: str) -> tuple[Item, ...]:
    """The survey's propositions (kind "proposition") or the plain facts (kind "sanity")."""
    rows = (Item(**{**row, "key": int(row["key"])}) for row in _csv_rows(DATA / "items.csv"))  # type: ignore[arg-type]
    return tuple(item for item in rows if item.kind == kind)


@cache
def everyday() -> tuple[tuple[str, str], ...]:
    """Twenty politically empty (question, model answer) pairs, for perplexity and for looking at collateral damage."""
    return tuple((row["prompt"], row["answer"]) for row in json_lines(DATA / "everyday.jsonl"))
