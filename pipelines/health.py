"""What `doctor` looks at: models and their sums, bundled adapters, runs, free space."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.models import adapters, catalog, prepare
from pipelines.paths import Paths, file_hash, read_json
from pipelines.tuning import runs


def examine(paths: Paths) -> list[dict[str, Any]]:
    """One row a thing looked at: {"what", "ok", "found", ...}."""
    return [*_models(paths), _converted(paths), *_bundled_adapters(), *_runs(paths), _space(paths)]


def _models(paths: Paths) -> list[dict[str, Any]]:
    rows = []
    for row in catalog.report(paths):
        known = {True: "weights as recorded", False: "weights differ from the recorded SHA-256", None: "package not installed"}[
            row["sha256_ok"]
        ]
        marks = {True: "there", False: "not there", None: "asked last"}
        order = ", ".join(f"{place['kind']} {place['place']} ({marks[place['there']]})" for place in row["order"])
        ok = row["sha256_ok"] if row["from"] == "package" else True
        rows.append(
            {
                "what": f"model {row['model']}",
                "ok": bool(ok),
                "found": f"from {row['from']}, {row['location']} ({known}); looked for in this order: {order}",
                **row,
            }
        )
    return rows


def _converted(paths: Paths) -> dict[str, Any]:
    folder = prepare.converted_folder(paths)
    if not (folder / prepare.ORIGIN).is_file():
        return {"what": "converted model", "ok": True, "found": "not made yet; it is made once, at the first start"}
    intact = file_hash(folder / prepare.WEIGHTS) == read_json(folder / prepare.ORIGIN)["weights_sha256"]
    return {
        "what": "converted model",
        "ok": intact,
        "found": str(folder) if intact else f"{folder} is damaged: delete it, it is made again",
    }


def _bundled_adapters() -> list[dict[str, Any]]:
    rows = []
    for side in bundled.BUNDLED_SIDES:
        file = bundled.ADAPTERS / side / "adapter" / adapters.WEIGHTS
        wanted = bundled.checksums().get(f"adapter-{side}")
        ok = file.is_file() and file_hash(file) == wanted
        rows.append(
            {
                "what": f"bundled adapter {side}",
                "ok": ok,
                "found": "weights as recorded" if ok else "missing or changed; `make adapters` makes it again",
            }
        )
    return rows


def _runs(paths: Paths) -> list[dict[str, Any]]:
    return [
        {"what": f"run {run.id}", "ok": run.state not in ("failed", "interrupted"), "found": f"{run.state} {run.message}".strip()}
        for run in runs.list_runs(paths)
    ]


def _space(paths: Paths) -> dict[str, Any]:
    existing: Path = paths.root
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    return {"what": "free space", "ok": free > 2e9, "found": f"{free / 1e9:.1f} GB at {paths.root}"}
