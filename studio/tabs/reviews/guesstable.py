"""The guess games of this studio, and what a guesser's page sends and shows. Anything may come from a browser, so it is read with care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.review.guess import Game
from pipelines.review.guesses import Guesses
from studio.tabs.reviews.visitor import word_of, words_of


class Table(Guesses):
    """The guess games of this studio. A game never changes, so it is read and checked once: thirty pages look every few seconds."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self._read: dict[str, Game] = {}

    def game(self, game_id: str) -> Game:
        if game_id not in self._read:
            self._read[game_id] = super().game(game_id)
        return self._read[game_id]

    def shown(self, game_id: str) -> set[str]:
        """The rounds that the teacher has revealed."""
        with self.store.reading() as file:
            return {one for (one,) in file.execute("SELECT round_id FROM revealed_rounds WHERE review_id = ?", (game_id,))}


@dataclass(frozen=True)
class Act:
    """One press: what is wanted, of which game and round, and the guess."""

    name: str = "look"
    game: str = ""
    round: str = ""
    guess: Mapping[str, str] = field(default_factory=dict)
    consent: bool = False

    @classmethod
    def read(cls, value: Any) -> Act:
        """Whatever a browser sends."""
        found = value if isinstance(value, dict) else {}
        name, game, one = (word_of(found.get(part)) for part in ("act", "game", "round"))
        return cls(name or "look", game, one, words_of(found.get("guess")), found.get("consent") is True)


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
