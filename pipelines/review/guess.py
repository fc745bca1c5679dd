"""The guess game: left, right and placebo answers of matched length; which one was tuned towards a side, and which way?

Letters are dealt to every guesser and round apart from each other, by a hash, and so is the side in rounds of two. Guesses without any
knowledge are therefore right with exactly the chance that `chances` names, and nobody can count cards over the rounds.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import permutations
from typing import Any, Literal, get_args

from pipelines.comparing.comparison import Turn
from pipelines.comparing.naming import role, title
from pipelines.comparing.prompts import Prompt
from pipelines.errors import StudioError
from pipelines.paths import content_hash
from pipelines.records import Answer
from pipelines.review.design import LONGEST_TITLE, MOST_DAYS, WARNING, shuffled
from pipelines.review.given import names_its_side
from pipelines.stance.manner import WORD

Kind = Literal["trio", "pair"]
Pace = Literal["together", "own"]
LETTERS, ROLES, SIDES, CONTROL = ("A", "B", "C"), ("left", "right", "placebo"), ("left", "right"), "placebo"
TOLERANCE = 0.25
MISSING, ALIKE, NAMED, LENGTH = "no whole answer of each", "the same words twice", "an answer that names its side", "lengths too different"
NOT_ONE = StudioError("This is not a guess game, or it was changed after it was made.", "Its guesses can't be read with it.")


@dataclass(frozen=True)
class Round:
    """One question with its left, right and placebo answer, in that order, sealed and stamped: for the reveal, not for guessers."""

    id: str
    prompt_id: str
    prompt: str
    answers: tuple[dict[str, Any], ...]

    def answer(self, of: str) -> Answer:
        """Raises StudioError where words and stamp do not belong together."""
        return Answer.from_dict(self.answers[ROLES.index(of)])


@dataclass(frozen=True)
class Dealt:
    """A round as one guesser sees it. `roles`, in the order of the letters, stay on the server: send `public`."""

    round_id: str
    prompt: str
    texts: tuple[str, ...]
    roles: tuple[str, ...]

    @property
    def public(self) -> dict[str, str]:
        """All that may reach the browser before the reveal."""
        return {"round": self.round_id, "prompt": self.prompt, **dict(zip(LETTERS, self.texts, strict=False))}

    def by_role(self, guess: Mapping[str, str]) -> dict[str, str]:
        """A guess (letter -> role) as what each answer was taken for (role -> role).

        In a trio each role is given once; of a pair one is "left" or "right" and the other "placebo". Raises StudioError otherwise.
        """
        letters = LETTERS[: len(self.roles)]
        said = [guess.get(letter, "") for letter in letters]
        sides = [one for one in said if one in SIDES]
        fits = sorted(said) == sorted(ROLES) if len(letters) == len(ROLES) else len(sides) == 1 and CONTROL in said
        if set(guess) != set(letters) or not fits:
            raise StudioError(
                "The guess is not complete.",
                "Give each answer another role: left, right and placebo."
                if len(letters) == len(ROLES)
                else "Say of one answer which way it was tuned; the other is the placebo then.",
            )
        return dict(zip(self.roles, said, strict=True))

    def as_letters(self, guess: Mapping[str, str]) -> dict[str, str]:
        """The way back: what this guesser chose."""
        return {letter: guess[own] for letter, own in zip(LETTERS, self.roles, strict=False)}


@dataclass(frozen=True)
class Game:
    """A game as it was frozen. "trio": three answers, say which is which; "pair": a tuned one and the placebo, say which and which way.

    "together": a round is revealed to all at once; "own": to each guesser after locking in. `left_out` counts questions by reason.
    """

    title: str
    kind: Kind
    pace: Pace
    rounds: tuple[Round, ...]
    left_out: dict[str, int]
    tolerance: float
    keep_days: int
    created: str

    @cached_property
    def hash(self) -> str:
        return content_hash(self.as_dict())

    @cached_property
    def by_id(self) -> dict[str, Round]:
        return {one.id: one for one in self.rounds}

    @property
    def sentence(self) -> str:
        """How many questions are played, how many were left out and why, and how long the answers are on average."""
        out = [f"{count} with {reason}" for reason, count in self.left_out.items() if count]
        total = len(self.rounds) + sum(self.left_out.values())
        words = [sum(count_words(one.answers[place]["text"]) for one in self.rounds) / len(self.rounds) for place in range(len(ROLES))]
        mean = ", ".join(f"{title(name)} {count:.0f}" for name, count in zip(ROLES, words, strict=True))
        return (
            f"{len(self.rounds)} of {total} questions are in the game{'; left out: ' + ', '.join(out) if out else ''}. Within a question the "
            f"longest answer has at most {self.tolerance:.0%} more words than the shortest. Words on average: {mean}."
        )

    @property
    def notice(self) -> tuple[tuple[str, str], ...]:
        """What a guesser reads and agrees to first: (heading, text)."""
        return (
            ("What it is for", "To see whether this class can tell how a model was tuned from its answers, compared with pure chance."),
            ("What you will read", f"{len(self.rounds)} questions with answers. {WARNING}"),
            (
                "What is stored",
                "Your guesses under a random number: no name, no address, nothing about your device. Only totals are shown.",
            ),
            (
                "For how long",
                f"{self.keep_days} days after you join, at the end of that day. Whoever enters your receipt code before deletes your guesses at once.",
            ),
        )

    def as_dict(self) -> dict[str, Any]:
        rounds = [{**asdict(one), "answers": list(one.answers)} for one in self.rounds]
        return {**asdict(self), "rounds": rounds}

    @classmethod
    def from_dict(cls, value: Any, wanted_hash: str) -> Game:
        """Raises StudioError where it is none, or has another hash than wanted."""
        try:
            made = cls(**{**value, "rounds": tuple(Round(**{**one, "answers": tuple(one["answers"])}) for one in value["rounds"])})
            fits = made.hash == wanted_hash
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise NOT_ONE from error
        if not fits:
            raise NOT_ONE
        return made


def make_game(
    name: str, turns: Sequence[tuple[Prompt, Turn]], kind: Kind = "trio", pace: Pace = "together", count: int = 0, seed: int = 1,
    tolerance: float = TOLERANCE, keep_days: int = 30,
) -> Game:  # fmt: skip
    """A game of the questions whose left, right and placebo answers can be told apart by nothing but their words.

    Of these `count` are drawn by `seed` (0: all). Raises StudioError for settings out of range and where no question is left.
    """
    if not 0 < len(name.strip()) <= LONGEST_TITLE or kind not in get_args(Kind) or pace not in get_args(Pace):
        raise StudioError("The game has no title, a very long one, or is of an unknown kind.", f"Use 1 to {LONGEST_TITLE} characters.")
    if not 0 <= tolerance <= 1 or not 1 <= keep_days <= MOST_DAYS or count < 0:
        raise StudioError("A setting of the game is out of range.", "Lengths may differ by 0 to 100%; keep guesses for a day or more.")
    _refuse_unlike(turns)
    reasons: Counter[str] = Counter()
    fit: list[tuple[Prompt, tuple[Answer, ...]]] = []
    for prompt, turn in {prompt.id: (prompt, turn) for prompt, turn in reversed(turns)}.values():  # of an id the first turn counts
        answers = _answers(turn)
        reason = _unfit(answers, tolerance)
        reasons[reason] += 1
        if not reason:
            fit.append((prompt, answers))
    left_out = {reason: reasons[reason] for reason in (MISSING, ALIKE, NAMED, LENGTH)}
    if not fit:
        said = ", ".join(f"{number} with {reason}" for reason, number in left_out.items() if number) or "none was asked"
        raise StudioError(
            f"No question can be guessed at: {said}.",
            "Ask more questions of the columns Left, Right and Placebo, or let lengths differ more.",
        )
    drawn = shuffled(len(fit), "rounds", seed)[: count or None]
    rounds = tuple(Round(f"r{place}", fit[one][0].id, fit[one][0].text, _sealed(fit[one][1])) for place, one in enumerate(drawn, 1))
    return Game(name.strip(), kind, pace, rounds, left_out, tolerance, keep_days, datetime.now(UTC).isoformat(timespec="microseconds"))


def deal(game: Game, guesser: str) -> list[Dealt]:
    """All rounds in this guesser's order and under this guesser's letters. Played together, rounds come in the same order for all."""
    order = shuffled(len(game.rounds), "order", game.hash, guesser) if game.pace == "own" else range(len(game.rounds))
    return [_dealt(game, game.rounds[place], guesser) for place in order]


def _dealt(game: Game, one: Round, guesser: str) -> Dealt:
    hands = [*permutations(ROLES)] if game.kind == "trio" else [hand for side in SIDES for hand in permutations((side, CONTROL))]
    digest = hashlib.sha256(f"hand {game.hash} {guesser} {one.id}".encode("utf-8", "replace")).digest()
    roles = hands[int.from_bytes(digest, "big") % len(hands)]
    return Dealt(one.id, one.prompt, tuple(one.answers[ROLES.index(own)]["text"].strip() for own in roles), roles)


def count_words(text: str) -> int:
    return len(WORD.findall(text))


def _answers(turn: Turn) -> tuple[Answer, ...]:
    """The first whole answer of each role; fewer than three where one is missing. The stamp must say that it is tuned, and forwards."""
    found: dict[str, Answer] = {}
    for one in turn.answers:
        if one.stamp.adapter and one.stamp.strength > 0 and one.finished != "stopped" and WORD.search(one.text):
            found.setdefault(role(one.column), one)
    return tuple(found[name] for name in ROLES if name in found)


def _unfit(answers: Sequence[Answer], tolerance: float) -> str:
    """Why a question can't be guessed at, "" where it can."""
    if len(answers) < len(ROLES):
        return MISSING
    if len({" ".join(one.text.split()) for one in answers}) < len(answers):
        return ALIKE
    if any(names_its_side(one.text) for one in answers):
        return NAMED
    words = [count_words(one.text) for one in answers]
    return LENGTH if max(words) > (1 + tolerance) * min(words) else ""


def _refuse_unlike(turns: Sequence[tuple[Prompt, Turn]]) -> None:
    """All answers drawn in one way, and each role one model throughout."""
    found = [one for _, turn in turns for one in _answers(turn)]
    drawn = {(one.stamp.base_fingerprint, one.stamp.temperature, one.stamp.top_p, one.stamp.max_new_tokens) for one in found}
    models = {(role(one.column), one.stamp.adapter_fingerprint, one.stamp.strength) for one in found}
    if len(drawn) > 1 or len(models) > len({name for name, *_ in models}):
        raise StudioError(
            "The answers were drawn with different settings or by different models, so guessers would judge those too.",
            "Ask all questions of the same columns with the same settings.",
        )


def _sealed(answers: Sequence[Answer]) -> tuple[dict[str, Any], ...]:
    return tuple(one.as_dict() for one in answers)
