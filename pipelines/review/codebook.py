"""Codebooks: what raters may say about an answer besides voting, each code with a definition, examples and counterexamples.

A codebook never changes. Whoever changes a definition makes the next version; what was coded stays with the version it was coded by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines import paths
from pipelines.bundled import DATA
from pipelines.entries import shown
from pipelines.errors import StudioError

STARTER_FILE = "codebook.yaml"
MAX_FILE_BYTES = 1 << 17
MOST_CODES = 60
LONGEST = {"id": 40, "name": 60, "definition": 1500, "examples": 500, "counterexamples": 500}
MOST_EXAMPLES = 10
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FORM = "A codebook is a YAML file with `version` and `codes`; each code has id, name, definition, examples and counterexamples."


@dataclass(frozen=True)
class Code:
    """One code. The definition says when to use it and when not; examples carry the code, counterexamples only look as if.

    Raises StudioError for a code without id, name or definition, or with a part that is no text or too long.
    """

    id: str
    name: str
    definition: str
    examples: tuple[str, ...] = ()
    counterexamples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("id", "name", "definition"):
            object.__setattr__(self, name, _text(getattr(self, name), name, self.id))
        for name in ("examples", "counterexamples"):
            object.__setattr__(self, name, _texts(getattr(self, name), name, self.id))
        if not ID.fullmatch(self.id):
            raise StudioError(f"“{self.id}” can't be the id of a code.", "Use small letters, digits and hyphens, such as no-stance.")


@dataclass(frozen=True)
class Codebook:
    """One version of a list of codes; versions count from 1.

    Raises StudioError for a version that is no such number, no codes or too many, or an id or a name that stands there twice.
    """

    version: int
    codes: tuple[Code, ...]

    def __post_init__(self) -> None:
        if isinstance(self.version, bool) or not isinstance(self.version, int) or not 1 <= self.version < 10**6:
            raise StudioError("A codebook has a version that is no number.", "Count versions 1, 2, 3 and so on.")
        if not 1 <= len(self.codes) <= MOST_CODES:
            raise StudioError(f"A codebook with {len(self.codes)} codes can't be used.", f"Give it 1 to {MOST_CODES} codes.")
        for what in ("id", "name"):
            seen = [getattr(code, what).lower() for code in self.codes]
            twice = next((one for one in seen if seen.count(one) > 1), None)
            if twice:
                raise StudioError(f"Two codes have the {what} “{twice}”.", "Give each code its own.")

    @property
    def hash(self) -> str:
        """SHA-256 over the version and every word of it."""
        return paths.content_hash(self.as_dict())

    def find(self, code_id: str) -> Code:
        """The code of that id. Raises StudioError where there is none."""
        found = next((code for code in self.codes if code.id == code_id), None)
        if found is None:
            shown = ", ".join(code.id for code in self.codes[:20])
            raise StudioError(f"Version {self.version} of the codebook has no code “{str(code_id)[:40]}”.", f"It has {shown}.")
        return found

    def revised(self, codes: Iterable[Code]) -> Codebook:
        """The next version, with these codes. Raises StudioError where nothing is changed."""
        made = Codebook(self.version + 1, tuple(codes))
        if made.codes == self.codes:
            raise StudioError("The codebook was not changed.", f"Go on with version {self.version}.")
        return made

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they stand in JSON and YAML."""
        rows = [{**asdict(one), "examples": list(one.examples), "counterexamples": list(one.counterexamples)} for one in self.codes]
        return {"version": self.version, "codes": rows}

    def to_yaml(self) -> str:
        """The file that `read_yaml` reads."""
        return yaml.safe_dump(self.as_dict(), sort_keys=False, allow_unicode=True, width=120)

    @classmethod
    def from_dict(cls, value: object) -> Codebook:
        """The codebook of plain values. Raises StudioError where they are none."""
        if not isinstance(value, Mapping) or set(value) != {"version", "codes"} or not isinstance(value["codes"], list | tuple):
            raise StudioError("This is no codebook.", FORM)
        return cls(value["version"], tuple(_code(number, row) for number, row in enumerate(value["codes"], 1)))


def changes(old: Codebook, new: Codebook) -> tuple[str, ...]:
    """What the newer version did, a sentence a code, in the order of the newer one; codes that were taken out come last."""
    before = {code.id: code for code in old.codes}
    said = []
    for code in new.codes:
        if code.id not in before:
            said.append(f"“{code.name}” is new.")
            continue
        parts = [one.name for one in fields(Code) if getattr(code, one.name) != getattr(before[code.id], one.name)]
        if parts:
            said.append(f"“{code.name}” has another {' and '.join(parts)}.")
    kept = {code.id for code in new.codes}
    return (*said, *(f"“{code.name}” was taken out." for code in old.codes if code.id not in kept))


def read_yaml(path: Path) -> Codebook:
    """A codebook from a YAML file. Raises StudioError where it can't be read or is none."""
    try:
        value = paths.read_yaml(path, MAX_FILE_BYTES)
    except (OSError, ValueError) as error:
        raise StudioError(f"The codebook {shown(path.name)} can't be read ({type(error).__name__}).", FORM) from error
    return Codebook.from_dict(value)


@cache
def starter() -> Codebook:
    """The codebook that ships with the studio."""
    return read_yaml(DATA / STARTER_FILE)


def _code(number: int, row: object) -> Code:
    known = {one.name for one in fields(Code)}
    if not isinstance(row, Mapping) or not all(isinstance(name, str) for name in row):
        raise StudioError(f"Code {number} of the codebook is no list of settings.", FORM)
    missing, unknown = {"id", "name", "definition"} - set(row), set(row) - known
    if missing or unknown:
        said = f"has no {', '.join(sorted(missing))}" if missing else f"has something called {', '.join(sorted(unknown))[:80]}"
        raise StudioError(f"Code {number} of the codebook {said}.", FORM)
    return Code(**row)


def _text(value: object, name: str, code: object) -> str:
    """One line of clean text; spaces at its ends are dropped."""
    shown = f"“{code[:40]}”" if isinstance(code, str) and code.strip() else "A code"
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise StudioError(f"{shown} has no usable text as {name}.", "Write it on one line, in quotation marks where YAML needs them.")
    if len(value.strip()) > LONGEST[name]:
        raise StudioError(f"{shown} has {len(value):,} characters as {name}; at most {LONGEST[name]:,} fit.", "Shorten it.")
    return value.strip()


def _texts(values: object, name: str, code: str) -> tuple[str, ...]:
    if not isinstance(values, list | tuple) or len(values) > MOST_EXAMPLES:
        raise StudioError(f"“{code}” has {name} that are no list of up to {MOST_EXAMPLES} texts.", FORM)
    return tuple(_text(value, name, code) for value in values)
