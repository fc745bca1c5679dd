"""The annotator that needs no language model: topic and ideology by sentence embeddings of our own texts, quality by rules.

Each text is embedded once. Its topic is the nearest of our topics. Its ideology is where it lies on that topic's own
line, from our left answers and left pole statement to our right ones: a line a topic tells posts apart better than the
ruler's one line for all topics, which reads formal answers and not posts. Single posts are still often wrong: these
scores are for choosing among many, not for judging one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from pipelines import bundled
from pipelines.corpus.annotate.annotation import SCORE_LIMIT, Annotation
from pipelines.corpus.annotate.quality import quality
from pipelines.errors import Cancel, never, refuse_if
from pipelines.records import AXES
from pipelines.stance.ruler import RIDGE, TARGETS, Ruler

MIN_SIMILARITY = 0.2
NO_STANCE = 1.0
TAKES_SIDE = 0.2  # on our mirrored rows questions lie at 0 and answers at 1; posts, being looser in tone, lie lower than answers
UNIT = 5.0
POLE_WEIGHT = 2.0  # a pole statement says in a line what an answer says in four, so it counts twice
CHUNK = 512


def to_points(scores: np.ndarray) -> np.ndarray:
    """Scores to -10..10, any shape: -1 and +1 become -5 and +5, and no two scores become equal by clipping: 10 tanh(x atanh(1/2))."""
    return SCORE_LIMIT * np.tanh(scores * np.arctanh(UNIT / SCORE_LIMIT))


class OfflineAnnotator:
    """Posts less similar than `min_similarity` (cosine) to every topic description are off topic."""

    name = "offline"

    def __init__(self, ruler: Ruler, min_similarity: float = MIN_SIMILARITY) -> None:
        self.ruler = ruler
        self.min_similarity = min_similarity
        self.topics = list(bundled.topics().values())

    def annotate(self, texts: Sequence[str], cancelled: Cancel = never) -> list[Annotation]:
        """One annotation a text. Raises Cancelled, and StudioError where the embedding model can't be loaded."""
        return self.annotate_vectors(texts, cancelled)[0]

    def annotate_vectors(self, texts: Sequence[str], cancelled: Cancel = never) -> tuple[list[Annotation], np.ndarray]:
        """The annotations, and the unit vectors they were made from, shape (texts, dimensions)."""
        found: list[Annotation] = []
        vectors = [self._poles[:0, 0]]
        for start in range(0, len(texts), CHUNK):
            refuse_if(cancelled)
            some = texts[start : start + CHUNK]
            vectors.append(self.ruler.embedder.encode(some))
            found += self._judge(some, vectors[-1])
        return found, np.concatenate(vectors)

    def _judge(self, texts: Sequence[str], vectors: np.ndarray) -> list[Annotation]:
        likeness = vectors @ self._centres.T
        points = to_points(self.places(vectors, likeness.argmax(axis=1)))
        sided = self.takes_side(vectors) >= TAKES_SIDE
        return [self._one(text, *found) for text, *found in zip(texts, likeness, points, sided, strict=True)]

    def _one(self, text: str, likeness: np.ndarray, points: float, sided: bool) -> Annotation:
        near = float(likeness.max())
        score, _ = quality(text)
        if near < self.min_similarity:
            return Annotation(quality=score, topic_similarity=round(near, 4))
        topic = self.topics[int(likeness.argmax())]
        value = round(float(points), 2)
        stance = value if sided and abs(value) >= NO_STANCE else None
        economic, social = (stance if topic.axis == axis else None for axis in AXES)
        return Annotation(economic, social, score, topic.id, round(near, 4))

    def places(self, vectors: np.ndarray, topics: np.ndarray) -> np.ndarray:
        """Where texts lie on their topics' lines, shape (texts,): -1 and +1 are where our own sided answers lie on average."""
        return np.einsum("nd,nd->n", vectors - self._middles[topics], self._directions[topics]) / self._half

    @cached_property
    def _poles(self) -> np.ndarray:
        """Unit vectors of every topic's name with its left and its right pole, shape (topics, 2, dimensions)."""
        texts = [f"{topic.name}: {pole}" for topic in self.topics for pole in (topic.left_pole, topic.right_pole)]
        vectors = self.ruler.embedder.encode(texts)
        return vectors.reshape(len(self.topics), 2, -1)

    @cached_property
    def _questions(self) -> np.ndarray:
        return self.ruler.embedder.encode([row.prompt for row in bundled.pairs()])

    @cached_property
    def _centres(self) -> np.ndarray:
        """The middle of all we wrote on a topic (answers, questions, poles) as a unit vector, shape (topics, dimensions)."""
        ours, asked = np.array([text.topic for text in self.ruler.texts]), np.array([row.topic for row in bundled.pairs()])
        parts = [
            np.concatenate([poles, self.ruler.vectors[ours == topic.id], self._questions[asked == topic.id]]).mean(axis=0)
            for topic, poles in zip(self.topics, self._poles, strict=True)
        ]
        centres = np.stack(parts)
        return centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)

    @cached_property
    def _ends(self) -> np.ndarray:
        """The left and the right end of every topic's line, shape (topics, 2, dimensions); for held-out topics the poles alone."""
        ends = POLE_WEIGHT * self._poles
        weights = np.full((len(self.topics), 2, 1), POLE_WEIGHT)
        place = {topic.id: number for number, topic in enumerate(self.topics)}
        for text, vector in zip(self.ruler.texts, self.ruler.vectors, strict=True):
            if text.side in ("left", "right"):
                at = place[text.topic], int(text.side == "right")
                ends[at] += vector
                weights[at] += 1
        return ends / weights

    @cached_property
    def _middles(self) -> np.ndarray:
        return self._ends.mean(axis=1)

    @cached_property
    def _directions(self) -> np.ndarray:
        lines = self._ends[:, 1] - self._ends[:, 0]
        return lines / np.maximum(np.linalg.norm(lines, axis=1, keepdims=True), 1e-9)

    @cached_property
    def _half(self) -> float:
        """Half the mean distance of our own left and right answers along their topics' lines."""
        place = {topic.id: number for number, topic in enumerate(self.topics)}
        at = np.array([place[text.topic] for text in self.ruler.texts])
        signs = np.array([TARGETS[text.side] for text in self.ruler.texts])
        raw = np.einsum("nd,nd->n", self.ruler.vectors - self._middles[at], self._directions[at])
        return max(1e-6, float((raw * signs).sum() / np.abs(signs).sum()))

    def takes_side(self, vectors: np.ndarray) -> np.ndarray:
        """How far texts take a side at all, about 0 (they report or ask) to 1, shape (texts,).

        The ruler's zero can't say it: neutral answers of unseen topics spread on it as widely as sided ones. A probe
        of its own can: a ridge fit of our mirrored answers (1) against our neutral answers and questions (0).
        """
        weights, bias = self._side_probe
        return vectors @ weights + bias

    @cached_property
    def _side_probe(self) -> tuple[np.ndarray, float]:
        from sklearn.linear_model import Ridge

        sided = [float(text.side != "neutral") for text in self.ruler.texts]
        vectors = np.concatenate([self.ruler.vectors, self._questions])
        probe = Ridge(alpha=RIDGE).fit(vectors, sided + [0.0] * len(self._questions))
        return probe.coef_, float(probe.intercept_)
