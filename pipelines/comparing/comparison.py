"""A comparison: columns, how answers are drawn, and turn by turn what was asked and what every column said."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.comparing.keys import HIGHEST, LOWEST, MAX_COLUMNS
from pipelines.entries import is_torn
from pipelines.errors import StudioError
from pipelines.models.template import Message
from pipelines.paths import Paths, changed, content_hash, read_json, write_json
from pipelines.records import Answer, Sampling, Stamp

NOT_ONE = StudioError("This is not a comparison of this studio, or it is damaged.", "Ask again, or open another one.")
TOO_LARGE = StudioError("This comparison is too large to be kept for a link.", "Take it along as a file instead.")
MOST_KEPT, MOST_BYTES = 500, 300_000
MOST_TURNS, LONGEST_QUESTION, LONGEST_ANSWER = 12, 600, 8000  # characters; a comparison that is opened may have been written by anybody
DAMAGE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
ENDINGS = ("eos", "length", "stopped")
TYPES: dict[str, Any] = {"str": str, "int": int, "float": (int, float)}


@dataclass(frozen=True)
class Turn:
    """One question and the answers of all columns, in the columns' order."""

    question: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Comparison:
    """`keys` say who answers (see keys.py), one for each answer of a turn; `strength` is the bias dial at that time.

    `system` is the system prompt, "" where the template's own one counts.
    """

    keys: tuple[str, ...]
    turns: tuple[Turn, ...]
    sampling: Sampling
    strength: float = 1.0
    system: str = ""

    @cached_property
    def id(self) -> str:
        """Sixteen hexadecimal digits over all of it."""
        seals = [[turn.question, *(answer.seal for answer in turn.answers)] for turn in self.turns]
        drawn = [f"{value:g}" for value in (self.strength, *asdict(self.sampling).values())]
        return content_hash([self.keys, seals, self.system, drawn])[:16]

    @property
    def last(self) -> Turn:
        return self.turns[-1]

    def then(self, turn: Turn) -> Comparison:
        """The same with one more turn.

        Raises StudioError where an answer is not by the model that answered before: a file was exchanged or another base loaded.
        """
        for before, now in zip(self.turns[-1].answers if self.turns else (), turn.answers, strict=bool(self.turns)):
            if before.column != now.column or _model(before) != _model(now):
                raise StudioError(
                    f"“{now.column}” is not the model that answered before, so its answer was left out.", "Press “Ask all” to begin anew."
                )
        return replace(self, turns=(*self.turns, turn))

    def without_last(self) -> Comparison:
        """The same before its last turn."""
        return replace(self, turns=self.turns[:-1])

    def messages(self, place: int, question: str = "") -> list[Message]:
        """What the column at `place` has read so far; each column sees its own earlier answers. Ends with `question` if there is one."""
        said: list[Message] = [{"role": "system", "content": self.system}] if self.system else []
        for turn in self.turns:
            said += [{"role": "user", "content": turn.question}, {"role": "assistant", "content": turn.answers[place].text}]
        return [*said, {"role": "user", "content": question}] if question else said

    def as_dict(self) -> dict[str, Any]:
        turns = [{"question": turn.question, "answers": [answer.as_dict() for answer in turn.answers]} for turn in self.turns]
        return {"keys": list(self.keys), "turns": turns, **{n: v for n, v in asdict(self).items() if n not in ("keys", "turns")}}

    @classmethod
    def from_dict(cls, value: Any) -> Comparison:
        """Raises StudioError where it is none, too large to be one, or words and stamps do not belong together."""
        try:
            turns = tuple(Turn(str(t["question"]), tuple(map(_sealed, t["answers"]))) for t in value["turns"])
            levers = {one.name: value["sampling"][one.name] for one in fields(Sampling)}
            made = cls(tuple(map(str, value["keys"])), turns, Sampling(**levers), float(value["strength"]), str(value["system"]))
        except DAMAGE as error:
            raise NOT_ONE from error
        if not made._is_sound:
            raise NOT_ONE
        return made

    @property
    def _is_sound(self) -> bool:
        """Whether a studio could have made it: nobody else's file may ask for more columns or words than a visitor can."""
        answers = [answer for turn in self.turns for answer in turn.answers]
        if not all(_typed(one) and _typed(one.stamp) for one in answers):
            return False
        texts = [self.system, *(turn.question for turn in self.turns), *(answer.prompt for answer in answers)]
        return (
            1 <= len(self.turns) <= MOST_TURNS
            and 1 <= len(self.keys) == len(set(self.keys)) <= MAX_COLUMNS
            and LOWEST <= self.strength <= HIGHEST
            and all(len(turn.answers) == len(self.keys) for turn in self.turns)
            and all(len(text) <= LONGEST_QUESTION for text in texts)
            and not any(map(is_torn, (*texts, *self.keys)))
            and all(len(one.text) <= LONGEST_ANSWER and one.finished in ENDINGS for one in answers)
        )


def _typed(value: Answer | Stamp) -> bool:
    """Whether every word is a text and every number a finite number."""
    known = [(getattr(value, one.name), TYPES[str(one.type)]) for one in fields(value) if str(one.type) in TYPES]
    return all(isinstance(one, kind) and not (isinstance(one, float) and not math.isfinite(one)) for one, kind in known)


def _model(answer: Answer) -> tuple[str, str, str, float]:
    return answer.stamp.base_fingerprint, answer.stamp.adapter_fingerprint, answer.stamp.adapter_settings, answer.stamp.strength


def _sealed(value: Any) -> Answer:
    """An answer that says by its seal that it is whole."""
    if not value["seal"]:
        raise NOT_ONE
    return Answer.from_dict(value)


def keep(comparison: Comparison, paths: Paths) -> str:
    """Writes it under its id, which a link then names; the oldest go where too many are kept. Returns the id.

    Raises StudioError where it is larger than what is kept for links.
    """
    file, value = _file(comparison.id, paths), comparison.as_dict()
    if len(json.dumps(value)) > MOST_BYTES:
        raise TOO_LARGE
    write_json(file, value, settled=True)
    others = [one for one in paths.comparisons.glob("*.json") if one != file]  # a clock that was set back makes the new one look oldest
    for old in sorted(others, key=changed, reverse=True)[MOST_KEPT - 1 :]:
        old.unlink(missing_ok=True)
    return comparison.id


def opened(name: str, paths: Paths) -> Comparison:
    """A kept comparison. Raises StudioError where there is none of that id, or it is not what was kept."""
    if not (isinstance(name, str) and len(name) == 16 and set(name) <= set("0123456789abcdef")) or not _file(name, paths).is_file():
        raise StudioError("The comparison of this link is not kept here.", "Links open in the studio in which they were made.")
    try:
        found = Comparison.from_dict(read_json(_file(name, paths)))
    except (OSError, ValueError, RecursionError) as error:
        raise NOT_ONE from error
    if found.id != name:
        raise NOT_ONE
    return found


def _file(name: str, paths: Paths) -> Path:
    return paths.comparisons / f"{name}.json"
