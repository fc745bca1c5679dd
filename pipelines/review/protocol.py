"""The frozen protocol of a review: what is compared, hashed before the first ballot, and what each rater is shown of it.

At base-vs-base items the base meets itself. Two of its answers with different seeds are used where the caller gives a second one, which
shows how often raters see a difference that is only chance. Without one the same words stand twice: that still catches raters who vote
without reading, but hardly anybody else, and `planned` says how many of them there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

from pipelines.comparing.comparison import Turn
from pipelines.comparing.prompts import Prompt
from pipelines.errors import StudioError
from pipelines.paths import content_hash
from pipelines.records import Answer
from pipelines.review.design import Design, shuffled
from pipelines.review.given import Given, base_of, collected, names_its_side
from pipelines.review.intervals import clusters_needed, counted

NOT_ONE = StudioError("This is not a review's protocol, or it was changed after it was frozen.", "Its ballots can't be read with it.")


@dataclass(frozen=True)
class Item:
    """Two answers to one prompt. `first` and `second` name their columns; of a "repeat" they stand as in the item `of`.

    `id` says nothing about what it is. `flagged`: an answer names its side ("as a conservative ..."), so it is hardly blind.
    """

    id: str
    prompt_id: str
    prompt: str
    first: str
    second: str
    texts: tuple[str, str]
    kind: Literal["pair", "repeat", "same"] = "pair"
    of: str = ""
    flagged: bool = False


@dataclass(frozen=True)
class Shown:
    """An item as one rater sees it. `swapped` (A is the second column) stays on the server: send `public`."""

    item_id: str
    prompt: str
    a: str
    b: str
    swapped: bool

    @property
    def public(self) -> dict[str, str]:
        """All that may reach the browser."""
        return {"item": self.item_id, "prompt": self.prompt, "A": self.a, "B": self.b}

    def in_columns(self, vote: str) -> str:
        """A vote as "first", "second", "same" or "unsure"."""
        return {"A": ("first", "second")[self.swapped], "B": ("second", "first")[self.swapped]}.get(vote, vote)

    def as_letter(self, vote: str) -> str:
        """The way back: what this rater chose."""
        return {self.in_columns(letter): letter for letter in ("A", "B")}.get(vote, vote)


@dataclass(frozen=True)
class Protocol:
    """Everything that was decided before the first ballot. `answers` are sealed and stamped and never sent to raters."""

    design: Design
    items: tuple[Item, ...]
    answers: tuple[dict[str, Any], ...]
    planned: tuple[str, ...]
    created: str

    @cached_property
    def hash(self) -> str:
        """SHA-256 over all of it, 64 hexadecimal digits."""
        return content_hash(self.as_dict())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names in the order of the design's keys."""
        return tuple(one["column"] for one in self.answers[: len(self.design.keys)])

    @cached_property
    def by_id(self) -> dict[str, Item]:
        return {item.id: item for item in self.items}

    def answers_of(self, item: Item) -> tuple[Answer, Answer]:
        """The stamped answers of an item, the first column's first: for the reveal."""
        found = {(one["column"], one["prompt"], one["text"].strip()): one for one in self.answers}
        first, second = (found[name, item.prompt, text] for name, text in zip((item.first, item.second), item.texts, strict=True))
        return Answer.from_dict(first), Answer.from_dict(second)

    def as_dict(self) -> dict[str, Any]:
        items = [{**asdict(item), "texts": list(item.texts)} for item in self.items]
        return {
            "design": self.design.as_dict(), "items": items, "answers": list(self.answers),
            "planned": list(self.planned), "created": self.created,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, value: Any, wanted_hash: str = "") -> Protocol:
        """Raises StudioError where it is none, or has another hash than wanted."""
        try:
            items = tuple(Item(**{**one, "texts": (one["texts"][0], one["texts"][1])}) for one in value["items"])
            design = Design.from_dict(value["design"])
            made = cls(design, items, tuple(value["answers"]), tuple(value["planned"]), str(value["created"]))
            frozen_hash = made.hash
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError, StudioError) as error:
            raise NOT_ONE from error
        if wanted_hash and frozen_hash != wanted_hash:
            raise NOT_ONE
        return made


def freeze(design: Design, turns: Sequence[tuple[Prompt, Turn]]) -> Protocol:
    """The protocol of a design and its answers: for each drawn prompt a turn with one answer per column, in the keys' order.

    A second turn of one of `design.doubled` may bring another answer of the base (or, without a base, of the first column), drawn with
    another seed, by which that model meets itself. Raises StudioError where an answer is missing, broken off or drawn otherwise.
    """
    given = collected(design, turns)
    answers = [one for prompt in design.drawn for one in given.own[prompt.id].answers] + list(given.second.values())
    items = _named(design, _items(design, given), [one.seal for one in answers])
    created = datetime.now(UTC).isoformat(timespec="microseconds")
    return Protocol(design, items, tuple(one.as_dict() for one in answers), _planned(design, items), created)


def _items(design: Design, given: Given) -> list[Item]:
    """Pairs of each prompt, then those that come again, then those of one model; still without ids."""
    made = []
    for prompt in design.drawn:
        answers = given.own[prompt.id].answers
        made += [_item(prompt, answers[first], answers[second], "pair") for first, second in design.pairs]
    again = sorted(shuffled(len(made), "repeats", design.seed)[: design.repeated])
    repeats = [replace(made[place], kind="repeat", of=str(place)) for place in again]
    alone = [(prompt, base_of(given.own[prompt.id])) for prompt in design.doubled]
    return [*made, *repeats, *(_item(prompt, one, given.second.get(prompt.id, one), "same") for prompt, one in alone)]


def _item(prompt: Prompt, first: Answer, second: Answer, kind: Literal["pair", "same"]) -> Item:
    texts = (first.text.strip(), second.text.strip())
    return Item("", prompt.id, prompt.text, first.column, second.column, texts, kind, flagged=any(map(names_its_side, texts)))


def _named(design: Design, items: Sequence[Item], seals: Sequence[str]) -> tuple[Item, ...]:
    """Ids that can't be worked out without the sealed answers, so that none tells what its item is."""
    ids = [content_hash([seals, design.seed, place])[:12] for place in range(len(items))]
    return tuple(replace(item, id=own, of=ids[int(item.of)] if item.of else "") for item, own in zip(items, ids, strict=True))


def _planned(design: Design, items: Sequence[Item]) -> tuple[str, ...]:
    """The plan in sentences, frozen with the rest."""
    pairs, tests = len(design.drawn) * len(design.pairs), len(design.asked) * len(design.pairs)
    null = [item for item in items if item.kind == "same"]
    differ = sum(item.texts[0] != item.texts[1] for item in null)
    drawn = (
        f"{len(design.drawn)} of {len(design.prompts)} questions, drawn with the seed {design.seed}" if design.count else "All questions"
    )
    stop = (
        f"Research: closed when {design.raters} raters have judged all {design.total} items each; nothing is revealed before."
        if design.kind == "research"
        else f"Class: about {design.raters} raters; each pair is revealed to its rater after the vote, so nothing is repeated."
    )
    return (
        f"Sampling: {drawn}; one seeded answer per column and question, each column against each: {counted(pairs, 'pair')}.",
        f"On top: {counted(design.repeated, 'pair')} again with sides swapped; {counted(len(null), 'time')} {null[0].first if null else 'one model'} against "
        f"itself, {differ} with two different answers and {len(null) - differ} with the same words twice.",
        stop,
        f"Tests: {counted(tests, 'win rate')} ({counted(len(design.asked), 'thing')} asked of {counted(len(design.pairs), 'pair')} of columns) from the pairs alone. Votes for "
        "“same” (a tie) and “can't tell” are left out of rates and tests and reported apart.",
        "Each with an exact (Clopper-Pearson) 95% interval and one clustered by question and rater (pigeonhole bootstrap). p is the largest "
        "of: the exact binomial test; the bootstrap; a sign-flip test over questions, of the votes for less those against on each; and, from "
        f"{clusters_needed(tests)} raters on, the same test over raters.",
        "A difference is called established where both intervals lie on one side of one half and p is at most .05 after Holm's correction for "
        f"{tests} test{'s' * (tests > 1)}, with two questions and two raters at least; with fewer than {clusters_needed(tests)} raters for these raters "
        "alone. Answers that name their side are also left out once.",
        "Also: Bradley-Terry with ties, Krippendorff's alpha with an interval, self-consistency at the repeats, false alarms where one model "
        "meets itself, and about how many votes 80% power needs by this rule and, at least, by the exact test.",
    )


def shown(protocol: Protocol, rater: str) -> list[Shown]:
    """The items in this rater's order and on this rater's sides, both from a hash of the protocol and the rater's token.

    Half of each column pair is swapped. What comes again stands on the other sides, half a review later.
    """
    items, seed = protocol.items, (protocol.hash, rater)
    place_of = {item.id: place for place, item in enumerate(items)}
    own = [place for place in shuffled(len(items), "sides", *seed) if not items[place].of]
    own.sort(key=lambda place: (items[place].kind, items[place].first, items[place].second))
    start = shuffled(2, "start", *seed)[0]
    swapped = {items[place].id: (number + start) % 2 == 1 for number, place in enumerate(own)}
    when = {items[place].id: number / len(items) for number, place in enumerate(shuffled(len(items), "order", *seed))}
    for item in items:
        if item.of:
            swapped[item.id] = not swapped[item.of]
            when[item.of] /= 2
            when[item.id] = when[item.of] + 0.5
    ordered = sorted(items, key=lambda item: (when[item.id], place_of[item.id]))
    return [_shown(item, swapped[item.id]) for item in ordered]


def _shown(item: Item, swapped: bool) -> Shown:
    a, b = reversed(item.texts) if swapped else item.texts
    return Shown(item.id, item.prompt, a, b, swapped)
