"""A handout as a PDF on A4, with the fonts that readers of PDF have (for Chinese, their own); nothing is fetched, the same texts give the same bytes."""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache, singledispatch
from html import escape
from io import BytesIO
from typing import Any

from pipelines.errors import StudioError
from pipelines.lesson.document import Block, Break, Document, Grid, Heading, Items, Lines, Text

MARGIN, FOOT = 51.0, 26.0  # points (1/72 inch)
FONTS = {
    "en": ("Helvetica", "Helvetica-Bold"),
    "zh": ("STSong-Light", "STSong-Light"),
}  # plain and bold, by the first part of a language's code
LINE_HEIGHT, EMPTY_ROW = 20.0, 26.0
HEADING_ROOM, LABEL_ROOM = 110.0, 55.0  # a heading, or a list's label, with less room below it goes to the next page
INK, SOFT, RULE = "#1f2733", "#4d5665", "#9aa3b0"
WRITTEN: ContextVar[str] = ContextVar("language", default="en")  # the language of the document that is being made
MISSING = StudioError(
    "The library that makes PDF files is not here.", "Install it with `pip install reportlab`, or make the handout as .html."
)


def render(document: Document) -> bytes:
    """The file. Raises StudioError where the library is missing."""
    try:
        from reportlab.lib.pagesizes import A4
        from reportlab.platypus import SimpleDocTemplate
    except ImportError as error:
        raise MISSING from error
    out, before = BytesIO(), WRITTEN.set(document.language)
    template = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN, invariant=1,
        title=document.title, subject=document.subtitle, author="PoliTune Studio", lang=document.language,
    )  # fmt: skip
    head = [_words(document.title, "title"), _words(document.subtitle, "sub"), _words(document.warning, "warn")]

    def foot(canvas: Any, page: Any) -> None:
        canvas.setFont(_fonts(document.language)[0], 8)
        canvas.setFillColor(SOFT)
        canvas.drawString(MARGIN, FOOT, document.warning)
        canvas.drawRightString(A4[0] - MARGIN, FOOT, str(page.page))

    try:
        template.build(
            [*head, *(flow for block in document.blocks for flow in _flows(block, template.width))], onFirstPage=foot, onLaterPages=foot
        )
    finally:
        WRITTEN.reset(before)
    return out.getvalue()


@cache
def _fonts(language: str) -> tuple[str, str]:
    """Plain and bold. A font that lies in no file of ours is named in the PDF, and its reader brings it."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    plain, bold = FONTS.get(language.partition("-")[0], FONTS["en"])
    if plain == bold:
        pdfmetrics.registerFont(UnicodeCIDFont(plain))
        pdfmetrics.registerFontFamily(plain, normal=plain, bold=plain, italic=plain, boldItalic=plain)
    return plain, bold


@cache
def _styles(language: str) -> dict[str, Any]:
    from reportlab.lib.styles import ParagraphStyle as Style

    usual, strong = _fonts(language)
    breaks = {"wordWrap": "CJK"} if usual == strong else {}
    plain = Style("plain", fontName=usual, fontSize=10, leading=14, textColor=INK, spaceAfter=4, **breaks)
    bold = {"fontName": strong, "keepWithNext": 1}
    return {
        "plain": plain,
        "title": Style("title", plain, fontName=strong, fontSize=18, leading=23, spaceAfter=2),
        "sub": Style("sub", plain, textColor=SOFT, spaceAfter=8),
        "warn": Style("warn", plain, borderColor=RULE, borderWidth=0.7, borderPadding=6, borderRadius=3, spaceBefore=6, spaceAfter=12),
        "1": Style("1", plain, fontSize=13, leading=17, spaceBefore=12, **bold),
        "2": Style("2", plain, fontSize=11, leading=15, spaceBefore=8, **bold),
        "label": Style("label", plain, spaceBefore=3, spaceAfter=1, **bold),
        "cell": Style("cell", plain, fontSize=9, leading=12, spaceAfter=0),
        "head": Style("head", plain, fontName=strong, fontSize=9, leading=12, spaceAfter=0),
    }


def _words(text: str, style: str = "plain", label: str = "") -> Any:
    from reportlab.platypus import Paragraph

    return Paragraph((f"<b>{escape(label, quote=False)}</b> " if label else "") + escape(text, quote=False), _styles(WRITTEN.get())[style])


@singledispatch
def _flows(block: Block, width: float) -> list[Any]:
    raise TypeError(f"no PDF for {type(block).__name__}")


@_flows.register
def _heading(block: Heading, width: float) -> list[Any]:
    from reportlab.platypus import CondPageBreak

    return [CondPageBreak(HEADING_ROOM), _words(block.text, str(block.level))]


@_flows.register
def _text(block: Text, width: float) -> list[Any]:
    return [_words(block.text, "plain", f"{block.label}:" if block.label else "")]


@_flows.register
def _items(block: Items, width: float) -> list[Any]:
    from reportlab.platypus import CondPageBreak, ListFlowable, ListItem

    texts = [_words(one) if isinstance(one, str) else _words(one[1], "plain", one[0]) for one in block.items]
    kind: dict[str, Any] = {"bulletType": "1"} if block.numbered else {"bulletType": "bullet", "start": "•"}
    listed = ListFlowable([ListItem(text) for text in texts], leftIndent=16, bulletFontSize=9, bulletColor=SOFT, **kind)
    return [CondPageBreak(LABEL_ROOM), _words(block.label, "label"), listed] if block.label else [listed]


@_flows.register
def _lines(block: Lines, width: float) -> list[Any]:
    from reportlab.platypus import KeepTogether, Spacer
    from reportlab.platypus.flowables import HRFlowable

    rules = [HRFlowable(width="100%", thickness=0.6, color=RULE, spaceBefore=LINE_HEIGHT, spaceAfter=0) for _ in range(block.count)]
    return [KeepTogether([_words(block.label, "label"), *rules, Spacer(1, 6)])]


@_flows.register
def _grid(block: Grid, width: float) -> list[Any]:
    from reportlab.platypus import Table

    shares = block.widths or (1 / len(block.head),) * len(block.head)
    rows = [[_words(cell, "head") for cell in block.head], *([_words(cell, "cell") for cell in row] for row in block.rows)]
    heights = [None] * len(rows) + [EMPTY_ROW] * block.empty
    rows += [[""] * len(block.head)] * block.empty
    style = [("GRID", (0, 0), (-1, -1), 0.6, RULE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    return [Table(rows, [share * width for share in shares], heights, repeatRows=1, style=style, spaceBefore=6, spaceAfter=8)]


@_flows.register
def _break(block: Break, width: float) -> list[Any]:
    from reportlab.platypus import PageBreak

    return [PageBreak()]
