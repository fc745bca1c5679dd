"""How well a post is written, by named rules: not whether it is right, only whether it can carry an argument.

Every post starts at five points; each rule that fires adds or takes some. The word lists are English.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from pipelines.corpus.annotate.annotation import QUALITY_LIMIT
from pipelines.corpus.annotate.spam import HASHTAG, LINK, WORD, capital_share, plain, promotes

START = 5.0
FEWEST_WORDS, MANY_WORDS, PLAIN_RUN = 8, 20, 4
REASON = re.compile(
    r"\b(?:because|since (?:it|they|the|we|no)|so that|therefore|that is why|that's why|which is why|the reason|thanks to|"
    r"leads? to|means that|in order to|otherwise|as a result|when (?:\w+ ){1,5}(?:suffer|grow|fall|rise|pay|lose|gain)s?)\b",
    re.I,
)
EXAMPLE = re.compile(
    r"\b(?:for example|for instance|such as|in (?:my|our) (?:town|city|street|family|shop)|"
    r"my (?:own )?(?:mother|father|neighbou?r|family|town|job|boss|grandmother|grandfather))\b",
    re.I,
)
OTHER_VIEW = re.compile(
    r"\b(?:although|even (?:if|though)|of course|some (?:people )?(?:say|think|claim)|on the other hand|"
    r"i (?:understand|know|see) (?:that|why)|granted|critics)\b",
    re.I,
)
INSULT = re.compile(r"\b(?:idiots?|morons?|scum|stupid|clowns?|sheep(?:le)?|trash|losers?|traitors?|vermin|dumb|shut up)\b", re.I)
LETTERS_AGAIN = re.compile(r"([^\W\d_])\1{3,}|([!?])\2{2,}")
WORDS_AGAIN = re.compile(r"\b(\w+)(?:\W+\1\b){2,}", re.I)


class QualityRule(NamedTuple):
    """A rule's name, the points it adds, the sentence that people read, and whether it fires for a text."""

    name: str
    points: float
    sentence: str
    fires: Callable[[str], bool]


def _words(text: str) -> list[str]:
    return WORD.findall(plain(text))


def too_short(text: str) -> bool:
    return len(_words(text)) < FEWEST_WORDS


def shouting(text: str) -> bool:
    return capital_share(text) > 0.5


def repeats(text: str) -> bool:
    return bool(LETTERS_AGAIN.search(plain(text)) or WORDS_AGAIN.search(plain(text)))


def more_marks_than_words(text: str) -> bool:
    return len(LINK.findall(text)) + len(HASHTAG.findall(text)) > len(_words(text)) / 2


def no_sentence(text: str) -> bool:
    """Whether no stretch between punctuation marks has four words."""
    return max(len(WORD.findall(part)) for part in re.split(r"[.!?;:,|/\n]", plain(text))) < PLAIN_RUN


def gives_a_reason(text: str) -> bool:
    return bool(REASON.search(text))


def gives_an_example(text: str) -> bool:
    return bool(EXAMPLE.search(text))


def weighs_another_view(text: str) -> bool:
    return bool(OTHER_VIEW.search(text))


def develops(text: str) -> bool:
    return len(_words(text)) >= MANY_WORDS and len(re.findall(r"[.!?](?:\s|$)", text)) >= 2


def insults(text: str) -> bool:
    return bool(INSULT.search(text))


RULES = (
    QualityRule("too short", -2, "Fewer than eight words can't carry an argument.", too_short),
    QualityRule("no sentence", -2, "Nowhere four words in a row without a stop: a list or a cry, not a sentence.", no_sentence),
    QualityRule("shouting", -2, "More than half of the letters are capitals.", shouting),
    QualityRule("repeats itself", -1.5, "A letter four times, a word or a mark three times in a row.", repeats),
    QualityRule("more links and hashtags than words", -3, "More than one link or hashtag for two words.", more_marks_than_words),
    QualityRule("promotion", -4, "It sells something, collects followers or promises money.", promotes),
    QualityRule("insults", -1.5, "It calls people names.", insults),
    QualityRule("gives a reason", 2, "It says why: because, so that, that is why …", gives_a_reason),
    QualityRule("gives an example", 1, "It names a case: for example, in my town …", gives_an_example),
    QualityRule("weighs another view", 1, "It mentions what speaks against it: although, some say …", weighs_another_view),
    QualityRule("develops a thought", 1, "At least twenty words in two sentences.", develops),
)


def quality(text: str) -> tuple[float, list[str]]:
    """A score in 0..10 and the names of the rules that fired."""
    fired = [rule for rule in RULES if rule.fires(text)]
    score = START + sum(rule.points for rule in fired)
    return min(QUALITY_LIMIT, max(0.0, score)), [rule.name for rule in fired]
