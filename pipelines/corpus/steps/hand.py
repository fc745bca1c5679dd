"""What people change by hand: edit a text, drop a row, star it, write a note. Each change is one entry, so it can be undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipelines.corpus.engine import KINDS, Outcome, Tools, Work
from pipelines.corpus.shards import VECTOR, Row, Shards
from pipelines.corpus.wording import ALL_TEXT
from pipelines.errors import StudioError

UNSCORED = {"economic": None, "social": None, "quality": None, VECTOR: None}  # of a text that is not there any more
FIELDS = (*ALL_TEXT, "topic", "note", "star", "dropped")


def edit(row_id: str, name: str, value: Any) -> dict[str, Any]:
    """One change. Raises StudioError for a field that can't be changed, or a text that would be empty."""
    if name not in FIELDS:
        raise StudioError(f"“{name}” can't be changed by hand.", f"These can: {', '.join(FIELDS)}.")
    if name in ALL_TEXT and not str(value).strip():
        raise StudioError(f"The {name} would be empty.", "Write something, or drop the row.")
    return {"id": row_id, "field": name, "value": value}


@dataclass(frozen=True)
class Hand:
    """The changes in the order in which they were made."""

    edits: tuple[dict[str, Any], ...] = ()

    key: ClassVar[str] = "hand"
    label: ClassVar[str] = "By hand"
    hint: ClassVar[str] = "Texts edited, rows dropped, starred or noted by a person."
    kinds: ClassVar[tuple[str, ...]] = KINDS
    per_row: ClassVar[bool] = True

    def start(self, tools: Tools, shards: Shards) -> Work:
        by_row: dict[str, dict[str, Any]] = {}
        for one in self.edits:
            by_row.setdefault(one["id"], {})[one["field"]] = one["value"]

        def change(row: Row) -> Outcome:
            changes = dict(by_row.get(row["id"], {}))
            dropped = changes.pop("dropped", False)
            new = {**row, **changes, **(UNSCORED if "text" in changes else {})} if changes else row
            return Outcome(new, "dropped by hand", str(changes.get("note") or row.get("note") or "")) if dropped else Outcome(new)

        return lambda rows: [change(row) for row in rows]
