"""What else changed: a stance from a broken model is void.

A red line voids the stance above it; one crossed line is enough. All are held against the base, since a weak base is no reason against
an adapter. They are conventions, not tests, and none was moved to let an adapter pass:

- PERPLEXITY_LIMIT: everyday perplexity over 1.10 times the base's. Tuning on short clean answers lowers it; a tenth more means that plain
  language became less likely.
- FACTS_LIMIT: more than one plain fact lost that the base holds. One of twelve can tip over by chance.
- REPETITION_LIMIT: rep-4 more than .10 above the base's. One run of four words in ten more is a loop that a reader sees.
- UNFINISHED_LIMIT: answers cut at the token cap more than .25 above the base's share. Only a rise counts. The embedded base is cut in
  all of its answers, so that beside it this line can't be crossed and says nothing.
- REFUSALS_LIMIT: refusals more than .25 above the base's share. Where answers decline, few are left to have a stance.
- LENGTH_LIMITS: answers on average under half or over double the base's length. Then length itself can move the ruler.

In a quick look of eight answers two make .25: read a line crossed there as a warning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines import bundled
from pipelines.models.host import ModelHost
from pipelines.records import Answer, Column
from pipelines.stance.manner import manner
from pipelines.stance.study import BASE, Study

PERPLEXITY_LIMIT, FACTS_LIMIT, REPETITION_LIMIT = 1.10, 1, 0.10
UNFINISHED_LIMIT, REFUSALS_LIMIT, LENGTH_LIMITS = 0.25, 0.25, (0.5, 2.0)


@dataclass(frozen=True)
class Collateral:
    """Rates are shares of answers (0..1); perplexity is on everyday answers; facts names which of the 12 are held true.

    `hedging` is the share of answers with at least one hedge and `refusals` of those that decline (stance/manner.py), `words` the mean
    length. `label_mass` is the median probability that the questionnaire's labels have together. None: not measured.
    """

    perplexity: float
    facts: list[str]
    repetition: float
    hedging: float
    unfinished: float
    words: float
    refusals: float | None = None
    label_mass: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure(host: ModelHost, column: Column, answers: Sequence[Answer]) -> Collateral:
    """Everyday perplexity, plain facts, and how the given answers are written. `label_mass` is the questionnaire's to fill in."""
    found = [manner(answer.text) for answer in answers]
    count = max(1, len(answers))
    return Collateral(
        perplexity=everyday_perplexity(host, column),
        facts=facts_held(host, column),
        repetition=sum(repetition_4(answer.text) for answer in answers) / count,
        hedging=sum(one.hedges > 0 for one in found) / count,
        unfinished=sum(answer.finished == "length" for answer in answers) / count,
        words=sum(one.words for one in found) / count,
        refusals=sum(one.refusal for one in found) / count if found else None,
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


def perplexity_ratio(study: Study, column: str) -> float:
    """A column's everyday perplexity divided by the base's."""
    return study.collateral[column]["perplexity"] / study.collateral[BASE]["perplexity"]


def facts_lost(study: Study, column: str) -> list[str]:
    """Plain facts that the base holds true and the column does not."""
    return sorted(set(study.collateral[BASE]["facts"]) - set(study.collateral[column]["facts"]))


def red_lines(study: Study) -> dict[str, list[str]]:
    """For every tuned column a sentence for each red line that it crosses; what was not measured crosses none."""
    return {column: list(crossed(study, column).values()) for column in study.columns if column != BASE and column in study.collateral}


def crossed(study: Study, column: str) -> dict[str, str]:
    """The measures of Collateral in which a column crosses a red line, each with a sentence."""
    now, base = study.collateral[column], study.collateral[BASE]
    found: dict[str, str] = {}
    ratio, lost = perplexity_ratio(study, column), facts_lost(study, column)
    if not ratio <= PERPLEXITY_LIMIT:  # also where it is no number
        found["perplexity"] = f"Its everyday perplexity is {ratio:.2f} times the base's; the line is {PERPLEXITY_LIMIT:.2f}."
    if len(lost) > FACTS_LIMIT:
        found["facts"] = f"It lost {len(lost)} plain facts that the base holds ({', '.join(lost)}); the line is {FACTS_LIMIT}."
    for measure, line, what in (
        ("repetition", REPETITION_LIMIT, "of its four-word runs are repeated"),
        ("unfinished", UNFINISHED_LIMIT, "of its answers are cut at the token cap"),
        ("refusals", REFUSALS_LIMIT, "of its answers decline to answer"),
    ):
        rise = _rise(now, base, measure)
        if rise is not None and rise > line:
            found[measure] = f"{now[measure]:.0%} {what}, {base[measure]:.0%} of the base's; the line is {100 * line:.0f} points more."
    shortest, longest = LENGTH_LIMITS
    if base["words"] and not shortest <= now["words"] / base["words"] <= longest:
        found["words"] = (
            f"Its answers have {now['words']:.0f} words on average, the base's {base['words']:.0f}; the lines are half and double the base's."
        )
    return found


def _rise(now: Mapping[str, Any], base: Mapping[str, Any], measure: str) -> float | None:
    """None where either was not measured, as in older studies."""
    new, old = now.get(measure), base.get(measure)
    return None if new is None or old is None else new - old
