"""The screen in front of a class: where phones find it, the card, how many have answered, and after the reveal what it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from pipelines.classroom import code as codes
from pipelines.classroom.deck import KINDS, Card
from pipelines.classroom.tally import Counted
from pipelines.comparing.naming import mark, title
from studio.classroom import qr
from studio.theme import colour
from studio.views import messages
from studio.views.classbars import bars, people

NO_NETWORK = "This computer is in no network that phones could reach. Connect it to the classroom’s Wi-Fi, or open a hotspot; this page then shows the address."
BLOCKED = (
    "If a phone finds nothing: is it in the same network (not in a guest network, not on mobile data)? Some school networks keep devices apart; a "
    "hotspot of this computer or of a phone does not. A firewall may ask whether to allow Python: allow it for this network."
)
ON_PHONES = "The answers are on each phone, under letters of its own, so that neighbors can’t copy."


@dataclass(frozen=True)
class Place:
    """Card `number` (from 1, 0 before the first) of `total`; how many have joined, and answered this card."""

    number: int
    total: int
    joined: int
    answered: int = 0


def door(link: str, addresses: tuple[str, ...], code: str, place: Place) -> str:
    """Address, QR code and class code, large enough for the last row; folded once the cards have begun."""
    if not addresses:
        return messages.error(NO_NETWORK)
    others = f'<p class="ps-note">Also {escape(", ".join(addresses[1:]))}</p>' if addresses[1:] else ""
    inner = (
        f'<div class="ps-class-door"><div class="ps-class-qr">{qr.as_svg(link)}</div><div><p class="ps-class-step">Scan, or open</p>'
        f'<p class="ps-class-address">{escape(addresses[0])}</p>{others}<p class="ps-class-step">Class code</p>'
        f'<p class="ps-class-letters">{escape(codes.spaced(code))}</p></div></div><p class="ps-note">{BLOCKED}</p>'
    )
    opened = " open" if not place.number else ""
    head = f"{people(place.joined)} joined · {escape(addresses[0])} · code {escape(codes.spaced(code))}"
    return f'<details class="ps-class-way"{opened}><summary>{head}</summary>{inner}</details>'


def waiting() -> str:
    """Before the first card."""
    return '<p class="ps-class-big">Join with your phone. The first card comes when all are in.</p>'


def asked(card: Card, letters: Mapping[str, str], place: Place, on_paper: bool) -> str:
    """A card before its reveal. What stands on each phone under letters of its own is on the screen only for ballots on paper."""
    shown = letters if card.hide != "answers" and (on_paper or card.kind != "guess") else {}
    cards = "".join(_answer(card, column, letter if card.hide == "names" else "") for letter, column in shown.items())
    choices = "".join(f"<li>{escape(one)}</li>" for one in card.choices)
    hint = messages.note(ON_PHONES) if card.kind == "guess" and not shown else ""
    return f"{_top(card, place)}{hint}{_row(cards, len(shown))}{f'<ol class=ps-class-list>{choices}</ol>' if choices else ''}{_progress(card, place, on_paper)}"


def revealed(card: Card, letters: Mapping[str, str], place: Place, found: Counted, on_paper: bool = False) -> str:
    """The same card with what it was, and the class's totals."""
    under_letters = card.find or (on_paper and card.hide == "names")
    shown = list(letters.items()) if under_letters else [("", column) for column in card.columns]
    cards = "".join(_answer(card, column, letter, True) for letter, column in shown)
    told = f'<p class="ps-class-told">{escape(card.told)}</p>' if card.told else ""
    return f"{_top(card, place)}{told}{bars(found)}{_row(cards, len(shown))}"


def over(joined: int) -> str:
    """After the end."""
    return messages.good(f"The class is over. {people(joined)} taken part.")


def _top(card: Card, place: Place) -> str:
    asked = f'<p class="ps-class-asked">Asked: <q>{escape(card.question)}</q></p>' if card.question else ""
    return f'<p class="ps-class-kind">Card {place.number} of {place.total} · {KINDS[card.kind]}</p><p class="ps-class-big">{escape(card.ask)}</p>{asked}'


def _progress(card: Card, place: Place, on_paper: bool) -> str:
    if not card.is_tapped:
        return ""
    if not place.joined:
        return "" if on_paper else messages.note("Nobody has joined yet.")
    hint = " Counts are shown at the reveal, so that nobody follows the others." if not place.answered else ""
    return messages.bar(place.answered / place.joined, f"{place.answered} of {place.joined} have answered.{hint}")


def _row(cards: str, many: int) -> str:
    return f'<div class="ps-cards ps-of-{many}">{cards}</div>' if cards else ""


def _answer(card: Card, column: str, letter: str, is_shown: bool = False) -> str:
    """Under its letter, with its name, or with both."""
    answer = card.answer(column)
    named = is_shown or not letter
    name = f"{letter} was: {title(column)}" if letter and is_shown else f"Answer {letter}" if letter else title(column)
    side = f' style="--side:{colour(column)}"' if named else ""
    badge = f'<span class="ps-mark">{escape(mark(answer))}</span>' if named else ""
    return f'<article class="ps-card"{side}><header><h3>{escape(name)}</h3>{badge}</header><p class="ps-text">{escape(answer.text.strip())}</p></article>'
