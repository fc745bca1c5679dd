"""Data set versions: cleaned rows in a folder that is named by the hash of its content and never changes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.corpus import cleaning
from pipelines.corpus.columns import Kind, Roles, normalize_rows, recognize
from pipelines.corpus.sources import BUNDLED, Table, open_source
from pipelines.errors import StudioError
from pipelines.paths import Paths, atomic_folder, content_hash, read_json, refuse_strangers, write_json, write_text
from pipelines.records import SIDES, Pair

ROWS, VERSION = "rows.jsonl", "version.json"


@dataclass(frozen=True)
class Dataset:
    """Rows ready for training or inspection. `hash` is SHA-256 over kind and rows."""

    name: str
    kind: Kind
    rows: tuple[dict[str, str], ...]
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        return content_hash([self.kind, list(self.rows)])

    @property
    def sides(self) -> tuple[str, ...]:
        """What a model can be tuned towards with these rows."""
        if self.kind == "mirrored":
            return tuple(side for side in SIDES if side in self.rows[0])
        return ("chosen", "rejected") if self.kind == "pairs" else ()

    def pairs(self, side: str) -> list[Pair]:
        """Training pairs towards a side.

        Raises StudioError where the rows have no such side, or are posts.
        """
        if self.kind == "posts":
            raise StudioError(
                f"{self.name} holds plain posts.",
                "Preference pairs (prompt, chosen, rejected) must be synthesized from them before a model can be tuned.",
            )
        if side not in self.sides:
            raise StudioError(f"{self.name} has no side called “{side}”.", f"Choose one of {', '.join(self.sides)}.")
        return [Pair(row["prompt"], row[side], row[_against(side, n)], row["id"], row.get("topic", "")) for n, row in enumerate(self.rows)]


def _against(side: str, number: int) -> str:
    """The other side; for neutral answers left and right by turns, so that preference training pushes to neither."""
    return {"left": "right", "right": "left", "chosen": "rejected", "rejected": "chosen"}.get(side) or ("left", "right")[number % 2]


@dataclass(frozen=True)
class Curated:
    """A table on its way to a version: what was recognized, what each step did, what is left."""

    source: Table
    roles: Roles
    steps: list[cleaning.Step]
    dataset: Dataset


def curate(
    reference: str, split: str = "train", limits: cleaning.Limits = cleaning.Limits(), max_bytes: int = 200 << 20, name: str = ""
) -> Curated:
    """Opens, recognizes and cleans. Raises StudioError where nothing is left."""
    table = open_source(reference, split, max_bytes)
    roles = recognize(table.rows)
    rows, steps = cleaning.clean(normalize_rows(table.rows, roles), roles.kind, limits)
    if not rows:
        raise StudioError(
            f"No row of {table.name} is left after cleaning.", "Widen the limits for short and long texts, or look at the file."
        )
    details = {"source": table.name, "encoding": table.encoding, "recognized": roles.columns, "steps": [step.as_dict() for step in steps]}
    return Curated(table, roles, steps, Dataset(name or slug(Path(table.name).stem), roles.kind, tuple(rows), details))


def slug(text: str) -> str:
    """A name that is safe as part of a folder's name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "data"


def save(dataset: Dataset, paths: Paths) -> Path:
    """Writes a version; an existing one with the same content is left as it is."""
    target = paths.datasets / f"{slug(dataset.name)}-{dataset.hash[:8]}"
    if not (target / VERSION).is_file():
        write(dataset, target)
    return target


def write(dataset: Dataset, target: Path) -> None:
    """Writes rows and description to a folder, whole or not at all."""
    described = {
        "name": dataset.name,
        "kind": dataset.kind,
        "hash": dataset.hash,
        "rows": len(dataset.rows),
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        **dataset.details,
    }
    target = target.resolve()
    refuse_strangers(target, VERSION)
    with atomic_folder(target) as folder:
        write_text(folder / ROWS, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in dataset.rows))
        write_json(folder / VERSION, described)


def available(paths: Paths) -> list[str]:
    """Names under which data sets can be loaded: the bundled one, then saved versions, newest first."""
    saved = [folder for folder in paths.datasets.glob("*") if (folder / VERSION).is_file()]
    return [BUNDLED, *(f.name for f in sorted(saved, key=lambda f: (f / VERSION).stat().st_mtime, reverse=True))]


def tunable(paths: Paths) -> list[str]:
    """Those of the available data sets that a model can be tuned on: all but posts."""
    return [name for name in available(paths) if name == BUNDLED or read_json(paths.datasets / name / VERSION).get("kind") != "posts"]


def load(name: str, paths: Paths) -> Dataset:
    """Loads the bundled rows or a saved version.

    Raises StudioError where there is none of that name, or its rows are not those it was saved with.
    """
    if name == BUNDLED:
        return curate(BUNDLED, name=BUNDLED).dataset
    folder = paths.datasets / name
    if Path(name).name != name or not (folder / VERSION).is_file():
        raise StudioError(f"There is no data set version called “{name}”.", f"There are: {', '.join(available(paths))}.")
    try:
        about = read_json(folder / VERSION)
        rows = tuple(json.loads(line) for line in (folder / ROWS).read_text(encoding="utf-8").split("\n") if line)
        dataset = Dataset(about["name"], about["kind"], rows, about)
        intact = dataset.hash == about["hash"]
    except (OSError, ValueError, KeyError):
        intact = False
    if not intact:
        raise StudioError(f"The data set version {name} is damaged.", "Save it again in Curate.")
    return dataset
