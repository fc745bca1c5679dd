"""What a cause of failure is, and how it is tried: confirm, break, be told, let the doctor come, go on."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipelines import health
from pipelines.errors import StudioError
from pipelines.models import catalog
from pipelines.paths import Paths

Look = Callable[[], Any]
Page = Callable[[Exception], str]


@dataclass(frozen=True)
class Fault:
    """One named cause of failure.

    `do` runs up to its one `yield`: things are confirmed, something breaks, people are told. There the doctor comes; what follows the
    `yield` shows that things go on. `says` are words that people must read ("" where they notice nothing), `finds` words of what the
    doctor finds wrong ("" where nothing on the disk is), `mends` whether the doctor finds nothing of it after --repair. `models`: it is about model
    files, which the doctor else leaves out here, since their sums take a while.
    """

    name: str
    do: Callable[[Scene], Generator[None, None, None]]
    says: str = ""
    finds: str = ""
    mends: bool = True
    models: bool = False


@dataclass
class Scene:
    """A studio of its own, below `folder`, and what is noted while something happens to it."""

    folder: Path
    kept: dict[str, tuple[Look, Any]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    went_on: list[str] = field(default_factory=list)

    @property
    def paths(self) -> Paths:
        return Paths(self.folder / "home")

    def confirm(self, what: str, look: Look, out_of_reach: bool = False) -> None:
        """From now on `look` must give what it gives now. `out_of_reach`: not before the doctor was there, since its file is damaged."""
        found = look()
        assert found, f"there is nothing to lose: {what}"
        self.kept[what] = (look, found)
        if out_of_reach:
            self.lost.add(what)

    def check(self, when: str) -> None:
        """Raises AssertionError where something that was confirmed is not as it was."""
        for what, (look, found) in self.kept.items():
            if what in self.lost:
                continue
            assert look() == found, f"{what}: not as confirmed {when}"

    def tell(self, attempt: Callable[[], Any], page: Page | None = None) -> str:
        """What a person reads who does this: the page that it gives, or the sentence of its error.

        `page` is what the page in question makes of an error. Without it any error but StudioError is the caller's to see.
        """
        try:
            told = attempt()
        except StudioError as error:
            told = page(error) if page else f"{error.message} {error.hint}"
        except Exception as error:
            if page is None:
                raise
            told = page(error)
        self.said.append(words(told))
        return self.said[-1]

    def goes_on(self, what: str, is_so: Any) -> None:
        """Notes what works again. Raises AssertionError where it does not."""
        assert is_so, f"does not go on: {what}"
        self.went_on.append(what)


@dataclass(frozen=True)
class Outcome:
    """What came of a fault: what was confirmed and is still there, what people read, what the doctor found and did, what went on."""

    kept: tuple[str, ...]
    said: str
    found: tuple[str, ...]
    done: tuple[str, ...]
    left: tuple[str, ...]
    went_on: tuple[str, ...]

    def problems(self, fault: Fault) -> list[str]:
        """In what this is not what the fault says must come of it."""
        finds = [one for one in self.found if fault.finds and fault.finds in one]
        wrong = {
            f"people do not read “{fault.says}”": fault.says not in self.said,
            "people read a traceback": "Traceback" in self.said,
            f"the doctor does not find “{fault.finds}”": bool(fault.finds) and not finds,
            f"the doctor finds what is not there: {self.found}": not fault.finds and bool(self.found),
            f"the doctor finds it still: {self.left}": fault.mends and bool(self.left),
            "the doctor did nothing": bool(fault.finds) and fault.mends and not self.done,
        }
        return [what for what, is_so in wrong.items() if is_so]


def attempt(fault: Fault, folder: Path) -> Outcome:
    """Goes the whole way with a fault. Raises AssertionError where something confirmed was lost, or things do not go on."""
    scene = Scene(folder)
    with closing(fault.do(scene)) as acts:
        next(acts)
        assert scene.kept, "nothing was confirmed"
        scene.check("after it broke")
        found = diagnosis(scene.paths, fault.models)
        done = tuple(repaired(scene.paths, fault.models)) if found else ()
        left = diagnosis(scene.paths, fault.models)
        scene.lost.clear()
        scene.check("after the repair")
        for _ in acts:
            raise AssertionError("a scenario yields once")
    scene.check("at the end")
    assert scene.went_on, "nobody looked whether it goes on"
    return Outcome(tuple(scene.kept), " ".join(scene.said), found, done, left, tuple(scene.went_on))


def diagnosis(paths: Paths, models: bool = False) -> tuple[str, ...]:
    """What the doctor finds wrong below a STUDIO_HOME; the packaged weights, which no scenario touches, are read once."""
    with patch.object(catalog, "verify", _verified):
        return tuple(f"{row['what']}: {row['found']}" for row in health.examine(paths, models=models) if not row["ok"])


def repaired(paths: Paths, models: bool = False) -> list[str]:
    """Lets the doctor repair or quarantine what it can, and returns its words about it."""
    with patch.object(catalog, "verify", _verified), patch.object(health, "READS_MUCH", health.READS_MUCH if models else {}):
        return health.repair(paths)


_verified = cache(catalog.verify)


def words(told: Any) -> str:
    """What a person reads of a page or a value."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", str(told))).split())


def digest(folder: Path) -> tuple[tuple[str, str], ...]:
    """Name and SHA-256 of every file below a folder, or of the file itself; locks and files being written do not count."""
    files = [folder] if folder.is_file() else sorted(one for one in folder.rglob("*") if one.is_file())
    kept = [one for one in files if not one.name.endswith((".lock", ".tmp"))]
    return tuple(
        (one.name if one == folder else str(one.relative_to(folder)), hashlib.sha256(one.read_bytes()).hexdigest()) for one in kept
    )
