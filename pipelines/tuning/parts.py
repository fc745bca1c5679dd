"""The parts of a run, one after another: most methods have one, SFT followed by DPO has two."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipelines.tuning.recipe import Recipe


@dataclass(frozen=True)
class Part:
    """One trainer's share of a run: `steps` steps after the first `offset` ones."""

    number: int
    method: str
    steps: int
    offset: int
    learning_rate: float
    warmup: int

    @property
    def last_step(self) -> int:
        """The run's step with which this part ends."""
        return self.offset + self.steps


def plan(recipe: Recipe, rows: int) -> list[Part]:
    """The parts for a number of rows, in order."""
    total = steps(recipe, rows)
    if recipe.method != "sft-then-dpo" or total < 2:
        method = "sft" if recipe.method == "sft-then-dpo" else recipe.method
        return [_part(recipe, 1, method, total, 0, recipe.learning_rate)]
    first = min(total - 1, max(1, round(total * recipe.sft_share)))
    return [
        _part(recipe, 1, "sft", first, 0, recipe.learning_rate),
        _part(recipe, 2, "dpo", total - first, first, recipe.dpo_learning_rate),
    ]


def steps(recipe: Recipe, rows: int) -> int:
    """Steps of a whole run: as the epochs ask, unless `max_steps` is set. A last batch that isn't full counts as one."""
    if recipe.max_steps:
        return recipe.max_steps
    a_step = math.ceil(math.ceil(rows / recipe.batch_size) / recipe.accumulation)
    return max(1, math.ceil(recipe.epochs * a_step))


def _part(recipe: Recipe, number: int, method: str, count: int, offset: int, rate: float) -> Part:
    """A warm-up that would fill the whole part is cut to a fifth of it: else nothing would be learned."""
    warmup = recipe.warmup_steps if recipe.warmup_steps < count else count // 5
    return Part(number, method, count, offset, rate, warmup)
