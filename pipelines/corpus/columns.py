"""Recognizes what a table's columns are, and turns rows into one of three kinds: mirrored, pairs, posts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pipelines.errors import StudioError
from pipelines.models.template import flatten
from pipelines.records import SIDES

Kind = Literal["mirrored", "pairs", "posts"]
NAMES = {
    "prompt": ("prompt", "instruction", "question", "input", "query"),
    "chosen": ("chosen", "preferred", "accepted", "answer_chosen", "response_chosen"),
    "rejected": ("rejected", "dispreferred", "answer_rejected", "response_rejected"),
    "text": ("text", "post", "body", "content", "tweet", "comment", "message", "selftext"),
}
TEXT_FIELDS = {"mirrored": ("prompt", *SIDES), "pairs": ("prompt", "chosen", "rejected"), "posts": ("text",)}


@dataclass(frozen=True)
class Roles:
    """What the columns are: the kind of the table, and for each role the column that plays it."""

    kind: Kind
    columns: dict[str, str]

    @property
    def sentence(self) -> str:
        """What was recognized, in words."""
        found = ", ".join(f"{role} = “{column}”" for role, column in self.columns.items())
        what = {
            "mirrored": "Mirrored rows (one question, an answer from each side)",
            "pairs": "Preference pairs",
            "posts": "Plain posts. They can be cleaned here, but a model can't be tuned on them yet: preference pairs must be synthesized from them first",
        }[self.kind]
        return f"{what}. Recognized: {found}."


def recognize(rows: list[dict[str, Any]]) -> Roles:
    """Guesses the columns' roles from their names and the first rows.

    Raises StudioError naming the columns found where none of the three kinds fits.
    """
    columns = list(dict.fromkeys(key for row in rows[:1000] for key in row))
    lower = {column.strip().lower(): column for column in columns}
    if {"prompt", "left", "right"} <= set(lower):
        return Roles("mirrored", {role: lower[role] for role in ("prompt", "left", "right", "neutral") if role in lower})
    found = {role: lower[name] for role, names in NAMES.items() for name in reversed(names) if name in lower}
    if "chosen" in found and "rejected" in found:
        implicit = "prompt" not in found
        if implicit and not _is_conversation(rows[0].get(found["chosen"])):
            raise StudioError(
                f"There are chosen and rejected answers, but no prompt (columns: {', '.join(columns)}).",
                "Add a column called prompt, or use message lists that begin with the user's turn.",
            )
        roles: dict[str, str] = {role: found[role] for role in ("prompt", "chosen", "rejected") if role in found}
        return Roles("pairs", {"prompt": "first turn of chosen", **roles} if implicit else roles)
    if "text" in found:
        return Roles("posts", {"text": found["text"]})
    raise StudioError(
        f"The columns were not recognized (found: {', '.join(columns) or 'none'}).",
        "Name them prompt, chosen, rejected (preference pairs) or text (posts).",
    )


def normalize_rows(rows: list[dict[str, Any]], roles: Roles) -> list[dict[str, str]]:
    """Rows with standard names and plain strings; message lists are flattened. Empty cells become empty strings."""
    return [_one(row, roles, number) for number, row in enumerate(rows, 1)]


def _one(row: dict[str, Any], roles: Roles, number: int) -> dict[str, str]:
    extra = {"id": str(row.get("id") or f"row-{number}"), "topic": str(row.get("topic") or "")}
    if roles.kind == "mirrored":
        return {**extra, "axis": str(row.get("axis") or ""), **{role: _text(row.get(column)) for role, column in roles.columns.items()}}
    if roles.kind == "posts":
        return {**extra, "text": _text(row.get(roles.columns["text"]))}
    chosen, rejected = row.get(roles.columns["chosen"]), row.get(roles.columns["rejected"])
    prompt = row.get(roles.columns["prompt"])
    if prompt is None and _is_conversation(chosen):
        prompt = _turn(chosen, "user")
    return {**extra, "prompt": _last(prompt, "user"), "chosen": _last(chosen, "assistant"), "rejected": _last(rejected, "assistant")}


def _is_conversation(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(turn, dict) and "role" in turn for turn in value)


def _turn(messages: Any, role: str) -> str:
    return next((flatten(turn.get("content")) for turn in reversed(messages) if turn.get("role") == role), "")


def _last(value: Any, role: str) -> str:
    """A plain cell's text, or the last turn of a role in a list of messages."""
    return _turn(value, role) if _is_conversation(value) else _text(value)


def _text(value: Any) -> str:
    return flatten(value) if isinstance(value, str | list | dict) else "" if value is None else str(value)
