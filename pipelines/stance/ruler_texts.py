"""What the ruler learns from: our own mirrored answers on the training topics, and pole statements on a hundred other subjects."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from pipelines import bundled

TARGETS = {"left": -1.0, "right": 1.0, "neutral": 0.0}


@dataclass(frozen=True)
class Labelled:
    """A text with a known side: "left", "right" or "neutral". `topic` is the topic whose scores this text must not touch."""

    text: str
    topic: str
    axis: str
    side: str


def training_texts() -> list[Labelled]:
    """The mirrored answers: a left, a right and a neutral text a row, in this order."""
    return [Labelled(getattr(row, side), row.topic, row.axis, side) for row in bundled.pairs() for side in TARGETS]


def pole_texts() -> list[Labelled]:
    """The pole statements of poles.csv: a left and a right text a row, in this order.

    Their subjects are others than the topics; `near` names the topic that a subject lies nearest to, "" where none is near.
    """
    with (bundled.DATA / "poles.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return [Labelled(row[side], row["near"], row["axis"], side) for row in rows for side in ("left", "right")]
