"""What people enter, upload or send, judged before it is used: numbers, words and small text files; and any value as a sentence can show it."""

from __future__ import annotations

import math
import reprlib
import unicodedata
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError, whole

UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs")  # Unicode categories without ink: control, format, halves, unassigned, spaces
LARGEST = 10**18  # beyond it nothing is a count, a share or a seed


def shown(value: Any, most: int = 80) -> str:
    """A value in one short line. Few bytes of YAML write out as gigabytes, and Python refuses to write out a very long number."""
    short = reprlib.Repr()
    short.maxlevel = 1
    short.maxstring = short.maxother = most
    try:
        text = short.repr(value) if not isinstance(value, str) else value[:most]
    except ValueError:
        text = "a number of thousands of digits"
    return printable(text[:most])


def printable(text: str) -> str:
    """The text with a question mark for whatever no page can show in a line: controls, line ends, half characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def number(value: Any, what: str, low: float = -LARGEST, high: float = LARGEST) -> float:
    """The number itself, or of a text that is one. Raises StudioError naming `what` where it is none, not finite or out of range."""
    found = _read(value)
    if found is None or not low <= found <= high:
        raise StudioError(f"{what} is {shown(value)}.", f"It must be a number{_limits(low, high)}.")
    return found


def whole_number(value: Any, what: str, low: float = -LARGEST, high: float = LARGEST) -> int:
    """The same for whole numbers, which sliders and browsers also send as 3.0."""
    found = _read(value)
    if found is None or found != math.floor(found) or not low <= found <= high:
        raise StudioError(f"{what} is {shown(value)}.", f"It must be a whole number{_limits(low, high)}.")
    return int(found)


def _limits(low: float, high: float) -> str:
    return f" between {low:g} and {high:g}" if (low, high) != (-LARGEST, LARGEST) else ""


def _read(value: Any) -> float | int | None:
    """A finite number, None for anything else; True is none, though Python counts with it."""
    if isinstance(value, str) and len(value) < 400:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def is_blank(text: str) -> bool:
    """Whether there is nothing to see in it: no letter, digit or sign, only spaces, controls and zero-width characters."""
    return all(unicodedata.category(letter) in UNSEEN for letter in text)


def is_torn(text: str) -> bool:
    """Whether it holds half a character (a lone surrogate), which no file, hash or browser takes."""
    return text != whole(text)


def file_text(path: Path, most_bytes: int, too_large: str) -> str:
    """The text of a small UTF-8 file. Raises StudioError where it can't be read, is no such text or larger; `too_large` is the hint then."""
    name = shown(path.name)
    try:
        if path.stat().st_size > most_bytes:
            raise StudioError(f"{name} is larger than {most_bytes >> 20} MB.", too_large)
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudioError(f"{name} is no UTF-8 text.", "Save it as CSV with UTF-8 encoding.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StudioError(f"{name} can't be read ({reason}).", "Check that it is still there, and its rights.") from error
