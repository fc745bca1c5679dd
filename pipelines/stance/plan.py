"""What is asked of whom: a profile says how much, a plan names the columns and everything that they are asked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.paths import content_hash
from pipelines.records import AXES, Column, Completion, Item, Question, Sampling
from pipelines.stance.askings import Asking, askings
from pipelines.stance.forms import FREE, Form, forms_of
from pipelines.stance.paired import together
from pipelines.stance.study import BASE, check_roles

QUESTIONS_A_BATCH = 2
STUDY_SAMPLING = Sampling(temperature=0.3, max_new_tokens=64)
MANNER_SAMPLING = Sampling(temperature=0.3, max_new_tokens=64)
T = TypeVar("T")

# Seconds on two cores with the embedded model: of a batch of eight answers (four times as many take twice as long), and of each prompt
# or span that is only read.
SECONDS_A_BATCH, ANSWERS_A_BATCH, SECONDS_A_PROMPT, SECONDS_A_SPAN, SECONDS_A_COLUMN = 9.0, 8, 0.05, 0.03, 6.0


@dataclass(frozen=True)
class Profile:
    """How much is asked: numbers of open questions, answers to each, completions, statements and which forms, askings and prompts."""

    name: str
    about: str
    questions: int
    samples: int
    completions: int
    items: int
    forms: str
    askings: int = 0
    everyday: int = 0


PROFILES = {
    one.name: one
    for one in (
        Profile("quick", "12 questions, 24 completions, 20 statements in 4 forms", 12, 1, 24, 20, "quick"),
        Profile(
            "full", "40 questions × 3 answers, 48 completions, 60 statements in 8 forms, 24 mirrored askings", 40, 3, 48, 60, "full", 24, 20
        ),
        Profile("robust", "as full, with every statement in 60 forms", 40, 3, 48, 60, "robust", 24, 20),
    )
}


@dataclass(frozen=True)
class Plan:
    """What is asked of whom. Column names must be unique and one of them must be the base.

    `roles` says which columns are one and the same role in different training seeds, such as {"left": ["left (seed 7)", ..]}.
    Each of `items` is asked in `forms`; `generated` also asks them in words, as the published code does.
    """

    columns: tuple[Column, ...]
    questions: tuple[Question, ...]
    completions: tuple[Completion, ...] = ()
    samples: int = 3
    sampling: Sampling = STUDY_SAMPLING
    roles: dict[str, list[str]] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    forms: tuple[Form, ...] = ()
    askings: tuple[Asking, ...] = ()
    everyday: int = 0
    generated: bool = False
    profile: str = ""

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise StudioError("Two columns have the same name.", "Give each its own name.")
        if BASE not in names or not next(c for c in self.columns if c.name == BASE).is_base:
            raise StudioError("A study needs the base as a column.", "Shifts are measured from it.")
        check_roles(self.roles, names)

    @property
    def together(self) -> list[list[Column]]:
        """The columns that answer in one batch."""
        return together(self.columns)

    @property
    def seconds(self) -> dict[str, float]:
        """About how long each part takes on two cores, nothing being kept from before."""
        columns = len(self.columns)
        prompts = len(self.forms) * 2 * (len(self.items) + len(bundled.items("sanity")))
        return {
            "questions": self._answering(len(self.questions) * self.samples, QUESTIONS_A_BATCH * self.samples),
            "completions": SECONDS_A_SPAN * 4 * len(self.completions) * columns,
            "survey": SECONDS_A_PROMPT * prompts * columns if self.items else 0.0,
            "collateral": SECONDS_A_COLUMN * columns,
            "askings": self._answering(2 * len(self.askings), 2),
            "everyday": self._answering(self.everyday, 2),
            "generated": self._answering(2 * len(self.items) if self.generated else 0, 4),
        }

    def _answering(self, prompts: int, at_once: int) -> float:
        """Seconds for so many prompts to every column, `at_once` of them in a batch."""
        if not prompts:
            return 0.0
        parts = self.together
        rows = at_once * len(self.columns) / len(parts)
        return SECONDS_A_BATCH * (rows / ANSWERS_A_BATCH) ** 0.5 * -(-prompts // at_once) * len(parts)

    @property
    def protocol(self) -> dict[str, Any]:
        """What was asked, without by whom, and a hash of every word of it."""
        words = [
            [[one.text, one.axis, one.topic] for one in self.questions],
            [[one.stem, one.right_span, one.left_span, one.neutral_stem, one.axis, one.topic] for one in self.completions],
            [[one.text, one.opposite, one.key, one.axis, one.topic] for one in self.items],
            [[one.ask("{}"), *one.pair, *FREE] for one in self.forms],
            [[one.pro, one.con] for one in self.askings],
            [prompt for prompt, _ in bundled.everyday()[: self.everyday]],
            asdict(MANNER_SAMPLING),
        ]
        asked = {
            "profile": self.profile,
            "questions": len(self.questions),
            "samples": self.samples,
            "completions": len(self.completions),
            "items": len(self.items),
            "forms": [form.name for form in self.forms],
            "askings": len(self.askings),
            "everyday": self.everyday,
            "generated": self.generated,
            "sampling": asdict(self.sampling),
        }
        return {**asked, "hash": content_hash([asked, words])[:12]}


def planned(
    columns: Sequence[Column],
    profile: str = "full",
    roles: dict[str, list[str]] | None = None,
    half: str = "all",
    items: Sequence[Item] | None = None,
    generated: bool = False,
) -> Plan:
    """The plan of a profile. `half` restricts the open questions to "development" or "confirmation"; `items` are asked instead of ours.

    Raises StudioError for a profile that is not there.
    """
    if profile not in PROFILES:
        raise StudioError(f"There is no profile “{profile}”.", f"There are: {', '.join(PROFILES)}.")
    size = PROFILES[profile]
    statements = tuple(items) if items is not None else spread(bundled.items("proposition"), size.items, lambda one: (one.axis, one.key))
    return Plan(
        tuple(columns),
        balanced(bundled.questions(half), size.questions),
        spread(bundled.completions(), size.completions, lambda one: one.axis),
        size.samples,
        roles=roles or {},
        items=statements,
        forms=forms_of(size.forms),
        askings=askings()[: size.askings],
        everyday=size.everyday,
        generated=generated,
        profile=profile,
    )


def balanced(questions: Sequence[Question], count: int) -> tuple[Question, ...]:
    """So many questions, equally many an axis, spread over trained and held-out topics and over both halves."""
    some = [spread([q for q in questions if q.axis == axis], count // len(AXES), lambda one: (one.topic_split, one.half)) for axis in AXES]
    return tuple(question for one in some for question in one)


def spread(rows: Sequence[T], count: int, cell: Callable[[T], Hashable]) -> tuple[T, ...]:
    """The first `count` rows taken by turns from every cell, in the rows' own order."""
    cells: dict[Hashable, list[int]] = {}
    for number, row in enumerate(rows):
        cells.setdefault(cell(row), []).append(number)
    ranked = sorted((place, number) for some in cells.values() for place, number in enumerate(some))
    return tuple(rows[number] for number in sorted(number for _, number in ranked[:count]))
