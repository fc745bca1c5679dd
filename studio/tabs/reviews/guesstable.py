"""The guess games of this studio, and what a guesser's page sends and shows. Anything may come from a browser, so it is read with care."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.review.guess import Game
from pipelines.review.guesses import Guesses
from pipelines.review.tally import Tally
from studio.tabs.reviews.visitor import word_of, words_of

MOST_COUNTED = 32  # games whose tally is kept


class Table(Guesses):
    """The guess games of this studio. A game never changes, so it is read and checked once: thirty pages look every few seconds.

    A tally takes a third of a second with a large class, so it is counted once for the same guesses, whoever asks.
    """

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self._read: dict[str, Game] = {}
        self._counted: dict[str, tuple[str, Tally]] = {}
        self._counting = threading.Lock()

    def game(self, game_id: str) -> Game:
        if game_id not in self._read:
            self._read[game_id] = super().game(game_id)
        return self._read[game_id]

    def tally(self, game_id: str) -> Tally:
        """As `Guesses.tally`, counted anew only where a guess, a reveal or the game's end has changed it; the last MOST_COUNTED are kept."""
        with self._counting:  # a class that comes to the end together waits for one count
            before = self.state(game_id)
            kept = self._counted.get(game_id)
            if kept is None or kept[0] != before:
                kept = before, super().tally(game_id)
                if self.state(game_id) == before:
                    self._keep_counted(game_id, kept)
            return kept[1]

    def _keep_counted(self, game_id: str, counted: tuple[str, Tally]) -> None:
        self._counted.pop(game_id, None)
        self._counted[game_id] = counted
        if len(self._counted) > MOST_COUNTED:
            del self._counted[next(iter(self._counted))]


@dataclass(frozen=True)
class Act:
    """One press: what is wanted, of which game and round, and the guess."""

    name: str = "look"
    game: str = ""
    round: str = ""
    guess: Mapping[str, str] = field(default_factory=dict)
    consent: bool = False
    nonce: str = ""

    @classmethod
    def read(cls, value: Any) -> Act:
        """Whatever a browser sends."""
        found = value if isinstance(value, dict) else {}
        name, game, one, nonce = (word_of(found.get(part)) for part in ("act", "game", "round", "nonce"))
        return cls(name or "look", game, one, words_of(found.get("guess")), found.get("consent") is True, nonce)


@dataclass(frozen=True)
class Seen:
    """What a page shows: the clock only looks after pages that change by themselves ("guess" and "waiting")."""

    game: str = ""
    stage: str = ""
    round: str = ""
    locked: int = 0
    joined: int = 0

    @property
    def changes(self) -> bool:
        return self.stage in ("guess", "waiting")
