"""`runs` of the command line: list, find, look into, name, compare and delete them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipelines.commands.console import out
from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.tuning import groups
from pipelines.tuning import runs as shelf
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import history, library, reading
from pipelines.tuning.shelf.about import DAMAGED, about, describe, search, shown_title

USES = {
    "list": "list [WORD ...]",
    "show": "show RUN",
    "rename": "rename RUN TITLE",
    "note": "note RUN TEXT",
    "tag": "tag RUN a,b",
    "diff": "diff RUN OTHER",
    "delete": "delete RUN ... --yes",
}


def runs(options: argparse.Namespace, paths: Paths) -> int:
    """Does what the first word says; without such a word shows the run of that id, else lists what the words find. A single word that
    finds nothing is taken for an id, unless it is a filter such as state:failed."""
    words: list[str] = options.words
    everything = _all(paths)
    if options.groups:
        return _groups(options, paths)
    if options.id:
        return _show(options, _found([options.id], everything)[0])
    if words and words[0] in USES:
        return _act(words[0], words[1:], everything, options, paths)
    if len(words) == 1 and (words[0] in {run.id for run in everything} or not (":" in words[0] or search(everything, words[0]))):
        return _show(options, _found(words, everything)[0])
    return _list(options, everything, words)


def _all(paths: Paths) -> list[Run]:
    """All runs, newest first, then those that are damaged."""
    return [*shelf.list_runs(paths), *map(Run, library.damaged(paths))]


def _found(ids: Sequence[str], everything: Sequence[Run]) -> list[Run]:
    """Runs by their ids. Raises StudioError where there is none."""
    known = {run.id: run for run in reversed(everything)}
    for one in ids:
        if one not in known:
            raise StudioError(f"There is no run called “{one}”.", "`python -m pipelines runs` lists them.")
    return [known[one] for one in ids]


def _act(action: str, words: list[str], everything: Sequence[Run], options: argparse.Namespace, paths: Paths) -> int:
    exactly, at_least = {"show": 1, "diff": 2}, {"rename": 2, "note": 2, "tag": 2, "delete": 1}
    if len(words) < at_least.get(action, 0) or len(words) != exactly.get(action, len(words)):
        raise StudioError(f"“runs {action}” needs other words.", f"Write: runs {USES[action]}.")
    match action:
        case "list":
            return _list(options, everything, words)
        case "delete":
            return _delete(options, _found(words, everything), paths)
        case "diff":
            return _diff(options, *_found(words, everything))
        case "show":
            return _show(options, _found(words, everything)[0])
    run, text = _found(words[:1], everything)[0], " ".join(words[1:])
    given: dict[str, Any] = {"tags": text.split(",")} if action == "tag" else {"title" if action == "rename" else "note": text}
    now = describe(run, **given)
    out(options, {"id": run.id, **asdict(now)}, f"{run.id}: {' · '.join(filter(None, (shown_title(run), ', '.join(now.tags), now.note)))}")
    return 0


def _row(run: Run) -> dict[str, Any]:
    """What is known of a run, however little; its figures by their names in metrics.json."""
    words = about(run)
    return {
        **reading.metrics(run),
        "id": run.id,
        "title": shown_title(run),
        "state": run.state if run.readable else DAMAGED,
        "message": run.message,
        "folder": str(run.folder),
        "note": words.note,
        "tags": list(words.tags),
        "group": reading.mapping(reading.job(run).get("group")).get("id"),
    }


def _list(options: argparse.Namespace, everything: Sequence[Run], words: Sequence[str]) -> int:
    rows = [_row(run) for run in search(everything, " ".join(words))]
    lines = [
        f"{row['id']}  {row['state']:11}  {'  '.join(filter(None, (row['title'], ', '.join(row['tags']), row['message'])))}" for row in rows
    ]
    nothing = "No run has these words." if everything else "There are no runs yet."
    out(options, rows, "\n".join(lines) or nothing)
    return 0


def _show(options: argparse.Namespace, run: Run) -> int:
    """One run with its settings, its checkpoints, its bytes, and the command that trains such a run again."""
    row, job, kept = _row(run), reading.job(run), history.checkpoints(run)
    data, recipe = (reading.mapping(job.get(name)) for name in ("data", "recipe"))
    steps = [{"step": one.step, "folder": str(one.folder), "is_kept": one.is_kept} for one in kept]
    sizes = library.sizes(run)
    lines = [
        row["title"],
        f"{row['state']}  {row['message']}".rstrip(),
        f"side {job.get('side')}, data {data.get('name')} ({data.get('rows')} rows), base {job.get('base')}",
        *filter(None, (", ".join(row["tags"]), row["note"])),
        "settings: " + ", ".join(f"{name} {_plain(value)}" for name, value in recipe.items()),
        "checkpoints: " + (", ".join(f"step {one.step}{' (kept)' * one.is_kept}" for one in kept) or "none"),
        f"alarms: {' '.join(one['text'] for one in history.alarms(run)) or 'none'}",
        f"{sum(sizes.values()):,} bytes in {run.folder}",
        f"again: python -m pipelines tune --replay {run.id}",
    ]
    out(options, {**row, "job": job, "checkpoints": steps, "alarms": history.alarms(run), "bytes": sizes}, "\n".join(lines))
    return 0


def _plain(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)


def _diff(options: argparse.Namespace, first: Run, second: Run) -> int:
    found = history.differences(first, second)
    lines = [f"{one.label}: {one.first} -> {one.second}" for one in found]
    out(options, [asdict(one) for one in found], "\n".join(lines) or "Nothing differs but the time.")
    return 0


def _delete(options: argparse.Namespace, wanted: Sequence[Run], paths: Paths) -> int:
    """Deletes runs with --yes, else says what would go; 2 where one of them stays."""
    if not options.yes:
        rows = [{"id": run.id, "title": shown_title(run), "bytes": sum(library.sizes(run).values())} for run in wanted]
        lines = [f"{row['id']}  {row['title']}  {row['bytes']:,} bytes" for row in rows]
        out(options, {"would_delete": rows}, "\n".join(["Nothing was deleted; with --yes these would go:", *lines]))
        return 0
    done = library.delete_many(wanted, paths)
    kept = [{"id": one, "reason": reason} for one, reason in done.kept]
    lines = [f"{done.freed:,} bytes were freed.", *(one["reason"] for one in kept)]
    out(options, {"freed": done.freed, "kept": kept}, "\n".join(lines))
    return 2 if kept else 0


def _groups(options: argparse.Namespace, paths: Paths) -> int:
    rows, lines = [], []
    for group in groups.list_groups(paths):
        members = [{"id": run.id, "role": groups.role(run), "state": run.state} for run in group.runs]
        rows.append({"id": group.id, "name": group.name, "seeds": group.seeds, "same_settings": group.same_settings, "runs": members})
        lines += [f"{group.id}  {group.name}", *(f"  {one['role']:9} {one['state']:11} {one['id']}" for one in members)]
    out(options, rows, "\n".join(lines) or "There are no run groups yet: tune with --both-sides.")
    return 0
