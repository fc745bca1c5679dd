"""A deck of cards for a class: what is asked, what can be tapped, what the models said, and what is told once the teacher reveals.

A card is one of four kinds. "predict": what will the model do? "compare": a question with answers of several columns, of which the answers
or the names are hidden at first. "guess": answers under letters that are dealt to each student apart; which is left, right, the placebo?
"discuss": something to talk about.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from pipelines.comparing import curated
from pipelines.comparing.comparison import LONGEST_QUESTION, Turn
from pipelines.entries import is_torn
from pipelines.errors import StudioError
from pipelines.paths import ASSETS, read_yaml
from pipelines.records import Answer, Sampling
from pipelines.review.design import LONGEST_TITLE, shuffled
from pipelines.review.given import names_its_side
from pipelines.review.guess import ROLES, TOLERANCE, count_words

Kind = Literal["predict", "compare", "guess", "discuss"]
Hide = Literal["answers", "names", "nothing"]
KINDS = {"predict": "Predict", "compare": "Compare", "guess": "Which is which?", "discuss": "Talk about it"}
FILE = ASSETS / "lesson" / "deck.yaml"
LETTERS = "ABCDEF"
LIVE, PAPER = "live-", "paper"  # how ids of a class's own questions begin; what letters on paper are dealt by
MOST_BYTES, MOST_CARDS, MOST_CHOICES, LONGEST_TEXT, LONGEST_CHOICE = 100_000, 40, 6, 800, 160
ID = re.compile(r"[a-z][a-z0-9-]{1,30}")
WHERE = "Mend the deck; docs/class.md says what a card holds."


@dataclass(frozen=True)
class Card:
    """One card. What is hidden until the reveal: `right`, `told`, and by `hide` the answers or whose they are.

    `right` is the place of the choice that came true (None: no choice is right). With `find` the choices are the letters of the answers and
    that column is the one to be found. `answers` are sealed and stamped, in the order of `columns`.
    """

    id: str
    kind: Kind
    ask: str
    choices: tuple[str, ...] = ()
    right: int | None = None
    find: str = ""
    question: str = ""
    columns: tuple[str, ...] = ()
    hide: Hide = "answers"
    told: str = ""
    answers: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        refuse_unfit(self)

    @property
    def letters(self) -> str:
        """One for each answer."""
        return LETTERS[: len(self.columns)]

    @property
    def is_tapped(self) -> bool:
        """Whether there is anything to answer on a phone."""
        return bool(self.choices or self.find or self.kind == "guess")

    @property
    def chance(self) -> float | None:
        """The share that would be right by pure chance; None where no answer is right."""
        if self.kind == "guess":
            return 1 / 6
        if self.find:
            return 1 / len(self.columns)
        return None if self.right is None else 1 / len(self.choices)

    def answer(self, column: str) -> Answer:
        """Raises StudioError where words and stamp do not belong together."""
        return Answer.from_dict(self.answers[self.columns.index(column)])

    def dealt(self, seed: str) -> dict[str, str]:
        """Whose answer stands under which letter; another seed is another order."""
        order = shuffled(len(self.columns), "letters", self.id, seed)
        return {letter: self.columns[place] for letter, place in zip(self.letters, order, strict=True)}

    def hand(self, class_id: str, token: str) -> dict[str, str]:
        """Whose answer a student reads under which letter. But in a guess phones, screen and paper agree, so that a class can mix them."""
        return self.dealt(token if self.kind == "guess" else class_id if self.id.startswith(LIVE) else PAPER)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Card:
        """What `as_dict` wrote, also after a way through JSON. Raises StudioError where it is no card."""
        try:
            lists = {name: tuple(value.get(name) or ()) for name in ("choices", "columns", "answers")}
            made = cls(**{**value, **lists})
            for one in made.answers:
                Answer.from_dict(one)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise StudioError("A card of the class is damaged.", "Put a copy of the database back, or open a new class.") from error
        return made


@dataclass(frozen=True)
class Deck:
    """Cards in the order in which they are played."""

    title: str
    cards: tuple[Card, ...]

    def only(self, ids: Sequence[str]) -> Deck:
        """The same with some of its cards. Raises StudioError where none is left."""
        kept = tuple(card for card in self.cards if card.id in set(ids))
        if not kept:
            raise StudioError("No card is chosen.", "Choose at least one.")
        return replace(self, cards=kept)

    def called(self, title: str) -> Deck:
        """The same under another title, where one is given. Raises StudioError for a very long one."""
        words = " ".join(title.split())
        if len(words) > LONGEST_TITLE or is_torn(words):
            raise StudioError("The title of the class is very long, or holds half a character.", f"Use up to {LONGEST_TITLE} characters.")
        return replace(self, title=words or self.title)


def read_deck(file: Path = FILE) -> Deck:
    """A deck with the answers that were recorded for its questions. Raises StudioError where it can't be played: what is wrong, and where."""
    try:
        value = read_yaml(file, MOST_BYTES)
        title, rows = value["title"], value["cards"]
        if not isinstance(title, str) or not 0 < len(title.strip()) <= LONGEST_TITLE or not isinstance(rows, list):
            raise ValueError("it needs a title and a list of cards")
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise StudioError(f"The deck of cards can't be read ({error}).", WHERE) from error
    if not 1 <= len(rows) <= MOST_CARDS:
        raise StudioError(f"The deck has {len(rows)} cards.", f"A deck has 1 to {MOST_CARDS}.")
    cards = tuple(map(_read, rows))
    twice = [name for name, count in Counter(card.id for card in cards).items() if count > 1]
    if twice:
        raise StudioError(f"Two cards are called “{twice[0]}”.", WHERE)
    if any(card.id.startswith(LIVE) for card in cards):
        raise StudioError(f"A card's id begins with {LIVE}, as those of questions that a class asks itself do.", WHERE)
    return Deck(title.strip(), cards)


def _read(row: Any) -> Card:
    """A card as it is written: `right` counts from 1, and answers are looked up."""
    known = {one.name for one in fields(Card)} - {"answers"}
    if not isinstance(row, dict) or not {"id", "kind", "ask"} <= row.keys() <= known:
        raise StudioError(f"A card holds something else than {', '.join(sorted(known))}, or lacks id, kind or ask.", WHERE)
    right, kind = row.get("right"), row["kind"]
    columns = list(ROLES) if kind == "guess" and "columns" not in row else row.get("columns") or []
    choices = row.get("choices") or []
    if not all(isinstance(one, list) for one in (columns, choices)) or isinstance(right, bool) or not isinstance(right, int | None):
        raise StudioError(f"“{row['id']}”: choices and columns are lists, and right is a whole number.", WHERE)
    more = {"choices": tuple(choices), "columns": tuple(columns), "right": None if right is None else right - 1}
    hide = {"hide": "names"} if kind == "guess" else {}
    answers = _recorded(str(row["id"]), row.get("question"), columns) if columns else ()
    return Card(**{**row, **more, **hide, "answers": answers})


def _recorded(card: str, question: Any, columns: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    """The answers that ship with the studio, at full strength."""
    found = curated.recorded_answer(str(question), [str(one) for one in columns], 1.0, Sampling())
    if found is None:
        raise StudioError(f"“{card}”: there is no recorded answer of these columns to “{question}”.", WHERE)
    return tuple(one.as_dict() for one in found.last.answers)


def live_card(number: int, turn: Turn, columns: Sequence[str], open_at_once: bool) -> Card:
    """The class's own question with the answers that it was just given. By default the class looks for the base among them."""
    answers = tuple(one.as_dict() for one in turn.answers)
    made = Card(f"{LIVE}{number}", "compare", "What do you notice?", (), None, "", turn.question, tuple(columns), "nothing", "", answers)
    if open_at_once or "base" not in columns or len(columns) < 2:
        return made
    told = "One answer is one draw: what you saw here need not come again. In the studio, Stance averages over many questions."
    return replace(made, ask="One of these answers is by the model as it was before tuning. Which?", find="base", hide="names", told=told)


def refuse_unfit(card: Card) -> None:
    """Raises StudioError for a card that can't be played fairly."""
    texts = (card.id, card.ask, card.find, card.question, card.told, *card.choices, *card.columns)
    if not all(isinstance(one, str) and not is_torn(one) for one in texts) or card.kind not in get_args(Kind):
        raise StudioError("A card has something else than text where words must stand, or is of an unknown kind.", WHERE)
    for fits, wrong in (*_shape(card), *_fair(card)):
        if not fits:
            raise StudioError(f"“{card.id[:40]}”: {wrong}", WHERE)


def _shape(card: Card) -> tuple[tuple[bool, str], ...]:
    many, tapped = len(card.choices), card.choices or card.find
    return (
        (bool(ID.fullmatch(card.id)), "an id has 2 to 31 small letters, digits and hyphens."),
        (
            0 < len(card.ask.strip()) <= LONGEST_TEXT and len(card.told) <= LONGEST_TEXT,
            f"ask and told have up to {LONGEST_TEXT} characters.",
        ),
        (len(card.question) <= LONGEST_QUESTION, f"a question has up to {LONGEST_QUESTION} characters."),
        (many != 1 and many <= MOST_CHOICES and len(set(card.choices)) == many, f"give 2 to {MOST_CHOICES} different choices, or none."),
        (all(0 < len(one.strip()) <= LONGEST_CHOICE for one in card.choices), f"a choice has 1 to {LONGEST_CHOICE} characters."),
        (card.right is None or 0 <= card.right < many, "right is not the number of a choice."),
        (card.hide in get_args(Hide), "hide is answers, names or nothing."),
        (card.kind != "predict" or bool(card.choices), "a prediction needs choices."),
        (card.kind != "guess" or not tapped, "in a guess the roles are the choices."),
        (card.kind != "discuss" or not (card.question or card.find), "what is discussed has no question to the models."),
        (card.kind != "compare" or len(card.columns) > 0, "a comparison needs a question and columns."),
    )


def _fair(card: Card) -> tuple[tuple[bool, str], ...]:
    """What is needed so that nothing but the words tells the answers apart."""
    texts = [str(one.get("text", "")) if isinstance(one, dict) else "" for one in card.answers]
    words = [max(1, count_words(text)) for text in texts] or [1]
    guess = card.kind == "guess"
    return (
        (len(card.answers) == len(card.columns) == len(set(card.columns)) <= len(LETTERS), "every column needs one answer."),
        (bool(card.question.strip()) or not card.columns, "answers need the question that was asked."),
        (
            not card.find or (card.find in card.columns and not card.choices and card.hide == "names"),
            "find names a column whose name is hidden.",
        ),
        (not guess or set(card.columns) == set(ROLES), "a guess has the columns left, right and placebo."),
        (not guess or max(words) <= (1 + TOLERANCE) * min(words), "the lengths of the answers give them away."),
        (not guess or not any(map(names_its_side, texts)), "an answer names its own side."),
    )
