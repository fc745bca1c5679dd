"""Rounds of coding in the database: their tables, and how a round with all that came of it is read.

These are steps of a transaction or a reading on the store; coding.py is where they are used. Tables with `review_id` and `rater_number`
are cleared when a rater withdraws (raters.py). No time is kept with a code, so that nobody is known by when they worked.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Any

from pipelines.errors import StudioError
from pipelines.review.codebook import Codebook
from pipelines.review.rounds import Adjudication, Coding, Round, Sheet

SCHEMA = """
CREATE TABLE IF NOT EXISTS codebooks (
    review_id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (review_id, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rounds (
    number INTEGER PRIMARY KEY AUTOINCREMENT, round_id TEXT NOT NULL UNIQUE, review_id TEXT NOT NULL, kind TEXT NOT NULL,
    version INTEGER NOT NULL, items TEXT NOT NULL, accepted TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS coders (
    round_id TEXT NOT NULL, review_id TEXT NOT NULL, rater_number INTEGER NOT NULL, PRIMARY KEY (round_id, rater_number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS codings (
    round_id TEXT NOT NULL, review_id TEXT NOT NULL, rater_number INTEGER NOT NULL, item_id TEXT NOT NULL, answer TEXT NOT NULL,
    code_id TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, memo TEXT NOT NULL,
    PRIMARY KEY (round_id, rater_number, item_id, answer, code_id, start, "end")
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS readings (
    round_id TEXT NOT NULL, review_id TEXT NOT NULL, rater_number INTEGER NOT NULL, item_id TEXT NOT NULL,
    PRIMARY KEY (round_id, rater_number, item_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS adjudications (
    number INTEGER PRIMARY KEY AUTOINCREMENT, round_id TEXT NOT NULL, item_id TEXT NOT NULL, answer TEXT NOT NULL, code_id TEXT NOT NULL,
    applies INTEGER NOT NULL, reason TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS quotes (
    review_id TEXT NOT NULL, item_id TEXT NOT NULL, answer TEXT NOT NULL, code_id TEXT NOT NULL, start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, PRIMARY KEY (review_id, item_id, answer, code_id, start, "end")
) WITHOUT ROWID;
"""


def codebook(body: str) -> Codebook:
    """Raises StudioError where what was kept is none."""
    return Codebook.from_dict(_kept(body))


def find_round(file: sqlite3.Connection, round_id: str) -> Round:
    """Raises StudioError where there is none of this id."""
    row = file.execute(
        "SELECT review_id, kind, items, accepted, body FROM rounds JOIN codebooks USING (review_id, version) WHERE round_id = ?",
        (round_id,),
    ).fetchone()
    if row is None:
        raise StudioError("There is no such round of coding.", "Check the link, or go back to the review.")
    review_id, kind, items, accepted, body = row
    people = file.execute("SELECT rater_number FROM coders WHERE round_id = ? ORDER BY rater_number", (round_id,)).fetchall()
    return Round(round_id, review_id, kind, tuple(_kept(items)), tuple(one for (one,) in people), codebook(body), accepted)


def find(file: sqlite3.Connection, round_id: str) -> Sheet:
    """The round with all codes, readings and adjudications, in an order that says nothing about who came first."""
    one = find_round(file, round_id)
    codings = file.execute(
        'SELECT rater_number, item_id, answer, code_id, start, "end", memo FROM codings WHERE round_id = ? '
        'ORDER BY item_id, answer, start, "end", code_id, rater_number', (round_id,)
    ).fetchall()  # fmt: skip
    readings = file.execute("SELECT rater_number, item_id FROM readings WHERE round_id = ?", (round_id,)).fetchall()
    settled = file.execute(
        'SELECT item_id, answer, code_id, applies, reason, start, "end" FROM adjudications WHERE round_id = ? ORDER BY number', (round_id,)
    ).fetchall()
    adjudications = tuple(
        Adjudication(item, place, code, bool(applies), why, start, end) for item, place, code, applies, why, start, end in settled
    )
    return Sheet(one, tuple(Coding(*row) for row in codings), frozenset(readings), adjudications)


def have_calibrated(file: sqlite3.Connection, review_id: str, version: int, people: Collection[int]) -> bool:
    """Whether these raters were together in a calibration that was accepted, with this version of the codebook."""
    rows = file.execute(
        "SELECT round_id FROM rounds WHERE review_id = ? AND version = ? AND kind = 'calibration' AND accepted != ''", (review_id, version)
    ).fetchall()
    return any(set(people) <= set(find_round(file, round_id).raters) for (round_id,) in rows)


def _kept(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StudioError("A codebook or a round in the database is damaged.", "Put a copy of the database back.") from error
