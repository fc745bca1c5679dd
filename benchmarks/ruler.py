"""How far the free-text ruler can be trusted: on topics that it was not fitted on, and on other people's rows where they are at hand.

`python -m benchmarks.ruler`, with `--real FOLDER` for a folder that holds politune-left-sample.csv and politune-right-sample.csv.
Nothing is fitted on those rows and none is kept: they are read, scored and forgotten. `--embedder` takes another encoder.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import report
from pipelines.errors import StudioError
from pipelines.models.catalog import EMBEDDER
from pipelines.paths import Paths
from pipelines.records import AXES
from pipelines.stance.embedding import Embedder
from pipelines.stance.ruler import Ruler
from pipelines.stance.ruler_validity import Estimate, Interval, Validity, area, share

OWN_AUC, NEUTRAL, REAL_AUC, REAL_PAIRWISE, AMBITION = 0.85, 0.25, 0.62, 0.65, 0.75
GOAL = (
    f"topics left out one at a time: AUC >= {OWN_AUC} on both axes, neutral answers within {NEUTRAL} of 0; real rows, where given: "
    f"AUC >= {REAL_AUC} and pairwise >= {REAL_PAIRWISE} (ambition {AMBITION})"
)


@dataclass(frozen=True)
class RealRow:
    """A published row: in the left file `chosen` is the left answer, in the right file `rejected` is."""

    file: str
    left: str
    right: str


def real_rows(folder: Path) -> list[RealRow]:
    """The rows of both files, in order. Raises StudioError where a file or a column is missing."""
    from pipelines.corpus.sources import open_source

    rows = []
    for side, left, right in (("left", "chosen", "rejected"), ("right", "rejected", "chosen")):
        file = folder / f"politune-{side}-sample.csv"
        if not file.is_file():
            raise StudioError(f"There is no {file.name} in {folder}.", "Give a folder with both files, or leave --real out.")
        for row in (row for batch in open_source(str(file)).batches() for row in batch):
            if not isinstance(row.get(left), str) or not isinstance(row.get(right), str):
                raise StudioError(f"A row of {file.name} has no answers.", "It needs the columns prompt, chosen and rejected.")
            rows.append(RealRow(side, row[left], row[right]))
    return rows


def measure_real(ruler: Ruler, rows: Sequence[RealRow]) -> dict[str, Any]:
    """Left-side against right-side answers, both files pooled, intervals by row.

    These rows name no axis, so an answer's score is the mean of its two scores, each in the ruler's own unit; the axes alone and
    the files alone stand beside it.
    """
    left, right = (ruler.score_vectors(ruler.embedder.layers(texts)) for texts in ([row.left for row in rows], [row.right for row in rows]))
    numbers = [str(n) for n in range(len(rows))]
    pooled = left.mean(axis=1), right.mean(axis=1)
    found: dict[str, Any] = {
        "n": len(rows),
        "auc": figure(area(*pooled, numbers, numbers)),
        "pairwise": figure(share(pooled[1] > pooled[0], numbers)),
    }
    for column, axis in enumerate(AXES):
        found[f"auc_{axis}"] = figure(area(left[:, column], right[:, column], numbers, numbers))
    for side in dict.fromkeys(row.file for row in rows):
        some = np.array([row.file == side for row in rows])
        of_side = [number for number, inside in zip(numbers, some, strict=True) if inside]
        found[f"auc_{side}_file"] = figure(area(pooled[0][some], pooled[1][some], of_side, of_side))
    return found


def figure(one: Estimate) -> list[float]:
    """Value, low and high, to three places."""
    return [round(one.value, 3), round(one.low, 3), round(one.high, 3)]


def own(validity: Validity) -> dict[str, Any]:
    """The validity on our own text, every figure with its interval."""

    def with_interval(value: float, interval: Interval | None) -> list[float]:
        return [round(one, 3) for one in (value, *(interval or ()))]

    by_axis = {
        name: {axis: with_interval(getattr(validity, name)[axis], getattr(validity, f"{name}_interval")[axis]) for axis in AXES}
        for name in ("auc", "pairwise", "neutral")
    }
    shares = {
        name: with_interval(getattr(validity, name), getattr(validity, f"{name}_interval")) for name in ("flip", "negation", "ordered")
    }
    return {**by_axis, **shares, "measures_stance": validity.measures_stance, "topics": validity.topics}


def holds(validity: Validity, real: dict[str, Any] | None) -> bool:
    """Whether GOAL is reached; the real rows count where they were given."""
    ours = min(validity.auc.values()) >= OWN_AUC and max(map(abs, validity.neutral.values())) <= NEUTRAL
    return ours and (real is None or (real["auc"][0] >= REAL_AUC and real["pairwise"][0] >= REAL_PAIRWISE))


def main() -> None:
    """Prints the figures, then one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, help="a folder with the published rows")
    parser.add_argument("--embedder", default=EMBEDDER.name, help="a sentence-transformers folder or Hub id")
    options = parser.parse_args()
    rows = real_rows(options.real) if options.real else None
    ruler = Ruler(Embedder(Paths.from_environment(), options.embedder))
    started = perf_counter()
    validity = ruler.validity
    figures, real = own(validity), measure_real(ruler, rows) if rows else None
    for name, value in [*figures.items(), *(real or {}).items()]:
        print(f"{name}: {value}")
    report.finish("ruler", GOAL, holds(validity, real), **figures, real=real, embedder=options.embedder, seconds=perf_counter() - started)


if __name__ == "__main__":
    main()
