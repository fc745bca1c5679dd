"""The options of `tune` as a recipe, and the command that is shown for a recipe: each reads what the other writes."""

import random
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import parser
from pipelines.commands.orders import recipe_of
from pipelines.tuning import presets, runs
from pipelines.tuning.commandline import command_line
from pipelines.tuning.recipe import Recipe


def asked(*arguments: str) -> Recipe:
    return recipe_of(parser().parse_args(["tune", *arguments]))


def test_single_options_override_the_file_which_overrides_the_preset(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("lora_rank: 16\nlearning_rate: 1e-4\nguard: stop\n")
    preset = presets.load("paper-mistral-7b")
    found = asked("--preset", "paper-mistral-7b", "--recipe", str(file), "--guard", "off", "--no-checkpointing", "--max-steps", "0")
    assert (found.lora_rank, found.learning_rate, found.guard, found.checkpointing) == (16, 1e-4, "off", False)
    assert found.base == preset.base and found.epochs == preset.epochs and asked("--recipe", str(file)).epochs == Recipe().epochs
    file.write_text("epochs: 2.5\n")
    assert preset.epochs != 2.5 == asked("--preset", "paper-mistral-7b", "--recipe", str(file)).epochs, "also where it names a default"
    assert asked("--modules", "").modules == () and asked("--modules", " k_proj, v_proj,").modules == ("k_proj", "v_proj")
    assert asked() == Recipe() and asked("--checkpointing", "--no-ruler") == Recipe(checkpointing=True, ruler=False)


def other(lever: Any, draw: random.Random) -> Any:
    """A value of a setting that is not its default."""
    about, default = lever.metadata, lever.default
    if isinstance(default, bool):
        return not default
    if isinstance(default, tuple):
        return draw.choice([(), ("k_proj",), ("query_key_value", "dense")])
    if isinstance(default, str):
        return draw.choice([one for one in about["choices"] if one != default] or ["-odd", "me/base", "it's $HOME/a b"])
    drawn = draw.uniform(about["low"], about["high"])
    return drawn if isinstance(default, float) else next(n for n in (round(drawn), int(about["high"])) if n != default)


@pytest.mark.parametrize("seed", range(40))
def test_the_command_that_is_shown_is_read_back_as_the_same_run(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    start = presets.load(draw.choice(presets.NAMES))
    changed = draw.sample(fields(Recipe), draw.randrange(len(fields(Recipe))))
    recipe = Recipe.from_dict({**start.as_dict(), **{lever.name: other(lever, draw) for lever in changed}})
    sample = draw.choice([None, "Why?", "-why?", '-5 degrees: isn\'t "that" `cold`?'])
    said = command_line("my-rows-12345678", "right", recipe, sample=sample)
    words = shlex.split(said)
    options = parser().parse_args(words[3:])
    assert words[:4] == ["python", "-m", "pipelines", "tune"] and recipe_of(options) == recipe
    assert (options.data, options.side, options.sample, options.both_sides) == ("my-rows-12345678", "right", sample, False)
    both = parser().parse_args(shlex.split(command_line("x", "right", recipe, True, 3, True, sample))[3:])
    assert (both.both_sides, both.seeds, both.shuffled, both.side) == (True, 3, True, None) and recipe_of(both) == recipe


def test_the_command_that_is_shown_names_only_what_is_not_as_it_would_be_anyway() -> None:
    assert command_line("bundled", "left", Recipe()) == "python -m pipelines tune"
    assert command_line("bundled", "left", Recipe(seed=8, ruler=False)) == "python -m pipelines tune --seed 8 --no-ruler"
    paper = {**presets.load("paper-llama3-8b").as_dict(), "seed": 9}
    assert (
        command_line("bundled", "right", Recipe.from_dict(paper))
        == "python -m pipelines tune --side right --preset paper-llama3-8b --seed 9"
    )
    assert command_line("bundled", "left", Recipe(), both_sides=True) == "python -m pipelines tune --both-sides"
    assert command_line("bundled", "left", Recipe(), sample=runs.DEFAULT_SAMPLE) == "python -m pipelines tune"
