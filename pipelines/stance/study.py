"""What a study found: several columns answered the same questions with shared seeds; every answer is scored, then compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.errors import StudioError
from pipelines.paths import content_hash

BASE = "base"
LEFT, RIGHT, PLACEBO = ROLES = ("left", "right", "placebo")


def check_roles(roles: dict[str, list[str]], columns: Sequence[str]) -> None:
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
        _refuse_untyped(self)
        self.roles = self.roles or {role: [role] for role in ROLES if role in self.columns}
        check_roles(self.roles, self.columns)

    def columns_of(self, role: str) -> list[str]:
        """The columns that have a role, one a training seed; a column of that name where no role is called so."""
        return self.roles.get(role) or [name for name in self.columns if name == role]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Study:
        """A recorded study. Raises StudioError where the roles are not roles of its columns, TypeError where it is none."""
        return cls(**value)


def _refuse_untyped(study: Study) -> None:
    """Raises TypeError where a part is no list or no mapping: a file may be damaged, or somebody else's."""
    records = (study.answers, study.completions, study.survey, study.evenness, study.everyday, study.generated, study.judged)
    named = (study.collateral, study.validity, study.sampling, study.notes, study.roles, study.checks, study.protocol)
    if not all(isinstance(one, dict) for one in named) or not all(isinstance(some, list) for some in (study.columns, *records)):
        raise TypeError("a part of the study is of another kind")
    if not all(isinstance(one, str) for one in study.columns) or not all(isinstance(one, dict) for some in records for one in some):
        raise TypeError("a record of the study is of another kind")


def seed_of(seed: int, question: str, sample: int) -> int:
    """Every question and sample has random numbers of its own, which all columns share."""
    return int(content_hash([seed, question, sample])[:7], 16)
