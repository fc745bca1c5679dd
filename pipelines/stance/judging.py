"""What a judge's verdicts show: classes, stance and shift by column, the judge's own leanings, and whether it agrees with ruler and people.

Questions are the unit: verdicts on one question are averaged before anything is tested, and bootstraps draw whole questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from pipelines import bundled
from pipelines.records import AXES, Answer, Stamp
from pipelines.stance import human_codes
from pipelines.stance.judge import CLASSES, SCORED
from pipelines.stance.paired import averaged, entries, tested
from pipelines.stance.statistics import SEED, holm
from pipelines.stance.study import BASE, Study

FEWEST, DEFINED, DRAWS = 5, 0.5, 2000
FAILED = "the request failed"
Row = Mapping[str, Any]
Key = tuple[str, int, str]
Codes = Mapping[Any, int]  # by Key, or by the answer’s seal


def question_values(study: Study, column: str, axis: str = "") -> dict[str, float]:
    """A column's judged stance by question (on one axis or on both), averaged over its scored answers."""
    return _by_question((row["question"], row["stance"]) for row in _rows(study, [column], axis) if row["verdict"] == SCORED)


def summary(study: Study) -> dict[str, Any]:
    """`columns`: what `_entry` gives for the base, each role (over its training seeds) and every other column that was judged.

    `direction` and `order`: what the judge leans to in all it read, `judge`: who it was. Intervals are 95% over questions (paired.tested),
    p values of shifts are Holm-adjusted over the two axes.
    """
    judged = {name: columns for name, columns in entries(study).items() if _rows(study, columns)}
    return {
        "answers": len(study.judged),
        "columns": {name: _entry(study, columns) for name, columns in judged.items()},
        "direction": _lean(study.judged, "high"),
        "order": _lean(study.judged, "first"),
        "judge": study.notes.get("judge", {}),
    }


def _entry(study: Study, columns: Sequence[str]) -> dict[str, Any]:
    """Answers, how many of each class, failed requests, `stance` and `shift` from the base by axis, and `direction`.

    A stance rests on the questions on which all `columns` were scored, a shift on those of them on which the base was, too; the base has none.
    """
    rows = _rows(study, columns)
    counts = Counter(row["verdict"] for row in rows)
    values = {axis: averaged([question_values(study, column, axis) for column in columns]) for axis in AXES}
    base = question_values(study, BASE)
    moved = {axis: tested([own[q] - base[q] for q in own if q in base], 2.0) for axis, own in values.items() if BASE not in columns}
    for one, adjusted in zip(moved.values(), holm([one["p"] for one in moved.values()]), strict=True):
        one["p_holm"] = adjusted
    return {
        "columns": list(columns),
        "answers": len(rows),
        "classes": {name: counts[name] for name in CLASSES},
        "failed": sum(reading["problem"].startswith(FAILED) for row in rows for reading in row["readings"]),
        "stance": {axis: tested(list(own.values()), 1.0) for axis, own in values.items()},
        "shift": moved,
        "direction": _lean(rows, "high"),
    }


def _lean(rows: Iterable[Row], what: str) -> dict[str, Any]:
    """How far the judge leans to high numbers (`what` "high") or to the pole that is described first ("first"), in -1..1.

    Half the stance when the right pole is favoured so, less that when the left pole is: a judge who always says 6 has 2/3 here and no
    stance. `gap` is the mean size of that whole difference, whichever way. Over answers scored both ways, averaged by question.
    """
    halves = [(row["question"], half) for row in rows if row["verdict"] == SCORED and (half := _half(row["readings"], what)) is not None]
    gap = fmean(2 * abs(half) for _, half in halves) if halves else None
    return {**tested(list(_by_question(halves).values()), 1.0), "gap": gap, "answers": len(halves)}


def _half(readings: Sequence[Row], what: str) -> float | None:
    right, left = ([r["stance"] for r in readings if r[what] == pole and r["stance"] is not None] for pole in ("right", "left"))
    return (fmean(right) - fmean(left)) / 2 if right and left else None


def agreement(study: Study, codes: Codes | None = None, questions: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Spearman's r of the judge's stance with the ruler's score on the question's axis, and with people's codes where given.

    `ruler`, `people`: r, low, high, answers, questions (r None where it can't be told). `within` is the same after each question's mean
    was taken off both, so that questions and topics on which all columns lie alike add nothing. `codes` are -1 (left), 0 or 1 (right) by
    (question, sample, column), by default those in the study's notes (human_codes), or by the answer's seal, for which `questions` gives the
    texts (the bundled ones by default). `coded` counts
    the judge's classes by code; `side` says how many of the scored answers coded -1 or 1 have the judge's stance on that side. Verdicts
    that are no score enter no correlation.
    """
    codes = human_codes.of(study) if codes is None else codes
    ruled = {_key(answer): float(answer[answer["axis"]]) for answer in study.answers}
    given = _by_key(study, codes or {}, questions)
    scored = {_key(row): row["stance"] for row in study.judged if row["verdict"] == SCORED}
    counts = {code: Counter(row["verdict"] for row in study.judged if given.get(_key(row)) == code) for code in (-1, 0, 1)}
    sided = [stance * given[key] for key, stance in scored.items() if given.get(key)]
    return {
        "ruler": _agree(scored, ruled),
        "people": _agree(scored, given) if codes else None,
        "coded": {code: {name: one[name] for name in CLASSES} for code, one in counts.items()} if codes else {},
        "side": {"same": sum(one > 0 for one in sided), "n": len(sided)},
    }


def _agree(scored: Mapping[Key, float], other: Mapping[Key, float]) -> dict[str, Any]:
    both = [key for key in scored if key in other]
    x, y = (np.array([values[key] for key in both], dtype=float) for values in (scored, other))
    groups = [np.array([n for n, key in enumerate(both) if key[0] == question]) for question in dict.fromkeys(key[0] for key in both)]
    several = [group for group in groups if len(group) > 1]
    return {**_correlated(x, y, groups), "within": _correlated(_centred(x, several), _centred(y, several), several)}


def _centred(values: np.ndarray, groups: Sequence[np.ndarray]) -> np.ndarray:
    made = values.copy()
    for group in groups:
        made[group] -= values[group].mean()
    return np.round(made, 9)


def _correlated(x: np.ndarray, y: np.ndarray, groups: Sequence[np.ndarray]) -> dict[str, Any]:
    """Spearman's r over the answers of `groups` (their places, by question) with percentiles of 2,000 draws of whole questions.

    No interval from fewer than five questions, or where r is undefined in most draws (Davison and Hinkley 1997, chapter 2, on clusters).
    """
    size = sum(map(len, groups))
    r = _spearman(x, y, np.concatenate(groups)) if groups else None
    found: dict[str, Any] = {"r": r, "low": None, "high": None, "answers": size, "questions": len(groups)}
    if r is None or len(groups) < FEWEST:
        return found
    chance = np.random.default_rng(SEED)
    picks = chance.integers(0, len(groups), size=(DRAWS, len(groups)))
    drawn = [value for pick in picks if (value := _spearman(x, y, np.concatenate([groups[n] for n in pick]))) is not None]
    if len(drawn) >= DEFINED * DRAWS:
        found["low"], found["high"] = map(float, np.quantile(drawn, (0.025, 0.975)))
    return found


def _spearman(x: np.ndarray, y: np.ndarray, places: np.ndarray) -> float | None:
    """Pearson's r of the ranks, ties sharing their mean rank (Spearman 1904); None where one side is all alike."""
    from scipy.stats import rankdata

    first, second = rankdata(x[places]), rankdata(y[places])
    if len(places) < 2 or not np.ptp(first) or not np.ptp(second):
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _by_key(study: Study, codes: Codes, questions: Mapping[str, str] | None) -> dict[Key, float]:
    """Codes by (question, sample, column); those by seal are looked up among the study's answers, and unknown ones are left out."""
    found = {(key[0], int(key[1]), key[2]): float(code) for key, code in codes.items() if not isinstance(key, str)}
    if len(found) < len(codes):
        texts = questions if questions is not None else {question.id: question.text for question in bundled.questions()}
        for answer in study.answers:
            seal = _seal(answer, texts)
            if seal in codes:
                found[_key(answer)] = float(codes[seal])
    return found


def _seal(answer: Row, texts: Mapping[str, str]) -> str:
    prompt, stamp = texts.get(answer["question"], ""), Stamp(**answer["stamp"])
    return Answer(answer["column"], prompt, answer["text"], answer["tokens"], answer["finished"], stamp).seal


def _key(row: Row) -> Key:
    return row["question"], row["sample"], row["column"]


def _rows(study: Study, columns: Sequence[str], axis: str = "") -> list[Row]:
    return [row for row in study.judged if row["column"] in columns and axis in ("", row["axis"])]


def _by_question(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    held: dict[str, list[float]] = {}
    for question, value in pairs:
        held.setdefault(question, []).append(value)
    return {question: fmean(values) for question, values in held.items()}
