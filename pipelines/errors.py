"""The one error that people see, and how work is told to stop."""

from __future__ import annotations

from collections.abc import Callable

Cancel = Callable[[], bool]


class StudioError(Exception):
    """Something that a person can mend: `message` says what is wrong, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class Cancelled(Exception):
    """A person stopped a piece of work; what was finished stays on disk and is not computed again."""


def never() -> bool:
    """The answer of those who cannot cancel."""
    return False


def refuse_if(cancelled: Cancel) -> None:
    """Raises Cancelled where a person stopped the work."""
    if cancelled():
        raise Cancelled
