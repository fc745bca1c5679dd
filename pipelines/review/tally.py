"""The class's tally: how often guesses were right, with intervals and the line of pure chance, and a claim that goes no further.

Letters are dealt by chance, so guesses without knowledge are right at the chance line. But a class shares its hunches: who takes the
longer answer for the right one does so with everybody else, so guesses at one question are no independent ones. Hence a second interval,
clustered by question and guesser; "better than chance" needs both above the line, and more than a class of one mind would get by luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.review.design import FEWEST
from pipelines.review.guess import CONTROL, SIDES, Kind
from pipelines.review.intervals import LEVEL, counted, crossed, exact, percent, spread

Taken = Mapping[str, str]
TAIL = (1 - LEVEL) / 2


@dataclass(frozen=True)
class Guess:
    """What one guesser took each answer for (role -> role)."""

    number: int
    round_id: str
    taken: Taken


@dataclass(frozen=True)
class Share:
    """How often one thing was guessed right. `low`, `high`: exact 95%; `cluster_*`: by question and guesser; `chance`: the line."""

    id: str
    text: str
    right: int
    n: int
    value: float
    low: float
    high: float
    cluster_low: float | None
    cluster_high: float | None
    chance: float
    rounds: int

    @property
    def verdict(self) -> str:
        """ "better", "worse" or "" where it is not established.

        Besides the intervals it takes a share that a class of one mind, right or wrong as a whole in each round, would hardly reach by
        luck (`_of_one_mind`, .025 on either side).
        """
        ends = [self.low, self.high, self.cluster_low, self.cluster_high]
        known = [end for end in ends if end is not None]
        if len(known) < len(ends):
            return ""
        better, worse = self._of_one_mind
        if min(known) > self.chance and better <= TAIL:
            return "better"
        return "worse" if max(known) < self.chance and worse <= TAIL else ""

    @property
    def _of_one_mind(self) -> tuple[float, float]:
        """The chance that a class of one mind, who guesses each round as one, is right in as many rounds as here, or in as few.

        The share of right guesses as whole rounds, rounded towards chance on either side; in whole numbers, so that none is lost to the
        last digit of a share.
        """
        from scipy import stats

        fewest, most = self.right * self.rounds // self.n, -(-self.right * self.rounds // self.n)
        return float(stats.binom.sf(fewest - 1, self.rounds, self.chance)), float(stats.binom.cdf(most, self.rounds, self.chance))


@dataclass(frozen=True)
class Tally:
    """`shares` begin with the whole guess; none before FEWEST people have guessed, so that no person's result is shown."""

    guessers: int
    rounds: int
    guesses: int
    shares: tuple[Share, ...]
    claim: str


def _which(taken: Taken) -> bool:
    return taken[CONTROL] == CONTROL


def _way(taken: Taken) -> bool:
    """The side that was named is the side that was there, at whichever answer it was put."""
    return set(taken) == set(taken.values())


THINGS: dict[Kind, tuple[tuple[str, str, float, Callable[[Taken], bool]], ...]] = {
    "trio": (
        ("all", "all three answers were told apart", 1 / 6, lambda taken: all(own == said for own, said in taken.items())),
        *((role, f"the {role} answer was found", 1 / 3, lambda taken, role=role: taken[role] == role) for role in (*SIDES, CONTROL)),
    ),
    "pair": (
        ("both", "the answer tuned to a side was found, and its side", 1 / 4, lambda taken: _which(taken) and _way(taken)),
        ("which", "the answer tuned to a side was found", 1 / 2, _which),
        ("way", "the side was named rightly", 1 / 2, _way),
    ),
}


def tallied(kind: Kind, guesses: Sequence[Guess]) -> Tally:
    """Shares with exact (Clopper-Pearson) and clustered 95% intervals (intervals.crossed), and the claim in one sentence or more."""
    guessers, rounds = len({one.number for one in guesses}), len({one.round_id for one in guesses})
    if guessers < FEWEST:
        said = f"{counted(guessers, 'person has', 'people have')} guessed so far; totals are shown from {FEWEST} on, so that they are nobody's own."
        return Tally(guessers, rounds, len(guesses), (), said)
    shares = tuple(_share(guesses, *thing) for thing in THINGS[kind])
    return Tally(guessers, rounds, len(guesses), shares, _claim(kind, guessers, rounds, shares[0]))


def _share(guesses: Sequence[Guess], name: str, text: str, chance: float, is_right: Callable[[Taken], bool]) -> Share:
    cells = [(one.round_id, one.number, float(is_right(one.taken))) for one in guesses]
    rounds = len({one.round_id for one in guesses})
    right = round(sum(value for _, _, value in cells))
    low, high = exact(right, len(cells)) or (0.0, 1.0)
    cluster_low, cluster_high, _ = crossed(cells) or (None, None, None)
    return Share(name, text, right, len(cells), right / len(cells), low, high, cluster_low, cluster_high, chance, rounds)


def _claim(kind: Kind, guessers: int, rounds: int, one: Share) -> str:
    """ "This class, these 8 pairs: ..."."""
    what = "pair" if kind == "pair" else "set"
    these = f"this {what}" if rounds == 1 else f"these {counted(rounds, what)}"
    clustered = (
        f"{spread((one.cluster_low, one.cluster_high))} clustered by question and guesser"
        if one.cluster_low is not None and one.cluster_high is not None
        else "no clustered interval with one question"
    )
    found = (
        f"This class, {these}{' of three' if kind == 'trio' else ''}: {one.text} in {percent(one.value)} of {counted(one.n, 'guess', 'guesses')} by "
        f"{guessers} people (95% interval {spread((one.low, one.high))} guess by guess, {clustered}); pure chance is {percent(one.chance)}."
    )
    verdicts = {
        "better": "Better than chance here.",
        "worse": "Worse than chance here: something in the answers misled.",
        "": "Not established: that this differs from chance. This does not show that nobody can tell.",
    }
    return f"{found} {verdicts[one.verdict]} It says nothing about other classes, questions or models."
