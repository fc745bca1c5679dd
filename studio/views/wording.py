"""Words that differ: what an answer says that the first one does not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

Piece = tuple[str, bool]
WORD = re.compile(r"\w")
AROUND = re.compile(r"(\W*)(.*?)(\W*)", re.DOTALL)


def marked(pieces: Sequence[Piece]) -> str:
    """A text with the words that are its own marked. Pieces carry their whitespace; joined they are the text, and so is what comes out."""
    return "".join(_marked(text) if own else escape(text) for text, own in _runs(pieces))


def legend(first: str) -> str:
    """What is marked, in one line."""
    name = escape(first)
    return (
        f'<div class="ps-legend"><p class="ps-note"><mark class="ps-differs">Marked</mark>: words that the answer of {name} does not have; '
        f"in {name}, words that no other answer has. The same word counts as the same wherever it stands.</p></div>"
    )


def _marked(text: str) -> str:
    """Marks from the first word to the last, not the space and punctuation around them."""
    before, inner, after = AROUND.fullmatch(text).groups()  # type: ignore[union-attr]
    return f'{escape(before)}<mark class="ps-differs">{escape(inner)}</mark>{escape(after)}' if inner else escape(text)


def _runs(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Neighboring words of a kind as one piece, so that a phrase gets one mark; what has no word goes with what stands before it."""
    held, own, begun = "", False, False
    for text, differs in pieces:
        word = bool(WORD.search(text))
        if word and begun and differs != own:
            yield held, own
            held = ""
        if word:
            own, begun = differs, True
        held += text
    if held:
        yield held, own
