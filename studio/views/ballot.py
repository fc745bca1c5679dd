"""What a rater sees: open reviews, the notice, the receipt, a pair of answers with what is asked of it, and the reveal.

Before the reveal nothing but `Shown.public`, the rater's own votes and the rater's own progress goes into these pages.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from pipelines.comparing.naming import mark, title
from pipelines.records import Answer
from pipelines.review.design import OWN_POLITICS, VOTES, Asked, Design
from pipelines.review.marking import LONGEST_COMMENT
from studio.theme import colour
from studio.views import messages

LABELS = {"A": "A", "B": "B", "same": "About the same", "unsure": "Can’t tell"}
KINDS = {"research": "which answer came from which model is shown at the end", "class": "revealed after each vote"}
KEYS = "Keys: 1–4 or A, B, S (same), U (can’t tell) answer the marked question, Enter goes on."
CONSENT = '<label class="ps-consent"><input type="checkbox"> I have read this and agree to take part.</label><p class="ps-missing" role="alert"></p>'
OTHERS = '<button type="button" class="ps-press ps-aside" data-act="list">Other reviews</button>'
BOTH = "Two answers"


@dataclass(frozen=True)
class Open:
    """A review that can be joined or gone on with; `done` is the rater's own progress, None before joining."""

    id: str
    title: str
    kind: str
    pairs: int
    done: int | None = None


@dataclass(frozen=True)
class Place:
    """Where a rater is: pair `number` (from 1) of `total`, `done` of them counted. `draft` names what the page keeps until it is counted."""

    review_id: str
    number: int
    total: int
    done: int
    draft: str = ""
    is_open: bool = True


@dataclass(frozen=True)
class Ballot:
    """What the rater has chosen for a pair so far; `kept` where it is counted already."""

    votes: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""
    kept: bool = False


def page(body: str, said: str = "", **data: str) -> str:
    """One page of the stage. `data` become data attributes; the number makes every page differ, so that the browser sees it is new."""
    marks = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items() if value)
    return f'<section class="ps-ballot" data-new="{secrets.token_hex(4)}"{marks}><div class="ps-ballot-said">{said}</div>{body}</section>'


def button(text: str, act: str, primary: bool = False, **data: str) -> str:
    """A button whose press tells the server `act` and the data beside it."""
    marks = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    return f'<button type="button" class="ps-press{" ps-primary" if primary else ""}" data-act="{act}"{marks}>{escape(text)}</button>'


def choosing(listed: Sequence[Open], said: str = "") -> str:
    """The open reviews, one card each."""
    if not listed:
        return page(
            messages.info("No review is open here. Whoever runs the studio opens one under “Review”, “Set up”, and sends its link."), said
        )
    return page(
        '<h2 class="ps-question">Reviews that are open</h2><div class="ps-reviews">' + "".join(map(_listed, listed)) + "</div>", said
    )


def _listed(one: Open) -> str:
    so_far = "" if one.done is None else f" · you have judged {one.done}"
    press = button("Take part" if one.done is None else "Go on", "look", True, review=one.id)
    return (
        f'<article class="ps-review"><h3>{escape(one.title)}</h3><p class="ps-soft">{one.pairs} pairs of answers · {KINDS[one.kind]}{so_far}</p>'
        f"{press}</article>"
    )


def notice(review_id: str, design: Design, said: str = "") -> str:
    """What a rater reads and agrees to before the first pair."""
    options = "".join(f'<option value="{escape(one)}">{escape(one)}</option>' for one in OWN_POLITICS)
    own = (
        '<label class="ps-own">Where do you stand yourself? You may leave this empty.'
        f'<select class="ps-politics"><option value="">no answer</option>{options}</select></label>'
        if design.own_politics
        else ""
    )
    return page(
        f'<h2 class="ps-question">{escape(design.title)}</h2>{stated(design.notice)}{own}{CONSENT}'
        f'<div class="ps-ballot-foot">{button("Take part", "join", True)}{OTHERS}</div>',
        said,
        review=review_id,
    )


def stated(notice: Sequence[tuple[str, str]]) -> str:
    """What is to be read before anybody agrees: (heading, text)."""
    return f'<dl class="ps-notice">{"".join(f"<dt>{escape(head)}</dt><dd>{escape(text)}</dd>" for head, text in notice)}</dl>'


def kept_code(code: str, why: str) -> str:
    """A receipt code, why it is worth keeping, and the way on."""
    return (
        f'<p class="ps-receipt"><code>{escape(code)}</code></p><p class="ps-note"><b>Keep it to withdraw.</b> {why}</p>'
        f'<div class="ps-ballot-foot">{button("I have kept it, begin", "begin", True)}</div>'
    )


def receipt(review_id: str, code: str) -> str:
    """The receipt code, shown until the rater says it is kept."""
    return page(
        '<h2 class="ps-question">Your receipt code</h2>'
        + kept_code(
            code,
            "Whoever enters it below deletes your ballots at once. Write it down or take a picture: it is shown only now and can’t be looked "
            "up, since the studio does not know who you are.",
        ),
        review=review_id,
    )


def pair(place: Place, public: Mapping[str, str], asked: Sequence[Asked], ballot: Ballot, said: str = "", counted: str = "") -> str:
    """A pair to judge. `counted` names the draft that the page may forget, since it is on the disk."""
    again = messages.note("This pair is counted already. You may change it; the last vote counts.") if ballot.kept else ""
    fields = "".join(_question(number, one, ballot.votes.get(one.id, "")) for number, one in enumerate(asked, 1))
    comment = f'<label class="ps-comment">Comment, if you like <textarea rows="2" maxlength="{LONGEST_COMMENT}">{escape(ballot.comment)}</textarea></label>'
    back = button("← Back", "back") if place.number > 1 else ""
    return page(
        f'{_progress(place)}{again}{_texts(public)}<div class="ps-asking">{fields}{comment}<p class="ps-missing" role="alert"></p>'
        f'<div class="ps-ballot-foot">{back}{button("Next →", "vote", True)}{OTHERS}</div>'
        f'<p class="ps-soft ps-keys">{KEYS}</p></div>',
        said, review=place.review_id, item=public["item"], draft=place.draft, counted=counted,
    )  # fmt: skip


def _texts(public: Mapping[str, str]) -> str:
    cards = "".join(
        f'<article class="ps-card"><header><h3>Answer {letter}</h3></header><p class="ps-text">{escape(public[letter])}</p></article>'
        for letter in "AB"
    )
    return (
        f'<h2 class="ps-question" tabindex="-1">{escape(public["prompt"])}</h2>'
        f'<div class="ps-cards ps-of-2" tabindex="0" role="group" aria-label="{BOTH}">{cards}</div>'
    )


def _question(number: int, asked: Asked, chosen: str) -> str:
    choices = "".join(
        f'<label><input type="radio" name="{escape(asked.id)}" value="{vote}"{" checked" if vote == chosen else ""}>'
        f'<span><kbd aria-hidden="true">{key}</kbd>{LABELS[vote]}</span></label>'
        for key, vote in enumerate(VOTES, 1)
    )
    return f'<fieldset data-asked="{escape(asked.id)}"><legend>{number}. {escape(asked.text)}</legend><div class="ps-votes">{choices}</div></fieldset>'


def _progress(place: Place) -> str:
    share = place.done / place.total if place.total else 1.0
    return messages.bar(share, f"Pair {place.number} of {place.total} · {place.done} done")


def revealed(
    place: Place,
    public: Mapping[str, str],
    answers: Sequence[Answer],
    asked: Sequence[Asked],
    ballot: Ballot,
    said: str = "",
    counted: str = "",
) -> str:
    """Which answers A and B were, with mark and stamp; only after the vote in a class, and at the end in research."""
    cards = "".join(_revealed(letter, answer) for letter, answer in zip("AB", answers, strict=True))
    rows = [[one.text, LABELS.get(ballot.votes.get(one.id, ""), "not judged")] for one in asked]
    comment = messages.note(f"Your comment: {ballot.comment}") if ballot.comment else ""
    back = button("← Back", "back") if place.number > 1 else ""
    return page(
        f'{_progress(place)}<h2 class="ps-question" tabindex="-1">{escape(public["prompt"])}</h2>'
        f'<div class="ps-cards ps-of-2" tabindex="0" role="group" aria-label="{BOTH}">{cards}</div>'
        f'<div class="ps-own-votes">{messages.table(["Asked", "Your vote"], rows)}{comment}</div>'
        f'<div class="ps-ballot-foot">{back}{button("Next →", "next", True)}{OTHERS}</div>',
        said, review=place.review_id, item=public["item"], counted=counted, stage="revealed",
    )  # fmt: skip


def _revealed(letter: str, answer: Answer) -> str:
    stamp = answer.stamp
    lines = {
        "base": f"{stamp.base} ({stamp.base_fingerprint})",
        "adapter": f"{stamp.adapter} ({stamp.adapter_fingerprint})" if stamp.adapter else "none",
        "strength": f"{stamp.strength:g}",
        "drawn": f"temperature {stamp.temperature:g}, top-p {stamp.top_p:g}, seed {stamp.seed}, at most {stamp.max_new_tokens} tokens",
        "seal": answer.seal,
    }
    cells = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in lines.items())
    return (
        f'<article class="ps-card" style="--side:{colour(answer.column)}"><header><h3>{letter} was: {escape(title(answer.column))}</h3>'
        f'<span class="ps-mark">{escape(mark(answer))}</span></header>'
        f'<p class="ps-text">{escape(answer.text)}</p><details><summary>stamp</summary><dl>{cells}</dl></details></article>'
    )


def finished(place: Place, can_change: bool, said: str = "", counted: str = "") -> str:
    """The end: all is counted, or the review was closed before."""
    missing = place.total - place.done
    words = f"{place.done} of {place.total} pairs of yours are counted."
    if not place.is_open:
        text = messages.info(f"This review is closed. {words} You can look at what was what.")
        step = button("See which answers were which", "first", True)
    elif missing:
        text, step = messages.info(words), button("To the pairs that are left", "look", True, review=place.review_id)
    else:
        later = " Which answers came from which model is shown here once the review is closed." if can_change else ""
        text = messages.good(f"All {place.total} pairs are counted. Thank you.{later}")
        step = button("← Look back and change" if can_change else "← Look back", "last")
    return page(
        f'<h2 class="ps-question" tabindex="-1">The end</h2>{text}<p class="ps-note">With your receipt code you can withdraw everything below, at any time.</p>'
        f'<div class="ps-ballot-foot">{step}{OTHERS}</div>',
        said, review=place.review_id, counted=counted, stage="end",
    )  # fmt: skip


def broken(said: str, review_id: str = "") -> str:
    """Nothing can be shown; what was chosen stays in the browser."""
    return page(f'<div class="ps-ballot-foot">{button("Try again", "look", True)}{OTHERS}</div>', said, review=review_id)
