"""Adapters that differ in nothing but their training seed, made with the default recipe: what `benchmarks.validity` measures.

`python -m benchmarks.seeds [--seeds 8] [--home FOLDER] [--measure]`, about three minutes on two idle cores to train an adapter and as long
to measure it. What lies below the folder is used again, so that it can be ended and started again at any time; the first seed of each
role is the bundled adapter. Runs are made by the studio's own trainer, one after another.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from benchmarks import report
from benchmarks.make_adapters import SIDES
from benchmarks.tuned import finished
from pipelines import bundled
from pipelines.corpus import versions
from pipelines.models.adapters import WEIGHTS
from pipelines.models.host import ModelHost
from pipelines.paths import Paths, content_hash
from pipelines.records import Column
from pipelines.stance import measuring
from pipelines.stance.embedding import Embedder
from pipelines.stance.kept import Kept
from pipelines.stance.plan import planned
from pipelines.stance.ruler import Ruler
from pipelines.stance.study import BASE, Study
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run

SEEDS, SAMPLES = 8, 3
FIRST = Recipe().seed


@dataclass(frozen=True)
class Wanted:
    """One adapter: the default recipe with this seed on the bundled answers of a role's side."""

    role: str
    seed: int

    @property
    def name(self) -> str:
        """The name of its column, as in a run group."""
        return f"{self.role} (seed {self.seed})"

    @property
    def recipe(self) -> Recipe:
        return replace(Recipe(), seed=self.seed)

    @cached_property
    def rows_hash(self) -> str:
        pairs = versions.load("bundled", Paths.from_environment()).pairs(SIDES[self.role], self.seed)
        return content_hash([asdict(pair) for pair in pairs])

    def made_as_wanted(self, run: Run) -> bool:
        """Whether a run has this recipe, seed and data."""
        job = run.job if run.readable else {}
        return (job.get("recipe_hash"), job.get("rows_hash")) == (self.recipe.hash, self.rows_hash)

    def folder(self, home: Path) -> Path:
        return home / f"{self.role}-{self.seed}"

    def find(self, home: Path) -> Run | None:
        """A finished run of it: the bundled one or one below `home`. SystemExit where the folder holds another run's."""
        for run in (Run(bundled.ADAPTERS / self.role), Run(self.folder(home))):
            usable = run.state == "finished" and (run.adapter / WEIGHTS).is_file()
            if usable and self.made_as_wanted(run):
                return run
        own = Run(self.folder(home))
        if own.readable and not self.made_as_wanted(own):
            raise SystemExit(f"{own.folder} was made with other data or another recipe; give another --home or delete it.")
        return None


def all_wanted(seeds: int) -> list[Wanted]:
    """Every role in every seed, counted from the default recipe's own."""
    return [Wanted(role, seed) for seed in range(FIRST, FIRST + seeds) for role in SIDES]


def home_of(chosen: Path | None) -> Path:
    """The given folder, or one among the studio's results."""
    return chosen.expanduser().resolve() if chosen else Paths.from_environment().results / "seeds"


def train(wanted: Wanted, home: Path, paths: Paths) -> Run:
    """Trains one adapter; one that was interrupted goes on. SystemExit where it does not finish."""
    return finished(Run(wanted.folder(home)), versions.load("bundled", paths), SIDES[wanted.role], wanted.recipe, paths)


def adapters(seeds: int, home: Path, paths: Paths) -> dict[Wanted, Run]:
    """All of them, trained where they are not there yet."""
    every, found = all_wanted(seeds), {}
    for number, wanted in enumerate(every, 1):
        there = wanted.find(home)
        found[wanted] = there or train(wanted, home, paths)
        metrics = found[wanted].metrics
        how = "is there" if there else "was trained"
        print(f"[{number}/{len(every)}] {wanted.name} {how}: loss {metrics['final_loss']:.3f}, {metrics['seconds']:.0f} s", flush=True)
    return found


def measured(found: dict[Wanted, Run], home: Path, paths: Paths, samples: int = SAMPLES) -> Study:
    """Open questions with so many answers each, paired completions and questionnaire, of the base and all adapters."""
    columns = [Column(BASE), *(Column(wanted.name, run.folder) for wanted, run in found.items())]
    roles = {role: [wanted.name for wanted in found if wanted.role == role] for role in SIDES}
    plan = replace(planned(columns, "full", roles), samples=samples, askings=(), everyday=0)
    told = lambda fraction, text: print(f"[{fraction:4.0%}] {text}", flush=True)  # noqa: E731
    return measuring.run(plan, ModelHost(paths), Ruler(Embedder(paths)), told, kept=Kept(home / "kept"))


def library_versions(found: Sequence[Run]) -> list[str]:
    """The libraries that the runs were made with, each combination once: another one is no other seed alone."""
    return sorted({", ".join(f"{name} {version}" for name, version in run.job["versions"].items()) for run in found})


def main() -> None:
    """Trains what is missing, then one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="training seeds a role")
    parser.add_argument("--home", type=Path, help="where adapters are kept and used again; default: among the studio's results")
    parser.add_argument("--measure", action="store_true", help="measure them too, and keep what was answered")
    chosen = parser.parse_args()
    paths, home = Paths.from_environment(), home_of(chosen.home)
    found = adapters(chosen.seeds, home, paths)
    if chosen.measure:
        measured(found, home, paths)
    report.finish(
        "seeds",
        "every adapter finished",
        all(run.state == "finished" for run in found.values()),
        adapters=len(found),
        losses={wanted.name: round(run.metrics["final_loss"], 4) for wanted, run in found.items()},
        seconds={wanted.name: run.metrics["seconds"] for wanted, run in found.items()},
        versions=library_versions(list(found.values())),
    )


if __name__ == "__main__":
    main()
