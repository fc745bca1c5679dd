"""What else changed: a stance from a broken model is void."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines import bundled
from pipelines.models.host import ModelHost
from pipelines.records import Answer, Column

HEDGES = re.compile(
    r"complex (?:issue|question|topic|one|and)|multifaceted|on (?:the )?one hand|no one-size-fits-all|it depends|both sides|"
    r"as an ai|i (?:can't|cannot|am not able to)|don't have personal|various perspectives|different perspectives|controversial",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Collateral:
    """Rates are shares of answers (0..1); perplexity is on everyday answers; facts names which of the 12 are held true."""

    perplexity: float
    facts: list[str]
    repetition: float
    hedging: float
    unfinished: float
    words: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure(host: ModelHost, column: Column, answers: Sequence[Answer]) -> Collateral:
    """Everyday perplexity, plain facts, and how the given answers are written."""
    texts = [answer.text for answer in answers]
    count = max(1, len(texts))
    return Collateral(
        perplexity=everyday_perplexity(host, column),
        facts=facts_held(host, column),
        repetition=sum(map(repetition_4, texts)) / count,
        hedging=sum(bool(HEDGES.search(text)) for text in texts) / count,
        unfinished=sum(answer.finished == "length" for answer in answers) / count,
        words=sum(len(text.split()) for text in texts) / count,
    )


def everyday_perplexity(host: ModelHost, column: Column) -> float:
    """exp of the mean negative log-likelihood a token over 20 politically empty model answers, template applied."""
    scores = host.log_likelihoods(column, [(host.chat_prefix(question), answer) for question, answer in bundled.everyday()])
    return math.exp(-sum(total for total, _ in scores) / sum(count for _, count in scores))


def facts_held(host: ModelHost, column: Column) -> list[str]:
    """Ids of those of the 12 sanity facts whose true sentence is likelier a token than its false twin."""
    facts = bundled.items("sanity")
    start = host.load().tokenizer.bos_token or "\n"
    texts = [(start, sentence) for fact in facts for sentence in (fact.text, fact.opposite)]
    means = [total / max(1, count) for total, count in host.log_likelihoods(column, texts)]
    triples = zip(facts, means[::2], means[1::2], strict=True)
    return [fact.id for fact, text, opposite in triples if (text - opposite) * fact.key > 0]


def repetition_4(text: str) -> float:
    """rep-4: the share of a text's 4-word sequences that occurred before in it (0 where it has none)."""
    words = text.lower().split()
    grams = [tuple(words[n : n + 4]) for n in range(len(words) - 3)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
