"""Work on a curation in progress: open, apply steps, go back, change by hand, save.

Each step's folder is named by the hash of all that led to it. Undo drops the last step; doing it again reads the result.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.corpus import engine, shards
from pipelines.corpus.columns import Roles, choices, normalize_rows, recognize
from pipelines.corpus.draft import Applied, Draft, busy, details, expire, load, recent, refuse_incomplete, working, write
from pipelines.corpus.engine import Result, Step, Tools, part_of
from pipelines.corpus.sources import Source
from pipelines.corpus.steps import registry
from pipelines.corpus.versions import Dataset, export_shards, slug, write_shards
from pipelines.errors import Cancelled, StudioError
from pipelines.paths import Paths, content_hash

Claim = Callable[[Path], None]
__all__ = [
    "Draft", "apply", "apply_all", "back", "busy", "change", "create", "details", "expire", "export", "forget", "from_version", "load", "recent",
    "save", "undo", "working",
]  # fmt: skip


def create(
    source: Source, paths: Paths, roles: Roles | None = None, tools: Tools | None = None, most_rows: int | None = None,
    claim: Claim | None = None,
) -> Draft:  # fmt: skip
    """Reads a source whole into a new draft. `claim` writes into its folder whose it is, before anybody can see it.

    Raises StudioError where its columns are not recognized or it has more than `most_rows`, Cancelled where a person stopped it; nothing is left then.
    """
    tools = tools or Tools(paths)
    roles = roles or recognize(source.head, source.name)
    name = slug(Path(source.name).stem)
    folder = _new_folder(name, paths)
    try:
        count = _read_in(source, roles, folder / "source", tools, most_rows)
        about = {
            "reference": source.reference,
            "source": source.name,
            "encoding": source.encoding,
            "notes": list(source.notes),
            "columns": choices(source.head),
            **source.details,
        }
        draft = Draft(folder, name, about, roles, count)
        if claim:
            claim(folder)
        write(draft)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return draft


def _new_folder(name: str, paths: Paths) -> Path:
    """Where a new draft lies: under a name that nobody can guess, since on a public studio it is all that guards it."""
    return paths.drafts / f"{name}-{secrets.token_hex(6)}"


def from_version(dataset: Dataset, paths: Paths, claim: Claim | None = None) -> Draft:
    """A new draft that starts from a saved version's rows; the next version names it as its parent. `claim` as in `create`."""
    folder = _new_folder(slug(dataset.name), paths)
    (folder / "source").mkdir(parents=True)
    for number, rows in enumerate(shards.regroup([row] for row in dataset.rows)):
        shards.write(shards.path_of(folder / "source", "kept", number), rows)
    about = {
        "reference": f"version {dataset.name}",
        "source": dataset.name,
        "encoding": "",
        "notes": [],
        "columns": {},
        "parents": [dataset.hash],
    }
    draft = Draft(folder, dataset.name, about, Roles(dataset.kind, {}), len(dataset.rows))
    if claim:
        claim(folder)
    write(draft)
    return draft


def _read_in(source: Source, roles: Roles, target: Path, tools: Tools, most_rows: int | None) -> int:
    target.mkdir(parents=True)
    seen: set[str] = set()
    count = 0
    named = (normalize_rows(batch, roles, seen) for batch in source.batches())
    for number, rows in enumerate(shards.regroup(named)):
        if tools.cancelled():
            raise Cancelled
        count += len(rows)
        if most_rows is not None and count > most_rows:
            raise StudioError(
                f"{source.name} has more than {most_rows:,} rows, the most that can be opened here.",
                "Use a part of it, or your own laptop.",
            )
        shards.write(shards.path_of(target, "kept", number), rows)
        share = min(1.0, count / source.total) if source.total else 0.0
        tools.progress(share, f"Reading: {count:,} rows")
    if not count:
        raise StudioError(f"{source.name} holds no rows.", "It needs at least one row with text.")
    return count


def apply(draft: Draft, step: Step, tools: Tools, run: Callable[..., Result] = engine.run) -> Draft:
    """Applies one step to the rows that are left, and writes down that it was applied.

    Raises StudioError where the step does not fit this kind of rows or would leave none, or rows are missing; the draft is then as before.
    """
    if draft.kind not in step.kinds:
        raise StudioError(
            f"“{step.label}” works on {' and '.join(step.kinds)}; these are {draft.kind}.", "Undo the steps since, or skip it."
        )
    refuse_incomplete(draft)
    settings = engine.settings(step)
    folder = f"{len(draft.steps) + 1:02d}-{step.key}-{_trail(draft, step, settings)[:10]}"
    if getattr(
        step, "asks_client", False
    ):  # asked again each time: what was answered is stored (endpoints/replies.py), what failed may work now
        folder += f"-{secrets.token_hex(3)}"
    result = run(step, draft.rows, draft.folder / folder, replace(tools, pool=draft.pool))
    if not result.after:
        why = ", ".join(f"{count} {reason}" for reason, count in list(result.reasons.items())[:3])
        raise StudioError(
            f"“{step.label}” would drop every row ({why}).", "Nothing was changed. Choose wider settings, or undo an earlier step."
        )
    applied = Applied(step.key, getattr(step, "title", step.label), settings, folder, getattr(step, "makes", draft.kind), result)
    new = replace(draft, steps=(*draft.steps, applied))
    write(new)
    return new


def _trail(draft: Draft, step: Step, settings: dict[str, Any]) -> str:
    """All that a result depends on: the steps before and the settings."""
    return content_hash([draft.steps[-1].folder if draft.steps else "source", step.key, settings])


def apply_all(draft: Draft, keys: Sequence[str], tools: Tools, values: dict[str, dict[str, Any]] | None = None) -> Draft:
    """Applies several steps in order, with one progress over all of them."""
    for number, key in enumerate(keys):
        step = registry.make(key, (values or {}).get(key))
        share = replace(tools, progress=part_of(tools.progress, number, len(keys)))
        draft = apply(draft, step, share)
    return draft


def back(draft: Draft, steps: int) -> Draft:
    """The draft as it was after its first `steps` steps."""
    shorter = replace(draft, steps=draft.steps[:steps])
    write(shorter)
    return shorter


def undo(draft: Draft) -> Draft:
    """The draft without its last step; of several changes by hand only those of the last press are taken back."""
    if not draft.steps:
        return draft
    last = draft.steps[-1]
    edits = last.settings["edits"] if last.key == "hand" else []
    kept = tuple(one for one in edits if one.get("press") != edits[-1].get("press"))
    if not kept:
        return back(draft, len(draft.steps) - 1)
    return _by_hand(replace(draft, steps=draft.steps[:-1]), kept, Tools(Paths(draft.folder.parent.parent)), last)


def change(draft: Draft, edits: Sequence[dict[str, Any]], tools: Tools) -> Draft:
    """Adds changes by hand, all of one press; several presses in a row are one step."""
    earlier: tuple[dict[str, Any], ...] = ()
    last = draft.steps[-1] if draft.steps and draft.steps[-1].key == "hand" else None
    if last:
        earlier = tuple(last.settings["edits"])
        draft = replace(draft, steps=draft.steps[:-1])
    press = 1 + max((one.get("press", 0) for one in earlier), default=0)
    return _by_hand(draft, (*earlier, *({**one, "press": press} for one in edits)), tools, last)


def _by_hand(draft: Draft, edits: tuple[dict[str, Any], ...], tools: Tools, replaced: Applied | None) -> Draft:
    """Applies all changes; the rows as they were before the last one can be made again, so they need no room."""
    new = apply(draft, registry.make("hand", {"edits": edits}), tools)
    if replaced and replaced.folder != new.steps[-1].folder:
        shutil.rmtree(draft.folder / replaced.folder, ignore_errors=True)
    return new


def export(draft: Draft, target: Path, name: str, paths: Paths) -> None:
    """Writes the rows that are left as a version to a folder of the person's choice. Raises StudioError where rows are missing."""
    refuse_incomplete(draft)
    export_shards(name.strip() or draft.name, draft.kind, draft.rows, details(draft), target, paths)  # type: ignore[arg-type]


def save(draft: Draft, name: str, paths: Paths, terms: dict[str, str] | None = None) -> Path:
    """Writes a version from the rows that are left; `terms` are license, terms and legal_basis as the person gave them.

    Raises StudioError where rows are missing.
    """
    refuse_incomplete(draft)
    return write_shards(name.strip() or draft.name, draft.kind, draft.rows, {**details(draft), **(terms or {})}, paths)  # type: ignore[arg-type]


def forget(draft: Draft) -> None:
    """Deletes a draft with all its rows; versions saved from it stay."""
    shutil.rmtree(draft.folder, ignore_errors=True)
