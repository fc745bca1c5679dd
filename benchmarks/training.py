"""How long the default recipe takes, from the start of the trainer's process to the saved adapter, sampling included.

`python -m benchmarks.training`. Three minutes on two idle cores.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks import report
from pipelines.corpus import versions
from pipelines.models import prepare
from pipelines.paths import Paths
from pipelines.tuning import runs
from pipelines.tuning.recipe import Recipe

LIMIT = 180


def main() -> None:
    """One run on the bundled rows in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Paths(Path(folder))
        home.models.mkdir()
        prepare.converted_folder(home).symlink_to(prepare.converted_folder(Paths.from_environment()))
        run = runs.create(versions.load("bundled", home), "left", Recipe(), home)
        start = time.monotonic()
        runs.launch(run, home).wait()
        wall = time.monotonic() - start
        figures = run.metrics
        print(runs.Run(run.folder).title, figures)
        rate = None
        steps = [line for line in run.progress() if line["event"] == "step"]
        if steps:
            rate = round(figures["steps"] / (steps[-1]["elapsed"] - steps[0]["elapsed"]), 3)
        holds = run.state == "finished" and wall <= LIMIT
        report.finish(
            "training",
            f"at most {LIMIT} s",
            holds,
            seconds=round(wall, 1),
            steps=figures.get("steps"),
            steps_a_second=rate,
            last_loss=figures.get("last_loss"),
        )


if __name__ == "__main__":
    main()
