"""The training rows nearest to answers that were recorded: each answer's adapter is found by the fingerprint in its stamp.

How rows are ranked, and why nearness is no cause, says taught.py. An adapter that is not on this machine any more, or whose weights are
others than those that answered, has no rows to show: rows of another training would be shown as this one's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipelines.comparing.taught import Encoder, Neighbor, nearest
from pipelines.errors import StudioError
from pipelines.models import adapters
from pipelines.records import Answer

GONE = StudioError(
    "The adapter that gave this answer is not here any more.", "Rows can be shown where its run or its bundled files still are."
)


@dataclass(frozen=True)
class Taught:
    """The rows nearest to one column's answer, most similar first; or a sentence on why there are none."""

    column: str
    rows: tuple[Neighbor, ...] = ()
    problem: str = ""


def by_fingerprint(folders: Iterable[Path], wanted: Iterable[str]) -> dict[str, Path]:
    """Where the adapters with these fingerprints lie among some folders, as far as they are there.

    Folders are looked at in their order until all are found, so give the likely ones first; damaged ones are passed over. Weights are
    hashed once, and again only after their file has changed.
    """
    missing, found = set(wanted), dict[str, Path]()
    for folder in folders:
        if not missing:
            break
        mark = _fingerprint(folder)
        if mark in missing:
            found[mark] = folder
            missing.discard(mark)
    return found


def fingerprints(answer: Answer) -> list[str]:
    """Those of the adapters that gave an answer: none for the base, several for a blend (see records.Stamp)."""
    if not answer.stamp.adapter or answer.stamp.strength == 0:
        return []
    return [part.partition("*")[0] for part in answer.stamp.adapter_fingerprint.split("+") if part]


def of_answers(answers: Sequence[Answer], places: Mapping[str, Path], embedder: Encoder, count: int = 3) -> Iterator[Taught]:
    """One after another the nearest rows of every tuned answer; `places` is `by_fingerprint` of what they need.

    The first look at a training embeds all its rows (3 to 5 seconds for 200 on two cores), so that a page can show each as it comes.
    """
    for answer in answers:
        marks = fingerprints(answer)
        if not marks:
            continue
        try:
            rows = [row for mark in marks for row in _rows(answer, places.get(mark), embedder, count)]
        except StudioError as error:
            yield Taught(answer.column, problem=str(error))
        else:
            yield Taught(answer.column, tuple(rows))


def _rows(answer: Answer, folder: Path | None, embedder: Encoder, count: int) -> list[Neighbor]:
    if folder is None:
        raise GONE
    return nearest(folder, answer.prompt, answer.text, embedder, count)


def _fingerprint(folder: Path) -> str:
    """That of an adapter's weights; "" where there is no sound adapter."""
    try:
        return _hashed(folder, (adapters.locate(folder) / adapters.WEIGHTS).stat().st_mtime_ns)
    except OSError:
        return ""


@lru_cache(maxsize=512)
def _hashed(folder: Path, changed: int) -> str:
    try:
        return adapters.inspect(folder).fingerprint
    except StudioError:
        return ""
