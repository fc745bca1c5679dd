"""What changed when the data changed? Three selections of the bundled pairs and a placebo, five training seeds each, one plot.

`python -m benchmarks.changed [--seeds 5] [--record]`, about a quarter of an hour on two cores; ended early, it goes on where it was.
Everything but the rows is the same: the number of rows, the default recipe, the seeds. Judged by paired completion (+ is right or
traditional), which no selection was made with. The unit is the training seed. Fixed beforehand: the economic minus the social shift after
economic topics, minus the same after social topics, with Welch's t interval over seeds, and over completions with seeds averaged first. `--record` writes what Stance shows.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.tuned import finished
from pipelines import bundled
from pipelines.corpus import versions
from pipelines.corpus.versions import Dataset
from pipelines.models import adapters
from pipelines.models.host import ModelHost
from pipelines.paths import Paths, content_hash, read_json, write_json
from pipelines.records import AXES, Column
from pipelines.stance.changed import SELECTIONS, Changed, Estimate, Selection, Tuned
from pipelines.stance.completion import completion_scores
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run

GOAL = "which topics the data held is told with its interval over at least 5 training seeds a selection, said whatever it is"
SEEDS, FIRST, NEVER = 5, Recipe().seed, 10_000
RECIPE = Recipe(sample_every=NEVER, sample_tokens=1, save_every=NEVER)  # the default one; only nothing is looked at on the way
FILE = bundled.RECORDED / "changed.json"


def rows_of(selection: Selection, paths: Paths) -> Dataset:
    """The selected rows of the bundled pairs."""
    picked = {pair.id for pair in selection.rows(bundled.pairs())}
    whole = versions.load("bundled", paths)
    return replace(whole, name=f"bundled-{selection.key}", rows=tuple(row for row in whole.rows if row["id"] in picked))


def one(selection: Selection, seed: int, folder: Path, host: ModelHost) -> Tuned:
    """Trains and judges one adapter; a result that is there already is only read."""
    dataset, recipe = rows_of(selection, host.paths), replace(RECIPE, seed=seed)
    name = f"{selection.key}-{seed}-{content_hash([dataset.hash, recipe.as_dict(), sorted(bundled.checksums().items())])[:8]}"
    file = folder / f"{name}.json"
    if not file.is_file():
        run = finished(Run(folder / name), dataset, selection.side, recipe, host.paths)
        completions = bundled.completions()
        after, before = completion_scores(host, Column(name, run.adapter), completions), _base(host, folder)
        shifts = {completion.id: round(a - b, 5) for completion, a, b in zip(completions, after, before, strict=True)}
        write_json(file, {"adapter": adapters.inspect(run.folder).fingerprint, "shifts": shifts})
    kept = read_json(file)
    return Tuned(selection.key, seed, kept["adapter"], kept["shifts"])


def _base(host: ModelHost, folder: Path) -> list[float]:
    file = folder / "base.json"
    if not file.is_file():
        write_json(file, completion_scores(host, Column("base"), bundled.completions()))
    return list(read_json(file))


def figures(changed: Changed) -> dict[str, Any]:
    """Every selection's shift by axis, and the contrast, rounded."""
    shifts = {one.key: {axis: told(changed.shift(one.key, axis)) for axis in AXES} for one in changed.selections}
    held_out = {"aim": told(changed.aim("held_out")), "aim_over_completions": told(changed.aim_over_items("held_out"))}
    return {"shifts": shifts, "aim": told(changed.aim()), "aim_over_completions": told(changed.aim_over_items()), "held_out": held_out}


def told(found: Estimate) -> dict[str, Any]:
    return {name: None if (value := getattr(found, name)) is None else round(value, 3) for name in ("mean", "low", "high", "n")}


def main() -> None:
    """All selections and seeds, then one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="training seeds a selection")
    parser.add_argument("--record", action="store_true", help="write what the page shows")
    options = parser.parse_args()
    start, paths = time.monotonic(), Paths.from_environment()
    folder, host, found = paths.results / "changed", ModelHost(paths), []
    for seed in range(FIRST, FIRST + options.seeds):
        for selection in SELECTIONS:
            found.append(one(selection, seed, folder, host))
            print(f"{selection.key}, seed {seed}: {time.monotonic() - start:.0f} s", flush=True)
    splits = {topic.id: topic.split for topic in bundled.topics().values()}
    completions = {one.id: (one.axis, splits[one.topic]) for one in bundled.completions()}
    about = {"rows": len(rows_of(SELECTIONS[0], paths).rows), "base": "SmolLM2-135M", "recorded": time.strftime("%Y-%m-%d")}
    changed = Changed(found, completions, about)
    if options.record:
        write_json(FILE, changed.as_dict())
    report.finish("changed", GOAL, options.seeds >= SEEDS, seconds=round(time.monotonic() - start), seeds=options.seeds, **figures(changed))


if __name__ == "__main__":
    main()
