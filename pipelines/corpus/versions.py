"""Data set versions: rows in a folder that is named by the hash of its content, describes itself and never changes.

version.json (where from, steps, counts, terms) · README.md (data card) · data/ (Parquet, which `load_dataset` opens, and JSONL).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.corpus import card, layout
from pipelines.corpus.columns import Kind
from pipelines.corpus.description import TERMS, continued, describe, find_parents, read_description
from pipelines.corpus.layout import CARD, VERSION, Survey
from pipelines.corpus.shards import Row, Shards
from pipelines.corpus.sources import BUNDLED
from pipelines.entries import shown
from pipelines.errors import StudioError
from pipelines.paths import Paths, atomic_folder, content_hash, entry, read_json, refuse_strangers, write_json, write_text
from pipelines.records import SIDES, Pair

SHUFFLED = "shuffled"


@dataclass(frozen=True)
class Dataset:
    """Rows ready for training or inspection. `hash` is SHA-256 over kind and rows, without columns that are never saved.

    `details` may hold source, parents, steps, license, terms, legal_basis, language and from_posts (see description.py).
    """

    name: str
    kind: Kind
    rows: Sequence[Row]
    details: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def hash(self) -> str:
        return layout.rows_hash(self.kind, self.rows)

    @property
    def sides(self) -> tuple[str, ...]:
        """What a model can be tuned towards with these rows."""
        if self.kind == "mirrored":
            return tuple(side for side in SIDES if self.rows and self.rows[0].get(side) is not None)
        return ("chosen", "rejected") if self.kind == "pairs" else ()

    def pairs(self, side: str, seed: int = 0) -> list[Pair]:
        """Training pairs towards a side, or towards "shuffled": for half of every topic's rows one side, for half the other.

        Raises StudioError where the rows have no such side, or are posts.
        """
        if self.kind == "posts":
            raise StudioError(
                f"{self.name} holds plain posts.",
                "Preference pairs (prompt, chosen, rejected) must be synthesized from them before a model can be tuned.",
            )
        if side not in (*self.sides, SHUFFLED):
            raise StudioError(f"{self.name} has no side called “{side}”.", f"Choose one of {', '.join(self.sides)}.")
        drawn = self._drawn(seed) if side == SHUFFLED else [side] * len(self.rows)
        return [
            Pair(row["prompt"], row[toward], row[_against(toward, n)], row["id"], row.get("topic") or "")
            for n, (row, toward) in enumerate(zip(self.rows, drawn, strict=True))
        ]

    def _drawn(self, seed: int) -> list[str]:
        """A side for every row: by turns along each topic's rows in an order that the seed alone decides."""
        order = sorted(range(len(self.rows)), key=lambda n: (self.rows[n].get("topic") or "", content_hash([seed, self.rows[n]["id"]])))
        drawn = [""] * len(self.rows)
        for place, number in enumerate(order):
            drawn[number] = self.sides[place % 2]
        return drawn


def _against(side: str, number: int) -> str:
    """The other side; for neutral answers left and right by turns, so that preference training pushes to neither."""
    return {"left": "right", "right": "left", "chosen": "rejected", "rejected": "chosen"}.get(side) or ("left", "right")[number % 2]


def slug(text: str) -> str:
    """A name that is safe as part of a folder's name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "data"


def save(dataset: Dataset, paths: Paths) -> Path:
    """Writes a version; an intact one with the same content and description is left as it is.

    Raises StudioError where there are no rows.
    """
    return _shelve(dataset.name, dataset.kind, lambda: dataset.rows, dataset.details, paths)


def write_shards(name: str, kind: Kind, shards: Shards, details: dict[str, Any], paths: Paths) -> Path:
    """Like `save`, for rows that need not fit into memory: they are read from the shards twice, a file at a time."""
    return _shelve(name, kind, lambda: layout.shard_rows(shards), details, paths)


def _shelve(name: str, kind: Kind, rows: Callable[[], Iterable[Row]], details: dict[str, Any], paths: Paths) -> Path:
    about = _describe(name, kind, layout.survey(kind, rows()), details, paths.datasets)
    target = paths.datasets / f"{slug(name)}-{about['hash'][:8]}"
    old = read_description(target)
    about.update({key: about[key] or old.get(key, "") for key in TERMS if old.get("hash") == about["hash"]})
    if not _stands(target, old, about, described=bool(details)):
        _write(rows, about, target)
    return target


def _describe(name: str, kind: Kind, survey: Survey, details: dict[str, Any], shelf: Path) -> dict[str, Any]:
    if not survey.rows:
        raise StudioError(f"{name} holds no rows.", "There is nothing to save; undo the step that dropped the last row.")
    parents = find_parents(details.get("parents") or [], shelf)
    twin = next((parent for parent in parents if parent.get("hash") == survey.hash), None)
    return describe(name, kind, survey, continued(twin, details), [twin]) if twin else describe(name, kind, survey, details, parents)


def _stands(folder: Path, old: dict[str, Any], about: dict[str, Any], described: bool) -> bool:
    """Whether these rows lie there intact in today's form and, where a description was given, with the same one."""
    passing = ("saved", "files")
    same = not described or content_hash({**old, **dict.fromkeys(passing)}) == content_hash({**about, **dict.fromkeys(passing)})
    try:
        return same and old.get("hash") == about["hash"] and (folder / CARD).is_file() and bool(layout.open_rows(folder, old))
    except (OSError, ValueError, KeyError):
        return False


def write(dataset: Dataset, target: Path, paths: Paths | None = None) -> None:
    """Writes a version to a folder of the person's choice, whole or not at all. `paths`: where its parents are looked up.

    Raises StudioError where there are no rows, or the folder holds other things.
    """
    survey = layout.survey(dataset.kind, dataset.rows)
    about = _describe(dataset.name, dataset.kind, survey, dataset.details, paths.datasets if paths else target.parent)
    _write(lambda: dataset.rows, about, target)


def export_shards(name: str, kind: Kind, shards: Shards, details: dict[str, Any], target: Path, paths: Paths) -> None:
    """Like `write`, for rows that need not fit into memory."""
    rows = lambda: layout.shard_rows(shards)  # noqa: E731
    _write(rows, _describe(name, kind, layout.survey(kind, rows()), details, paths.datasets), target)


def _write(rows: Callable[[], Iterable[Row]], about: dict[str, Any], target: Path) -> None:
    target = target.resolve()
    refuse_strangers(target, VERSION)
    with atomic_folder(target) as folder:
        files = layout.write_data(folder, rows(), about["columns"])
        write_text(folder / CARD, card.text(about))
        write_json(folder / VERSION, {**about, "files": files})


def available(paths: Paths) -> list[str]:
    """Names under which data sets can be loaded: the bundled one, then saved versions, newest first."""
    saved = [folder for folder in paths.datasets.glob("[!.]*") if (folder / VERSION).is_file()]
    return [BUNDLED, *(f.name for f in sorted(saved, key=lambda f: (f / VERSION).stat().st_mtime, reverse=True))]


def tunable(paths: Paths) -> list[str]:
    """Those of the available data sets that a model can be tuned on: all but posts."""
    return [name for name in available(paths) if name == BUNDLED or about(name, paths).get("kind") != "posts"]


def about(name: str, paths: Paths) -> dict[str, Any]:
    """A saved version's description, without reading its rows; {} where it can't be read."""
    return read_description(_folder(name, paths))


def _folder(name: str, paths: Paths) -> Path:
    folder = entry(paths.datasets, name)
    if folder is None or not (folder / VERSION).is_file():
        raise StudioError(f"There is no data set version called “{shown(name)}”.", f"There are: {', '.join(available(paths))}.")
    return folder


def load(name: str, paths: Paths) -> Dataset:
    """Loads the bundled rows or a saved version.

    Raises StudioError where there is none of that name, or its rows are not those it was saved with.
    """
    if name == BUNDLED:
        return Dataset(BUNDLED, "mirrored", tuple(asdict(row) for row in bundled.pairs()), {"source": {"reference": BUNDLED}})
    return open_version(_folder(name, paths))


def open_version(folder: Path) -> Dataset:
    """A version wherever it lies.

    Raises StudioError where the folder holds none, or the rows are not those it was saved with.
    """
    if not (folder / VERSION).is_file():
        raise StudioError(f"{folder.name} holds no data set version.", f"A version has a file called {VERSION}; save one in Curate.")
    try:
        details = read_json(folder / VERSION)
        dataset = Dataset(details["name"], details["kind"], layout.open_rows(folder, details), details)
        intact = dataset.hash == details["hash"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        intact = False
    if not intact:
        raise StudioError(f"The data set version {folder.name} is damaged.", "Save it again in Curate.")
    return dataset


def forget(name: str, paths: Paths) -> None:
    """Deletes a saved version for good.

    Raises StudioError where there is none of that name, or a run was tuned on it.
    """
    folder = _folder(name, paths)
    users = _runs_on(read_description(folder).get("hash"), paths)
    if users:
        raise StudioError(
            f"{name} is the data of {len(users)} run{'s' * (len(users) > 1)} ({', '.join(users[:3])}).", "Delete those first."
        )
    hidden = folder.with_name(f".{folder.name}.forgotten")
    shutil.rmtree(hidden, ignore_errors=True)
    folder.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def _runs_on(content: str | None, paths: Paths) -> list[str]:
    """Names of runs whose job names this content hash; runs with a folder of their own leave a file that says where it is."""
    inside = [folder for folder in paths.runs.glob("[!.]*") if folder.is_dir()]
    outside = [Path(file.read_text(encoding="utf-8", errors="replace")) for file in paths.runs.glob("*.elsewhere")]
    return sorted(folder.name for folder in [*inside, *outside] if content and _data_hash(folder) == content)


def _data_hash(run: Path) -> str:
    try:
        return str(read_json(run / "job.json")["data"]["hash"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
