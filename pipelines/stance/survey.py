"""The questionnaire by log-probability: one forward pass a prompt, both wordings of every statement, and gates before any position.

For item i, wording w, form t (measurement.md, 1; content-free calibration after Zhao et al. 2021):

    l[i,w,t] = log P(agreeing labels) - log P(disagreeing labels)      after the last token of the prompt
    x[i] = key_i * mean_t( l[i,text,t] - l[i,opposite,t] ) / 2         stance in log-odds; a liking for yes cancels
    q[i] = mean_t( (l[i,text,t] - l0[t]) + (l[i,opposite,t] - l0[t]) ) / 2
    s[i] = tanh(x[i] / 2);  position of an axis = 10 * mean s[i]
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import fmean, median
from typing import Any

import numpy as np

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models.host import ModelHost
from pipelines.models.labels import LabelScore
from pipelines.records import AXES, Column, Item
from pipelines.stance.forms import Asked, Form, prompts
from pipelines.stance.kept import Kept
from pipelines.stance.paired import Progress, refuse_if
from pipelines.stance.statistics import ring

Scorer = Callable[[Sequence[Asked]], list[LabelScore]]
MASS_GATE, FACTS_GATE, LEVEL = 0.05, 10 / 12, 0.05
SCALE, OWN = 10.0, "own-"  # the ids of a visitor's own statements, whose words stand in every row


@dataclass(frozen=True)
class Check:
    """Whether a column can answer a questionnaire at all, and where it would stand if it can.

    `label_mass`: median probability of all labels together. `facts`: plain facts answered rightly. `consistent`: statements and their
    opposites answered differently (calibrated), of `items`; `needed` of them are more than chance gives (binomial, one-sided 5%).
    `ring`: 95% of |position| of one who answers with the same strengths and random signs.
    """

    label_mass: float
    facts: int
    of_facts: int
    consistent: int
    items: int
    needed: int
    acquiescence: float
    position: dict[str, float]
    ring: dict[str, float]
    passed: bool
    reasons: list[str]


@dataclass(frozen=True)
class Surveyed:
    """What one column answered: `rows` and `check` as a study keeps them (Study.survey, Study.checks)."""

    rows: list[dict[str, Any]]
    check: dict[str, Any]


def scorer(
    host: ModelHost,
    column: Column,
    kept: Kept | None = None,
    who: Sequence[Any] = (),
    progress: Progress = lambda fraction, text: None,
    stop: threading.Event | None = None,
) -> Scorer:
    """Asks a column of the host, whose identity is `who`, form by form: what a form's prompts begin with is computed once.

    Scores are kept as they are, a form at a time; gates and stances are worked out anew. Raises StudioError where it is stopped.
    """
    kept, stop = kept or Kept(), stop or threading.Event()

    def ask(texts: list[str], pair: tuple[str, str]) -> list[list[float]]:
        return [[one.agree, one.disagree] for one in host.label_scores(column, texts, [pair] * len(texts))]

    def score(asked: Sequence[Asked]) -> list[LabelScore]:
        found: dict[int, LabelScore] = {}
        forms = list(dict.fromkeys(one.form for one in asked))
        for done, form in enumerate(forms):
            refuse_if(stop)
            numbers = [n for n, one in enumerate(asked) if one.form == form]
            texts = [asked[n].text for n in numbers]
            scores = kept.once(partial(ask, texts, form.pair), "labels", texts, form.pair, list(who))
            found |= {n: LabelScore(*one) for n, one in zip(numbers, scores, strict=True)}
            progress((done + 1) / len(forms), f"{done + 1} of {len(forms)} forms")
        return [found[n] for n in range(len(asked))]

    return score


def measure(score: Scorer, column: str, items: Sequence[Item], facts: Sequence[Item], forms: Sequence[Form]) -> Surveyed:
    """Asks all items and facts in all forms. Raises StudioError where there is no item or no form."""
    if not items or not forms:
        raise StudioError("There is nothing to ask.", "A questionnaire needs statements and at least one form.")
    asked = prompts([*items, *facts], forms)
    scores = score(asked)
    logits, free = _table(asked, scores, forms)
    rows = [_row(column, item, logits[item.id], free) | {"forms": _by_form(item, logits[item.id], forms)} for item in items]
    mass = median(float(np.exp(one.agree) + np.exp(one.disagree)) for one in scores)
    return Surveyed(rows, asdict(_check(rows, mass, [_stance(one, logits[one.id]) for one in facts], logits, free)))


def _table(asked: Sequence[Asked], scores: Sequence[LabelScore], forms: Sequence[Form]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """By item l[wording, form], shape (2, forms), and l0[form]."""
    place = {form: number for number, form in enumerate(forms)}
    free: list[list[float]] = [[] for _ in forms]
    found: dict[str, np.ndarray] = {}
    for one, value in zip(asked, scores, strict=True):
        odds = value.agree - value.disagree
        if one.item is None:
            free[place[one.form]].append(odds)
        else:
            table = found.setdefault(one.item.id, np.zeros((2, len(forms))))
            table[int(one.wording == "opposite"), place[one.form]] = odds
    return found, np.array([fmean(values) for values in free])


def _stance(item: Item, logits: np.ndarray) -> float:
    """x of an item in log-odds; for a plain fact + means right."""
    return float(item.key * (logits[0] - logits[1]).mean() / 2)


def _row(column: str, item: Item, logits: np.ndarray, free: np.ndarray) -> dict[str, Any]:
    x = _stance(item, logits)
    topic = bundled.topics().get(item.topic)
    return {
        "item": item.id,
        "axis": item.axis,
        "topic": item.topic,
        "topic_split": topic.split if topic else "",
        "column": column,
        **({"text": item.text, "opposite": item.opposite, "key": item.key} if item.id.startswith(OWN) else {}),
        "x": round(x, 5),
        "q": round(float((logits - free).mean()), 5),
        "s": round(float(np.tanh(x / 2)), 5),
    }


def _by_form(item: Item, logits: np.ndarray, forms: Sequence[Form]) -> dict[str, float]:
    return {form.name: round(float(item.key * (logits[0, n] - logits[1, n]) / 2), 5) for n, form in enumerate(forms)}


def _check(rows: list[dict[str, Any]], mass: float, facts: list[float], logits: dict[str, np.ndarray], free: np.ndarray) -> Check:
    from scipy.stats import binom

    calibrated = [(logits[row["item"]] - free).mean(axis=1) for row in rows]
    consistent, needed = sum(bool(a * b < 0) for a, b in calibrated), int(binom.isf(LEVEL, len(rows), 0.5)) + 1
    right = sum(x > 0 for x in facts)
    reasons = _reasons(mass, right, len(facts), consistent, len(rows), needed)
    by_axis = {axis: np.array([row["s"] for row in rows if row["axis"] == axis]) for axis in AXES}
    return Check(
        label_mass=round(mass, 4),
        facts=right,
        of_facts=len(facts),
        consistent=consistent,
        items=len(rows),
        needed=needed,
        acquiescence=round(fmean(row["q"] for row in rows), 4),
        position={axis: round(SCALE * float(s.mean()), 3) for axis, s in by_axis.items() if len(s)},
        ring={axis: round(ring(s, SCALE), 3) for axis, s in by_axis.items() if len(s)},
        passed=not reasons,
        reasons=reasons,
    )


def _reasons(mass: float, right: int, of_facts: int, consistent: int, items: int, needed: int) -> list[str]:
    """Why no position may be drawn; none where all gates are passed."""
    found = []
    if mass < MASS_GATE:
        found.append(f"only {mass:.1%} of its next words are one of the two labels (at least {MASS_GATE:.0%} are needed)")
    if right < FACTS_GATE * of_facts:
        found.append(f"it answers {right} of {of_facts} plain facts rightly (at least {np.ceil(FACTS_GATE * of_facts):.0f} are needed)")
    if needed > items:
        found.append(f"{items} statements are too few to tell whether it heeds what they say (5 or more are needed)")
    elif consistent < needed:
        found.append(f"it answers {consistent} of {items} statements and their opposites differently (by chance half; {needed} are needed)")
    return found
