"""What is translated as one: a run of text with its inline tags, as a reader sees it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

INLINE = frozenset({"a", "abbr", "b", "code", "em", "i", "kbd", "mark", "q", "small", "strong", "sub", "sup", "u"})
SILENT = frozenset({"script", "style", "pre", "textarea", "svg"})  # what stands in them is no sentence of ours
TAG = re.compile(r"</?([a-z]+)>")
SPACE = re.compile(r"\s+")


def units(html: str) -> list[str]:
    """The runs of text in HTML, in reading order: inline tags stay, without attributes; every other tag ends a run."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.done()


def texts(unit: str) -> list[str]:
    """What stands between the tags of a unit."""
    return [text for text in TAG.sub("\0", unit).split("\0") if text.strip()]


def is_balanced(text: str) -> bool:
    """Whether every tag in it is opened and closed there."""
    opened: list[str] = []
    for tag in TAG.finditer(text):
        if tag[0][1] != "/":
            opened.append(tag[1])
        elif not opened or opened.pop() != tag[1]:
            return False
    return not opened


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.now = ""
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self.silent.append(tag)
        if tag in INLINE:
            self.now += f"<{tag}>"
        else:
            self._end()
        self.found += [text for name, text in attrs if name in ("title", "aria-label", "placeholder", "alt") and text]

    def handle_endtag(self, tag: str) -> None:
        if self.silent and self.silent[-1] == tag:
            self.silent.pop()
        if tag in INLINE:
            self.now += f"</{tag}>"
        else:
            self._end()

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.now += data

    def _end(self) -> None:
        if any(TAG.sub("", self.now).strip()):
            self.found.append(bare(SPACE.sub(" ", self.now).strip()))
        self.now = ""

    def done(self) -> list[str]:
        self._end()
        return self.found


def bare(unit: str) -> str:
    """A unit without tags that enclose all of it, and without those that have lost their other half."""
    whole = re.fullmatch(r"<([a-z]+)>((?:(?!</?\1>).)*)</\1>", unit)
    if whole:
        return bare(whole[2].strip())
    opened: list[tuple[str, int, int]] = []
    lost: list[tuple[int, int]] = []
    for tag in TAG.finditer(unit):
        if tag[0][1] != "/":
            opened.append((tag[1], *tag.span()))
        elif opened and opened[-1][0] == tag[1]:
            opened.pop()
        else:
            lost.append(tag.span())
    for begin, end in sorted([*lost, *((begin, end) for _, begin, end in opened)], reverse=True):
        unit = unit[:begin] + unit[end:]
    return unit.strip()
