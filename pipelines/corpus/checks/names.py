"""Names that occur far more often in one half: found from the data itself, so that no list of persons is needed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.corpus.checks.records import HALVES, SIGNIFICANT, Kind, Light, Row, count, drop_light, texts

PRIOR = 0.1  # weight of the prior against what was counted, spread as the words of both halves together
FEWEST = 5  # texts that hold a name
SHOWN = 8
MOST_DROPPED = 1 / 3  # beyond this the names are what the set is about, and dropping rows is no mend
TOKEN = re.compile(r"[^\W\d_][\w’'-]*[^\W_]")
SMALL = re.compile(r"\b[^\W\dA-Z_][\w’'-]*[^\W_]")
MID_SENTENCE = re.compile(r"(?<=[\w,;)] )[A-Z][\w’'-]*\w")


@dataclass(frozen=True)
class Name:
    """A name with the number of texts that hold it in each half, and z of its log-odds ratio (positive: more in the first)."""

    name: str
    a: int
    b: int
    z: float


def telling_names(a: Sequence[str], b: Sequence[str], level: float = SIGNIFICANT) -> list[Name]:
    """Names whose rates differ most, by log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, eq. 16-22).

    A name is a word that is capitalised inside a sentence and hardly ever written small. A text counts once for each of its words.
    Listed are names whose z has a two-sided p below `level` after Bonferroni's correction for the number of names looked at.
    """
    from scipy import stats

    in_a, in_b = _texts_with(a), _texts_with(b)
    spelled = _names([*a, *b])
    candidates = [name for name in spelled if in_a[name] + in_b[name] >= FEWEST]
    if not candidates:
        return []
    y_a, y_b = (np.array([found[name] for name in candidates], dtype=float) for found in (in_a, in_b))
    z = _z(y_a, y_b, in_a.total(), in_b.total())
    limit = stats.norm.isf(level / 2 / len(candidates))
    order = np.argsort(-np.abs(z), kind="stable")
    return [Name(spelled[candidates[n]], int(y_a[n]), int(y_b[n]), float(z[n])) for n in order if abs(z[n]) >= limit]


def _z(y_a: np.ndarray, y_b: np.ndarray, total_a: int, total_b: int) -> np.ndarray:
    """Log-odds ratio over its standard deviation; `y` are counts of names, `total` of all words."""
    prior, all_words = PRIOR * (y_a + y_b), PRIOR * (total_a + total_b)
    odds_a = np.log((y_a + prior) / (total_a + all_words - y_a - prior))
    odds_b = np.log((y_b + prior) / (total_b + all_words - y_b - prior))
    return (odds_a - odds_b) / np.sqrt(1 / (y_a + prior) + 1 / (y_b + prior))


def _texts_with(group: Sequence[str]) -> Counter[str]:
    """How many texts hold a word."""
    found: Counter[str] = Counter()
    for text in group:
        found.update(_words(text))
    return found


def _words(text: str) -> set[str]:
    return {_plain(word) for word in TOKEN.findall(text.lower())}


def _names(group: Sequence[str]) -> dict[str, str]:
    """Words that are names, in small letters and in their commonest spelling; in alphabetical order."""
    inside = Counter(_plain(word) for text in group for word in MID_SENTENCE.findall(text))
    small = Counter(_plain(word) for text in group for word in SMALL.findall(text))
    spelled = {name.lower(): name for name, _ in reversed(inside.most_common())}
    return {low: spelled[low] for low in sorted(spelled) if small[low] <= inside[spelled[low]] / 4 and not low.startswith("i'")}


def _plain(word: str) -> str:
    return word.replace("’", "'").removesuffix("'s")


def name_light(rows: Sequence[Row], kind: Kind) -> Light:
    """Names of one half. Never red: a name can be what a position is about as well as a cue for it; a person must look."""
    title = "Names in one half"
    one, other = HALVES[kind]
    found = telling_names(texts(rows, one), texts(rows, other))
    figures = {"names": [(name.name, name.a, name.b, name.z) for name in found]}
    if not found:
        return Light("names", title, "green", "No name occurs far more often in one half than in the other.", figures=figures)
    listed = listed_names(found, one, other)
    sentence = f"Names that occur far more often in one half: {listed}. A model can tie the side to the name; look whether they belong to the position."
    reasons = _one_sided(rows, one, other, found)
    if len(reasons) > MOST_DROPPED * len(rows):
        return Light("names", title, "amber", sentence, tuple(reasons), figures=figures)
    return drop_light(
        "names", title, "amber", sentence, reasons, f"Drop the {count(len(reasons), 'row')} with such a name in one half", **figures
    )


def listed_names(found: Sequence[Name], one: str, other: str) -> str:
    """The most telling names in words, with the texts that hold them."""
    return ", ".join(f"{name.name} ({name.a} {one}, {name.b} {other})" for name in found[:SHOWN])


def _one_sided(rows: Sequence[Row], one: str, other: str, found: Sequence[Name]) -> dict[str, str]:
    wanted = {name.name.lower(): name.name for name in found}
    reasons = {}
    for row in rows:
        a, b = (_words(texts([row], half)[0]) & wanted.keys() for half in (one, other))
        if a != b:
            reasons[row["id"]] = f"{', '.join(sorted(wanted[name] for name in a ^ b))} stands in one half only"
    return reasons
