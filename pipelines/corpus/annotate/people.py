"""People as annotators: what they are told, which posts they see, where their labels lie, and how far they agree."""

from __future__ import annotations

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines.corpus.annotate.annotation import SCORE_LIMIT
from pipelines.corpus.steps.scoring import score_of
from pipelines.errors import StudioError
from pipelines.paths import read_json, write_json

SAMPLE, BAND, MIDDLE = 20, 4.0, 1.0
SEED, RESAMPLES = 20240412, 5000
ENOUGH, TENTATIVE = 0.8, 0.667  # Krippendorff 2018: rely on data from .8, draw tentative conclusions from .667
Scale = Literal["interval", "ordinal", "nominal"]
Label = dict[str, Any]

GUIDELINE = """**Label what the author says, not what you think of it.** Twenty posts, about ten minutes; alone, without looking
at other labels.

1. **Stance**: from -10 (left, progressive) over 0 to 10 (right, traditional). 3 is a leaning, 6 a clear position, 9 and more a
   demand without compromise.
2. **No stance**: a question, a report, an announcement, or both sides alike. Not a score of 0: that is a considered middle.
3. **Economic or social?** Who owns, pays and decides in the economy; or how people live together: custom, order, freedom of
   life. Where a post does both, take what it is mainly about.
4. **Sarcasm** counts as what it means. A quoted opinion counts only if the author shares it.
5. **Quality**: 0 is spam or a slogan, 5 a claim, 10 a clear claim with a reason. A good argument for the other side is good.
6. In doubt, skip the post: a missing label is better than a guess."""


def bins(score: float | None) -> str:
    """ "left", "none" or "right": scores nearer to 0 than one point count as none."""
    return "none" if score is None or abs(score) < MIDDLE else "left" if score < 0 else "right"


def sample(rows: Sequence[Mapping[str, Any]], n: int = SAMPLE, seed: int = SEED) -> list[Mapping[str, Any]]:
    """Posts to label, in turn from each fifth of the score range and from those without stance, in no order.

    Fewer than `n` where there are fewer; rows with a `problem` are left out.
    """
    chance = random.Random(seed)
    strata: dict[int | None, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if not row.get("problem"):
            score = score_of(row)
            strata[None if score is None else min(4, int((score + SCORE_LIMIT) // BAND))].append(row)
    piles = [strata[key] for key in sorted(strata, key=lambda key: -1 if key is None else key)]
    for pile in piles:
        chance.shuffle(pile)
    chosen = [pile[turn] for turn in range(max(map(len, piles), default=0)) for pile in piles if turn < len(pile)][:n]
    chance.shuffle(chosen)
    return chosen


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha (1 perfect, 0 chance) with its 95% bootstrap interval; None where it can't be computed."""

    alpha: float | None
    low: float | None
    high: float | None
    rows: int
    raters: int
    scale: Scale
    sentence: str


def agreement(ratings: Mapping[str, Mapping[str, float | str | None]], scale: Scale = "interval") -> Agreement:
    """How far raters agree on the rows that at least two of them rated; `ratings` is rater -> row id -> value.

    A missing row or None is no rating; for sides use `sides(...)` with scale "nominal". Alpha and its bootstrap are
    evalica's (Krippendorff 2018; Hayes's KALPHA). Alpha is undefined where all values are the same.
    """
    import pandas as pd
    from evalica import alpha_bootstrap

    kept = {rater: {row: value for row, value in values.items() if value is not None} for rater, values in ratings.items()}
    kept = {rater: values for rater, values in kept.items() if values}
    table = pd.DataFrame(kept).T
    shared = table.loc[:, table.notna().sum() >= 2] if len(kept) > 1 else table.iloc[:, :0]
    rows, raters = shared.shape[1], int((shared.notna().sum(axis=1) > 0).sum())
    if not rows:
        return Agreement(None, None, None, 0, len(kept), scale, "Two raters must have labelled the same posts.")
    codes = {value: number for number, value in enumerate(sorted(set(shared.stack())))}
    if len(codes) == 1:
        return Agreement(None, None, None, rows, raters, scale, "Everybody gave the same value, so agreement can't be told from chance.")
    coded = shared.map(codes.get) if scale == "nominal" else shared
    found = alpha_bootstrap(coded.astype(float), distance=scale, n_resamples=RESAMPLES, random_state=SEED)
    return Agreement(found.alpha, found.low, found.high, rows, raters, scale, _sentence(found.alpha, rows, raters))


def _sentence(alpha: float, rows: int, raters: int) -> str:
    meaning = (
        "enough to rely on"
        if alpha >= ENOUGH
        else "enough for tentative conclusions"
        if alpha >= TENTATIVE
        else "too little to rely on these labels"
    )
    return f"Krippendorff's alpha {alpha:.2f} over {rows} posts and {raters} raters: {meaning}."


def sides(labels: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Row id -> "left", "none" or "right", from labels or rows by id."""
    return {row: bins(score_of(label)) for row, label in labels.items()}


def values(labels: Mapping[str, Mapping[str, Any]], name: str = "stance") -> dict[str, float | None]:
    """Row id -> one number of its label or row: "stance", "quality", "economic" or "social"."""
    return {row: score_of(label) if name == "stance" else label.get(name) for row, label in labels.items()}


def _file(folder: Path, rater: str) -> Path:
    name = rater.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise StudioError("A rater needs a short name.", "Initials or a nickname will do; it is stored with the labels.")
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30]
    return folder / f"labels-{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.json"


def save_labels(folder: Path, rater: str, labels: Mapping[str, Label]) -> Path:
    """Writes one rater's labels (row id -> economic, social, quality, topic) whole. Raises StudioError for no name."""
    target = _file(folder, rater)
    write_json(target, {"rater": rater.strip(), "labels": {row: dict(label) for row, label in labels.items()}})
    return target


def load_labels(folder: Path, rater: str) -> dict[str, Label]:
    """One rater's labels; none where nothing is stored. Raises StudioError where the file is damaged."""
    file = _file(folder, rater)
    return _read(file)[1] if file.is_file() else {}


def all_labels(folder: Path) -> dict[str, dict[str, Label]]:
    """Rater -> labels, of everybody who labelled in this folder."""
    return dict(_read(file) for file in sorted(folder.glob("labels-*.json")))


def _read(file: Path) -> tuple[str, dict[str, Label]]:
    try:
        stored = read_json(file)
        return str(stored["rater"]), {str(row): dict(label) for row, label in stored["labels"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StudioError(f"The labels in {file.name} can't be read.", "Delete that file; its rater must label again.") from error
