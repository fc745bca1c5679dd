"""Ballots: what was voted in which review, counted only when it is on the disk.

The database holds tokens and receipt codes as hashes, no times of single ballots, and nothing about people or their devices. Votes are
kept by column, so nobody needs a rater's sides to count them. Whatever belongs to a rater goes at withdrawal and expiry (raters.py).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import StudioError
from pipelines.records import Answer
from pipelines.review import clock as clocks
from pipelines.review import marking, raters
from pipelines.review.clock import Doubt
from pipelines.review.design import OWN_POLITICS, Kind
from pipelines.review.marking import InColumns
from pipelines.review.protocol import NOT_ONE, Protocol, Shown, shown
from pipelines.review.raters import Rater
from pipelines.review.store import Store

FEWEST_TOGETHER = 5
SCHEMA = (
    raters.SCHEMA
    + clocks.SCHEMA
    + """
CREATE TABLE IF NOT EXISTS reviews (
    review_id TEXT PRIMARY KEY, hash TEXT NOT NULL, protocol TEXT NOT NULL, opened REAL NOT NULL, closed REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ballots (
    review_id TEXT NOT NULL, rater_number INTEGER NOT NULL, item_id TEXT NOT NULL, votes TEXT NOT NULL, comment TEXT NOT NULL,
    revealed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (review_id, rater_number, item_id)
) WITHOUT ROWID;
"""
)
OF_ITEM = "review_id = ? AND rater_number = ? AND item_id = ?"


@dataclass(frozen=True)
class Vote:
    """One answer to one thing asked. Numbers are random and differ between reviews. The comment is with the first thing asked only."""

    rater_number: int
    item_id: str
    asked_id: str
    vote_in_columns: InColumns
    comment: str = ""


@dataclass(frozen=True)
class Listed:
    """A review in a list; `finished` raters have judged all items."""

    id: str
    title: str
    kind: Kind
    created: str
    is_closed: bool
    raters: int
    finished: int
    ballots: int


class Box:
    """All reviews of one studio and their ballots, in `folder` (paths.reviews). `clock` gives seconds since 1970.

    Every method raises StudioError where the database is damaged, full or locked, or there is no such review or rater.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.store = Store(folder, SCHEMA)
        self._clock = clock
        self._known: dict[str, Protocol] = {}

    def open_review(self, protocol: Protocol) -> str:
        """Keeps the frozen protocol, which nothing changes from now on; the same one again is the same review. Returns its id."""
        text = json.dumps(protocol.as_dict(), ensure_ascii=False)
        at = clocks.moment(self._clock)
        row = (protocol.hash[:12], protocol.hash, text, at.wall)
        with self.store.transaction() as open_file:
            clocks.look(open_file, at)
            open_file.execute("INSERT OR IGNORE INTO reviews (review_id, hash, protocol, opened) VALUES (?, ?, ?, ?)", row)
        return row[0]

    def review(self, review_id: str) -> Protocol:
        """The protocol as it was frozen. Raises StudioError where it was changed since."""
        if not isinstance(review_id, str) or not review_id.isascii():
            raise raters.NO_REVIEW
        if review_id not in self._known:
            with self.store.reading() as open_file:
                row = open_file.execute("SELECT protocol, hash FROM reviews WHERE review_id = ?", (review_id,)).fetchone()
            if row is None:
                raise raters.NO_REVIEW
            try:
                value = json.loads(row[0])
            except (ValueError, TypeError, RecursionError) as error:
                raise NOT_ONE from error
            found = Protocol.from_dict(value, row[1])
            if not found.hash.startswith(review_id):
                raise NOT_ONE
            self._known[review_id] = found
        return self._known[review_id]

    def reviews(self) -> list[Listed]:
        """All reviews, newest first; damaged ones are left out."""
        with self.store.reading() as open_file:
            rows = open_file.execute("SELECT review_id, closed FROM reviews").fetchall()
            listed = [one for review_id, closed in rows if (one := self._listed(open_file, review_id, closed is not None))]
        return sorted(listed, key=lambda one: (one.created, one.id), reverse=True)

    def _listed(self, open_file: sqlite3.Connection, review_id: str, is_closed: bool) -> Listed | None:
        try:
            protocol = self.review(review_id)
        except StudioError:
            return None
        own = "b.review_id = r.review_id AND b.rater_number = r.rater_number"
        query = f"SELECT (SELECT count(*) FROM ballots b WHERE {own}) FROM raters r WHERE r.review_id = ?"
        counts = [count for (count,) in open_file.execute(query, (review_id,))]
        finished, design = sum(count >= len(protocol.items) for count in counts), protocol.design
        return Listed(review_id, design.title, design.kind, protocol.created, is_closed, len(counts), finished, sum(counts))

    def is_closed(self, review_id: str) -> bool:
        with self.store.reading() as open_file:
            return raters.is_closed(open_file, review_id)

    def close(self, review_id: str) -> None:
        """Ends the voting for good; withdrawing stays possible."""
        self.review(review_id)
        with self.store.transaction() as open_file:
            open_file.execute("UPDATE reviews SET closed = ? WHERE review_id = ? AND closed IS NULL", (self._clock(), review_id))

    def join(self, review_id: str, consent: bool, politics: str = "", nonce: str = "") -> Rater:
        """A new rater, who has read `design.notice` and agreed. `politics` is one of OWN_POLITICS, only where the owner asks for it.

        With the same `nonce` once more it is the same rater, with the same receipt code (raters.added says what a nonce is).
        Raises StudioError without consent, where the review is closed or full, or all planned raters of a research review have finished.
        """
        protocol = self.review(review_id)
        if consent is not True:
            raise StudioError("Nothing is shown or stored before you agree.", "Read the notice and tick the box, or leave the page.")
        if politics and (not protocol.design.own_politics or politics not in OWN_POLITICS):
            raise StudioError("This review does not ask for that.", "Leave the question about yourself empty.")
        with self.store.transaction() as open_file:
            if known := raters.again(open_file, review_id, nonce):
                return known
            raters.refuse_closed(open_file, review_id)
            raters.refuse_full(open_file, review_id, protocol)
            now = clocks.joining(open_file, clocks.moment(self._clock))
            return raters.added(open_file, review_id, now, protocol.design.keep_days, politics, nonce)

    def who(self, token: str) -> tuple[str, int]:
        """The review and the random number of a rater; the number never goes to a browser."""
        with self.store.reading() as open_file:
            return raters.who(open_file, token)

    def vote(self, review_id: str, token: str, item_id: str, votes: Mapping[str, str], comment: str = "") -> None:
        """Counts a ballot: one of VOTES for each thing asked. When this returns, it is on the disk. The last one for an item counts.

        Raises StudioError where the ballot is incomplete, the review closed, or (in a class) the pair already revealed to this rater.
        """
        protocol = self.review(review_id)
        text = json.dumps(marking.by_column(protocol.design, votes, marking.find(protocol, token, item_id)))
        comment = marking.cleaned(comment)
        with self.store.transaction() as open_file:
            key = (review_id, raters.member(open_file, token, review_id), item_id)
            raters.refuse_closed(open_file, review_id)
            found = open_file.execute(f"SELECT votes, comment, revealed FROM ballots WHERE {OF_ITEM}", key).fetchone()
            if found and found[2]:
                if found[:2] != (text, comment):
                    raise StudioError("This pair was revealed to you, so your vote stays as it was.", "Go on with the next one.")
                return
            open_file.execute("INSERT OR REPLACE INTO ballots VALUES (?, ?, ?, ?, ?, 0)", (*key, text, comment))

    def progress(self, token: str) -> tuple[int, int, Shown | None]:
        """How many items a rater has judged, of how many, and the next one; None where all are. What a reload goes on with."""
        with self.store.reading() as open_file:
            review_id, number = raters.who(open_file, token)
            query = "SELECT item_id FROM ballots WHERE review_id = ? AND rater_number = ?"
            done = {item_id for (item_id,) in open_file.execute(query, (review_id, number))}
        items = shown(self.review(review_id), token)
        return len(done), len(items), next((one for one in items if one.item_id not in done), None)

    def earlier(self, review_id: str, token: str, item_id: str) -> tuple[dict[str, str], str]:
        """A rater's own ballot with the letters as they were chosen, and its comment; empty where there is none yet."""
        protocol = self.review(review_id)
        one = marking.find(protocol, token, item_id)
        with self.store.reading() as open_file:
            key = (review_id, raters.member(open_file, token, review_id), item_id)
            row = open_file.execute(f"SELECT votes, comment FROM ballots WHERE {OF_ITEM}", key).fetchone()
        if row is None:
            return {}, ""
        asked = [thing.id for thing in protocol.design.asked]
        return {asked_id: one.as_letter(vote) for asked_id, vote in marking.read(row[0], asked).items()}, row[1]

    def votes(self, review_id: str) -> list[Vote]:
        """All votes of a review by column, without tokens or names; for the owner, never for a rater before the end."""
        asked = [one.id for one in self.review(review_id).design.asked]
        query = "SELECT rater_number, item_id, votes, comment FROM ballots WHERE review_id = ? ORDER BY rater_number, item_id"
        with self.store.reading() as open_file:
            rows = open_file.execute(query, (review_id,)).fetchall()
        return [
            Vote(number, item_id, asked_id, vote, comment if asked_id == asked[0] else "")
            for number, item_id, text, comment in rows
            for asked_id, vote in marking.read(text, asked).items()
        ]

    def politics(self, review_id: str) -> dict[str, int]:
        """Where raters said they stand; empty until enough have answered that none can be told from the counts."""
        with self.store.reading() as open_file:
            rows = open_file.execute("SELECT politics FROM raters WHERE review_id = ? AND politics != ''", (review_id,)).fetchall()
        return dict(Counter(said for (said,) in rows)) if len(rows) >= FEWEST_TOGETHER else {}

    def reveal(self, review_id: str, token: str, item_id: str) -> tuple[Answer, Answer]:
        """Which answers A and B were to this rater, with their stamps.

        Raises StudioError before the end of a research review, and before this rater's vote in a class, whose vote then stays as it is.
        """
        protocol = self.review(review_id)
        one = marking.find(protocol, token, item_id)
        with self.store.transaction() as open_file:
            key = (review_id, raters.member(open_file, token, review_id), item_id)
            if not raters.is_closed(open_file, review_id):
                if protocol.design.kind == "research":
                    raise StudioError("Nothing is revealed before this review is closed.", "Its owner closes it when all have voted.")
                if not open_file.execute(f"UPDATE ballots SET revealed = 1 WHERE {OF_ITEM}", key).rowcount:
                    raise StudioError("A pair is revealed after your vote.", "Vote first; “can't tell” is a vote as well.")
        first, second = protocol.answers_of(protocol.by_id[item_id])
        return (second, first) if one.swapped else (first, second)

    def withdraw(self, receipt: str) -> int:
        """Deletes everything of the rater who holds this code, at any time. Returns how many ballots that were.

        Another process that reads may keep traces on the disk (`is_swept`); the next expiry tries again.
        """
        with self.store.transaction() as open_file:
            gone = raters.cleared(open_file, *raters.by_receipt(open_file, receipt))
        self.store.shrink()
        return gone

    def is_swept(self) -> bool:
        """Whether nothing that was deleted is left on the disk; tries once more where something was."""
        return self.store.shrink()

    def expire(self, now: float | None = None, confirmed: bool = False) -> int:
        """Deletes everything of raters who joined longer ago than their review keeps it. Returns how many ballots that were.

        While the clock is in doubt (`doubt`) nothing is, unless somebody says that it is right (`confirmed`), or `now` is given.
        """
        with self.store.transaction() as open_file:
            at = clocks.moment(self._clock)
            doubt = clocks.look(open_file, at, confirmed) if now is None else None
            old = [] if doubt else raters.expired(open_file, at.wall if now is None else now)
            gone = sum(raters.cleared(open_file, *one) for one in old)
        self.store.shrink()
        return gone

    def doubt(self) -> Doubt | None:
        """Why nothing is deleted now: the clock moved too far while nobody looked."""
        with self.store.transaction() as open_file:
            return clocks.look(open_file, clocks.moment(self._clock))

    def over(self) -> int:
        """How many raters' time is over, by the clock as it stands."""
        with self.store.reading() as open_file:
            return len(raters.expired(open_file, self._clock()))
