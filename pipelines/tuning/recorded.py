"""A run that has ended, as it stood after any of its steps: what a replay shows. Nothing is filled in that was not noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipelines.tuning.run import USABLE, Run

Lines = Sequence[dict[str, Any]]
LOOKED = ("probe", "sample", "guard")
FEWEST_STEPS = 2
LOOKS = {
    "answers": "sample answers",
    "shift": "a shift on the ruler",
    "perplexity_ratio": "how hard everyday text is",
    "repetition": "how much answers repeat themselves",
}


@dataclass(frozen=True)
class Recording:
    """What an ended run noted of itself. A process that went on from a checkpoint did steps again: the later line counts."""

    run: Run
    lines: tuple[dict[str, Any], ...]

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The numbers of the steps that are shown, in their order."""
        return tuple(sorted({line["step"] for line in self._settled if line.get("event") == "step"}))

    @cached_property
    def looks(self) -> tuple[int, ...]:
        """After which steps the model was looked at; 0 is before training."""
        return tuple(sorted({line["step"] for line in self._settled if line.get("event") in LOOKED}))

    @cached_property
    def _settled(self) -> tuple[dict[str, Any], ...]:
        """The lines in the order of time, without those that a later beginning took back."""
        kept: list[dict[str, Any]] = []
        for line in self.lines:
            step = line.get("step")
            if line.get("event") == "begin" and isinstance(step, int):
                kept = [one for one in kept if _step(one) <= step]
            if step is None or isinstance(step, int):
                kept.append(line)
        return tuple(kept)

    def upto(self, step: int) -> list[dict[str, Any]]:
        """The lines of progress that stood in the file after a step."""
        return [line for line in self._settled if _step(line) <= step]

    def looks_upto(self, step: int) -> int:
        """How many looks at the model there were by then."""
        return sum(look <= step for look in self.looks)

    def seconds_upto(self, step: int) -> float | None:
        """Seconds from the start of the trainer to the end of a step; None where the run did not note it."""
        noted = [line.get("elapsed") for line in self.upto(step) if line.get("event") == "step"]
        last = noted[-1] if noted else None
        return float(last) if isinstance(last, int | float) else None

    @property
    def missing(self) -> list[str]:
        """What this run did not note, in words; [] where it noted all that a replay shows."""
        probes = [line for line in self._settled if line.get("event") == "probe"]
        sampled = any(line.get("event") == "sample" for line in self._settled)
        noted = {name for line in probes for name in LOOKS if line.get(name) not in (None, [], {})} | ({"answers"} if sampled else set())
        return [words for name, words in LOOKS.items() if name not in noted]

    def frames(self, most: int) -> list[int]:
        """Steps to show one after another when the whole run is played: at most about `most`, with every look and the last one among them."""
        if not self.steps:
            return []
        last = self.steps[-1]
        count = max(1, min(most, last))
        return sorted({0, *(round(last * part / count) for part in range(1, count + 1)), *(look for look in self.looks if look <= last)})


def recording(run: Run | None) -> Recording | None:
    """The recording of a run; None where it goes on, left no adapter, or has too few steps to play."""
    if run is None or run.state not in USABLE:
        return None
    made = Recording(run, tuple(run.progress()))
    return made if len(made.steps) >= FEWEST_STEPS else None


def _step(line: dict[str, Any]) -> int:
    """The step that a line belongs to; what was noted before training counts as step 0."""
    step = line.get("step")
    return step if isinstance(step, int) and line.get("event") != "begin" else 0
