"""Where everything lies on disk, and how it gets there whole: temporary name first, then rename."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from pipelines.errors import StudioError

PROJECT = Path(__file__).resolve().parent.parent
ASSETS = PROJECT / "assets"


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
        old = temporary.with_suffix(".old")
        if target.exists():
            target.rename(old)
        temporary.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def refuse_strangers(target: Path, marker: str) -> None:
    """Raises StudioError where `target` holds anything but an earlier result of ours, which has a file called `marker`."""
    if target.is_file() or (target.is_dir() and any(target.iterdir()) and not (target / marker).is_file()):
        raise StudioError(f"{target} exists and holds other things.", "Nothing was changed; give a new or empty folder.")


def write_text(target: Path, text: str) -> None:
    """Writes a UTF-8 file so that a reader sees the old or the new text, never half of one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(target: Path, value: Any) -> None:
    """Writes indented JSON atomically."""
    write_text(target, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def read_json(source: Path) -> Any:
    """Reads a UTF-8 JSON file."""
    return json.loads(source.read_text(encoding="utf-8"))


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def content_hash(value: Any) -> str:
    """SHA-256 of a JSON-like value in canonical form: the name by which artefacts refer to what they came from."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
