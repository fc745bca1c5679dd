"""What curation found: steps with counts, rows, dropped rows, and the formatted training text."""

from __future__ import annotations

from html import escape

from pipelines.corpus.columns import TEXT_FIELDS
from pipelines.corpus.preview import Formatted
from pipelines.corpus.versions import Curated
from studio.views import messages

SHOWN = 100


def summary(curated: Curated) -> str:
    """Where the rows came from and what they were recognized as."""
    table = curated.source
    encoding = f" (encoding {table.encoding})" if table.encoding else ""
    found = f"{table.name}{encoding}: {len(table.rows):,} rows. {curated.roles.sentence}"
    return messages.info(found) if curated.roles.kind != "posts" else messages.error(found)


def steps(curated: Curated) -> str:
    """The cleaning steps with their counts."""
    rows = [
        [s.name, f"{s.before:,}", f"{s.changed:,}" if s.changed else "-", f"{len(s.dropped):,}" if s.dropped else "-", f"{s.after:,}"]
        for s in curated.steps
    ]
    return messages.table(["Step", "Rows in", "Changed", "Dropped", "Rows left"], rows, numbers=(1, 2, 3, 4))


def rows(curated: Curated) -> str:
    """The first rows as a table that scrolls, with how many of all they are; at most SHOWN are sent to the browser."""
    fields = [name for name in TEXT_FIELDS[curated.roles.kind] if name in curated.dataset.rows[0]]
    total = len(curated.dataset.rows)
    body = messages.table(fields, [[row[name] for name in fields] for row in curated.dataset.rows[:SHOWN]])
    return messages.note(f"Showing {min(SHOWN, total):,} of {total:,} rows.") + f'<div class="ps-tall">{body}</div>'


def dropped(curated: Curated) -> str:
    """The dropped rows and the reason for each (the first SHOWN)."""
    rows = [
        [step.name, reason, " / ".join(v for k, v in row.items() if k in TEXT_FIELDS[curated.roles.kind])[:240]]
        for step in curated.steps
        for row, reason in step.dropped
    ]
    if not rows:
        return messages.note("No row was dropped.")
    return messages.note(f"Showing {min(SHOWN, len(rows))} of {len(rows)} dropped rows.") + messages.table(
        ["Step", "Reason", "Row"], rows[:SHOWN]
    )


def formatted(text: Formatted) -> str:
    """The training text with its trained part marked."""
    return (
        f'<div class="ps-format"><span class="ps-read">{escape(text.read)}</span><span class="ps-trained">{escape(text.trained)}</span></div>'
        + messages.note(f"{text.tokens} tokens. Grey: read, but not learned. Green: what the model learns to write.")
    )
