"""Versions for people: the data card, what differs between two of them, and what a push sends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from pipelines.corpus.diff import Change, Diff, Span
from pipelines.corpus.push import Pushed
from studio.views import messages

SHOWN = 30
FRONT = re.compile(r"\A---\n.*?\n---\n", re.S)
MARKS = {"first": "ps-removed", "second": "ps-added"}


def card(text: str) -> str:
    """A data card as Markdown without the block for machines on its top."""
    return FRONT.sub("", text)


def difference(found: Diff, first: str, second: str) -> str:
    """Counts, steps and rows that differ between two versions, changed words marked."""
    counts = found.counts
    head = f"<b>{escape(second)}</b> against <b>{escape(first)}</b>: {counts['added']:,} rows added, {counts['removed']:,} removed, {counts['changed']:,} changed, {counts['same']:,} the same."
    parts = [f'<div class="ps-info">{head}</div>']
    if found.same_rows:
        parts.append(messages.note("The rows are the same."))
    if found.steps:
        rows = [[one.label, _where(one.where, first, second), _pairs(one.settings), _pairs(one.counts)] for one in found.steps]
        parts.append("<h3>Steps</h3>" + messages.table(["Step", "In", "Settings", "Rows"], rows))
    if found.changed:
        parts.append(_changes(found.changed))
    parts += [_rows(title, rows) for title, rows in (("Added", found.added), ("Removed", found.removed)) if rows]
    return "".join(parts)


def _where(where: str, first: str, second: str) -> str:
    return {"both": "both", "first": first, "second": second}[where]


def _pairs(values: dict[str, tuple[Any, Any]]) -> str:
    return "; ".join(f"{name}: {old} → {new}" for name, (old, new) in values.items()) or "–"


def _changes(changes: Sequence[Change]) -> str:
    lines = [
        f"<p><b>{escape(one.id)}</b> · {escape(name)}: {_marked(one.words(name))}</p>" for one in changes[:SHOWN] for name in one.fields
    ]
    return f'<h3>Changed</h3><div class="ps-format">{"".join(lines)}</div>' + _more(len(changes))


def _marked(spans: Sequence[Span]) -> str:
    return "".join(escape(s.text) if s.where == "both" else f'<span class="{MARKS[s.where]}">{escape(s.text)}</span>' for s in spans)


def _rows(title: str, rows: Sequence[dict[str, Any]]) -> str:
    body = [
        [
            str(row.get("id", "")),
            str(row.get("prompt") or row.get("text") or "")[:160],
            str(row.get("chosen") or row.get("left") or "")[:160],
        ]
        for row in rows[:SHOWN]
    ]
    return f"<h3>{title}</h3>" + messages.table(["Row", "Prompt or post", "Answer"], body) + _more(len(rows))


def _more(count: int) -> str:
    return messages.note(f"{SHOWN} of {count:,} shown.") if count > SHOWN else ""


def pushed(done: Pushed) -> str:
    """What was sent, or would be."""
    files = messages.table(["File", "Size"], [[name, f"{size / 1000:,.1f} kB"] for name, size in done.files.items()], numbers=(1,))
    who = "private" if done.private else "public"
    words = f"Sent to {done.repo_id} ({who})." if done.url else f"Nothing was sent. This would go to {done.repo_id} ({who}):"
    return (messages.good(words) if done.url else messages.info(words)) + files
