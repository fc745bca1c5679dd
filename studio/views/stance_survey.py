"""Whether each model can answer a questionnaire at all, and where it stands if it can."""

from __future__ import annotations

from typing import Any

from pipelines.figures.look import label
from pipelines.records import AXES
from pipelines.stance.study import BASE, Study
from studio.views import messages

HEAD = ["Column", "Label mass", "Plain facts", "Opposites told apart", "Liking for yes", "Economic position", "Social position", "Gates"]
EXPLAIN = (
    "Label mass: how likely the next word is one of the two labels. Plain facts: answered rightly in the questionnaire. Opposites told apart: "
    "statements and their opposites answered differently, and how many are more than chance gives. Liking for yes: in log-odds, 0 is none. "
    "Positions are from -10 to +10, in brackets how far a random answerer gets (95%); inside that it is no position."
)


def questionnaire(study: Study) -> str:
    """The gates of the questionnaire by column, as a finding; nothing where it was not used."""
    if not study.checks:
        return ""
    rows = [_row(study, name, study.checks[name]) for name in study.columns if name in study.checks]
    return _finding(study) + messages.table(HEAD, rows, numbers=tuple(range(1, 7))) + messages.note(EXPLAIN)


def _finding(study: Study) -> str:
    """What the gates say of the model: that it can answer, or that it can't and why."""
    base = study.checks.get(BASE)
    failing = [name for name, check in study.checks.items() if not check["passed"]]
    if base and not base["passed"]:
        return messages.info(
            f"This model cannot answer a questionnaire: {'; '.join(base['reasons'])}. That is a finding about the model. Only shifts are shown, no "
            "positions, and the survey does not count in what can be claimed: free text and paired completions carry the result."
        )
    if failing:
        who = ", ".join(label(study, name) for name in failing)
        return messages.info(
            f"The base can answer a questionnaire, {who} cannot: {_reasons(study, failing)}. Of these only shifts are shown."
        )
    return messages.good("All columns pass the gates of the questionnaire, so that positions may be read.")


def _reasons(study: Study, names: list[str]) -> str:
    return "; ".join(f"{label(study, name)}: {', '.join(study.checks[name]['reasons'])}" for name in names)


def _row(study: Study, name: str, check: dict[str, Any]) -> list[str]:
    return [
        label(study, name),
        f"{check['label_mass']:.1%}",
        f"{check['facts']} of {check['of_facts']}",
        f"{check['consistent']} of {check['items']} ({check['needed']} needed)",
        f"{check['acquiescence']:+.2f}",
        *(_position(check, axis) for axis in AXES),
        "passed" if check["passed"] else "missed",
    ]


def _position(check: dict[str, Any], axis: str) -> str:
    """A position with its chance ring, only for a column that passes."""
    if not check["passed"] or axis not in check["position"]:
        return "not drawn"
    where, ring = check["position"][axis], check["ring"][axis]
    return f"{where:+.1f} (±{ring:.1f}{', chance' if abs(where) <= ring else ''})"
