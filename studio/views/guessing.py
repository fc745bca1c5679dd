"""The guess game as pages: games to join, a question with its lettered answers, the reveal; and the teacher's screen with the tally.

Before the reveal nothing but `Dealt.public`, how far the guesser is and how many have locked in goes into these pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from pipelines.comparing.naming import mark, title
from pipelines.records import Answer
from pipelines.review.guess import LETTERS, ROLES, Game, Round
from pipelines.review.guesses import Revealed
from pipelines.review.intervals import counted, percent, spread
from pipelines.review.tally import Share, Tally
from studio.theme import colour
from studio.views import messages
from studio.views.ballot import CONSENT, button, kept_code, page, stated

CHOICES = {
    "trio": {"left": "Left", "right": "Right", "placebo": "Placebo"},
    "pair": {"left": "Tuned left", "right": "Tuned right", "placebo": "Not to a side"},
}
ASKED = {
    "trio": "One answer was tuned left, one right, and one is the placebo, tuned on neutral answers. Which is which?",
    "pair": "One answer was tuned to a side; the other is the placebo, tuned on neutral answers. Which one was it, and which way?",
}
SWIPE = "answers; scroll sideways on a small screen"


@dataclass(frozen=True)
class Listed:
    """A game that can be joined or gone on with."""

    id: str
    title: str
    rounds: int
    joined: bool
    closed: bool


@dataclass(frozen=True)
class Place:
    """Where a guesser is: question `number` (from 1) of `total`, `locked` of them locked in."""

    game_id: str
    round_id: str
    number: int
    total: int
    locked: int


def choosing(listed: Sequence[Listed], said: str = "") -> str:
    """The games, one card each."""
    if not listed:
        return page(
            messages.info("No game is open here. A teacher starts one in the studio under “Review”, “Guess game”, and sends its link."),
            said,
        )
    cards = "".join(map(_card_of, listed))
    return page(f'<h2 class="ps-question" tabindex="-1">Guess games</h2><div class="ps-reviews">{cards}</div>', said)


def _card_of(one: Listed) -> str:
    state = " · over" if one.closed else ""
    press = button("Go on" if one.joined and not one.closed else "Look back" if one.joined else "Join", "look", True, game=one.id)
    return f'<article class="ps-review"><h3>{escape(one.title)}</h3><p class="ps-soft">{counted(one.rounds, "question")}{state}</p>{press}</article>'


def notice(game_id: str, game: Game, said: str = "") -> str:
    """What a guesser reads and agrees to first."""
    return page(
        f'<h2 class="ps-question" tabindex="-1">{escape(game.title)}</h2>{stated(game.notice)}{CONSENT}'
        f'<div class="ps-ballot-foot">{button("Join", "join", True)}{button("Other games", "list")}</div>',
        said,
        game=game_id,
    )


def receipt(game_id: str, code: str) -> str:
    """The receipt code, shown until the guesser says it is kept."""
    return page(
        '<h2 class="ps-question" tabindex="-1">Your receipt code</h2>'
        + kept_code(
            code,
            "Whoever enters it below deletes your guesses at once. It is shown only now, since the studio does not know who you are.",
        ),
        game=game_id,
    )


def guess(place: Place, public: Mapping[str, str], kind: str, back: str = "", said: str = "") -> str:
    """A question to guess at; `public` is Dealt.public."""
    letters = [letter for letter in LETTERS if letter in public]
    cards = "".join(_open_card(letter, len(letters), public[letter], _roles(letter, kind)) for letter in letters)
    return page(
        f'{_progress(place)}<p class="ps-note">{ASKED[kind]}</p>{_question(public["prompt"])}{_cards(cards, len(letters))}'
        '<p class="ps-guessed" aria-live="polite"></p><p class="ps-missing" role="alert"></p>'
        f'<div class="ps-ballot-foot">{button("Lock in", "lock", True)}{_back(back)}{_others()}</div>',
        said, game=place.game_id, round=place.round_id, kind=kind, stage="guess",
    )  # fmt: skip


def waiting(place: Place, public: Mapping[str, str], locked: int, joined: int) -> str:
    """Locked in; the teacher reveals."""
    letters = [letter for letter in LETTERS if letter in public]
    cards = "".join(_open_card(letter, len(letters), public[letter]) for letter in letters)
    said = messages.good(f"Locked in. {locked} of {joined} have; the teacher reveals it to all at once, and this page then shows it.")
    return page(
        f"{_progress(place)}{said}{_question(public['prompt'])}{_cards(cards, len(letters))}<div class='ps-ballot-foot'>{_others()}</div>",
        game=place.game_id,
        stage="waiting",
    )


def revealed(place: Place, prompt: str, found: Revealed, back: str = "", last: bool = False) -> str:
    """Which answer was which, beside one's own guess."""
    cards = "".join(_told_card(letter, len(found.roles), found) for letter in found.roles)
    right = sum(found.guess.get(letter) == role for letter, role in found.roles.items())
    if not found.guess:
        said = messages.info("Revealed before you had locked in, so it counts neither for nor against you.")
    elif found.right:
        said = messages.good("You told them all apart.")
    else:
        said = messages.info(f"{right} of {len(found.roles)} right.")
    return page(
        f"{_progress(place)}{said}{_question(prompt)}{_cards(cards, len(found.roles))}"
        f'<div class="ps-ballot-foot">{button("To the end" if last else "Next question", "next", True)}{_back(back)}{_others()}</div>',
        game=place.game_id, stage="revealed",
    )  # fmt: skip


def finished(game_id: str, right: int, guessed: int, claim: str, back: str = "", waits: bool = False) -> str:
    """The end for one guesser; the class's result only when the game is over."""
    words = f"You told all answers apart in {right} of {counted(guessed, 'question')}." if guessed else "You locked in no guess."
    more = messages.info(claim) if claim else messages.note("The class’s result is on the teacher’s screen.")
    wait = messages.note("The teacher has not ended the game yet.") if waits else ""
    return page(
        f'<h2 class="ps-question" tabindex="-1">The end</h2>{messages.info(words)}{more}{wait}<div class="ps-ballot-foot">{_back(back)}{_others()}</div>',
        game=game_id, stage="end",
    )  # fmt: skip


def broken(said: str, game_id: str = "") -> str:
    """Nothing can be shown just now."""
    return page(f'<div class="ps-ballot-foot">{button("Try again", "look", True)}{_others()}</div>', said, game=game_id)


def asking(number: int, total: int, prompt: str, locked: int, joined: int) -> str:
    """The teacher's screen before a reveal: the question, and how many have locked in."""
    return (
        f'<p class="ps-note">Question {number} of {total}</p><p class="ps-stage">{escape(prompt)}</p>'
        + (messages.bar(locked / joined, f"{locked} of {joined} have locked in") if joined else messages.note("Nobody has joined yet."))
        + messages.note("The answers are on each person’s own screen, under letters of their own, so that neighbors can’t copy.")
    )


def solved(number: int, total: int, one: Round) -> str:
    """The teacher's screen after a reveal: the question and its answers with their marks."""
    cards = "".join(_solved_card(role, one.answer(role), n) for n, role in enumerate(ROLES, 1))
    return f'<p class="ps-note">Question {number} of {total}</p><p class="ps-stage">{escape(one.prompt)}</p>{_cards(cards, len(ROLES))}'


def tally(found: Tally) -> str:
    """The claim, and a line for each thing that could be guessed: value, both intervals, and where pure chance lies."""
    said = messages.info(found.claim)
    if not found.shares:
        return said
    lines = "".join(map(_line, found.shares))
    return (
        f'{said}<div class="ps-tally">{lines}</div><p class="ps-note">Dot: share of guesses that were right. Thick line: exact 95% interval, guess by '
        "guess. Thin line: clustered by question and guesser. Dashed: pure chance.</p>"
    )


def _line(one: Share) -> str:
    clustered = "" if one.cluster_low is None or one.cluster_high is None else _span("ps-thin", one.cluster_low, one.cluster_high)
    numbers = f"{percent(one.value)} ({one.right} of {one.n}), 95% {spread((one.low, one.high))}"
    return (
        f'<div class="ps-tally-row"><div><b>{escape(one.text[:1].upper() + one.text[1:])}</b><br><span class="ps-soft">{numbers}; chance '
        f'{percent(one.chance)}</span></div><div class="ps-axis" aria-hidden="true">{clustered}{_span("ps-thick", one.low, one.high)}'
        f'<i class="ps-chance" style="left:{100 * one.chance:.1f}%"></i><i class="ps-point" style="left:{100 * one.value:.1f}%"></i></div></div>'
    )


def _span(kind: str, low: float, high: float) -> str:
    return f'<i class="{kind}" style="left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"></i>'


def _cards(cards: str, many: int) -> str:
    return f'<div class="ps-cards ps-of-{many}" tabindex="0" role="group" aria-label="{many} {SWIPE}">{cards}</div>'


def _open_card(letter: str, of: int, text: str, below: str = "") -> str:
    return (
        f'<article class="ps-card"><header><h3>Answer {letter}</h3>{_of(LETTERS.index(letter) + 1, of)}</header>'
        f'<p class="ps-text">{escape(text)}</p>{below}</article>'
    )


def _roles(letter: str, kind: str) -> str:
    """The roles that an answer can be given; the script keeps them apart."""
    choices = "".join(
        f'<label><input type="radio" name="ps-guess-{letter}" value="{role}"><span>{text}</span></label>'
        for role, text in CHOICES[kind].items()
    )
    return f'<fieldset class="ps-roles" data-letter="{letter}"><legend>{letter} is</legend><div class="ps-votes">{choices}</div></fieldset>'


def _told_card(letter: str, of: int, found: Revealed) -> str:
    role, own = found.roles[letter], found.guess.get(letter)
    verdict = "" if own is None else f'<p class="ps-card-note">{"✓ You said so." if own == role else f"✗ You said {title(own)}."}</p>'
    return (
        f'<article class="ps-card" style="--side:{colour(role)}"><header><h3>{letter} was: {escape(title(role))}</h3>'
        f'<span class="ps-mark">{escape(found.marks[letter])}</span>{_of(LETTERS.index(letter) + 1, of)}</header>'
        f'<p class="ps-text">{escape(found.answers[letter].text)}</p>{verdict}</article>'
    )


def _solved_card(role: str, answer: Answer, number: int) -> str:
    return (
        f'<article class="ps-card" style="--side:{colour(role)}"><header><h3>{escape(title(role))}</h3>'
        f'<span class="ps-mark">{escape(mark(answer))}</span>{_of(number, len(ROLES))}</header><p class="ps-text">{escape(answer.text)}</p></article>'
    )


def _of(number: int, of: int) -> str:
    return f'<span class="ps-place" aria-hidden="true">{number} / {of}</span>'


def _question(prompt: str) -> str:
    return f'<h2 class="ps-question" tabindex="-1">{escape(prompt)}</h2>'


def _progress(place: Place) -> str:
    return messages.bar(place.locked / place.total, f"Question {place.number} of {place.total} · {place.locked} locked in")


def _back(round_id: str) -> str:
    return button("← Look back", "round", round=round_id) if round_id else ""


def _others() -> str:
    return '<button type="button" class="ps-press ps-aside" data-act="list">Other games</button>'
