"""Broken and hostile settings of a run and of its data: recipe files, every field of the recipe's form, sampling, curation steps, columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from pipelines.corpus import columns
from pipelines.corpus.steps import registry
from pipelines.errors import StudioError
from pipelines.records import Sampling
from pipelines.tuning.recipe import MAX_FILE_BYTES, Recipe
from studio.tabs.curating import forms
from studio.tabs.tuning import expert
from tests.bad_inputs.trial import Said, Taken, Trial, files, places, sparse, table

NAN, HALF, UNSEEN, BIDI = float("nan"), "\ud800", "\u200b\u2060", "\u202etxt"
HUGE = 10**5_000
JUNK: tuple[Any, ...] = (NAN, float("inf"), -float("inf"), None, [1], [], {"a": 1}, HUGE, -HUGE, b"x", HALF, object())
BOMB = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 20))

RECIPE_FILES = files(
    "recipe file",
    lambda path: Recipe.from_yaml(path).seed,
    "recipe.yaml",
    {
        "not UTF-8": (b"seed: 1 # \xff", "can't be read"),
        "more than 64 kB": (sparse("recipe.yaml", MAX_FILE_BYTES + 1), "too large"),
        "a list": ("- seed\n- 1\n", "is not a list of settings"),
        "a word": ("seed", "is not a list of settings"),
        "cut off": ("{seed: 1,", "no plain YAML (ParserError)"),
        "tabs": ("seed:\n\t1\n", "no plain YAML"),
        "a NUL character": ("seed: 1\x00", "no plain YAML"),
        "two documents": ("seed: 1\n---\nseed: 2\n", "no plain YAML"),
        "an object of Python": ("!!python/object/apply:os.system [id]", "no plain YAML (ConstructorError)"),
        "a switch that is none": ("ruler: !!bool perhaps", "no plain YAML (KeyError)"),
        "a number without digits": ('seed: !!int ""', "no plain YAML (IndexError)"),
        "a fraction without digits": ('beta: !!float ""', "no plain YAML"),
        "a date that is none": ("seed: !!timestamp soon", "no plain YAML (AttributeError)"),
        "the 45th day": ("seed: 2024-13-45", "can't be read"),
        "bytes that are none": ('base: !!binary "x"', "no plain YAML"),
        "10,000 levels deep": ("seed: " + "[" * 10_000, "it is nested too deeply"),
        "a part that holds itself": ("seed: &a [*a]", "refers to parts of itself"),
        "aliases that fill the memory": (f"{BOMB}seed: 1", "refers to parts of itself"),
        "a list as a name": ("? [seed]\n: 1\n", "no plain YAML"),
        "an unknown setting": ("sead: 1", "no setting called sead"),
        "a setting with a long name": (f"{'x' * 900}: 1", "no setting called xxx"),
        "a number as a setting's name": ("1: 1", "no setting called 1"),
        "an integer of 5,000 digits": ("seed: " + "9" * 5_000, "can't be read"),
        "an integer of 5,000 hexadecimal digits": ("seed: 0x" + "f" * 5_000, "is a number of thousands of digits"),
        ".nan": ("beta: .nan", "Beta (beta) is nan"),
        ".inf": ("epochs: .inf", "Epochs (epochs) is inf"),
        "1e999": ('learning_rate: "1e999"', "Learning rate (learning_rate) is inf"),
        "a fraction of a seed": ("seed: 1.5", "Seed (seed) is 1.5"),
        "yes for a number": ("seed: yes", "Seed (seed) is True"),
        "nothing for a number": ("seed:", "Seed (seed) is None"),
        "a word for a switch": ("ruler: perhaps", "Ruler (ruler) is perhaps"),
        "a number for a word": ("method: 1", "Method (method) is 1"),
        "an unknown method": ("method: rlhf", "Use one of sft, dpo"),
        "a base of blanks": ('base: "  "', "No base model is named"),
        "a base with NUL": ('base: "a\\0b"', "can't be the name of a base model"),
        "a base of two lines": ('base: "a\\nb"', "can't be the name of a base model"),
        "a base with half a character": ('base: "\\ud800"', "can't be the name of a base model"),
        "a base of 1,001 letters": (f"base: {'x' * 1_001}", "can't be the name of a base model"),
        "one word for the modules": ("modules: q_proj", "Parts of a layer (modules) is q_proj"),
        "a mapping for the modules": ("modules: {q_proj: 1}", "It must be a list of words"),
        "51 modules": ("modules: [" + ", ".join(f"m{n}" for n in range(51)) + "]", "51 parts of a layer"),
        "a module that is a path": ("modules: [../../q_proj]", "can't be the name of a part"),
        "a module that is a pattern": ('modules: [".*"]', "can't be the name of a part"),
        "the output layer": ("modules: [lm_head]", "The output layer"),
        "a setting twice": ("seed: 1\nseed: 2\n", Taken(2)),
        "minus zero": ("weight_decay: -0.0\n", Taken(7)),
        "an empty file": ("", Taken(7)),
    },
) + places("recipe file", Recipe.from_yaml, ".yaml")


def _all_refused(make: Callable[[Any], Any], values: tuple[Any, ...] = JUNK) -> Callable[[Path], None]:
    """Every value of a list must be refused; the sentence of the last one is told."""

    def attempt(folder: Path) -> None:
        for place, value in enumerate(values):
            try:
                made = make(value)
            except StudioError:
                if place + 1 == len(values):
                    raise
            else:
                raise AssertionError(f"{value!r} was taken as {made!r}"[:200])

    return attempt


def _expert(name: str) -> Callable[[Any], Any]:
    names = [one.name for one in fields(Recipe)]
    return lambda value: expert.recipe([value if one == name else getattr(Recipe(), one) for one in names])


def _junk_of(one: Any) -> tuple[Any, ...]:
    """What no field of this kind may take. An empty list of modules means every one of them; a list that is none is no word."""
    return tuple(value for value in JUNK if not (one.name == "modules" and value == []))


RECIPE_FIELDS = [
    Trial("recipe form", f"{one.name}: {len(_junk_of(one))} values of other kinds", _all_refused(_expert(one.name), _junk_of(one)), Said(f"({one.name}) is" if one.name != "base" else "base"))
    for one in fields(Recipe)
]  # fmt: skip
SAMPLING_FIELDS = [
    Trial("sampling", f"{one.name}: {len(JUNK)} values of other kinds", _all_refused(lambda value, name=one.name: Sampling(**{name: value})), Said(f"{one.metadata['label']} is"))
    for one in fields(Sampling)
] + table(
    "sampling",
    lambda given, folder: Sampling(**given).seed,
    {
        "a temperature below zero": ({"temperature": -0.1}, "Temperature is -0.1"),
        "a temperature of True": ({"temperature": True}, "Temperature is True"),
        "no chance at all for top-p": ({"top_p": 0}, "Top-p is 0"),
        "half a token": ({"max_new_tokens": 1.5}, "is 1.5"),
        "a seed of 2^31": ({"seed": 2**31}, "Seed is 2147483648"),
        "a seed below zero": ({"seed": -1}, "Seed is -1"),
        "a temperature of minus zero": ({"temperature": -0.0, "seed": 3.0}, Taken(3)),
    },
)  # fmt: skip


def _step(key: str) -> Callable[[Any], Any]:
    """The form of a step with one value in every field; all of them must be refused at the first."""
    step = registry.STEPS[key]
    return lambda value: forms.read(step, [value] * len(forms.names(step)))


STEP_FORMS = [
    Trial("step form", f"{key}: {len(JUNK) - 1} values of other kinds in every field", _all_refused(_step(key), tuple(value for value in JUNK if value is not None)), Said("step" if not step.label else step.label))
    for key, step in registry.STEPS.items()
    if any(one.metadata for one in fields(step))
] + table(
    "step form",
    lambda given, folder: registry.make(*given),
    {
        "an unknown step": (("explode", {}), "no curation step called “explode”"),
        "an unknown setting": (("length", {"smallest": 1}), "no setting called smallest"),
        "a shortest text of zero words": (("length", {"shortest": 0}), "is 0"),
        "an unknown strategy": (("select", {"strategy": "best"}), "Choose one of random"),
        "a list as a strategy": (("select", {"strategy": ["random"]}), "can't be"),
        "a million and one posts": (("select", {"count": 1_000_001}), "is 1000001"),
        "seed statements with half a character": (("select", {"seeds": HALF}), "holds half a character"),
        "an unknown language": (("language", {"wanted": "xx"}), "can't be “xx”"),
    },
) + table(
    "columns form",
    lambda given, folder: columns.assign(*given),
    {
        "no kind": ((None, {}), "no kind of rows called"),
        "an unknown kind": (("poems", {}), "no kind of rows called “poems”"),
        "an unknown role": (("posts", {"author": "a"}), "no role called “author”"),
        "no column for a role": (("pairs", {"prompt": "a"}), "No column was chosen for chosen and rejected"),
        "one column for two roles": (("pairs", {"prompt": "a", "chosen": "b", "rejected": "b"}), "was chosen for two roles"),
        "a column that is not there": (("posts", {"text": "b"}, ["a"]), "no column called “b”"),
    },
)  # fmt: skip

TRIALS = [*RECIPE_FILES, *RECIPE_FIELDS, *SAMPLING_FIELDS, *STEP_FORMS]
