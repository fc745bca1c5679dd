"""What selections picked, side by side: topics, lengths, spread, overlap, and a map that shows where the picked posts lie.

Positions (int) count candidates from 0; picks are lists of positions by name, usually the strategy's key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from pipelines.corpus.selection import Candidates
from pipelines.errors import StudioError

MAP_POINTS = 800
FEW = 10


@dataclass(frozen=True)
class Picked:
    """What a pick is like. `strength` is the mean |score|, `entropy` of its topics in bits, `words` the quartiles of length,
    `distance` the mean cosine distance (0..2) of two of its posts; None where it is not defined."""

    rows: int
    left: int
    right: int
    strength: float | None
    topics: dict[str, int]
    entropy: float
    words: tuple[float, float, float] | None
    distance: float | None

    @property
    def covered(self) -> int:
        return sum(1 for topic in self.topics if topic)


class Overlap(NamedTuple):
    """Posts that two picks share, and their Jaccard index (shared / in either)."""

    shared: int
    jaccard: float


@dataclass(frozen=True)
class Comparison:
    """All candidates, what each strategy picked of them, and what each two picks share."""

    everything: Picked
    picks: dict[str, Picked]
    overlap: dict[tuple[str, str], Overlap]

    def as_dict(self) -> dict[str, Any]:
        """For JSON; a pair of strategies is written "a & b"."""
        overlap = {f"{a} & {b}": one._asdict() for (a, b), one in self.overlap.items()}
        return {"everything": asdict(self.everything), "picks": {key: asdict(one) for key, one in self.picks.items()}, "overlap": overlap}


def compare(candidates: Candidates, picks: Mapping[str, Sequence[int]]) -> Comparison:
    """Describes each pick and all candidates in the same terms."""
    overlap = {(a, b): _shared(set(picks[a]), set(picks[b])) for a in picks for b in picks}
    return Comparison(
        describe(candidates, range(len(candidates))), {key: describe(candidates, some) for key, some in picks.items()}, overlap
    )


def _shared(one: set[int], other: set[int]) -> Overlap:
    return Overlap(len(one & other), len(one & other) / max(1, len(one | other)))


def describe(candidates: Candidates, picked: Sequence[int]) -> Picked:
    """One pick. The mean distance is exact, not sampled: for unit vectors v, the sum of all v_i . v_j is |sum of v|^2."""
    at = np.asarray(picked, dtype=int)
    scores = candidates.scores[at]
    topics = dict(Counter(candidates.topics[at].tolist()).most_common())
    known = np.array([count for topic, count in topics.items() if topic], dtype=float)
    share = known / known.sum() if len(known) else known
    first, middle, third = np.percentile(candidates.words[at], (25, 50, 75)).tolist() if len(at) else (0.0, 0.0, 0.0)
    distance = None
    if candidates.vectors is not None and len(at) > 1:
        total = candidates.vectors.sum(axis=0) if len(at) == len(candidates) else candidates.vectors[at].sum(axis=0)
        distance = float(1 - (total @ total - len(at)) / (len(at) * (len(at) - 1)))
    return Picked(
        len(at), int((scores < 0).sum()), int((scores > 0).sum()), None if np.isnan(scores).all() else float(np.nanmean(np.abs(scores))),
        topics, abs(float(-(share * np.log2(share)).sum())), (first, middle, third) if len(at) else None, distance,
    )  # fmt: skip


class Map(NamedTuple):
    """Where some candidates lie on a plane: their positions and coordinates. Near means alike; the directions mean nothing."""

    positions: list[int]
    x: list[float]
    y: list[float]


def sample(candidates: Candidates, picks: Mapping[str, Sequence[int]], seed: int = 0, points: int = MAP_POINTS) -> list[int]:
    """At most `points` positions to draw: the picked ones first, then others, both by chance where there are more."""
    random = np.random.default_rng(seed)
    picked = np.array(sorted({n for some in picks.values() for n in some}), dtype=int)
    others = np.setdiff1d(np.arange(len(candidates)), picked)
    order = np.concatenate([random.permutation(picked), random.permutation(others)])
    return sorted(order[:points].tolist())


def project(candidates: Candidates, picks: Mapping[str, Sequence[int]], seed: int = 0, points: int = MAP_POINTS) -> Map:
    """A plane on which posts with like embeddings lie near each other (t-SNE, begun from PCA); seconds for 800 points.

    Raises StudioError where the posts have no embeddings.
    """
    if candidates.vectors is None:
        raise StudioError("A map needs sentence embeddings, and these posts have none.", "Score them offline first.")
    positions = sample(candidates, picks, seed, points)
    vectors = candidates.vectors[positions]
    if len(positions) < FEW:
        centred = vectors - vectors.mean(axis=0) if len(positions) else vectors
        flat = (
            centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
            if len(positions) > 2
            else np.arange(2.0 * len(positions)).reshape(-1, 2)
        )
    else:
        from sklearn.manifold import TSNE

        flat = TSNE(init="pca", perplexity=min(30, (len(positions) - 1) / 3), random_state=seed).fit_transform(vectors)
    return Map(positions, flat[:, 0].tolist(), flat[:, 1].tolist())
