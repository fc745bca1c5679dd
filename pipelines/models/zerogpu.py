"""ZeroGPU, and nothing else of it anywhere: a Space on which a graphics card is lent for the seconds of one function.

Such a function runs in a process of the platform's own, to which arguments and results are copied; the visitor's daily seconds pay for it.
Elsewhere everything here gives back what it was given.
"""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
VARIABLE, PACKAGE = "SPACES_ZERO_GPU", "spaces"
ON = ("1", "true", "yes", "on")
SHORTEST, LONGEST = 15, 120  # seconds that are asked for: a small request waits less, and a longer one is cut off
LOADING, PER_TOKEN, PER_ANSWER = 10.0, 0.05, 0.1  # seconds, on the safe side: what is not used is not counted
_lent = False


def is_here(environment: Any = os.environ) -> bool:
    """Whether this process belongs to a ZeroGPU Space that has the platform's package."""
    return environment.get(VARIABLE, "").strip().lower() in ON and find_spec(PACKAGE) is not None


def may_use_card() -> bool:
    """Whether a card that torch shows can be computed on. Outside of a lent function a ZeroGPU Space shows one that is not there."""
    return _lent or not is_here()


def on_gpu(seconds: int | Callable[..., float]) -> Callable[[F], F]:
    """Decorates a function, or a generator function, that wants a card for at most so many seconds (a number, or made from its arguments).

    On a ZeroGPU Space it is the platform's `spaces.GPU`; elsewhere the function itself is given back.
    """
    if not is_here():
        return lambda function: function
    package = importlib.import_module(PACKAGE)
    return lambda function: package.GPU(duration=seconds)(_marked(function))


def _marked(function: F) -> F:
    """The function, which notes that it has a card while it runs. A generator function stays one: the platform looks."""

    @wraps(function)
    def plain(*args: Any, **named: Any) -> Any:
        before = _lend(True)
        try:
            return function(*args, **named)
        finally:
            _lend(before)

    @wraps(function)
    def growing(*args: Any, **named: Any) -> Any:
        before = _lend(True)
        try:
            yield from function(*args, **named)
        finally:
            _lend(before)

    return growing if inspect.isgeneratorfunction(function) else plain  # type: ignore[return-value]


def _lend(now: bool) -> bool:
    global _lent
    before, _lent = _lent, now
    return before


def seconds_for(answers: int, tokens: int) -> int:
    """Seconds of a card to ask for `answers` of at most `tokens` tokens that grow together, the model's way onto the card included."""
    return max(SHORTEST, min(LONGEST, round(LOADING + answers * PER_ANSWER + tokens * PER_TOKEN)))


def told(answers: int, tokens: int) -> str:
    """What a visitor should know before they ask; "" where nobody's seconds are counted."""
    if not is_here():
        return ""
    return (
        f"A graphics card is lent for this question, for at most {seconds_for(answers, tokens)} seconds. "
        "They count against your own daily allowance at Hugging Face, which is larger for those who are signed in there."
    )
