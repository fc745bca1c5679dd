"""The one error that people see, and how work is told to stop."""

from __future__ import annotations

from collections.abc import Callable

Cancel = Callable[[], bool]


LONGEST = 2000  # characters of a sentence; what people entered may stand in it


class StudioError(Exception):
    """Something that a person can mend: `message` says what is wrong, `hint` what to do.

    Both are cut at LONGEST and hold no half characters: a sentence about a megabyte of rubble must still reach the page.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = (_told(text) for text in (message, hint))
        super().__init__(f"{self.message} {self.hint}".strip())


def whole(text: str) -> str:
    """The text with half characters (lone surrogates) as question marks: no file, hash or browser takes them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _told(text: str) -> str:
    return whole(text) if len(text) <= LONGEST else f"{whole(text[: LONGEST // 2])} … {whole(text[-LONGEST // 2 :])}"


class Cancelled(Exception):
    """A person stopped a piece of work; what was finished stays on disk and is not computed again."""


def never() -> bool:
    """The answer of those who cannot cancel."""
    return False


def refuse_if(cancelled: Cancel) -> None:
    """Raises Cancelled where a person stopped the work."""
    if cancelled():
        raise Cancelled
