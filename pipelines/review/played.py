"""What guess games and predictions share: people join as they join a review, under a random number and with a receipt code.

A game stands in the table of reviews as well, which is where raters belong; `Box.withdraw` and `Box.expire` therefore clear its guesses
with everything else. Lists of reviews leave it out, since it has no protocol.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.paths import content_hash
from pipelines.review import ballots, raters
from pipelines.review import clock as clocks
from pipelines.review.design import MOST_RATERS
from pipelines.review.raters import Rater
from pipelines.review.store import Store

SCHEMA = (
    ballots.SCHEMA
    + """
CREATE TABLE IF NOT EXISTS games (
    review_id TEXT PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL, keep_days INTEGER NOT NULL, opened REAL NOT NULL
) WITHOUT ROWID;
"""
)
NO_GAME = StudioError("There is no such game here.", "Check the link; games open in the studio in which they were made.")


class Played:
    """Games of one kind in the database of `folder` (paths.reviews). `clock` gives seconds since 1970.

    Every method raises StudioError where the database can't be used, or there is no such game or guesser.
    """

    kind = ""

    def __init__(self, folder: Path, schema: str, clock: Callable[[], float] = time.time) -> None:
        self.store = Store(folder, SCHEMA + schema)
        self._clock = clock

    def listed(self) -> list[tuple[str, bool]]:
        """The games of this kind, newest first: (id, whether it is closed)."""
        query = "SELECT review_id, closed FROM games JOIN reviews USING (review_id) WHERE kind = ? ORDER BY games.opened DESC, review_id"
        with self.store.reading() as file:
            return [(game_id, closed is not None) for game_id, closed in file.execute(query, (self.kind,))]

    def join(self, game_id: str, consent: bool, nonce: str = "") -> Rater:
        """A new guesser, who has read the notice and agreed; with the same nonce once more the same one, as in ballots.join.

        Raises StudioError without consent, where the game is over or full.
        """
        if consent is not True:
            raise StudioError("Nothing is shown or stored before you agree.", "Read the notice and tick the box, or leave the page.")
        with self.store.transaction() as file:
            _, keep_days = self._kept(file, game_id)
            if known := raters.again(file, game_id, nonce):
                return known
            self._refuse_over(file, game_id)
            if raters.count(file, game_id) >= MOST_RATERS:
                raise StudioError(f"{MOST_RATERS:,} people have joined this game, and no more fit.", "Its owner can make another one.")
            return raters.added(file, game_id, clocks.joining(file, clocks.moment(self._clock)), keep_days, "", nonce)

    def joined(self, game_id: str) -> int:
        """How many have joined and not withdrawn."""
        with self.store.reading() as file:
            self._kept(file, game_id)
            return raters.count(file, game_id)

    def close(self, game_id: str) -> None:
        """Ends a game for good; withdrawing stays possible."""
        with self.store.transaction() as file:
            self._kept(file, game_id)
            file.execute("UPDATE reviews SET closed = ? WHERE review_id = ? AND closed IS NULL", (self._clock(), game_id))

    def is_closed(self, game_id: str) -> bool:
        with self.store.reading() as file:
            self._kept(file, game_id)
            return raters.is_closed(file, game_id)

    def _keep(self, value: Mapping[str, Any], keep_days: int) -> str:
        """Keeps a game for good; the same one again is the same game. Returns its id."""
        whole_hash, at = content_hash(value), clocks.moment(self._clock)
        with self.store.transaction() as file:
            clocks.look(file, at)
            game = (whole_hash[:12], self.kind, json.dumps(value, ensure_ascii=False), keep_days, at.wall)
            file.execute("INSERT OR IGNORE INTO games VALUES (?, ?, ?, ?, ?)", game)
            row = (whole_hash[:12], whole_hash, "{}", at.wall)
            file.execute("INSERT OR IGNORE INTO reviews (review_id, hash, protocol, opened) VALUES (?, ?, ?, ?)", row)
        return whole_hash[:12]

    def _body(self, game_id: str) -> tuple[dict[str, Any], str]:
        """What was kept, and the hash that it must have."""
        with self.store.reading() as file:
            body, _ = self._kept(file, game_id)
            (whole_hash,) = file.execute("SELECT hash FROM reviews WHERE review_id = ?", (game_id,)).fetchone() or ("",)
        try:
            return json.loads(body), str(whole_hash)
        except (ValueError, RecursionError) as error:
            raise StudioError("A game in the database is damaged.", "Put a copy of the database back.") from error

    def _kept(self, file: sqlite3.Connection, game_id: str) -> tuple[str, int]:
        query = "SELECT body, keep_days FROM games WHERE review_id = ? AND kind = ?"
        row = file.execute(query, (game_id, self.kind)).fetchone() if game_id.isascii() else None
        if row is None:
            raise NO_GAME
        return str(row[0]), int(row[1])

    def _who(self, file: sqlite3.Connection, token: str) -> tuple[str, int]:
        """Game and number of a guesser. Raises StudioError where the token is for something else."""
        game_id, number = raters.who(file, token)
        self._kept(file, game_id)
        return game_id, number

    def _refuse_over(self, file: sqlite3.Connection, game_id: str) -> None:
        if raters.is_closed(file, game_id):
            raise StudioError("This game is over.", "Guesses are not taken any more; you can still withdraw yours.")
