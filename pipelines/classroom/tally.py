"""What may be shown of a class's replies: totals in which no person can be found.

Nothing is counted out before the reveal, since a bar that grows by one tells who has just tapped, and shows the others what to say. A cell
of one or two people is kept back, and with it another one where the total would give it away.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.classroom.deck import Card
from pipelines.comparing.naming import title
from pipelines.export.comparison import MARK, harmless
from pipelines.review.design import FEWEST
from pipelines.review.guess import ROLES
from pipelines.review.intervals import exact

HEAD = ("number", "card", "kind", "asked", "question", "choice", "right", "answered", "count", "share", "chance")


@dataclass(frozen=True)
class Bar:
    """One thing that could be said. `count` is None where it is kept back; `chance` is the share by pure luck (None: nothing to be right)."""

    text: str
    count: int | None
    share: float | None
    is_right: bool = False
    chance: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Counted:
    """The replies to one card. `parts` is False where the bars are shares of one whole, True where each is a question of its own."""

    answered: int
    bars: tuple[Bar, ...] = ()
    apart: bool = False

    @property
    def is_thin(self) -> bool:
        """Whether something is kept back."""
        return any(bar.count is None for bar in self.bars)


def covered(counts: Sequence[int], spared: int | None = None) -> list[int | None]:
    """Counts of one whole with those kept back (None) that one or two people stand behind, or from which these could be worked out.

    What is kept back besides is taken in the order of the places, `spared` last, and not by size: the choice itself would tell something.
    """
    kept = {place for place, count in enumerate(counts) if 0 < count < FEWEST}
    if not kept:
        return list(counts)
    others = sorted((place for place, count in enumerate(counts) if count >= FEWEST), key=lambda place: place == spared)
    while len(kept) < 2 or sum(counts[place] for place in kept) <= len(kept) * (FEWEST - 1):
        if not others:
            return [None] * len(counts)
        kept.add(others.pop(0))
    return [None if place in kept else count for place, count in enumerate(counts)]


def counted(card: Card, replies: Sequence[Any]) -> Counted:
    """The totals of a card that is revealed. Replies are choices by number, columns by name, or what each role was taken for."""
    if card.kind == "guess":
        taken = [one for one in replies if isinstance(one, Mapping)]
        told_apart = _apart("All three told apart", [all(one.get(role) == role for role in ROLES) for one in taken], 1 / 6)
        each = (_apart(f"{title(role)} found", [one.get(role) == role for one in taken], 1 / 3) for role in ROLES)
        return Counted(len(taken), (told_apart, *each), True)
    names = list(card.columns) if card.find else list(range(len(card.choices)))
    texts = [title(name) for name in card.columns] if card.find else card.choices
    right: Any = card.find or card.right
    known = [one for one in replies if one in names]
    seen = covered([known.count(name) for name in names], names.index(right) if right in names else None)
    bars = (
        _bar(text, count, len(known), right is not None and name == right, card.chance)
        for name, text, count in zip(names, texts, seen, strict=True)
    )
    return Counted(len(known), tuple(bars))


def _apart(text: str, right: Sequence[bool], chance: float) -> Bar:
    """A share of its own: right against not right."""
    seen, _ = covered([sum(right), len(right) - sum(right)])
    return _bar(text, seen if right else None, len(right), True, chance)


def _bar(text: str, count: int | None, answered: int, is_right: bool, chance: float | None) -> Bar:
    if count is None or not answered:
        return Bar(text, None if answered else 0, None, is_right, chance)
    low, high = exact(count, answered) or (0.0, 1.0) if is_right else (None, None)
    return Bar(text, count, count / answered, is_right, chance, low, high)


def rows(played: Sequence[tuple[Card, Counted]]) -> list[dict[str, Any]]:
    """A row for every bar of every card that was revealed, for a table."""
    return [
        {
            "number": number, "card": card.id, "kind": card.kind, "asked": card.ask, "question": card.question, "choice": bar.text,
            "right": bar.is_right, "answered": found.answered, "count": bar.count,
            "share": None if bar.share is None else round(bar.share, 4), "chance": None if bar.chance is None else round(bar.chance, 4),
        }
        for number, (card, found) in enumerate(played, 1) for bar in found.bars
    ]  # fmt: skip


def as_csv(played: Sequence[tuple[Card, Counted]]) -> str:
    """The table as CSV. What is kept back is an empty cell; a cell that a spreadsheet would take for a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for row in rows(played):
        writer.writerow([_cell(row[name]) for name in HEAD])
    return out.getvalue()


def as_json(title: str, joined: int, played: Sequence[tuple[Card, Counted]]) -> str:
    """The same as JSON, with what it is and is not."""
    value = {
        "title": title,
        "mark": MARK,
        "kept_back": f"null: fewer than {FEWEST} people stand behind a count, or it would give another one away.",
        "joined": joined if joined >= FEWEST else None,
        "rows": rows(played),
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _cell(value: Any) -> Any:
    return "" if value is None else "yes" if value is True else "no" if value is False else harmless(value)
