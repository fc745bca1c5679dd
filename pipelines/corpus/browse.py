"""Looking through a draft: what is left or what a step dropped, filtered and in pages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pipelines.corpus.drafts import Draft
from pipelines.corpus.shards import VECTOR, Row, Shards
from pipelines.corpus.steps.scoring import score_of, side_of
from pipelines.corpus.wording import ALL_TEXT

PAGE = 20


@dataclass(frozen=True)
class Wanted:
    """Which rows to show. `step` -1: those that are left; 0, 1, ...: those that this step dropped. Empty fields filter nothing."""

    step: int = -1
    topic: str = ""
    words: str = ""
    side: str = ""
    strongest: float = 0.0
    starred: bool = False

    @property
    def everything(self) -> bool:
        return not (self.topic or self.words or self.side or self.strongest or self.starred)


@dataclass(frozen=True)
class Found:
    """One page of rows, how many rows match, and how many there are."""

    rows: list[Row]
    matching: int
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.matching // PAGE))


def source(draft: Draft, step: int) -> Shards:
    """The rows that are left, or those that a step dropped."""
    return draft.dropped(step) if 0 <= step < len(draft.steps) else draft.rows


def find(draft: Draft, wanted: Wanted, page: int = 1) -> Found:
    """The rows of page 1, 2, ... that match; a page beyond the last gives the last."""
    shards = source(draft, wanted.step)
    total = len(shards)
    if wanted.everything:
        page = max(1, min(page, -(-total // PAGE) or 1))
        return Found(_shown(shards.slice((page - 1) * PAGE, PAGE)), total, total, page)
    matching = [row["id"] for row in shards.rows() if matches(row, wanted)]
    page = max(1, min(page, -(-len(matching) // PAGE) or 1))
    ids = set(matching[(page - 1) * PAGE : page * PAGE])
    return Found(_shown([row for row in shards.rows() if row["id"] in ids]), len(matching), total, page)


def _shown(rows: list[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if name != VECTOR} for row in rows]


def matches(row: Row, wanted: Wanted) -> bool:
    """Whether a row passes every filter that is set."""
    if wanted.side and (side_of(row) or "none") != wanted.side:
        return False
    score = score_of(row) if row.get("score") is None else row["score"]  # pairs keep the strength of the post they are from
    if wanted.strongest and (score is None or abs(score) < wanted.strongest):
        return False
    if wanted.starred and not row.get("star"):
        return False
    if wanted.topic and (row.get("topic") or "") != wanted.topic:
        return False
    return not wanted.words or wanted.words.lower() in " ".join(str(row.get(name) or "") for name in (*ALL_TEXT, "note", "id")).lower()


def row(draft: Draft, row_id: str, step: int = -1) -> Row | None:
    """One row by its id."""
    found = next((one for one in source(draft, step).rows() if one["id"] == row_id), None)
    return _shown([found])[0] if found else None


def topics(draft: Draft, step: int = -1) -> list[tuple[str, int]]:
    """Topics with their numbers of rows, the most frequent first."""
    return Counter(one.get("topic") or "" for one in source(draft, step).rows(["topic"])).most_common()
