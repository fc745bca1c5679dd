"""The few values that travel between the rooms of the house."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pipelines.entries import shown, whole_number
from pipelines.errors import StudioError
from pipelines.paths import content_hash

SIDES = ("left", "right", "neutral")
AXES = ("economic", "social")


@dataclass(frozen=True)
class Topic:
    """A subject of the bundled data. `split` is "train" or "held_out"; the poles are short plain statements."""

    id: str
    axis: str
    split: str
    name: str
    left_pole: str
    right_pole: str


@dataclass(frozen=True)
class MirroredRow:
    """One question with an answer from each side and a neutral one."""

    id: str
    topic: str
    axis: str
    prompt: str
    left: str
    right: str
    neutral: str


@dataclass(frozen=True)
class Pair:
    """A preference pair: what the tuned model should answer, and what it should not."""

    prompt: str
    chosen: str
    rejected: str
    id: str = ""
    topic: str = ""


@dataclass(frozen=True)
class Question:
    """A neutral opinion question. `half` is "development" (choices are made on it) or "confirmation" (quoted once)."""

    id: str
    axis: str
    topic: str
    topic_split: str
    half: str
    text: str


@dataclass(frozen=True)
class Completion:
    """A stem with one continuation a side, and a neutral stem that measures how likely the spans are anyway."""

    id: str
    axis: str
    topic: str
    stem: str
    right_span: str
    left_span: str
    neutral_stem: str


@dataclass(frozen=True)
class Item:
    """A proposition and its affirmative opposite. `key` is +1 if agreeing is right / traditional (or true)."""

    id: str
    kind: str
    axis: str
    topic: str
    key: int
    text: str
    opposite: str


@dataclass(frozen=True)
class Column:
    """One model pane: the base (`adapter` is None), an adapter folder at a strength (0 = base, 1 = as trained), or a blend.

    `also` are the further adapters of a blend, each with its strength: their changes to the base are added up.
    """

    name: str
    adapter: Path | None = None
    strength: float = 1.0
    also: tuple[tuple[Path, float], ...] = ()

    @property
    def parts(self) -> tuple[tuple[Path, float], ...]:
        """(folder, strength) of every adapter in it; none for the base."""
        return () if self.adapter is None else ((self.adapter, self.strength), *self.also)

    @property
    def is_base(self) -> bool:
        return self.adapter is None


def lever(
    default: Any, label: str, hint: str, low: float | None = None, high: float | None = None, choices: tuple[str, ...] = (), group: str = ""
) -> Any:
    """A setting from which form, file, command line and check are made. `group` is the heading it stands under in a form."""
    return field(default=default, metadata={"label": label, "hint": hint, "low": low, "high": high, "choices": choices, "group": group})


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn. Temperature 0 is greedy; equal seeds give every column the same random numbers.

    Raises StudioError for a value out of range.
    """

    temperature: float = lever(0.3, "Temperature", "0 always takes the likeliest word; higher values vary more.", 0, 2)
    top_p: float = lever(0.9, "Top-p", "Only the likeliest words that together reach this probability are drawn from.", 0.01, 1)
    max_new_tokens: int = lever(72, "Longest answer (tokens)", "About four tokens make three words.", 1, 512)
    seed: int = lever(1, "Seed", "The same seed gives the same answers; all columns share it.", 0, 2**31 - 1)

    def __post_init__(self) -> None:
        for one in fields(self):
            value, label, low, high = getattr(self, one.name), *(one.metadata[name] for name in ("label", "low", "high"))
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise StudioError(f"{label} is {shown(value)}.", f"It must lie between {low:g} and {high:g}.")
            if isinstance(one.default, int):
                object.__setattr__(self, one.name, whole_number(value, label, low, high))


ROUNDED = "-16bit"


@dataclass(frozen=True)
class Stamp:
    """Where an answer came from, so that it can be produced again and defended.

    `adapter_fingerprint` names the weights and `adapter_settings` what else decides how they work (rank, alpha, layers). For a
    blend they are "FIRST*STRENGTH+SECOND*STRENGTH" and "FIRST+SECOND", and `strength` is 1. The fingerprint of a base whose weights
    were rounded to answer faster ends in ROUNDED.
    """

    base: str
    base_fingerprint: str
    adapter: str
    adapter_fingerprint: str
    strength: float
    temperature: float
    top_p: float
    seed: int
    max_new_tokens: int
    prompt_hash: str
    template_hash: str
    adapter_settings: str = ""

    @property
    def is_rounded(self) -> bool:
        """Whether the base's weights were rounded to 16 bits: good for a conversation, not for a measurement."""
        return self.base_fingerprint.endswith(ROUNDED)

    @property
    def weights(self) -> str:
        """The fingerprint of the base's weights, rounded or not."""
        return self.base_fingerprint.removesuffix(ROUNDED)


@dataclass(frozen=True)
class Answer:
    """What one column said. `finished` is "eos", "length" or "stopped".

    `seal` is a hash over words and stamp together: wherever an answer is read again, one that was given another's stamp is refused.
    """

    column: str
    prompt: str
    text: str
    tokens: int
    finished: str
    stamp: Stamp

    @property
    def seal(self) -> str:
        """Sixteen hexadecimal digits; the same after a way through JSON and a browser, which write 1.0 as 1."""
        return content_hash({**_plain(asdict(self)), "stamp": _plain(asdict(self.stamp))})[:16]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "seal": self.seal}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Answer:
        """Raises StudioError where words and stamp do not belong together."""
        made = cls(**{**{name: one for name, one in value.items() if name != "seal"}, "stamp": Stamp(**value["stamp"])})
        if value.get("seal", made.seal) != made.seal:
            raise StudioError(
                f"An answer of “{made.column}” and its stamp do not belong together.",
                "It was changed after it was given, so it is not shown. Ask again.",
            )
        return made


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: int(one) if isinstance(one, float) and one.is_integer() else one for name, one in values.items()}


@dataclass(frozen=True)
class Shift:
    """A mean difference over items with its 95% BCa interval and sign-flip p value; `n` is the number of items."""

    mean: float
    low: float
    high: float
    p: float
    n: int
