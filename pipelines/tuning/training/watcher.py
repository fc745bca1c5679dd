"""The callback that watches a trainer: figures, looks, the guard, snapshots, and the request to stop."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from pipelines.models.cores import Cores
from pipelines.tuning.parts import Part
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from pipelines.tuning.training import failures, guard, journal
from pipelines.tuning.training.journal import Journal
from pipelines.tuning.training.probe import Probe
from pipelines.tuning.training.processes import is_main, shared

FIGURES = (
    "loss",
    "learning_rate",
    "grad_norm",
    "rewards/margins",
    "rewards/chosen",
    "rewards/accuracies",
    "logps/chosen",
    "logps/rejected",
)


class Watch:
    """What is common to the parts of a run: how far it is as a whole, and why it is to end."""

    def __init__(self, run: Run, log: Journal, probe: Probe, recipe: Recipe, total: int, base_id: str, cores: Cores) -> None:
        self.cores = cores
        self.run, self.log, self.probe, self.recipe, self.total, self.base_id = run, log, probe, recipe, total, base_id
        self.begun, self.done_here, self.looking = 0.0, 0, 0.0
        self.alarmed = {line["kind"] for line in journal.standing(run.progress()) if line.get("event") == "guard"}
        self.ending = ""

    def look(self, model: Any, step: int) -> None:
        """Probes the model and lets the guard judge; one alarm a kind is enough."""
        start = time.monotonic()
        self.cores.take()
        if is_main():
            now = self.probe.look(model, step)
            self.log.write(**now)
            if self.recipe.guard != "off":
                self._judge(now)
        self.ending = shared(self.ending)
        self.looking += time.monotonic() - start

    def _judge(self, now: dict[str, Any]) -> None:
        found = guard.alarms(self.log.probes()[0], now)
        for kind in found.keys() - self.alarmed:
            self.log.write(event="guard", step=now["step"], kind=kind, text=found[kind])
        self.alarmed |= found.keys()
        if found and self.recipe.guard == "stop":
            self.ending = "guard"

    def wants_look(self, step: int) -> bool:
        """At every k-th step; a short run is looked at half-way too."""
        return step % min(self.recipe.sample_every, max(1, math.ceil(self.total / 2))) == 0 and step < self.total

    def begin(self) -> None:
        """Starts the clock of the first part of this process."""
        if not self.begun:
            self.begun, self.looking = time.monotonic(), 0.0

    def check_stop(self) -> None:
        """Notes a person's wish to stop, in all processes at the same step."""
        if shared((self.run.folder / "stop").exists()) and not self.ending:
            self.ending = "stop"

    @property
    def seconds_a_step(self) -> float | None:
        """Without the looks; None where no step was done."""
        spent = time.monotonic() - self.begun - self.looking
        return round(spent / self.done_here, 3) if self.done_here else None

    def remaining(self, step: int) -> float:
        """Seconds until the end, by the pace of this process's own steps and looks."""
        pace = (time.monotonic() - self.begun) / max(1, self.done_here)
        return round(pace * (self.total - step), 1)


def callback(watch: Watch, part: Part) -> Any:
    """The Transformers callback for one part of a run."""
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            watch.begin()

        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            watch.cores.take()

        def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> Any:
            step = part.offset + state.global_step
            watch.done_here += 1
            watch.check_stop()
            if not watch.ending and watch.wants_look(step):
                watch.look(model, step)
                control.should_save = True  # what the guard falls back to must lie on the disk
            if watch.ending:
                control.should_training_stop = control.should_save = True
                watch.log.write(event="end", step=step, why=watch.ending)
            return control

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if not logs or "loss" not in logs:
                return
            step = part.offset + state.global_step
            figures = {name: logs[name] for name in FIGURES if name in logs}
            watch.log.write(event="step", step=step, total=watch.total, remaining=watch.remaining(step), part=part.number, **figures)
            for name, words in (("loss", "loss"), ("grad_norm", "gradient")):
                if name in logs and not math.isfinite(logs[name]):
                    raise failures.not_a_number(words, step)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if not is_main():
                return
            step, made = part.offset + state.global_step, Path(args.output_dir) / f"checkpoint-{state.global_step}"
            journal.snapshot(watch.run, made, step, watch.base_id)
            (made / journal.COMPLETE).touch()
            journal.prune(made.parent)
            watch.log.write(event="checkpoint", step=step)

    return Watcher()
