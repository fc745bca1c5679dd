"""Raters in the database: who may join and vote, random numbers, hashed tokens and receipt codes, and how all of one rater goes.

These are steps of a transaction on the store; ballots.py is where they are used.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
import secrets
import sqlite3
from dataclasses import dataclass

from pipelines.errors import StudioError
from pipelines.review.design import MOST_RATERS
from pipelines.review.protocol import Protocol

DAY = 86_400
NO_REVIEW = StudioError("There is no such review here.", "Check the link; reviews open in the studio in which they were made.")
NONCE = re.compile(r"(?:[0-9a-f]{2}){16,64}")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no I, O, 0, 1: codes are copied by hand
SCHEMA = """
CREATE TABLE IF NOT EXISTS raters (
    token TEXT PRIMARY KEY, receipt TEXT NOT NULL UNIQUE, review_id TEXT NOT NULL, rater_number INTEGER NOT NULL, expires REAL NOT NULL,
    politics TEXT NOT NULL, UNIQUE (review_id, rater_number)
) WITHOUT ROWID;
"""


class NotJoined(StudioError):
    """Nobody has this token (any more)."""


@dataclass(frozen=True)
class Rater:
    """What one person is given when joining: the token keeps the place after a reload, the receipt code withdraws."""

    token: str
    receipt: str


def again(open_file: sqlite3.Connection, review_id: str, nonce: str) -> Rater | None:
    """Who joined this review with this nonce before: a press that is repeated, after a lost reply say, is the same person."""
    if not NONCE.fullmatch(nonce):
        return None
    rater = _made(review_id, nonce)
    row = open_file.execute("SELECT 1 FROM raters WHERE token = ? AND review_id = ?", (_hash(rater.token), review_id)).fetchone()
    return rater if row else None


def added(open_file: sqlite3.Connection, review_id: str, now: float, keep_days: int, politics: str, nonce: str = "") -> Rater:
    """Writes a new rater of a review under a number that says nothing about who came first.

    `nonce` is what the browser made for this joining (32 hexadecimal digits or more); anything else counts as none.
    """
    rater = _made(review_id, nonce if NONCE.fullmatch(nonce) else secrets.token_hex(32))
    taken = {number for (number,) in open_file.execute("SELECT rater_number FROM raters WHERE review_id = ?", (review_id,))}
    number = secrets.choice([number for number in range(1000, 10_000) if number not in taken])
    (opened,) = open_file.execute("SELECT opened FROM reviews WHERE review_id = ?", (review_id,)).fetchone()
    # A clock that was set back must not make ballots look old enough to be deleted; and whole days do not tell when somebody joined.
    expires = math.ceil((max(now, opened) + keep_days * DAY) / DAY) * DAY
    row = (_hash(rater.token), _hash(_plain(rater.receipt)), review_id, number, expires, politics)
    open_file.execute("INSERT INTO raters VALUES (?, ?, ?, ?, ?, ?)", row)
    return rater


def who(open_file: sqlite3.Connection, token: str) -> tuple[str, int]:
    """Review and number. Raises NotJoined where nobody has this token (any more)."""
    row = open_file.execute("SELECT review_id, rater_number FROM raters WHERE token = ?", (_hash(token),)).fetchone()
    if row is None:
        raise NotJoined("You have not joined this review, or your ballots were withdrawn or have expired.", "Join it to vote.")
    return str(row[0]), int(row[1])


def member(open_file: sqlite3.Connection, token: str, review_id: str) -> int:
    """The number of a rater of this review. Raises StudioError where the token belongs to another one."""
    own, number = who(open_file, token)
    if own != review_id:
        raise StudioError("You have joined another review than this one.", "Open that review's link, or join this one.")
    return number


def by_receipt(open_file: sqlite3.Connection, receipt: str) -> tuple[str, int]:
    """Review and number. Raises StudioError where no ballots belong to the code."""
    row = open_file.execute("SELECT review_id, rater_number FROM raters WHERE receipt = ?", (_hash(_plain(receipt)),)).fetchone()
    if row is None:
        raise StudioError(
            "No ballots belong to this code.", "Check its twelve letters and digits; what was withdrawn or has expired is gone already."
        )
    return str(row[0]), int(row[1])


def expired(open_file: sqlite3.Connection, now: float) -> list[tuple[str, int]]:
    """Review and number of the raters whose time is over."""
    return open_file.execute("SELECT review_id, rater_number FROM raters WHERE expires < ?", (now,)).fetchall()


def cleared(open_file: sqlite3.Connection, review_id: str, number: int) -> int:
    """Deletes what any table holds of a rater, codings and guesses included. Returns how many ballots there were."""
    (ballots,) = open_file.execute(
        "SELECT count(*) FROM ballots WHERE review_id = ? AND rater_number = ?", (review_id, number)
    ).fetchone()  # fmt: skip
    for (table,) in open_file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        quoted = '"' + table.replace('"', '""') + '"'
        names = {row[1] for row in open_file.execute(f"PRAGMA table_info({quoted})")}
        if {"review_id", "rater_number"} <= names:
            open_file.execute(f"DELETE FROM {quoted} WHERE review_id = ? AND rater_number = ?", (review_id, number))
    return int(ballots)


def count(open_file: sqlite3.Connection, review_id: str) -> int:
    """How many have joined and not withdrawn."""
    return int(open_file.execute("SELECT count(*) FROM raters WHERE review_id = ?", (review_id,)).fetchone()[0])


def is_closed(open_file: sqlite3.Connection, review_id: str) -> bool:
    row = open_file.execute("SELECT closed FROM reviews WHERE review_id = ?", (review_id,)).fetchone()
    if row is None:
        raise NO_REVIEW
    return row[0] is not None


def refuse_closed(open_file: sqlite3.Connection, review_id: str) -> None:
    if is_closed(open_file, review_id):
        raise StudioError("This review is closed.", "Votes are not taken any more; you can still withdraw yours.")


def refuse_full(open_file: sqlite3.Connection, review_id: str, protocol: Protocol) -> None:
    """Nobody joins once MOST_RATERS have, or as many as were planned have finished: no owner can add raters until a result pleases.

    Whoever joined before may finish all the same, and counts: more than planned can finish, which the report then says.
    """
    query = "SELECT count(*) FROM ballots WHERE review_id = ? GROUP BY rater_number"
    finished = sum(ballots >= len(protocol.items) for (ballots,) in open_file.execute(query, (review_id,)))
    if count(open_file, review_id) >= MOST_RATERS:
        raise StudioError(f"{MOST_RATERS:,} people have joined this review, and no more fit.", "Its owner can open another one.")
    if protocol.design.kind == "research" and finished >= protocol.design.raters:
        raise StudioError(f"All {protocol.design.raters} planned raters of this review have finished.", "Its owner can close it now.")


def _made(review_id: str, nonce: str) -> Rater:
    """Token and receipt code of whoever joins a review with a nonce: always the same ones, and neither tells the other."""
    key = bytes.fromhex(nonce)
    token, letters = (hmac.digest(key, f"{what} {review_id}".encode(), "sha256") for what in ("token", "receipt"))
    code = "".join(LETTERS[byte % len(LETTERS)] for byte in letters[:12])
    return Rater(base64.urlsafe_b64encode(token[:18]).decode(), "-".join(code[start : start + 4] for start in (0, 4, 8)))


def _plain(receipt: str) -> str:
    """As it was made, however it was typed."""
    return "".join(letter for letter in receipt.upper() if letter.isalnum())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
