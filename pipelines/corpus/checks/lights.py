"""Checks before training, each a light with a sentence, and a mend for what a click can mend.

    lights = check(rows, "pairs", embedder)
    rows, dropped, changed = mend(rows, lights[3])
    compare_sets(left_rows, right_rows, ("left", "right"))

The order of the lights is an order to mend in: what is wrong with single rows first, what is uneven between the halves after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pipelines.corpus.checks import contents, cues, duplicates, era, leakage, leftovers, names, sets, symmetry, topics
from pipelines.corpus.checks.records import Encoder, Kind, Light, Mended, Row, drop
from pipelines.errors import StudioError

MENDS: dict[str, Callable[[Sequence[Row], Light], Mended]] = {
    "answers": drop,
    "refusals": drop,
    "leftovers": leftovers.mend_leftovers,
    "duplicates": duplicates.mend_duplicates,
    "leakage": drop,
    "era": drop,
    "names": drop,
    "topics": drop,
    "length": symmetry.mend_length,
    "cues": cues.mend_cues,
}


def check(rows: Sequence[Row], kind: Kind, embedder: Encoder | None = None) -> list[Light]:
    """All lights for preference pairs (chosen and rejected) or mirrored rows (left and right).

    Without an embedder paraphrases of test questions are not looked for and topics are not guessed; the lights say so.
    """
    if not rows:
        return [contents.size_light(rows)]
    encoder = _Remembering(embedder) if embedder is not None else None
    return [
        contents.size_light(rows),
        contents.answers_light(rows, kind),
        contents.refusal_light(rows, kind),
        leftovers.leftover_light(rows, kind),
        duplicates.duplicate_light(rows, kind),
        leakage.leakage_light(rows, kind, encoder),
        era.era_light(rows, kind),
        names.name_light(rows, kind),
        topics.topic_light(rows, encoder),
        symmetry.length_light(rows, kind),
        cues.cue_light(rows, kind),
    ]


def mend(rows: Sequence[Row], light: Light) -> Mended:
    """Carries out a light's mend: the rows left, the rows dropped with the reason for each, and how many rows were changed.

    Raises StudioError where the light has no mend, or where an id stands for several different rows.
    """
    if light.mend not in MENDS:
        raise StudioError(f"“{light.title}” can't be mended by a click.", "Look at the rows, or choose others.")
    return MENDS[light.mend](rows, light)


def compare_sets(a: Sequence[Row], b: Sequence[Row], names: tuple[str, str], embedder: Encoder | None = None) -> list[Light]:
    """Lights for two data sets that are to be used as opposite sides: topics, era, names, length, style.

    Raises StudioError where one of them has no rows.
    """
    if not a or not b:
        raise StudioError(f"{names[0] if not a else names[1]} has no rows.", "Choose two data sets with rows.")
    return sets.compare(a, b, names, embedder)


class _Remembering:
    """An encoder that embeds the same texts once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[tuple[str, ...], np.ndarray] = {}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        key = tuple(texts)
        if key not in self._known:
            self._known[key] = self._encoder.encode(texts)
        return self._known[key]
