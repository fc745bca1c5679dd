"""The totals of a card as bars, on phones and on the screen: counts, the dashed line of pure chance, and nothing of any one person."""

from __future__ import annotations

from html import escape

from pipelines.classroom.tally import Bar, Counted
from pipelines.review.design import FEWEST
from pipelines.review.intervals import percent, spread

CHANCE = "The dashed line is what pure luck would reach."
THIN = f"A count of fewer than {FEWEST} people is kept back, and with it another one that would give it away."
ONE_CARD = "One card shows what this class said to it, not what it can do in general."


def bars(found: Counted) -> str:
    """A bar for each thing that could be said; in words where too few have answered."""
    if not found.bars:
        return ""
    if found.answered < FEWEST:
        return f'<p class="ps-note">{people(found.answered)} answered. Totals are shown from {FEWEST} people on, so that they are nobody’s own.</p>'
    notes = [CHANCE if any(bar.chance is not None for bar in found.bars) else "", THIN if found.is_thin else ""]
    notes.append(ONE_CARD if any(bar.is_right for bar in found.bars) else "")
    return f'<div class="ps-class-bars">{"".join(_bar(bar, found.apart) for bar in found.bars)}</div><p class="ps-note">{" ".join(filter(None, notes))}</p>'


def people(count: int) -> str:
    return "Nobody has" if not count else "1 person has" if count == 1 else f"{count} people have"


def _bar(bar: Bar, apart: bool) -> str:
    right = ' <b class="ps-class-right">✓ so it was</b>' if bar.is_right and bar.chance is not None and not apart else ""
    if bar.share is None:
        numbers, width = "kept back", 0.0
    else:
        numbers, width = f"{bar.count} · {percent(bar.share)}", 100 * bar.share
    if bar.low is not None and bar.high is not None and bar.share is not None:
        numbers += f" (95%: {spread((bar.low, bar.high))})"
    line = "" if bar.chance is None else f'<i class="ps-chance" style="left:{100 * bar.chance:.1f}%"></i>'
    return (
        f'<div class="ps-class-bar{" ps-is-right" if right else ""}"><div class="ps-class-bar-head"><span>{escape(bar.text)}{right}</span>'
        f'<span class="ps-class-number">{numbers}</span></div>'
        f'<div class="ps-class-track" aria-hidden="true"><span style="width:{width:.1f}%"></span>{line}</div></div>'
    )
