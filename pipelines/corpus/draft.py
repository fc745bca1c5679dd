"""What a draft of a curation is, and where it lies: written, opened again, listed, locked, expired."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.corpus.columns import Roles
from pipelines.corpus.engine import Result
from pipelines.corpus.shards import Shards
from pipelines.errors import StudioError
from pipelines.paths import Paths, changed, entry, read_json, sure_now, write_json

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
        """Whether there are posts with scores: from a step here, or from the version that was opened."""
        return self.has("annotate") or (self.kind == "posts" and bool(self.rows.slice(0, 1)[0].get("annotator")))


def write(draft: Draft) -> None:
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
    folder = entry(paths.drafts, draft_id)
    if folder is None or not (folder / ABOUT).is_file():
        raise StudioError("This draft is not here any more.", "Open the data again.")
    try:
        about = read_json(folder / ABOUT)
        steps = tuple(Applied(**{**one, "result": Result(**one["result"])}) for one in about["steps"])
        return Draft(folder, about["name"], about["opened"], Roles(**about["roles"]), about["count"], steps)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StudioError(f"The draft {draft_id} is damaged.", "Open the data again; saved versions are not affected.") from error


def recent(paths: Paths, most: int, shown: Callable[[Path], bool] = lambda folder: True) -> list[tuple[str, str]]:
    """Ids of the drafts that were changed last, newest first, each with its source, steps and time in words; `shown` says whose folders count."""
    known = [file for file in paths.drafts.glob(f"*/{ABOUT}") if shown(file.parent)]
    found = sorted(known, key=changed, reverse=True)[:most]
    named = []
    for file in found:
        try:
            draft = load(file.parent.name, paths)
        except StudioError:
            continue
        when = datetime.fromtimestamp(changed(file)).strftime("%d %b %H:%M")
        named.append(
            (
                draft.id,
                f"draft of {draft.opened['source']}, {draft.count:,} rows, {len(draft.steps)} step{'s' * (len(draft.steps) != 1)}, {when}",
            )
        )
    return named


def _lock(draft_id: str, paths: Paths) -> Any:
    """What one worker at a time holds on a draft; taking it never waits."""
    import filelock

    return filelock.FileLock(paths.drafts / draft_id / ".lock", timeout=0, thread_local=False)


@contextmanager
def working(draft_id: str, paths: Paths) -> Iterator[Draft]:
    """The draft, for one worker at a time: also over two pages and two studios.

    Raises StudioError where it is not there, or another step is running on it.
    """
    import filelock

    load(draft_id, paths)
    lock = _lock(draft_id, paths)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise StudioError("Another step is still running on these rows.", "Wait until it ends, or press Stop.") from error
    try:
        yield load(draft_id, paths)
    finally:
        lock.release()


def refuse_incomplete(draft: Draft) -> None:
    """Raises StudioError where files with rows of a draft are gone: they would be missing in the next version without a word."""
    counted = draft.steps[-1].result.after if draft.steps else draft.count
    there = len(draft.rows)
    if there != counted:
        raise StudioError(
            f"Of the {counted:,} rows of this draft {counted - there:,} are missing on the disk.",
            "Undo the last step, or open the data again; saved versions are not affected.",
        )


def busy(draft_id: str, paths: Paths) -> bool:
    """Whether a step is running on a draft now, here or in another studio."""
    import filelock

    try:
        with _lock(draft_id, paths):
            return False
    except (filelock.Timeout, OSError):
        return True


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


def expire(paths: Paths, hours: float) -> None:
    """Deletes drafts that nobody changed for so long: on a public studio nobody's rows stay."""
    for file in paths.drafts.glob(f"*/{ABOUT}"):
        if file.is_file() and sure_now() - changed(file) > hours * 3600:
            shutil.rmtree(file.parent, ignore_errors=True)
