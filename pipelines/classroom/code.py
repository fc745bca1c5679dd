"""The class code: six letters on the screen that let a phone in."""

from __future__ import annotations

import secrets

LETTERS = "CDFHJKMNPRTVWXY"  # none looks like another one or like a digit, and without vowels they spell no word
LENGTH = 6


def new_code() -> str:
    """One of eleven million."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def spaced(code: str) -> str:
    """As people read it: "CDF HJK"."""
    return f"{code[:3]} {code[3:]}"


def plain(typed: str) -> str:
    """What was typed, without spaces, hyphens and small letters; nothing beyond the first few signs is looked at."""
    return "".join(letter for letter in typed[:40].upper() if letter.isalpha())


def is_right(typed: str, code: str) -> bool:
    """Whether it is the code, in a time that tells nothing about how much of it was right."""
    return bool(code) and secrets.compare_digest(plain(typed).encode("utf-8", "replace"), code.encode())
