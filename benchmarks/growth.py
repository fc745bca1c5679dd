"""How waiting grows: with columns, with the length of answers, with rows in a batch, and with adapters that are loaded.

`python -m benchmarks.growth [--plot FILE.html]`, about three minutes. Answers are those of Compare (weights rounded to 16 bits where that is
faster), greedy; prompt sets are answered exactly. Each point is the median of three; there is no goal but that nothing grows faster than
what it counts.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.make_adapters import columns
from pipelines import bundled
from pipelines.models.attached import MAX_LOADED
from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.paths import Paths
from pipelines.records import Column, Sampling

QUESTION, TOKENS, ROUNDS = "Should the government raise taxes on the rich?", 48, 3
LENGTHS, ROWS, LOADED = (16, 32, 64, 128, 256), (1, 2, 4, 8, 16, 32), (1, 2, 4, 8, 12, 16, 20)
Points = dict[int, float]


def milliseconds(once: Callable[[], int]) -> float:
    """Median milliseconds a step, of which `once` tells how many it took; the first round warms up."""
    taken = []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        steps = once()
        taken.append((time.perf_counter() - begun) / steps)
    return 1000 * statistics.median(taken[1:])


def answered(host: ModelHost, rows: list[Row], tokens: int = TOKENS, rounded: bool = True) -> int:
    """Steps of one batch."""
    found = list(host.stream(rows, Sampling(temperature=0, max_new_tokens=tokens), partial=False, rounded=rounded))[-1]
    return max(answer.tokens for answer in found)


def by_columns(host: ModelHost) -> Points:
    """Milliseconds a step for 1 to 6 columns."""
    base, left, right, placebo = columns()
    every = [left, base, right, placebo, Column("left at .5", left.adapter, 0.5), Column("right at .5", right.adapter, 0.5)]
    rows = [Row(column, ask(QUESTION), 1) for column in every]
    return {many: milliseconds(partial(answered, host, rows[:many])) for many in range(1, 7)}


def by_length(host: ModelHost) -> Points:
    """Milliseconds a step for longer and longer answers of one tuned column."""
    story, left = "Tell me a long story about a village and its river.", columns()[1]
    return {length: milliseconds(partial(answered, host, [Row(left, ask(story), 1)], length)) for length in LENGTHS}


def by_rows(host: ModelHost) -> Points:
    """Milliseconds a step for more and more questions of one tuned column at once, exactly."""
    rows = [Row(columns()[1], ask(question), 1) for question, _ in bundled.everyday()] * 2
    return {many: milliseconds(partial(answered, host, rows[:many], TOKENS, False)) for many in ROWS}


def by_adapters(host: ModelHost) -> Points:
    """Milliseconds a step for one tuned column while more and more others are loaded (at most MAX_LOADED stay)."""
    left, found = columns()[1], {}
    for many in LOADED:
        for number in range(1, many):
            answered(host, [Row(Column("other", left.adapter, number / 100), ask(QUESTION), 1)], 1)
        found[many] = milliseconds(partial(answered, host, [Row(left, ask(QUESTION), 1)]))
    return found


GROWN = {"columns": by_columns, "tokens an answer": by_length, "rows at once": by_rows, "adapters loaded": by_adapters}


def main() -> None:
    """Prints a table for each, then one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", type=Path, help="an HTML file to write the plot into")
    options = parser.parse_args()
    host = ModelHost(Paths.from_environment())
    host.load()
    found = {name: {x: round(y, 1) for x, y in measure(host).items()} for name, measure in GROWN.items()}
    for name, points in found.items():
        print(
            f"{name:>17} " + " ".join(f"{x:>6}" for x in points) + "\n      ms a step   " + " ".join(f"{y:>6.1f}" for y in points.values())
        )
    if options.plot:
        options.plot.write_text(drawn(found), encoding="utf-8")
    holds = all(points[last] / points[1] <= last for name, points in found.items() if 1 in points for last in [max(points)])
    report.finish("growth", "nothing grows faster than what it counts", holds, milliseconds_a_step=found, most_loaded=MAX_LOADED)


def drawn(found: dict[str, Points]) -> str:
    """Four small plots on one page that opens offline."""
    from plotly.subplots import make_subplots

    figure: Any = make_subplots(rows=2, cols=2, subplot_titles=[f"by {name}" for name in found])
    for number, points in enumerate(found.values()):
        place = {"row": number // 2 + 1, "col": number % 2 + 1}
        figure.add_scatter(x=list(points), y=list(points.values()), mode="lines+markers", showlegend=False, **place)
        figure.update_yaxes(rangemode="tozero", title_text="ms a step", **place)
    return str(figure.to_html(include_plotlyjs=True))


if __name__ == "__main__":
    main()
