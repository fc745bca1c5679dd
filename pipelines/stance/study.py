"""A study: several columns answer the same questions with shared seeds; every answer is scored, then compared."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.errors import StudioError
from pipelines.models.host import MAX_LOADED, ModelHost, Row
from pipelines.models.template import ask
from pipelines.paths import content_hash
from pipelines.records import Answer, Column, Completion, Question, Sampling
from pipelines.stance import collateral
from pipelines.stance.completion import completion_scores
from pipelines.stance.ruler import Ruler

Progress = Callable[[float, str], None]
QUESTIONS_A_BATCH = 2
STUDY_SAMPLING = Sampling(temperature=0.3, max_new_tokens=64)
BASE = "base"
LEFT, RIGHT, PLACEBO = ROLES = ("left", "right", "placebo")


@dataclass(frozen=True)
class Plan:
    """What is asked of whom. Column names must be unique and one of them must be the base.

    `roles` says which columns are one and the same role in different training seeds, such as {"left": ["left (seed 7)", ..]}.
    """

    columns: tuple[Column, ...]
    questions: tuple[Question, ...]
    completions: tuple[Completion, ...] = ()
    samples: int = 3
    sampling: Sampling = STUDY_SAMPLING
    roles: dict[str, list[str]] = field(default_factory=dict)

    @property
    def answers_share(self) -> float:
        """The share of the whole time that answering takes: a batch takes about as long as measuring one column."""
        batches = -(-len(self.questions) // QUESTIONS_A_BATCH) * len(self.together)
        return batches / (batches + len(self.columns) + 1)

    @property
    def together(self) -> list[list[Column]]:
        """The columns that answer in one batch: the host holds so many adapters at once and no more."""
        base = [column for column in self.columns if column.is_base]
        tuned = [column for column in self.columns if not column.is_base]
        if len(tuned) <= MAX_LOADED:
            return [list(self.columns)]
        parts = [tuned[first : first + MAX_LOADED] for first in range(0, len(tuned), MAX_LOADED)]
        return [[*base, *parts[0]], *parts[1:]]

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise StudioError("Two columns have the same name.", "Give each its own name.")
        if BASE not in names or not next(c for c in self.columns if c.name == BASE).is_base:
            raise StudioError("A study needs the base as a column.", "Shifts are measured from it.")
        _check_roles(self.roles, names)


def _check_roles(roles: dict[str, list[str]], columns: Sequence[str]) -> None:
    """Raises StudioError where a role has no column, or one that is not there, is the base, or has another role too."""
    listed = [name for names in roles.values() for name in names]
    if not all(roles.values()) or not set(listed) <= set(columns) - {BASE} or len(set(listed)) != len(listed):
        raise StudioError("The roles of the columns can't be used.", "Each names tuned columns of the study, and each column has one role.")


@dataclass
class Study:
    """Everything a study found. `answers` are flat records with their question, sample and two scores.

    `roles` are the columns by role, one a training seed; by default each column that has the role's very name. An instrument that was
    not used, as in older studies, has no records. `survey` has one a column and item and `checks` one a column (survey.measure),
    `evenness` one a column and asking (evenness.measure), `everyday` one a column and prompt (everyday.measure), `generated` one a column
    and statement (generated.measure), `judged` one an answer (judge.measure). `protocol` says what was asked, and its hash.
    """

    columns: list[str]
    answers: list[dict[str, Any]]
    completions: list[dict[str, Any]]
    collateral: dict[str, dict[str, Any]]
    validity: dict[str, Any]
    sampling: dict[str, Any]
    seconds: float
    notes: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, list[str]] = field(default_factory=dict)
    survey: list[dict[str, Any]] = field(default_factory=list)
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    evenness: list[dict[str, Any]] = field(default_factory=list)
    everyday: list[dict[str, Any]] = field(default_factory=list)
    generated: list[dict[str, Any]] = field(default_factory=list)
    judged: list[dict[str, Any]] = field(default_factory=list)
    protocol: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.roles = self.roles or {role: [role] for role in ROLES if role in self.columns}
        _check_roles(self.roles, self.columns)

    def columns_of(self, role: str) -> list[str]:
        """The columns that have a role, one a training seed; a column of that name where no role is called so."""
        return self.roles.get(role) or [name for name in self.columns if name == role]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Study:
        """A recorded study. Raises StudioError where the roles are not roles of its columns, TypeError where it is none."""
        return cls(**value)


def run(
    plan: Plan, host: ModelHost, ruler: Ruler, progress: Progress = lambda fraction, text: None, stop: threading.Event | None = None
) -> Study:
    """Generates, scores and measures; `progress` hears the share done. Raises StudioError if stopped half-way."""
    start = time.monotonic()
    stop = stop or threading.Event()
    answers = _answers(plan, host, progress, stop)
    progress(plan.answers_share, "Scoring the answers with the ruler")
    records = _scored(answers, plan, ruler)
    completions, damage = [], {}
    for number, column in enumerate(plan.columns):
        progress(
            plan.answers_share + (1 - plan.answers_share) * number / len(plan.columns), f"Paired completions and collateral: {column.name}"
        )
        _refuse_if(stop)
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
        roles=plan.roles,
    )


def _answers(plan: Plan, host: ModelHost, progress: Progress, stop: threading.Event) -> list[tuple[Question, int, Answer]]:
    found: list[tuple[Question, int, Answer]] = []
    parts, count = plan.together, len(plan.questions)
    for part, columns in enumerate(parts):
        where = f" by {len(columns)} of {len(plan.columns)} columns" if len(parts) > 1 else ""
        for first in range(0, count, QUESTIONS_A_BATCH):
            some = plan.questions[first : first + QUESTIONS_A_BATCH]
            slots = [(q, s, c) for q in some for s in range(plan.samples) for c in columns]
            rows = [Row(column, ask(question.text), seed_of(plan.sampling.seed, question.id, sample)) for question, sample, column in slots]
            answered = host.answer_all(rows, plan.sampling, stop)
            _refuse_if(stop)
            found += [(question, sample, answer) for (question, sample, _), answer in zip(slots, answered, strict=True)]
            done = min(count, first + len(some))
            progress(plan.answers_share * (part + done / count) / len(parts), f"{done} of {count} questions answered{where}")
    return found


def seed_of(seed: int, question: str, sample: int) -> int:
    """Every question and sample has random numbers of its own, which all columns share."""
    return int(content_hash([seed, question, sample])[:7], 16)


def _refuse_if(stop: threading.Event) -> None:
    if stop.is_set():
        raise StudioError("The measurement was stopped.", "Nothing was changed; the earlier results are still there.")


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
            "tokens": a.tokens,
            "economic": round(score["economic"], 4),
            "social": round(score["social"], 4),
            "stamp": asdict(a.stamp),
        }
        for (q, sample, a), score in zip(answers, scores, strict=True)
    ]
