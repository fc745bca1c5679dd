"""What a handout is made of, whatever file it becomes: headings, texts, lists, lines to write on and tables."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Heading:
    """`level` 1 is a section, 2 what stands below one."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Text:
    """A paragraph; `label` stands before it in bold."""

    text: str
    label: str = ""


@dataclass(frozen=True)
class Items:
    """A list; `numbered` where the order counts. An item of two texts has its first one in bold."""

    items: tuple[str | tuple[str, str], ...]
    numbered: bool = False
    label: str = ""


@dataclass(frozen=True)
class Lines:
    """Empty lines to write on, under a label."""

    label: str
    count: int = 2


@dataclass(frozen=True)
class Grid:
    """A table; `empty` rows without words stand below `rows`. `widths` are shares of the page."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = ()
    empty: int = 0
    widths: tuple[float, ...] = ()


@dataclass(frozen=True)
class Break:
    """What follows begins on a new page."""


Block = Heading | Text | Items | Lines | Grid | Break


@dataclass(frozen=True)
class Document:
    """A title, a line below it, a warning that every page bears, the blocks, and the language it is in, as in HTML's lang."""

    title: str
    subtitle: str
    warning: str
    blocks: tuple[Block, ...] = field(default=())
    language: str = "en"
