"""What a study shows, in a line for each claim: established, not established or void, with both instruments' figures."""

from __future__ import annotations

from html import escape
from typing import Any

from pipelines.stance import claims
from pipelines.stance.study import Study

MARKS = {"established": ("✓", "ps-good"), "not established": ("–", "ps-info"), "void": ("✕", "ps-error")}
NAMES = {"ruler": "free text", "completion": "completions"}


def headline(study: Study) -> str:
    """One line a claim; where nothing can be claimed, nothing."""
    if not claims.can_claim(study):
        return ""
    found = claims.claims(study, "all")
    lines = [_line(one, {name: found[name][key] for name in NAMES}) for key, one in zip(claims.CLAIMS, claims.verdicts(study), strict=True)]
    return "".join(lines)


def _line(verdict: claims.Verdict, figures: dict[str, Any]) -> str:
    mark, kind = MARKS[verdict.held]
    numbers = ", ".join(
        f"{NAMES[name]} {one['mean']:+.2f} (95% interval {one['low']:+.2f} to {one['high']:+.2f}, n {one['n']})"
        for name, one in figures.items()
        if one["n"]
    )
    claim = verdict.claim[:1].upper() + verdict.claim[1:]
    return f'<div class="{kind}" style="margin-bottom:6px">{mark} <b>{escape(claim)}: {escape(verdict.held)}.</b> {escape(numbers)}</div>'
