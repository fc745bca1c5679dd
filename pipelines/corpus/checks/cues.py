"""Can the two halves be told apart by style alone? A classifier that sees no content, its strongest cues, and a mend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipelines.corpus.checks import style
from pipelines.corpus.checks.records import HALVES, SEED, Kind, Light, Mended, Row, grade, kind_of, texts

AMBER_AUC = 0.60  # the bundled rows are held to it by a test of their own; halves swapped at random stay under it 98 times in 100
RED_AUC = 0.70  # a random pair is then told apart in seven cases of ten without reading a word
FEWEST = 64  # rows; with 32, one of eight sets whose halves were swapped at random reaches AMBER_AUC
FOLDS = 5
PENALTY = 0.1  # inverse strength: some forty features meet a few hundred texts
MOST_DROPPED = 1 / 3  # beyond this, better rows are needed, not fewer
GAIN = 0.02  # a mend that lowers the AUC by less is not offered: it costs a third of the rows
ROUND = 0.05  # share of rows dropped before the classifier is fitted anew
TELLING = 0.2  # standardized difference (Cohen's "small") from which a feature is named as a cue


@dataclass(frozen=True)
class Told:
    """How well style alone tells text group `a` (first) from `b`. `scores` are out-of-fold, higher = more like `a`."""

    features: np.ndarray
    scores: np.ndarray
    size: int

    @property
    def labels(self) -> np.ndarray:
        return np.arange(len(self.scores)) < self.size

    @cached_property
    def auc(self) -> float:
        """How often a random text of `a` scores above a random one of `b`; 0.5 is chance."""
        from sklearn.metrics import roc_auc_score

        return float(roc_auc_score(self.labels, self.scores))

    @property
    def margins(self) -> np.ndarray:
        """Score of a minus score of b for each row; only for halves of the same rows."""
        return self.scores[: self.size] - self.scores[self.size :]

    @cached_property
    def cues(self) -> list[tuple[str, float, float, float]]:
        """(feature, mean in a, mean in b, standardized difference), the most different first."""
        a, b = self.features[: self.size], self.features[self.size :]
        spread = np.sqrt((a.var(axis=0) + b.var(axis=0)) / 2)
        gap = (a.mean(axis=0) - b.mean(axis=0)) / np.where(spread > 1e-9, spread, np.inf)
        order = np.argsort(-np.abs(gap))
        return [(style.FEATURES[n], float(a[:, n].mean()), float(b[:, n].mean()), float(gap[n])) for n in order]


def tell(features: np.ndarray, size: int, groups: np.ndarray) -> Told:
    """Cross-validated logistic regression on style features; texts of one group are never split over folds.

    `features` has shape (texts, features), the first `size` texts are group `a`; needs at least FOLDS groups.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, solver="newton-cholesky"))
    labels = np.arange(len(features)) < size
    folds = GroupKFold(FOLDS, shuffle=True, random_state=SEED)
    scores = cross_val_predict(probe, features, labels, groups=groups, cv=folds, method="decision_function")
    return Told(features, scores, size)


def tell_halves(features: np.ndarray) -> Told:
    """The same for two halves of the same rows (first all of one half, then all of the other); a row stays in one fold."""
    size = len(features) // 2
    return tell(features, size, np.tile(np.arange(size), 2))


def cue_light(rows: Sequence[Row], kind: Kind) -> Light:
    """AUC of the cue classifier between the halves, with the strongest cues in words; the mend is tried to say what it would bring."""
    title = "Cues other than content"
    if len(rows) < FEWEST:
        return Light("cues", title, "grey", f"With {len(rows)} rows, style can't be judged; {FEWEST} are needed.")
    one, other = HALVES[kind]
    features = style.matrix([*texts(rows, one), *texts(rows, other)])
    told = tell_halves(features)
    light = light_of("cues", title, told, one, other)
    figures = {**light.figures, "pairwise": float(np.mean(told.margins > 0))}
    if light.state == "green":
        return replace(light, figures=figures)
    _, surest, after = _trim(features)
    figures["auc_after_mend"] = after
    if told.auc - after < GAIN:
        sentence = f"{light.sentence} Dropping the worst third of the rows would leave {after:.2f}: the texts must be rewritten."
        return replace(light, sentence=sentence, figures=figures)
    ids = tuple(rows[n]["id"] for n in surest)
    label = f"Drop the {len(surest):,} rows that style gives away (AUC falls to {after:.2f})"
    return replace(light, rows=ids, mend="cues", mend_label=label, figures=figures)


def light_of(key: str, title: str, told: Told, one: str, other: str) -> Light:
    """Puts a classifier's result into words."""
    state = grade(told.auc, AMBER_AUC, RED_AUC)
    figures = {"auc": told.auc, "cues": told.cues[:3]}
    measured = f"A classifier that sees only style (length, punctuation, function words) tells {one} from {other} with AUC {told.auc:.2f} (0.50 is chance)"
    if state == "green":
        return Light(key, title, state, f"{measured}: style does not give the sides away.", figures=figures)
    strongest = "; ".join(_in_words(cue, one, other) for cue in told.cues[:3] if abs(cue[3]) >= TELLING)
    strongest = f"Strongest: {strongest}." if strongest else "No single cue is strong."
    sentence = f"{measured}. {strongest} A model can learn this style in place of the position."
    return Light(key, title, state, sentence, figures=figures)


def _in_words(cue: tuple[str, float, float, float], one: str, other: str) -> str:
    name, a, b, _ = cue
    digits = 0 if max(a, b) >= 20 else 1 if max(a, b) >= 1 else 2
    unit = " in 100 words" if name in style.RATES else " an answer" if name not in ("words a sentence", "letters a word") else ""
    return f"{name}{unit} ({one} {a:.{digits}f}, {other} {b:.{digits}f})"


def mend_cues(rows: Sequence[Row], light: Light) -> Mended:
    """Drops the rows that the classifier separates most surely; see _trim."""
    one, other = HALVES[kind_of(rows)]
    left, surest, _ = _trim(style.matrix([*texts(rows, one), *texts(rows, other)]))
    dropped = [(rows[n], f"style alone tells its halves apart (margin {margin:.1f})") for n, margin in surest.items()]
    return [rows[n] for n in left], dropped, 0


def _trim(features: np.ndarray) -> tuple[list[int], dict[int, float], float]:
    """Places of the rows kept, places of the rows dropped with their margins, and the AUC that remains.

    Round by round, the rows with the largest margins go and the classifier is fitted anew, until the AUC is below AMBER_AUC or
    MOST_DROPPED of the rows is gone. What remains was kept for being hard, so its AUC flatters a little.
    """
    size = len(features) // 2
    left: np.ndarray = np.arange(size)
    allowed = min(int(size * MOST_DROPPED), size - FEWEST)
    dropped: dict[int, float] = {}
    while True:
        told = tell_halves(features[np.concatenate([left, left + size])])
        surest = np.argsort(-told.margins)[: min(max(1, int(size * ROUND)), allowed - len(dropped))]
        surest = surest[told.margins[surest] > 0]
        if told.auc < AMBER_AUC or not len(surest):
            return left.tolist(), dropped, told.auc
        dropped.update(zip(left[surest].tolist(), told.margins[surest].tolist(), strict=True))
        left = np.delete(left, surest)
