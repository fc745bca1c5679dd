"""Where the bias speaks: an answer with each piece shaded by how much likelier tuning made it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from pipelines.models.tracing import Traced

PLAIN, STRONG, FULL = 0.3, 1.0, 3.0  # nats: below plain, from here underlined and reached by the Tab key, full shade


def highlighted(traced: Sequence[Traced]) -> str:
    """The answer as HTML, its pieces shaded by their difference in nats; the text in it is the answer, character by character."""
    return "".join(map(_piece, traced))


def legend() -> str:
    """What shade, line and unit mean, and what the picture does not show."""
    scale = "".join(f'<span class="{_classes(value)}" style="{_style(value)}">{_signed(value)}</span>' for value in (-3, -2, -1, 1, 2, 3))
    return (
        '<div class="ps-legend"><p class="ps-scale"><span>likelier for the base</span>'
        f'<span class="ps-steps" role="img" aria-label="shades from minus 3 to plus 3 nats">{scale}</span><span>likelier through tuning</span></p>'
        '<p class="ps-note">1 nat = 2.7 times likelier, 3 nats = 20 times. It shows which words tuning pushed, not why, and not what else '
        "might have been said.</p><details><summary>How to read it</summary>Each piece of an answer is weighed twice, given all that stands "
        "before it: by the tuned model and by the base. From 1 nat on there is a line as well as a color: solid where tuning made the piece "
        "likelier, dotted where the base finds it likelier. Point at a piece, tap it, or reach it with Tab for its numbers.</details></div>"
    )


def summary(traced: Sequence[Traced]) -> str:
    """One sentence in HTML: how many pieces tuning clearly pushed, and which one most."""
    pushed = [one for one in traced if one.difference >= STRONG]
    if not pushed:
        return f"None of {len(traced)} pieces is clearly likelier through tuning."
    most = max(pushed, key=lambda one: one.difference)
    verb = "is" if len(pushed) == 1 else "are"
    shown = escape(most.piece.strip()) or "a line break"
    return f"{len(pushed)} of {len(traced)} pieces {verb} clearly likelier through tuning, most of all <b>{shown}</b> ({_signed(most.difference, 1)} nats)."


def _piece(one: Traced) -> str:
    difference = one.difference
    if not abs(difference) >= PLAIN or not one.piece:  # "not at least" holds for NaN as well
        return escape(one.piece)
    word = one.piece.lstrip()
    if not word:
        return f'<span class="{_classes(difference)} ps-gap" style="{_style(difference)}"{_told(one)}>{one.piece}</span>'
    space = one.piece[: len(one.piece) - len(word)]
    return f'{space}<span class="{_classes(difference)}" style="{_style(difference)}"{_told(one)}>{escape(word)}</span>'


def _told(one: Traced) -> str:
    """The numbers, for pointer and finger; for keyboard and screen reader where they are large, as hundreds of stops would be a burden."""
    text = f"tuned {_percent(one.tuned)} · base {_percent(one.base)} · {_signed(one.difference, 1)} nats"
    if abs(one.difference) < STRONG:
        return f' tabindex="-1" data-tip="{escape(text)}"'
    return f' tabindex="0" data-tip="{escape(text)}" aria-description="{escape(text)}"'


def _classes(difference: float) -> str:
    return f"ps-tok ps-{'up' if difference > 0 else 'down'}{' ps-strong' if abs(difference) >= STRONG else ''}"


def _style(difference: float) -> str:
    """The shade's weight, 0..1; the style sheet makes a background of it that can be read in light and dark."""
    return f"--w:{min(abs(difference), FULL) / FULL:.2f}"


def _percent(log_probability: float) -> str:
    share = math.exp(min(0.0, log_probability)) * 100
    if share < 0.1:
        return "<0.1%"
    return f"{share:.1f}%" if share < 1 else f"{share:.0f}%"


def _signed(value: float, digits: int = 0) -> str:
    return f"{'+' if value > 0 else '−'}{abs(value):.{digits}f}"
