"""Even-handedness: do columns answer a question as willingly from the left as from the right?

Every column answers both askings of every mirrored pair (stance/askings.py). A gap is pro minus con: above 0, more for the asking
that presumes the left / progressive side. The pair is the unit. An interval that contains 0 is no proof of evenness: its ends say
which gaps are not ruled out.

Words are compared only where both answers ended by themselves: of one that was cut at the token cap the length says nothing. Hedges
are a rate per 100 words written, and refusals show in the first two sentences, so that both are read from answers that were cut, too.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from pipelines.models.host import ModelHost, Row
from pipelines.records import AXES, Answer, Column, Sampling
from pipelines.stance import askings as mirrored
from pipelines.stance.askings import CON, PRO, Asking
from pipelines.stance.manner import manner
from pipelines.stance.paired import Progress, answered, averaged, entries, tested
from pipelines.stance.statistics import holm
from pipelines.stance.study import BASE, Study, seed_of

MEASURES = ("words", "hedges", "refusals")
REACH: dict[str, float | None] = {"words": None, "hedges": None, "refusals": 1.0}
POOLED = "pooled"
GAP, CHANGE = KINDS = ("gap", "change")
ENDED = "eos"


def measure(
    host: ModelHost,
    columns: Sequence[Column],
    askings: Sequence[Asking],
    sampling: Sampling,
    progress: Progress = lambda fraction, text: None,
    stop: threading.Event | None = None,
) -> list[dict[str, Any]]:
    """Both answers of every column to every asking, one record each (see Study.evenness); both share their random numbers.

    Raises StudioError where it is stopped half-way.
    """

    def rows_of(asking: Asking, some: Sequence[Column]) -> list[Row]:
        return mirrored.rows(some, asking, replace(sampling, seed=seed_of(sampling.seed, asking.id, 0)))

    stop = stop or threading.Event()
    found = answered(host, columns, askings, rows_of, sampling, progress, stop, "mirrored askings")
    return [_record(asking, answer) for asking, answer in found]


def _record(asking: Asking, answer: Answer) -> dict[str, Any]:
    how = manner(answer.text)
    return {
        "asking": asking.id,
        "topic": asking.topic,
        "axis": asking.axis,
        "column": answer.column,
        "side": PRO if answer.prompt == asking.pro else CON,
        "text": answer.text,
        "words": how.words,
        "hedges": round(how.hedges_per_100_words, 4),
        "refusal": how.refusal,
        "finished": answer.finished,
        "stamp": asdict(answer.stamp),
    }


def gaps(study: Study) -> list[dict[str, Any]]:
    """For the base, each role (the mean over its training seeds) and every other column: how uneven it is, [] where it was not measured.

    One row for each axis and for both pooled, for each of MEASURES, and twice: `kind` "gap" is pro minus con, "change" that gap minus the
    base's on the same pairs. `pro` and `con` are the means of the pairs that count, `before` the mean of the base's gaps on them (None in a
    "gap"), `left_out` the number of pairs that don't count (cut, or missing); mean, low, high, p, n and alike are `paired.tested` over pairs, p_holm is adjusted over the three measures.
    """
    axes = {row["asking"]: row["axis"] for row in study.evenness}
    sides = {measure: _sides(study, measure) for measure in MEASURES}
    found: list[dict[str, Any]] = []
    for name, columns in entries(study).items():
        if not all(column in sides["hedges"] for column in columns):
            continue
        for axis in (POOLED, *AXES):
            ids = [asking for asking, its in axes.items() if axis in (POOLED, its)]
            for kind in KINDS if name != BASE else (GAP,):
                about = {"column": name, "seeds": len(columns), "axis": axis, "kind": kind}
                found += _adjusted([{**about, "measure": one, **_row(sides[one], columns, ids, one, kind)} for one in MEASURES])
    return found


Sides = dict[str, dict[str, dict[str, float]]]


def _sides(study: Study, measure: str) -> Sides:
    """By column, by side and by asking what was measured; an asking counts where both sides do."""
    values: Sides = {}
    for row in study.evenness:
        if measure != "words" or row["finished"] == ENDED:
            value = float(row["refusal" if measure == "refusals" else measure])
            values.setdefault(row["column"], {PRO: {}, CON: {}})[row["side"]][row["asking"]] = value
    for both in values.values():
        for side, other in ((PRO, CON), (CON, PRO)):
            both[side] = {asking: value for asking, value in both[side].items() if asking in both[other]}
    return values


def _row(sides: Sides, columns: Sequence[str], ids: Sequence[str], measure: str, kind: str) -> dict[str, Any]:
    pro, con = (_mean_of(sides, columns, side) for side in (PRO, CON))
    gap = {asking: pro[asking] - con[asking] for asking in ids if asking in pro}
    base, reach, before = sides.get(BASE, {PRO: {}, CON: {}}), REACH[measure], dict[str, float]()
    if kind == CHANGE:
        before = {asking: base[PRO][asking] - base[CON][asking] for asking in gap if asking in base[PRO]}
        gap = {asking: gap[asking] - value for asking, value in before.items()}
        reach = 2 * reach if reach else None
    means = {side: _mean([values[asking] for asking in gap]) for side, values in ((PRO, pro), (CON, con))}
    return {**means, "before": _mean(list(before.values())), "left_out": len(ids) - len(gap), **tested(list(gap.values()), reach)}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _mean_of(sides: Sides, columns: Sequence[str], side: str) -> Mapping[str, float]:
    return averaged([sides.get(column, {}).get(side, {}) for column in columns])


def _adjusted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "p_holm": p} for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True)]
