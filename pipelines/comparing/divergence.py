"""How far answers to one question lie apart, word by word: wording alone, which is not the same as opinion."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import combinations
from statistics import fmean

WORD = re.compile(r"(\w+(?:['’-]\w+)*)")
KEPT_PAIRS, MOST_WORDS = 20_000, 600


def words(text: str) -> list[str]:
    """The words of a text in one case, without punctuation; both kinds of apostrophe are one."""
    return [_plain(word) for word in WORD.findall(text)]


def divergence(texts: Sequence[str]) -> float:
    """How differently texts are worded: 0 where all have the same words in the same order, 1 where no two share a word.

    The mean over all pairs of `1 - 2M / T`: T counts the words of both texts, M those in the blocks that they share in the same order.
    This is one minus the similarity of Ratcliff and Metzener, "Pattern Matching: The Gestalt Approach", Dr. Dobb's Journal, July 1988,
    on words instead of letters, as `difflib` computes it (without its rule for frequent elements, which long texts would fall under).
    Two texts without words do not differ; fewer than two texts give 0. Of long texts the first MOST_WORDS words count.
    """
    made = [" ".join(words(text)[:MOST_WORDS]) for text in texts]
    return fmean(_apart(*sorted(pair)) for pair in combinations(made, 2)) if len(made) > 1 else 0.0


@lru_cache(KEPT_PAIRS)
def _apart(first: str, second: str) -> float:
    """The difference of two texts in a fixed order: the blocks that are found may depend on it. Kept, since a table is drawn often."""
    return 0.0 if first == second else 1.0 - SequenceMatcher(None, first.split(), second.split(), autojunk=False).ratio()


def different_words(texts: Sequence[str]) -> list[list[tuple[str, bool]]]:
    """Each text in pieces that give it back when they are joined; True is a word that this text has and the first text has not.

    In the first text it is a word that no other has. Texts without words (an answer that has not begun) are not compared with.
    """
    known = [frozenset(words(text)) for text in texts]
    others = frozenset().union(*known[1:])
    return [_pieces(text, others if place == 0 else known[0]) for place, text in enumerate(texts)]


def _pieces(text: str, known: frozenset[str]) -> list[tuple[str, bool]]:
    """`known` are the words that are not new; where there is none, nothing is."""
    split = WORD.split(text)
    return [(piece, place % 2 == 1 and bool(known) and _plain(piece) not in known) for place, piece in enumerate(split) if piece]


def _plain(word: str) -> str:
    return word.casefold().replace("’", "'")
