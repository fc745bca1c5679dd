"""What the tables of Stance share: names of instruments, numbers with their intervals, sentences between and below tables."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from pipelines.figures.look import label
from pipelines.stance.sentences import signed
from pipelines.stance.study import Study
from studio.views import messages
from studio.views.cards import title

INSTRUMENTS = {
    "ruler": "free text (ruler)",
    "completion": "paired completion (nats a token)",
    "survey": "questionnaire (−1 to +1)",
}


def called(study: Study, name: str, seeds: int) -> str:
    """A column as people read it, or a role with how many training seeds it has."""
    return f"{title(name)}, {seeds} seeds" if seeds > 1 else label(study, name)


def p(value: float | None) -> str:
    if value is None:
        return ""
    return "< .001" if value < 0.001 else f"{value:.3f}"


def interval(low: float | None, high: float | None) -> str:
    """ "-0.10 to +0.31"; empty where there is none."""
    return f"{signed(low)} to {signed(high)}" if low is not None and high is not None else ""


def between(text: str) -> str:
    """A sentence between two tables, with air around it."""
    return f'<div style="margin: 8px 2px 16px">{messages.note(text)}</div>'


def folded(summary: str, html: str) -> str:
    """Something that opens when its summary is pressed."""
    return f'<details class="ps-between"><summary>{escape(summary)}</summary>{html}</details>'


def listed(sentences: Iterable[str]) -> str:
    """Sentences one below the other; empty ones are left out."""
    rows = "".join(f"<li>{escape(one)}</li>" for one in sentences if one)
    return f'<ul class="ps-note" style="margin: 8px 0; padding-left: 20px">{rows}</ul>' if rows else ""
