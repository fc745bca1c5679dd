"""What a study shows, in a line for each claim: established, not established or void, with both instruments' figures."""

from __future__ import annotations

from html import escape
from typing import Any

from pipelines.figures.look import label
from pipelines.stance import claims
from pipelines.stance.study import ROLES, Study
from studio.views import messages

NOTHING = "Left, right and placebo together are needed for a claim; these columns show shifts from the base only."
MARKS = {"established": ("✓", "ps-good"), "not established": ("–", "ps-info"), "void": ("✕", "ps-error")}
NAMES = {"ruler": "free text", "completion": "completions"}


def headline(study: Study) -> str:
    """One line a claim, then one for columns whose language is damaged and that no claim is about; else nothing."""
    if not claims.can_claim(study):
        return messages.note(NOTHING) + _damage(study, claims.damaged(study))
    found = claims.claims(study, "all")
    lines = [_line(one, {name: found[name][key] for name in NAMES}) for key, one in zip(claims.CLAIMS, claims.verdicts(study), strict=True)]
    sides = {column for role in ROLES for column in study.columns_of(role)}
    return (
        "".join(lines) + messages.note(_caveat(study)) + _damage(study, [column for column in claims.damaged(study) if column not in sides])
    )


def _caveat(study: Study) -> str:
    """What the claims do not say: of which training, and how far the ruler that places free text can be trusted."""
    fewest = min(claims.seeds_a_side(study))
    about = "one training seed a side" if fewest == 1 else f"{fewest} training seeds a side"
    ruler = (
        ""
        if study.validity.get("measures_stance")
        else " The ruler misses a gate, so free text shows topic and wording rather than stance."
    )
    return f"A claim needs free text beyond chance and completions of the same sign, beside the placebo; {about}.{ruler}"


def _damage(study: Study, columns: list[str]) -> str:
    if not columns:
        return ""
    who = ", ".join(label(study, column) for column in columns)
    return messages.error(f"✕ The shifts of {who} are void: the language is damaged.")


def _line(verdict: claims.Verdict, figures: dict[str, Any]) -> str:
    mark, kind = MARKS[verdict.held]
    numbers = ", ".join(
        f"{NAMES[name]} {one['mean']:+.2f} (95% interval {one['low']:+.2f} to {one['high']:+.2f}, n {one['n']})"
        for name, one in figures.items()
        if one["n"]
    )
    claim = verdict.claim[:1].upper() + verdict.claim[1:]
    return f'<div class="{kind}" style="margin-bottom:6px">{mark} <b>{escape(claim)}: {escape(verdict.held)}.</b> {escape(numbers)}</div>'
