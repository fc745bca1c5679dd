"""The description of a data set version (version.json): where its rows come from, what was done to them, what may be done with them.

It can leave the machine together with the rows, so it holds no paths and no texts that a person typed over.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from pipelines.corpus.layout import VERSION, Survey
from pipelines.corpus.steps.text import Mask
from pipelines.paths import content_hash, read_json

MASKS = tuple(setting.name for setting in fields(Mask))
FROM_POSTS = frozenset({"spam", "annotate", "weak", "select", "match", "synthesize"})
TERMS = ("license", "terms", "legal_basis")
OURS = {"license": "apache-2.0", "legal_basis": "Written for this project; it holds no personal data.", "language": "en"}


def describe(name: str, kind: str, survey: Survey, details: dict[str, Any], parents: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Everything but the hashes of the files. `parents` are the descriptions of `details["parents"]`, {} for an unknown one."""
    source = _source(details.get("source") or {})
    steps = [_step(step) for step in details.get("steps") or []]
    ours = OURS if str(source.get("reference", "")).startswith("bundled") else {}
    given = {key: details.get(key) or _inherited(parents, key) or ours.get(key, "") for key in TERMS}
    return {
        **details,
        "name": name,
        "kind": kind,
        "hash": survey.hash,
        "rows": survey.rows,
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "parents": list(details.get("parents") or []),
        "source": source,
        "steps": steps,
        **given,
        "language": _language(steps) or details.get("language") or _inherited(parents, "language") or ours.get("language", ""),
        "from_posts": from_posts(kind, steps, details, parents),
        "masking": masking(steps, parents),
        "columns": list(survey.columns),
        "statistics": survey.statistics,
    }


def continued(twin: dict[str, Any], details: dict[str, Any]) -> dict[str, Any]:
    """Details of rows that were opened from a version and came out the same: its own, with the steps since, so it isn't its own parent."""
    before, since = twin.get("steps") or [], [_step(step) for step in details.get("steps") or []]
    known = content_hash(before[len(before) - len(since) :]) == content_hash(since)
    given = {key: details[key] for key in TERMS if details.get(key)}
    return {**twin, **given, "steps": before if known else [*before, *since]}


def from_posts(kind: str, steps: Sequence[dict[str, Any]], details: dict[str, Any], parents: Sequence[dict[str, Any]]) -> bool:
    """Whether the rows are posts of people or were made from them, here or in a version before."""
    inherited = any(parent.get("from_posts") or parent.get("kind") == "posts" for parent in parents)
    return kind == "posts" or inherited or bool(details.get("from_posts")) or any(step.get("key") in FROM_POSTS for step in steps)


def masking(steps: Sequence[dict[str, Any]], parents: Sequence[dict[str, Any]] = ()) -> list[str]:
    """What is masked in all rows: by these steps, or before in every parent."""
    found = {name for step in steps if step.get("key") == "mask" for name in MASKS if (step.get("settings") or {}).get(name)}
    before = set.intersection(*(set(parent.get("masking") or []) for parent in parents)) if parents else set()
    return [name for name in MASKS if name in found | before]


def find_parents(hashes: Sequence[str], shelf: Path) -> list[dict[str, Any]]:
    """The descriptions of saved versions by content hash; {} for a hash that no version on the shelf has."""
    known = {about.get("hash"): about for about in map(read_description, sorted(shelf.glob("*"))) if about} if hashes else {}
    return [known.get(one, {}) for one in hashes]


def read_description(folder: Path) -> dict[str, Any]:
    """What a folder says of itself; {} where it is no version or can't be read."""
    try:
        about = read_json(folder / VERSION)
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _source(source: dict[str, Any] | str) -> dict[str, Any]:
    source = {"reference": source} if isinstance(source, str) else source
    return {key: _without_path(value) if isinstance(value, str) else value for key, value in source.items()}


def _without_path(text: str) -> str:
    """Only the name of a file or folder: where a person keeps their files is nobody's business."""
    windows = PureWindowsPath(text)
    if windows.drive or text.startswith("\\"):
        return windows.name
    return PurePosixPath(text).name if text.startswith(("/", "./", "../", "~")) or (text.count("/") and os.path.exists(text)) else text


def _step(step: dict[str, Any]) -> dict[str, Any]:
    """A step without how long it took, and without texts typed by hand, which would keep what was masked: only how many there were."""
    settings = {key: len(value) if _changes(value) else value for key, value in (step.get("settings") or {}).items()}
    return {**{key: value for key, value in step.items() if key != "seconds"}, "settings": settings}


def _changes(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(one, dict) for one in value)


def _language(steps: Sequence[dict[str, Any]]) -> str:
    return next((str(step["settings"].get("wanted", "")) for step in reversed(steps) if step.get("key") == "language"), "")


def _inherited(parents: Sequence[dict[str, Any]], key: str) -> Any:
    return next((parent[key] for parent in parents if parent.get(key)), "")
