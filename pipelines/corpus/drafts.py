"""A curation in progress: the opened rows, the steps applied so far, and every step's result on disk, so that nothing is lost.

Each step's folder is named by the hash of all that led to it. Undo drops the last step; doing it again reads the result.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.corpus import engine, shards
from pipelines.corpus.columns import Roles, choices, normalize_rows, recognize
from pipelines.corpus.engine import Cancelled, Result, Step, Tools, part_of
from pipelines.corpus.shards import Shards
from pipelines.corpus.sources import Source
from pipelines.corpus.steps import registry
from pipelines.corpus.versions import Dataset, export_shards, slug, write_shards
from pipelines.errors import StudioError
from pipelines.paths import Paths, content_hash, read_json, write_json

ABOUT = "draft.json"


@dataclass(frozen=True)
class Applied:
    """One step of a draft: what it was, where its result lies, and what it did."""

    key: str
    label: str
    settings: dict[str, Any]
    folder: str
    kind: str
    result: Result

    def as_dict(self) -> dict[str, Any]:
        """For a version's description."""
        return {"key": self.key, "label": self.label, "settings": self.settings, **asdict(self.result), "dropped": self.result.dropped}


@dataclass(frozen=True)
class Draft:
    """Rows on their way to a version. `kind` is that of the opened rows; the current one may differ once posts are paired."""

    folder: Path
    name: str
    opened: dict[str, Any]
    roles: Roles
    count: int
    steps: tuple[Applied, ...] = field(default=())

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def kind(self) -> str:
        return self.steps[-1].kind if self.steps else self.roles.kind

    @property
    def rows(self) -> Shards:
        """The rows that are left."""
        return self.after(len(self.steps))

    def after(self, number: int) -> Shards:
        """The rows after the first `number` steps; 0 means as they were opened."""
        return Shards(self.folder / (self.steps[number - 1].folder if number else "source"))

    def dropped(self, number: int) -> Shards:
        """The rows that step `number` (from 0) dropped, with their reasons."""
        return Shards(self.folder / self.steps[number].folder, "dropped")

    @property
    def pool(self) -> Shards | None:
        """The rows before the first selection, from which opposites are drawn; None where nothing was selected."""
        place = self.place("select")
        return self.after(place) if place is not None else None

    def has(self, key: str) -> bool:
        return any(step.key == key for step in self.steps)

    def place(self, *keys: str) -> int | None:
        """Where the first step of one of these keys stands; None where there is none."""
        return next((number for number, step in enumerate(self.steps) if step.key in keys), None)

    @property
    def scored(self) -> bool:
        """Whether the posts have scores: from a step here, or from the version that was opened."""
        return self.kind == "posts" and (self.has("annotate") or bool(self.rows.slice(0, 1)[0].get("annotator")))


def create(source: Source, paths: Paths, roles: Roles | None = None, tools: Tools | None = None, most_rows: int | None = None) -> Draft:
    """Reads a source whole into a new draft.

    Raises StudioError where its columns are not recognized or it has more than `most_rows`, Cancelled where a person stopped it; nothing is left then.
    """
    tools = tools or Tools(paths)
    roles = roles or recognize(source.head, source.name)
    folder = paths.drafts / f"{slug(Path(source.name).stem)}-{secrets.token_hex(6)}"
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
        draft = Draft(folder, slug(Path(source.name).stem), about, roles, count)
        _write(draft)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return draft


def from_version(dataset: Dataset, paths: Paths) -> Draft:
    """A new draft that starts from a saved version's rows; the next version names it as its parent."""
    folder = paths.drafts / f"{slug(dataset.name)}-{secrets.token_hex(6)}"
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
    _write(draft)
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


def _write(draft: Draft) -> None:
    described = {
        "name": draft.name,
        "opened": draft.opened,
        "roles": {"kind": draft.roles.kind, "columns": draft.roles.columns, "remark": draft.roles.remark},
        "count": draft.count,
        "steps": [{**asdict(step)} for step in draft.steps],
        "changed": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_json(draft.folder / ABOUT, described)


def load(draft_id: str, paths: Paths) -> Draft:
    """Opens a draft again.

    Raises StudioError where there is none of that name or its description is damaged.
    """
    folder = paths.drafts / draft_id
    if not draft_id or Path(draft_id).name != draft_id or not (folder / ABOUT).is_file():
        raise StudioError("This draft is not here any more.", "Open the data again.")
    try:
        about = read_json(folder / ABOUT)
        steps = tuple(Applied(**{**one, "result": Result(**one["result"])}) for one in about["steps"])
        return Draft(folder, about["name"], about["opened"], Roles(**about["roles"]), about["count"], steps)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudioError(f"The draft {draft_id} is damaged.", "Open the data again; saved versions are not affected.") from error


def recent(paths: Paths, most: int) -> list[tuple[str, str]]:
    """Ids of the drafts that were changed last, newest first, each with its source, steps and time in words."""
    found = sorted(paths.drafts.glob(f"*/{ABOUT}"), key=lambda file: file.stat().st_mtime, reverse=True)[:most]
    named = []
    for file in found:
        try:
            draft = load(file.parent.name, paths)
        except StudioError:
            continue
        when = datetime.fromtimestamp(file.stat().st_mtime).strftime("%d %b %H:%M")
        named.append(
            (
                draft.id,
                f"draft of {draft.opened['source']}, {draft.count:,} rows, {len(draft.steps)} step{'s' * (len(draft.steps) != 1)}, {when}",
            )
        )
    return named


def apply(draft: Draft, step: Step, tools: Tools, run: Callable[..., Result] = engine.run) -> Draft:
    """Applies one step to the rows that are left, and writes down that it was applied.

    Raises StudioError where the step does not fit this kind of rows or would leave none; the draft is then as before.
    """
    if draft.kind not in step.kinds:
        raise StudioError(
            f"“{step.label}” works on {' and '.join(step.kinds)}; these are {draft.kind}.", "Undo the steps since, or skip it."
        )
    settings = engine.settings(step)
    folder = f"{len(draft.steps) + 1:02d}-{step.key}-{_trail(draft, step, settings)[:10]}"
    if getattr(
        step, "asks_client", False
    ):  # asked again each time: what was answered is stored (annotate/replies.py), what failed may work now
        folder += f"-{secrets.token_hex(3)}"
    result = run(step, draft.rows, draft.folder / folder, replace(tools, pool=draft.pool))
    if not result.after:
        why = ", ".join(f"{count} {reason}" for reason, count in list(result.reasons.items())[:3])
        raise StudioError(
            f"“{step.label}” would drop every row ({why}).", "Nothing was changed. Choose wider settings, or undo an earlier step."
        )
    applied = Applied(step.key, step.label, settings, folder, getattr(step, "makes", draft.kind), result)
    new = replace(draft, steps=(*draft.steps, applied))
    _write(new)
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
    _write(shorter)
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
    """Writes the rows that are left as a version to a folder of the person's choice."""
    export_shards(name.strip() or draft.name, draft.kind, draft.rows, details(draft), target, paths)  # type: ignore[arg-type]


@contextmanager
def working(draft_id: str, paths: Paths) -> Iterator[Draft]:
    """The draft, for one worker at a time: also over two pages and two studios.

    Raises StudioError where it is not there, or another step is running on it.
    """
    import filelock

    load(draft_id, paths)
    lock = filelock.FileLock(paths.drafts / draft_id / ".lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise StudioError("Another step is still running on these rows.", "Wait until it ends, or press Stop.") from error
    try:
        yield load(draft_id, paths)
    finally:
        lock.release()


def details(draft: Draft) -> dict[str, Any]:
    """What a version says of where its rows come from: source, parents, steps with settings and counts."""
    about = draft.opened
    source = {key: about[key] for key in ("reference", "split", "config", "revision", "sha256", "encoding") if about.get(key)}
    return {
        "source": source,
        "recognized": draft.roles.columns,
        "parents": about.get("parents", []),
        "steps": [step.as_dict() for step in draft.steps],
        "from_posts": draft.roles.kind == "posts",
    }


def dataset(draft: Draft) -> Dataset:
    """All rows that are left, in memory, as a data set."""
    return Dataset(draft.name, draft.kind, list(draft.rows.rows()), details(draft))  # type: ignore[arg-type]


def save(draft: Draft, name: str, paths: Paths, terms: dict[str, str] | None = None) -> Path:
    """Writes a version from the rows that are left; `terms` are license, terms and legal_basis as the person gave them."""
    return write_shards(name.strip() or draft.name, draft.kind, draft.rows, {**details(draft), **(terms or {})}, paths)  # type: ignore[arg-type]


def expire(paths: Paths, hours: float) -> None:
    """Deletes drafts that nobody changed for so long: on a public studio nobody's rows stay."""
    for file in paths.drafts.glob(f"*/{ABOUT}"):
        if time.time() - file.stat().st_mtime > hours * 3600:
            shutil.rmtree(file.parent, ignore_errors=True)


def forget(draft: Draft) -> None:
    """Deletes a draft with all its rows; versions saved from it stay."""
    shutil.rmtree(draft.folder, ignore_errors=True)
