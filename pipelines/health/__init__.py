"""What `doctor` does: looks at everything in STUDIO_HOME, and mends what is damaged or moves it whole into quarantine.

Each kind of thing is judged by the code that reads it in the studio. Nothing is deleted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from pipelines.errors import StudioError
from pipelines.health import answers, ballots, leftovers, rows, trained, weights
from pipelines.health.finding import Finding, Quarantine, said
from pipelines.paths import Paths

__all__ = ["examine", "repair"]
ROUNDS = 3  # what was mended may let more be seen
Look = Callable[[Paths], Iterator[Finding]]
READS_MUCH: dict[str, Look] = {"models": weights.models, "converted model": weights.converted, "bundled adapters": weights.bundled_adapters}
LOOKS: dict[str, Look] = {
    "adapters from elsewhere": weights.imported,
    "runs": trained.all_runs,
    "data set versions": rows.saved_versions,
    "drafts": rows.unsaved_drafts,
    "ballots": ballots.ballots,
    "owners of reviews": ballots.owners,
    "review that is not frozen yet": ballots.being_asked,
    "comparisons": answers.comparisons,
    "batches": answers.batches,
    "results": answers.results,
    "kept answers of instruments": answers.measured,
    "replies of endpoints": ballots.replies,
    "leftovers": leftovers.leftovers,
    "quarantine": leftovers.quarantined,
    "free space": leftovers.room,
    "rights": leftovers.rights,
}


def examine(paths: Paths, models: bool = True) -> list[dict[str, Any]]:
    """One row a thing looked at: {"what", "ok", "found", "repair", ...}; `repair` says what --repair would do, "" for nothing.

    Without `models` their sums, which take seconds, are left out.
    """
    return [finding.row for finding in _findings(paths, models)]


def repair(paths: Paths) -> list[str]:
    """Mends or quarantines what can be, and says in a sentence each what was done or why not."""
    quarantine, done, tried = Quarantine(paths), list[str](), set[tuple[str, str]]()
    for number in range(ROUNDS):
        found = [one for one in _findings(paths, models=number == 0) if one.act and (one.what, one.found) not in tried]
        tried |= {(one.what, one.found) for one in found}
        done += [_done(one, quarantine) for one in found]
    return done


def _done(finding: Finding, quarantine: Quarantine) -> str:
    try:
        return finding.act(quarantine) if finding.act else ""
    except (StudioError, OSError, sqlite3.Error) as error:
        hint = error.hint if isinstance(error, StudioError) else "Look at the rights and the room on the disk."
        return f"{finding.what}: not repaired. {said(error)} {hint}".strip()


def _findings(paths: Paths, models: bool) -> list[Finding]:
    """What can't even be looked at is a finding too, whatever the reason, so that all else is looked at."""
    found: list[Finding] = []
    for what, look in {**(READS_MUCH if models else {}), **LOOKS}.items():
        try:
            found += look(paths)
        except Exception as error:
            found.append(Finding(what, False, said(error)))
    return found
