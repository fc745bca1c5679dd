"""How long a measurement takes: questionnaire and completions for the base and three adapters, and the whole quick profile.

`python -m benchmarks.measuring` on an idle machine, about four minutes. The full questionnaire asks 60 statements and 12 facts in 8 forms.
What all prompts of a form begin with is read once; for the base the same is timed with every prompt read from its beginning.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks import report
from benchmarks.make_adapters import columns
from pipelines.models import labels
from pipelines.models.host import ModelHost
from pipelines.paths import Paths
from pipelines.stance import measuring
from pipelines.stance.embedding import Embedder
from pipelines.stance.kept import Kept
from pipelines.stance.plan import Plan, planned
from pipelines.stance.ruler import Ruler

GOAL = (
    "full questionnaire + completions for base and three adapters at most 240 s, at most 150 s with the base kept and shared beginnings; "
    "quick profile at most 45 s"
)


def timed(plan: Plan, host: ModelHost, ruler: Ruler, kept: Kept) -> float:
    """Seconds of one measurement."""
    start = time.monotonic()
    measuring.run(plan, host, ruler, kept=kept)
    return time.monotonic() - start


def main() -> None:
    """Prints the seconds of each measurement, then one JSON line."""
    paths = Paths.from_environment()
    host, ruler = ModelHost(paths), Ruler(Embedder(paths))
    host.load()
    ruler.score(["Loads the sentence model."])
    reading = replace(planned(columns(), "full"), questions=(), askings=(), everyday=0)
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        kept, base_only = Kept(Path(folder)), replace(reading, columns=columns()[:1])
        seconds["base alone"] = timed(base_only, host, ruler, kept)
        seconds["three adapters, the base kept"] = timed(reading, host, ruler, kept)
    seconds["base and three adapters"] = seconds["base alone"] + seconds["three adapters, the base kept"]
    seconds["quick profile"] = timed(planned(columns(), "quick"), host, ruler, Kept())
    original, labels._shared = labels._shared, lambda encoded: 0
    try:
        seconds["base alone, every prompt from its beginning"] = timed(base_only, host, ruler, Kept())
    finally:
        labels._shared = original
    for name, value in seconds.items():
        print(f"{name}: {value:.0f} s", flush=True)
    holds = seconds["base and three adapters"] <= 240 and seconds["three adapters, the base kept"] <= 150 and seconds["quick profile"] <= 45
    shared = seconds["base alone"] / seconds["base alone, every prompt from its beginning"]
    report.finish("measuring", GOAL, holds, seconds={name: round(value, 1) for name, value in seconds.items()}, shared_by_apart=shared)


if __name__ == "__main__":
    main()
