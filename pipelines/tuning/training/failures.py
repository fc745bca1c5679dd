"""What ended a run, as a sentence that says what to do."""

from __future__ import annotations

import errno

from pipelines.errors import StudioError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
KEPT = "What was kept until then can be used, and the run can go on from there."
# The last one is oneDNN's, which makes its products anew where there is room and says no more than this where there is none.
SIGNS_OF_NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "bad_alloc",
    "bad alloc",
    "could not create a primitive",
)


def explain(error: BaseException) -> StudioError:
    """A StudioError for anything that can end a training process."""
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
    first = (str(error).splitlines() or [""])[0][:200]
    return StudioError(f"Training ended with {type(error).__name__}: {first}.", f"The folder's trainer.log has the details. {KEPT}")


def not_a_number(what: str, step: int) -> StudioError:
    """For a loss or gradient that is no number any more."""
    return StudioError(
        f"The {what} was no number any more at step {step}.",
        f"The learning rate is too high, or a weight of the base is damaged: lower the rate. {KEPT}",
    )
