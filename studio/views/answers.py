"""The answers to a set of questions as a table whose rows can be pressed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pipelines.comparing.comparison import Turn
from pipelines.comparing.prompts import Prompt
from studio.theme import colour
from studio.views import messages
from studio.views.cards import title

LONGEST = 320  # characters of an answer in its cell, more than four lines show
WORDING = "“Words differ” is the share of words that the answers do not have in common. It says nothing about stance: a yes in other words differs as well."
SAME = 0.005  # a difference that is shown as 0.00


def table(rows: Sequence[tuple[int, Prompt, Turn, float]], picked: int | None = None) -> str:
    """Rows of (index, question, answers, divergence 0..1) as HTML; a press tells the index (`data-pick`), and `picked` is marked."""
    if not rows:
        return messages.note("Nothing to show: no answers yet, or none that fits the filter.")
    names = [answer.column for answer in rows[0][2].answers]
    columns = "".join(
        f'<th scope="col"><span class="ps-dot" style="--side:{colour(name, n)}" aria-hidden="true"></span>{escape(title(name))}</th>'
        for n, name in enumerate(names)
    )
    head = f'<th scope="col">Question</th>{columns}<th scope="col" class="num">Words differ</th>'
    body = "".join(_row(*row, picked=row[0] == picked) for row in rows)
    return (
        '<div class="ps-rows-box ps-answers-box"><table class="ps-table ps-rows ps-answers" aria-label="Answers to the questions; a row opens with Enter">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{messages.note(WORDING)}"
    )


def _row(index: int, prompt: Prompt, turn: Turn, divergence: float, picked: bool) -> str:
    topic = f'<span class="ps-soft">{escape(prompt.topic)}</span>' if prompt.topic else ""
    cells = "".join(f'<td><div class="ps-clip">{escape(_short(answer.text)) or "(no words)"}</div></td>' for answer in turn.answers)
    return (
        f'<tr tabindex="0" data-pick="{index}" aria-selected="{"true" if picked else "false"}"><td><div class="ps-clip"><b>{escape(prompt.text)}</b></div>{topic}</td>{cells}'
        f'<td class="num">{_different(divergence)}</td></tr>'
    )


def _different(divergence: float) -> str:
    share = max(0.0, min(1.0, divergence))
    word = "same" if share < SAME else "different"
    return (
        f'{share:.2f}<br><span class="ps-soft">{word}</span>'
        f'<div class="ps-mini" aria-hidden="true"><span style="width:{100 * share:.0f}%"></span></div>'
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
