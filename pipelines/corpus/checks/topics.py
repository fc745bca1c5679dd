"""Topic imbalance: does one topic fill the set? Topics come from the rows, or from the nearest description of a bundled topic."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np

from pipelines import bundled
from pipelines.corpus.checks.records import SEED, Encoder, Light, Row, State, count, drop_light, percent, texts

LIMIT = 0.25  # a quarter of the rows: six times the share in the bundled set of 24 topics
SLACK = 1.5  # with few topics, one may have half as much again as its equal share
UNKNOWN_SHARE = 0.5  # where more rows than this have no topic, their own topics are not used


def topics_of(rows: Sequence[Row], embedder: Encoder | None) -> list[str]:
    """A topic id for each row: its own; the nearest description where most rows have none and there is an embedder; else empty."""
    own = [str(row.get("topic") or "") for row in rows]
    if embedder is None or own.count("") <= UNKNOWN_SHARE * len(own):
        return own
    known = list(bundled.topics().values())
    described = embedder.encode([f"{topic.name}: {topic.left_pole}, or {topic.right_pole}" for topic in known])
    nearest = np.argmax(embedder.encode(texts(rows, "prompt")) @ described.T, axis=1)
    return [topic or known[n].id for topic, n in zip(own, nearest, strict=True)]


def entropy(counts: Counter[str]) -> float:
    """Shannon's entropy over that of equal shares: 1 where all topics have as many rows, 0 for a single one."""
    total = counts.total()
    shares = [number / total for number in counts.values() if number]
    return -sum(share * math.log(share) for share in shares) / math.log(len(shares)) if len(shares) > 1 else 0.0


def topic_light(rows: Sequence[Row], embedder: Encoder | None) -> Light:
    """Share of the largest topic against a limit; the mend caps topics at that share."""
    title = "Topics"
    found = topics_of(rows, embedder)
    counts = Counter(topic for topic in found if topic)
    if found.count("") > UNKNOWN_SHARE * len(found):
        return Light("topics", title, "grey", "The rows have no topics, and without the embedding model they can't be guessed.")
    largest, number = counts.most_common(1)[0]
    share, limit = number / counts.total(), max(LIMIT, SLACK / len(counts))
    figures = {"topics": len(counts), "largest": largest, "share": share, "entropy": entropy(counts), "limit": limit}
    guessed = "" if any(row.get("topic") for row in rows) else " (guessed from the questions)"
    said = f"{count(len(counts), 'topic')}{guessed}; the largest, {_name(largest)}, has {percent(share)} of the rows"
    if len(counts) == 1:
        sentence = f"All rows are about one topic{guessed}, {_name(largest)}: what is learned may hold for it alone."
        return Light("topics", title, "amber", sentence, figures=figures)
    if share <= limit:
        return Light("topics", title, "green", f"{said}: none fills the set.", figures=figures)
    state: State = "red" if share > (1 + limit) / 2 else "amber"
    most = cap(counts, limit)
    reasons = _beyond(rows, found, most)
    sentence = f"{said}. A model then learns that topic, and the shift measured on others says little."
    label = f"Keep at most {most:,} rows a topic (drops {len(reasons):,})"
    return drop_light("topics", title, state, sentence, reasons, label, **figures)


def cap(counts: Counter[str], limit: float) -> int:
    """The largest number of rows a topic at which no topic has more than `limit` of all; at least 1."""
    for most in range(max(counts.values()), 1, -1):
        kept = [min(number, most) for number in counts.values()]
        if max(kept) <= limit * sum(kept):
            return most
    return 1


def _beyond(rows: Sequence[Row], topics: Sequence[str], most: int) -> dict[str, str]:
    """Rows that a random choice (with a fixed seed) of `most` rows a topic leaves out, and why."""
    order = list(range(len(rows)))
    random.Random(SEED).shuffle(order)
    taken: Counter[str] = Counter()
    left_out = set()
    for n in order:
        taken[topics[n]] += 1
        if topics[n] and taken[topics[n]] > most:
            left_out.add(n)
    return {rows[n]["id"]: f"more than {most} rows about {_name(topics[n])}" for n in sorted(left_out)}


def _name(topic: str) -> str:
    known = bundled.topics().get(topic)
    return f"“{known.name if known else topic}”"
