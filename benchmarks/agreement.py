"""How often weights rounded to 16 bits would draw the same token as fp32, both reading what fp32 has said so far.

`python -m benchmarks.agreement`, under a minute. 20 everyday questions, asked of the base and three adapters, 48 greedy tokens each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks import report
from benchmarks.make_adapters import columns
from pipelines import bundled
from pipelines.models import generating
from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.paths import Paths
from pipelines.records import Sampling

LEAST, QUESTIONS = 0.95, 20
GREEDY = Sampling(temperature=0, max_new_tokens=48)


class Watched:
    """Draws the likeliest tokens, or those `wanted` by row, and notes the likeliest ones: by row, as long as the row goes on."""

    def __init__(self, rows: int, wanted: Sequence[Sequence[int]] = ()) -> None:
        self.rows, self.wanted, self.step = list(range(rows)), wanted, 0
        self.seen: list[list[int]] = [[] for _ in range(rows)]

    def keep(self, places: Sequence[int]) -> None:
        """Only these rows go on."""
        self.rows = [self.rows[place] for place in places]

    def draw(self, scores: Any) -> Any:
        """The tokens (R,) of one step."""
        best = scores.argmax(-1)
        for row, token in zip(self.rows, best.tolist(), strict=True):
            self.seen[row].append(token)
        self.step += 1
        if not self.wanted:
            return best
        said = [self.wanted[row] for row in self.rows]
        return best.new_tensor([one[min(self.step, len(one)) - 1] for one in said])


def drawn(host: ModelHost, rows: list[Row], rounded: bool, wanted: Sequence[Sequence[int]] = ()) -> list[list[int]]:
    """The likeliest token of every row and step, after what is `wanted`, or after themselves."""
    watched, original = Watched(len(rows), wanted), generating._noise
    generating._noise = lambda seeds, sampling: watched
    try:
        list(host.stream(rows, GREEDY, partial=False, rounded=rounded))
    finally:
        generating._noise = original
    return watched.seen


def main() -> None:
    """Counts tokens in batches of one question and all columns, then prints one JSON line."""
    host, same, every = ModelHost(Paths.from_environment()), 0, 0
    for question, _ in bundled.everyday()[:QUESTIONS]:
        rows = [Row(column, ask(question), 1) for column in columns()]
        exact = drawn(host, rows, False)
        for one, other in zip(exact, drawn(host, rows, True, exact), strict=True):
            every += len(one)
            same += sum(a == b for a, b in zip(one, other, strict=False))
    print(f"{same} of {every} tokens agree")
    report.finish(
        "agreement", f"at least {LEAST:.0%} of tokens agree", same >= LEAST * every, tokens=every, agree=same, share=round(same / every, 4)
    )


if __name__ == "__main__":
    main()
