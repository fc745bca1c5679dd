"""What can be read of a run folder that may be damaged or come from somebody else: less, never an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pipelines.errors import StudioError
from pipelines.tuning.run import Run

DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, StudioError)
T = TypeVar("T")
D = TypeVar("D")


def tried(ask: Callable[[], T], default: D) -> T | D:
    """What `ask` finds, or the default where a file is missing, damaged or not of the expected shape."""
    try:
        return ask()
    except DAMAGE:
        return default


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def job(run: Run) -> dict[str, Any]:
    """The run's job; {} where it can't be read."""
    return mapping(tried(lambda: run.job, {}))


def metrics(run: Run) -> dict[str, Any]:
    """The run's metrics; {} where there are none yet or they can't be read."""
    return mapping(tried(lambda: run.metrics, {}))
