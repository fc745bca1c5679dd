"""What the options of `tune` ask for: a recipe, rows, and the run folders to be made from them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from pipelines.corpus import versions
from pipelines.errors import StudioError
from pipelines.paths import Paths, read_yaml
from pipelines.records import Pair
from pipelines.tuning import groups, presets, runs
from pipelines.tuning.commandline import DATA, SIDE
from pipelines.tuning.recipe import MAX_FILE_BYTES, Recipe
from pipelines.tuning.run import Run

LOCAL, RENTED = "local", "hf-job"
MACHINE = ("flavor", "timeout", "owner")
SETTINGS = tuple(lever.name for lever in fields(Recipe))
WHAT = ("data", "side", "sample", "preset", "recipe", *SETTINGS)
MANY = ("both_sides", "seeds", "shuffled", "group_name")
NOT_WITH = {
    "resume": (*WHAT, *MANY, "replay", "output", "dry_run", "show_recipe", "where"),
    "replay": (*WHAT, *MANY),
    "both_sides": ("side", "output"),
    "where": ("output",),
}
ONLY_WITH = {"both_sides": MANY[1:], "where": MACHINE}


@dataclass(frozen=True)
class Order:
    """What is to be trained: `pairs` are the rows of one run; `make` writes the folders of all `count` runs below the paths given.

    `replayed` is the run that is done once more.
    """

    recipe: Recipe
    pairs: Sequence[Pair]
    make: Callable[[Paths], Sequence[Run]]
    count: int = 1
    replayed: Run | None = None


def refuse_mixed(options: argparse.Namespace) -> None:
    """Raises StudioError for an option that would be ignored beside others, or without another."""
    given = {name for name, value in vars(options).items() if value is not None and value is not False} - {"json"}
    given -= {"where"} if options.where == LOCAL else set()
    for one, others in NOT_WITH.items():
        wrong = next((name for name in others if name in given), "")
        if one in given and wrong:
            raise StudioError(f"{_option(wrong)} does not go with {_option(one)}.", "Leave one of them out.")
    for one, others in ONLY_WITH.items():
        wrong = next((name for name in others if name in given), "")
        if one not in given and wrong:
            raise StudioError(f"{_option(wrong)} says nothing without {_option(one)}.", "Add that, or leave it out.")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}" + f" {RENTED}" * (name == "where")


def recipe_of(options: argparse.Namespace) -> Recipe:
    """The recipe that was asked for: single options override the file, which overrides the preset.

    Raises StudioError where preset or file can't be read, or a value can't be used.
    """
    values = presets.load(options.preset).as_dict() if options.preset else {}
    if options.recipe:
        Recipe.from_yaml(options.recipe)  # says what is wrong with the file
        values |= read_yaml(options.recipe, MAX_FILE_BYTES) or {}
    given = {name: getattr(options, name) for name in SETTINGS if getattr(options, name) is not None}
    if "modules" in given:
        given["modules"] = [name.strip() for name in given["modules"].split(",") if name.strip()]
    return Recipe.from_dict({**values, **given})


def order_of(options: argparse.Namespace, paths: Paths) -> Order:
    """One run, a group of runs, or an earlier run once more.

    Raises StudioError where data, side or recipe can't be used.
    """
    if options.replay:
        return _replay(runs.find(options.replay, paths), options)
    recipe, dataset = recipe_of(options), versions.load(options.data or DATA, paths)
    sample = options.sample or runs.DEFAULT_SAMPLE
    if not options.both_sides:
        side = options.side or SIDE
        pairs = dataset.pairs(side, recipe.seed)
        return Order(recipe, pairs, lambda home: [runs.create(dataset, side, recipe, home, sample, options.output)])
    sides, seeds = groups.sides(dataset, options.shuffled), 1 if options.seeds is None else options.seeds
    groups.checked(options.group_name or "", seeds)
    return Order(
        recipe,
        dataset.pairs(next(iter(sides.values())), recipe.seed),
        lambda home: groups.create(dataset, recipe, home, options.group_name or "", seeds, options.shuffled, sample).runs,
        seeds * len(sides),
    )


def _replay(old: Run, options: argparse.Namespace) -> Order:
    """The same rows, recipe and question once more."""
    job, pairs = old.job, old.pairs()
    recipe, sample = Recipe.from_dict({"base": job.get("base", ""), **job["recipe"]}), job.get("sample_question", runs.DEFAULT_SAMPLE)

    def make(home: Paths) -> Sequence[Run]:
        run = runs.write(pairs, job["side"], job["data"], recipe, home, sample, options.output)
        then, now = job.get("versions", {}), run.job["versions"]
        changed = [f"{name} {then.get(name, '(unknown)')} -> {now[name]}" for name in now if then.get(name) != now[name]]
        if changed:
            print(f"Other packages than then, so the bytes may differ: {', '.join(changed)}.", file=sys.stderr)
        return [run]

    return Order(recipe, pairs, make, replayed=old)
