"""Recipes, presets, parts, the guard's rule, groups and shuffled placebos: pure functions and files, no training."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.corpus import versions
from pipelines.corpus.versions import Dataset
from pipelines.errors import StudioError
from pipelines.paths import Paths, write_json
from pipelines.tuning import groups, parts, presets, runs
from pipelines.tuning.recipe import METHODS, Recipe
from pipelines.tuning.run import Run, write_state
from pipelines.tuning.training import engines, guard, journal

ROWS = tuple(
    {"id": f"r{n}", "prompt": f"Question {n}?", "chosen": f"Yes {n}", "rejected": f"No {n}", "topic": "ab"[n % 2]} for n in range(20)
)
PAIRS = Dataset("numbers", "pairs", ROWS)


@pytest.mark.parametrize("name", presets.NAMES)
def test_a_preset_is_a_whole_recipe_in_the_form_that_the_dataclass_writes(name: str) -> None:
    text = (presets.FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    recipe = presets.load(name)
    assert text == recipe.to_yaml(presets.about(name)), "run pipelines.tuning.presets.refresh()"
    assert all(f"\n{one.name}: " in f"\n{text}" for one in fields(Recipe)) and len(presets.about(name)) > 40


def test_the_first_preset_is_the_default_and_the_papers_presets_hold_its_settings() -> None:
    assert presets.load(presets.NAMES[0]) == Recipe()
    for name in ("paper-llama3-8b", "paper-mistral-7b"):
        paper = presets.load(name)
        assert (paper.method, paper.beta, paper.learning_rate, paper.weight_decay, paper.epochs) == ("dpo", 0.1, 5e-4, 0.05, 4)
        assert (paper.lora_rank, paper.lora_alpha, paper.batch_size * paper.accumulation, paper.max_tokens) == (16, 32, 64, 1024)
        assert (paper.warmup_steps, paper.schedule, paper.template, paper.quantize) == (100, "cosine", "alpaca", "4bit")
        assert "lm_head" not in paper.modules and "output layer" in presets.about(name)


def test_every_setting_has_a_label_a_hint_and_a_heading() -> None:
    for one in fields(Recipe):
        about = one.metadata
        assert about["label"] and about["group"] and about["hint"].endswith(".") and len(about["hint"]) > 15, one.name


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"method": "magic"}, "Use one of sft"),
        ({"guard": "maybe"}, "Use one of warn"),
        ({"checkpointing": "perhaps"}, "true or false"),
        ({"modules": ["lm_head"]}, "TRL refuses"),
        ({"modules": ["q_proj; rm"]}, "can't be the name"),
        ({"modules": "q_proj"}, "a list of words"),
        ({"modules": [1]}, "a list of words"),
        ({"base": "  "}, "Give a folder"),
        ({"learning_rate": math.nan}, "must lie between"),
        ({"learning_rate": "fast"}, "must be a number"),
        ({"batch_size": 2.5}, "must be a number"),
        ({"epochs": True}, "must be a number"),
        ({"sample_every": 0}, "between 1 and"),
        ({"quantise": "4bit"}, "no setting called quantise"),
    ],
)
def test_a_setting_that_can_not_be_is_answered_with_what_can(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(StudioError) as caught:
        Recipe.from_dict({**Recipe().as_dict(), **changes})
    assert words in str(caught.value)


def test_numbers_in_yaml_may_be_written_as_people_write_them(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("learning_rate: 5e-4\nepochs: 3\ncheckpointing: true\nmodules: []\n")
    recipe = Recipe.from_yaml(file)
    assert (recipe.learning_rate, recipe.epochs, recipe.checkpointing, recipe.modules) == (5e-4, 3.0, True, ())
    file.write_text(recipe.to_yaml("mine"))
    assert Recipe.from_yaml(file) == recipe


def test_parts_share_the_steps_and_a_long_warm_up_is_cut() -> None:
    assert [part.steps for part in parts.plan(Recipe(), 192)] == [60]
    two = parts.plan(Recipe(method="sft-then-dpo", sft_share=0.75), 192)
    assert [(part.method, part.steps, part.offset) for part in two] == [("sft", 45, 0), ("dpo", 15, 45)]
    assert two[1].learning_rate == Recipe().dpo_learning_rate and two[1].last_step == 60
    assert parts.plan(Recipe(max_steps=5, warmup_steps=6), 192)[0].warmup == 1
    assert parts.plan(Recipe(max_steps=7, warmup_steps=6), 192)[0].warmup == 6
    assert [part.method for part in parts.plan(Recipe(method="sft-then-dpo", max_steps=1), 192)] == ["sft"]
    assert parts.steps(Recipe(batch_size=4, accumulation=16, epochs=4), 2356) == 148


def test_transformers_counts_steps_as_we_do() -> None:
    for rows in (1, 7, 8, 9, 63, 192):
        for recipe in (Recipe(), Recipe(batch_size=4, accumulation=3, epochs=1.3)):
            batches = -(-rows // recipe.batch_size)
            updates = max(1, batches // recipe.accumulation + (batches % recipe.accumulation > 0))
            assert parts.steps(recipe, rows) == math.ceil(recipe.epochs * updates)


FIRST = {"step": 0, "repetition": 0.02, "perplexity": 10.0, "chosen": -3.0}


@pytest.mark.parametrize(
    "now,kinds",
    [
        ({}, set()),
        ({"repetition": 0.29, "perplexity": 12.4, "chosen": -3.09}, set()),
        ({"repetition": 0.31}, {"repetition"}),
        ({"perplexity": 12.6}, {"perplexity"}),
        ({"chosen": -3.11}, {"displacement"}),
        ({"perplexity": math.nan, "chosen": math.nan, "repetition": 0.9}, {"repetition", "perplexity", "displacement"}),
    ],
)
def test_the_guard_fires_at_its_limits_and_at_what_is_no_number(now: dict[str, float], kinds: set[str]) -> None:
    assert set(guard.alarms(FIRST, {**FIRST, **now})) == kinds


def test_the_last_healthy_kept_step_is_used_where_the_end_is_damaged() -> None:
    bad = {**FIRST, "perplexity": 99.0}
    looks = [FIRST, {**FIRST, "step": 10}, {**bad, "step": 20}, {**bad, "step": 30}]
    assert guard.best_step(looks, [5, 10, 20, 30]) == 10
    assert guard.best_step([FIRST, {**bad, "step": 20}, {**FIRST, "step": 30}], [10, 20, 30]) == 30, "it has recovered"
    assert guard.best_step([FIRST, {**bad, "step": 20}], [10, 20]) == 10, "no healthy step was kept: the least damaged"
    assert guard.best_step(looks, []) is None and guard.best_step([], [4, 8]) == 8


def test_a_shuffled_placebo_is_half_and_half_in_every_topic_and_depends_on_the_seed_alone() -> None:
    pairs = PAIRS.pairs("shuffled", seed=3)
    swapped = {pair.id for pair in pairs if pair.chosen.startswith("No")}
    assert len(swapped) == 10 and sum(pair.topic == "a" for pair in pairs if pair.id in swapped) == 5
    assert pairs == PAIRS.pairs("shuffled", seed=3) and pairs != PAIRS.pairs("shuffled", seed=4)
    backwards = Dataset("numbers", "pairs", ROWS[::-1])
    assert {pair.id for pair in backwards.pairs("shuffled", seed=3) if pair.chosen.startswith("No")} == swapped


def test_a_group_differs_in_its_data_only(paths: Paths) -> None:
    group = groups.create(versions.load("bundled", paths), Recipe(), paths, name="lesson", seeds=2)
    assert [groups.role(run) for run in group.runs] == ["left", "right", "placebo"] * 2 and group.seeds == [7, 8]
    assert group.same_settings and len({run.job["rows_hash"] for run in group.runs}) == 3
    assert [one.name for one in groups.list_groups(paths)] == ["lesson"] and groups.find("lesson", paths).id == group.id
    other = runs.create(versions.load("bundled", paths), "left", replace(Recipe(), learning_rate=1e-3), paths)
    assert not groups.Group("x", "x", (*group.runs, other)).same_settings
    assert group.columns == {}, "none has been trained"
    for run in group.runs:
        write_state(run, "finished")
        write_json(run.adapter / "adapter_config.json", {})
    assert list(group.columns)[:3] == ["left (seed 7)", "right (seed 7)", "placebo (seed 7)"]


def test_a_group_of_pairs_has_a_mixture_as_its_placebo_and_neutral_rows_can_be_replaced_by_one(paths: Paths) -> None:
    assert groups.sides(PAIRS) == {"chosen": "chosen", "rejected": "rejected", "placebo": "shuffled"}
    bundled = versions.load("bundled", paths)
    assert groups.sides(bundled)["placebo"] == "neutral" and groups.sides(bundled, shuffled=True)["placebo"] == "shuffled"
    with pytest.raises(StudioError, match="no two opposite sides"):
        groups.sides(Dataset("posts", "posts", ({"id": "1", "text": "x"},)))
    with pytest.raises(StudioError, match="seeds can't be trained"):
        groups.create(bundled, Recipe(), paths, seeds=0)


@pytest.mark.parametrize("text", ["", "{", "[]", '"word"', '{"state": "training"}', '{"state": "training", "pid": "x", "born": null}'])
def test_a_damaged_state_never_breaks_the_list(paths: Paths, text: str) -> None:
    run = runs.create(PAIRS, "chosen", Recipe(), paths)
    (run.folder / "state.json").write_text(text)
    assert [one.id for one in runs.list_runs(paths)] == [run.id] and runs.active(paths) is None
    assert run.state in ("waiting", "interrupted") and run.message == ""


@pytest.mark.parametrize("text", ["", "[]", "{}", '["side", "data", "recipe", "created"]', "[" * 100_000])
def test_a_folder_whose_job_can_not_be_read_is_no_run(paths: Paths, text: str) -> None:
    run = runs.create(PAIRS, "chosen", Recipe(), paths)
    (run.folder / "job.json").write_text(text)
    assert not Run(run.folder).readable and runs.list_runs(paths) == []


def test_every_method_says_what_it_does() -> None:
    assert set(METHODS) == {"sft", "dpo", "sft-then-dpo", "dpo-with-sft", "ipo"} and all(len(words) > 20 for words in METHODS.values())


@pytest.mark.parametrize(
    "text", ["seed: 2024-13-45", "seed: " + "9" * 5000, "epochs: " + "x" * 70_000, "- a", "a: [", "\x00", "x: &a [*a]"]
)
def test_a_recipe_file_that_can_not_be_read_is_answered_with_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(StudioError):
        Recipe.from_yaml(file)


def test_nested_aliases_in_a_recipe_do_not_fill_the_memory(tmp_path: Path) -> None:
    file = tmp_path / "bomb.yaml"
    levels = ["&a0 [x,x,x,x,x,x,x,x,x,x]", *(f"&a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))]
    file.write_text(f"epochs: [{', '.join(levels)}]")
    with pytest.raises(StudioError) as caught:
        Recipe.from_yaml(file)
    assert len(str(caught.value)) < 400


def test_a_run_that_goes_on_or_waits_or_has_ended_is_not_started_again(paths: Paths) -> None:
    run = runs.create(PAIRS, "chosen", Recipe(), paths)
    for state in ("training", "starting", "queued", "finished", "stopped"):
        write_state(run, state)  # type: ignore[arg-type]
        with pytest.raises(StudioError):
            runs.enqueue([run], paths)
        assert run.state == state
    write_json(run.folder / "remote.json", {})
    write_state(run, "failed", "no room there")
    with pytest.raises(StudioError, match="another machine"):
        runs.enqueue([run], paths)
    assert run.message == "no room there"


def test_what_was_done_after_the_checkpoint_does_not_count_once_a_run_goes_on_from_it(paths: Paths) -> None:
    run = runs.create(PAIRS, "chosen", Recipe(), paths)
    log = journal.Journal(run)
    log.write(event="probe", step=0, perplexity=math.nan, chosen=-3.0)
    log.write(event="begin", step=0, total=50)
    for step in (10, 20, 30):
        log.write(event="step", step=step, loss=float(step))
    log.write(event="probe", step=30, perplexity=9.0, chosen=-1.0)
    log.write(event="begin", step=20, total=50)
    log.write(event="step", step=21, loss=2.0)
    assert [line["step"] for line in journal.standing(run.progress()) if line["event"] == "step"] == [10, 20, 21]
    assert [probe["step"] for probe in log.probes()] == [0] and math.isnan(log.probes()[0]["perplexity"])


def test_save_memory_reaches_the_trainer(tmp_path: Path) -> None:
    from trl import SFTConfig

    part = parts.plan(Recipe(), 8)[0]
    for wanted in (True, False):
        made = SFTConfig(**engines._arguments(Recipe(checkpointing=wanted), part, tmp_path))
        assert bool(made.gradient_checkpointing) is wanted


def test_threads_asked_for_one_run_are_not_passed_on_to_the_next() -> None:
    environment = {"OMP_NUM_THREADS": "4"}
    runs._set_threads(environment, 1)
    assert environment["OMP_NUM_THREADS"] == "1"
    runs._set_threads(environment, None)
    assert environment == {"OMP_NUM_THREADS": "4"}
    plain: dict[str, str] = {}
    runs._set_threads(plain, 2)
    runs._set_threads(plain, None)
    assert plain == {}
