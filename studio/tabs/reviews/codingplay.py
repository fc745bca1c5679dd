"""What a coder's page answers: each press is one act and gives the next page, drawn from what is on the disk.

The server keeps nothing of a visitor. Tokens, round, pair and what was marked come with every press; the codebook is the round's own and
stays here: a page tells only which version it was drawn with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pipelines.errors import StudioError
from pipelines.review.coding import Codes
from pipelines.review.raters import NotJoined
from pipelines.review.rounds import Mark
from studio.tabs.reviews.codingseat import Press, Seat, checked, found, seat_of
from studio.tabs.reviews.visitor import Kept
from studio.telling import told
from studio.views import codes as drawn
from studio.views import coding
from studio.views.coding import Place, Told

KEPT_SAFE = "Nothing was kept; what you marked and typed is still in this page. Try again."


def answer(codes: Codes, kept: Kept, press: Press) -> str:
    """The next page. Never raises: what goes wrong is said on the page."""
    try:
        return ACTS.get(press.name, _list)(codes, kept, press)
    except Exception as error:
        where = press.letter if press.letter in ("A", "B") else ""
        return _said(codes, kept, press, Told(told(error, KEPT_SAFE), where, False, press.turn))


def opened(codes: Codes, kept: Kept, place: Any) -> str:
    """The page when the stage is opened: the pair at which this browser was, or else the list of rounds."""
    press = replace(Press.read(place), name="look")
    try:
        return _look(codes, kept, press) if press.round else _list(codes, kept, press)
    except Exception:
        return answer(codes, kept, Press(turn=press.turn))  # that round or token is gone, or nothing can be read, which the list says


def _list(codes: Codes, kept: Kept, press: Press, said: Told | None = None) -> str:
    rounds = []
    for token in kept.tokens.values():
        try:
            rounds += [seat_of(codes, token, one).listed for one in codes.rounds_of(token)]
        except NotJoined:
            continue  # withdrawn or expired
    return coding.rounds(sorted(rounds, key=lambda one: one.state != "open"), said or Told(turn=press.turn))


def _open(codes: Codes, kept: Kept, press: Press) -> str:
    """The next pair that is left, or the end."""
    seat = found(codes, kept, press)
    said = Told(turn=press.turn)
    if seat.following is None or seat.listed.state == "closed":
        return coding.finished(seat.listed, said)
    return _at(seat, seat.at(seat.following.item_id), said)


def _look(codes: Codes, kept: Kept, press: Press) -> str:
    """The pair that the press names, where it names one."""
    if not press.item:
        return _open(codes, kept, press)
    seat = found(codes, kept, press)
    return _at(seat, seat.at(press.item), Told(turn=press.turn))


def _give(codes: Codes, kept: Kept, press: Press) -> str:
    """Writes a code, and only then says so. One that is there already keeps its memo."""
    seat = checked(codes, kept, press)
    place = seat.at(press.item)
    if _stands(seat, press):
        return _at(seat, place, _told(seat, press, press.span, "Kept already: {} for {}"))
    mark = codes.mark(
        press.round, seat.token, press.item, press.letter, press.code, seat.book.hash, *press.span, memo=press.memo, words=press.words
    )
    return _at(seat, place, _told(seat, press, (mark.start, mark.end), "Kept: {} for {}"))


def _stands(seat: Seat, press: Press) -> bool:
    """Whether this code has these words already; not where the words differ, which the round then refuses."""
    given = seat.given(press)
    return given is not None and press.words in ("", _text(seat, press)[given.start : given.end])


def _memo(codes: Codes, kept: Kept, press: Press) -> str:
    seat = checked(codes, kept, press)
    if seat.given(press) is None:
        raise StudioError("The code of this memo was taken away.", "Give it again, then write the memo.")
    codes.mark(press.round, seat.token, press.item, press.letter, press.code, seat.book.hash, *press.span, memo=press.memo)
    return _at(seat, seat.at(press.item), _told(seat, press, press.span, "Kept: the memo of {} for {}"))


def _take(codes: Codes, kept: Kept, press: Press) -> str:
    """Takes a code away, and offers to put it back with its memo."""
    seat = checked(codes, kept, press)
    gone = seat.given(press)
    codes.unmark(press.round, seat.token, press.item, press.letter, press.code, *press.span)
    undo = {"letter": press.letter, "code": press.code, "start": str(gone.start), "end": str(gone.end), "memo": gone.memo} if gone else None
    return _at(seat, seat.at(press.item), _told(seat, press, press.span, "Taken away: {} from {}", undo))


def _done(codes: Codes, kept: Kept, press: Press) -> str:
    before = checked(codes, kept, press)
    number = before.at(press.item)
    codes.read(press.round, before.token, press.item)
    said = Told(coding.kept(f"Kept: you are done with pair {number + 1} of {len(before.order)}."), "", True, press.turn)
    return _after(found(codes, kept, press), number, said)


def _back(codes: Codes, kept: Kept, press: Press) -> str:
    seat = found(codes, kept, press)
    return _at(seat, max(0, seat.at(press.item) - 1), Told(turn=press.turn))


def _next(codes: Codes, kept: Kept, press: Press) -> str:
    seat = found(codes, kept, press)
    return _after(seat, seat.at(press.item), Told(turn=press.turn))


def _last(codes: Codes, kept: Kept, press: Press) -> str:
    seat = found(codes, kept, press)
    return _at(seat, len(seat.order) - 1, Told(turn=press.turn))


ACTS: dict[str, Callable[[Codes, Kept, Press], str]] = {
    "list": _list, "open": _open, "look": _look, "give": _give, "memo": _memo, "take": _take, "done": _done,
    "back": _back, "next": _next, "last": _last,
}  # fmt: skip


def _said(codes: Codes, kept: Kept, press: Press, said: Told) -> str:
    """The page that was there, with a sentence on it."""
    try:
        if press.item and press.round:
            seat = found(codes, kept, press)
            return _at(seat, seat.at(press.item), said)
        return _list(codes, kept, press, replace(said, where=""))
    except NotJoined:
        return _list(codes, kept, press, replace(said, where=""))
    except Exception:
        return coding.broken(replace(said, where=""), press.round)


def _after(seat: Seat, number: int, said: Told) -> str:
    """The pair that follows; after the last one the first that is left, or the end."""
    if number + 1 < len(seat.order):
        return _at(seat, number + 1, said)
    if seat.following is not None and seat.listed.state == "open":
        return _at(seat, seat.at(seat.following.item_id), said)
    return coding.finished(seat.listed, said)


def _at(seat: Seat, number: int, said: Told) -> str:
    one = seat.order[number]
    place = Place(seat.listed, number + 1, one.item_id in seat.read)
    return coding.pair(place, one.public, seat.book, seat.marks(one.item_id), said)


def _text(seat: Seat, press: Press) -> str:
    return seat.order[seat.at(press.item)].public.get(press.letter, "")


def _told(seat: Seat, press: Press, span: tuple[int, int], said: str, undo: dict[str, str] | None = None) -> Told:
    """What a press did to a code, said under its answer."""
    what = drawn.quoted(_text(seat, press), Mark(press.letter, press.code, *span, ""))
    text = said.format(f"“{seat.book.find(press.code).name}”", what)
    return Told(coding.kept(text, undo), press.letter, True, press.turn)
