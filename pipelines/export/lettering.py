"""Letters on a picture: which font has them, how long a line is, where it is broken, and boxes for what no font has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

LEADING = 1.34
SCALE = 2  # a picture is drawn so many times larger and then made smaller: letters keep their distances, edges get smooth
NEVER = "\uffff"  # no letter, so a font answers with its sign for "not there"
SHIPPED = "templates/frontend/static/fonts/IBMPlexSans/IBMPlexSans-{weight}.woff2"
INSTALLED = (
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("Arial Unicode.ttf", "Arial Unicode.ttf"),
    ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"),
    ("PingFang.ttc", "PingFang.ttc"),
    ("msyh.ttc", "msyhbd.ttc"),
    ("malgun.ttf", "malgunbd.ttf"),
    ("segoeui.ttf", "segoeuib.ttf"),
    ("NotoSansArabic-Regular.ttf", "NotoSansArabic-Bold.ttf"),
    ("NotoSansDevanagari-Regular.ttf", "NotoSansDevanagari-Bold.ttf"),
    ("LeelawUI.ttf", "LeelaUIb.ttf"),
)

Run = tuple["FreeTypeFont | None", str]


def wrapped(text: str, size: int, bold: bool, wide: int, most: int = 10_000) -> tuple[str, ...]:
    """The text in lines of at most `wide` pixels; of more than `most` lines the last one ends with "…". At least one line."""
    lines = [line for paragraph in text.splitlines() or [""] for line in _lines(paragraph, size, bold, wide)]
    if len(lines) <= most:
        return tuple(lines)
    last = lines[most - 1]
    while last and length(f"{last}…", size, bold) > wide:
        last = last[:-1]
    return (*lines[: most - 1], f"{last.rstrip()}…")


def length(text: str, size: int, bold: bool) -> int:
    """Pixels from the first letter to the end of the last."""
    large = size * SCALE
    return round(sum(_long(font, piece, large) for font, piece in _runs(text, large, bold)) / SCALE)


def draw(target: ImageDraw, text: str, x: int, y: int, size: int, bold: bool, color: str) -> None:
    """Writes one line on a picture of SCALE times the size; its highest letters begin at about `y`."""
    large = size * SCALE
    place, foot = float(x * SCALE), y * SCALE + round(large * 0.98)
    for font, piece in _runs(text, large, bold):
        if font is not None:
            target.text((place, foot), piece, font=font, fill=color, anchor="ls")
        for number in range(len(piece) if font is None else 0):
            left = place + number * _long(None, "x", large)
            box = (left + 2 * SCALE, foot - round(large * 0.7), left + round(large * 0.52), foot)
            target.rectangle(box, outline=color, width=SCALE)
        place += _long(font, piece, large)


def missing(text: str) -> bool:
    """Whether some letter of the text is drawn as an empty box."""
    return any(font is None for font, _ in _runs(" ".join(text.split()), 20 * SCALE, False))


def _long(font: FreeTypeFont | None, piece: str, size: int) -> float:
    return len(piece) * round(size * 0.62) if font is None else font.getlength(piece)


def _lines(paragraph: str, size: int, bold: bool, wide: int) -> Iterator[str]:
    """Breaks between words, beside wide letters (which are written without spaces), and inside a word that is too long."""
    line = ""
    for piece in _pieces(paragraph):
        if length(line + piece.rstrip(), size, bold) <= wide:
            line += piece
            continue
        if line.strip():
            yield line.rstrip()
        line = ""
        for letter in piece:
            if line and length(line + letter, size, bold) > wide:
                yield line
                line = ""
            line += letter
    yield line.rstrip()


def _pieces(paragraph: str) -> Iterator[str]:
    for word in re.findall(r"\S+\s*|\s+", paragraph.replace("\t", "    ")):
        start = 0
        for place in range(1, len(word)):
            if "W" in (_width(word[place]), _width(word[place - 1])) and not word[place].isspace():
                yield word[start:place]
                start = place
        yield word[start:]


def _width(letter: str) -> str:
    return "W" if unicodedata.east_asian_width(letter) in "WF" else "N"


def _runs(text: str, size: int, bold: bool) -> list[Run]:
    """The line in pieces of one font each; None for letters that no font has. Signs without a width stay with their letter."""
    found: list[Run] = []
    for letter in text:
        kind = unicodedata.category(letter)
        if kind in ("Cc", "Cs", "Cn"):
            continue
        joins = letter.isspace() or kind in ("Mn", "Mc", "Me", "Cf")
        if joins and found and found[-1][0] is None and not letter.isspace():
            continue
        font = found[-1][0] if joins and found and found[-1][0] is not None else _font(letter, size, bold)
        if found and found[-1][0] is font:
            found[-1] = (font, found[-1][1] + letter)
        else:
            found.append((font, letter))
    return found


@lru_cache(maxsize=20_000)
def _font(letter: str, size: int, bold: bool) -> FreeTypeFont | None:
    """The first font that has the letter; spaces are everywhere."""
    first = _first(size, bold)
    if letter.isspace() or _has(first, letter):
        return first
    return next((font for names in INSTALLED if (font := _installed(names[bold], size)) and _has(font, letter)), None)


def _has(font: FreeTypeFont, letter: str) -> bool:
    """Pillow does not read a font's table of letters, so the picture of the letter is held against that of "not there"."""
    there, nothing = font.getmask(letter), font.getmask(NEVER)
    return (there.size, bytes(there)) != (nothing.size, bytes(nothing))


@lru_cache(maxsize=64)
def _first(size: int, bold: bool) -> FreeTypeFont:
    """IBM Plex Sans as gradio ships it; without it Pillow's own, which has English letters only."""
    from PIL import ImageFont

    spec = find_spec("gradio")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        try:
            return ImageFont.truetype(Path(folder) / SHIPPED.format(weight="Bold" if bold else "Regular"), size)
        except OSError:
            continue
    return ImageFont.load_default(size)  # type: ignore[return-value]


@lru_cache(maxsize=256)
def _installed(name: str, size: int) -> FreeTypeFont | None:
    """A font of the machine by its file name, which Pillow looks for in the platform's font folders."""
    from PIL import ImageFont

    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None
