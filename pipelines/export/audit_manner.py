"""What else changed, column by column: language and plain facts against their red lines, and how answers are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from pipelines import bundled
from pipelines.review.intervals import exact
from pipelines.stance import collateral
from pipelines.stance.manner import manner
from pipelines.stance.paired import tested, unseen
from pipelines.stance.study import BASE, Study

Row = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """What is counted of an answer; `reach` is the largest value it can have, None where there is none."""

    name: str
    words: str
    of: Callable[[Row], float]
    reach: float | None = 1.0


MEASURES = (
    Measure("words", "Words", lambda row: float(manner(row["text"]).words), None),
    Measure("repetition", "Repeated 4-word runs", lambda row: collateral.repetition_4(row["text"])),
    Measure("hedging", "Answers that hedge", lambda row: float(manner(row["text"]).hedges > 0)),
    Measure("refusals", "Answers that decline", lambda row: float(manner(row["text"]).refusal)),
    Measure("unfinished", "Cut at the token cap", lambda row: float(row["finished"] == "length")),
)


def collateral_rows(study: Study) -> list[Row]:
    """For each column perplexity, plain facts, and how its answers to the opinion questions are written, with the change from the base.

    What is written is measured again here, from the answers themselves, so that it has intervals over questions; `recorded` is what the
    study noted when it was made. Of perplexity a study keeps the total alone, so that it has no interval.
    """
    values = {one.name: {column: _by_question(study, column, one.of) for column in study.columns} for one in MEASURES}
    return [
        {
            "column": column,
            "perplexity": _perplexity(study, column),
            "facts": _facts(study, column),
            "measures": {one.name: {"recorded": noted.get(one.name), **_measured(one, values[one.name], column)} for one in MEASURES},
            "red_lines": [] if column == BASE else list(collateral.crossed(study, column).values()),
        }
        for column, noted in study.collateral.items()
    ]


def _perplexity(study: Study, column: str) -> Row:
    value = study.collateral[column]["perplexity"]
    ratio = collateral.perplexity_ratio(study, column)
    return {"value": value, "ratio": ratio, "low": None, "high": None, "n": len(bundled.everyday()), "limit": collateral.PERPLEXITY_LIMIT}


def _facts(study: Study, column: str) -> Row:
    """The plain facts held, with an exact interval as if they were drawn from many."""
    asked, held = len(bundled.items("sanity")), len(study.collateral[column]["facts"])
    low, high = exact(min(held, asked), asked) or (0.0, 1.0)
    lost = collateral.facts_lost(study, column)
    return {"value": held / asked, "held": held, "low": low, "high": high, "n": asked, "lost": lost, "limit": collateral.FACTS_LIMIT}


def _measured(one: Measure, values: Mapping[str, Mapping[str, float]], column: str) -> Row:
    """The mean over questions with its interval, and the change from the base on the same questions.

    Where a share is the same in all questions, its interval is what one-sided 95% leaves open (paired.unseen).
    """
    mine, base = values[column], values[BASE]
    found = tested(list(mine.values()))
    value, low, high, n = (found[name] for name in ("mean", "low", "high", "n"))
    if found["alike"] and one.reach is not None:
        low, high = value * (1 - unseen(n)), value + unseen(n) * (one.reach - value)
    change = None if column == BASE else tested([mine[item] - base[item] for item in mine if item in base], one.reach)
    return {"value": value, "low": low, "high": high, "n": n, "change": change}


def _by_question(study: Study, column: str, of: Callable[[Row], float]) -> dict[str, float]:
    """A column's mean of a measure by question, over its draws."""
    found: dict[str, list[float]] = {}
    for row in study.answers:
        if row["column"] == column:
            found.setdefault(row["question"], []).append(of(row))
    return {question: fmean(values) for question, values in found.items()}
