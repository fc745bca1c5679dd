"""`compare` of the command line: a prompt set asked of several columns; stopped, gone on with, listed, exported and deleted."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.console import out, progress
from pipelines.comparing import batch as batches
from pipelines.comparing import keys, prompts
from pipelines.comparing.batch import Batch
from pipelines.comparing.columns import Catalog, catalog
from pipelines.comparing.divergence import divergence
from pipelines.comparing.fitting import loaded
from pipelines.errors import StudioError
from pipelines.paths import Paths, write_text
from pipelines.records import Column, Sampling

if TYPE_CHECKING:
    from pipelines.models.host import ModelHost

USUAL_COLUMNS = "base,left,right,placebo"
FORMATS = (".csv", ".jsonl", ".md")
GIVEN_AT_THE_START = ("questions", "columns", "strength", "title", *(lever.name for lever in fields(Sampling)))
INTERRUPTED = 130


def compare(options: argparse.Namespace, paths: Paths) -> int:
    """Lists, deletes, begins or goes on with a batch; 130 where Ctrl+C stopped it."""
    if options.list:
        return _list(options, paths)
    if options.delete:
        batches.delete(options.delete, paths)
        out(options, {"deleted": options.delete}, f"{options.delete} was deleted.")
        return 0
    _refuse_output(options.output)
    if options.resume:
        return _resume(options, paths)
    return _begin(options, paths)


def _begin(options: argparse.Namespace, paths: Paths) -> int:
    if not options.questions:
        raise StudioError("There are no questions.", f"Give --questions FILE, or one of {', '.join(prompts.bundled_sets())}.")
    asked = prompts.find(options.questions)
    if asked.note:
        print(asked.note, file=sys.stderr, flush=True)
    given = {lever.name: getattr(options, lever.name) for lever in fields(Sampling)}
    sampling = Sampling(**{name: value for name, value in given.items() if value is not None})
    strength = 1.0 if options.strength is None else options.strength
    host = _host(paths)
    wanted, columns = resolved((options.columns or USUAL_COLUMNS).split(","), strength, catalog(paths, loaded(host)))
    batch = batches.create(asked, wanted, columns, sampling, strength, paths, options.title or "")
    return _run(options, batch, columns, host)


def _resume(options: argparse.Namespace, paths: Paths) -> int:
    """Goes on with what is missing; where nothing is, no model is loaded."""
    other = next((name for name in GIVEN_AT_THE_START if getattr(options, name) is not None), None)
    if other:
        raise StudioError(
            "A batch goes on with the questions, columns and settings it was begun with.", f"Leave out --{other.replace('_', '-')}."
        )
    batch = batches.find(options.resume, paths)
    if batch.state == "finished":
        return _tell(options, batch)
    host = _host(paths)
    _, columns = resolved(batch.keys, batch.strength, catalog(paths, loaded(host)), in_order=False)
    return _run(options, batch, columns, host)


def _host(paths: Paths) -> ModelHost:
    from pipelines.models.host import ModelHost

    return ModelHost(paths)


def resolved(wanted: Sequence[str], dial: float, listed: Catalog, in_order: bool = True) -> tuple[list[str], list[Column]]:
    """Keys without repeats, the base first (or as they stand, not `in_order`), and their columns.

    Raises StudioError naming the first that can't be a column, and what can.
    """
    asked = list(dict.fromkeys(key.strip() for key in wanted if key.strip()))
    for key in asked:
        if listed.find(key) is None:
            raise _unknown(key, listed)
    kept = listed.kept(asked) if in_order else asked
    return kept, [found.column(dial) for key in kept if (found := listed.find(key))]


def _unknown(key: str, listed: Catalog) -> StudioError:
    try:
        parts = keys.parse(key)
    except StudioError as error:
        return error
    run_id = next((part.offer.removeprefix("run:").partition("@")[0] for part in parts if part.offer not in listed.offers), "")
    if run_id in listed.refused:
        return StudioError(f"“{key}” can't be a column.", listed.refused[run_id])
    return StudioError(
        f"“{key}” is no column.", f"There are: {', '.join(listed.offers)}. An own strength is written left*0.5, a blend left*0.5+right*0.5."
    )


def _run(options: argparse.Namespace, batch: Batch, columns: Sequence[Column], host: ModelHost) -> int:
    with interruptible() as stop:
        batch = batches.run(batch, columns, host, progress, stop)
    if batch.state == "finished":
        return _tell(options, batch)
    said = f"Stopped with {batch.answered} of {len(batch.prompts)} questions answered, which are kept."
    print(f"{said} Go on: python -m pipelines compare --resume {batch.id}", file=sys.stderr, flush=True)
    if options.json:
        out(options, _row(batch), "")
    return INTERRUPTED


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """The first Ctrl+C sets the signal, at which an answer ends within a word; the second one leaves at once, which loses no more."""
    stop = threading.Event()

    def first(_number: int, _frame: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(options: argparse.Namespace, batch: Batch) -> int:
    """The answers, or with --output only where they lie."""
    if options.output:
        write_text(options.output, _maker(options.output)(batch))
        out(
            options,
            {**_row(batch), "output": str(options.output)},
            f"{batch.answered} questions with their answers are in {options.output}",
        )
        return 0
    turns = batch.turns()
    rows = [
        {
            "prompt": prompt.id,
            "question": prompt.text,
            "divergence": round(_apart(turn), 4),
            "answers": [one.as_dict() for one in turn.answers],
        }
        for prompt, turn in turns
    ]
    lines = [f"{_shown(prompt.text)}\n" + "\n".join(f"[{one.column}] {_shown(one.text)}" for one in turn.answers) for prompt, turn in turns]
    out(options, {**_row(batch), "turns": rows}, "\n\n".join([*lines, f"{batch.id}: {batch.answered} questions answered."]))
    return 0


def _apart(turn: Any) -> float:
    return divergence([one.text for one in turn.answers])


def _shown(text: str) -> str:
    """One line, without what a terminal would obey."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _refuse_output(output: Path | None) -> None:
    """Before anything is asked."""
    if output and (output.suffix.lower() not in FORMATS or output.is_dir()):
        raise StudioError(f"{output} can't hold the answers.", f"Give a file that ends in {', '.join(FORMATS)}.")


def _maker(output: Path) -> Callable[[Batch], str]:
    from pipelines.export import comparison

    return {".csv": comparison.batch_csv, ".jsonl": comparison.batch_jsonl, ".md": comparison.batch_markdown}[output.suffix.lower()]


def _row(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "title": batch.title,
        "state": batch.state,
        "answered": batch.answered,
        "questions": len(batch.prompts),
        "columns": list(batch.keys),
        "created": batch.created,
    }


def _list(options: argparse.Namespace, paths: Paths) -> int:
    rows = [_row(batch) for batch in batches.list_batches(paths)]
    lines = [
        f"{row['id']}  {row['state']:8}  {row['answered']}/{row['questions']}  {_shown(row['title'])}  ({', '.join(row['columns'])})"
        for row in rows
    ]
    out(options, rows, "\n".join(lines) or "There are no batches yet: python -m pipelines compare --questions opinion")
    return 0
