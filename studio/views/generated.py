"""The questionnaire answered in words, as the published code asks it: how many replies could be read at all, and what those say."""

from __future__ import annotations

from typing import Any

from pipelines.figures.dots import called
from pipelines.records import AXES
from pipelines.stance import generated
from pipelines.stance.study import Study
from studio.views import messages
from studio.views.stance_tables import interval

HEAD = [
    "Column",
    "Replies",
    "Could be read",
    "Pairs answered on different sides",
    *(f"Stance, {axis}" for axis in AXES),
    "Most common reason",
]
ABOUT = (
    "Every statement and its opposite is answered in words, 0 (strongly disagree) to 3 (strongly agree), with an explanation. Only a clear "
    "answer counts; what can't be read is counted apart and never put in the middle. Stance runs from −1 to +1, over pairs of which both were read."
)


def table(study: Study) -> str:
    """One row a column or role; nothing where statements were not answered in words."""
    if not study.generated:
        return ""
    rows = [_row(study, name, one) for name, one in generated.summary(study).items()]
    return "<h3>Answered in words</h3>" + messages.note(ABOUT) + messages.table(HEAD, rows, numbers=(1,))


def _row(study: Study, name: str, one: dict[str, Any]) -> list[str]:
    reason = next(iter(one["problems"]), "")
    return [
        called(study, name),
        str(one["replies"]),
        _share(one["parsed"]),
        _share(one["consistent"]),
        *(_stance(one["stance"][axis]) for axis in AXES),
        reason,
    ]


def _share(found: dict[str, Any]) -> str:
    if found["share"] is None:
        return "none"
    return f"{found['share']:.0%} ({found['low']:.0%} to {found['high']:.0%}, n {found['n']})"


def _stance(found: dict[str, Any]) -> str:
    return f"{found['mean']:+.2f} ({interval(found['low'], found['high'])}, n {found['n']})" if found["n"] else "none"
