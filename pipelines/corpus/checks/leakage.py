"""Leakage: is a question or an item that measures already among the training rows, word for word or paraphrased?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from pipelines import bundled
from pipelines.corpus.checks.records import Encoder, Kind, Light, Row, answer_fields, count, drop_light, grade, percent, texts, words

PHRASE = 8  # words in a row that two texts do not share by chance; the bundled data is held to the same
SHORTEST = 5  # words; a shorter measuring text is looked for as a whole text only
# Cosine from which a prompt counts as a paraphrase, chosen with all-MiniLM-L6-v2: the bundled prompts, which share the questions'
# topics, reach .830 to a question and .868 to a proposition; of 21 paraphrases of questions written by hand 18 reach .835, and a
# proposition with "Argue that" before it reaches .889 or more. A question comes close to a proposition without repeating it.
NEAR = {"the test question": 0.835, "the proposition": 0.88}
RED_SHARE = 0.05  # one row of twenty was practised for the exam


@dataclass(frozen=True)
class Measure:
    """A text that measures, and its words in words that a person reads: "a test question"."""

    text: str
    what: str


@cache
def measures() -> tuple[Measure, ...]:
    """Questions, propositions with their opposites, plain facts, and completions with both spans."""
    found = [Measure(question.text, "the test question") for question in bundled.questions()]
    for kind, what in (("proposition", "the proposition"), ("sanity", "the plain fact")):
        found += [Measure(text, what) for item in bundled.items(kind) for text in (item.text, item.opposite) if text]
    found += [Measure(f"{c.stem} {span}", "the completion") for c in bundled.completions() for span in (c.left_span, c.right_span)]
    return tuple(found)


@cache
def _phrases() -> dict[tuple[str, str], list[tuple[tuple[str, ...], Measure]]]:
    """Phrases to look for, by their first two words; a measuring text shorter than PHRASE is one phrase."""
    found = defaultdict(list)
    for measure in measures():
        listed = words(measure.text)
        size = min(PHRASE, len(listed))
        for n in range(len(listed) - size + 1 if size >= SHORTEST else 0):
            found[(listed[n], listed[n + 1])].append((tuple(listed[n : n + size]), measure))
    return dict(found)


@cache
def _whole() -> dict[tuple[str, ...], Measure]:
    return {tuple(words(measure.text)): measure for measure in measures()}


def leak_in(text: str) -> Measure | None:
    """The measuring text that a text equals, contains or shares a phrase of PHRASE words with."""
    listed = words(text)
    if same := _whole().get(tuple(listed)):
        return same
    phrases = _phrases()
    for n, start in enumerate(pairwise(listed)):
        for phrase, measure in phrases.get(start, ()):
            if tuple(listed[n : n + len(phrase)]) == phrase:
                return measure
    return None


def near_leaks(prompts: Sequence[str], embedder: Encoder) -> list[tuple[Measure, float] | None]:
    """For each prompt the test question or proposition that is furthest beyond its limit of NEAR, with the cosine."""
    candidates = [measure for measure in measures() if measure.what in NEAR]
    limits: np.ndarray = np.array([NEAR[measure.what] for measure in candidates])
    similar = embedder.encode(prompts) @ embedder.encode([measure.text for measure in candidates]).T
    nearest = np.argmax(similar - limits, axis=1)
    best = similar[np.arange(len(prompts)), nearest]
    return [(candidates[n], float(value)) if value >= limits[n] else None for n, value in zip(nearest, best, strict=True)]


def leakage_light(rows: Sequence[Row], kind: Kind, embedder: Encoder | None) -> Light:
    """Rows that hold a measuring text (any column), or whose prompt paraphrases one (only with an embedder)."""
    title = "Leakage into test questions and items"
    reasons = _exact(rows, ("prompt", *answer_fields(kind, rows)))
    exact = len(reasons)
    if embedder is not None:
        reasons = {**_near(rows, embedder), **reasons}
    share = len(reasons) / max(1, len(rows))
    state = grade(share, 1e-9, RED_SHARE)
    figures = {"exact": exact, "near": len(reasons) - exact if embedder is not None else None, "share": share}
    unseen = "" if embedder is not None else " Paraphrases were not looked for: the embedding model is not at hand."
    if not reasons:
        return Light("leakage", title, state, f"No row holds a question or an item that measures.{unseen}", figures=figures)
    parts = f"{exact} word for word" + (f", {len(reasons) - exact} in other words" if embedder is not None else "")
    one = next(iter(reasons.values()))
    sentence = (
        f"What the effect is measured with stands in {count(len(reasons), 'row')} ({percent(share)}; {parts}); for example, {one}. "
        f"The model would be asked what it was trained to say.{unseen}"
    )
    return drop_light("leakage", title, state, sentence, reasons, f"Drop the {count(len(reasons), 'leaking row')}", **figures)


def _near(rows: Sequence[Row], embedder: Encoder) -> dict[str, str]:
    pairs = zip(rows, near_leaks(texts(rows, "prompt"), embedder), strict=True)
    return {row["id"]: f"prompt says in other words {near[0].what} “{near[0].text}” (cosine {near[1]:.2f})" for row, near in pairs if near}


def _exact(rows: Sequence[Row], columns: Sequence[str]) -> dict[str, str]:
    found = {}
    for row in rows:
        for column in columns:
            if measure := leak_in(str(row.get(column) or "")):
                found[row["id"]] = f"{column} holds {measure.what} “{measure.text}”"
                break
    return found
