"""Steps that judge what a post says: spam by named rules, scores by an annotator, and what is too weak to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pipelines.corpus.engine import Outcome, Tools, Work
from pipelines.corpus.shards import VECTOR, Row, Shards
from pipelines.errors import StudioError
from pipelines.records import AXES, lever

ANNOTATORS = ("offline", "endpoint", "local model")


@dataclass(frozen=True)
class Spam:
    """Drops promotion by named rules."""

    key: ClassVar[str] = "spam"
    label: ClassVar[str] = "Spam"
    hint: ClassVar[str] = "Drops advertising, giveaways, link drops and hashtag chains, by named rules."
    kinds: ClassVar[tuple[str, ...]] = ("posts",)
    per_row: ClassVar[bool] = True

    def start(self, tools: Tools, shards: Shards) -> Work:
        from pipelines.corpus.annotate.spam import spam_reasons

        def one(row: Row) -> Outcome:
            reasons = spam_reasons(row["text"])
            return Outcome(row, "spam", ", ".join(reasons)) if reasons else Outcome(row)

        return lambda rows: [one(row) for row in rows]


@dataclass(frozen=True)
class Annotate:
    """Gives every post its ideology on two axes (-10..10, or no stance), its quality (0..10) and its topic."""

    annotator: str = lever(
        "offline",
        "Who scores",
        "offline: the ruler and named rules. endpoint: a language model by address. local model: the studio's own.",
        choices=ANNOTATORS,
    )
    similarity: float = lever(
        0.2, "On topic from", "Posts less similar than this to all we wrote on any topic are off topic (cosine, offline only).", 0, 1
    )
    prompt: str = lever("", "Prompt", "What a language model is asked; empty means the studio's own prompt.")

    key: ClassVar[str] = "annotate"
    label: ClassVar[str] = "Score"
    hint: ClassVar[str] = "Scores ideology, quality and topic of every post."
    kinds: ClassVar[tuple[str, ...]] = ("posts",)
    per_row: ClassVar[bool] = True

    @property
    def asks_client(self) -> bool:
        return self.annotator == "endpoint"

    def start(self, tools: Tools, shards: Shards) -> Work:
        if self.annotator == "offline":
            return self._offline(tools)
        annotator = self._asking(tools)

        def work(rows: list[Row]) -> list[Outcome]:
            found = annotator.annotate([row["text"] for row in rows], tools.cancelled, tools.progress)
            return [Outcome({**row, **columns(one, annotator.name)}) for row, one in zip(rows, found, strict=True)]

        return work

    def _offline(self, tools: Tools) -> Work:
        from pipelines.corpus.annotate.offline import OfflineAnnotator

        annotator = OfflineAnnotator(tools.ruler, self.similarity)

        def work(rows: list[Row]) -> list[Outcome]:
            found, vectors = annotator.annotate_vectors([row["text"] for row in rows], tools.cancelled)
            packed = [vector.astype("float16").tobytes() for vector in vectors]
            return [
                Outcome({**row, **columns(one, annotator.name), VECTOR: vector})
                for row, one, vector in zip(rows, found, packed, strict=True)
            ]

        return work

    def _asking(self, tools: Tools) -> Any:
        from pipelines.corpus.annotate.endpoint import EndpointAnnotator
        from pipelines.corpus.annotate.local import LocalAnnotator

        if self.annotator == "local model":
            return LocalAnnotator(tools.host, self.prompt)
        if tools.client is None:
            raise StudioError("No endpoint is set.", "Give its address and model first.")
        return EndpointAnnotator(tools.client, self.prompt)


def columns(one: Any, name: str) -> Row:
    """An Annotation as columns of a row."""
    return {
        "economic": one.economic,
        "social": one.social,
        "quality": one.quality,
        "topic": one.topic,
        "topic_similarity": one.topic_similarity,
        "annotator": name,
        "problem": one.problem,
    }


def score_of(row: Mapping[str, Any]) -> float | None:
    """The stronger of a post's or a label's two ideology scores, negative for left / progressive; None means no stance."""
    scores = [row[axis] for axis in AXES if row.get(axis) is not None]
    return max(scores, key=abs) if scores else None


def side_of(row: Row) -> str:
    """ "left", "right", or "" for no stance."""
    score = score_of(row)
    return "" if not score else "left" if score < 0 else "right"


@dataclass(frozen=True)
class Weak:
    """Drops what the scores say is off topic, badly written or unreadable for the annotator."""

    quality: float = lever(4.0, "Lowest quality", "Posts of lower quality are dropped (0 to 10).", 0, 10)
    off_topic: bool = lever(True, "Drop off-topic posts", "Posts that are near no topic description.")
    no_stance: bool = lever(False, "Drop posts without a stance", "Leave this off if you want to keep neutral posts.")

    key: ClassVar[str] = "weak"
    label: ClassVar[str] = "Off topic and weak"
    hint: ClassVar[str] = "Drops off-topic posts, weak ones, and those that the annotator failed to score."
    kinds: ClassVar[tuple[str, ...]] = ("posts",)
    per_row: ClassVar[bool] = True

    def start(self, tools: Tools, shards: Shards) -> Work:
        return lambda rows: [self.one(row) for row in rows]

    def one(self, row: Row) -> Outcome:
        if "annotator" not in row:
            raise StudioError("These posts have no scores yet.", "Run the step Score first.")
        if row["problem"]:
            return Outcome(row, "not scored", row["problem"])
        if self.off_topic and not row["topic"]:
            near = row["topic_similarity"]
            return Outcome(row, "off topic", f"nearest topic {near:.2f}" if near is not None else "")
        if row["quality"] is not None and row["quality"] < self.quality:
            return Outcome(row, "weak", f"quality {row['quality']:.0f}, at least {self.quality:g} wanted")
        if self.no_stance and score_of(row) is None:
            return Outcome(row, "no stance")
        return Outcome(row)
