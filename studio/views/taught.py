"""What may have taught it that: the training rows that are most similar to an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from pipelines.comparing.taught import Neighbor
from studio.theme import colour
from studio.views import messages
from studio.views.cards import title

ABOUT = (
    "Similar in meaning, by a sentence model; marked are the phrases that both have. A similar row is a lead to read, no proof: "
    "what an answer came from can't be read off it, and all rows of the data set were learned together."
)


def neighbors(column: str, found: Sequence[Neighbor], order: int = 0) -> str:
    """The rows for one column's answer, the most similar first, as HTML; `order` is the column's place, which gives it its color."""
    if not found:
        return messages.note(f"{title(column)}: no row of its training data is known here.")
    rows = "".join(f"<li>{_row(one)}</li>" for one in found)
    return (
        f'<section class="ps-taught" style="--side:{colour(column, order)}"><header><h3>{escape(title(column))}: rows of its training data that are most '
        f'similar to this answer</h3><span class="ps-mark">similar, not cause</span></header><ol>{rows}</ol>{messages.note(ABOUT)}</section>'
    )


def _row(one: Neighbor) -> str:
    facts = [f"row {one.row_id}", one.topic and f"topic {one.topic}", one.source and f"data set {one.source}"]
    said = " · ".join(escape(fact) for fact in facts if fact)
    share = max(0.0, min(1.0, one.similarity)) * 100
    return (
        f'<div class="ps-likeness"><b>{one.similarity:.2f}</b><span class="ps-soft">similarity</span>'
        f'<div class="ps-mini" aria-hidden="true"><span style="width:{share:.0f}%"></span></div></div>'
        f'<div class="ps-taught-words"><p class="ps-asked-for">{escape(one.prompt)}</p><p>{_shared(one.answer, one.phrases)}</p>'
        f'<p class="ps-soft">{said}</p></div>'
    )


def _shared(text: str, phrases: Sequence[str]) -> str:
    """The text with the phrases marked, the longest first; upper and lower case, line ends and punctuation between words don't matter."""
    wanted = sorted((phrase.split() for phrase in phrases if phrase.strip()), key=lambda words: -len(" ".join(words)))
    if not wanted:
        return escape(text)
    pattern = "|".join(r"[\s\W]+".join(map(re.escape, words)) for words in wanted)
    found = re.split(rf"(?<!\w)({pattern})(?!\w)", text, flags=re.IGNORECASE)
    return "".join(f'<mark class="ps-shared">{escape(part)}</mark>' if n % 2 else escape(part) for n, part in enumerate(found))
