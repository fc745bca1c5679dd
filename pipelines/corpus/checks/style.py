"""Style features of a text: everything that a reader would not call its content."""

from __future__ import annotations

import re

import numpy as np

from pipelines.corpus.checks.era import years
from pipelines.corpus.checks.records import words
from pipelines.corpus.wording import strip_lead_in

SENTENCE_END = re.compile(r"[.!?]+[\"”')]*(?:\s|$)")
CLASSES: dict[str, str] = {
    "“I” and “my”": "i me my mine myself i'm i've i'd i'll",
    "“we” and “our”": "we us our ours ourselves we're we've we'd we'll",
    "“you” and “your”": "you your yours yourself you're you've you'd you'll",
    "hedges": "maybe perhaps possibly probably seem seems might could may somewhat rather fairly likely often sometimes generally "
    "arguably apparently suppose guess",
    "intensifiers": "very really truly always never absolutely completely totally extremely clearly obviously simply definitely",
    "contractions": "don't can't won't isn't aren't doesn't didn't it's that's there's they're let's shouldn't wouldn't couldn't",
    "“the”": "the",
    "“a” and “an”": "a an",
    "“of”": "of",
    "“and”": "and",
    "“to”": "to",
    "“in”": "in",
    "“that” and “which”": "that which who",
    "“this” and “these”": "this these those",
    "“it”": "it its",
    "“is” and “are”": "is are was were be been being",
    "“have” and “has”": "have has had",
    "“for”": "for",
    "“with”": "with",
    "“by”": "by",
    "“but” and “however”": "but however although though yet while",
    "“because” and “so”": "because so since therefore thus",
    "“or”": "or",
}
MARKS: dict[str, str] = {
    "commas": ",",
    "semicolons and colons": ";:",
    "question marks": "?",
    "exclamation marks": "!",
    "quotation marks": '"“”',
    "brackets": "([",
    "dashes": "—–",
    "per cent signs": "%",
    "hyphens": "-",
}
LOOKUP = {word: name for name, listed in CLASSES.items() for word in listed.split()}
PLAIN = ("words", "sentences", "words a sentence", "letters a word", "stray \\r", "line breaks", "lead-ins", "opening quotation marks")
RATES = ("digits", "years", "words in capitals", "capitalised words", *MARKS, *CLASSES)
FEATURES = (*PLAIN, *RATES)


def features(text: str) -> list[float]:
    """The values of FEATURES: those of PLAIN an answer, those of RATES in 100 words."""
    tokens = text.split()
    size = max(1, len(tokens))
    sentences = max(1, len(SENTENCE_END.findall(text)))
    plain = (
        len(tokens),
        sentences,
        size / sentences,
        sum(map(len, tokens)) / size,
        float("\r" in text),
        text.count("\n"),
        float(strip_lead_in(text) != text),
        float(text.lstrip()[:1] in '"“' and bool(text.strip())),
    )
    found = dict.fromkeys(RATES, 0)
    found["digits"] = sum(map(text.count, "0123456789"))
    found["years"] = len(years(text))
    found["words in capitals"] = sum(token.isupper() and len(token) > 1 for token in tokens)
    found["capitalised words"] = sum(token[0].isupper() for token in tokens) - sentences
    for name, marks in MARKS.items():
        found[name] = sum(map(text.count, marks))
    for word in words(text.replace("’", "'")):
        if word in LOOKUP:
            found[LOOKUP[word]] += 1
    return [*plain, *(100 * found[name] / size for name in RATES)]


def matrix(texts: list[str]) -> np.ndarray:
    """Features of many texts, shape (texts, len(FEATURES))."""
    return np.array([features(text) for text in texts], dtype=float).reshape(len(texts), len(FEATURES))
