"""Before a run starts: how long it takes, what it needs, and a refusal with advice where it can't fit on this machine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median
from typing import Any

from pipelines.errors import StudioError
from pipelines.models import catalog
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.paths import Paths
from pipelines.records import Pair
from pipelines.tuning import parts, runs
from pipelines.tuning.cost import machine as machines
from pipelines.tuning.cost import needs, shapes
from pipelines.tuning.cost.machine import Machine
from pipelines.tuning.cost.needs import Rows
from pipelines.tuning.cost.shapes import Shape
from pipelines.tuning.quick.install import ENGINE
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run

MEASURED, GUESSED = "measured on this machine in earlier runs", "guessed from this machine's speed"
EFFICIENCY = {"cpu": 0.75, "cuda": 0.35}  # of a plain matrix product's speed; the CPU's was measured, the GPU's is an assumption
OWN_LAYERS = 1.3  # the same for our own layers, whose products are packed and which read the template once a batch
FP32_ON_GPU = 8  # times slower than bf16, about, without tensor cores
RANGES = {(MEASURED, "cpu"): (0.85, 1.2), (MEASURED, "cuda"): (0.85, 1.2), (GUESSED, "cpu"): (0.7, 1.3), (GUESSED, "cuda"): (0.5, 2.0)}
START_SECONDS, CONVERT_SECONDS, LOOK_SECONDS = 15.0, 40.0, 2.0
LOOK_TOKENS, LOOK_TOKENS_EACH = 1500, 60  # a look costs as much as this many tokens forwards, the second for each sample token
START_LOOKS = 1.5  # a start takes about as long as so many looks
EARLIER, TIGHT = 5, 0.9
CARDS = (8, 12, 16, 24, 40, 48, 80)


@dataclass(frozen=True)
class Estimate:
    """What `runs` runs of a recipe, one after another, will take: `seconds` and `disk_bytes` for all, the rest for one.

    `tokens_a_step` counts as metrics.json does; `memory_bytes` is on the device that trains, of which `free_bytes` are
    free; `download_bytes` (part of `disk_bytes`) come from the Hub first, in a time that is not counted. `problems` are
    the reasons why it can't be started.
    """

    steps: int
    tokens_a_step: int
    seconds: float
    seconds_range: tuple[float, float]
    memory_bytes: int
    disk_bytes: int
    device: str
    how: str
    problems: list[StudioError]
    free_bytes: int
    runs: int = 1
    download_bytes: int = 0

    def sentence(self) -> str:
        """All of it in plain words."""
        where, what = ("this computer's graphics card", "graphics memory") if self.device == "cuda" else ("this computer", "memory")
        times = f"{self.runs} runs of {_steps(self.steps)} each" if self.runs > 1 else _steps(self.steps)
        text = (
            f"About {duration(self.seconds)} for {times} on {where}; needs about {size(self.memory_bytes)} of {what} "
            f"({size(self.free_bytes)} are free) and {size(self.disk_bytes)} of disk."
        )
        if self.how == GUESSED:
            low, high = map(duration, self.seconds_range)
            text += f" The time is guessed from this machine's speed: {low} to {high}."
        if self.download_bytes:
            text += f" The base ({size(self.download_bytes)}) is fetched first; that time is not counted."
        if not self.problems and self.memory_bytes > TIGHT * self.free_bytes:
            text += " The memory is tight: close other programs first."
        return text


def estimate(recipe: Recipe, pairs: Sequence[Pair], paths: Paths, machine: Machine | None = None, runs: int = 1) -> Estimate:
    """What it takes to train `pairs` with a recipe here, without loading any weights.

    Raises StudioError where that can't be said: no rows, none short enough, or a base that can't be found or read.
    """
    machine = machine or machines.this_machine()
    source = catalog.find(recipe.base, paths)
    shape = shapes.shape(source, paths)
    rows = needs.measure(pairs, recipe, shapes.files(source, paths))
    here = shapes.weights_here(source, paths)
    seconds, how = _seconds(recipe, shape, rows, paths, machine)
    if not here and source.kind == "package":
        seconds += CONVERT_SECONDS / runs
    download = 0 if here else shape.parameters * (2 if source.kind == "hub" else 4)
    disk = needs.disk(recipe, shape, rows) * runs + download
    low, high = RANGES[how, machine.device]
    return Estimate(
        steps=parts.steps(recipe, rows.count),
        tokens_a_step=round(needs.tokens_a_step(recipe, rows)),
        seconds=runs * seconds,
        seconds_range=(runs * seconds * low, runs * seconds * high),
        memory_bytes=needs.memory(recipe, shape, rows, machine.device),
        disk_bytes=disk,
        device=machine.device,
        how=how,
        problems=list(_problems(recipe, shape, rows, machine, disk, machines.free_disk(paths.root))),
        free_bytes=machine.free_memory if machine.cuda_memory is None else machine.cuda_memory,
        runs=runs,
        download_bytes=download if source.kind == "hub" else 0,
    )


def refuse(estimate: Estimate) -> None:
    """Raises StudioError with all that stands in the way and what to do about it; does nothing where nothing does."""
    if estimate.problems:
        hints = dict.fromkeys(problem.hint for problem in estimate.problems)
        raise StudioError(" ".join(problem.message for problem in estimate.problems), " ".join(hints))


def _seconds(recipe: Recipe, shape: Shape, rows: Rows, paths: Paths, machine: Machine) -> tuple[float, str]:
    """Seconds of one run, and how they are known."""
    steps, looks = parts.steps(recipe, rows.count), needs.looks(recipe, rows.count)
    known = list(islice(filter(None, (_earlier(run, recipe, shape, rows, machine) for run in runs.list_runs(paths))), EARLIER))
    if known:
        return steps * median(step for step, _ in known) + (START_LOOKS + looks) * median(look for _, look in known), MEASURED
    slower = FP32_ON_GPU if machine.device == "cuda" and recipe.precision == "fp32" else 1
    efficiency = OWN_LAYERS if needs.own_layers(recipe, shape, machine.device) else EFFICIENCY[machine.device]
    speed = machine.gflops * 1e9 * efficiency / slower
    look = LOOK_SECONDS + (LOOK_TOKENS + LOOK_TOKENS_EACH * recipe.sample_tokens) * 2 * shape.parameters / speed
    return START_SECONDS + looks * look + needs.work(recipe, shape, rows, machine.device) / speed, GUESSED


def _earlier(run: Run, recipe: Recipe, shape: Shape, rows: Rows, machine: Machine) -> tuple[float, float] | None:
    """Seconds a step and a look by what one earlier run took here, or None where it tells nothing about this recipe.

    A step's time goes with its work, so that other layers, ranks or lengths of rows still compare.
    """
    try:
        told, old = run.metrics, Recipe.from_dict(run.job["recipe"])
        step, tokens, spent, done = (told[name] for name in ("seconds_a_step", "tokens_a_step", "seconds", "steps"))
        same = all(getattr(old, name) == getattr(recipe, name) for name in ("base", "method", "quantize", "precision", "ruler"))
        here = told.get("threads") == machine.cores and told.get("processes", 1) == 1 and not run.written.get("remote")
        if (
            not same or not here or told.get("engine") != ENGINE or min(step, tokens, done) <= 0 or spent < done * step
        ):  # the last: it went on from a checkpoint
            return None
        ratio = _work_a_token(recipe, shape, rows, machine) / _work_a_token(old, shape, rows, machine)
        look = (spent - done * step) / (START_LOOKS + needs.looks(old, told["rows"]))
        return step * ratio * needs.tokens_a_step(recipe, rows) / tokens, look
    except (StudioError, OSError, KeyError, TypeError, ValueError, AttributeError):  # a run of an older studio, or one that was damaged
        return None


def _work_a_token(recipe: Recipe, shape: Shape, rows: Rows, machine: Machine) -> float:
    a_step = needs.work(recipe, shape, rows, machine.device) / parts.steps(recipe, rows.count)
    return a_step / needs.tokens_a_step(recipe, rows)


def _problems(recipe: Recipe, shape: Shape, rows: Rows, machine: Machine, disk: int, free_disk: int) -> Iterator[StudioError]:
    """All reasons why a run can't be started here, each with what to do."""
    missing = [name for name in recipe.modules if name not in {one.name for one in shape.maps}]
    if missing:
        known = ", ".join(dict.fromkeys(one.name for one in shape.maps))
        yield StudioError(f"The base has no {', '.join(missing)} in its layers.", f"It has {known}; name some of these, or none for all.")
    if machine.device == "cpu" and recipe.precision == "bf16":
        yield StudioError(
            "bf16 is made for graphics cards; on most processors it is a hundred times slower than fp32.",
            "Set “Precision” (precision) to auto.",
        )
    if recipe.quantize == "4bit" and machine.device == "cpu":
        yield StudioError(
            "4-bit base weights need an NVIDIA GPU; this computer has none that can be used.", "Set “Base weights” (quantize) to none."
        )
    elif recipe.quantize == "4bit" and not machine.bitsandbytes:
        yield StudioError("4-bit base weights need the package bitsandbytes.", "Install it: pip install bitsandbytes")
    yield from _too_large(recipe, shape, rows, machine)
    if disk > free_disk:
        yield StudioError(
            f"{size(disk)} of disk are needed and {size(free_disk)} are free.",
            "Make room, keep fewer checkpoints (save_every), or let STUDIO_HOME name a folder on a larger disk.",
        )


def _too_large(recipe: Recipe, shape: Shape, rows: Rows, machine: Machine) -> Iterator[StudioError]:
    card = machine.cuda_memory is not None
    free = machine.free_memory if machine.cuda_memory is None else machine.cuda_memory
    needed = needs.memory(recipe, shape, rows, machine.device)
    if needed > free:
        what = "graphics memory" if card else "memory"
        yield StudioError(f"{size(needed)} of {what} are needed and {size(free)} are free.", _advice(recipe, shape, rows, machine, free))
    beside = needs.beside_card(recipe, shape) if card else 0
    if beside > machine.free_memory:
        yield StudioError(
            f"Loading the base takes {size(beside)} of this computer's own memory, and {size(machine.free_memory)} are free.",
            "Close other programs, use 4-bit base weights (quantize), or choose a smaller base.",
        )


def _advice(recipe: Recipe, shape: Shape, rows: Rows, machine: Machine, free: int) -> str:
    """The changes that would make it fit: each alone, else all together, else another base or machine."""
    changes = dict(_changes(recipe, rows, machine))
    fits = lambda tried: _needed(tried, shape, rows, machine) <= free  # noqa: E731
    alone = [words for words, change in changes.items() if fits(replace(recipe, **change))]
    if alone:
        return f"Any of these makes it fit: {'; '.join(alone)}. Or choose a smaller base."
    together = replace(recipe, **{name: value for change in changes.values() for name, value in change.items()})
    if changes and fits(together):
        return f"Together these make it fit: {'; '.join(changes)}. Or choose a smaller base."
    rented = replace(together, quantize="4bit", precision="auto")
    gigabytes = needs.memory(rented, shape, rows, "cuda") / TIGHT / 1e9
    card = next((f"one of {one} GB" for one in CARDS if one >= gigabytes), f"several with {math.ceil(gigabytes)} GB together")
    smaller = "close other programs" if recipe.base == LANGUAGE_MODEL.name else f"choose a smaller base, for example {LANGUAGE_MODEL.name}"
    return f"No setting makes it fit: {smaller}, or use an NVIDIA GPU; with 4-bit base weights (package bitsandbytes) {card} will do."


def _changes(recipe: Recipe, rows: Rows, machine: Machine) -> Iterator[tuple[str, dict[str, Any]]]:
    """Settings that save memory, in words and as fields of the recipe."""
    if machine.device == "cuda" and recipe.quantize == "none":
        yield f"4-bit base weights (quantize){'' if machine.bitsandbytes else ' with the package bitsandbytes'}", {"quantize": "4bit"}
    if recipe.batch_size > 1:
        batches = min(256, recipe.batch_size * recipe.accumulation)
        yield f"1 row at once (batch_size) and {batches} batches a step (accumulation)", {"batch_size": 1, "accumulation": batches}
    if not recipe.checkpointing:
        yield "“Save memory” (checkpointing) on", {"checkpointing": True}
    half = max(rows.padded(recipe.method)) // 2
    if half >= 64:
        yield f"leaving out rows of more than {half} tokens (max_tokens)", {"max_tokens": half}


def _needed(recipe: Recipe, shape: Shape, rows: Rows, machine: Machine) -> int:
    """Memory with rows cut to the recipe's max_tokens; the answers' share of a row stays."""
    cut = [min(1.0, recipe.max_tokens / length) for length in rows.padded(recipe.method)]
    chosen, rejected, answers = (
        tuple(max(1, int(n * share)) for n, share in zip(lengths, cut, strict=True))
        for lengths in (rows.chosen, rows.rejected, rows.answers)
    )
    return needs.memory(recipe, shape, Rows(chosen, rejected, answers, rows.count), machine.device)


def duration(seconds: float) -> str:
    """Rounded time in words, such as "45 s", "2 min 40 s", "1 h 20 min" or "3 days"."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    for limit, step, units in ((3570, 10, ((60, "min"), (1, "s"))), (86400, 300, ((3600, "h"), (60, "min")))):
        if seconds < limit:
            whole, rest = divmod(round(seconds / step) * step, units[0][0])
            return f"{whole} {units[0][1]}" + (f" {rest // units[1][0]} {units[1][1]}" if rest else "")
    days = round(seconds / 86400)
    return f"{days} day{'s' * (days > 1)}"


def size(count: float) -> str:
    """Bytes in words, in steps of a thousand: "60 MB", "1.9 GB"."""
    return f"{count / 1e9:.1f} GB" if count >= 0.9995e9 else f"{max(1, math.ceil(count / 1e6))} MB"


def _steps(count: int) -> str:
    return f"{count:,} step{'s' * (count != 1)}"
