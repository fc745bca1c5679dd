"""What coding found, after the end: counts by column and topic, and words that carry codes, to take into the report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape

from pipelines.comparing.naming import title
from pipelines.review.codebook import Codebook
from pipelines.review.coded import Count, Quote
from pipelines.review.intervals import counted
from studio.theme import colour
from studio.views import messages
from studio.views.ballot import page
from studio.views.coded import folded

COUNTS_NOTE = (
    "Answers that carry the code, of those whose raters agree or that were settled; “open” ones are neither. Counts describe these answers; "
    "they test nothing."
)


def found(
    counts: Sequence[Count], quotes: Sequence[tuple[str, Quote]], picked: Collection[str], book: Codebook, marks: Mapping[str, str]
) -> str:
    """Tables and quotes of one version of the codebook. `quotes` and `picked` go by key; `marks` say what each column is."""
    columns = list(dict.fromkeys(one.column for one in counts))
    cells = {(one.code_id, one.column, one.topic): one for one in counts}
    topics = [topic for topic in dict.fromkeys(one.topic for one in counts) if topic is not None]
    parts = [f'<h4 class="ps-led-found">Codes by column (codebook version {book.version})</h4>', _table(cells, columns, None, book)]
    if len(topics) > 1:
        inner = "".join(f"<h5>{escape(topic or 'No topic')}</h5>{_table(cells, columns, topic, book)}" for topic in topics)
        parts.append(folded(f"By topic ({len(topics)})", inner))
    named = ", ".join(f"{title(name)} ({marks.get(name, '')})" for name in columns)
    return page("".join(parts) + messages.note(f"{COUNTS_NOTE} Columns: {named}.") + _quotes(quotes, picked, book, marks))


def _table(cells: Mapping[tuple[str, str, str | None], Count], columns: Sequence[str], topic: str | None, book: Codebook) -> str:
    """Codes that an answer carries, or may carry; the others in a sentence."""
    used = [code for code in book.codes if any(cells[code.id, name, topic].coded or cells[code.id, name, topic].open for name in columns)]
    unused = [code.name for code in book.codes if code not in used]
    rows = [[code.name, *(_cell(cells[code.id, name, topic]) for name in columns)] for code in used]
    table = messages.table(["Code", *map(title, columns)], rows, tuple(range(1, len(columns) + 1))) if rows else ""
    return table + (messages.note(f"On no answer: {', '.join(unused)}.") if unused else "")


def _cell(one: Count) -> str:
    return f"{one.coded} of {one.answers}" + (f", {one.open} open" if one.open else "")


def _quotes(quotes: Sequence[tuple[str, Quote]], picked: Collection[str], book: Codebook, marks: Mapping[str, str]) -> str:
    head = '<h4 class="ps-led-found">Quotes for the report</h4>'
    if not quotes:
        return head + messages.note("No words carry a code that holds.")
    parts = [head, messages.note("Tick what goes into the report. A tick is kept at once; “Results” makes the report.")]
    first = quotes[0][1].code_id
    for code in book.codes:
        own = [(key, one) for key, one in quotes if one.code_id == code.id]
        if own:
            ticked = sum(key in picked for key, _ in own)
            summary = f"{code.name}: {counted(len(own), 'quote')}" + f", {ticked} in the report" * bool(ticked)
            lines = "".join(_quote(key, one, key in picked, marks) for key, one in own)
            parts.append(folded(summary, lines, bool(ticked) or (not picked and code.id == first)))
    return "".join(parts)


def _quote(key: str, one: Quote, is_picked: bool, marks: Mapping[str, str]) -> str:
    source = f"on “{one.prompt}”{f', {one.topic}' if one.topic else ''}, marked by {counted(one.raters, 'rater')}"
    return (
        f'<label class="ps-led-quote" style="--side:{colour(one.column)}"><input type="checkbox" data-quote="{escape(key)}"{" checked" if is_picked else ""}>'
        f'<span><q>{escape(one.text)}</q><span class="ps-led-quote-source"><b>{escape(title(one.column))}</b> <span class="ps-mark">{escape(marks.get(one.column, ""))}</span> '
        f"{escape(source)}</span></span></label>"
    )
