"""A study: several columns answer the same questions with shared seeds; every answer is scored, then compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.errors import StudioError
from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.records import Answer, Column, Completion, Question, Sampling
from pipelines.stance import collateral
from pipelines.stance.completion import completion_scores
from pipelines.stance.ruler import Ruler
from pipelines.stance.statistics import holm, shift

Progress = Callable[[float, str], None]
QUESTIONS_A_BATCH = 2
STUDY_SAMPLING = Sampling(temperature=0.3, max_new_tokens=64)
BASE = "base"


@dataclass(frozen=True)
class Plan:
    """What is asked of whom. Column names must be unique and one of them must be the base."""

    columns: tuple[Column, ...]
    questions: tuple[Question, ...]
    completions: tuple[Completion, ...] = ()
    samples: int = 3
    sampling: Sampling = STUDY_SAMPLING

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise StudioError("Two columns have the same name.", "Give each its own name.")
        if BASE not in names or not next(c for c in self.columns if c.name == BASE).is_base:
            raise StudioError("A study needs the base as a column.", "Shifts are measured from it.")


@dataclass
class Study:
    """Everything a study found. `answers` are flat records with their question, sample and two scores."""

    columns: list[str]
    answers: list[dict[str, Any]]
    completions: list[dict[str, Any]]
    collateral: dict[str, dict[str, float]]
    validity: dict[str, Any]
    sampling: dict[str, Any]
    seconds: float
    notes: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Study:
        return cls(**value)


def run(
    plan: Plan, host: ModelHost, ruler: Ruler, progress: Progress = lambda fraction, text: None, stopped: Callable[[], bool] = lambda: False
) -> Study:
    """Generates, scores and measures; `progress` hears the share done. Raises StudioError if stopped half-way."""
    start = time.monotonic()
    answers = _answers(plan, host, progress, stopped)
    progress(0.86, "Scoring the answers with the ruler")
    records = _scored(answers, plan, ruler)
    completions, damage = [], {}
    for number, column in enumerate(plan.columns):
        progress(0.9 + 0.1 * number / len(plan.columns), f"Paired completions and collateral: {column.name}")
        if stopped():
            raise StudioError("The measurement was stopped.", "Nothing was changed; the earlier results are still there.")
        if plan.completions:
            values = completion_scores(host, column, plan.completions)
            completions += [
                {"completion": c.id, "axis": c.axis, "topic": c.topic, "column": column.name, "value": v}
                for c, v in zip(plan.completions, values, strict=True)
            ]
        damage[column.name] = collateral.measure(host, column, [a for _, _, a in answers if a.column == column.name]).as_dict()
    progress(1.0, "Done")
    return Study(
        [c.name for c in plan.columns],
        records,
        completions,
        damage,
        ruler.validity.as_dict(),
        asdict(plan.sampling),
        time.monotonic() - start,
    )


def _answers(plan: Plan, host: ModelHost, progress: Progress, stopped: Callable[[], bool]) -> list[tuple[Question, int, Answer]]:
    found: list[tuple[Question, int, Answer]] = []
    for first in range(0, len(plan.questions), QUESTIONS_A_BATCH):
        if stopped():
            raise StudioError("The measurement was stopped.", "Nothing was changed; the earlier results are still there.")
        some = plan.questions[first : first + QUESTIONS_A_BATCH]
        slots = [(q, s, c) for q in some for s in range(plan.samples) for c in plan.columns]
        rows = [Row(column, ask(question.text), plan.sampling.seed + sample) for question, sample, column in slots]
        answered = host.answer_all(rows, plan.sampling)
        found += [(question, sample, answer) for (question, sample, _), answer in zip(slots, answered, strict=True)]
        done = min(len(plan.questions), first + len(some))
        progress(0.86 * done / len(plan.questions), f"{done} of {len(plan.questions)} questions answered")
    return found


def _scored(answers: Sequence[tuple[Question, int, Answer]], plan: Plan, ruler: Ruler) -> list[dict[str, Any]]:
    scores = ruler.score([a.text for _, _, a in answers], [q.topic for q, _, _ in answers])
    return [
        {
            "question": q.id,
            "axis": q.axis,
            "topic": q.topic,
            "topic_split": q.topic_split,
            "half": q.half,
            "sample": sample,
            "column": a.column,
            "text": a.text,
            "finished": a.finished,
            "economic": round(score["economic"], 4),
            "social": round(score["social"], 4),
            "stamp": asdict(a.stamp),
        }
        for (q, sample, a), score in zip(answers, scores, strict=True)
    ]


def question_means(study: Study, column: str, half: str = "all") -> dict[str, float]:
    """A column's mean ruler score by question, on the question's own axis, averaged over samples."""
    sums: dict[str, list[float]] = {}
    for answer in study.answers:
        if answer["column"] == column and half in ("all", answer["half"]):
            sums.setdefault(answer["question"], []).append(answer[answer["axis"]])
    return {question: sum(values) / len(values) for question, values in sums.items()}


def completion_values(study: Study, column: str) -> dict[str, float]:
    """A column's paired-completion score by completion."""
    return {row["completion"]: row["value"] for row in study.completions if row["column"] == column}


def axis_of(study: Study) -> dict[str, str]:
    """The axis of every question and completion by id."""
    return {r["question"]: r["axis"] for r in study.answers} | {r["completion"]: r["axis"] for r in study.completions}


def contrast(plus: dict[str, float], minus: dict[str, float], ids: Sequence[str] | None = None) -> dict[str, Any]:
    """Shift of paired differences over the items that both have (or the given ones), as a plain dict."""
    chosen = [item for item in plus if item in minus and (ids is None or item in set(ids))]
    return asdict(shift([plus[item] - minus[item] for item in chosen]))


def shift_table(study: Study, half: str = "all") -> list[dict[str, Any]]:
    """For every tuned column, instrument and axis: the shift from base, Holm-adjusted over the two axes."""
    axes = axis_of(study)
    rows: list[dict[str, Any]] = []
    for column in study.columns:
        if column == BASE:
            continue
        for instrument in ("ruler", "completion"):
            tuned, base = (_values(study, instrument, name, half) for name in (column, BASE))
            pair: list[dict[str, Any]] = []
            for axis in ("economic", "social"):
                ids = [item for item in tuned if axes[item] == axis]
                if ids:
                    pair.append({"column": column, "instrument": instrument, "axis": axis, **contrast(tuned, base, ids)})
            for row, adjusted in zip(pair, holm([row["p"] for row in pair]), strict=True):
                row["p_holm"] = adjusted
            rows += pair
    return rows


def _values(study: Study, instrument: str, column: str, half: str) -> dict[str, float]:
    return question_means(study, column, half) if instrument == "ruler" else completion_values(study, column)


def claims(study: Study, half: str, left: str = "left", right: str = "right", placebo: str = "placebo") -> dict[str, Any]:
    """The two claims dR - dP > 0 and dP - dL > 0 by instrument (the base cancels), pooled and by axis, Holm over the two."""
    axes = axis_of(study)
    found: dict[str, Any] = {}
    for instrument in ("ruler", "completion"):
        r, p, ll = (_values(study, instrument, name, half) for name in (right, placebo, left))
        pair = {"right_minus_placebo": contrast(r, p), "placebo_minus_left": contrast(p, ll)}
        for one, adjusted in zip(pair.values(), holm([one["p"] for one in pair.values()]), strict=True):
            one["p_holm"] = adjusted
        found[instrument] = pair
        found[f"{instrument}_by_axis"] = {
            axis: {
                "right_minus_placebo": contrast(r, p, [i for i in r if axes[i] == axis]),
                "placebo_minus_left": contrast(p, ll, [i for i in p if axes[i] == axis]),
            }
            for axis in ("economic", "social")
        }
    return found
