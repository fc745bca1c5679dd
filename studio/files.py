"""The folder that files pass through: uploads, from which nothing is served, and what the studio laid out to be fetched."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.corpus.sources import files as corpus_files
from pipelines.corpus.sources.packed import PACKED, megabytes
from pipelines.errors import StudioError
from pipelines.paths import sure_now

KEPT_SECONDS, SWEEP_SECONDS = 6 * 3600.0, 600.0
PREFIX, UPLOADS = "politune-files-", "uploads"
MOST_FILES = 20  # in one upload
MOST_HELD, SPARE_BYTES = 10, 256 << 20  # all uploads together, in times the largest one; what an upload must leave free on the disk
ENDINGS = (*corpus_files.READERS, ".parquet", *PACKED, ".yaml", ".yml", ".zip", ".safetensors")


class Refused(Exception):
    """A request that goes no further: an HTTP status, and a sentence for whoever sent it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Passing:
    """The folder that files pass through. `most_bytes` is the largest upload; with 0 nobody may upload."""

    root: Path
    most_bytes: int

    @classmethod
    def create(cls, home: Path, most_bytes: int) -> Passing:
        """A fresh folder that only this user of the machine can read, known to Gradio; what earlier studios left is swept away.

        Raises StudioError where it would lie below `home`, from where nothing is ever given out.
        """
        place = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()).resolve()
        if place.is_relative_to(home.resolve()):
            raise StudioError(f"The folder for temporary files lies inside STUDIO_HOME ({place}).", "Set TMPDIR to a folder elsewhere.")
        for old in place.glob(f"{PREFIX}*"):
            if not old.is_symlink() and _latest(old) < sure_now() - KEPT_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
        made = cls(Path(tempfile.mkdtemp(prefix=PREFIX, dir=place)), most_bytes)
        made.uploads.mkdir()
        os.environ.update(GRADIO_TEMP_DIR=str(made.root), GRADIO_EXAMPLES_CACHE=str(made.root))
        return made

    @property
    def uploads(self) -> Path:
        return self.root / UPLOADS

    def given(self, wanted: str) -> bool:
        """Whether a path is that of a file that the studio laid out to be fetched: no upload, no link, nothing elsewhere."""
        try:
            real = Path(wanted).resolve(strict=True)
            return os.path.isabs(wanted) and real.is_file() and real.is_relative_to(self.root) and not real.is_relative_to(self.uploads)
        except (OSError, ValueError, RuntimeError):
            return False

    def refuse(self, size: int | None) -> None:
        """Raises Refused where an upload of so many bytes is not taken."""
        if not self.most_bytes:
            raise Refused(403, "Nothing can be uploaded to this studio. Run it on your own laptop.")
        if size is None:
            raise Refused(411, "The upload does not say how large it is. Upload the file on the page.")
        if size > self.most_bytes + (1 << 20):
            raise Refused(413, f"This is {megabytes(size)}; at most {megabytes(self.most_bytes)} can be uploaded here. Use a part of it.")
        held = sum(about.st_size for _, about in _found(self.uploads) if stat.S_ISREG(about.st_mode))
        if held + size > MOST_HELD * self.most_bytes or shutil.disk_usage(self.uploads).free < size + SPARE_BYTES:
            raise Refused(507, "The studio holds too many uploads just now. Try again in some hours, or tell whoever runs it.")

    def refuse_unfit(self, stored: list[str]) -> None:
        """Removes what was uploaded and raises Refused where one of the files is none that anything here reads, or there are too many."""
        odd = [Path(path).name for path in stored if Path(path).suffix.lower() not in ENDINGS]
        if odd or len(stored) > MOST_FILES:
            for path in stored:
                Path(path).unlink(missing_ok=True)
            if odd:
                raise Refused(415, f"“{odd[0][:80]}” is of no kind that is read here. Use one of {', '.join(ENDINGS)}.")
            raise Refused(413, f"These are {len(stored):,} files; at most {MOST_FILES} can be uploaded at once.")

    def sweep(self, older: float = KEPT_SECONDS) -> None:
        """Removes what has lain here for so many seconds, and the folders that are empty then."""
        before = sure_now() - older
        for path, about in reversed(list(_found(self.root))):  # what lies in a folder comes before it
            if about.st_mtime < before and path != self.uploads:
                with suppress(OSError):  # a folder in which something is left, or gone already
                    path.rmdir() if stat.S_ISDIR(about.st_mode) else path.unlink()

    def keep_swept(self) -> None:
        """Sweeps every ten minutes, in a thread, for as long as the studio runs."""

        def body() -> None:
            while True:
                time.sleep(SWEEP_SECONDS)
                self.sweep()

        threading.Thread(target=body, daemon=True, name="sweep").start()


def _found(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything below a folder, folders before what lies in them; what vanishes meanwhile is left out."""
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with suppress(OSError):
                yield Path(where, name), Path(where, name).lstat()


def _latest(folder: Path) -> float:
    """When something below a folder was last changed."""
    return max((about.st_mtime for _, about in _found(folder)), default=folder.lstat().st_mtime)
