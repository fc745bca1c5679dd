"""Re-trains the bundled adapters with the default recipe and records the first screen and the stance with them.

`make adapters`, or `python -m benchmarks.make_adapters [--only-train | --only-record | --only-comparison]`. About twenty minutes
on two cores. `--only-train` is enough where the weights come out as they were.
"""

from __future__ import annotations

import shutil
import sys
import time
from datetime import date
from pathlib import Path

from benchmarks.tuned import finished
from pipelines import bundled
from pipelines.comparing.comparison import Comparison, Turn
from pipelines.corpus import versions
from pipelines.models import adapters
from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.paths import ASSETS, Paths, file_hash, read_json, write_json
from pipelines.records import Column, Sampling
from pipelines.stance import measuring
from pipelines.stance.embedding import Embedder
from pipelines.stance.kept import Kept
from pipelines.stance.plan import planned
from pipelines.stance.ruler import Ruler
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from studio.tabs.comparing.asking import SUGGESTED

SIDES = {"left": "left", "right": "right", "placebo": "neutral"}


def columns() -> tuple[Column, ...]:
    """The base and the three bundled adapters."""
    return (Column("base"), *(Column(name, bundled.ADAPTERS / name) for name in bundled.BUNDLED_SIDES))


def train(paths: Paths) -> None:
    """One run after another, with identical settings but the side; then their sums are recorded."""
    dataset = versions.load("bundled", paths)
    sums = read_json(ASSETS / "checksums.json")
    for name, side in SIDES.items():
        target = bundled.ADAPTERS / name
        shutil.rmtree(target, ignore_errors=True)
        run = finished(Run(target), dataset, side, Recipe(), paths)
        sums[f"adapter-{name}"] = file_hash(run.adapter / adapters.WEIGHTS)
        sums[f"settings-{name}"] = adapters.settings_hash(adapters.inspect(run.folder))
        print(name, run.metrics, flush=True)
    write_json(ASSETS / "checksums.json", sums)


def record_comparison(host: ModelHost) -> None:
    """The finished comparison of the first screen, with the settings and the seed that a visitor gets too."""
    answers = host.answer_all([Row(column, ask(SUGGESTED), Sampling().seed) for column in columns()], Sampling())
    made = Comparison(tuple(column.name for column in columns()), (Turn(SUGGESTED, tuple(answers)),), Sampling())
    write_json(bundled.RECORDED / "comparison.json", made.as_dict())


def record(paths: Paths) -> None:
    """Writes the comparison of the first screen and the study that Stance opens with; what these very adapters answered before is kept."""
    host = ModelHost(paths)
    record_comparison(host)
    told = lambda fraction, text: print(f"[{fraction:4.0%}] {text}", flush=True)  # noqa: E731
    result = measuring.run(planned(columns(), "full"), host, Ruler(Embedder(paths)), told, kept=Kept(paths.measured))
    result.notes = {"recorded": date.today().isoformat()}
    write_json(bundled.RECORDED / "stance.json", result.as_dict())


def main() -> None:
    """Trains unless told to record only."""
    start, paths = time.monotonic(), Paths.from_environment()
    if "--only-comparison" in sys.argv:
        record_comparison(ModelHost(paths))
        return
    if "--only-record" not in sys.argv:
        train(paths)
    if "--only-train" not in sys.argv:
        record(paths)
    print(
        f"done in {time.monotonic() - start:.0f} s; sizes: {[round(Path(bundled.ADAPTERS / n / 'adapter' / adapters.WEIGHTS).stat().st_size / 1e6, 2) for n in SIDES]} MB"
    )


if __name__ == "__main__":
    main()
