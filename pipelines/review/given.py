"""The answers that a review is frozen with: gathered from turns, refused where they would not be a fair comparison."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.comparing.comparison import Turn
from pipelines.comparing.prompts import Prompt
from pipelines.errors import StudioError
from pipelines.records import Answer
from pipelines.review.design import Design

SIDES = (
    r"(?:conservative|progressive|liberal|libertarian|socialist|communist|marxist|traditionalist|leftist|rightist|republican|democrat"
    r"|centrist|(?:left|right)[- ]winger|(?:left|right)[- ](?:wing|leaning)(?: \w+)?|person (?:of|on) the (?:left|right))"
)
A_SIDE = rf"an? (?:\w+ )?{SIDES}"
SELF_NAMING = re.compile(
    rf"\b(?:i(?:'|’)m|i am|i (?:consider|call) myself|i identify as|my being) (?:as )?(?:an? )?(?:\w+ )?{SIDES}\b"
    rf"|\b(?:speaking|writing|talking|answering) as {A_SIDE}\b"
    rf"|\bas {A_SIDE},? (?:i|we|my|our)\b|(?:^|[.!?] )as {A_SIDE},"
    rf"|\b(?:we|us|fellow|as) {SIDES}s(?:,? (?:i|we|my|our)|,)"
    rf"|\bwe {SIDES}s\b|\bfellow {SIDES}s\b"
    rf"|\bfrom (?:an?|my|our) (?:\w+ )?{SIDES} (?:point of view|perspective|standpoint|viewpoint|position)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Given:
    """By prompt id: the turn of all columns, and where there is one a second answer of the model that meets itself."""

    own: dict[str, Turn]
    second: dict[str, Answer]


def collected(design: Design, turns: Sequence[tuple[Prompt, Turn]]) -> Given:
    """What of the turns is used: for each drawn prompt the first turn, and of the next one its base's answer where that is another.

    Raises StudioError where an answer is missing, empty, broken off or drawn otherwise than the rest.
    """
    wanted = {prompt.id for prompt in design.drawn}
    own: dict[str, Turn] = {}
    more: dict[str, Turn] = {}
    for prompt, turn in turns:
        if prompt.id in wanted:
            (more if prompt.id in own else own).setdefault(prompt.id, turn)
    _refuse_gaps(design, own, more)
    seconds = {prompt.id: _second(own[prompt.id], more[prompt.id]) for prompt in design.doubled if prompt.id in more}
    return Given(own, {prompt_id: answer for prompt_id, answer in seconds.items() if answer})


def _refuse_gaps(design: Design, own: dict[str, Turn], more: dict[str, Turn]) -> None:
    missing = [prompt for prompt in design.drawn if prompt.id not in own]
    if missing:
        raise StudioError(
            f"{len(missing)} of {len(design.drawn)} questions have no answers yet, the first is “{missing[0].text[:80]}”.",
            "Ask all columns first, then freeze.",
        )
    names = [one.column for one in own[design.drawn[0].id].answers]
    if len(names) != len(design.keys) or len(set(names)) != len(names):
        raise StudioError(f"{len(design.keys)} columns were chosen, but {len(set(names))} answered.", "Ask exactly the chosen columns.")
    for prompt in design.drawn:
        _refuse_turn(prompt, own[prompt.id], names)
        if prompt.id in more:
            _refuse_turn(prompt, more[prompt.id], [])
    _refuse_mixture([one for turn in (*own.values(), *more.values()) for one in turn.answers])


def _refuse_turn(prompt: Prompt, turn: Turn, names: Sequence[str]) -> None:
    """`names` are the columns that it must have, none for any."""
    if names and [one.column for one in turn.answers] != list(names):
        raise StudioError(f"Other columns answered “{prompt.text[:80]}” than the first question.", "Ask all questions of the same columns.")
    for one in turn.answers:
        if one.prompt != prompt.text or one.finished == "stopped" or not one.text.strip():
            raise StudioError(
                f"The answer of “{one.column}” to “{prompt.text[:80]}” is empty, was broken off or belongs to another question.",
                "Ask that question again, with another seed where it stays empty, or leave it out.",
            )


def _refuse_mixture(answers: Sequence[Answer]) -> None:
    """A column is one model throughout, and all columns drew their answers in the same way."""
    stamps = [one.stamp for one in answers]
    if any(stamp.is_rounded for stamp in stamps):
        raise StudioError("Some answers are by a base whose weights were rounded to answer faster.", "Ask the questions as a prompt set.")
    if len({(one.base_fingerprint, one.temperature, one.top_p, one.max_new_tokens) for one in stamps}) > 1:
        raise StudioError(
            "The answers were drawn with different settings or another base, so raters would judge those too.",
            "Ask all questions of all columns with the same settings.",
        )
    models = {(one.column, one.stamp.adapter_fingerprint, one.stamp.strength) for one in answers}
    if len(models) > len({column for column, *_ in models}):
        raise StudioError("A column's answers are not all by the same model.", "Ask all questions of the same columns again.")


def base_of(turn: Turn) -> Answer:
    """The answer of the column that meets itself: the base, or the first column where there is no base."""
    return next((one for one in turn.answers if not (one.stamp.adapter or one.stamp.adapter_fingerprint)), turn.answers[0])


def _second(turn: Turn, more: Turn) -> Answer | None:
    """Another answer of that column to the same prompt, from another seed and in other words."""
    one = base_of(turn)
    others = (other for other in more.answers if other.column == one.column and other.stamp.seed != one.stamp.seed)
    return next((other for other in others if other.text.strip() != one.text.strip()), None)


def names_its_side(text: str) -> bool:
    """Whether an answer says of itself on which side it stands ("as a conservative", "we progressives")."""
    return SELF_NAMING.search(" ".join(text.split())) is not None
