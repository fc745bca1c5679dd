"""Which posts a model is to learn from: candidates, and strategies that pick some of them (picked.py compares what they picked).

All strategies look at one side's posts only, and repeat exactly for the same seed. Positions (int) count candidates from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipelines.corpus.shards import VECTOR, Row
from pipelines.corpus.steps.scoring import score_of
from pipelines.errors import StudioError

COLUMNS = ("id", "text", "topic", "economic", "social", "quality", "annotator", VECTOR)
SIDES = ("left", "right", "both")
CUTOFF = 5.0
Encode = Callable[[list[str]], np.ndarray]


class Strategy(NamedTuple):
    """A strategy for people: its name, and what it does in a sentence."""

    label: str
    sentence: str


STRATEGIES = {
    "random": Strategy("Random", "Any posts of the side, each with the same chance: what the others are to be compared with."),
    "extreme": Strategy("Most extreme", "The posts with the strongest scores; where scores are equal, chance decides."),
    "cutoff": Strategy("Above a cut-off", "Any posts whose score is at least the cut-off, each with the same chance."),
    "balanced": Strategy(
        "Balanced over topics", "The same number of posts a topic, drawn by chance; topics that run out leave their share to the others."
    ),
    "diverse": Strategy("Most diverse", "Each next post is the one least like all picked before (farthest point); this likes odd posts."),
    "seeds": Strategy("Nearest to seed statements", "The posts most like one of the statements that you write."),
}
WITH_VECTORS = ("diverse", "seeds")


@dataclass(frozen=True)
class Candidates:
    """Posts as columns of n values: signed scores (-10..10, nan = no stance), words, qualities, unit vectors (n, d) or None.

    100,000 posts with vectors of 384 numbers take about 0.2 GB.
    """

    ids: list[str]
    scores: np.ndarray
    topics: np.ndarray
    words: np.ndarray
    qualities: np.ndarray
    vectors: np.ndarray | None

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def from_batches(cls, batches: Iterable[Sequence[Row]], encode: Encode | None = None) -> Candidates:
        """From rows with (at least) the `COLUMNS`. Posts without a stored vector get one from `encode`; without it nobody has any.

        Raises StudioError where the posts were not scored.
        """
        ids: list[str] = []
        topics: list[str] = []
        numbers: list[np.ndarray] = []
        vectors: list[np.ndarray | None] = []
        for rows in filter(None, batches):
            if any(row.get("annotator") is None for row in rows):
                raise StudioError("These posts have no scores yet.", "Run the step Score first.")
            ids += [row["id"] for row in rows]
            topics += [row.get("topic") or "" for row in rows]
            numbers.append(np.array([_numbers(row) for row in rows], dtype=np.float32).reshape(-1, 3))
            vectors.append(_vectors(rows, encode))
        table = np.concatenate([np.empty((0, 3), np.float32), *numbers])
        known = [some for some in vectors if some is not None]
        joined = _unit(np.concatenate(known)) if known and len(known) == len(vectors) else None
        return cls(ids, table[:, 0], np.array(topics, dtype=str), table[:, 1].astype(int), table[:, 2], joined)

    def of_side(self, side: str) -> np.ndarray:
        """Positions of the posts of a side, "left" or "right". A score of exactly 0 is on neither."""
        return np.flatnonzero(self.scores < 0 if side == "left" else self.scores > 0)


def _numbers(row: Row) -> tuple[float, float, float]:
    score, quality = score_of(row), row.get("quality")
    return np.nan if score is None else score, len(row["text"].split()), np.nan if quality is None else quality


def _vectors(rows: Sequence[Row], encode: Encode | None) -> np.ndarray | None:
    """Stored vectors stay float16 until all are there, so that memory never holds them twice at full width."""
    if all(row.get(VECTOR) for row in rows):
        return np.array([np.frombuffer(row[VECTOR], dtype=np.float16) for row in rows])
    return None if encode is None else np.asarray(encode([row["text"] for row in rows])).astype(np.float16)


def _unit(vectors: np.ndarray) -> np.ndarray:
    wide: np.ndarray = vectors.astype(np.float32)
    wide /= np.maximum(np.sqrt(np.einsum("nd,nd->n", wide, wide)), 1e-6)[:, None]
    return wide


@dataclass(frozen=True)
class Wish:
    """What a strategy is to know: how many, whose dice, and the settings that only some strategies read."""

    count: int
    random: np.random.Generator
    cutoff: float = CUTOFF
    seed_vectors: np.ndarray | None = None
    tick: Callable[[float], None] = lambda share: None


def _random(c: Candidates, pool: np.ndarray, wish: Wish) -> np.ndarray:
    return wish.random.permutation(pool)[: wish.count]


def _extreme(c: Candidates, pool: np.ndarray, wish: Wish) -> np.ndarray:
    return pool[np.lexsort((wish.random.random(len(pool)), -np.abs(c.scores[pool])))][: wish.count]


def _cutoff(c: Candidates, pool: np.ndarray, wish: Wish) -> np.ndarray:
    return _random(c, pool[np.abs(c.scores[pool]) >= wish.cutoff], wish)


def _balanced(c: Candidates, pool: np.ndarray, wish: Wish) -> np.ndarray:
    """The first post of every topic in chance order, then the second of every topic, and so on; off-topic posts are left out."""
    shuffled = wish.random.permutation(pool[c.topics[pool] != ""])
    seen: Counter[str] = Counter()
    turns: np.ndarray = np.zeros(len(shuffled), dtype=int)
    for place, topic in enumerate(c.topics[shuffled].tolist()):
        turns[place] = seen[topic]
        seen[topic] += 1
    return shuffled[np.argsort(turns, kind="stable")][: wish.count]


def _diverse(c: Candidates, pool: np.ndarray, wish: Wish) -> np.ndarray:
    """Greedy k-center (Gonzalez 1985) by cosine, from a post drawn by chance: O(posts * count) time, one row of distances."""
    assert c.vectors is not None
    vectors = c.vectors[pool]
    picked = [int(wish.random.integers(len(pool)))]
    likeness = vectors @ vectors[picked[0]]
    while len(picked) < min(wish.count, len(pool)):
        likeness[picked[-1]] = np.inf
        picked.append(int(likeness.argmin()))
        np.maximum(likeness, vectors @ vectors[picked[-1]], out=likeness)
        wish.tick(len(picked) / wish.count)
    return pool[picked]


def _seeds(c: Candidates, pool: np.ndarray, wish: Wish) -> np.ndarray:
    assert c.vectors is not None and wish.seed_vectors is not None
    likeness = (c.vectors[pool] @ _unit(wish.seed_vectors).T).max(axis=1)
    return pool[np.argsort(-likeness, kind="stable")][: wish.count]


PICKERS: dict[str, Callable[[Candidates, np.ndarray, Wish], np.ndarray]] = {
    "random": _random, "extreme": _extreme, "cutoff": _cutoff, "balanced": _balanced, "diverse": _diverse, "seeds": _seeds,
}  # fmt: skip


def choose(
    candidates: Candidates,
    strategy: str,
    side: str,
    count: int,
    seed: int,
    cutoff: float = CUTOFF,
    seed_vectors: np.ndarray | None = None,
    tick: Callable[[float], None] = lambda share: None,
) -> list[int]:
    """Positions of the picked posts, ascending. "both" picks half from each side (an odd one from the right).

    Fewer than `count` where there are not enough; `said` tells people. `tick` hears the share done and may raise to stop.
    Raises StudioError for an unknown strategy or side, and where a strategy lacks vectors or seed statements.
    """
    _check(candidates, strategy, side, seed_vectors)
    picked: list[int] = []
    for place, (name, wanted) in enumerate(shares(side, count).items()):
        pool = candidates.of_side(name)
        if wanted and len(pool):
            dice = np.random.default_rng([seed, place, list(STRATEGIES).index(strategy)])  # shared dice would make picks alike
            wish = Wish(wanted, dice, cutoff, seed_vectors, tick)
            picked += PICKERS[strategy](candidates, pool, wish).tolist()
    return sorted(picked)


def shares(side: str, count: int) -> dict[str, int]:
    """How many are wanted from each side."""
    return {"left": count // 2, "right": count - count // 2} if side == "both" else {side: count}


def _check(candidates: Candidates, strategy: str, side: str, seed_vectors: np.ndarray | None) -> None:
    if strategy not in STRATEGIES:
        raise StudioError(f"There is no strategy called “{strategy}”.", f"Choose one of {', '.join(STRATEGIES)}.")
    if side not in SIDES:
        raise StudioError(f"“{side}” is not a side.", f"Choose one of {', '.join(SIDES)}.")
    label = STRATEGIES[strategy].label
    if strategy in WITH_VECTORS and candidates.vectors is None:
        raise StudioError(
            f"“{label}” needs sentence embeddings, and these posts have none.", "Score them offline, or choose another strategy."
        )
    if strategy == "seeds" and (seed_vectors is None or not len(seed_vectors)):
        raise StudioError(f"“{label}” needs at least one statement.", "Write one statement a line.")


def said(candidates: Candidates, picks: Sequence[int], strategy: str, side: str, count: int) -> str:
    """How many were picked, and which side had fewer than were wanted."""
    got = {name: int(np.isin(candidates.of_side(name), picks).sum()) for name in shares(side, count)}
    short = [f"{got[name]:,} of {wanted:,} on the {name}" for name, wanted in shares(side, count).items() if got[name] < wanted]
    start = f"{STRATEGIES[strategy].label}: {len(picks):,} of {len(candidates):,} posts"
    return f"{start}. There were not enough: {', '.join(short)}." if short else f"{start}."
