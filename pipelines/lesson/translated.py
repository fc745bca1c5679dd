"""A handout in another language: every text of it looked up in a catalogue; what stands in none stays English, as titles of books do."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from pipelines.errors import StudioError
from pipelines.languages.catalogue import Catalogue, catalogues
from pipelines.languages.phrases import Phrases
from pipelines.lesson.document import Document

ENGLISH = "en"


def languages() -> list[tuple[str, str]]:
    """(its own name, code) of every language that a handout can be had in."""
    return [("English", ENGLISH), *((one.name, one.code) for one in catalogues())]


def translated(document: Document, code: str) -> Document:
    """The document in a language of `languages`. Raises StudioError for any other."""
    if code == ENGLISH:
        return document
    return replace(_said(document, _catalogue(code).phrases), language=code)


def _catalogue(code: str) -> Catalogue:
    found = {one.code: one for one in catalogues()}
    if code not in found:
        raise StudioError(f"There is no handout in “{str(code)[:40]}”.", f"Choose {' or '.join((ENGLISH, *found))}.")
    return found[code]


def _said(part: Any, phrases: Phrases) -> Any:
    """A text, a tuple of parts, or a dataclass, with all texts in it said."""
    if isinstance(part, str):
        return phrases.say(part) or part
    if isinstance(part, tuple):
        return tuple(_said(one, phrases) for one in part)
    if hasattr(part, "__dataclass_fields__"):
        return replace(part, **{one.name: _said(getattr(part, one.name), phrases) for one in fields(part)})
    return part
