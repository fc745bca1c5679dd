"""Opens what people have: the bundled data, files, a data set of the Hub by id, or a local folder in its format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from pipelines import bundled
from pipelines.corpus.sources.files import open_file
from pipelines.corpus.sources.hub import open_dataset
from pipelines.corpus.sources.source import BATCH_ROWS, HEAD_ROWS, Notes, Record, Source, read_all
from pipelines.errors import StudioError

__all__ = ["BUNDLED", "BUNDLED_FILES", "HEAD_ROWS", "Record", "Source", "open_source", "read_all"]
BUNDLED = "bundled"
BUNDLED_FILES = {"bundled-posts": "posts.jsonl", "bundled-confounded": "confounded.jsonl"}


def open_source(
    reference: str,
    split: str = "train",
    config: str = "",
    revision: str = "",
    max_bytes: int | None = None,
    batch_rows: int = BATCH_ROWS,
    stranger: bool = False,
) -> Source:
    """Opens "bundled", "bundled-posts", "bundled-confounded", a file, a folder in the Hub's format, or a Hub id such as owner/name.

    `max_bytes` limits files and the text of data sets; None means no limit. `split`, `config` and `revision` are a data set's.
    A `stranger` (a visitor of a public studio) gets no data set that only the token of its owner opens.
    Raises StudioError with what to do where it can't be opened or holds no rows.
    """
    reference = reference.strip()
    if "\x00" in reference:
        raise StudioError("A name can't hold a NUL character.", "Type the path again.")
    if not reference:
        raise StudioError("No data was chosen.", "Drop a file, or give a folder or a Hub id such as owner/name.")
    if reference == BUNDLED:
        return Source(BUNDLED, _bundled_pairs, BUNDLED, total=len(bundled.pairs()), batch_rows=batch_rows)
    if reference in BUNDLED_FILES:
        return _bundled_file(reference, batch_rows)
    try:
        path = Path(reference).expanduser()
        if path.is_file():
            return open_file(path, reference, max_bytes, batch_rows)
        _refuse_what_is_no_source(path, reference)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StudioError(f"“{reference[:80]}” can't be opened ({reason}).", "Check the path and its rights.") from error
    return open_dataset(reference, split, config.strip(), revision.strip(), max_bytes, batch_rows, stranger)


def _bundled_pairs(notes: Notes) -> Iterator[Record]:
    return iter([asdict(row) for row in bundled.pairs()])


def _bundled_file(name: str, batch_rows: int) -> Source:
    path = bundled.DATA / BUNDLED_FILES[name]
    if not path.is_file():
        raise StudioError(f"The file {path.name} that ships with the studio is missing.", "Install the studio again.")
    source = open_file(path, name, None, batch_rows)
    source.name = name
    return source


def _refuse_what_is_no_source(path: Path, reference: str) -> None:
    """Raises StudioError for links to nothing, pipes and devices, and for what is neither a folder nor looks like a Hub id."""
    if path.is_dir():
        return
    if path.is_symlink():
        raise StudioError(f"“{reference}” is a link to something that is not there.", "Choose the file itself.")
    if path.exists():
        raise StudioError(f"“{reference}” is not a regular file.", "Save its content as a file first; pipes and devices can't be opened.")
    if reference.count("/") != 1 or reference.startswith((".", "/", "~")) or not all(reference.split("/")):
        raise StudioError(
            f"“{reference[:200]}” is neither a file, nor a folder, nor a Hub id.", "Check the path; a Hub id looks like owner/name."
        )
