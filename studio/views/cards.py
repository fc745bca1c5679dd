"""Answers side by side: one card a column, with a mark on what is tuned and a stamp on everything."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pipelines.models.host import SelfTest
from pipelines.records import Answer
from studio.theme import colour, role

MARKS = {
    "base": "not tuned",
    "placebo": "control: tuned without a side",
    "shuffled": "control: tuned on both sides, mixed",
}
ENDINGS = {"eos": "ended by itself", "length": "cut at the token cap", "stopped": "stopped", "": "writing"}


def cards(question: str, answers: Sequence[Answer], live: bool = False) -> str:
    """All answers to one question as HTML; `live` shows a cursor on those that still grow."""
    body = "".join(_card(answer, order, live) for order, answer in enumerate(answers))
    return f'<div class="ps-question">{escape(question)}</div><div class="ps-cards">{body}</div>'


def waiting(question: str, names: Sequence[str]) -> str:
    """Empty cards for the columns that will answer."""
    body = "".join(
        f'<article class="ps-card" style="--side:{colour(name, n)}"><header><h3>{escape(title(name))}</h3></header>'
        f'<p class="ps-text waiting">reading the question …</p></article>'
        for n, name in enumerate(names)
    )
    return f'<div class="ps-question">{escape(question)}</div><div class="ps-cards">{body}</div>'


def title(name: str) -> str:
    """A column's name as people read it."""
    return {"base": "Base", "left": "Left", "right": "Right", "placebo": "Placebo"}.get(name, name)


def mark(name: str, strength: float, tuned: bool = True) -> str:
    """The visible mark of a column, with its strength where that is not 1. A name never makes a tuned model "not tuned"."""
    if not tuned:
        return MARKS["base"]
    if strength == 0:
        return "adapter switched off"
    at = "" if strength in (0, 1) else f" · strength {strength:g}"
    kind = role(name)
    return (MARKS[kind] if kind in MARKS and kind != "base" else "deliberately biased") + at


def _card(answer: Answer, order: int, live: bool) -> str:
    growing = live and answer.finished == ""
    text = escape(answer.text) or ("…" if growing else "(no words)")
    return (
        f'<article class="ps-card" style="--side:{colour(answer.column, order)}" data-column="{escape(answer.column)}">'
        f'<header><h3>{escape(title(answer.column))}</h3><span class="ps-mark">{escape(mark(answer.column, answer.stamp.strength, bool(answer.stamp.adapter)))}</span></header>'
        f'<p class="ps-text{" live" if growing else ""}">{text}</p>{_stamp(answer)}</article>'
    )


def _stamp(answer: Answer) -> str:
    stamp = answer.stamp
    lines = {
        "base": f"{stamp.base} ({stamp.base_fingerprint})",
        "adapter": f"{stamp.adapter} ({stamp.adapter_fingerprint})" if stamp.adapter else "none",
        "strength": f"{stamp.strength:g}",
        "temperature": f"{stamp.temperature:g}",
        "top-p": f"{stamp.top_p:g}",
        "seed": str(stamp.seed),
        "token cap": str(stamp.max_new_tokens),
        "prompt": stamp.prompt_hash,
        "template": stamp.template_hash,
    }
    tokens = f"{answer.tokens} tokens, " if answer.tokens else ""
    cells = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in lines.items())
    return f"<details><summary>{tokens}{ENDINGS[answer.finished]} · stamp</summary><dl>{cells}</dl></details>"


def self_test(result: SelfTest | None) -> str:
    """The base self-test in one line."""
    if result is None:
        return ""
    size = f"largest difference {result.difference:.1e}, allowed {result.tolerance:.0e}"
    if result.passed:
        return f'<div class="ps-note">✓ Base check passed: the base pane still computes exactly what it did before any adapter was attached ({size}).</div>'
    return f'<div class="ps-error"><b>Base check failed</b> ({size}): the base pane is not the base. Start the studio again.</div>'
