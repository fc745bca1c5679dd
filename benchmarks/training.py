"""How long the default recipe takes against a plain TRL script: same rows, same LoRA, same steps, each in a process of its own.

`python -m benchmarks.training`, about eight minutes on two idle cores. Ours includes the looks at the model, the guard and the ruler, which a
plain script has not. 24 of the 192 bundled pairs are held out; both adapters are scored on their chosen answers, and by the paired
completions (mean over 48, nats a token, minus the base's). A few steps of DPO are timed beside each other too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import report
from pipelines import bundled
from pipelines.corpus import versions
from pipelines.models import prepare
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.models.host import ModelHost
from pipelines.models.template import ask, render
from pipelines.paths import Paths, read_json, write_json
from pipelines.records import Column, Pair
from pipelines.stance.completion import completion_scores
from pipelines.tuning import parts, runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from pipelines.tuning.training.journal import copy_adapter

GOAL = "default recipe at most 1/3 of plain TRL's wall time, same losses, same held-out loss, same effect"
HELD_OUT, DPO_STEPS = 8, 6  # every eighth pair
SAME_LOSS, SAME_EFFECT = 0.01, 0.02


def main() -> None:
    """Both sides one after another, then the comparison of what they made."""
    with tempfile.TemporaryDirectory() as folder:
        home = Paths(Path(folder))
        home.models.mkdir()
        for made in Paths.from_environment().models.iterdir():
            (home.models / made.name).symlink_to(made)
        ours, theirs = _ours(Recipe(), home), _theirs(Recipe(), home)
        plain = home.root / "plain"
        copy_adapter(theirs["out"], plain / "adapter", LANGUAGE_MODEL.name)
        host, columns = (
            ModelHost(home),
            {"base": Column("base"), "ours": Column("ours", ours["run"].folder), "TRL's": Column("plain", plain)},
        )
        held = {name: _held_out(host, column) for name, column in columns.items()}
        effect = _effects(host, columns)
        short = Recipe(method="dpo", max_steps=DPO_STEPS, sample_tokens=4, ruler=False)
        steps = _ours(short, home)["seconds_a_step"], _theirs(short, home)["seconds_a_step"]
    apart = max(abs(one - other) for one, other in zip(ours["losses"], theirs["losses"], strict=True))
    ratio = ours["seconds"] / theirs["seconds"]
    print(
        f"wall time: {ours['seconds']:.0f} s, TRL {theirs['seconds']:.0f} s; a step {ours['seconds_a_step']:.2f} s, {theirs['seconds_a_step']:.2f} s"
    )
    print(f"DPO, a step: {steps[0]:.2f} s, TRL {steps[1]:.2f} s; losses at most {apart:.1e} apart")
    print(f"held-out loss: {held}; effect: {effect}")
    same = abs(held["ours"] - held["TRL's"]) <= SAME_LOSS and abs(effect["ours"] - effect["TRL's"]) <= SAME_EFFECT
    report.finish(
        "training",
        GOAL,
        ratio <= 1 / 3 and same,
        ratio=round(ratio, 3),
        seconds=round(ours["seconds"], 1),
        seconds_trl=round(theirs["seconds"], 1),
        seconds_a_step=round(ours["seconds_a_step"], 3),
        seconds_a_step_trl=round(theirs["seconds_a_step"], 3),
        dpo_step_ratio=round(steps[0] / steps[1], 3),
        losses_apart=apart,
        held_out_loss=held,
        effect=effect,
        peak_memory_gb=round(ours["peak_memory"] / 1e9, 2),
    )


def _pairs(held_out: bool) -> tuple[versions.Dataset, list[Pair]]:
    """The bundled pairs that are trained on, or the others."""
    whole = versions.load("bundled", Paths.from_environment())
    some = replace(whole, rows=tuple(row for number, row in enumerate(whole.rows) if (number % HELD_OUT == 0) == held_out))
    return some, some.pairs("left")


def _ours(recipe: Recipe, home: Paths) -> dict[str, Any]:
    run = runs.create(_pairs(False)[0], "left", recipe, home)
    start = time.monotonic()
    runs.launch(run, home).wait()
    seconds = time.monotonic() - start
    run = Run(run.folder)
    if run.state != "finished":
        raise SystemExit(f"The run ended with: {run.message}")
    steps = [line for line in run.progress() if line.get("event") == "step"]
    metrics = read_json(run.folder / "metrics.json")
    return {
        "run": run,
        "peak_memory": metrics["peak_memory"],
        "seconds": seconds,
        "losses": [line["loss"] for line in steps],
        "seconds_a_step": metrics["seconds_a_step"],
    }


def _theirs(recipe: Recipe, home: Paths) -> dict[str, Any]:
    rows = [[pair.prompt, pair.chosen, pair.rejected] for pair in _pairs(False)[1]]
    job, out = home.root / "job.json", home.root / f"plain-{recipe.method}"
    given = {
        "model": str(prepare.converted_folder(home)),
        "rows": rows,
        "recipe": recipe.as_dict(),
        "steps": parts.steps(recipe, len(rows)),
        "out": str(out),
    }
    write_json(job, given)
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.plain_trl", str(job)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    return {"out": out, "seconds": time.monotonic() - start, **json.loads(done.stdout.splitlines()[-1])}


def _held_out(host: ModelHost, column: Column) -> float:
    """Nats a token of the chosen answers that no run has seen."""
    tokenizer = host.load().tokenizer
    texts = [(render(tokenizer, ask(pair.prompt)), pair.chosen) for pair in _pairs(True)[1]]
    found = host.log_likelihoods(column, texts)
    return round(-sum(total for total, _ in found) / sum(count for _, count in found), 4)


def _effects(host: ModelHost, columns: dict[str, Column]) -> dict[str, float]:
    """Mean paired completion of each column; negative is to the left of what the same column says after neutral stems."""
    return {name: round(fmean(completion_scores(host, column, bundled.completions())), 4) for name, column in columns.items()}


if __name__ == "__main__":
    main()
