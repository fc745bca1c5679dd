"""The ruler: a linear probe on all layers of a sentence encoder that scores free text on two axes.

Fitted on our own text only: mirrored answers, left ones at -1, right ones at +1 and neutral ones at 0 (a probe that sees
the two sides alone places neutral answers at +1 on the economic axis: it takes their style for a side), and pole statements
on other subjects. It reads the mean token vector of every layer and not the sentence embedding alone, because that one
was trained to tell topics, and keeps less of the side than the layers below it.
Cross-fitted: the fit that scores an answer never saw the question's topic, because the adapters learned the same text
and a shared fit would flatter them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines import bundled
from pipelines.records import AXES
from pipelines.stance.embedding import Embedder
from pipelines.stance.ruler_texts import TARGETS, Labelled, pole_texts, training_texts
from pipelines.stance.ruler_validity import AUC_GATE, FLIP_GATE, Flips, Unseen, Validity, measured

__all__ = ["AUC_GATE", "FLIP_GATE", "RIDGE", "TARGETS", "Labelled", "Ruler", "Validity", "training_texts"]

RIDGE = 0.3


@dataclass(frozen=True)
class Fit:
    """One linear probe. `middle` is the mean of its training texts' layers, shape (layers, dimensions)."""

    middle: np.ndarray
    weights: np.ndarray
    bias: float

    def __call__(self, layers: np.ndarray) -> np.ndarray:
        """Raw scores, shape (texts,), of texts' layers."""
        return unit_layers(layers, self.middle) @ self.weights + self.bias


def unit_layers(layers: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Each layer less its mean and at length 1, all layers weighing the same, in vectors of length 1: (texts, layers x dimensions)."""
    away = layers - middle
    away = away / np.maximum(np.linalg.norm(away, axis=2, keepdims=True), 1e-9)
    return away.reshape(len(away), -1) / np.sqrt(layers.shape[1])


class Ruler:
    """Scores texts: 0 lies midway, -1 and +1 where unseen left and right answers of our own data lie on average."""

    def __init__(self, embedder: Embedder, texts: Sequence[Labelled] | None = None, poles: Sequence[Labelled] | None = None) -> None:
        self.embedder = embedder
        self.texts = list(texts if texts is not None else training_texts())
        self.poles = list(poles if poles is not None else pole_texts())
        self._fits: dict[tuple[str, str], Fit] = {}

    def score(self, texts: Sequence[str], topics: Sequence[str] | None = None) -> list[dict[str, float]]:
        """`{"economic": .., "social": ..}` for each text; a text with a topic is scored by fits without that topic."""
        if not texts:
            return []
        scores = self.score_vectors(self.embedder.layers(texts), topics)
        return [dict(zip(AXES, map(float, row), strict=True)) for row in scores]

    def score_vectors(self, layers: np.ndarray, topics: Sequence[str] | None = None) -> np.ndarray:
        """The same for what `Embedder.layers` gave, shape (texts, layers, dimensions): shape (texts, 2), columns in the order of AXES."""
        wanted = np.array(list(topics) if topics is not None else [""] * len(layers), dtype=object)
        scores = np.zeros((len(layers), len(AXES)))
        for topic in dict.fromkeys(wanted):
            for column, axis in enumerate(AXES):
                middle, half = self._unseen[axis].scale
                scores[wanted == topic, column] = (self._fit(axis, topic)(layers[wanted == topic]) - middle) / half
        return scores

    @cached_property
    def vectors(self) -> np.ndarray:
        """Sentence embeddings of `texts` at length 1, shape (texts, dimensions), for probes of other kinds."""
        return self.embedder.encode_once([text.text for text in self.texts])

    @cached_property
    def layers(self) -> np.ndarray:
        """What the fits are made from: `texts` and then `poles`, shape (texts, layers, dimensions)."""
        return self.embedder.layers_once([text.text for text in [*self.texts, *self.poles]])

    def _fit(self, axis: str, without: str) -> Fit:
        known = {text.topic for text in [*self.texts, *self.poles] if text.axis == axis}
        key = (axis, without if without in known else "")
        if key not in self._fits:
            self._fits[key] = self._train(*key)
        return self._fits[key]

    def _train(self, axis: str, without: str) -> Fit:
        from sklearn.linear_model import Ridge

        every = list(enumerate([*self.texts, *self.poles]))
        chosen = [n for n, text in every if text.axis == axis and not (without and text.topic == without)]
        middle = self.layers[chosen].mean(axis=0)
        probe = Ridge(alpha=RIDGE).fit(unit_layers(self.layers[chosen], middle), [TARGETS[every[n][1].side] for n in chosen])
        return Fit(middle, probe.coef_, float(probe.intercept_))

    @cached_property
    def _unseen(self) -> dict[str, Unseen]:
        """By axis: raw scores of all mirrored answers by fits without their topic, in the texts' order."""
        return {axis: self._unseen_of(axis) for axis in AXES}

    def _unseen_of(self, axis: str) -> Unseen:
        numbers = np.array([n for n, text in enumerate(self.texts) if text.axis == axis])
        topics = np.array([self.texts[n].topic for n in numbers], dtype=object)
        sides = np.array([self.texts[n].side for n in numbers])
        raw = np.zeros(len(numbers))
        for topic in dict.fromkeys(topics):
            raw[topics == topic] = self._fit(axis, topic)(self.layers[numbers[topics == topic]])
        left, right, neutral = (raw[sides == side] for side in ("left", "right", "neutral"))
        return Unseen(left, right, neutral, list(topics[sides == "left"]), list(topics[sides == "neutral"]))

    @cached_property
    def validity(self) -> Validity:
        """Measured on what the fits have not seen."""
        return measured(self._unseen, self._flips())

    def _flips(self) -> Flips:
        """The propositions, their affirmative opposites and their literal negations, scored by fits without their topic."""
        items = bundled.items("proposition")
        topics = [item.topic for item in items]
        negated = [f"It is not true that {item.text[0].lower()}{item.text[1:]}" for item in items]
        column = [AXES.index(item.axis) for item in items]
        plain, opposite, negation = (
            self.score_vectors(self.embedder.layers_once(texts), topics)[np.arange(len(items)), column]
            for texts in ([item.text for item in items], [item.opposite for item in items], negated)
        )
        return Flips(plain, opposite, negation, np.array([item.key for item in items]), topics)
