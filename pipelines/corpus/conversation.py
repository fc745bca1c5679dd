"""Lists of messages inside a table's cells: what is one, whose turns it holds, and how a column of turns is named.

`messages[user]` names the user's turns of the column `messages`, wherever a column's name is expected.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from pipelines.models.template import flatten

SPEAKERS = {"human": "user", "prompter": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant", "chatbot": "assistant"}
TURNS = re.compile(r"(.+)\[(user|assistant)\]", re.DOTALL)


class Turn(NamedTuple):
    """One message: its role ("user", "assistant", or whatever the data calls others) and its text."""

    role: str
    text: str


def turns_column(column: str, role: str) -> str:
    """The name under which the turns of a role in a column can be chosen."""
    return f"{column}[{role}]"


def spoken(column: str) -> str:
    """A column in words: “text”, or the user's turns in “messages”."""
    match = TURNS.fullmatch(column)
    return f"the {match[2]}'s turns in “{match[1]}”" if match else f"“{column}”"


def conversation(value: Any) -> list[Turn] | None:
    """The turns of a list of messages (role and content, or from and value; also written as JSON text), None for anything else."""
    if isinstance(value, str) and value.lstrip().startswith("[{") and ('"role"' in value or '"from"' in value):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, list) or not value:
        return None
    found = []
    for turn in value:
        names = ("role", "content") if isinstance(turn, dict) and "role" in turn else ("from", "value")
        if not isinstance(turn, dict) or names[0] not in turn:
            return None
        role = str(turn[names[0]]).strip().lower()
        found.append(Turn(SPEAKERS.get(role, role), flatten(turn.get(names[1]))))
    return found


def texts_of(value: Any, role: str) -> list[str]:
    """The texts of a role's turns, in order; none where the value is no conversation."""
    return [turn.text for turn in conversation(value) or () if turn.role == role]
