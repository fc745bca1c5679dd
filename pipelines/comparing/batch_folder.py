"""What a batch is on disk: job.json, answers.jsonl with a line a question, and the lock of whoever works on it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines.comparing.comparison import Turn
from pipelines.comparing.prompts import Prompt
from pipelines.errors import StudioError
from pipelines.models.attached import stamped
from pipelines.paths import read_json, write_json
from pipelines.records import Answer, Sampling
from pipelines.stance.study import seed_of

State = Literal["waiting", "running", "stopped", "finished"]
JOB, ANSWERS, LOCK = "job.json", "answers.jsonl", ".lock"
LOOK_SECONDS, TAKE_SECONDS = 0.05, 2.0
_LOOKING = threading.Lock()
DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class Asked:
    """A column of a batch: its key, its name, the fingerprint and strength of each adapter in it, and what the stamp says of their settings."""

    key: str
    name: str
    parts: tuple[tuple[str, float], ...] = ()
    settings: str = ""


@dataclass(frozen=True)
class Batch:
    """What was asked of whom. `strength` is the bias dial; state, answers and base are read from the folder at each look."""

    folder: Path
    title: str
    prompts: tuple[Prompt, ...]
    columns: tuple[Asked, ...]
    sampling: Sampling
    strength: float
    created: str
    restricted: bool = False

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(column.key for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in the order of every turn's answers."""
        return tuple(column.name for column in self.columns)

    @property
    def base_fingerprint(self) -> str:
        """The base that answers; "" until the batch was begun, and where the folder is gone."""
        try:
            return str(read_json(self.folder / JOB)["base_fingerprint"])
        except DAMAGE:
            return ""

    @property
    def answered(self) -> int:
        """How many questions have been answered; a line that was being written when a process died does not count."""
        file = self.folder / ANSWERS
        lines = file.read_bytes().split(b"\n")[:-1] if file.is_file() else []
        return len({line[: line.find(b'"question"')] for line in lines})  # a line begins with its question's id

    @property
    def state(self) -> State:
        """ "running" only while a process works on it, however the last one ended."""
        if is_locked(self.folder):
            return "running"
        if self.answered >= len(self.prompts):
            return "finished"
        return "stopped" if self.base_fingerprint else "waiting"

    def seed(self, prompt: Prompt) -> int:
        """Every question has random numbers of its own, which all columns share."""
        return seed_of(self.sampling.seed, prompt.id, 0)

    def turns(self) -> list[tuple[Prompt, Turn]]:
        """The questions that are answered, in the set's order.

        Raises StudioError naming the line where an answer and its stamp do not belong together, or it is no answer of this batch.
        """
        file = self.folder / ANSWERS
        lines = file.read_bytes().split(b"\n")[:-1] if file.is_file() else []
        order, base = {prompt.id: place for place, prompt in enumerate(self.prompts)}, self.base_fingerprint
        found: dict[int, tuple[Prompt, Turn]] = {}
        for number, line in enumerate(lines, 1):
            try:
                value = json.loads(line)
                place = order[value["prompt"]]
                answers = tuple(_sealed(one) for one in value["answers"])
                self.verify(self.prompts[place], answers, base)
            except (*DAMAGE, StudioError) as error:
                raise self._refused(number, error) from error
            found.setdefault(place, (self.prompts[place], Turn(self.prompts[place].text, answers)))
        return [found[place] for place in sorted(found)]

    def _refused(self, number: int, error: Exception) -> StudioError:
        reason = error.message if isinstance(error, StudioError) else "It is damaged."
        return StudioError(
            f"Line {number} of {ANSWERS} in the batch {self.id} can't be used. {reason}",
            "Delete that line and go on with the batch, which asks its question again; or delete the batch.",
        )

    def verify(self, prompt: Prompt, answers: Sequence[Answer], base: str) -> None:
        """Raises StudioError where these are not what this batch's columns said to this question, with its base and its sampling."""
        if [one.column for one in answers] != list(self.names) or any(one.prompt != prompt.text for one in answers):
            raise StudioError("It is about other columns or another question than the batch.")
        drawn = (self.sampling.temperature, self.sampling.top_p, self.sampling.max_new_tokens, self.seed(prompt))
        for asked, one in zip(self.columns, answers, strict=True):
            stamp = one.stamp
            if stamp.base_fingerprint != base:
                raise StudioError(f"“{asked.name}” was answered by another base ({stamp.base_fingerprint}).")
            if not _is_by(asked, one):
                raise StudioError(f"“{asked.name}” was answered by another adapter ({stamp.adapter_fingerprint or 'none'}).")
            if (stamp.temperature, stamp.top_p, stamp.max_new_tokens, stamp.seed) != drawn:
                raise StudioError(f"“{asked.name}” was answered with other sampling settings.")


def _is_by(asked: Asked, answer: Answer) -> bool:
    stamp = answer.stamp
    return (stamp.adapter_fingerprint, stamp.strength, stamp.adapter_settings) == (*stamped(asked.parts), asked.settings)


def _sealed(value: dict[str, Any]) -> Answer:
    if not value["seal"]:
        raise StudioError("An answer has no seal.")
    return Answer.from_dict(value)


def write_job(batch: Batch, folder: Path, base_fingerprint: str = "") -> None:
    """Writes what was asked of whom into a folder. Raises StudioError where the disk refuses."""
    about = {name: value for name, value in asdict(batch).items() if name != "folder"}
    try:
        write_json(folder / JOB, {**about, "base_fingerprint": base_fingerprint}, settled=True)
    except OSError as error:
        raise StudioError(f"The batch can't be written ({error.strerror}).", "Make room on the disk, then press again.") from error


def opened(folder: Path) -> Batch:
    """The batch in a folder. Raises StudioError where job.json is missing or damaged."""
    try:
        job = read_json(folder / JOB)
        columns = (
            Asked(str(one["key"]), str(one["name"]), tuple((str(p), float(s)) for p, s in one["parts"]), str(one["settings"]))
            for one in job["columns"]
        )
        prompts = tuple(Prompt(**one) for one in job["prompts"])
        if not prompts or not job["columns"] or not all(isinstance(text, str) for one in prompts for text in (one.id, one.text, one.topic)):
            raise ValueError("nothing is asked, or nobody")
        return Batch(
            folder,
            str(job["title"]),
            prompts,
            tuple(columns),
            Sampling(**job["sampling"]),
            float(job["strength"]),
            str(job["created"]),
            bool(job["restricted"]),
        )
    except (*DAMAGE, StudioError) as error:
        raise StudioError(f"The batch {folder.name} is damaged.", "Delete it, and ask its questions anew.") from error


@contextmanager
def working(folder: Path) -> Iterator[None]:
    """One writer at a time, also over two studios. Raises StudioError where there is another, or the folder is gone."""
    from filelock import FileLock, Timeout

    if not folder.is_dir():
        raise StudioError(f"The batch {folder.name} is not here any more.", "It may have been deleted; look at the list again.")
    lock = FileLock(folder / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=TAKE_SECONDS, poll_interval=0.02)
    except Timeout as error:
        raise StudioError("This batch is being asked already.", "Wait until it ends, or stop it.") from error
    except OSError as error:
        raise StudioError(f"The batch {folder.name} is not here any more.", "It may have been deleted; look at the list again.") from error
    try:
        yield
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether somebody works on it. Looking takes the lock for a moment, so looks take turns, and one elsewhere is given time to end."""
    from filelock import FileLock, Timeout

    if not (folder / LOCK).exists():
        return False
    try:
        with _LOOKING, FileLock(folder / LOCK, timeout=LOOK_SECONDS, poll_interval=0.01, thread_local=False):
            return False
    except Timeout:
        return True
    except OSError:  # a folder that nobody can write to
        return False
