"""Runs one curation step over shards of rows: counted, with a reason for every dropped row, cancellable and resumable.

A step turns a list of rows into as many outcomes. Steps whose rows do not depend on each other (`per_row`) skip the
shards that an interrupted run has finished, and can be spread over many machines (distributed.py); the others see all
rows in order.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, NamedTuple, Protocol

from pipelines.corpus.shards import Row, Shards, path_of, read, write
from pipelines.entries import is_torn, shown
from pipelines.errors import Cancelled, StudioError
from pipelines.paths import Paths, read_json, write_json

DONE = "step.json"
Progress = Callable[[float, str], None]
KINDS = ("posts", "pairs", "mirrored")


class Outcome(NamedTuple):
    """What a step made of one row. An empty `reason` means kept; `detail` says which row, word or number it was."""

    row: Row
    reason: str = ""
    detail: str = ""


Work = Callable[[list[Row]], Sequence[Outcome]]


@dataclass
class Tools:
    """What steps may need: the ruler, a language model host, the rows before selection, and a way to report and to stop."""

    paths: Paths
    ruler: Any = None
    host: Any = None
    client: Any = None
    pool: Shards | None = None
    progress: Progress = lambda share, words: None
    cancelled: Callable[[], bool] = lambda: False


class Step(Protocol):
    """A dataclass whose fields are the step's settings (see `lever`)."""

    key: ClassVar[str]
    label: ClassVar[str]
    hint: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]
    per_row: ClassVar[bool]

    def start(self, tools: Tools, shards: Shards) -> Work:
        """Prepares the work on batches; may look through all `shards` first."""


def settings(step: Step) -> dict[str, Any]:
    return asdict(step)  # type: ignore[call-overload]


def check_settings(step: Step) -> None:
    """Raises StudioError for a setting out of its range or not among its choices."""
    for one in fields(step):  # type: ignore[arg-type]
        value, about = getattr(step, one.name), one.metadata
        if not about:
            continue
        if about["choices"] and value not in about["choices"]:
            raise StudioError(f"{step.label}: {about['label']} can't be “{shown(value)}”.", f"Choose one of {', '.join(about['choices'])}.")
        if isinstance(one.default, bool) and not isinstance(value, bool):
            raise StudioError(f"{step.label}: {about['label']} is “{shown(value)}”.", "It must be true or false.")
        if about["low"] is not None and (
            isinstance(value, bool) or not isinstance(value, int | float) or not about["low"] <= value <= about["high"]
        ):
            raise StudioError(
                f"{step.label}: {about['label']} is {shown(value)}.", f"It must lie between {about['low']:g} and {about['high']:g}."
            )
        if type(one.default) is int and not isinstance(value, int):
            raise StudioError(f"{step.label}: {about['label']} is {shown(value)}.", "It must be a whole number.")
        if isinstance(value, str) and is_torn(value):
            raise StudioError(f"{step.label}: {about['label']} holds half a character.", "Type it again without it.")
        if isinstance(one.default, str) and not isinstance(value, str):
            raise StudioError(f"{step.label}: {about['label']} is {shown(value)}.", "It must be text; put numbers into quotation marks.")


@dataclass(frozen=True)
class Result:
    """Counts of one step: rows in and out, rows changed, dropped rows by reason, seconds."""

    before: int
    after: int
    changed: int
    reasons: dict[str, int]
    seconds: float

    @property
    def dropped(self) -> int:
        return self.before - self.after

    @classmethod
    def load(cls, folder: Path) -> Result:
        return cls(**read_json(folder / DONE))


def run(step: Step, source: Shards, target: Path, tools: Tools) -> Result:
    """Applies a step to all shards and writes `kept-*`, `dropped-*` and the counts to `target`.

    A finished target is only read, unless rows of it are missing. Raises Cancelled where a person stopped it, StudioError for what they can mend.
    """
    if (target / DONE).is_file():
        if (done := _stands(target)) is not None:
            return done
        shutil.rmtree(target)  # files with rows of it are gone or damaged
    check_settings(step)
    target.mkdir(parents=True, exist_ok=True)
    inner = replace(tools)
    tools.progress(0.0, f"{step.label}: starting")
    started, files, work = monotonic(), source.files, step.start(inner, source)
    for number, file in enumerate(files):
        if tools.cancelled():
            raise Cancelled
        inner.progress = part_of(tools.progress, number, len(files))
        if not (step.per_row and count_file(target, number).is_file()):
            rows = read(file)
            store(rows, work(rows), target, number)
        tools.progress((number + 1) / len(files), _words(step, number + 1, len(files), monotonic() - started))
    return finish(len(files), target, monotonic() - started)


def _stands(target: Path) -> Result | None:
    """The counts of a finished step; None where its rows are not all there."""
    try:
        done = Result.load(target)
        return done if len(Shards(target)) == done.after else None
    except (StudioError, OSError, ValueError, TypeError):
        return None


def part_of(progress: Progress, number: int, count: int) -> Progress:
    """The progress of one of several steps as a part of all of them."""
    return lambda share, words: progress((number + share) / count, words)


def _words(step: Step, done: int, count: int, seconds: float) -> str:
    left = seconds / done * (count - done)
    rest = f", about {left:.0f} s left" if left < 90 else f", about {left / 60:.0f} min left"
    return f"{step.label}: part {done} of {count}" + (rest if left >= 1 else "")


def count_file(target: Path, number: int) -> Path:
    """The counts of shard `number`; where this file is, the shard is finished."""
    return target / f"count-{number:05d}.json"


def store(before: Sequence[Row], outcomes: Sequence[Outcome], target: Path, number: int) -> None:
    """Writes one shard's kept and dropped rows; its counts come last and mark the shard as finished."""
    kept = [(old, one.row) for old, one in zip(before, outcomes, strict=True) if not one.reason]
    write(path_of(target, "kept", number), [row for _, row in kept])
    write(path_of(target, "dropped", number), [{**one.row, "reason": one.reason, "detail": one.detail} for one in outcomes if one.reason])
    counts = {
        "before": len(before),
        "after": len(kept),
        "changed": sum(_differs(old, new) for old, new in kept),
        "reasons": Counter(one.reason for one in outcomes if one.reason),
    }
    write_json(count_file(target, number), counts)


def _differs(before: Row, after: Row) -> bool:
    """Whether any value was changed; a column that a step adds or fills does not count as a change of the row."""
    return before is not after and any(value and after.get(key) != value for key, value in before.items())


def finish(shards: int, target: Path, seconds: float) -> Result:
    """Adds up the counts of all shards and writes them down: the step is done."""
    counts = [read_json(count_file(target, number)) for number in range(shards)]
    reasons: Counter[str] = Counter()
    for one in counts:
        reasons.update(one["reasons"])
    before, after, changed = (sum(one[name] for one in counts) for name in ("before", "after", "changed"))
    result = Result(before, after, changed, dict(reasons.most_common()), round(seconds, 3))
    write_json(target / DONE, asdict(result))
    return result
