"""What a phone shows: the door, the card that is open, and what it was. Before the reveal nothing that is hidden goes into these pages."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from pipelines.classroom.classes import KEEP_DAYS
from pipelines.classroom.code import LENGTH
from pipelines.classroom.deck import KINDS, Card
from pipelines.classroom.tally import Counted
from pipelines.comparing.naming import mark, title
from pipelines.review.guess import ROLES
from studio.theme import colour
from studio.views import messages
from studio.views.ballot import CONSENT, button, page, stated
from studio.views.classbars import bars

HEAD = (
    '<div class="ps-class-head">{}<h1>Class</h1><p class="ps-warn">A very small model, deliberately altered. It holds no opinions, and nothing here '
    "measures commercial assistants.</p></div>"
)
NOTICE = (
    ("What it is for", "You say what you expect of a model, and then see what it did. It is no test, and nobody is graded."),
    (
        "What you will read",
        "Answers by language models, some deliberately biased. They may be one-sided, wrong or offensive, and long ones are cut off.",
    ),
    (
        "What is stored",
        "Your taps under a random number, on your teacher’s computer: no name, no address, nothing about your phone. Only totals are shown, and "
        "never of fewer than three people.",
    ),
    (
        "For how long",
        f"{KEEP_DAYS} days. “Delete my answers” at the foot of the page deletes them at once; this browser remembers which are yours.",
    ),
)
COUNTED = "Counted. You may change it until it is revealed."
WAIT = "Nothing to tap here: look up and talk."


def closed(said: str = "") -> str:
    """No class is open."""
    return _page(
        _heading("No class is open just now") + '<p class="ps-note">When the teacher opens one, this page shows it by itself.</p>', said
    )


def door(name: str, class_id: str, typed: str = "", said: str = "") -> str:
    """The class code, what is to be read, and the tick."""
    return _page(
        f'{_heading(name)}<label class="ps-class-code">Class code, from the screen'
        f'<input type="text" inputmode="text" autocapitalize="characters" autocomplete="off" spellcheck="false" maxlength="{LENGTH + 4}" '
        f'value="{escape(typed[:LENGTH])}"></label>{stated(NOTICE)}{CONSENT}<div class="ps-ballot-foot">{button("Join", "join", True)}</div>',
        said, class_id, stage="door",
    )  # fmt: skip


def lobby(name: str, class_id: str, said: str = "") -> str:
    """In, and before the first card."""
    body = f'{_heading(name)}{messages.good("You are in.")}<p class="ps-note">The first card comes by itself. Keep this page open.</p>'
    return _page(body, said, class_id, stage="in", foot=True)


def asked(class_id: str, card: Card, letters: Mapping[str, str], own: Any, said: str = "") -> str:
    """A card that can be answered: its texts as far as they are open, and what can be tapped."""
    texts = {} if card.hide == "answers" else letters
    cards = "".join(_open_answer(card, letter, column, own) for letter, column in texts.items())
    body = f"{_top(card)}{_answers(cards, len(texts))}{_choices(card, own)}{_status(card, own)}"
    return _page(body, said, class_id, card=card.id, stage="in", foot=True)


def revealed(class_id: str, card: Card, letters: Mapping[str, str], own: Any, found: Counted, said: str = "") -> str:
    """What it was: the answers with names and marks, one's own reply, what is told, and the class's totals."""
    shown = letters if card.hide == "names" else {str(place): column for place, column in enumerate(card.columns)}
    texts = "".join(_named_answer(card, column, letter if card.hide == "names" else "", own) for letter, column in shown.items())
    told = f'<p class="ps-class-told">{escape(card.told)}</p>' if card.told else ""
    body = f"{_top(card)}{_verdict(card, own)}{told}{_answers(texts, len(shown))}{_totals(found)}"
    return _page(body, said, class_id, card=card.id, stage="in", foot=True)


def over(name: str, class_id: str, was_in: bool, said: str = "") -> str:
    """The end."""
    return _page(
        f"{_heading(name)}{messages.info('The class is over. Thank you.')}", said, class_id, stage="in" if was_in else "", foot=was_in
    )


def broken(said: str, class_id: str = "") -> str:
    """Nothing can be shown just now."""
    return _page(f'<div class="ps-ballot-foot">{button("Try again", "look", True)}</div>', said, class_id)


def _page(body: str, said: str, class_id: str = "", foot: bool = False, **data: str) -> str:
    own = f'<div class="ps-class-foot">{button("Delete my answers", "delete")}</div>' if foot else ""
    return page(f'<div class="ps-class">{body}<p class="ps-missing" role="alert"></p>{own}</div>', said, **{"class": class_id, **data})


def _heading(text: str) -> str:
    return f'<h2 class="ps-question" tabindex="-1">{escape(text)}</h2>'


def _top(card: Card) -> str:
    asked = f'<p class="ps-class-asked">The models were asked: <q>{escape(card.question)}</q></p>' if card.question else ""
    return f'<p class="ps-class-kind">{KINDS[card.kind]}</p>{_heading(card.ask)}{asked}'


def _answers(cards: str, many: int) -> str:
    return f'<div class="ps-class-answers ps-class-of-{many}">{cards}</div>' if cards else ""


def _open_answer(card: Card, letter: str, column: str, own: Any) -> str:
    """An answer without its name, or, where nothing is hidden, with it."""
    if card.hide == "nothing":
        return _named_answer(card, column)
    below = _roles(letter, own.get(column, "") if isinstance(own, Mapping) else "") if card.kind == "guess" else ""
    if card.find:
        below = _tap(f"It is {letter}", own == column, f'data-letter="{letter}"')
    text = escape(card.answer(column).text.strip())
    return f'<article class="ps-card"><header><h3>Answer {letter}</h3></header><p class="ps-text">{text}</p>{below}</article>'


def _named_answer(card: Card, column: str, letter: str = "", own: Any = None) -> str:
    answer = card.answer(column)
    name = f"{letter} was: {title(column)}" if letter else title(column)
    note = ""
    if card.kind == "guess" and isinstance(own, Mapping):
        note = "✓ You said so." if own.get(column) == column else f"✗ You said {title(str(own.get(column)))}."
    elif card.find and own == column:
        note = "You chose this one."
    below = f'<p class="ps-card-note">{escape(note)}</p>' if note else ""
    return (
        f'<article class="ps-card" style="--side:{colour(column)}"><header><h3>{escape(name)}</h3><span class="ps-mark">{escape(mark(answer))}</span></header>'
        f'<p class="ps-text">{escape(answer.text.strip())}</p>{below}</article>'
    )


def _choices(card: Card, own: Any) -> str:
    if card.kind == "guess":
        return f'<div class="ps-ballot-foot">{button("Send my guess" if own is None else "Send the changed guess", "lock", True)}</div>'
    taps = "".join(_tap(one, own == place, f'data-choice="{place}"', place + 1) for place, one in enumerate(card.choices))
    return f'<div class="ps-class-taps" role="group" aria-label="Your answer">{taps}</div>' if taps else ""


def _tap(text: str, is_own: bool, data: str, key: int = 0) -> str:
    digit = f'<kbd aria-hidden="true">{key}</kbd>' if key else ""
    return (
        f'<button type="button" class="ps-class-tap" data-act="choose" {data} aria-pressed="{"true" if is_own else "false"}">'
        f"{digit}<span>{escape(text)}</span></button>"
    )


def _roles(letter: str, own: str) -> str:
    """The roles that an answer can be given; the script keeps them apart."""
    choices = "".join(
        f'<label><input type="radio" name="ps-class-{letter}" value="{role}"{" checked" if role == own else ""}><span>{title(role)}</span></label>'
        for role in ROLES
    )
    kept = f' data-own="{escape(own)}"' if own else ""
    return f'<fieldset class="ps-roles" data-letter="{letter}"{kept}><legend>{letter} is</legend><div class="ps-votes">{choices}</div></fieldset>'


def _status(card: Card, own: Any) -> str:
    words = WAIT if not card.is_tapped else COUNTED if own is not None else ""
    return f'<div class="ps-class-status" role="status">{messages.good(words) if own is not None else messages.note(words)}</div>'


def _verdict(card: Card, own: Any) -> str:
    """How one's own reply did, for this phone alone."""
    if not card.is_tapped or own is None:
        return messages.note("You sent no answer to this card.") if card.is_tapped else ""
    if card.kind == "guess":
        right = sum(own.get(role) == role for role in ROLES) if isinstance(own, Mapping) else 0
        return messages.good("You told all three apart.") if right == len(ROLES) else messages.info(f"{right} of {len(ROLES)} right.")
    if card.find:
        return messages.good("You found it.") if own == card.find else messages.info(f"You chose {title(str(own))}.")
    mine = f"Your answer: {card.choices[own]}."
    if card.right is None:
        return messages.info(mine)
    return messages.good(f"{mine} So it was.") if own == card.right else messages.info(f"{mine} It was: {card.choices[card.right]}.")


def _totals(found: Counted) -> str:
    drawn = bars(found)
    return f'<h3 class="ps-class-totals">The class</h3>{drawn}' if drawn else ""
