"""One light's mend as a step, so that it is counted, explained and can be undone like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipelines.corpus.engine import Outcome, Tools, Work
from pipelines.corpus.shards import Row, Shards
from pipelines.errors import StudioError
from pipelines.records import lever


@dataclass(frozen=True)
class Mend:
    """Applies the mend that a check proposes."""

    light: str = lever("", "Check", "Which check's proposal is carried out.")

    key: ClassVar[str] = "mend"
    label: ClassVar[str] = "Mend"
    hint: ClassVar[str] = "Carries out what a check proposes: drops or cleans the rows that it names."
    kinds: ClassVar[tuple[str, ...]] = ("pairs", "mirrored")
    per_row: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """The label with what was mended."""
        return f"Mend: {self.light}"

    def start(self, tools: Tools, shards: Shards) -> Work:
        from pipelines.corpus.checks import lights

        rows = list(shards.rows())
        kind: Any = "mirrored" if "left" in rows[0] else "pairs"
        embedder = tools.ruler.embedder if tools.ruler else None
        light = next((one for one in lights.check(rows, kind, embedder) if one.key == self.light), None)
        if light is None or not light.mend:
            raise StudioError(f"The check “{self.light}” proposes nothing for these rows.", "Look at the checks again.")
        mended, dropped, _ = lights.mend(rows, light)
        kept = {row["id"]: row for row in mended}
        reasons = {row["id"]: reason for row, reason in dropped}
        return lambda batch: [_outcome(row, kept, reasons, light.title) for row in batch]


def _outcome(row: Row, kept: dict[str, Row], reasons: dict[str, str], title: str) -> Outcome:
    return Outcome(kept[row["id"]]) if row["id"] in kept else Outcome(row, f"mended: {title.lower()}", reasons.get(row["id"], ""))
