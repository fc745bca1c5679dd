"""The catalogues of assets/languages: one YAML file a language, with its own name, its code, and a text for every English one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.languages.phrases import SLOT, Phrases
from pipelines.languages.units import TAG
from pipelines.paths import ASSETS, read_yaml

FOLDER = ASSETS / "languages"
MOST_BYTES = 4 << 20
CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,8})*")
HINT = "Compare it with the catalogue zh-Hans.yaml that ships with the studio."


@dataclass(frozen=True)
class Catalogue:
    """One language: `code` as in HTML's lang, `name` in its own words, `texts` from English to it."""

    code: str
    name: str
    texts: dict[str, str]

    @cached_property
    def phrases(self) -> Phrases:
        return Phrases(self.texts)


@cache
def catalogues() -> tuple[Catalogue, ...]:
    """All languages that ship with the studio besides English, by code."""
    return tuple(read(file) for file in sorted(FOLDER.glob("*.yaml")))


def read(file: Path) -> Catalogue:
    """The catalogue of a file. Raises StudioError where it can't be read, or a text's slots or tags are not those of the English one."""
    try:
        raw = read_yaml(file, MOST_BYTES)
    except (OSError, ValueError) as error:
        raise StudioError(f"The catalogue {file.name} can't be read.", HINT) from error
    if not isinstance(raw, dict) or set(raw) != {"name", "texts"} or not isinstance(raw["texts"], dict) or not CODE.fullmatch(file.stem):
        raise StudioError(f"{file.name} is no catalogue: it needs a language's code as its name, and the fields name and texts.", HINT)
    for source, target in raw["texts"].items():
        if problem := wrong(source, target):
            raise StudioError(f"{file.name}: {problem}", HINT)
    return Catalogue(file.stem, str(raw["name"]), raw["texts"])


def wrong(source: Any, target: Any) -> str:
    """What is wrong with one line of a catalogue, as a sentence; "" where nothing is."""
    if not isinstance(source, str) or not isinstance(target, str) or not source.strip() or not target.strip():
        return f"“{str(source)[:80]}” or its translation is no text. Put both in quotes."
    if {slot for slot in SLOT.findall(source) if slot != "s"} != set(SLOT.findall(target)) - {"s"}:
        return f"the translation of “{source[:80]}” has other slots than the English text."
    if sorted(TAG.findall(source)) != sorted(TAG.findall(target)):
        return f"the translation of “{source[:80]}” has other tags than the English text."
    return ""
