"""Sentences for people: errors with what to do, good news, progress bars with the time that is left."""

from __future__ import annotations

import re
from html import escape

from pipelines.errors import StudioError
from pipelines.models.line import Place

TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # turn the direction of writing: in a name they would turn our sentence, too
LONG = 40  # characters of a table's cell that wraps, also where the column's names stay on one line


def error(problem: StudioError | str) -> str:
    """What is wrong and what to do, as HTML."""
    if isinstance(problem, StudioError):
        return f'<div class="ps-error" role="alert"><b>{_words(problem.message)}</b> {_words(problem.hint)}</div>'
    return f'<div class="ps-error" role="alert"><b>{_words(problem)}</b></div>'


def good(text: str) -> str:
    return f'<div class="ps-good">{_words(text)}</div>'


def info(text: str) -> str:
    return f'<div class="ps-info">{_words(text)}</div>'


def note(text: str) -> str:
    return f'<div class="ps-note">{_words(text)}</div>'


def bar(fraction: float, text: str) -> str:
    """A progress bar; `fraction` in 0..1."""
    percent = max(0.0, min(1.0, fraction)) * 100
    label = _words(text)
    return (
        f'<div class="ps-note">{label}</div>'
        f'<div class="ps-bar" role="progressbar" aria-valuenow="{percent:.0f}" aria-label="{label}"><span style="width:{percent:.1f}%"></span></div>'
    )


def in_line(place: Place | None) -> str:
    """How many requests come first, and about how long that takes."""
    if place is None or not place.ahead:
        return note("It is your turn: the columns read your question together …")
    many = "1 request is" if place.ahead == 1 else f"{place.ahead} requests are"
    return note(f"You are in the line: {many} answered before yours · about {duration(max(1.0, place.seconds))}")


def duration(seconds: float) -> str:
    """Seconds as people say them: "40 s", "3 min 10 s", "1 h 5 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def table(head: list[str], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> str:
    """An HTML table; columns in `numbers` are aligned right. All cells are escaped."""
    kind = [' class="num"' if n in numbers else "" for n in range(len(head))]
    top = "".join(f'<th scope="col"{kind[n]}>{escape(text)}</th>' if text else "<td></td>" for n, text in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{kind[n] or long(cell)}>{escape(cell)}</td>" for n, cell in enumerate(row)) + "</tr>" for row in rows
    )
    return f'<div class="ps-scroll"><table class="ps-table"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def long(*texts: str) -> str:
    """The class of a cell with a text that wraps, "" where all are short."""
    return ' class="ps-long"' if max(map(len, texts)) > LONG else ""


def _words(text: str) -> str:
    """A sentence of ours, in which names of others may stand."""
    return escape(TURNING.sub("", text))
