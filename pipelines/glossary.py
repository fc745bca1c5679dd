"""The words of the interface that need explaining, from assets/glossary.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.paths import ASSETS, read_yaml

FILE = ASSETS / "glossary.yaml"
MOST_BYTES = 1 << 17
LONGEST = 60  # words of an explanation: it must fit beside the word on a phone
HINT = "Compare it with the entries that ship with the studio."


@dataclass(frozen=True)
class Term:
    """One word. `found` are its spellings in running text, `labels` names of fields that mean it, `says` explains it.

    Raises StudioError for one without a name or an explanation, or with an explanation of more than LONGEST words.
    """

    key: str
    term: str
    says: str
    found: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.key.isalnum() or not self.term.strip() or not self.says.strip():
            raise StudioError(f"The glossary's entry “{self.key}” lacks a name or an explanation.", HINT)
        if len(self.says.split()) > LONGEST:
            raise StudioError(f"The explanation of “{self.term}” is longer than {LONGEST} words.", "Say it shorter.")


@cache
def terms() -> tuple[Term, ...]:
    """All words that ship with the studio, by name."""
    return read(FILE)


def read(file: Path) -> tuple[Term, ...]:
    """The words of a file, by name. Raises StudioError where it can't be read or a spelling stands for two words."""
    try:
        raw = read_yaml(file, MOST_BYTES)
    except (OSError, ValueError) as error:
        raise StudioError(f"The glossary {file.name} can't be read.", HINT) from error
    if not isinstance(raw, dict):
        raise StudioError(f"The glossary {file.name} is not a list of words.", HINT)
    listed = sorted((_term(str(key), one) for key, one in raw.items()), key=lambda one: one.term.lower())
    _refuse_double([(one.key, spelling) for one in listed for spelling in one.found], "spelling")
    _refuse_double([(one.key, label) for one in listed for label in one.labels], "label")
    return tuple(listed)


def _term(key: str, one: Any) -> Term:
    if not isinstance(one, dict) or not set(one) <= {"term", "says", "found", "labels"}:
        raise StudioError(f"The glossary's entry “{key}” is not of the form term, found, labels, says.", HINT)
    return Term(key, str(one.get("term", "")), str(one.get("says", "")), _texts(one, "found"), _texts(one, "labels"))


def _texts(one: dict[str, Any], name: str) -> tuple[str, ...]:
    listed = one.get(name) or []
    if not isinstance(listed, list) or not all(isinstance(text, str) and text.strip() for text in listed):
        raise StudioError(f"“{name}” of the glossary's entry “{one.get('term')}” is not a list of words.", HINT)
    return tuple(listed)


def _refuse_double(pairs: list[tuple[str, str]], what: str) -> None:
    owners: dict[str, str] = {}
    for key, text in pairs:
        if owners.setdefault(text.lower(), key) != key or [one for _, one in pairs].count(text) > 1:
            raise StudioError(f"The {what} “{text}” stands in the glossary twice.", "Leave it with the word that it means.")
