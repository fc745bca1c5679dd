"""Guesses: locked in once and for good, revealed after that, tallied without persons."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.comparing.naming import mark
from pipelines.errors import StudioError
from pipelines.records import Answer
from pipelines.review import raters
from pipelines.review.guess import LETTERS, Dealt, Game, deal
from pipelines.review.played import Played
from pipelines.review.tally import Guess, Tally, tallied

SCHEMA = """
CREATE TABLE IF NOT EXISTS guesses (
    review_id TEXT NOT NULL, rater_number INTEGER NOT NULL, round_id TEXT NOT NULL, guess TEXT NOT NULL,
    PRIMARY KEY (review_id, rater_number, round_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revealed_rounds (
    review_id TEXT NOT NULL, round_id TEXT NOT NULL, PRIMARY KEY (review_id, round_id)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Progress:
    """Where a guesser is after a reload. `next` is None where nothing can be guessed at now; `waiting`: locked in, not yet revealed."""

    locked: int
    total: int
    next: Dealt | None
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class Revealed:
    """A round after the reveal, by letter: roles, marks and stamped answers, and this guesser's own guess (empty where none)."""

    round_id: str
    roles: dict[str, str]
    marks: dict[str, str]
    answers: dict[str, Answer]
    guess: dict[str, str]

    @property
    def right(self) -> bool | None:
        """Whether everything was guessed right; None without a guess."""
        return self.guess == self.roles if self.guess else None


class Guesses(Played):
    """Guess games in `folder` (paths.reviews). Raises StudioError like Played."""

    kind = "guess"

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__(folder, SCHEMA, clock)

    def open_game(self, game: Game) -> str:
        """Keeps the game as it is; the same one again is the same game. Returns its id."""
        return self._keep(game.as_dict(), game.keep_days)

    def game(self, game_id: str) -> Game:
        """Raises StudioError where it was changed since."""
        return Game.from_dict(*self._body(game_id))

    def progress(self, token: str) -> Progress:
        """What a reload goes on with."""
        game_id, number, game = self._own(token)
        with self.store.reading() as file:
            own, shown, over = set(_guesses(file, game_id, number)), _revealed(file, game_id), raters.is_closed(file, game_id)
        following = (one for one in deal(game, token) if one.round_id not in own | shown)
        waiting = () if game.pace == "own" or over else tuple(one.id for one in game.rounds if one.id in own - shown)
        return Progress(len(own), len(game.rounds), None if over else next(following, None), waiting)

    def lock(self, token: str, round_id: str, guess: Mapping[str, str]) -> None:
        """Locks in a guess (letter -> "left", "right" or "placebo"); on the disk when this returns. The same one again is no error.

        Raises StudioError for an incomplete guess, another one than was locked in, a round that is revealed, and when the game is over.
        """
        game_id, number, game = self._own(token)
        body = json.dumps(_dealt(game, token, round_id).by_role(guess), sort_keys=True)
        with self.store.transaction() as file:
            raters.member(file, token, game_id)
            earlier = _guesses(file, game_id, number).get(round_id)
            if earlier is not None:
                if earlier != body:
                    raise StudioError("Your guess is locked in and stays as it was.", "Wait for the reveal, or go on with the next round.")
                return
            self._refuse_over(file, game_id)
            if round_id in _revealed(file, game_id):
                raise StudioError("This round is revealed already.", "Go on with the next one.")
            file.execute("INSERT INTO guesses VALUES (?, ?, ?, ?)", (game_id, number, round_id, body))

    def locked(self, game_id: str, round_id: str) -> int:
        """How many have locked in a guess for a round: all that the screen may say before the reveal."""
        self._kept_round(self.game(game_id), round_id)
        with self.store.reading() as file:
            query = "SELECT count(*) FROM guesses WHERE review_id = ? AND round_id = ?"
            return int(file.execute(query, (game_id, round_id)).fetchone()[0])

    def reveal(self, game_id: str, round_id: str) -> None:
        """For the teacher: ends a round for all. Nobody can guess at it any more."""
        self._kept_round(self.game(game_id), round_id)
        with self.store.transaction() as file:
            file.execute("INSERT OR IGNORE INTO revealed_rounds VALUES (?, ?)", (game_id, round_id))

    def revealed(self, token: str, round_id: str) -> Revealed:
        """What the letters were to this guesser. Raises StudioError before the reveal: the teacher's, or one's own guess where each
        plays at their own pace, or the game's end."""
        game_id, number, game = self._own(token)
        one = _dealt(game, token, round_id)
        with self.store.reading() as file:
            guess = _guesses(file, game_id, number).get(round_id)
            over = raters.is_closed(file, game_id) or round_id in _revealed(file, game_id)
        if not over and not (game.pace == "own" and guess is not None):
            raise StudioError(
                "This round is not revealed yet.", "Lock in your guess first; where all play together the teacher reveals it."
            )
        roles = dict(zip(LETTERS, one.roles, strict=False))
        answers = {letter: game.by_id[round_id].answer(role) for letter, role in roles.items()}
        marks = {letter: mark(answer) for letter, answer in answers.items()}
        return Revealed(round_id, roles, marks, answers, one.as_letters(json.loads(guess)) if guess else {})

    def tally(self, game_id: str) -> Tally:
        """The class's result so far. Where all play together only revealed rounds are in it, so that it gives nothing away."""
        game = self.game(game_id)
        with self.store.reading() as file:
            rows = file.execute("SELECT rater_number, round_id, guess FROM guesses WHERE review_id = ?", (game_id,)).fetchall()
            wanted = set(game.by_id) if game.pace == "own" or raters.is_closed(file, game_id) else _revealed(file, game_id)
        return tallied(game.kind, [Guess(number, round_id, json.loads(guess)) for number, round_id, guess in rows if round_id in wanted])

    def shown(self, game_id: str) -> set[str]:
        """The rounds that the teacher has revealed."""
        with self.store.reading() as file:
            return _revealed(file, game_id)

    def state(self, game_id: str) -> str:
        """A digest of all that a tally rests on: it changes with every guess, reveal and withdrawal, and with the game's end."""
        query = "SELECT rater_number, round_id, guess FROM guesses WHERE review_id = ? ORDER BY rater_number, round_id"
        with self.store.reading() as file:
            rows, closed, shown = file.execute(query, (game_id,)).fetchall(), raters.is_closed(file, game_id), _revealed(file, game_id)
        return hashlib.sha256(repr((closed, sorted(shown), rows)).encode()).hexdigest()

    def _own(self, token: str) -> tuple[str, int, Game]:
        with self.store.reading() as file:
            game_id, number = self._who(file, token)
        return game_id, number, self.game(game_id)

    def _kept_round(self, game: Game, round_id: str) -> None:
        if round_id not in game.by_id:
            raise StudioError("This round does not belong to the game.", "Reload the page.")


def _dealt(game: Game, token: str, round_id: str) -> Dealt:
    found = next((one for one in deal(game, token) if one.round_id == round_id), None)
    if found is None:
        raise StudioError("This round does not belong to the game.", "Reload the page.")
    return found


def _guesses(file: sqlite3.Connection, game_id: str, number: int) -> dict[str, str]:
    query = "SELECT round_id, guess FROM guesses WHERE review_id = ? AND rater_number = ?"
    return dict(file.execute(query, (game_id, number)).fetchall())


def _revealed(file: sqlite3.Connection, game_id: str) -> set[str]:
    return {round_id for (round_id,) in file.execute("SELECT round_id FROM revealed_rounds WHERE review_id = ?", (game_id,))}
