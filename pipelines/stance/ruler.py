"""The ruler: a linear probe on sentence embeddings that scores free text on two axes.

Fitted on our own mirrored answers and propositions only. Cross-fitted: the fit that scores an answer never saw the
question's topic, because the adapters learned the same text and a shared fit would flatter them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from pipelines import bundled
from pipelines.records import AXES
from pipelines.stance.embedding import Embedder

AUC_GATE, FLIP_GATE = 0.75, 0.60
INVERSE_REGULARIZATION = 1.0


@dataclass(frozen=True)
class Labelled:
    """A text with a known side: `right` is True for right / traditional."""

    text: str
    topic: str
    axis: str
    right: bool


@dataclass(frozen=True)
class Validity:
    """How far the ruler can be trusted, by axis: AUC on topics it was not fitted on, and pole statements that flip.

    `flip` is the share of propositions whose score changes sign for the affirmative opposite; `negation` the same for
    a literal "It is not true that"; encoders hardly notice that one.
    """

    auc: dict[str, float]
    pairwise: dict[str, float]
    flip: float
    negation: float

    @property
    def measures_stance(self) -> bool:
        """measurement.md's gate: AUC >= .75 on both axes and flip >= .6; else it is topic and wording."""
        return min(self.auc.values()) >= AUC_GATE and self.flip >= FLIP_GATE

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "measures_stance": self.measures_stance}


def training_texts() -> list[Labelled]:
    """The mirrored answers: one left and one right text a row, in this order."""
    return [Labelled(getattr(row, side), row.topic, row.axis, side == "right") for row in bundled.pairs() for side in ("left", "right")]


class Ruler:
    """Scores texts: 0 lies midway, -1 and +1 where unseen left and right answers of our own data lie on average."""

    def __init__(self, embedder: Embedder, texts: Sequence[Labelled] | None = None) -> None:
        self.embedder = embedder
        self.texts = list(texts if texts is not None else training_texts())
        self._fits: dict[tuple[str, str], tuple[np.ndarray, float]] = {}

    def score(self, texts: Sequence[str], topics: Sequence[str] | None = None) -> list[dict[str, float]]:
        """`{"economic": .., "social": ..}` for each text; a text with a topic is scored by fits without that topic."""
        if not texts:
            return []
        vectors = self.embedder.encode(texts)
        wanted = topics if topics is not None else [""] * len(texts)
        return [{axis: self._value(vector, axis, topic) for axis in AXES} for vector, topic in zip(vectors, wanted, strict=True)]

    def _value(self, vector: np.ndarray, axis: str, topic: str) -> float:
        middle, half = self._scale[axis]
        return float((self._raw(vector, axis, topic) - middle) / half)

    def _raw(self, vectors: np.ndarray, axis: str, topic: str) -> np.ndarray:
        weights, bias = self._fit(axis, topic)
        return vectors @ weights + bias

    @cached_property
    def _vectors(self) -> np.ndarray:
        return self.embedder.encode([text.text for text in self.texts])

    def _fit(self, axis: str, without: str) -> tuple[np.ndarray, float]:
        known = {text.topic for text in self.texts if text.axis == axis}
        key = (axis, without if without in known else "")
        if key not in self._fits:
            self._fits[key] = self._train(*key)
        return self._fits[key]

    def _train(self, axis: str, without: str) -> tuple[np.ndarray, float]:
        from sklearn.linear_model import LogisticRegression

        chosen = [n for n, text in enumerate(self.texts) if text.axis == axis and text.topic != without]
        labels = [self.texts[n].right for n in chosen]
        probe = LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=3000).fit(self._vectors[chosen], labels)
        return probe.coef_[0], float(probe.intercept_[0])

    @cached_property
    def _unseen(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By axis: raw scores of all training texts by fits without their topic, and which of them are right."""
        found = {}
        for axis in AXES:
            numbers = [n for n, text in enumerate(self.texts) if text.axis == axis]
            raw = np.array([self._raw(self._vectors[n], axis, self.texts[n].topic) for n in numbers])
            found[axis] = raw, np.array([self.texts[n].right for n in numbers])
        return found

    @cached_property
    def _scale(self) -> dict[str, tuple[float, float]]:
        scale = {}
        for axis, (raw, right) in self._unseen.items():
            left_mean, right_mean = raw[~right].mean(), raw[right].mean()
            scale[axis] = (right_mean + left_mean) / 2, max(1e-6, (right_mean - left_mean) / 2)
        return scale

    @cached_property
    def validity(self) -> Validity:
        """Measured on what the fits have not seen."""
        from sklearn.metrics import roc_auc_score

        auc = {axis: float(roc_auc_score(right, raw)) for axis, (raw, right) in self._unseen.items()}
        pairwise = {axis: float(np.mean(raw[right] > raw[~right])) for axis, (raw, right) in self._unseen.items()}
        items = bundled.items("proposition")
        topics = [item.topic for item in items]
        plain = self.score([item.text for item in items], topics)
        opposite = self.score([item.opposite for item in items], topics)
        negated = self.score([f"It is not true that {item.text[0].lower()}{item.text[1:]}" for item in items], topics)
        flips = [p[i.axis] * o[i.axis] < 0 for i, p, o in zip(items, plain, opposite, strict=True)]
        negations = [p[i.axis] * n[i.axis] < 0 for i, p, n in zip(items, plain, negated, strict=True)]
        return Validity(auc, pairwise, float(np.mean(flips)), float(np.mean(negations)))
