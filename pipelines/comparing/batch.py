"""Asking a whole prompt set of several columns: kept a few questions at a time, stopped and gone on with whenever.

paths.batches/ID explains itself (batch_folder.py); the page and the command line both write it here.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.comparing.batch_folder import ANSWERS, JOB, Asked, Batch, State, opened, working, write_job
from pipelines.comparing.columns import MAX_COLUMNS
from pipelines.comparing.keys import HIGHEST, LOWEST
from pipelines.comparing.prompts import MOST_QUESTIONS, Prompt, PromptSet
from pipelines.corpus.versions import slug
from pipelines.entries import shown
from pipelines.errors import StudioError
from pipelines.models.attached import inspected, settings_of
from pipelines.models.growing import Row
from pipelines.models.template import ask
from pipelines.paths import Paths, atomic_folder, entry, settle
from pipelines.records import Answer, Column, Sampling
from pipelines.tuning.cost.estimate import duration

__all__ = ["Batch", "State", "create", "delete", "find", "list_batches", "run"]
Progress = Callable[[float, str], None]
Claim = Callable[[Path], None]
QUESTIONS_A_BATCH = 4
GONE = ".gone-"
LONGEST_TITLE = 120


def create(
    prompts: PromptSet, keys: Sequence[str], columns: Sequence[Column], sampling: Sampling, strength: float, paths: Paths, title: str = "",
    claim: Claim | None = None,
) -> Batch:  # fmt: skip
    """Writes a batch that waits to be run. `keys` belong to `columns` one by one; `strength` is the bias dial; titled like its set.

    `claim` writes into its folder whose it is, before anybody can see it.
    Raises StudioError where there is no question or column or too many, two have one name, or an adapter does not pass the gate.
    """
    _refuse_unfit(prompts, keys, columns, strength)
    now = datetime.now(UTC)
    title = " ".join(title.split())[:LONGEST_TITLE] or prompts.title
    folder = paths.batches / f"{now:%Y%m%d-%H%M%S}-{slug(title)}-{uuid.uuid4().hex[:4]}"
    asked = tuple(_asked(key, column) for key, column in zip(keys, columns, strict=True))
    created = now.isoformat(timespec="microseconds")
    batch = Batch(folder, title, tuple(prompts.prompts), asked, sampling, float(strength), created, prompts.restricted)
    with atomic_folder(folder) as temporary:
        if claim:
            claim(temporary)
        write_job(batch, temporary)
    return batch


def _refuse_unfit(prompts: PromptSet, keys: Sequence[str], columns: Sequence[Column], strength: float) -> None:
    if not 1 <= len(prompts.prompts) <= MOST_QUESTIONS:
        raise StudioError(f"The set holds {len(prompts.prompts)} questions.", f"A batch asks 1 to {MOST_QUESTIONS}.")
    if len({prompt.id for prompt in prompts.prompts}) != len(prompts.prompts):
        raise StudioError("Two questions have the same id.", "Give each its own id.")
    if not 1 <= len(columns) <= MAX_COLUMNS or len(keys) != len(columns):
        raise StudioError(f"{len(columns)} columns are chosen.", f"Choose 1 to {MAX_COLUMNS}.")
    if len({column.name for column in columns}) != len(columns):
        raise StudioError("Two columns have the same name.", "Give each its own name.")
    if not LOWEST <= strength <= HIGHEST:
        raise StudioError(f"The strength {strength:g} is out of range.", f"It must lie between {LOWEST:g} and {HIGHEST:g}.")


def _asked(key: str, column: Column) -> Asked:
    files = inspected(column)
    return Asked(key, column.name, tuple((file.fingerprint, float(strength)) for file, strength in files), settings_of(files))


def list_batches(paths: Paths) -> list[Batch]:
    """All batches, newest first; damaged folders are left out."""
    found = []
    for file in paths.batches.glob(f"[!.]*/{JOB}"):
        try:
            found.append(opened(file.parent))
        except StudioError:
            continue
    return sorted(found, key=lambda one: (one.created, one.id), reverse=True)


def find(batch_id: str, paths: Paths) -> Batch:
    """Raises StudioError where there is no batch of that id, or it is damaged."""
    return opened(_folder(batch_id, paths))


def delete(batch_id: str, paths: Paths) -> None:
    """Deletes a batch for good, also a damaged one. Raises StudioError where there is none, or it runs."""
    folder = _folder(batch_id, paths)
    with working(folder):
        folder.rename(paths.batches / f"{GONE}{uuid.uuid4().hex}")
    for left in paths.batches.glob(f"{GONE}*"):
        shutil.rmtree(left, ignore_errors=True)


def _folder(batch_id: str, paths: Paths) -> Path:
    folder = entry(paths.batches, batch_id)
    if folder is None or not folder.is_dir() or folder.is_symlink():
        raise StudioError(f"There is no batch called “{shown(batch_id)}”.", "It may have been deleted; look at the list again.")
    return folder


def run(batch: Batch, columns: Sequence[Column], host: Any, progress: Progress, stop: threading.Event) -> Batch:
    """Asks what has no answer yet and keeps the answers a few questions at a time; `progress` hears the share done and the time left.

    `columns` are those of the batch, in its order. With `stop` set it ends soon: what was being answered is not kept.
    Raises StudioError where the batch runs already, a column, an adapter or the base is another than before, or a kept answer is damaged.
    """
    with working(batch.folder):
        batch = opened(batch.folder)
        _refuse_others(batch, columns)
        base = _base(batch, host, progress)
        _drop_torn_line(batch.folder / ANSWERS)
        _ask(batch, columns, host, base, progress, stop)
    return batch


def _refuse_others(batch: Batch, columns: Sequence[Column]) -> None:
    if len(columns) != len(batch.columns):
        raise StudioError(f"The batch was begun with {len(batch.columns)} columns, now there are {len(columns)}.", "Choose the same ones.")
    for asked, column in zip(batch.columns, columns, strict=True):
        now = _asked(asked.key, column)
        if now.name != asked.name:
            raise StudioError(
                f"The batch was begun with “{asked.name}” where “{now.name}” is now.",
                "Choose the same columns in their order; a run that was given another title since needs its old one.",
            )
        if [one for one, _ in now.parts] != [one for one, _ in asked.parts]:
            raise StudioError(f"The adapter of “{asked.name}” has other weights than when the batch was begun.", "Begin a new batch.")
        if now.settings != asked.settings:
            raise StudioError(f"The adapter of “{asked.name}” has other settings than when the batch was begun.", "Begin a new batch.")
        if now.parts != asked.parts:
            raise StudioError(
                f"“{asked.name}” has another strength than when the batch was begun.", "Set it as it was, or begin a new batch."
            )


def _base(batch: Batch, host: Any, progress: Progress) -> str:
    """The fingerprint of the base that answers, noted when the batch begins. Raises StudioError where another one is loaded now."""
    so_far = batch.answered / len(batch.prompts)
    noted, loaded = batch.base_fingerprint, str(host.load(lambda _, text: progress(so_far, text)).fingerprint)
    if noted and noted != loaded:
        raise StudioError(
            f"The batch was begun with another base ({noted}) than is loaded now ({loaded}).",
            "Start the studio with that base, or begin a new batch.",
        )
    if not noted:
        write_job(batch, batch.folder, loaded)
    return loaded


def _ask(batch: Batch, columns: Sequence[Column], host: Any, base: str, progress: Progress, stop: threading.Event) -> None:
    """Which questions are answered together is fixed by their places, so that going on later gives what never stopping would have."""
    done = {prompt.id for prompt, _ in batch.turns()}
    total, before, start = len(batch.prompts), len(done), time.monotonic()
    progress(before / total, f"{before} of {total} questions answered")
    for first in range(0, total, QUESTIONS_A_BATCH):
        some = [prompt for prompt in batch.prompts[first : first + QUESTIONS_A_BATCH] if prompt.id not in done]
        if not some:
            continue
        answers = [] if stop.is_set() else host.answer_all(_rows(batch, some, columns), batch.sampling, stop)
        if stop.is_set():
            return
        _append(batch, some, answers, base)
        done |= {one.id for one in some}
        left = (time.monotonic() - start) / (len(done) - before) * (total - len(done))
        progress(len(done) / total, f"{len(done)} of {total} questions answered" + (f", about {duration(left)} left" if left else ""))


def _rows(batch: Batch, some: Sequence[Prompt], columns: Sequence[Column]) -> list[Row]:
    return [Row(column, ask(prompt.text), batch.seed(prompt)) for prompt in some for column in columns]


def _append(batch: Batch, some: Sequence[Prompt], answers: Sequence[Answer], base: str) -> None:
    """Writes a line a question and waits until the disk has them. Raises StudioError where it can't."""
    width, lines = len(batch.columns), ""
    for place, prompt in enumerate(some):
        own = answers[place * width : (place + 1) * width]
        batch.verify(prompt, own, base)
        lines += (
            json.dumps({"prompt": prompt.id, "question": prompt.text, "answers": [one.as_dict() for one in own]}, ensure_ascii=False) + "\n"
        )
    try:
        with (batch.folder / ANSWERS).open("ab") as handle:
            handle.write(lines.encode())
            handle.flush()
            os.fsync(handle.fileno())
        settle(batch.folder)  # the file's name, too
    except OSError as error:
        raise StudioError(
            f"The answers can't be written ({error.strerror}).", "Make room on the disk, then go on with this batch."
        ) from error


def _drop_torn_line(file: Path) -> None:
    """A process that died while it wrote left half a line, whose question is asked again."""
    whole = file.read_bytes() if file.is_file() else b""
    end = whole.rfind(b"\n") + 1
    if end < len(whole):
        os.truncate(file, end)
