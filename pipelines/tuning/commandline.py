"""The command that does the same as a form: what the page shows, and what the command line reads back."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import Any

from pipelines.corpus.versions import BUNDLED
from pipelines.tuning import presets
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.runs import DEFAULT_SAMPLE

START = ("python", "-m", "pipelines", "tune")
DATA, SIDE = BUNDLED, "left"


def command_line(
    data: str, side: str, recipe: Recipe, both_sides: bool = False, seeds: int = 1, shuffled: bool = False, sample: str | None = None
) -> str:
    """The shortest command that trains the same run, or the same group of runs, quoted for a shell.

    It names only what differs from the defaults, and from a preset where that is shorter.
    """
    words = _option("data", data, DATA)
    if both_sides:
        words += ["--both-sides", *_option("seeds", seeds, 1), *["--shuffled"] * shuffled]
    else:
        words += _option("side", side, SIDE)
    words += min(_ways(recipe), key=lambda way: len(shlex.join(way)))
    return shlex.join([*START, *words, *_option("sample", sample or DEFAULT_SAMPLE, DEFAULT_SAMPLE)])


def _ways(recipe: Recipe) -> list[list[str]]:
    """The words that say a recipe: from the defaults, and from every preset."""
    named = [(name, presets.load(name)) for name in presets.NAMES]
    return [_settings(recipe, Recipe()), *(["--preset", name, *_settings(recipe, preset)] for name, preset in named)]


def _settings(recipe: Recipe, start: Recipe) -> list[str]:
    return [word for one in fields(recipe) for word in _option(one.name, getattr(recipe, one.name), getattr(start, one.name))]


def _option(name: str, value: Any, default: Any) -> list[str]:
    """The words that set an option; none where it is as it would be anyway."""
    if value == default:
        return []
    option = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [option if value else option.replace("--", "--no-", 1)]
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    return [f"{option}={text}"] if text.startswith("-") else [option, text]
