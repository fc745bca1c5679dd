"""A run group: both sides and the placebo, with the same settings and only the data different; what Compare and Stance pick up."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from pipelines.corpus.versions import SHUFFLED, Dataset
from pipelines.entries import is_torn, whole_number
from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.tuning import runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import USABLE, Run

PLACEBO = "placebo"
MAX_SEEDS = 10
MAX_NAME = 60


@dataclass(frozen=True)
class Group:
    """Runs that belong together, in the order in which they are trained."""

    id: str
    name: str
    runs: tuple[Run, ...]

    @property
    def same_settings(self) -> bool:
        """Whether all runs have the same settings, libraries and questions, so that only the answers (and the seeds) differ."""
        return len({(run.job["settings_hash"], run.job["prompts_hash"]) for run in self.runs}) == 1

    @property
    def seeds(self) -> list[int]:
        return sorted({run.job["recipe"]["seed"] for run in self.runs})

    @property
    def columns(self) -> dict[str, Run]:
        """Finished runs by the name of their column: "left", or "left (seed 8)" where there are several seeds."""
        ready = [run for run in runs.usable(self.runs) if run.state in USABLE]
        many = len(self.seeds) > 1
        return {f"{role(run)} (seed {run.job['recipe']['seed']})" if many else role(run): run for run in ready}


def role(run: Run) -> str:
    """What a run is in its group: its side, or "placebo"."""
    group = run.job.get("group")
    return str((isinstance(group, dict) and group.get("role")) or run.job["side"])


def sides(dataset: Dataset, shuffled: bool = False) -> dict[str, str]:
    """The side to train for each role. The placebo learns neutral answers, or, where asked or there are none, a mixture of both sides.

    Raises StudioError where the data has no two opposite sides.
    """
    both = [side for side in dataset.sides if side != "neutral"]
    if len(both) != 2:
        raise StudioError(f"{dataset.name} has no two opposite sides.", "Use mirrored rows, or preference pairs.")
    return {**{side: side for side in both}, PLACEBO: SHUFFLED if shuffled or "neutral" not in dataset.sides else "neutral"}


def checked(name: str, seeds: int) -> str:
    """The name in one line. Raises StudioError where it is too long or holds half characters, or so many seeds can't be trained."""
    if not 1 <= whole_number(seeds, "The number of training seeds") <= MAX_SEEDS:
        raise StudioError(f"{seeds} seeds can't be trained.", f"Ask for 1 to {MAX_SEEDS}.")
    name = " ".join(name.split())
    if is_torn(name):
        raise StudioError("The group's name holds half a character.", "Type it again without it.")
    if len(name) > MAX_NAME:
        raise StudioError(f"The group's name has {len(name)} characters.", f"At most {MAX_NAME} fit.")
    return name


def create(
    dataset: Dataset,
    recipe: Recipe,
    paths: Paths,
    name: str = "",
    seeds: int = 1,
    shuffled: bool = False,
    sample: str = runs.DEFAULT_SAMPLE,
) -> Group:
    """Writes the run folders of a group, one for every role and seed; `runs.enqueue(group.runs, paths)` starts them one after another.

    Raises StudioError where the data has no two sides, or the number of seeds or the name can't be used.
    """
    name = checked(name, seeds) or f"{dataset.name}, {datetime.now():%d %b %H:%M}"
    group_id = f"{datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    about = {"id": group_id, "name": name, "seeds": seeds}
    made = [
        runs.create(dataset, side, replace(recipe, seed=recipe.seed + number), paths, sample, group={**about, "role": one})
        for number in range(seeds)
        for one, side in sides(dataset, shuffled).items()
    ]
    return Group(group_id, name, tuple(made))


def list_groups(paths: Paths) -> list[Group]:
    """All groups, newest first; a group whose runs were all deleted is gone."""
    found: dict[str, list[Run]] = {}
    for run in reversed(runs.list_runs(paths)):
        group = run.job.get("group")
        if isinstance(group, dict) and isinstance(group.get("id"), str):
            found.setdefault(group["id"], []).append(run)
    made = [Group(one, str(members[0].job["group"].get("name", one)), tuple(members)) for one, members in found.items()]
    return sorted(made, key=lambda group: group.id, reverse=True)


def find(group_id: str, paths: Paths) -> Group:
    """The group of that id or name. Raises StudioError where there is none."""
    found = next((group for group in list_groups(paths) if group_id in (group.id, group.name)), None)
    if found is None:
        raise StudioError(f"There is no run group called “{group_id}”.", "`python -m pipelines runs --groups` lists them.")
    return found
