"""What the teacher's buttons do: open a class, go from card to card, reveal, ask the class's own question, end, take the totals along."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import gradio as gr

from pipelines import bundled
from pipelines.classroom import printed, tally
from pipelines.classroom.deck import KINDS, LIVE, PAPER, Card, Deck, live_card, read_deck
from pipelines.comparing.comparison import LONGEST_QUESTION, Turn
from pipelines.errors import Cancelled, StudioError
from pipelines.models.host import Row
from pipelines.records import Answer, Sampling
from studio.classroom.room import NONE_OPEN, Opened, Room
from studio.services import BASE_NAME, Services
from studio.tabs.comparing.answering import checked
from studio.tabs.wiring import Updates
from studio.views import classboard as view
from studio.views import messages
from studio.views.classboard import Place

COLUMNS = (BASE_NAME, *bundled.BUNDLED_SIDES)
NEXT, FIRST, END, SURE = "Next card", "First card", "End the class", "Press again to end it"
SHOWN = ("setup", "stage", "door", "board", "back", "reveal", "next", "end", "screen", "clock", "warned", "earlier", "go_on", "take")
NOT_ASKED = StudioError("The question was not answered.", "Ask again.")


@dataclass(frozen=True)
class Screen:
    """What the teacher's page shows; a page that shows the same is let alone."""

    class_id: str = ""
    card: str = ""
    is_revealed: bool = False
    joined: int = 0
    answered: int = 0
    addresses: tuple[str, ...] = ()
    on_paper: bool = False


@cache
def deck() -> Deck:
    """The deck that ships with the studio; it is read once."""
    return read_deck()


def offered() -> list[tuple[str, str]]:
    """(what a card is, its id), in the order of the deck."""
    return [(f"{number} {KINDS[card.kind]}: {_short(card.ask)}", card.id) for number, card in enumerate(deck().cards, 1)]


def begin(room: Room, title: str | None, chosen: Sequence[str] | None) -> Updates:
    """Opens a class with the chosen cards."""
    room.open(deck().only(chosen or ()).called(title or ""))
    return {**shown(room), "said": messages.good("The class is open. Show this page to the class.")}


def go_on(room: Room, class_id: str | None) -> Updates:
    """Goes on with a class that was not ended."""
    if not class_id:
        raise StudioError("No earlier class is chosen.", "Choose one, or open a new one.")
    room.go_on(class_id)
    return {**shown(room), "said": messages.good("The class goes on where it was; phones that had joined are still in.")}


def shown(room: Room, on_paper: bool = False) -> Updates:
    """Everything as it is now, also after the page was loaded again."""
    opened = room.opened
    if opened is None:
        left = [(room.table.about(one).title + f" · {room.table.joined(one)} joined", one) for one in room.table.unfinished()[:10]]
        earlier = gr.update(choices=left, value=left[0][1] if left else None, visible=bool(left))
        hidden = {"stage": gr.update(visible=False), "screen": Screen(), "clock": gr.Timer(active=False), "warned": ""}
        return {**hidden, "setup": gr.update(visible=True), "earlier": earlier, "go_on": gr.update(visible=bool(left)), **_take(room)}
    cards, screen = room.table.cards(opened.class_id), _screen(room, opened, on_paper)
    at = _at(cards, screen.card)
    return {
        **_drawn(room, opened, cards, screen),
        **_take(room),
        "setup": gr.update(visible=False),
        "stage": gr.update(visible=True),
        "back": gr.update(interactive=at > 0),
        "reveal": gr.update(interactive=at >= 0 and not screen.is_revealed),
        "next": gr.update(value=NEXT if at >= 0 else FIRST, interactive=at + 1 < len(cards)),
        "end": END,
        "clock": gr.Timer(active=True),
        "warned": "",
    }


def ticked(room: Room, before: Screen, on_paper: bool) -> Updates:
    """The same card anew where more have joined or answered; everything where another of the teacher's pages went on."""
    opened = room.opened
    if opened is None:
        return shown(room)
    now = _screen(room, opened, on_paper)
    if now == before:
        return {"screen": now}
    if (now.class_id, now.card, now.is_revealed) != (before.class_id, before.card, before.is_revealed):
        return shown(room, on_paper)
    return _drawn(room, opened, room.table.cards(opened.class_id), now)


def step(room: Room, by: int, on_paper: bool) -> Updates:
    """The next card, or the one before."""
    opened = _opened(room)
    cards = room.table.cards(opened.class_id)
    at = _at(cards, room.table.state(opened.class_id).card) + by
    if 0 <= at < len(cards):
        room.table.show(opened.class_id, cards[at].id)
    return {**shown(room, on_paper), "said": ""}


def reveal(room: Room, before: Screen, on_paper: bool) -> Updates:
    """Reveals the card that this page shows, also where another of the teacher's pages has gone on meanwhile."""
    opened = _opened(room)
    if before.card:
        room.table.reveal(opened.class_id, before.card)
    return {**shown(room, on_paper), "said": ""}


def end(room: Room, warned: str) -> Updates:
    """Ends the class at the second press."""
    opened = _opened(room)
    if warned != opened.class_id:
        said = messages.info("Nobody can answer any more then. Take the results along before or after. Press once more to end the class.")
        return {"warned": opened.class_id, "end": SURE, "said": said}
    joined = room.table.joined(opened.class_id)
    room.end()
    return {**shown(room), "said": view.over(joined)}


def ask(services: Services, room: Room, question: str | None, open_at_once: bool, session: str, on_paper: bool) -> Updates:
    """The class's own question: answered once by base, left, right and placebo, however many phones then show it."""
    opened = _opened(room)
    text = checked(question, "question", LONGEST_QUESTION)
    if not room.asking.acquire(blocking=False):
        raise StudioError("A question of the class is being answered already.", "Wait until its answers are on the screen.")
    try:
        turn = Turn(text, tuple(_answers(services, text, session)))
        cards = room.table.cards(opened.class_id)
        number = sum(card.id.startswith(LIVE) for card in cards) + 1
        room.table.add(opened.class_id, live_card(number, turn, COLUMNS, open_at_once), open_at_once)
    finally:
        room.asking.release()
    return {**shown(room, on_paper), "question": "", "said": messages.good("The answers are on the screen and on every phone.")}


def _answers(services: Services, question: str, session: str) -> Sequence[Answer]:
    columns, sampling = services.columns(list(COLUMNS)), Sampling()
    rows = [Row(column, [{"role": "user", "content": question}], sampling.seed) for column in columns]
    if len(columns) < len(COLUMNS):
        raise StudioError("A column that ships with the studio is missing.", "`python -m pipelines doctor` says which.")
    last = None
    with services.asking(session) as stop:
        for last in services.answers.ask(rows, sampling, stop, session or threading.current_thread().name):
            pass
    if last is None or last.stopped:
        raise Cancelled
    if len(last.answers) < len(rows):
        raise NOT_ASKED
    return last.answers


def results(room: Room, kind: str) -> Updates:
    """The totals as a file for the browser: of the class that is open, else of the last one."""
    wanted = room.opened.class_id if room.opened else next((one for one, _ in room.table.listed()), "")
    if not wanted:
        raise StudioError("There was no class yet.", "Open one first.")
    played = room.table.played(wanted)
    if not played:
        raise StudioError("No card is revealed yet, so there are no results.", "Reveal a card first.")
    text = tally.as_csv(played) if kind == "csv" else tally.as_json(room.table.about(wanted).title, room.table.joined(wanted), played)
    return {"file": _file(f"class-results.{kind}", text, "text/csv" if kind == "csv" else "application/json")}


def ballots(title: str | None, chosen: Sequence[str] | None) -> Updates:
    """The chosen cards for printing."""
    return {"file": _file("class-ballots.html", printed.page(deck().only(chosen or ()).called(title or "")), "text/html")}


def _take(room: Room) -> Updates:
    """Whether there is a class whose results can be taken along."""
    return {"take": gr.update(visible=bool(room.table.listed()))}


def _file(name: str, text: str, kind: str) -> str:
    """What the page's script saves; it is never a file on this side."""
    return json.dumps({"name": name, "text": text, "type": f"{kind};charset=utf-8"}, ensure_ascii=False)


def _opened(room: Room) -> Opened:
    if (opened := room.opened) is None:
        raise NONE_OPEN
    return opened


def _screen(room: Room, opened: Opened, on_paper: bool) -> Screen:
    state = room.table.state(opened.class_id)
    answered = room.table.answered(opened.class_id, state.card) if state.card else 0
    return Screen(
        opened.class_id, state.card, state.is_revealed, room.table.joined(opened.class_id), answered, opened.addresses, bool(on_paper)
    )


def _drawn(room: Room, opened: Opened, cards: Sequence[Card], screen: Screen) -> Updates:
    """Door and board."""
    at = _at(cards, screen.card)
    place = Place(at + 1, len(cards), screen.joined, screen.answered)
    door = view.door(opened.link, opened.addresses, opened.code, place)
    if at < 0:
        return {"door": door, "board": view.waiting(), "screen": screen}
    card = cards[at]
    letters = card.hand(opened.class_id, PAPER)
    if screen.is_revealed:
        board = view.revealed(card, letters, place, room.table.counted(opened.class_id, card.id), screen.on_paper)
    else:
        board = view.asked(card, letters, place, screen.on_paper)
    return {"door": door, "board": board, "screen": screen}


def _at(cards: Sequence[Card], card_id: str) -> int:
    """The place of a card; -1 before the first."""
    return next((place for place, card in enumerate(cards) if card.id == card_id), -1)


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"
