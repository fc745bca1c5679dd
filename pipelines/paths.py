"""Where everything lies on disk, and how it gets there whole: temporary name first, then rename."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs

from pipelines.entries import is_torn
from pipelines.errors import StudioError

PROJECT = Path(__file__).resolve().parent.parent
ASSETS = PROJECT / "assets"
DEEPEST_YAML = 20
_BEGUN = time.time() - time.monotonic()
LONGEST_NAME = 200  # bytes of a file's name; what we add to it must fit too


@dataclass(frozen=True)
class Paths:
    """The folders of one studio. `root` is STUDIO_HOME, or the user's data folder."""

    root: Path

    @classmethod
    def from_environment(cls) -> Paths:
        """Paths below STUDIO_HOME; without it below the platform's folder for user data."""
        chosen = os.environ.get("STUDIO_HOME", "").strip()
        return cls(Path(chosen).expanduser().resolve() if chosen else platformdirs.user_data_path("politune-studio"))

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def drafts(self) -> Path:
        return self.root / "drafts"

    @property
    def replies(self) -> Path:
        """Replies of language models behind an endpoint, by content hash."""
        return self.root / "replies"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def adapters(self) -> Path:
        """Adapters that were brought in from elsewhere."""
        return self.root / "adapters"

    @property
    def results(self) -> Path:
        return self.root / "results"

    @property
    def measured(self) -> Path:
        """What columns answered to each instrument, by hash, so that nothing is asked twice."""
        return self.root / "measured"

    @property
    def comparisons(self) -> Path:
        """Comparisons that links open, by id."""
        return self.root / "comparisons"

    @property
    def batches(self) -> Path:
        """Prompt sets that were asked of several columns, a folder each."""
        return self.root / "batches"

    @property
    def reviews(self) -> Path:
        """The database of frozen reviews and their ballots."""
        return self.root / "reviews"


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yields a temporary folder beside `target`, which takes its name only if the block ends without an error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.tmp"
    temporary.mkdir()
    try:
        yield temporary
        for one in (*temporary.rglob("*"), temporary):
            settle(one)
        old = temporary.with_suffix(".old")
        if target.exists() and not _exchanged(temporary, target):
            target.rename(old)
        if not target.exists():
            temporary.rename(target)
        settle(target.parent)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Swaps two names at once, so that at no moment there is neither; False where the system can't (the doctor mends what may come of that)."""
    swap = _swapping()
    return swap is not None and swap(-100, os.fsencode(one), -100, os.fsencode(other), 2) == 0  # AT_FDCWD and RENAME_EXCHANGE


@cache
def _swapping() -> Callable[..., int] | None:
    """Linux' renameat2; None elsewhere."""
    import ctypes
    import sys

    try:
        swap = ctypes.CDLL(None).renameat2 if sys.platform == "linux" else None
    except (OSError, AttributeError):
        return None
    if swap is not None:
        swap.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    return swap


def refuse_strangers(target: Path, marker: str) -> None:
    """Raises StudioError where `target` holds anything but an earlier result of ours, which has a file called `marker`."""
    if target.is_file() or (target.is_dir() and any(target.iterdir()) and not (target / marker).is_file()):
        raise StudioError(f"{target} exists and holds other things.", "Nothing was changed; give a new or empty folder.")


def settle(path: Path) -> None:
    """Waits until the disk has a file, or the names in a folder: what was called saved must be there after the power was cut."""
    if path.is_symlink() or (os.name != "posix" and path.is_dir()):
        return
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(target: Path, text: str, settled: bool = False) -> None:
    """Writes a UTF-8 file so that a reader sees the old or the new text, never half of one; `settled`: also after a power cut."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        if settled:
            settle(temporary)
        os.replace(temporary, target)
        if settled:
            settle(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(target: Path, value: Any, settled: bool = False) -> None:
    """Writes indented JSON atomically; `settled` as in write_text."""
    write_text(target, json.dumps(value, indent=1, ensure_ascii=False) + "\n", settled)


def entry(folder: Path, name: Any) -> Path | None:
    """What is called so directly in a folder; None where a name could lead elsewhere, or no file can be called so."""
    usual = isinstance(name, str) and 0 < len(name.encode("utf-8", "replace")) <= LONGEST_NAME and not set(name) & set("/\\\0")
    return folder / name if usual and not name.startswith(".") and not is_torn(name) else None


def read_yaml(source: Path, most_bytes: int) -> Any:
    """Reads a small UTF-8 YAML file of plain values.

    Raises OSError, or ValueError where it is larger, no YAML, nested deeply (which takes minutes to parse), or refers to parts of itself
    (with which a few bytes become gigabytes).
    """
    import yaml

    if source.stat().st_size > most_bytes:
        raise ValueError("too large")
    text = source.read_text(encoding="utf-8")
    try:
        depth = 0
        for one in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(one, yaml.CollectionStartEvent) - isinstance(one, yaml.CollectionEndEvent)
            if isinstance(one, yaml.AliasEvent) or depth > DEEPEST_YAML:
                raise ValueError("it is nested too deeply" if depth > DEEPEST_YAML else "it refers to parts of itself")
        return yaml.safe_load(text)
    except (yaml.YAMLError, LookupError, AttributeError, TypeError, RecursionError) as error:  # the last four for words with a wrong tag
        raise ValueError(f"no plain YAML ({type(error).__name__})") from error


def read_json(source: Path) -> Any:
    """Reads a UTF-8 JSON file. Raises OSError, RecursionError, or ValueError where it is none or holds half characters, which we never write."""
    text = source.read_text(encoding="utf-8")
    value = json.loads(text)
    if "\\ud" in text or "\\uD" in text:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def sure_now() -> float:
    """Seconds since 1970 by which something may be called old: never more than a clock shows that nobody set since this process began.

    After a clock was set forwards or back, things are then kept for longer, and none is swept away early.
    """
    return min(time.time(), _BEGUN + time.monotonic())


def changed(file: Path) -> float:
    """When it was changed, in seconds since 1970; 0 where somebody deleted it just now."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def content_hash(value: Any) -> str:
    """SHA-256 of a JSON-like value in canonical form: the name by which artefacts refer to what they came from."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
