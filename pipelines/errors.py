"""The one error that people see."""

from __future__ import annotations


class StudioError(Exception):
    """Something that a person can mend: `message` says what is wrong, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint
