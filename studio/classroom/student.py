"""The student's page: the door with the class code, the card that is open, what it was. Anything may come from a phone; nothing of it is believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipelines.classroom import code as codes
from pipelines.errors import StudioError
from studio import languages
from studio.classroom.script import MEMORY, PLAY_JS
from studio.ratelimit import Visitor
from studio.tabs.comparing.choosing import QUIETLY, named
from studio.tabs.reviews.visitor import Kept, word_of
from studio.telling import told
from studio.views import classcard as view
from studio.views import messages

if TYPE_CHECKING:
    from studio.classroom.room import Room

POLL_SECONDS = 2.0
DELETED = "Everything of yours in this class is deleted."


@dataclass(frozen=True)
class Seen:
    """What a page shows: whoever has not joined sees nothing of how far the class is."""

    class_id: str = ""
    is_in: bool = False
    card: str = ""
    is_revealed: bool = False
    is_over: bool = False


@dataclass(frozen=True)
class Tap:
    """One tap: what is wanted, in which class and of which card, and what was said."""

    act: str
    class_id: str
    card: str
    said: Any
    code: str
    consent: bool
    nonce: str

    @classmethod
    def read(cls, value: Any) -> Tap:
        found = value if isinstance(value, dict) else {}
        act, class_id, card, typed, nonce = (word_of(found.get(name)) for name in ("act", "class", "card", "code", "nonce"))
        return cls(act, class_id, card, found.get("said"), typed, found.get("consent") is True, nonce)


Answered = tuple[str, Kept, Seen]


def build(room: Room, page: gr.Blocks) -> None:
    """Lays out the page and wires it: loading, a tap, and the look every two seconds."""
    student = gr.BrowserState(**MEMORY)
    gr.HTML(view.HEAD.format(languages.choice()), padding=False)
    languages.build(page)
    shown, seen = gr.HTML(elem_id="class", padding=False, js_on_load=PLAY_JS), gr.State(Seen())
    clock = gr.Timer(POLL_SECONDS)
    outputs = [shown, student, seen]

    def tap(kept: Any, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        before = Kept.read(kept)
        return _told(before, answer(room, before, Tap.read(event._data), Visitor.of(request, True)), request)

    def look(kept: Any, request: gr.Request) -> tuple[Any, ...]:
        before = Kept.read(kept)
        return _told(before, here(room, before, named(request, "code")), request)

    def reread(kept: Any, request: gr.Request) -> tuple[Any, ...]:
        own = isinstance(kept, dict) and kept.get("page") == request.session_hash
        return (gr.skip(),) * len(outputs) if own else look(kept, request)

    def tick(kept: Any, one: Seen, request: gr.Request) -> tuple[Any, ...]:
        before = Kept.read(kept)
        return (gr.skip(),) * len(outputs) if _standing(room, before) == one else look(kept, request)

    page.load(look, student, outputs, **QUIETLY)
    shown.click(tap, student, outputs, **QUIETLY)
    student.change(reread, student, outputs, **QUIETLY)
    clock.tick(tick, [student, seen], outputs, concurrency_limit=None, **QUIETLY)


def _told(before: Kept, answered: Answered, request: gr.Request) -> tuple[Any, ...]:
    """Updates of the page, of what the browser keeps (only where it changed), and of what is seen."""
    shown, after, seen = answered
    return shown, gr.skip() if after == before else {**after.as_dict(), "page": request.session_hash}, seen


def answer(room: Room, kept: Kept, tap: Tap, visitor: Visitor) -> Answered:
    """The next page, what the browser keeps then, and what is seen. Never raises: what goes wrong is said on the page."""
    try:
        return ACTS.get(tap.act, _look)(room, kept, tap, visitor)
    except Exception as error:
        return here(room, kept, codes.plain(tap.code) if tap.act == "join" else "", told(error, "Nothing was counted; try again."))


def here(room: Room, kept: Kept, typed: str = "", said: str = "") -> Answered:
    """Where this student is now."""
    seen = _standing(room, kept)
    try:
        if not seen.class_id:
            return view.closed(said), kept, seen
        about = room.table.about(seen.class_id)
        if not seen.is_in:
            shown = (
                view.over(about.title, seen.class_id, False, said) if seen.is_over else view.door(about.title, seen.class_id, typed, said)
            )
            return shown, kept, seen
        return _inside(room, kept.tokens[seen.class_id], seen, about.title, said), kept, seen
    except Exception as error:
        return view.broken(said or told(error, "Try again."), seen.class_id), kept, replace(seen, card="?")


def _standing(room: Room, kept: Kept) -> Seen:
    """What the page of this student has to show; compared with what it shows every two seconds."""
    class_id = room.current
    if not class_id:
        return Seen()
    try:
        state = room.table.state(class_id)
        token = kept.tokens.get(class_id, "")
        if token and room.table.knows(token, class_id):
            return Seen(class_id, True, state.card, state.is_revealed, state.is_over)
        return Seen(class_id, False, is_over=state.is_over)
    except StudioError:
        return Seen(class_id, card="?")


def _inside(room: Room, token: str, seen: Seen, title: str, said: str) -> str:
    if seen.is_over:
        return view.over(title, seen.class_id, True, said)
    if not seen.card:
        return view.lobby(title, seen.class_id, said)
    card, own = room.table.card(seen.class_id, seen.card), room.table.own(token, seen.card)
    letters = card.hand(seen.class_id, token)
    if seen.is_revealed:
        return view.revealed(seen.class_id, card, letters, own, room.table.counted(seen.class_id, seen.card), said)
    return view.asked(seen.class_id, card, letters, own, said)


def _look(room: Room, kept: Kept, tap: Tap, visitor: Visitor) -> Answered:
    return here(room, kept)


def _join(room: Room, kept: Kept, tap: Tap, visitor: Visitor) -> Answered:
    """Lets a phone in that shows the code and has agreed. Tapped twice it is the same student."""
    class_id = room.current
    if not (class_id in kept.tokens and room.table.knows(kept.tokens[class_id], class_id)):
        room.let_in(visitor, tap.code)
        one = room.table.join(class_id, tap.consent, tap.nonce)
        kept = Kept({**kept.tokens, class_id: one.token}, {**kept.receipts, class_id: one.receipt}, class_id)
    return here(room, kept)


def _said(room: Room, kept: Kept, tap: Tap, visitor: Visitor) -> Answered:
    """Writes the reply, and only then says so."""
    room.table.reply(kept.tokens.get(tap.class_id, ""), tap.card, tap.said)
    return here(room, kept)


def _delete(room: Room, kept: Kept, tap: Tap, visitor: Visitor) -> Answered:
    """Withdraws everything of this student's in the class."""
    room.services.box.withdraw(kept.receipts.get(tap.class_id, ""))
    return here(room, kept.without(tap.class_id), said=messages.good(DELETED))


ACTS: dict[str, Callable[..., Answered]] = {
    "look": _look, "join": _join, "choose": _said, "lock": _said, "delete": _delete,
}  # fmt: skip
