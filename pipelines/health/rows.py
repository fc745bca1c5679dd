"""Rows: saved versions by their hashes, and drafts step by step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipelines.corpus import draft as draft_files
from pipelines.corpus import drafts, layout, shards, versions
from pipelines.corpus.draft import ABOUT, Draft
from pipelines.corpus.shards import Shards
from pipelines.health.finding import DAMAGE, MARK_FILE, Finding, Quarantine, folders, said, to_quarantine, unmarked, whole
from pipelines.health.leftovers import OLD, newest
from pipelines.paths import Paths

OURS = (layout.VERSION, layout.OLD_ROWS, *layout.DATA)


def saved_versions(paths: Paths) -> Iterator[Finding]:
    """Folders that have nothing of a version in them are somebody else's and stay."""
    for folder in folders(paths.datasets):
        if not any((folder / name).exists() for name in OURS):
            continue
        what = f"data set version {folder.name}"
        try:
            versions.open_version(folder)
        except DAMAGE as error:
            yield to_quarantine(what, said(error), [folder], "Runs that were tuned on it keep their rows.")
        else:
            yield whole(what, "its rows have the hash that it was saved with")


def unsaved_drafts(paths: Paths) -> Iterator[Finding]:
    for folder in folders(paths.drafts):
        what = f"draft {folder.name}"
        if not (folder / ABOUT).is_file():
            if time.time() - newest(folder) < OLD:
                yield whole(what, "its data is being read in")
            else:
                yield to_quarantine(what, "its data was never read in to the end", [folder], "Open the data again.")
            continue
        try:
            draft = draft_files.load(folder.name, paths)
        except DAMAGE as error:
            yield to_quarantine(what, said(error), [folder], "Open the data again.")
        else:
            yield _draft(draft, what, paths)
            yield from unmarked(what, folder / MARK_FILE)


def _draft(draft: Draft, what: str, paths: Paths) -> Finding:
    if not _holds(draft.after(0), draft.count):
        return to_quarantine(what, "the rows that were opened are damaged", [draft.folder], "Open the data again.")
    for number, step in enumerate(draft.steps):
        if not _holds(draft.after(number + 1), step.result.after) or not _holds(draft.dropped(number), step.result.dropped):
            found = f"the rows of step {number + 1} ({step.label}) are damaged"
            return Finding(what, False, found, "takes the draft back to before that step", partial(_cut_back, draft, number, found, paths))
    return whole(what, f"{draft.count:,} row{'s' * (draft.count != 1)}, {len(draft.steps)} step{'s' * (len(draft.steps) != 1)}")


def _holds(rows: Shards, count: int) -> bool:
    """Whether all files can be read and hold so many rows."""
    try:
        return sum(len(shards.read(file)) for file in rows.files) == count
    except DAMAGE:
        return False


def _cut_back(draft: Draft, number: int, found: str, paths: Paths, quarantine: Quarantine) -> str:
    """The step's folder goes, so that doing the step again computes it anew."""
    with draft_files.working(draft.id, paths) as now:
        if now.steps != draft.steps:
            return f"draft {draft.id}: it was changed meanwhile; look again."
        step = draft.steps[number]
        drafts.back(draft, number)
        folder: Path = draft.folder / step.folder
        if folder.is_dir():
            quarantine.take(folder, found)
    return f"draft {draft.id}: taken back to before step {number + 1} ({step.label}); do that step again."
