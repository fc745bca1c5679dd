"""What a guesser's page answers: each press and each look at the clock gives the next page. The server keeps no visitor's state."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from pipelines.errors import StudioError
from pipelines.review.ballots import Box
from pipelines.review.guess import Dealt, Game, deal
from pipelines.review.guesses import Revealed
from pipelines.review.raters import NotJoined
from studio.tabs.reviews.guesstable import Act, Seen, Table
from studio.tabs.reviews.visitor import SWEPT, Kept, less
from studio.telling import told
from studio.views import guessing as view
from studio.views import messages
from studio.views.guessing import Listed, Place

KEPT_SAFE = "Nothing was counted; try again."


Answered = tuple[str, Kept, Seen]


@dataclass(frozen=True)
class _Seat:
    """A guesser in a game: their rounds in their order, and how many they have locked in."""

    table: Table
    game_id: str
    token: str
    game: Game
    order: list[Dealt]
    locked: int

    def place(self, round_id: str) -> Place:
        return Place(self.game_id, round_id, self.at(round_id) + 1, len(self.order), self.locked)

    def at(self, round_id: str) -> int:
        """Raises StudioError where the game has no such round."""
        found = next((place for place, one in enumerate(self.order) if one.round_id == round_id), None)
        if found is None:
            raise StudioError("This round does not belong to the game.", "Reload the page.")
        return found

    def revealed(self, round_id: str) -> Revealed | None:
        """None where this guesser may not see it yet."""
        try:
            return self.table.revealed(self.token, round_id)
        except StudioError as error:
            if "not revealed" in error.message:
                return None
            raise

    def before(self, place: int) -> str:
        """The nearest round before that place that can be looked back at, "" for none."""
        return next((one.round_id for one in reversed(self.order[:place]) if self.revealed(one.round_id)), "")


def answer(table: Table, kept: Kept, act: Act) -> Answered:
    """The next page, what the browser keeps then, and what is seen. Never raises: what goes wrong is said on the page."""
    try:
        return ACTS.get(act.name, _look)(table, kept, act)
    except Exception as error:
        said = told(error, KEPT_SAFE)
    try:
        if act.name == "join" and not table.is_closed(act.game):
            return view.notice(act.game, table.game(act.game), said), kept, Seen(act.game)
        if act.name == "lock":
            page, after, seen = _look(table, kept, act)
            return said + page, after, seen
        return view.choosing(_open(table, kept), said), kept, Seen()
    except Exception:
        return view.broken(said, act.game), kept, Seen(act.game)


def opened(table: Table, kept: Kept, link: str) -> Answered:
    """The page when the stage is opened: the game of its link, else the last one, else the list."""
    game_id = link or kept.last
    return answer(table, kept, Act("look" if game_id else "list", game_id))


def ticked(table: Table, kept: Kept, seen: Seen) -> tuple[str, Seen] | None:
    """The page where it has changed by itself: a round was revealed, others have locked in, or the game is over. None where not."""
    try:
        token = kept.tokens.get(seen.game, "")
        if not seen.changes or not token:
            return None
        seat = _seat(table, seen.game, token)
        over = table.is_closed(seen.game)
        if seen.round in table.shown(seen.game) or (over and seen.stage == "waiting"):
            return _revealed(seat, seen.round)
        if over:
            return _end(seat)
        if seen.stage == "waiting":
            shown = _waiting(seat, seen.round)
            return None if shown[1] == seen else shown
    except Exception:
        return None  # the page stays; the next press says what is wrong
    return None


def withdrawn(box: Box, table: Table, kept: Kept, receipt: str, link: str) -> tuple[str, Answered | None]:
    """What is said of a withdrawal, and the page after it; None where nothing was deleted."""
    try:
        box.withdraw(receipt)
    except Exception as error:
        return told(error, "Nothing was deleted; try again."), None
    said = f"Everything of yours in that game is deleted. {SWEPT[box.is_swept()]}"
    with suppress(Exception):  # the guesses are gone, whatever can't be read after that
        kept = kept.without(*(one for one, token in kept.tokens.items() if not _is_known(table, token)))
    return messages.good(said), opened(table, kept, link)


def _list(table: Table, kept: Kept, act: Act) -> Answered:
    return view.choosing(_open(table, kept)), replace(kept, last=""), Seen()


def _look(table: Table, kept: Kept, act: Act) -> Answered:
    """Where the guesser is in a game."""
    game, kept, token = table.game(act.game), replace(kept, last=act.game), kept.tokens.get(act.game, "")
    if token and not _is_known(table, token):
        kept, token = kept.without(act.game), ""
    if not token:
        if table.is_closed(act.game):
            said = messages.info(f"“{game.title}” is over.")
            return view.choosing(_open(table, kept), said), replace(kept, last=""), Seen()
        return view.notice(act.game, game), kept, Seen(act.game)
    if act.game in kept.receipts:
        return view.receipt(act.game, kept.receipts[act.game]), kept, Seen(act.game)
    seat, progress = _seat(table, act.game, token), table.progress(token)
    if progress.waiting:
        shown = _waiting(seat, progress.waiting[0])
    elif progress.next:
        shown = _guess(seat, progress.next)
    else:
        shown = _end(seat)
    return shown[0], kept, shown[1]


def _join(table: Table, kept: Kept, act: Act) -> Answered:
    if act.game in kept.tokens and _is_known(table, kept.tokens[act.game]):
        return _look(table, kept, act)  # pressed twice: one person is one guesser
    one = table.join(act.game, act.consent, act.nonce)
    joined = Kept({**kept.tokens, act.game: one.token}, {**kept.receipts, act.game: one.receipt}, act.game)
    return _look(table, joined, act)


def _begin(table: Table, kept: Kept, act: Act) -> Answered:
    return _look(table, replace(kept, receipts=less(kept.receipts, {act.game})), act)


def _lock(table: Table, kept: Kept, act: Act) -> Answered:
    """Writes the guess, and only then says so."""
    token = kept.tokens.get(act.game, "")
    table.lock(token, act.round, act.guess)
    seat = _seat(table, act.game, token)
    page, seen = _revealed(seat, act.round) if seat.game.pace == "own" else _waiting(seat, act.round)
    return page, kept, seen


def _round(table: Table, kept: Kept, act: Act) -> Answered:
    page, seen = _revealed(_seat(table, act.game, kept.tokens.get(act.game, "")), act.round)
    return page, kept, seen


ACTS: dict[str, Callable[[Table, Kept, Act], Answered]] = {
    "list": _list, "look": _look, "next": _look, "join": _join, "begin": _begin, "lock": _lock, "round": _round,
}  # fmt: skip


def _seat(table: Table, game_id: str, token: str) -> _Seat:
    game = table.game(game_id)
    return _Seat(table, game_id, token, game, deal(game, token), table.progress(token).locked)


def _guess(seat: _Seat, one: Dealt) -> tuple[str, Seen]:
    page = view.guess(seat.place(one.round_id), one.public, seat.game.kind, seat.before(seat.at(one.round_id)))
    return page, Seen(seat.game_id, "guess", one.round_id)


def _waiting(seat: _Seat, round_id: str) -> tuple[str, Seen]:
    locked, joined = seat.table.locked(seat.game_id, round_id), seat.table.joined(seat.game_id)
    page = view.waiting(seat.place(round_id), seat.order[seat.at(round_id)].public, locked, joined)
    return page, Seen(seat.game_id, "waiting", round_id, locked, joined)


def _revealed(seat: _Seat, round_id: str) -> tuple[str, Seen]:
    """Raises StudioError where it is not revealed to this guesser yet."""
    place, last = seat.at(round_id), seat.table.progress(seat.token).next is None
    found = seat.table.revealed(seat.token, round_id)
    page = view.revealed(seat.place(round_id), seat.order[place].prompt, found, seat.before(place), last)
    return page, Seen(seat.game_id, "revealed", round_id)


def _end(seat: _Seat) -> tuple[str, Seen]:
    found = [one for dealt in seat.order if (one := seat.revealed(dealt.round_id)) and one.guess]
    over = seat.table.is_closed(seat.game_id)
    claim = seat.table.tally(seat.game_id).claim if over else ""
    page = view.finished(seat.game_id, sum(bool(one.right) for one in found), seat.locked, claim, seat.before(len(seat.order)), not over)
    return page, Seen(seat.game_id, "end")


def _open(table: Table, kept: Kept) -> list[Listed]:
    """The open games, and ended ones that this browser took part in."""
    found = []
    for game_id, closed in table.listed():
        joined = game_id in kept.tokens and _is_known(table, kept.tokens[game_id])
        if joined or not closed:
            game = table.game(game_id)
            found.append(Listed(game_id, game.title, len(game.rounds), joined, closed))
    return found


def _is_known(table: Table, token: str) -> bool:
    """Whether somebody holds this token still. Raises StudioError where the database can't be read."""
    try:
        table.progress(token)
    except NotJoined:
        return False
    return True
