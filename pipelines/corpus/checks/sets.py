"""Two data sets that are to be used as opposite sides: what but the position tells them apart?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from pipelines.corpus.checks import cues, era, style
from pipelines.corpus.checks.names import listed_names, telling_names
from pipelines.corpus.checks.records import SIGNIFICANT, Encoder, Light, Row, grade, percent, texts
from pipelines.corpus.checks.symmetry import AMBER_RATIO, RED_RATIO
from pipelines.corpus.checks.topics import UNKNOWN_SHARE, topics_of

AMBER_TOPICS, RED_TOPICS = 0.25, 0.50  # share of rows that would have to change topic for the sets to be alike
COLUMNS = ("prompt", "chosen", "rejected", "left", "right", "text")
TARGETS = ("chosen", "text", "left")


def compare(a: Sequence[Row], b: Sequence[Row], names: tuple[str, str], embedder: Encoder | None) -> list[Light]:
    """Lights for topic, era, names, length and style between two sets; there is no mend, since it takes other rows."""
    return [
        _topics(a, b, names, embedder),
        _era(a, b, names),
        _names(a, b, names),
        _length(target_texts(a), target_texts(b), names),
        _style(target_texts(a), target_texts(b), names),
    ]


def target_texts(rows: Sequence[Row]) -> list[str]:
    """What a model would be trained to say: the chosen answers, the posts, or the left answers."""
    column = next((name for name in TARGETS if rows and name in rows[0]), "chosen")
    return texts(rows, column)


def _topics(a: Sequence[Row], b: Sequence[Row], names: tuple[str, str], embedder: Encoder | None) -> Light:
    from scipy import stats

    found = topics_of([*a, *b], embedder)
    if found.count("") > UNKNOWN_SHARE * len(found):
        return Light("topics", "Topics", "grey", "The rows have no topics, and without the embedding model they can't be guessed.")
    counts = [Counter(topic for topic in part if topic) for part in (found[: len(a)], found[len(a) :])]
    listed = sorted({*counts[0], *counts[1]})
    table = np.array([[count[topic] for topic in listed] for count in counts], dtype=float)
    if not table.sum(axis=1).all():
        return Light("topics", "Topics", "grey", "One of the sets has no topics.")
    shares = table / table.sum(axis=1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    p = float(stats.chi2_contingency(table).pvalue) if len(listed) > 1 else 1.0
    state = grade(distance, AMBER_TOPICS, RED_TOPICS) if p < SIGNIFICANT else "green"
    most = ", ".join(
        f"{listed[n]} ({percent(shares[0][n])} and {percent(shares[1][n])})" for n in np.argsort(-np.abs(shares[0] - shares[1]))[:3]
    )
    said = f"{percent(distance)} of the rows of {names[0]} would have to change topic to match {names[1]}"
    more = (
        f"; furthest apart: {most}. A model learns what is talked about in place of the position."
        if state != "green"
        else ": the topics are alike."
    )
    return Light("topics", "Topics", state, said + more, figures={"distance": distance, "p": p})


def _era(a: Sequence[Row], b: Sequence[Row], names: tuple[str, str]) -> Light:
    years = era.dated(a, COLUMNS), era.dated(b, COLUMNS)
    apart = era.compare(*years)
    said = era.said(*years, f"rows of {names[0]}", f"rows of {names[1]}")
    more = (
        "A model can take the time that is spoken of for the side."
        if apart.state != "green"
        else "The sets speak of the same time, as far as years tell."
    )
    figures = {"dated": {names[0]: len(years[0]), names[1]: len(years[1])}, "medians": {names[0]: apart.a, names[1]: apart.b}, "p": apart.p}
    return Light("era", "Era", apart.state, f"{said} {more}", figures=figures)


def _names(a: Sequence[Row], b: Sequence[Row], names: tuple[str, str]) -> Light:
    found = telling_names(_spoken(a), _spoken(b))
    figures = {"names": [(name.name, name.a, name.b, name.z) for name in found]}
    if not found:
        return Light("names", "Names in one set", "green", "No name occurs far more often in one set than in the other.", figures=figures)
    sentence = (
        f"Names that occur far more often in one set: {listed_names(found, *names)}. Sets from different times or places show it here."
    )
    return Light("names", "Names in one set", "amber", sentence, figures=figures)


def _spoken(rows: Sequence[Row]) -> list[str]:
    return ["\n".join(parts) for parts in zip(texts(rows, "prompt"), target_texts(rows), strict=True)]


def _length(a: Sequence[str], b: Sequence[str], names: tuple[str, str]) -> Light:
    from scipy import stats

    sizes = [[len(text.split()) for text in part] for part in (a, b)]
    means = [max(1e-9, float(np.mean(part))) for part in sizes]
    by_chance = stats.mannwhitneyu(*sizes).pvalue >= SIGNIFICANT
    state = "green" if by_chance else grade(max(means) / min(means), AMBER_RATIO, RED_RATIO)
    said = f"Answers have {means[0]:.0f} words in {names[0]} and {means[1]:.0f} in {names[1]} on average"
    more = ": about alike." if state == "green" else ". A model can learn to write longer or shorter in place of the position."
    return Light("length", "Length", state, said + more, figures={"means": dict(zip(names, means, strict=True))})


def _style(a: Sequence[str], b: Sequence[str], names: tuple[str, str]) -> Light:
    if min(len(a), len(b)) < cues.FEWEST:
        return Light("cues", "Cues other than content", "grey", f"Style can be judged from {cues.FEWEST} rows a set on.")
    told = cues.tell(style.matrix([*a, *b]), len(a), np.arange(len(a) + len(b)))
    return cues.light_of("cues", "Cues other than content", told, *names)
