"""One run trained by several processes, each a copy of the same command (`accelerate launch`, `torchrun`)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.tuning.run import Run
from pipelines.tuning.training.processes import is_main, shared


def agreed(make: Callable[[], Run]) -> Run:
    """The run that the first process makes or finds, in all of them.

    Raises StudioError in all of them where `make` does, or a file can't be used: else the others would wait for ever.
    """
    _join()
    folder, message, hint = "", "", ""
    if is_main():
        try:
            folder = str(make().folder)
        except StudioError as error:
            message, hint = error.message, error.hint
        except OSError as error:
            message, hint = f"{error.filename or 'A file'} can't be used ({error.strerror or error}).", "Check its rights and the disk."
    folder, message, hint = shared((folder, message, hint))
    if not folder:
        raise StudioError(message, hint)
    return Run(Path(folder))


def train(run: Run, paths: Paths) -> int:
    """Trains a run in this process, which is one of several; 0 where an adapter was saved. What the libraries print goes to trainer.log.

    It does not let the queue go on: a trainer that it started would take itself for one of these processes.
    """
    from pipelines.tuning import runs
    from pipelines.tuning.training import trainer

    if is_main():
        runs.note_outside(run, paths)
        (run.folder / "stop").unlink(missing_ok=True)
    with (run.folder / "trainer.log").open("a", encoding="utf-8") as log, redirect_stdout(log), redirect_stderr(log):
        return trainer.guarded(run, paths)


def _join() -> None:
    """Makes the processes know each other. Without a GPU that must be said at the first call: later ones change nothing."""
    import torch
    from accelerate import PartialState

    PartialState(cpu=not torch.cuda.is_available())
