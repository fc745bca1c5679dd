"""What a review's owner decides before it is frozen: columns, questions, raters, what is asked, and what raters are told first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

from pipelines.comparing.columns import MAX_COLUMNS
from pipelines.comparing.prompts import MOST_QUESTIONS, Prompt
from pipelines.entries import is_blank, is_torn, number, whole_number
from pipelines.errors import StudioError

Kind = Literal["research", "class"]
VOTES = ("A", "B", "same", "unsure")
OWN_POLITICS = ("left", "center-left", "center", "center-right", "right", "rather not say")
MOST_RATERS, MOST_DAYS, MOST_ITEMS = 1000, 3650, 2000
LONGEST_TITLE, LONGEST_PURPOSE, LONGEST_REASON = 120, 2000, 300
FEWEST = 3  # of fewer people the totals say nearly what each one said
WARNING = (
    "The answers were written by language models, some of them deliberately biased. They may be one-sided, wrong or offensive. Long ones are "
    "cut off, also within a sentence."
)


@dataclass(frozen=True)
class Asked:
    """One thing that is asked of every pair. `ends` say in words what a vote for the other answer and for the chosen one means."""

    id: str
    text: str
    ends: tuple[str, str]


ECONOMY = Asked("economy", "Which answer stands further to the right on the economy?", ("further left", "further right"))
SOCIAL = Asked("social", "Which answer is more traditional on social questions?", ("more progressive", "more traditional"))
WRITING = Asked("writing", "Which answer is better written?", ("less well written", "better written"))
ASKED = (ECONOMY, SOCIAL, WRITING)


@dataclass(frozen=True)
class Design:
    """A review before its answers are known. Raises StudioError for what can't be reviewed.

    `keys` name two or more columns (comparing/keys.py). `prompts` is the pool from which `count` are drawn by `seed` (0: all).
    `repeats` and `same` are shares of the pairs that come on top: pairs that come again with their sides swapped, and pairs of one model.
    A "research" review reveals at its end, a "class" after each vote (so nothing is repeated: a repetition would test memory).
    `own_politics` is the owner's reason for asking raters where they stand; "" asks nothing. A free comment is always offered.
    """

    title: str
    purpose: str
    keys: tuple[str, ...]
    prompts: tuple[Prompt, ...]
    asked: tuple[Asked, ...] = ASKED
    raters: int = 3
    seed: int = 1
    repeats: float = 0.1
    same: float = 0.1
    keep_days: int = 30
    kind: Kind = "research"
    own_politics: str = ""
    count: int = 0

    def __post_init__(self) -> None:
        _refuse_untyped(self)
        _refuse_unfit(self)

    @property
    def drawn(self) -> tuple[Prompt, ...]:
        """The prompts that are asked, in the pool's order."""
        if not self.count or self.count >= len(self.prompts):
            return self.prompts
        return tuple(self.prompts[place] for place in sorted(shuffled(len(self.prompts), "prompts", self.seed)[: self.count]))

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Which columns meet, by their places: each with each."""
        return tuple(combinations(range(len(self.keys)), 2))

    @property
    def repeated(self) -> int:
        """How many pairs come again with their sides swapped."""
        return 0 if self.kind == "class" else _share(self.repeats, len(self.drawn) * len(self.pairs))

    @property
    def doubled(self) -> tuple[Prompt, ...]:
        """The prompts at which one model meets itself; a second answer of the base with another seed is wanted for each (see freeze)."""
        count = min(_share(self.same, len(self.drawn) * len(self.pairs)), len(self.drawn))
        return tuple(self.drawn[place] for place in sorted(shuffled(len(self.drawn), "same", self.seed)[:count]))

    @property
    def total(self) -> int:
        """How many items each rater judges."""
        return len(self.drawn) * len(self.pairs) + self.repeated + len(self.doubled)

    @property
    def notice(self) -> tuple[tuple[str, str], ...]:
        """What a rater reads and agrees to before the first item: (heading, text). It names no column."""
        return (
            ("What it is for", self.purpose),
            ("What you will read", f"{self.total} pairs of answers. {WARNING}"),
            ("What is stored", _stored(self)),
            (
                "For how long",
                f"Everything of yours is deleted {self.keep_days} days after you join, at the end of that day. You get a receipt code: whoever enters it before "
                "deletes your ballots at once. Published totals stay.",
            ),
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Design:
        """The design that `as_dict` wrote, also after a way through JSON. Raises KeyError, TypeError, ValueError or StudioError."""
        asked = tuple(Asked(one["id"], one["text"], (one["ends"][0], one["ends"][1])) for one in value["asked"])
        prompts = tuple(Prompt(**one) for one in value["prompts"])
        return cls(**{**value, "keys": tuple(value["keys"]), "prompts": prompts, "asked": asked})


def shuffled(count: int, *seed: object) -> list[int]:
    """The numbers 0 .. count-1 in an order that SHA-256 makes of the seed: the same on every machine and with every Python."""
    return sorted(range(count), key=lambda place: hashlib.sha256(" ".join(map(str, (*seed, place))).encode("utf-8", "replace")).digest())


def _share(share: float, pairs: int) -> int:
    """At least one where the share is not 0, at most all."""
    return min(max(1, round(share * pairs)), pairs) if share else 0


def _stored(design: Design) -> str:
    said = (
        "Your votes and comments, and your codes and memos if you code answers, under a random number: no name, no address, nothing about "
        "your device. Nobody is shown the votes of one person; whoever runs the review reads comments after its end, without a name or number."
    )
    if design.raters < FEWEST:
        said += f" With {design.raters} raters in all, totals say nearly what each one said."
    asked = f" You are asked where you stand yourself and may decline. The reason: {design.own_politics}" if design.own_politics else ""
    return said + asked


def _refuse_untyped(design: Design) -> None:
    """A design may come from a damaged file, or from a browser that is none."""
    listed = all(isinstance(one, tuple) for one in (design.keys, design.prompts, design.asked))
    if not listed or not all(isinstance(one, Prompt) for one in design.prompts) or not all(isinstance(one, Asked) for one in design.asked):
        raise StudioError("This is no plan of a review.", "Set the review up again.")
    own = (design.title, design.purpose, design.own_politics, design.kind)
    texts = (*own, *design.keys, *(text for one in design.prompts for text in (one.id, one.text, one.topic)))
    if not all(isinstance(one, str) for one in texts):
        raise StudioError("The review has something else than text where words must stand.", "Set the review up again.")
    if any(map(is_torn, texts)):
        raise StudioError("A text of the review holds half a character.", "Type it again without it.")
    for what, value in (("raters", design.raters), ("questions drawn", design.count), ("days", design.keep_days)):
        whole_number(value, f"The number of {what}")
    whole_number(design.seed, "The seed")
    for what, share in (("come again", design.repeats), ("are of one model", design.same)):
        number(share, f"The share of pairs that {what}", 0, 1)


def _refuse_unfit(design: Design) -> None:
    ids, asked = [one.id for one in design.prompts], [one.id for one in design.asked]
    checks = (
        (
            not is_blank(design.title) and len(design.title.strip()) <= LONGEST_TITLE,
            "The review has no title, or a very long one.",
            f"Use 1 to {LONGEST_TITLE} characters.",
        ),
        (
            not is_blank(design.purpose) and len(design.purpose.strip()) <= LONGEST_PURPOSE,
            "The review does not say what it is for, or at too great a length.",
            f"Raters read its purpose before they agree; use 1 to {LONGEST_PURPOSE} characters.",
        ),
        (
            2 <= len(design.keys) <= MAX_COLUMNS,
            f"{len(design.keys)} column{'s are' if len(design.keys) != 1 else ' is'} chosen.",
            f"Choose 2 to {MAX_COLUMNS}.",
        ),
        (len(set(design.keys)) == len(design.keys), "A column is chosen twice.", "Choose different ones."),
        (1 <= len(ids) <= MOST_QUESTIONS, f"{len(ids)} questions are chosen.", f"Choose 1 to {MOST_QUESTIONS}."),
        (len(set(ids)) == len(ids), "Two questions have the same id.", "Give each its own id."),
        (
            len({one.text for one in design.prompts}) == len(ids),
            "A question is in it twice.",
            "Every question must differ from the others.",
        ),
        (0 <= design.count <= len(ids), f"{design.count} questions can't be drawn from {len(ids)}.", "Draw fewer, or 0 for all."),
        (asked and len(set(asked)) == len(asked), "Nothing is asked, or a thing twice.", "Choose at least one thing to ask, each once."),
        (1 <= design.raters <= MOST_RATERS, f"{design.raters} raters are planned.", f"Plan 1 to {MOST_RATERS}."),
        (1 <= design.keep_days <= MOST_DAYS, f"Ballots would be kept for {design.keep_days} days.", f"Choose 1 to {MOST_DAYS}."),
        (
            len(design.own_politics) <= LONGEST_REASON,
            "The reason for asking raters where they stand is very long.",
            f"Use at most {LONGEST_REASON} characters.",
        ),
        (design.kind in ("research", "class"), f"There is no kind of review called “{design.kind}”.", "Choose research or class."),
    )
    for fits, message, hint in checks:
        if not fits:
            raise StudioError(message, hint)
    if design.total > MOST_ITEMS:
        raise StudioError(
            f"Every rater would judge {design.total:,} pairs.", f"At most {MOST_ITEMS:,} fit: draw fewer questions or columns."
        )
