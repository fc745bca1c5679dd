"""Sentence encoders side by side: for each the ruler is fitted again and its validity measured on the same texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from pipelines.errors import StudioError
from pipelines.models.catalog import EMBEDDER
from pipelines.paths import Paths
from pipelines.stance.embedding import Embedder
from pipelines.stance.ruler import Ruler

Progress = Callable[[str], None]
TRIAL = "Is it loaded?"
HINT = f"Give a sentence-transformers folder, a Hub id such as {EMBEDDER.hub_id}, or {EMBEDDER.name}."


def compare(references: Sequence[str], paths: Paths, progress: Progress = lambda text: None) -> list[dict[str, Any]]:
    """One row a sentence-transformers model, given by folder, Hub id or the packaged model's name.

    A row: name, auc, pairwise and neutral by axis, flip, negation, ordered, their intervals, `measures_stance`, `seconds`
    (embedding all texts, fitting and measuring, without loading and with nothing taken from disk) and `dimensions` of the
    sentence embedding. All models are loaded first, so that one that can't be ends it before anything is measured.
    Raises StudioError for no reference, one given twice, or one that can't be loaded.
    """
    given = [reference.strip() for reference in references]
    if not any(given):
        raise StudioError("There is no embedding model to compare.", HINT)
    twice = sorted({one for one in given if given.count(one) > 1})
    if twice:
        raise StudioError(f"The embedding model {twice[0]} is named twice.", "Name every model once.")
    loaded = [(reference, *_loaded(reference, paths, progress)) for reference in given]
    return [_row(reference, embedder, dimensions, progress) for reference, embedder, dimensions in loaded]


def _loaded(reference: str, paths: Paths, progress: Progress) -> tuple[Embedder, int]:
    """The model, and the length of its sentence embeddings."""
    progress(f"Loading {reference}")
    try:
        embedder = Embedder(paths, reference, keep=False)
    except StudioError as error:
        raise StudioError(error.message, HINT) from error
    return embedder, int(embedder.encode([TRIAL]).shape[1])


def _row(reference: str, embedder: Embedder, dimensions: int, progress: Progress) -> dict[str, Any]:
    progress(f"Fitting the ruler on {reference}")
    started = time.perf_counter()
    validity = Ruler(embedder).validity.as_dict()
    return {"name": reference, **validity, "seconds": time.perf_counter() - started, "dimensions": dimensions}
