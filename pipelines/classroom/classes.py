"""Classes in the database that reviews share: which card is open, what is revealed, and what was tapped. On the disk before it is confirmed.

A class is one more kind of game (review/played.py): its students are raters without names, so withdrawal and expiry clear their replies as
they clear ballots. Cards are kept with the class, the answers sealed in them, so that it goes on as it was after the studio was killed.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.classroom import tally
from pipelines.classroom.code import new_code
from pipelines.classroom.deck import Card, Deck
from pipelines.classroom.tally import Counted
from pipelines.errors import StudioError
from pipelines.paths import content_hash
from pipelines.review import raters
from pipelines.review.guess import ROLES
from pipelines.review.played import Played

KEEP_DAYS = 30
SCHEMA = """
CREATE TABLE IF NOT EXISTS class_cards (
    review_id TEXT NOT NULL, card_id TEXT NOT NULL, place REAL NOT NULL, body TEXT NOT NULL, revealed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (review_id, card_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS class_now (
    review_id TEXT PRIMARY KEY, card_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS class_replies (
    review_id TEXT NOT NULL, rater_number INTEGER NOT NULL, card_id TEXT NOT NULL, reply TEXT NOT NULL,
    PRIMARY KEY (review_id, rater_number, card_id)
) WITHOUT ROWID;
"""
OF_CARD = "review_id = ? AND card_id = ?"
NO_CARD = StudioError("This card does not belong to the class.", "Load the page again.")
NOT_NOW = StudioError("This card is not open any more.", "Your earlier answers are kept; go on with the card that is shown.")
NOT_ONE_OF_THEM = StudioError("This can't be answered to the card.", "Choose one of the answers that it offers.")


@dataclass(frozen=True)
class About:
    """What a class is called, and the code that lets phones in."""

    title: str
    code: str
    opened: str


@dataclass(frozen=True)
class State:
    """Where a class is: the card in front of it ("" before the first), whether that is revealed, and whether the class is over."""

    card: str = ""
    is_revealed: bool = False
    is_over: bool = False


class Classes(Played):
    """Classes in `folder` (paths.reviews). Raises StudioError like Played."""

    kind = "class"

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__(folder, SCHEMA, clock)

    def open_class(self, deck: Deck) -> str:
        """A new class under a code of its own, before its first card. Returns its id."""
        value = {"title": deck.title, "code": new_code(), "opened": datetime.now(UTC).isoformat(timespec="microseconds")}
        made = content_hash(value)[:12]
        cards = [(made, card.id, float(place), _written(card)) for place, card in enumerate(deck.cards)]
        with self.store.transaction() as file:  # first the cards: a class that is there has all of them
            file.executemany("INSERT OR IGNORE INTO class_cards (review_id, card_id, place, body) VALUES (?, ?, ?, ?)", cards)
        return self._keep(value, KEEP_DAYS)

    def about(self, class_id: str) -> About:
        """Raises StudioError where it was changed since."""
        value, wanted = self._body(class_id)
        if content_hash(value) != wanted:
            raise StudioError("This class was changed after it was opened.", "Open another one.")
        return About(value["title"], value["code"], value["opened"])

    def state(self, class_id: str) -> State:
        """Asked by every phone every two seconds, so it is one small reading."""
        with self.store.reading() as file:
            self._kept(file, class_id)
            return _state(file, class_id)

    def cards(self, class_id: str) -> list[Card]:
        """In the order in which they are played, the class's own questions among them."""
        with self.store.reading() as file:
            self._kept(file, class_id)
            found = file.execute("SELECT body FROM class_cards WHERE review_id = ? ORDER BY place, card_id", (class_id,)).fetchall()
        return [_read(body) for (body,) in found]

    def card(self, class_id: str, card_id: str) -> Card:
        with self.store.reading() as file:
            return _card(file, class_id, card_id)

    def show(self, class_id: str, card_id: str) -> None:
        """For the teacher: puts a card in front of the class."""
        with self.store.transaction() as file:
            self._refuse_over(file, class_id)
            _card(file, class_id, card_id)
            file.execute("INSERT OR REPLACE INTO class_now VALUES (?, ?)", (class_id, card_id))

    def reveal(self, class_id: str, card_id: str) -> None:
        """For the teacher: what was hidden is shown to all, and replies to this card are not taken any more."""
        with self.store.transaction() as file:
            _card(file, class_id, card_id)
            file.execute(f"UPDATE class_cards SET revealed = 1 WHERE {OF_CARD}", (class_id, card_id))

    def add(self, class_id: str, card: Card, is_revealed: bool = False) -> None:
        """Puts one more card in front of the class, right after the one that is there."""
        with self.store.transaction() as file:
            self._refuse_over(file, class_id)
            order = file.execute("SELECT card_id, place FROM class_cards WHERE review_id = ? ORDER BY place", (class_id,)).fetchall()
            place = _between(order, _state(file, class_id).card)
            row = (class_id, card.id, place, _written(card), int(is_revealed))
            file.execute("INSERT INTO class_cards (review_id, card_id, place, body, revealed) VALUES (?, ?, ?, ?, ?)", row)
            file.execute("INSERT OR REPLACE INTO class_now VALUES (?, ?)", (class_id, card.id))

    def reply(self, token: str, card_id: str, said: Any) -> None:
        """Counts a student's reply, on the disk when this returns; the last one before the reveal counts.

        `said` is the number of a choice, a letter, or in a guess a role for every letter. Raises StudioError where the card is not open.
        """
        with self.store.transaction() as file:
            class_id, number = self._who(file, token)
            self._refuse_over(file, class_id)
            now = _state(file, class_id)
            if now.card != card_id or now.is_revealed:
                raise NOT_NOW
            body = json.dumps(meant(_card(file, class_id, card_id), class_id, token, said), sort_keys=True)
            file.execute("INSERT OR REPLACE INTO class_replies VALUES (?, ?, ?, ?)", (class_id, number, card_id, body))

    def own(self, token: str, card_id: str) -> Any:
        """A student's own reply to a card, as it is counted; None without one. Raises NotJoined for an unknown token."""
        with self.store.reading() as file:
            class_id, number = self._who(file, token)
            query = f"SELECT reply FROM class_replies WHERE {OF_CARD} AND rater_number = ?"
            row = file.execute(query, (class_id, card_id, number)).fetchone()
        return json.loads(row[0]) if row else None

    def answered(self, class_id: str, card_id: str) -> int:
        """How many have replied to a card: all that may be told before the reveal."""
        with self.store.reading() as file:
            return int(file.execute(f"SELECT count(*) FROM class_replies WHERE {OF_CARD}", (class_id, card_id)).fetchone()[0])

    def counted(self, class_id: str, card_id: str) -> Counted:
        """The totals of a card. Before its reveal there is only how many have replied."""
        with self.store.reading() as file:
            card = _card(file, class_id, card_id)
            shown = file.execute(f"SELECT revealed FROM class_cards WHERE {OF_CARD}", (class_id, card_id)).fetchone()[0]
            found = file.execute(f"SELECT reply FROM class_replies WHERE {OF_CARD}", (class_id, card_id)).fetchall()
        return tally.counted(card, [json.loads(reply) for (reply,) in found]) if shown else Counted(len(found))

    def played(self, class_id: str) -> list[tuple[Card, Counted]]:
        """The cards that were revealed, with their totals."""
        with self.store.reading() as file:
            shown = {one for (one,) in file.execute("SELECT card_id FROM class_cards WHERE review_id = ? AND revealed", (class_id,))}
        return [(card, self.counted(class_id, card.id)) for card in self.cards(class_id) if card.id in shown]

    def knows(self, token: str, class_id: str) -> bool:
        """Whether a student holds this token in this class still."""
        try:
            with self.store.reading() as file:
                return raters.who(file, token)[0] == class_id
        except raters.NotJoined:
            return False

    def unfinished(self) -> list[str]:
        """Classes that were not ended, newest first."""
        return [class_id for class_id, over in self.listed() if not over]

    def _refuse_over(self, file: sqlite3.Connection, game_id: str) -> None:
        if raters.is_closed(file, game_id):
            raise StudioError("This class is over.", "Nothing is counted any more; you can still delete your answers.")


def meant(card: Card, class_id: str, token: str, said: Any) -> Any:
    """A reply apart from the letters under which this student read: what is kept. Raises StudioError for what the card does not offer."""
    if card.kind == "guess":
        letters, given = card.hand(class_id, token), said if isinstance(said, dict) else {}
        if set(given) != set(letters) or sorted(map(str, given.values())) != sorted(ROLES):
            raise StudioError("The guess is not complete.", "Give each answer another role: left, right and placebo.")
        return {role: given[letter] for letter, role in letters.items()}
    if card.find:
        found = card.hand(class_id, token).get(said) if isinstance(said, str) else None
        if found is None:
            raise NOT_ONE_OF_THEM
        return found
    if isinstance(said, bool) or not isinstance(said, int) or not 0 <= said < len(card.choices):
        raise NOT_ONE_OF_THEM
    return said


def _state(file: sqlite3.Connection, class_id: str) -> State:
    query = (
        "SELECT ifnull(class_now.card_id, ''), ifnull(revealed, 0), closed FROM reviews LEFT JOIN class_now USING (review_id) "
        "LEFT JOIN class_cards ON class_cards.review_id = reviews.review_id AND class_cards.card_id = class_now.card_id "
        "WHERE reviews.review_id = ?"
    )
    card, revealed, closed = file.execute(query, (class_id,)).fetchone()
    return State(card, bool(revealed), closed is not None)


def _card(file: sqlite3.Connection, class_id: str, card_id: str) -> Card:
    row = file.execute(f"SELECT body FROM class_cards WHERE {OF_CARD}", (class_id, card_id)).fetchone()
    if row is None:
        raise NO_CARD
    return _read(row[0])


def _written(card: Card) -> str:
    return json.dumps(card.as_dict(), ensure_ascii=False)


def _read(body: str) -> Card:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise StudioError("A card of the class is damaged.", "Put a copy of the database back, or open a new class.") from error
    return Card.from_dict(value)


def _between(order: Sequence[tuple[str, float]], now: str) -> float:
    """A place after the card that is there, before the next one."""
    places = [place for _, place in order]
    at = next((number for number, (card_id, _) in enumerate(order) if card_id == now), -1)
    before = places[at] if at >= 0 else (places[0] - 2 if places else 0.0)
    after = places[at + 1] if at + 1 < len(places) else before + 2
    return (before + after) / 2
