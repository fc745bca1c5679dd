"""What more columns cost: base, left and right together against left alone; greedy, 48 new tokens, the same question.

`python -m benchmarks.compare`. Every row count is timed in turn, over and over; medians are compared. An answer that ends early
is timed by the token. "plain" is the same with the library's own linear layers, which pack their weights anew for few rows.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import report
from pipelines import bundled
from pipelines.models import skinny
from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.paths import Paths
from pipelines.records import Column, Sampling

QUESTION, TOKENS, LIMIT, ROUNDS = "Should the government raise taxes on the rich?", 48, 1.6, 5
GREEDY = Sampling(temperature=0, max_new_tokens=TOKENS)
BASE = Column("base")
LEFT, RIGHT, PLACEBO = (Column(side, bundled.ADAPTERS / side) for side in bundled.BUNDLED_SIDES)
MORE = [Column(f"{side.name} × 0.5", side.adapter, 0.5) for side in (LEFT, RIGHT)]
MIXTURES = [[LEFT], [BASE, LEFT], [BASE, LEFT, RIGHT], [BASE, LEFT, RIGHT, PLACEBO], [BASE, LEFT, RIGHT, PLACEBO, *MORE]]


def seconds(host: ModelHost, columns: list[Column]) -> float:
    """Wall time of 48 tokens for all columns."""
    begun = time.perf_counter()
    answers = host.answer_all([Row(column, ask(QUESTION), 1) for column in columns], GREEDY)
    return (time.perf_counter() - begun) / max(answer.tokens for answer in answers) * TOKENS


@contextmanager
def plain_layers() -> Iterator[None]:
    """Turns the faster linear layers off for a while."""
    few, skinny.FEW = skinny.FEW, 0
    try:
        yield
    finally:
        skinny.FEW = few


def main() -> None:
    """Prints a table of columns and seconds, then the ratio."""
    import torch

    warnings.filterwarnings("ignore", category=FutureWarning)
    torch.set_num_threads(2)
    host = ModelHost(Paths.from_environment())
    for columns in MIXTURES:
        seconds(host, columns)  # attaches
    taken: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for columns in MIXTURES:
            taken.setdefault(f"{len(columns)}", []).append(seconds(host, columns))
            if len(columns) in (1, 3):
                with plain_layers():
                    taken.setdefault(f"{len(columns)} plain", []).append(seconds(host, columns))
    middle = {name: statistics.median(values) for name, values in taken.items()}
    for name, value in middle.items():
        print(f"{name:>8} column(s): {value:5.2f} s, {TOKENS / value:5.1f} steps/s")
    ratio = middle["3"] / middle["1"]
    report.finish(
        "compare", f"three columns at most {LIMIT} times one tuned column", ratio <= LIMIT,
        ratio=round(ratio, 2), ratio_plain=round(middle["3 plain"] / middle["1 plain"], 2),
        against_plain_one=round(middle["3"] / middle["1 plain"], 2), seconds={name: round(value, 2) for name, value in middle.items()},
    )  # fmt: skip


if __name__ == "__main__":
    main()
