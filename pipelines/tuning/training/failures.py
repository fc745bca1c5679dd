"""What ended a run, as a sentence that says what to do."""

from __future__ import annotations

from pipelines import incidents
from pipelines.errors import StudioError
from pipelines.incidents import FULL, SIGNS_OF_NO_MEMORY

KEPT = "What was kept until then can be used, and the run can go on from there."


def explain(error: BaseException, code: str = "") -> StudioError:
    """A StudioError for anything that can end a training process; `code` is what it stands under in trainer.log."""
    if isinstance(error, StudioError):
        return error
    if isinstance(error, OSError) and error.errno in FULL:
        return StudioError("The disk is full.", f"Make room, then press “Go on”. {KEPT}")
    if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in SIGNS_OF_NO_MEMORY):
        return StudioError(
            "There was not enough memory.", f"Use fewer rows at once with more batches a step, shorter rows, or a smaller base. {KEPT}"
        )
    if any(
        sign in str(error).lower() for sign in ("no space left", "i/o error", "file too large", "inline_container", "pytorchstreamwriter")
    ):
        return StudioError("The disk is full.", f"Make room, then press “Go on”. {KEPT}")
    first = incidents.discreet((str(error).splitlines() or [""])[0])[:200]
    under = f" under code {code}" if code else ""
    return StudioError(f"Training ended with {type(error).__name__}: {first}.", f"The folder's trainer.log has the details{under}. {KEPT}")


def not_a_number(what: str, step: int) -> StudioError:
    """For a loss or gradient that is no number any more."""
    return StudioError(
        f"The {what} was no number any more at step {step}.",
        f"The learning rate is too high, or a weight of the base is damaged: lower the rate. {KEPT}",
    )
