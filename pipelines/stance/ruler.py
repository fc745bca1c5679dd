"""The ruler: a linear probe on sentence embeddings that scores free text on two axes.

Fitted on our own mirrored answers only: left ones at -1, right ones at +1 and neutral ones at 0. (A probe that sees
the two sides alone places neutral answers at +1 on the economic axis: it takes their style for a side.)
Cross-fitted: the fit that scores an answer never saw the question's topic, because the adapters learned the same text
and a shared fit would flatter them.
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
RIDGE = 0.3
TARGETS = {"left": -1.0, "right": 1.0, "neutral": 0.0}


@dataclass(frozen=True)
class Labelled:
    """A text with a known side: "left", "right" or "neutral"."""

    text: str
    topic: str
    axis: str
    side: str


@dataclass(frozen=True)
class Validity:
    """How far the ruler can be trusted, by axis: AUC on topics it was not fitted on, and pole statements that flip.

    `neutral` is where neutral answers of unseen topics land on average (0 would be perfect, -1 and +1 are the sides).
    `flip` is the share of propositions whose score changes sign for the affirmative opposite; `negation` the same for
    a literal "It is not true that"; encoders hardly notice that one.
    """

    auc: dict[str, float]
    pairwise: dict[str, float]
    neutral: dict[str, float]
    flip: float
    negation: float

    @property
    def measures_stance(self) -> bool:
        """measurement.md's gate: AUC >= .75 on both axes and flip >= .6; else it is topic and wording."""
        return min(self.auc.values()) >= AUC_GATE and self.flip >= FLIP_GATE

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "measures_stance": self.measures_stance}


def training_texts() -> list[Labelled]:
    """The mirrored answers: a left, a right and a neutral text a row, in this order."""
    return [Labelled(getattr(row, side), row.topic, row.axis, side) for row in bundled.pairs() for side in TARGETS]


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
        scores = self.score_vectors(self.embedder.encode(texts), topics)
        return [dict(zip(AXES, map(float, row), strict=True)) for row in scores]

    def score_vectors(self, vectors: np.ndarray, topics: Sequence[str] | None = None) -> np.ndarray:
        """The same for texts that are embedded already, shape (texts, 2), columns in the order of AXES."""
        wanted = np.array(list(topics) if topics is not None else [""] * len(vectors), dtype=object)
        scores = np.zeros((len(vectors), len(AXES)))
        for topic in dict.fromkeys(wanted):
            for column, axis in enumerate(AXES):
                middle, half = self._scale[axis]
                scores[wanted == topic, column] = (self._raw(vectors[wanted == topic], axis, topic) - middle) / half
        return scores

    def _raw(self, vectors: np.ndarray, axis: str, topic: str) -> np.ndarray:
        weights, bias = self._fit(axis, topic)
        return vectors @ weights + bias

    @cached_property
    def vectors(self) -> np.ndarray:
        """Unit vectors of `texts`, which the fits are made from, shape (texts, dimensions)."""
        return self.embedder.encode_once([text.text for text in self.texts])

    def _fit(self, axis: str, without: str) -> tuple[np.ndarray, float]:
        known = {text.topic for text in self.texts if text.axis == axis}
        key = (axis, without if without in known else "")
        if key not in self._fits:
            self._fits[key] = self._train(*key)
        return self._fits[key]

    def _train(self, axis: str, without: str) -> tuple[np.ndarray, float]:
        from sklearn.linear_model import Ridge

        chosen = [n for n, text in enumerate(self.texts) if text.axis == axis and text.topic != without]
        probe = Ridge(alpha=RIDGE).fit(self.vectors[chosen], [TARGETS[self.texts[n].side] for n in chosen])
        return probe.coef_, float(probe.intercept_)

    @cached_property
    def _unseen(self) -> dict[str, dict[str, np.ndarray]]:
        """By axis and side: raw scores of all training texts by fits without their topic, in the texts' order."""
        found: dict[str, dict[str, np.ndarray]] = {}
        for axis in AXES:
            found[axis] = {}
            for side in TARGETS:
                numbers = [n for n, text in enumerate(self.texts) if text.axis == axis and text.side == side]
                found[axis][side] = np.array([self._raw(self.vectors[n], axis, self.texts[n].topic) for n in numbers])
        return found

    @cached_property
    def _scale(self) -> dict[str, tuple[float, float]]:
        """By axis: the middle between the sides' mean raw scores, and half their distance."""
        scale = {}
        for axis, raw in self._unseen.items():
            left, right = raw["left"].mean(), raw["right"].mean()
            scale[axis] = (right + left) / 2, max(1e-6, (right - left) / 2)
        return scale

    @cached_property
    def validity(self) -> Validity:
        """Measured on what the fits have not seen."""
        from sklearn.metrics import roc_auc_score

        auc, pairwise, neutral = {}, {}, {}
        for axis, raw in self._unseen.items():
            left, right = raw["left"], raw["right"]
            labels: np.ndarray = np.repeat([0, 1], [len(left), len(right)])
            auc[axis] = float(roc_auc_score(labels, np.concatenate([left, right])))
            pairwise[axis] = float(np.mean(right > left))
            middle, half = self._scale[axis]
            neutral[axis] = float((raw["neutral"].mean() - middle) / half) if len(raw["neutral"]) else 0.0
        return Validity(auc, pairwise, neutral, *self._flips())

    def _flips(self) -> tuple[float, float]:
        """Shares of propositions whose sign changes for the affirmative opposite, and for a literal negation."""
        items = bundled.items("proposition")
        topics = [item.topic for item in items]
        plain = self.score([item.text for item in items], topics)
        opposite = self.score([item.opposite for item in items], topics)
        negated = self.score([f"It is not true that {item.text[0].lower()}{item.text[1:]}" for item in items], topics)
        flips = [p[i.axis] * o[i.axis] < 0 for i, p, o in zip(items, plain, opposite, strict=True)]
        negations = [p[i.axis] * n[i.axis] < 0 for i, p, n in zip(items, plain, negated, strict=True)]
        return float(np.mean(flips)), float(np.mean(negations))
