"""An answer with the codes that its coder gave to it, and the codebook beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from pipelines.review.codebook import Code, Codebook
from pipelines.review.coding import LONGEST_MEMO
from pipelines.review.rounds import WHOLE, Mark
from studio.views import messages

HOTKEYS = "1234567890cdefghijklmnopqrstuvwxyz"  # A and B choose the answer
LONGEST_QUOTE = 160
STEPS = (
    ("back", "←", "Mark the word before"),
    ("on", "→", "Mark the next word"),
    ("less", "−", "One word less"),
    ("more", "+", "One word more"),
)


def answer(letter: str, text: str, book: Codebook, marks: Sequence[Mark], is_fixed: bool, said: str = "") -> str:
    """Answer A or B: its text, a button for each code, what was said of the last press, and the codes given so far.

    `is_fixed`: they can't be changed any more. Raises StudioError where a mark has a code that the codebook does not have.
    """
    told = f'<div class="ps-code-said">{said}</div>' if said else ""
    choose = "" if is_fixed else _steps(letter) + _codes(letter, book, marks)
    return (
        f'<article class="ps-card" data-letter="{letter}"><header><h3 tabindex="-1">Answer {letter}</h3><span class="ps-here" aria-hidden="true">'
        f'keys go here</span></header><p class="ps-text" tabindex="0" data-key="text-{letter}">{highlighted(text, marks, book)}</p>'
        f"{choose}{told}{_given(letter, text, book, marks, is_fixed)}</article>"
    )


def _steps(letter: str) -> str:
    """What the next code is for, and buttons with which words are marked one by one."""
    steps = "".join(
        f'<button type="button" class="ps-press ps-step-word" data-move="{move}" data-key="{move}-{letter}" aria-label="Answer {letter}: {said[0].lower()}{said[1:]}"'
        f' title="{said}">{sign}</button>'
        for move, sign, said in STEPS
    )
    return (
        '<div class="ps-target"><span>Codes go to <b data-target>the whole answer</b></span><span class="ps-steps"><span class="ps-soft">Mark words</span>'
        f'<button type="button" class="ps-press ps-step-word" data-move="none" data-key="none-{letter}" hidden>Whole answer</button>{steps}</span></div>'
    )


def _codes(letter: str, book: Codebook, marks: Sequence[Mark]) -> str:
    chips = "".join(_chip(letter, number, code, [one for one in marks if one.code_id == code.id]) for number, code in enumerate(book.codes))
    more = '<button type="button" class="ps-press ps-jump" data-jump>What the codes mean ↓</button>'
    return f'<div class="ps-codes" role="group" aria-label="Codes for answer {letter}">{chips}{more}</div>'


def _chip(letter: str, number: int, code: Code, marks: Sequence[Mark]) -> str:
    """Pressed where the code is given to the whole answer; words that carry it are counted beside."""
    whole = any(one.start == WHOLE for one in marks)
    parts = sum(one.start != WHOLE for one in marks)
    beside = f" <small>{parts} quote{'s' * (parts > 1)}</small>" if parts else ""
    return (
        f'<button type="button" class="ps-press ps-code" data-code="{code.id}" data-hot="{_hot(number)}" data-key="code-{letter}-{code.id}" '
        f'aria-pressed="{"true" if whole else "false"}">{_kbd(number)}{escape(code.name)}{beside}</button>'
    )


def _hot(number: int) -> str:
    return HOTKEYS[number] if number < len(HOTKEYS) else ""


def _kbd(number: int) -> str:
    sign = _hot(number).upper()
    return f'<kbd aria-hidden="true">{sign}</kbd>' if sign else ""


def _given(letter: str, text: str, book: Codebook, marks: Sequence[Mark], is_fixed: bool) -> str:
    """The codes of an answer with the words they were given to: what counts, whatever is highlighted."""
    if not marks:
        return f'<p class="ps-soft ps-nothing">No code is given to answer {letter}.</p>'
    rows = "".join(_row(letter, text, book.find(mark.code_id).name, mark, is_fixed) for mark in marks)
    return f'<ul class="ps-given" aria-label="Codes that you gave to answer {letter}">{rows}</ul>'


def _row(letter: str, text: str, name: str, mark: Mark, is_fixed: bool) -> str:
    of = f"{mark.code_id}-{mark.start}-{mark.end}"
    own = f'data-letter="{letter}" data-code="{mark.code_id}" data-start="{mark.start}" data-end="{mark.end}"'
    head = f"<b>{escape(name)}</b> {escape(quoted(text, mark))}"
    if is_fixed:
        return f"<li>{head}{messages.note(f'Memo: {mark.memo}') if mark.memo else ''}</li>"
    label = escape(f"{name}, {quoted(text, mark)}", quote=True)
    state = "memo kept" if mark.memo else ""
    return (
        f'<li {own} id="given-{letter}-{of}"><div class="ps-given-head"><span>{head}</span><button type="button" class="ps-press ps-take" '
        f'data-act="take" data-key="take-{letter}-{of}" aria-label="Take away: {label}">Take away</button></div>'
        f'<textarea rows="1" maxlength="{LONGEST_MEMO}" data-key="memo-{letter}-{of}" placeholder="Memo, if you like" aria-label="Memo for {label}">'
        f'{_exact(mark.memo)}</textarea><span class="ps-soft ps-memo-state" data-kept="{state}">{state}</span></li>'
    )


def quoted(text: str, mark: Mark) -> str:
    """What a code was given to, in words."""
    if mark.start == WHOLE:
        return "the whole answer"
    words = " ".join(text[mark.start : mark.end].split())
    return f"“{words if len(words) <= LONGEST_QUOTE else words[:LONGEST_QUOTE] + ' …'}”"


def highlighted(text: str, marks: Sequence[Mark], book: Codebook) -> str:
    """The text with marked words, cut wherever a mark begins or ends. Names of codes are no part of the text: places are counted in it."""
    spans = [one for one in marks if one.start != WHOLE]
    cuts = sorted({0, len(text), *(place for one in spans for place in (one.start, one.end))})
    pieces = []
    for start, end in pairwise(cuts):
        over = [one for one in spans if one.start <= start and end <= one.end]
        ends = ", ".join(book.find(one.code_id).name for one in over if one.end == end)
        label = f' data-ends="{escape(ends)}"' if ends else ""
        words = _exact(text[start:end])
        pieces.append(f'<mark class="ps-span{" ps-twice" if len(over) > 1 else ""}"{label}>{words}</mark>' if over else words)
    return "".join(pieces)


def _exact(text: str) -> str:
    """Escaped so that the browser has every character; it would read a carriage return as a new line."""
    return escape(text).replace("\r", "&#13;")


def codebook(book: Codebook) -> str:
    """Every code with its definition; examples are folded."""
    entries = "".join(
        f'<section class="ps-entry"><h4>{_kbd(number)}{escape(code.name)}</h4><p>{escape(code.definition)}</p>'
        f"{_examples(code, 'Examples', code.examples, 'yes')}{_examples(code, 'Only look like it', code.counterexamples, 'no')}</section>"
        for number, code in enumerate(book.codes)
    )
    return (
        f'<aside class="ps-codebook" tabindex="0" role="region" aria-label="Codebook, version {book.version}"><header><h3 tabindex="-1">Codebook</h3>'
        f'<span class="ps-tag">version {book.version}</span><button type="button" class="ps-press ps-jump" data-jump="back">↑ Answers</button></header>'
        f"{entries}</aside>"
    )


def _examples(code: Code, name: str, texts: Sequence[str], which: str) -> str:
    if not texts:
        return ""
    rows = "".join(f"<li>{escape(one)}</li>" for one in texts)
    return f'<details data-fold="{which}-{code.id}"><summary aria-label="{name}: {escape(code.name)}">{name}</summary><ul>{rows}</ul></details>'
