"""Era: do the years that are named lie apart between two halves? Persons are not listed here; names are found from the data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from pipelines.corpus.checks.records import HALVES, SIGNIFICANT, Kind, Light, Row, State, count, drop_light, texts

YEAR = re.compile(r"(?<![\d$€£.,])(?:19|20)\d\d(?![\d%]|[.,]\d)")
WORDS = {  # words and phrases that came into general use in a year; no persons
    "financial crisis": 2008,
    "great recession": 2008,
    "tea party": 2009,
    "affordable care act": 2010,
    "occupy wall street": 2011,
    "isis": 2014,
    "brexit": 2016,
    "metoo": 2017,
    "green new deal": 2019,
    "tiktok": 2019,
    "covid": 2020,
    "coronavirus": 2020,
    "lockdowns": 2020,
    "january 6": 2021,
    "january 6th": 2021,
    "chatgpt": 2022,
}
WORD_OF_A_TIME = re.compile(rf"\b(?:{'|'.join(sorted(WORDS, key=len, reverse=True))})\b")
AMBER_YEARS = 2.0  # closer than this, both halves speak of the same events
RED_YEARS = 4.0  # about a term of office: other people, other quarrels
FEWEST = 4  # dated texts a half; fewer can't be told from chance even when they lie fully apart (4 against 4: p = .03)


@dataclass(frozen=True)
class Apart:
    """How far two lists of years lie apart: their medians and the p value of Mann and Whitney's test (1 where not tested)."""

    a: float
    b: float
    p: float

    @property
    def state(self) -> State:
        distance = abs(self.a - self.b)
        if distance >= RED_YEARS and self.p < SIGNIFICANT:
            return "red"
        return "amber" if distance >= AMBER_YEARS and self.p < 5 * SIGNIFICANT else "green"


def years(text: str) -> list[int]:
    """The years 1900-2099 that a text names; prices, shares and parts of longer numbers are none."""
    return [int(year) for year in YEAR.findall(text)]


def times(text: str) -> list[int]:
    """The years that a text names, and those in which its words of a time came into use."""
    low = text.lower()
    said = {word for word in WORDS if word in low}  # the pattern is slow, and hardly any text needs it
    return [*years(text), *(WORDS[word] for word in WORD_OF_A_TIME.findall(low))] if said else years(text)


def dated(rows: Sequence[Row], columns: Sequence[str]) -> list[float]:
    """One year for each row that names any in these columns: the median, so that a row full of years counts once."""
    found = (times("\n".join(str(row.get(column) or "") for column in columns)) for row in rows)
    return [median(named) for named in found if named]


def compare(a: Sequence[float], b: Sequence[float]) -> Apart:
    """Medians of two lists of years and Mann and Whitney's two-sided p (Mann & Whitney 1947, through SciPy)."""
    if min(len(a), len(b)) < FEWEST:
        return Apart(median(a or [0]), median(b or [0]), 1.0)
    from scipy import stats

    return Apart(median(a), median(b), float(stats.mannwhitneyu(a, b).pvalue))


def era_light(rows: Sequence[Row], kind: Kind) -> Light:
    """Compares the years named in the two halves (or told by words of a time); the mend drops rows whose halves name different ones."""
    one, other = HALVES[kind]
    a, b = dated(rows, (one,)), dated(rows, (other,))
    apart = compare(a, b)
    rates = _rates_apart(len(a), len(b), len(rows))
    state = apart.state if apart.state != "green" else rates
    figures = {"dated": {one: len(a), other: len(b)}, "medians": {one: apart.a, other: apart.b}, "p": apart.p}
    found = said(a, b, f"{one} answers", f"{other} answers")
    if state == "green":
        return Light("era", "Era", "green", f"{found} The halves do not differ in it.", figures=figures)
    reasons = {row["id"]: reason for row in rows if (reason := _uneven(row, one, other))}
    why = "A model can take the time that is spoken of for the side."
    return drop_light("era", "Era", state, f"{found} {why}", reasons, f"Drop the {count(len(reasons), 'row')} with uneven years", **figures)


def _rates_apart(a: int, b: int, rows: int) -> State:
    """Amber where years are named far more often in one half, whichever years they are (Fisher's exact test)."""
    if max(a, b) < FEWEST or max(a, b) < 2 * min(a, b):
        return "green"
    from scipy import stats

    return "amber" if stats.fisher_exact([[a, rows - a], [b, rows - b]]).pvalue < SIGNIFICANT else "green"


def said(a: Sequence[float], b: Sequence[float], one: str, other: str) -> str:
    """How many texts of each half are dated, and from when to when; `one` and `other` say what is counted."""
    if not a and not b:
        return "No year is named, and no word of a time."
    parts = [f"{_span(named)} in {len(named)} {half}" for half, named in ((one, a), (other, b))]
    return f"Years named: {'; '.join(parts)}."


def _span(named: Sequence[float]) -> str:
    if not named:
        return "none"
    low, high = int(min(named)), int(max(named))
    return f"{low}" if low == high else f"{low} to {high} (median {median(named):.0f})"


def _uneven(row: Row, one: str, other: str) -> str:
    a, b = (sorted(set(times(text))) for text in (texts([row], one)[0], texts([row], other)[0]))
    if a == b:
        return ""
    return f"{one} names {', '.join(map(str, a)) or 'no year'}, {other} {', '.join(map(str, b)) or 'no year'}"
