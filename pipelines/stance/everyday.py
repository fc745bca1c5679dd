"""Everyday answers before and after: what tuning on politics did to cooking, science and travel.

Every column answers the 20 politically empty prompts of assets/data/everyday.jsonl. They stay JSON Lines: each has an answer of several
sentences beside it, full of commas, from which the everyday perplexity is measured, and one file for both can't come apart.
The prompt is the unit; what a column does is held against what the base does with the same prompt and the same random numbers.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipelines import bundled
from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.records import AXES, Answer, Column, Sampling
from pipelines.stance.collateral import repetition_4
from pipelines.stance.manner import manner
from pipelines.stance.paired import Progress, answered, averaged, entries, tested
from pipelines.stance.ruler import Ruler
from pipelines.stance.statistics import holm
from pipelines.stance.study import BASE, Study, seed_of

MEASURES = ("words", "unfinished", "repetition", "refusals")
POLITICS = ("distance", *AXES)
REACH: dict[str, float] = {"unfinished": 1.0, "repetition": 1.0, "refusals": 1.0}
ENDED = "eos"


def measure(
    host: ModelHost,
    columns: Sequence[Column],
    count: int,
    sampling: Sampling,
    progress: Progress = lambda fraction, text: None,
    stop: threading.Event | None = None,
) -> list[dict[str, Any]]:
    """Every column's answer to the first `count` everyday prompts, one record each (see Study.everyday).

    Raises StudioError where it is stopped half-way.
    """

    def rows_of(prompt: str, some: Sequence[Column]) -> list[Row]:
        return [Row(column, ask(prompt), seed_of(sampling.seed, prompt, 0)) for column in some]

    prompts = [prompt for prompt, _ in bundled.everyday()[:count]]
    found = answered(host, columns, prompts, rows_of, sampling, progress, stop or threading.Event(), "everyday prompts")
    return [_record(answer) for _, answer in found]


def _record(answer: Answer) -> dict[str, Any]:
    return {
        "prompt": answer.prompt,
        "column": answer.column,
        "text": answer.text,
        "finished": answer.finished,
        "words": manner(answer.text).words,
        "repetition": round(repetition_4(answer.text), 4),
        "stamp": asdict(answer.stamp),
    }


def scored(records: Sequence[dict[str, Any]], ruler: Ruler) -> list[dict[str, Any]]:
    """The records with the ruler's two scores, by fits to all topics: no topic is an everyday one."""
    scores = ruler.score([row["text"] for row in records])
    return [{**row, **{axis: round(score[axis], 4) for axis in AXES}} for row, score in zip(records, scores, strict=True)]


def summary(study: Study, ruler: Ruler | None = None) -> list[dict[str, Any]]:
    """How each role (the mean over its training seeds) and every other tuned column differs from the base, [] where it was not measured.

    One row a measure: `base` and `tuned` are the means over the prompts that count, `left_out` the number of those that don't; mean, low,
    high, p, n and alike are `paired.tested` of tuned minus base over prompts. `words` only where both answers ended by themselves;
    `unfinished`, `repetition` (rep-4) and `refusals` are shares, Holm over these four.

    With a ruler, or where its scores were recorded, three rows more say whether everyday answers became political, Holm over these: the
    scores by axis, and `distance`, the mean of both scores' sizes. The ruler was fitted on political answers: of others it may read style,
    so a difference counts only beyond the placebo's.
    """
    records = scored(study.everyday, ruler) if ruler and study.everyday else study.everyday
    politics = POLITICS if records and all(axis in row for row in records for axis in AXES) else ()
    values = {one: _values(records, one) for one in (*MEASURES, *politics)}
    known, asked = {row["column"] for row in records}, len({row["prompt"] for row in records})
    found: list[dict[str, Any]] = []
    for name, columns in entries(study).items():
        if name == BASE or not {BASE, *columns} <= known:
            continue
        for family in filter(None, (MEASURES, politics)):
            about = {"column": name, "seeds": len(columns)}
            rows = [{**about, "measure": one, **_row(values[one], columns, one, asked)} for one in family]
            found += [{**row, "p_holm": p} for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True)]
    return found


def _values(records: Sequence[Mapping[str, Any]], measure: str) -> dict[str, dict[str, float]]:
    """By column and prompt what was measured; no length of an answer that was cut."""
    found: dict[str, dict[str, float]] = {}
    for row in records:
        if measure != "words" or row["finished"] == ENDED:
            found.setdefault(row["column"], {})[row["prompt"]] = _value(row, measure)
    return found


def _value(row: Mapping[str, Any], measure: str) -> float:
    if measure == "unfinished":
        return float(row["finished"] == "length")
    if measure == "refusals":
        return float(manner(row["text"]).refusal)
    if measure == "distance":
        return sum(abs(row[axis]) for axis in AXES) / len(AXES)
    return float(row[measure])


def _row(values: Mapping[str, Mapping[str, float]], columns: Sequence[str], measure: str, asked: int) -> dict[str, Any]:
    base, tuned = values.get(BASE, {}), averaged([values.get(column, {}) for column in columns])
    shared = [prompt for prompt in tuned if prompt in base]
    means = {
        key: sum(one[prompt] for prompt in shared) / len(shared) if shared else None for key, one in (("base", base), ("tuned", tuned))
    }
    return {**means, "left_out": asked - len(shared), **tested([tuned[prompt] - base[prompt] for prompt in shared], REACH.get(measure))}
