"""What an annotator says about one post, and what every annotator must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pipelines.errors import Cancel

SCORE_LIMIT, QUALITY_LIMIT = 10.0, 10.0


@dataclass(frozen=True)
class Annotation:
    """`economic` and `social` lie in -10 (left, progressive) .. 10 (right, traditional); None means no stance.

    `quality` lies in 0..10; `topic` is an id of topics.csv, "" means off topic; `topic_similarity` is a cosine, None
    where the annotator doesn't measure one. A filled `problem` says why there is no annotation: nothing else is set.
    """

    economic: float | None = None
    social: float | None = None
    quality: float | None = None
    topic: str = ""
    topic_similarity: float | None = None
    problem: str = ""


class Annotator(Protocol):
    """One annotation a text, in the texts' order."""

    name: str

    def annotate(self, texts: Sequence[str], cancelled: Cancel = ...) -> list[Annotation]:
        """Raises StudioError for what people can mend, Cancelled once `cancelled()` is true."""
