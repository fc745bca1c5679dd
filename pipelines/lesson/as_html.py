"""A handout as one HTML file that opens offline and prints on A4 or Letter."""

from __future__ import annotations

from functools import singledispatch
from html import escape

from pipelines.lesson.document import Block, Break, Document, Grid, Heading, Items, Lines, Text

STYLE = """
:root { color-scheme: light; } * { box-sizing: border-box; }
body { font: 11pt/1.45 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1f2733; background: #fff; max-width: 46rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 1.5rem 0 .3rem; break-after: avoid; } h3 { font-size: 1rem; margin: 1rem 0 .2rem; }
.sub { color: #4d5665; margin: 0 0 .6rem; } .warn { border: 1px solid #9aa3b0; border-radius: 6px; padding: .4rem .7rem; margin: 0 0 1rem; }
p, ul, ol { margin: .25rem 0 .5rem; } li { margin: .15rem 0; } .label { font-weight: 600; margin: .5rem 0 .1rem; break-after: avoid; }
.write { border-bottom: 1px solid #9aa3b0; height: 1.9rem; } table { border-collapse: collapse; width: 100%; margin: .5rem 0; table-layout: fixed; }
th, td { border: 1px solid #9aa3b0; padding: .3rem .45rem; text-align: left; vertical-align: top; font-size: .92em; overflow-wrap: anywhere; } td:empty { height: 2.1rem; }
tr, .lines { break-inside: avoid; } .page { break-before: page; } @media print { body { margin: 0; max-width: none; padding: 0; } @page { margin: 16mm; } }
"""


def render(document: Document) -> bytes:
    """The file, in UTF-8."""
    body = "\n".join(_html(block) for block in document.blocks)
    return (
        f'<!doctype html>\n<html lang="{escape(document.language)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(document.title)}</title><style>{STYLE}</style></head><body>\n"
        f'<h1>{escape(document.title)}</h1><p class="sub">{escape(document.subtitle)}</p><p class="warn">{escape(document.warning)}</p>\n'
        f"{body}\n</body></html>\n"
    ).encode()


@singledispatch
def _html(block: Block) -> str:
    raise TypeError(f"no HTML for {type(block).__name__}")


@_html.register
def _heading(block: Heading) -> str:
    return f"<h{block.level + 1}>{escape(block.text)}</h{block.level + 1}>"


@_html.register
def _text(block: Text) -> str:
    label = f"<b>{escape(block.label)}:</b> " if block.label else ""
    return f"<p>{label}{escape(block.text)}</p>"


@_html.register
def _items(block: Items) -> str:
    kind = "ol" if block.numbered else "ul"
    label = f'<p class="label">{escape(block.label)}</p>' if block.label else ""
    return f"{label}<{kind}>{''.join(f'<li>{_item(one)}</li>' for one in block.items)}</{kind}>"


def _item(one: str | tuple[str, str]) -> str:
    return escape(one) if isinstance(one, str) else f"<b>{escape(one[0])}</b> {escape(one[1])}"


@_html.register
def _lines(block: Lines) -> str:
    return f'<div class="lines"><p class="label">{escape(block.label)}</p>{"<div class=write></div>" * block.count}</div>'


@_html.register
def _grid(block: Grid) -> str:
    widths = "".join(f'<col style="width:{share:.0%}">' for share in block.widths)
    head = "".join(f"<th>{escape(cell)}</th>" for cell in block.head)
    rows = [*block.rows, *[("",) * len(block.head)] * block.empty]
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><colgroup>{widths}</colgroup><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@_html.register
def _break(block: Break) -> str:
    return '<div class="page"></div>'
