"""How a text is found in a catalogue: as it stands, by a pattern, sentence by sentence, or part by part.

`studio/languages/translate.js` does the same on the page; a browser test holds the two to each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pipelines.languages.units import TAG, is_balanced

WORD = re.compile(r"[A-Za-z]{2,}")
SLOT = re.compile(r"\{(#?\d|s)\}")
NUMBER, ANYTHING, PLURAL = r"([-−+±≥≤<>~]?\s?\d(?:[\d,.]*\d)?%?)", r"(.+?)", "(?:s|es)?"
SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=[A-Z“‘(\d<])")
BOUNDARY = re.compile(r"[.!?…]\s+(?=[A-Z“‘\d])")
ENDS = {".": "。", ":": "：", "…": "…", "?": "？", "!": "！", ",": "，"}
JOINTS = ((" · ", " · "), ("; ", "；"), (": ", "："), (" – ", " – "), (" | ", " | "), (", ", "，"))
VERBATIM = re.compile(r"<(?:code|kbd|q)>\{(\d)\}</")  # a slot that holds a quotation
BRACKETED = re.compile(r"(.+?) \(([^()]+)\)")
DEEPEST = 4


@dataclass(frozen=True)
class Pattern:
    """An English text with slots ({1} any text, {#1} a number, {s} the ending of a plural) and what it becomes."""

    source: str
    target: str

    @cached_property
    def literal(self) -> int:
        """How many characters of it must stand in a text: the more, the earlier it is tried."""
        return len(SLOT.sub("", self.source))

    @cached_property
    def regex(self) -> re.Pattern[str]:
        parts = SLOT.split(self.source)
        made = "".join(re.escape(part) if at % 2 == 0 else _slot(part) for at, part in enumerate(parts))
        return re.compile(made, re.DOTALL | re.IGNORECASE)

    @cached_property
    def names(self) -> list[str]:
        return [slot for slot in SLOT.findall(self.source) if slot != "s"]

    @cached_property
    def verbatim(self) -> set[str]:
        """The slots whose text stays as it is."""
        return {name for name in self.names if name.startswith("#")} | set(VERBATIM.findall(self.source))


def _slot(name: str) -> str:
    return PLURAL if name == "s" else NUMBER if name.startswith("#") else ANYTHING


class Phrases:
    """A catalogue, ready to be asked."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        texts = {" ".join(source.split()): target for source, target in texts.items()}
        self.exact = {source: target for source, target in texts.items() if not SLOT.search(source)}
        made = [Pattern(source, target) for source, target in texts.items() if SLOT.search(source)]
        self.patterns = sorted(made, key=lambda one: (-one.literal, one.source))

    def say(self, text: str, depth: int = 0) -> str | None:
        """The text in the other language; itself where it holds no word; None where nothing of it is known."""
        core = text.strip()
        if not WORD.search(core):
            return text
        found = self._known(core, depth)
        if found is None and depth < DEEPEST:
            found = self._tagged(core, depth) if TAG.search(core) else self._sentences(core, depth) or self._parts(core, depth)
        return None if found is None else text.replace(core, found, 1)

    def _known(self, core: str, depth: int) -> str | None:
        found = self._exact(core)
        if found is None:
            found = self._by_pattern(core, depth)
        if found is None and core[-1] in ENDS and len(core) > 1:
            shorter = self._exact(core[:-1].rstrip()) or self._by_pattern(core[:-1].rstrip(), depth)
            found = None if shorter is None else shorter + ENDS[core[-1]]
        return found

    def _exact(self, core: str) -> str | None:
        for one in (core, core[0].swapcase() + core[1:]):
            if one in self.exact:
                return self.exact[one]
        return None

    def _by_pattern(self, core: str, depth: int) -> str | None:
        if depth > DEEPEST:
            return None
        for pattern in self.patterns:
            match = pattern.regex.fullmatch(core) if pattern.literal < len(core) + 1 else None
            if match and not any(BOUNDARY.search(text) for text in match.groups()):
                return self._filled(pattern, match.groups(), depth)
        return None

    def _filled(self, pattern: Pattern, groups: tuple[str, ...], depth: int) -> str:
        values = dict(zip(pattern.names, groups, strict=True))
        said = {name: value if name in pattern.verbatim else self.say(value, depth + 1) or value for name, value in values.items()}
        return SLOT.sub(lambda slot: said.get(slot[1], ""), pattern.target)

    def _tagged(self, core: str, depth: int) -> str | None:
        """Text with tags, sentence by sentence; None where not all of it is known or a tag spans two: then its texts are said one by one."""
        parts = SENTENCE.split(core)
        said = [self.say(part, depth + 1) for part in parts] if len(parts) > 1 and all(map(is_balanced, parts)) else [None]
        return None if None in said else "".join(part for part in said if part)

    def _sentences(self, core: str, depth: int) -> str | None:
        return self._joined(SENTENCE.split(core), "", depth)

    def _parts(self, core: str, depth: int) -> str | None:
        for joint, said in JOINTS:
            if joint in core and (found := self._joined(core.split(joint), said, depth)) is not None:
                return found
        if match := BRACKETED.fullmatch(core):
            outer, inner = (self.say(one, depth + 1) for one in match.groups())
            if outer is not None and WORD.search(match[1]):
                return f"{outer}（{inner or match[2]}）"
        return None

    def _joined(self, parts: list[str], joint: str, depth: int) -> str | None:
        """The parts with what is known of them said; None where nothing with a word in it is known."""
        if len(parts) < 2:
            return None
        said = [self.say(part, depth + 1) for part in parts]
        if not any(one is not None and WORD.search(part) for one, part in zip(said, parts, strict=True)):
            return None
        whole = said[0] if said[0] is not None else parts[0]
        for before, one, part in zip(said, said[1:], parts[1:], strict=False):
            whole += (joint if one is not None and before is not None else joint or " ") + (part if one is None else one)
        return whole
