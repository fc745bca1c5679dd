"""What coding found: which codes hold for which answers, what raters differ about, counts by column and topic, and quotes.

A code holds for an answer where all raters of a finished round gave it, or an adjudication says so; where they differ it stays open and
is counted as open. An answer that stands in several pairs counts once. Everything here knows the columns: after the reveal only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelines.review.codebook import Codebook
from pipelines.review.protocol import Item, Protocol
from pipelines.review.rounds import PLACES, WHOLE, Adjudication, Coding, Place, Sheet, unit

Span = tuple[int, int]


@dataclass(frozen=True)
class Settled:
    """Whether a code holds for an answer; None where raters differ and nobody has adjudicated."""

    applies: bool | None
    adjudication: Adjudication | None = None


@dataclass(frozen=True)
class Difference:
    """An answer and a code that some raters gave and others did not: no column and no rater. `memos` are those of the code."""

    item_id: str
    answer: Place
    code_id: str
    prompt: str
    text: str
    given: int
    raters: int
    spans: tuple[Span, ...]
    memos: tuple[str, ...]
    adjudication: Adjudication | None


@dataclass(frozen=True)
class Count:
    """How many answers of a column carry a code. `topic` None is all topics; `open` answers are neither in `coded` nor in `answers`."""

    code_id: str
    column: str
    topic: str | None
    coded: int
    answers: int
    open: int

    @property
    def share(self) -> float | None:
        """Coded among settled answers; None where there are none."""
        return self.coded / self.answers if self.answers else None


@dataclass(frozen=True)
class Quote:
    """Words that carry a code, and how many raters marked them; a whole answer has start 0 and its length as end."""

    item_id: str
    answer: Place
    code_id: str
    column: str
    topic: str
    prompt: str
    text: str
    start: int
    end: int
    raters: int


def settled(sheet: Sheet, item_id: str, answer: Place, code_id: str) -> Settled:
    """What the round says about one code and one answer."""
    given = [code_id in codes for codes in sheet.units[unit(item_id, answer)].values()]
    if not sheet.is_finished:
        return Settled(None)
    if len(given) > 1 and len(set(given)) == 1:
        return Settled(given[0])
    key = (item_id, answer, code_id)
    last = next((one for one in reversed(sheet.adjudications) if (one.item_id, one.answer, one.code_id) == key), None)
    return Settled(last.applies if last else None, last)


def differences(sheet: Sheet, protocol: Protocol) -> list[Difference]:
    """Everything in a finished round that needs, or has, an adjudication, by pair and code. Empty before the round is finished."""
    found = []
    for item in _items(sheet, protocol) if sheet.is_finished else ():
        for place in PLACES:
            units = sheet.units[unit(item.id, place)].values()
            for code in sheet.round.codebook.codes:
                given = sum(code.id in codes for codes in units)
                if given and (given < len(units) or len(units) < 2):
                    found.append(_difference(sheet, item, place, code.id, given))
    return found


def _difference(sheet: Sheet, item: Item, place: Place, code_id: str, given: int) -> Difference:
    own = _own(sheet, item.id, place, code_id)
    spans = tuple(sorted({(one.start, one.end) for one in own}))
    memos = tuple(sorted({one.memo for one in own if one.memo}))
    last = settled(sheet, item.id, place, code_id).adjudication
    text, raters = item.texts[PLACES.index(place)], len(sheet.units[unit(item.id, place)])
    return Difference(item.id, place, code_id, item.prompt, text, given, raters, spans, memos, last)


def counts(protocol: Protocol, sheets: Sequence[Sheet], codebook: Codebook) -> list[Count]:
    """Per code and column: first all topics, then each topic in the protocol's order. Only rounds with this codebook count."""
    topics = {prompt.id: prompt.topic for prompt in protocol.design.prompts}
    answers = list(_answers(protocol, sheets, codebook))
    wanted: list[str | None] = [None, *dict.fromkeys(topics[item.prompt_id] for item in protocol.items)]
    made = []
    for code in codebook.codes:
        states = [(column, topics[prompt_id], _state(held, code.id)) for (prompt_id, column), held in answers]
        for column in protocol.columns:
            for topic in wanted:
                own = [state for name, about, state in states if name == column and topic in (None, about)]
                told = [state for state in own if state is not None]
                made.append(Count(code.id, column, topic, sum(told), len(told), len(own) - len(told)))
    return made


def quotes(protocol: Protocol, sheets: Sequence[Sheet], codebook: Codebook) -> list[Quote]:
    """Spans of the codes that hold, by code; first what most raters marked. Spans that overlap are joined into one."""
    topics = {prompt.id: prompt.topic for prompt in protocol.design.prompts}
    made = []
    for code in codebook.codes:
        own = []
        for (prompt_id, column), held in _answers(protocol, sheets, codebook):
            found = next(((sheet, item, place) for sheet, item, place in held if settled(sheet, item.id, place, code.id).applies), None)
            if found and _state(held, code.id):
                sheet, item, place = found
                text = item.texts[PLACES.index(place)]
                for (start, end), raters in _marked(sheet, item.id, place, code.id, len(text)).items():
                    words = text[start:end]
                    own.append(Quote(item.id, place, code.id, column, topics[prompt_id], item.prompt, words, start, end, raters))
        made += sorted(own, key=lambda one: -one.raters)
    return made


def _answers(
    protocol: Protocol, sheets: Sequence[Sheet], codebook: Codebook
) -> Iterator[tuple[tuple[str, str], list[tuple[Sheet, Item, Place]]]]:
    """Every coded answer, by (prompt, column), with where it was read, in the order of rounds and of the protocol."""
    held: dict[tuple[str, str], list[tuple[Sheet, Item, Place]]] = {}
    for sheet in sheets:
        if sheet.round.kind == "coding" and sheet.round.codebook == codebook:
            for item in _items(sheet, protocol):
                for place, column in zip(PLACES, (item.first, item.second), strict=True):
                    held.setdefault((item.prompt_id, column), []).append((sheet, item, place))
    yield from held.items()


def _state(held: Iterable[tuple[Sheet, Item, Place]], code_id: str) -> bool | None:
    """What the first round and pair say that settle it."""
    states = (settled(sheet, item.id, place, code_id).applies for sheet, item, place in held)
    return next((state for state in states if state is not None), None)


def _marked(sheet: Sheet, item_id: str, place: Place, code_id: str, length: int) -> Mapping[Span, int]:
    """Spans with the number of raters who marked (part of) them; an adjudication with a span of its own replaces them."""
    marks = [
        ((0, length) if one.start == WHOLE else (one.start, one.end), one.rater_number) for one in _own(sheet, item_id, place, code_id)
    ]
    last = settled(sheet, item_id, place, code_id).adjudication
    if last and last.start != WHOLE:
        spans = [(last.start, last.end)]
    else:
        parts = [span for span, _ in marks if span != (0, length)]
        spans = _joined(parts) or [(0, length)]
    return {(a, b): len({rater for (start, end), rater in marks if start < b and a < end}) for a, b in spans}


def _joined(spans: Iterable[Span]) -> list[Span]:
    made: list[Span] = []
    for start, end in sorted(spans):
        if made and start < made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((start, end))
    return made


def _own(sheet: Sheet, item_id: str, place: Place, code_id: str) -> list[Coding]:
    return [one for one in sheet.codings if (one.item_id, one.answer, one.code_id) == (item_id, place, code_id)]


def _items(sheet: Sheet, protocol: Protocol) -> list[Item]:
    wanted = set(sheet.round.items)
    return [item for item in protocol.items if item.id in wanted]
