"""The commands that the docs tell people to type, and the files that they are told to save first.

A block that begins with three backticks and `sh` is run; `sh exit=0,1` may end with those codes, `sh not-run: REASON` is only read. One that
begins with a language and a file's name, such as `csv my-items.csv`, is that file.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from pipelines.paths import PROJECT

FENCE = re.compile(r"^```([a-z]*)(?: +([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN, EXIT = "not-run:", "exit="
PAGES = sorted([*(PROJECT / "docs").glob("*.md"), PROJECT / "README.md", PROJECT / "CONTRIBUTING.md"])
FILE = re.compile(r"[\w-]+\.(csv|jsonl|yaml|txt)")


@dataclass(frozen=True)
class Command:
    """One line: `words` without comments, the settings before it, why it is not run ("" where it is), and how it may end."""

    page: str
    words: tuple[str, ...]
    settings: tuple[str, ...]
    not_run: str
    exits: tuple[int, ...]

    @property
    def is_ours(self) -> bool:
        return self.words[:3] == ("python", "-m", "pipelines")

    @property
    def ours(self) -> tuple[str, ...]:
        """What `python -m pipelines` is given, also behind `accelerate launch`; () for another command."""
        if self.is_ours:
            return self.words[3:]
        place = next((n for n, word in enumerate(self.words) if word == "-m"), -1)
        return self.words[place + 2 :] if place >= 0 and self.words[place + 1] == "pipelines" else ()


def commands(page: Path) -> list[Command]:
    """Every command of a page's `sh` blocks, in order."""
    found = []
    for language, info, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if language != "sh":
            continue
        reason = info.removeprefix(NOT_RUN).strip() if info.startswith(NOT_RUN) else ""
        exits = tuple(map(int, info.removeprefix(EXIT).split(","))) if info.startswith(EXIT) else (0,)
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            settings = tuple(word for word in words if re.fullmatch(r"[A-Z_]+=.*", word))
            if words:
                found.append(Command(page.name, tuple(words[len(settings) :]), settings, reason, exits))
    return found


def files(page: Path) -> dict[str, str]:
    """The files that a page tells its readers to save, by name."""
    return {info: text for language, info, text in FENCE.findall(page.read_text(encoding="utf-8")) if FILE.fullmatch(info)}


def python_blocks(page: Path) -> list[str]:
    """The page's Python."""
    return [text for language, _, text in FENCE.findall(page.read_text(encoding="utf-8")) if language == "python"]
