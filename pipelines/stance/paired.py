"""Paired measurements: all columns answer the same items in mixed batches with shared random numbers, and are compared item by item."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any, TypeVar

from pipelines.errors import StudioError
from pipelines.models.host import MAX_LOADED, ModelHost, Row
from pipelines.records import Answer, Column, Sampling
from pipelines.stance.statistics import least_p, shift
from pipelines.stance.study import BASE, Study

Progress = Callable[[float, str], None]
T = TypeVar("T")
ROWS_A_BATCH = 24
FEWEST = 6  # a sign-flip test of fewer items can't reach p .05, since all of them moving alike has the chance 2 / 2^items
CHANCE = 0.05


def together(columns: Sequence[Column]) -> list[list[Column]]:
    """The columns that answer in one batch, the base in the first: the host holds so many adapters at once and no more."""
    base = [column for column in columns if column.is_base]
    tuned = [column for column in columns if not column.is_base]
    if len(tuned) <= MAX_LOADED:
        return [list(columns)]
    parts = [tuned[first : first + MAX_LOADED] for first in range(0, len(tuned), MAX_LOADED)]
    return [[*base, *parts[0]], *parts[1:]]


def refuse_if(stop: threading.Event) -> None:
    """Raises StudioError where somebody stopped the measurement."""
    if stop.is_set():
        raise StudioError("The measurement was stopped.", "What was answered is kept: the next one goes on from there.")


def answered(
    host: ModelHost,
    columns: Sequence[Column],
    items: Sequence[T],
    rows_of: Callable[[T, Sequence[Column]], list[Row]],
    sampling: Sampling,
    progress: Progress,
    stop: threading.Event,
    what: str = "items",
) -> Iterator[tuple[T, Answer]]:
    """Every item's answers by every column, in batches of about ROWS_A_BATCH rows; `rows_of(item, columns)` are an item's rows.

    `progress` hears the share done. Raises StudioError where it is stopped half-way.
    """
    parts = together(columns)
    for part, some in enumerate(parts):
        where = f" by {len(some)} of {len(columns)} columns" if len(parts) > 1 else ""
        size = max(1, ROWS_A_BATCH // max(1, len(rows_of(items[0], some)))) if items else 1
        for first in range(0, len(items), size):
            batch = [(item, row) for item in items[first : first + size] for row in rows_of(item, some)]
            found = host.answer_all([row for _, row in batch], sampling, stop)
            refuse_if(stop)
            yield from zip((item for item, _ in batch), found, strict=True)
            done = min(len(items), first + size)
            progress((part + done / len(items)) / len(parts), f"{done} of {len(items)} {what} answered{where}")


def entries(study: Study) -> dict[str, list[str]]:
    """What is compared, and the columns whose mean it is: the base, each role over its training seeds, and every column without a role."""
    of_roles = {column for columns in study.roles.values() for column in columns}
    alone = [column for column in study.columns if column != BASE and column not in of_roles]
    return {BASE: [BASE], **study.roles, **{column: [column] for column in alone}}


def averaged(columns: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """By item the mean over columns, where all of them have a value; {} for no column."""
    shared = [item for item in (columns[0] if columns else {}) if all(item in one for one in columns)]
    return {item: sum(one[item] for one in columns) / len(columns) for item in shared}


def tested(differences: Sequence[float], reach: float | None = None) -> dict[str, Any]:
    """`statistics.shift` as a dict with `alike`: whether two or more differences are all the same, so that resampling shows no width.

    Where they are alike and not 0, p is that of all signs being equal, 2 / 2^n. Where they are alike and none can be larger than `reach` either way, the interval is what one-sided 95% leaves open: fewer than
    1 - .05^(1/n) of such items differ (the exact form of the rule of three; Hanley and Lippman-Hand 1983, JAMA 249, 1743-1745).
    """
    return dict(_tested(tuple(map(float, differences)), reach))


@lru_cache(maxsize=4096)
def _tested(differences: tuple[float, ...], reach: float | None) -> dict[str, Any]:
    found = {**asdict(shift(differences)), "alike": len(differences) > 1 and max(differences) - min(differences) < 1e-12}
    if found["alike"] and abs(found["mean"]) > 1e-12:
        found["p"] = least_p(len(differences))
    if found["alike"] and reach is not None:
        value, others = found["mean"], unseen(len(differences))
        found |= {"low": value - others * (value + reach), "high": value + others * (reach - value)}
    return found


def unseen(n: int) -> float:
    """The share of items that may still differ, with 95% confidence, where `n` of them did not: 1 - .05^(1/n)."""
    return 1 - CHANCE ** (1 / n) if n else 1.0
