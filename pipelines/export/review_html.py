"""Small pieces of a report's page. Every word that goes in is escaped here, and nowhere is a word taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from pipelines.paths import ASSETS

HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
LONG = re.compile(r"\S{25}")
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{css}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def page(title: str, body: Iterable[str]) -> str:
    """A whole file that fetches nothing and runs nothing. `body` is markup already."""
    return visible(PAGE.format(title=escape(title), css=(ASSETS / "report.css").read_text(encoding="utf-8"), body="\n".join(body)))


def visible(text: str) -> str:
    """The same with signs that change the direction of writing, and other control signs, written out: "[U+202E]"."""
    return HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def tag(name: str, text: str, kind: str = "") -> str:
    """One element with words in it."""
    given = f' class="{escape(kind)}"' if kind else ""
    return f"<{name}{given}>{escape(text)}</{name}>"


def notice(text: str) -> str:
    """What must be read before anything else."""
    return f'<p class="mark" role="note">{escape(text)}</p>'


def section(heading: str, parts: Iterable[str]) -> str:
    """A heading and what stands under it (markup); nothing where there is nothing."""
    inner = "\n".join(part for part in parts if part)
    return f"<section>\n{tag('h2', heading)}\n{inner}\n</section>" if inner else ""


def items(texts: Sequence[str]) -> str:
    return f"<ul>\n{''.join(tag('li', text) for text in texts)}\n</ul>" if texts else ""


def findings(texts: Sequence[str]) -> str:
    """A list in which the first sentence of each text, its result, stands out."""
    parts = [text.partition(". ") for text in texts]
    made = "".join(f"<li>{tag('b', first + dot.strip())} {escape(rest)}</li>" for first, dot, rest in parts)
    return f"<ul>\n{made}\n</ul>" if made else ""


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names with what they are."""
    return f"<dl>{''.join(tag('dt', name) + tag('dd', value) for name, value in rows)}</dl>"


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """On a narrow screen every cell stands on its own line under its heading. Nothing where there are no rows."""
    if not rows:
        return ""
    top = "".join(f'<th scope="col"{_long(one)}>{escape(one)}</th>' for one in head)
    return f"<table>{tag('caption', caption)}<thead><tr>{top}</tr></thead><tbody>{''.join(_row(head, row) for row in rows)}</tbody></table>"


def _row(head: Sequence[str], row: Sequence[str]) -> str:
    cells = "".join(
        f'<td data-label="{escape(name)}"{_long(cell)}>{escape(cell)}</td>' for name, cell in zip(head[1:], row[1:], strict=True)
    )
    return f'<tr><th scope="row"{_long(row[0])}>{escape(row[0])}</th>{cells}</tr>'


def _long(cell: str) -> str:
    """Marks a cell that may break within a word: where no page is wide enough for it."""
    return ' class="long"' if LONG.search(cell) else ""


def bar(heading: str, said: str, value: float, thick: tuple[float, float], thin: tuple[float, float] | None, ends: tuple[str, str]) -> str:
    """A share on a line from 0 to 1 with a mark at one half, and its intervals; drawn with borders, which printers do not leave out."""
    wide = f'<i class="wide" style="{_from_to(*thin)}"></i>' if thin else ""
    marks = (
        f'<i class="half"></i><i class="exact" style="{_from_to(*thick)}"></i>{wide}<i class="point" style="left:{100 * value:.2f}%"></i>'
    )
    return (
        f'<div class="rate">{tag("b", heading)}<div class="track" role="img" aria-label="{escape(said)}">{marks}</div>'
        f'<div class="ends">{tag("span", ends[0])}{tag("span", said)}{tag("span", ends[1])}</div></div>'
    )


def _from_to(low: float, high: float) -> str:
    return f"left:{100 * low:.2f}%;width:{100 * (high - low):.2f}%"


def quotation(words: str, source: str) -> str:
    return f"<blockquote>{tag('p', words)}{tag('p', source, 'muted')}</blockquote>"


def folded(summary: str, text: str) -> str:
    """Long text that opens when asked and is left out on paper."""
    return f"<details>{tag('summary', summary)}<pre>{escape(text)}</pre></details>"
