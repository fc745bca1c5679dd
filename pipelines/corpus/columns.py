"""Recognizes what a table's columns are, and turns rows into one of three kinds: mirrored, pairs, posts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pipelines.corpus.conversation import TURNS, conversation, spoken, texts_of, turns_column
from pipelines.errors import StudioError
from pipelines.models.template import flatten
from pipelines.records import SIDES

Kind = Literal["mirrored", "pairs", "posts"]
NAMES = {
    "prompt": ("prompt", "instruction", "question", "input", "query"),
    "chosen": ("chosen", "preferred", "accepted", "answer_chosen", "response_chosen", "chosen_response"),
    "rejected": ("rejected", "dispreferred", "answer_rejected", "response_rejected", "rejected_response"),
    "text": ("text", "post", "body", "content", "tweet", "comment", "message", "selftext", "full_text"),
    "left": ("left",),
    "right": ("right",),
    "neutral": ("neutral",),
    "id": ("id", "post_id", "tweet_id", "row_id", "uid", "uuid", "_id"),
    "topic": ("topic",),
    "label": ("label",),
    "axis": ("axis",),
}
REQUIRED = {"mirrored": ("prompt", "left", "right"), "pairs": ("prompt", "chosen", "rejected"), "posts": ("text",)}
OPTIONAL = {"mirrored": ("neutral", "id", "topic", "axis"), "pairs": ("id", "topic"), "posts": ("id", "topic", "label")}
TEXT_FIELDS = {"mirrored": ("prompt", *SIDES), "pairs": ("prompt", "chosen", "rejected"), "posts": ("text",)}
WHAT = {
    "mirrored": "Mirrored rows (one question, an answer from each side)",
    "pairs": "Preference pairs",
    "posts": "Plain posts, from which preference pairs must be synthesized before a model can be tuned",
}
LOOKED_AT = 1_000
FEWEST_WORDS = 3
LONGEST_ID = 80
Record = dict[str, Any]


@dataclass(frozen=True)
class Roles:
    """What the columns are: the kind of the table, for each role the column that plays it, and what a person should know of a guess."""

    kind: Kind
    columns: dict[str, str]
    remark: str = ""

    @property
    def sentence(self) -> str:
        """What was recognized, in words."""
        found = ", ".join(f"{role} = {spoken(column)}" for role, column in self.columns.items())
        return f"{WHAT[self.kind]}. Recognized: {found}.{self.remark and ' ' + self.remark}"


def recognize(rows: Sequence[Record], name: str = "the table") -> Roles:
    """Guesses the columns' roles from their names and the first rows of a source of this name.

    Raises StudioError naming the source and the columns found where none of the three kinds fits.
    """
    head = rows[:LOOKED_AT]
    found, talks = _named(head), _conversations(head)
    if {"prompt", "left", "right"} <= set(found):
        return _roles("mirrored", found)
    if {"chosen", "rejected"} <= set(found):
        return _roles("pairs", found if "prompt" in found else {**found, "prompt": _implicit(found["chosen"], talks, head, name)})
    if "text" in found and found["text"] not in talks:
        return _roles("posts", found)
    if talks:
        return _posts_of_turns(found, talks, name)
    longest = next(iter(_by_length(head)), "")
    if longest:
        missing = (
            " There are no rejected answers, which preference pairs need, so the rows are taken as posts." if "prompt" in found else ""
        )
        guess = f"No column's name said which one holds the posts; the one with the longest texts was taken.{missing} Change it if that is wrong."
        return _roles("posts", {**found, "text": longest}, guess)
    raise StudioError(
        f"The columns of {name} were not recognized (found: {_listed(_columns(head))}).",
        "Name them prompt, chosen, rejected (preference pairs) or text (posts).",
    )


def _roles(kind: Kind, found: Mapping[str, str], remark: str = "") -> Roles:
    return Roles(kind, {role: found[role] for role in (*REQUIRED[kind], *OPTIONAL[kind]) if role in found}, remark)


def _columns(rows: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(column[:40] for column in columns[:20])
    return shown + (f" and {len(columns) - 20} more" if len(columns) > 20 else "") or "none"


def _named(rows: Sequence[Record]) -> dict[str, str]:
    """The first column that has one of a role's names, whatever its case."""
    lower = {column.strip().lower(): column for column in reversed(_columns(rows))}
    return {role: lower[name] for role, names in NAMES.items() for name in reversed(names) if name in lower}


def _conversations(rows: Sequence[Record]) -> dict[str, set[str]]:
    """Columns that hold lists of messages, with the roles that speak in them."""
    speakers: dict[str, set[str]] = {}
    for row in rows[:100]:
        for column, value in row.items():
            if isinstance(value, str | list) and (turns := conversation(value)):
                speakers.setdefault(column, set()).update(turn.role for turn in turns)
    return speakers


def _implicit(chosen: str, talks: Mapping[str, set[str]], rows: Sequence[Record], name: str) -> str:
    if chosen in talks:
        return turns_column(chosen, "user")
    raise StudioError(
        f"There are chosen and rejected answers in {name}, but no prompt (columns: {_listed(_columns(rows))}).",
        "Add a column called prompt, or use message lists that begin with the user's turn.",
    )


def _posts_of_turns(found: Mapping[str, str], talks: Mapping[str, set[str]], name: str) -> Roles:
    column, roles = next(iter(talks.items()))
    offered = [role for role in ("user", "assistant") if role in roles]
    if not offered:
        raise StudioError(
            f"In the conversations of {name} (column “{column}”) neither a user nor an assistant speaks (roles: {_listed(sorted(roles))}).",
            "Call the roles user and assistant.",
        )
    remark = f"A conversation has no rejected answer, which preference pairs need, so the {offered[0]}'s turns are taken as posts" + (
        f"; {spoken(turns_column(column, offered[1]))} can be chosen instead." if len(offered) > 1 else "."
    )
    return _roles("posts", {**found, "text": turns_column(column, offered[0])}, remark)


def _by_length(rows: Sequence[Record], fewest_words: int = FEWEST_WORDS) -> list[str]:
    """Columns of running text, that with the longest texts first; shorter ones than `fewest_words` on average are none."""
    length: dict[str, float] = {}
    for column in _columns(rows):
        texts = [row[column] for row in rows if isinstance(row.get(column), str) and row[column].strip()]
        if texts and sum(len(text.split()) for text in texts) >= fewest_words * len(texts):
            length[column] = sum(map(len, texts)) / len(texts)
    return sorted(length, key=lambda column: -length[column])


def choices(rows: Sequence[Record]) -> dict[str, list[str]]:
    """For each role the columns that can play it, the likeliest first; conversations are offered as turns of a role."""
    head = rows[:LOOKED_AT]
    found, talks, columns = _named(head), _conversations(head), _columns(head)
    turns = [turns_column(column, role) for column, roles in talks.items() for role in ("user", "assistant") if role in roles]
    texts = list(dict.fromkeys([*_by_length(head), *turns, *columns]))
    offered = {}
    for role in NAMES:
        rest = columns if role in ("id", "topic", "label", "axis") else texts
        offered[role] = list(dict.fromkeys([found[role], *rest] if role in found else rest))
    return offered


def assign(kind: str, picked: Mapping[str, str], columns: Sequence[str] = ()) -> Roles:
    """Roles that a person chose. `columns` are those of the table, if they are to be checked.

    Raises StudioError for an unknown kind or role, a role without a column, one column in two text roles, or a column that is not there.
    """
    if kind not in get_args(Kind):
        raise StudioError(f"There is no kind of rows called “{kind}”.", f"Choose one of {', '.join(get_args(Kind))}.")
    known = (*REQUIRED[kind], *OPTIONAL[kind])
    strange = [role for role in picked if role not in known]
    if strange:
        raise StudioError(f"{kind} have no role called “{strange[0]}”.", f"Their roles are {', '.join(known)}.")
    missing = [role for role in REQUIRED[kind] if not picked.get(role)]
    if missing:
        raise StudioError(f"No column was chosen for {' and '.join(missing)}.", "Choose one for each.")
    texts = [picked[role] for role in TEXT_FIELDS[kind] if picked.get(role)]
    double = next((column for column in texts if texts.count(column) > 1), "")
    if double:
        raise StudioError(f"The column {spoken(double)} was chosen for two roles.", "Choose a different column for each.")
    absent = [c for c in picked.values() if columns and c and c not in columns and not ((m := TURNS.fullmatch(c)) and m[1] in columns)]
    if absent:
        raise StudioError(f"There is no column called “{absent[0]}”.", f"There are: {_listed(columns)}.")
    return Roles(kind, {role: picked[role] for role in known if role in picked})  # type: ignore[arg-type]


def normalize_rows(rows: Sequence[Record], roles: Roles, seen: set[str] | None = None) -> list[dict[str, str]]:
    """Rows with standard names and plain strings; empty cells become empty strings. A conversation gives a post a
    turn, or an empty post where nobody of the role speaks.

    Every id is unique: the given one, else row-N, with -N added where it is taken (N counts the rows). Hand in the same
    `seen` for every batch of a source.
    """
    seen = set() if seen is None else seen
    made = []
    for row in rows:
        for fields in _posts(row, roles.columns) if roles.kind == "posts" else [_answers(row, roles)]:
            made.append({"id": _id(row.get(roles.columns.get("id", "id")), seen), **fields})
    return made


def _id(given: Any, seen: set[str]) -> str:
    number = len(seen) + 1
    name = wanted = " ".join(_text(given).split())[:LONGEST_ID] or f"row-{number}"
    while name in seen:
        name, number = f"{wanted}-{number}", number + 1
    seen.add(name)
    return name


def _posts(row: Record, columns: Mapping[str, str]) -> list[dict[str, str]]:
    """Given topics and labels are somebody's judgement, so they travel apart and are only compared with."""
    own = {f"own_{name}": columns.get(name, name) for name in ("label", "topic")}
    others = {"topic": "", **{name: _text(row[column]) for name, column in own.items() if column in row}}
    column = columns["text"]
    if column not in row and (turns := TURNS.fullmatch(column)):
        return [{**others, "text": text} for text in texts_of(row.get(turns[1]), turns[2]) or [""]]
    return [{**others, "text": _text(row.get(column))}]


def _answers(row: Record, roles: Roles) -> dict[str, str]:
    extra = {name: _text(row.get(roles.columns.get(name, name))) for name in OPTIONAL[roles.kind] if name in ("topic", "axis")}
    texts = [role for role in TEXT_FIELDS[roles.kind] if role in roles.columns]
    return {**extra, **{role: _turn(row, roles.columns[role], "user" if role == "prompt" else "assistant") for role in texts}}


def _turn(row: Record, column: str, role: str) -> str:
    """A plain cell's text, or the last turn of a role in a list of messages."""
    if column not in row and (turns := TURNS.fullmatch(column)):
        return next(reversed(texts_of(row.get(turns[1]), turns[2])), "")
    value = row.get(column)
    return next(reversed(texts_of(value, role)), "") if conversation(value) else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return flatten(value) if isinstance(value, str | list | dict) else str(value)
