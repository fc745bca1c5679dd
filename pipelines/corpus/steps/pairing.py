"""From posts to preference pairs, offline: a post, its nearest opposite on the same topic, and a neutral question of ours.

Such pairs are matched, not written: neither post answers the question directly. They say so in their column `made`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pipelines import bundled
from pipelines.corpus.engine import Outcome, Tools, Work
from pipelines.corpus.shards import VECTOR, Row, Shards
from pipelines.corpus.steps.scoring import score_of, side_of
from pipelines.errors import StudioError
from pipelines.records import lever

COLUMNS = ("id", "text", "topic", "economic", "social", VECTOR)
OPPOSITE = {"left": "right", "right": "left"}
TOWARDS = ("left", "right", "both")


@dataclass(frozen=True)
class Match:
    """Pairs every post with its nearest opposite; each opposite is used once a topic, so that none speaks twice."""

    towards: str = lever(
        "left",
        "What to teach",
        "left or right: the chosen answers. both: mirrored rows, from which either side can be tuned.",
        choices=TOWARDS,
    )
    ratio: float = lever(
        2.0, "Largest length ratio", "Pairs in which one text has more than this many times the other's words are dropped.", 1, 10
    )

    key: ClassVar[str] = "match"
    label: ClassVar[str] = "Match into pairs"
    hint: ClassVar[str] = "Joins each post with its nearest opposite post on the same topic and a neutral question from our bank."
    kinds: ClassVar[tuple[str, ...]] = ("posts",)
    per_row: ClassVar[bool] = False

    @property
    def makes(self) -> str:
        return "mirrored" if self.towards == "both" else "pairs"

    def start(self, tools: Tools, shards: Shards) -> Work:
        main = "left" if self.towards == "both" else self.towards
        chosen = [row for row in shards.rows(COLUMNS) if side_of(row) == main and row.get("topic")]
        pool = [
            row
            for row in (shards if tools.pool is None else tools.pool).rows(COLUMNS)
            if side_of(row) == OPPOSITE[main] and row.get("topic")
        ]
        if not chosen:
            raise StudioError(f"No post here leans to the {main}.", "Score the posts first, or choose the other side.")
        partners = assign(chosen, pool, tools.ruler.embedder)
        questions = nearest_questions(chosen, tools.ruler.embedder)
        return lambda rows: [self.one(row, main, partners, questions) for row in rows]

    def one(self, row: Row, main: str, partners: dict[str, Row], questions: dict[str, str]) -> Outcome:
        """One post as a pair, or the reason why it can't be one."""
        if side_of(row) != main:
            return Outcome(row, "not on the side that is taught", side_of(row) or "no stance")
        other = partners.get(row["id"])
        if other is None:
            return Outcome(row, "no opposite post is left on its topic", row.get("topic") or "no topic")
        if not questions.get(row["id"]):
            return Outcome(row, "no neutral question on its topic", row["topic"])
        counts = sorted((len(row["text"].split()), len(other["text"].split())))
        if counts[1] > self.ratio * counts[0]:
            return Outcome(row, "too unequal in length", f"{counts[0]} and {counts[1]} words")
        return Outcome(self._pair(row, other, questions[row["id"]]))

    def _pair(self, row: Row, other: Row, question: str) -> Row:
        texts = (
            {"left": row["text"], "right": other["text"]} if self.towards == "both" else {"chosen": row["text"], "rejected": other["text"]}
        )
        score = score_of(row)
        made = {
            "made": "matched",
            "chosen_from": row["id"],
            "rejected_from": other["id"],
            "score": abs(score) if score is not None else None,
        }
        axis = {"axis": bundled.topics()[row["topic"]].axis} if self.towards == "both" else {}
        return {"id": f"pair-{row['id']}", "topic": row["topic"], **axis, "prompt": question, **texts, **made}


def vectors(rows: Sequence[Row], embedder: Any) -> np.ndarray:
    """Unit vectors of posts, shape (rows, dimensions): the stored ones, or fresh ones where an annotator stored none."""
    if rows and all(row.get(VECTOR) for row in rows):
        return np.stack([np.frombuffer(row[VECTOR], dtype=np.float16).astype(np.float32) for row in rows])
    return embedder.encode([row["text"] for row in rows])


def _likeness(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Cosines, shape (some, others). Raises StudioError where the two come from different embedding models."""
    if some.shape[1] != others.shape[1]:
        raise StudioError("These posts were scored with another embedding model.", "Score them again with the one that is set now.")
    return some @ others.T


def assign(chosen: Sequence[Row], pool: Sequence[Row], embedder: Any) -> dict[str, Row]:
    """For each chosen row's id the opposite row on its topic: the assignment with the largest total similarity (SciPy)."""
    from scipy.optimize import linear_sum_assignment

    partners: dict[str, Row] = {}
    by_topic = _grouped(pool)
    for topic, rows in _grouped(chosen).items():
        others = by_topic.get(topic, [])
        for part in range(0, len(rows), BLOCK):
            some, rest = rows[part : part + BLOCK], others[part : part + BLOCK]
            if not rest:
                break
            likeness = _likeness(vectors(some, embedder), vectors(rest, embedder))
            for a, b in zip(*linear_sum_assignment(-likeness), strict=True):
                partners[some[a]["id"]] = rest[b]
    return partners


BLOCK = 2_000  # a topic with more posts is matched in blocks: the assignment needs a square of memory


def _grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["topic"]].append(row)
    return found


def nearest_questions(rows: Sequence[Row], embedder: Any) -> dict[str, str]:
    """For each row's id the question of our training bank on its topic that is nearest in meaning; "" where we have none."""
    bank = _grouped([{"topic": row.topic, "text": row.prompt} for row in bundled.pairs()])
    found: dict[str, str] = {}
    for topic, group in _grouped(rows).items():
        questions = [one["text"] for one in bank.get(topic, [])]
        if not questions:
            continue
        likeness = _likeness(vectors(group, embedder), embedder.encode(questions))
        found.update({row["id"]: questions[int(best)] for row, best in zip(group, likeness.argmax(axis=1), strict=True)})
    return found
