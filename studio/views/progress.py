"""A run's progress file as the views read it: the lines that count, how far the run goes, its parts, and the words for all that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Lines = Sequence[dict[str, Any]]
METHODS = {"sft": "SFT", "dpo": "DPO", "sft-then-dpo": "SFT, then DPO", "dpo-with-sft": "DPO with SFT", "ipo": "IPO"}
SIDES = {
    "left": "the left answers",
    "right": "the right answers",
    "neutral": "the neutral answers (placebo)",
    "shuffled": "answers of shuffled sides (placebo)",
    "chosen": "the chosen answers",
    "rejected": "the rejected answers",
}
HOW = {
    "sft": "by imitating them (SFT)",
    "dpo": "by preferring them to the opposite ones (DPO)",
    "sft-then-dpo": "first by imitating, then by preferring them (SFT, then DPO)",
    "dpo-with-sft": "by preferring and imitating them at once (DPO with SFT)",
    "ipo": "by preferring them up to a fixed margin (IPO)",
}
ALARMS = {
    "repetition": (
        "The answers repeat themselves.",
        "Compare an earlier checkpoint, or train again with a lower learning rate or fewer steps.",
    ),
    "perplexity": (
        "Everyday text became harder for the model.",
        "Train again with a lower learning rate, fewer steps or fewer layers; an earlier checkpoint may still be sound.",
    ),
    "displacement": (
        "The chosen answers became less likely than before training.",
        "Margin is not effect. Imitate first (sft-then-dpo) or at the same time (dpo-with-sft), or take a lower learning rate.",
    ),
}
FIRED = {"repetition": "repeated answers", "perplexity": "damage to everyday text", "displacement": "chosen answers grown unlikely"}
AXES = {"economic": ("economy", "left", "right"), "social": ("society", "progressive", "traditional")}


def latest(progress: Lines, event: str) -> list[dict[str, Any]]:
    """The lines of one event in the order of their steps.

    A process that goes on from a checkpoint says so ("begin") and does later steps again: what the first one did after that checkpoint
    is left out, and of two lines of one step the later counts.
    """
    kept: dict[tuple[int, str], dict[str, Any]] = {}
    for line in progress:
        step = line.get("step")
        if not isinstance(step, int):
            continue
        if line.get("event") == "begin":
            kept = {key: value for key, value in kept.items() if key[0] <= step}
        elif line.get("event") == event:
            kept[step, str(line.get("kind", ""))] = line
    return [kept[key] for key in sorted(kept)]


def total(progress: Lines, unknown: int = 10) -> int:
    """How many steps the run will have, as its last line about it says; `unknown` before there is one."""
    said = [of for line in progress if (of := number(line.get("total")))]
    return int(said[-1]) if said else unknown


def phases(progress: Lines) -> list[tuple[str, int, int]]:
    """The parts of the run as (method in words, step before its first one, its last step); empty for runs that do not note them."""
    begun = [line["phases"] for line in progress if line.get("event") == "begin" and line.get("phases")]
    found, before = [], 0
    for part in begun[-1] if begun else []:
        steps = int(number(part.get("steps")) or 0)
        found.append((METHODS.get(part.get("method"), str(part.get("method"))), before, before + steps))
        before += steps
    return found


def number(value: Any) -> float | None:
    """A finite number, or None."""
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fine else None


def shifted(values: Any) -> str:
    """A shift on both axes in words, or a dash where it was not measured."""
    found = [(name, number((values or {}).get(axis))) for axis, (name, *_) in AXES.items()]
    return ", ".join(f"{name} {value:+.2f}" for name, value in found if value is not None) or "–"
