"""Sentences for people: errors with what to do, good news, progress bars with the time that is left."""

from __future__ import annotations

from html import escape

from pipelines.errors import StudioError


def error(problem: StudioError | str) -> str:
    """What is wrong and what to do, as HTML."""
    if isinstance(problem, StudioError):
        return f'<div class="ps-error" role="alert"><b>{escape(problem.message)}</b> {escape(problem.hint)}</div>'
    return f'<div class="ps-error" role="alert"><b>{escape(problem)}</b></div>'


def good(text: str) -> str:
    return f'<div class="ps-good">{escape(text)}</div>'


def info(text: str) -> str:
    return f'<div class="ps-info">{escape(text)}</div>'


def note(text: str) -> str:
    return f'<div class="ps-note">{escape(text)}</div>'


def bar(fraction: float, text: str) -> str:
    """A progress bar; `fraction` in 0..1."""
    percent = max(0.0, min(1.0, fraction)) * 100
    label = escape(text)
    return (
        f'<div class="ps-note">{label}</div>'
        f'<div class="ps-bar" role="progressbar" aria-valuenow="{percent:.0f}" aria-label="{label}"><span style="width:{percent:.1f}%"></span></div>'
    )


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
    top = "".join(f"<th{kind[n]}>{escape(text)}</th>" for n, text in enumerate(head))
    body = "".join("<tr>" + "".join(f"<td{kind[n]}>{escape(cell)}</td>" for n, cell in enumerate(row)) + "</tr>" for row in rows)
    return f'<div class="ps-scroll"><table class="ps-table"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
