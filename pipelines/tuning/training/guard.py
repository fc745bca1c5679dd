"""The collapse guard: three signs that a model is being broken rather than tuned, each against its own start.

Tuning for preference is known to break small models (method.md, 3): repetition, garbling, and chosen answers that grow
less likely than before training while the margin still grows (likelihood displacement).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

REPETITION_LIMIT = 0.30
PERPLEXITY_LIMIT = 1.25
DISPLACEMENT_LIMIT = 0.10
MANY = 100

Probe = dict[str, Any]


def alarms(first: Probe, now: Probe) -> dict[str, str]:
    """What is wrong at a probe, by kind, in a sentence; {} where nothing is. `first` is the probe before training.

    Repetition: mean share of repeated 4-word sequences in the sample answers above the limit and above the start.
    Perplexity: of everyday text, as a multiple of the start. Displacement: mean log-probability a token of chosen
    training answers, in nats below the start. A value that is no number is always wrong.
    """
    found: dict[str, str] = {}
    if not now["repetition"] <= repetition_limit(first["repetition"]):
        found["repetition"] = f"The sample answers repeat themselves: {now['repetition']:.0%} of their four-word sequences came before."
    ratio = now["perplexity"] / first["perplexity"]
    if not ratio <= PERPLEXITY_LIMIT:
        times = f"{ratio:.1f}" if ratio <= MANY else f"more than {MANY}"
        found["perplexity"] = f"Everyday text has become {times} times as surprising to the model as before."
    if not first["chosen"] - now["chosen"] <= DISPLACEMENT_LIMIT:
        fallen = first["chosen"] - now["chosen"]
        found["displacement"] = f"The chosen answers have become less likely than before training, by {fallen:.1f} nats a token."
    return found


def repetition_limit(first: float) -> float:
    """The share of repeated sequences above which the guard warns, for a base that begins with a share of `first`."""
    return max(REPETITION_LIMIT, first + REPETITION_LIMIT / 2)


def best_step(probes: Sequence[Probe], kept: Sequence[int]) -> int | None:
    """The kept step whose adapter to use: the last one, or, where the last probe has an alarm, the last healthy one before.

    Where even the first kept step had an alarm, it is the first: the least damaged. None where nothing was kept.
    """
    if not kept:
        return None
    steps = sorted(kept)
    if not probes or not alarms(probes[0], probes[-1]):
        return steps[-1]
    healthy = [probe["step"] for probe in probes if not alarms(probes[0], probe) and probe["step"] in steps]
    return healthy[-1] if healthy else steps[0]
