"""What a coder sees: the rounds to code in, a pair of answers with the codes given so far, the codebook beside it, and the end.

Nothing but `Shown.public`, the rater's own codes and progress, and the codebook goes into these pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from pipelines.review.codebook import Codebook
from pipelines.review.rounds import Mark
from studio.views import codes, messages
from studio.views.ballot import button, page

KINDS = {"calibration": "Calibration", "coding": "Coding"}
HOW = "Press a code to give it to a whole answer. To give it to words, mark them in the text first. Codes are kept as you press them."
STATES = {
    "open": "open",
    "waiting": "you are done, another coder is not yet",
    "finished": "finished by all its coders",
    "closed": "ended, since the review is closed",
}
WHAT = "Coding means saying with a shared list of codes what an answer does: whether it hedges, names both sides or appeals to fairness. "
NO_ROUNDS = WHAT + "The review’s owner opens rounds of coding and chooses who codes among those who take part; none is open for you now."
KEYS = (
    "Keys: A or B chooses an answer, the sign on a code gives it or takes it away, Enter goes on. With an answer in focus the arrow keys "
    "← → mark words, with Shift more or fewer of them, and Esc forgets them."
)
STEPS = (
    ("back", "←", "Mark the word before"),
    ("on", "→", "Mark the next word"),
    ("less", "−", "One word less"),
    ("more", "+", "One word more"),
)
ROUNDS = '<button type="button" class="ps-press ps-aside" data-act="list">All rounds</button>'


@dataclass(frozen=True)
class Listed:
    """A round in the list: what it is, and how far this rater is. `state` is one of STATES."""

    id: str
    title: str
    kind: str
    version: int
    done: int
    total: int
    state: str


@dataclass(frozen=True)
class Place:
    """Where a coder is: pair `number` (from 1) of the round; `is_read` where the coder is done with it."""

    listed: Listed
    number: int
    is_read: bool = False

    @property
    def is_fixed(self) -> bool:
        """Whether its codes can't be changed any more."""
        return self.listed.state in ("finished", "closed")


@dataclass(frozen=True)
class Told:
    """What is said after a press: HTML, and where: under answer "A" or "B", or at the top. `kept` once it is on the disk.

    `turn` is the number that the page gave to the press.
    """

    html: str = ""
    where: str = ""
    kept: bool = False
    turn: str = ""

    @property
    def data(self) -> dict[str, str]:
        return {"turn": self.turn, "kept": "1" if self.kept else ""}


def rounds(listed: Sequence[Listed], told: Told) -> str:
    """All rounds of this rater, one card each; without any what coding is."""
    if not listed:
        return page(f'<p class="ps-note">{NO_ROUNDS}</p>', told.html, **told.data)
    return page(
        f'<h2 class="ps-question" tabindex="-1">Rounds in which you code</h2><p class="ps-note">{WHAT}You do not see what others say. Your codes '
        "and memos are anonymous like your votes, and your receipt code takes them back as well.</p>"
        f'<div class="ps-reviews">{"".join(map(_listed, listed))}</div>',
        told.html, **told.data,
    )  # fmt: skip


def _listed(one: Listed) -> str:
    press = "Look back" if one.state != "open" else "Go on" if one.done else "Begin"
    return (
        f'<article class="ps-review"><h3>{escape(one.title)}</h3><p class="ps-soft"><b>{_named(one)}</b> · {one.done} of {one.total} pairs '
        f"done · {STATES[one.state]}</p>{button(press, 'open', one.state == 'open', round=one.id)}</article>"
    )


def _named(one: Listed) -> str:
    return f"{KINDS.get(one.kind, 'Coding')}, codebook version {one.version}"


def pair(place: Place, public: Mapping[str, str], book: Codebook, marks: Sequence[Mark], told: Told) -> str:
    """A pair to code: the question, answers A and B with their codes, and the codebook."""
    one = place.listed
    own = {letter: [mark for mark in marks if mark.answer == letter] for letter in "AB"}
    said, how = {told.where: told.html}, "" if place.is_fixed else messages.note(HOW)
    answers = "".join(codes.answer(letter, public[letter], book, own[letter], place.is_fixed, said.get(letter, "")) for letter in "AB")
    return page(
        f'{messages.bar(one.done / one.total if one.total else 1.0, f"{_named(one)} · pair {place.number} of {one.total} · {one.done} done")}'
        f'{_standing(place)}<h2 class="ps-question" tabindex="-1">{escape(public["prompt"])}</h2>{how}'
        f'<div class="ps-coding"><div class="ps-coding-main"><div class="ps-coded">{answers}</div>{_foot(place, marks)}</div>{codes.codebook(book)}</div>',
        "" if told.where else told.html,
        round=one.id, item=public["item"], version=str(one.version), fixed="1" if place.is_fixed else "", **told.data,
    )  # fmt: skip


def _standing(place: Place) -> str:
    if place.listed.state == "closed":
        return messages.info("This review is closed, so its codes stay as they are.")
    if place.is_fixed:
        return messages.info("All coders of this round are finished, so its codes stay as they are.")
    return (
        messages.note("You are done with this pair. Its codes can still be changed until all coders are finished.") if place.is_read else ""
    )


def _foot(place: Place, marks: Sequence[Mark]) -> str:
    """Done with this pair, what that means where no code was given, and the way back."""
    one = place.listed
    back = button("← Back", "back") if place.number > 1 else ""
    if place.is_fixed or place.is_read:
        steps, note = button("Next →", "next", True), ""
        if not place.is_fixed and one.done < one.total:
            steps += button("To the pair that is left", "open")
    else:
        steps, bare = (
            button("Done with this pair", "done", True),
            [letter for letter in "AB" if all(mark.answer != letter for mark in marks)],
        )
        where = " and ".join(f"answer {letter}" for letter in bare)
        note = f"You gave no code to {where}. Where none fits, that is an answer too: press “Done with this pair”. " if bare else ""
        if one.done + 1 == one.total:
            note += "This is the last pair of the round. Once every coder is done, the codes stay as they are."
    keys = "" if place.is_fixed else f'<p class="ps-soft ps-keys">{KEYS}</p>'
    told = f'<p class="ps-note">{note}</p>' if note else ""
    return f'{told}<p class="ps-missing" role="alert"></p><div class="ps-ballot-foot">{back}{steps}{ROUNDS}</div>{keys}'


def finished(one: Listed, told: Told) -> str:
    """The end of a round: all coders are finished, or another one is not yet."""
    every = f"You are done with all {one.total} pairs of this round."
    if one.state == "closed":
        text = messages.info(f"This review is closed. You were done with {one.done} of {one.total} pairs; your codes stay as they are.")
    elif one.state == "finished":
        after = "looks at how far the coders agree" if one.kind == "calibration" else "settles where the coders differ"
        text = messages.good(
            f"{every} All its coders are finished, so the codes stay as they are. The review’s owner now {after}. Thank you."
        )
    else:
        text = messages.good(f"{every} Another coder is not finished yet. Until then you can look back and change your codes. Thank you.")
    look = button("← Look back" if one.state != "waiting" else "← Look back and change", "last")
    return page(
        f'<h2 class="ps-question" tabindex="-1">The end of this round</h2><p class="ps-note">{_named(one)}</p>{text}'
        f'<div class="ps-ballot-foot">{look}{ROUNDS}</div>',
        told.html, round=one.id, stage="end", **told.data,
    )  # fmt: skip


def broken(told: Told, round_id: str = "") -> str:
    """Nothing can be shown; memos that were typed stay in the browser."""
    step = button("Try again", "open" if round_id else "list", True)
    return page(f'<div class="ps-ballot-foot">{step}{ROUNDS}</div>', told.html, round=round_id, **told.data)


def kept(text: str, undo: Mapping[str, str] | None = None) -> str:
    """What was written just now; `undo` are the data of a button that gives back what was taken away."""
    again = button("Put it back", "give", False, **undo) if undo else ""
    return f'<p class="ps-kept">✓ {escape(text)} {again}</p>'
