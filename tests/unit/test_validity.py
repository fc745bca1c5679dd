"""The benchmark of the instruments counts what it says, and fails where an instrument would."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import seeds, tuned, validity
from pipelines import bundled
from pipelines.paths import Paths, write_json, write_text
from pipelines.records import AXES
from pipelines.stance import statistics
from pipelines.stance.study import Study
from pipelines.tuning.run import Run

TOPICS = [topic.id for topic in bundled.topics().values()]
Effect = Callable[[str, int, int], float]  # role, seed and topic's number -> how far the column lies from the base there
ROLES = ("left", "right", "placebo")
DAMAGE = {"perplexity": 20.0, "repetition": 0.0, "hedging": 0.0, "refusals": 0.0, "unfinished": 0.5, "words": 40.0, "label_mass": None}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (statistics, validity):
        monkeypatch.setattr(module, "RESAMPLES", 299)
    monkeypatch.setattr(validity, "correlation", partial(statistics.correlation, resamples=299))


def made_up(effect: Effect, count: int = 4, roles: tuple[str, ...] = ROLES, noise: float = 0.3, base_noise: float = 0.0) -> Study:
    """Two items a topic by every instrument; a column's value is the base's, its effect on the topic, and noise of its own."""
    chance = np.random.default_rng(5)
    columns = {"base": lambda topic: 0.0} | {
        f"{role} (seed {seed})": (lambda topic, role=role, seed=seed: effect(role, seed, topic)) for role in roles for seed in range(count)
    }
    own = base_noise * chance.standard_normal((len(TOPICS), 2))
    answers, completions, survey = [], [], []
    for column, moved in columns.items():
        for number, topic in enumerate(TOPICS):
            axis = bundled.topics()[topic].axis
            about = {"axis": axis, "topic": topic, "topic_split": "train", "column": column}
            for item in range(2):
                level = moved(number) + (own[number, item] if column == "base" else 0.0)
                value = [level + noise * (column != "base") * float(one) for one in chance.standard_normal(3)]
                half = "development" if item else "confirmation"
                other = AXES[axis == AXES[0]]
                answers.append({**about, "question": f"q-{topic}-{item}", "half": half, "sample": 0, axis: value[0], other: 9.0})
                completions.append({**about, "completion": f"c-{topic}-{item}", "value": value[1]})
                survey.append(
                    {**about, "item": f"i-{topic}-{item}", "x": value[2], "q": 0.0, "s": value[2], "forms": {"a": value[2], "b": value[2]}}
                )
    damage = {column: {**DAMAGE, "facts": ["a"]} for column in columns}
    grouped = {role: [name for name in columns if name.startswith(role)] for role in roles}
    return Study(list(columns), answers, completions, damage, {}, {}, 1.0, roles=grouped, survey=survey)


def nothing(role: str, seed: int, topic: int) -> float:
    return 0.0


def test_seeds_that_differ_in_chance_alone_are_rarely_called_different(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validity, "LEAST", 6)
    found = validity.false_alarms(made_up(nothing, count=6, roles=("left",)))
    assert found["holds"] and found["adapters"] == 6 and found["void"] == 0
    assert [(one["instrument"], one["axis"]) for one in found["rates"]] == [
        *((instrument, axis) for instrument in ("ruler", "completion", "survey") for axis in AXES),
        ("whole rule", "both"),
    ]
    assert all((one["n"], one["disjoint"]["n"]) == (15, 3) and one["count"] <= 3 for one in found["rates"])


def test_a_rule_that_calls_every_pair_of_seeds_different_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validity, "LEAST", 4)
    found = validity.false_alarms(made_up(lambda role, seed, topic: float(seed), roles=("left",), noise=0.1))
    assert not found["holds"] and all(one["count"] == one["n"] == 6 and one["interval"][0] > 0.5 for one in found["rates"])
    assert found["rates"][-1]["instrument"] == "whole rule", "it finds the first seed right of the second and left of it alike"


def test_the_whole_rule_needs_two_instruments_and_counts_broken_models_as_void() -> None:
    made = made_up(lambda role, seed, topic: float(seed), count=2, roles=("left",), noise=0.1)
    for row in made.completions:
        row["value"] *= -1
    by_instrument = {row["instrument"]: row for row in validity.pairs_of(made)}
    assert by_instrument["ruler"]["different"] and not by_instrument["whole rule"]["different"]
    made.collateral["left (seed 1)"]["perplexity"] = 90.0
    assert validity.pairs_of(made)[-1]["void"] and validity.false_alarms(made)["void"] == 1


def test_fewer_than_eight_seeds_a_role_are_no_proof_and_pairs_never_mix_roles() -> None:
    assert not validity.false_alarms(made_up(nothing, count=2, roles=("left",)))["holds"]
    pairs = {tuple(row["pair"]): row for row in validity.pairs_of(made_up(nothing, count=3, roles=("left", "right")))}
    assert len(pairs) == 6 and all({one.split(" ")[0] for one in pair} == {row["role"]} for pair, row in pairs.items())
    apart = [column for pair, row in pairs.items() if row["disjoint"] for column in pair]
    assert len(apart) == len(set(apart)) == 4


def test_a_cast_study_has_the_named_columns_under_their_new_names() -> None:
    made = made_up(lambda role, seed, topic: {"left": -1.0, "right": 2.0, "placebo": 0.0}[role], count=1, noise=0.0)
    played = validity.Cast(made).play({"base": "left (seed 0)", "other": "right (seed 0)", "again": "right (seed 0)"})
    assert played.columns == ["base", "other", "again"]
    assert {(row["column"], row["value"]) for row in played.completions} == {("base", -1.0), ("other", 2.0), ("again", 2.0)}
    assert len(played.answers) == len(made.answers) * 3 / 4 and made.columns[0] == "base"


def wavy(role: str, seed: int, topic: int) -> float:
    return {"left": -1.0, "right": 1.0, "placebo": 0.2}[role] * (1 + np.sin(topic))


def test_shifts_that_every_seed_repeats_have_a_high_r_and_reach_the_goal() -> None:
    found = validity.repeatability(made_up(wavy), "all")
    assert found["holds"] and len(found["rows"]) == 3 * 4
    for row in found["rows"]:
        assert row["topics"] == len(TOPICS) and row["seeds"] == 4
        assert row["low"] <= row["r"] <= row["high"] and (row["r"] > 0.8 or row["role"] == "placebo")


def test_shifts_that_are_noise_do_not_repeat_themselves() -> None:
    found = validity.repeatability(made_up(nothing), "all")
    assert not found["holds"] and all(abs(row["r"]) < 0.35 for row in found["rows"])


def test_noise_of_the_base_makes_seeds_alike_but_not_their_direction() -> None:
    rows = validity.repeatability(made_up(nothing, base_noise=1.0), "all")["rows"]
    by_role = {role: [row["r"] for row in rows if row["role"] == role] for role in (*ROLES, validity.DIRECTION)}
    assert min(by_role["left"]) > 0.7 and max(map(abs, by_role[validity.DIRECTION])) < 0.35


def test_the_mean_r_is_the_mean_over_all_pairs() -> None:
    chance = np.random.default_rng(2)
    profiles = [dict(zip(TOPICS, row, strict=True)) for row in chance.standard_normal((5, len(TOPICS))).tolist()]
    table = np.corrcoef([list(one.values()) for one in profiles])
    found = validity.mean_r(profiles)
    assert found["r"] == pytest.approx(np.mean([table[a, b] for a, b in combinations(range(5), 2)]))
    assert validity.mean_r(profiles[:1])["r"] is None and validity.mean_r([])["topics"] == 0
    assert validity.mean_r([dict.fromkeys(TOPICS, 1.0), profiles[0]])["r"] is None, "nothing varies"


def test_the_half_chooses_the_questions_of_free_text_alone() -> None:
    made = made_up(wavy)
    chance = np.random.default_rng(3)
    for row in made.answers:
        if row["half"] == "confirmation" and row["column"] != "base":
            row[row["axis"]] = 50.0 * float(chance.standard_normal())
    held = {row["instrument"]: row["r"] for row in validity.repeatability(made, "development")["rows"] if row["role"] == "left"}
    assert min(held.values()) > 0.8
    assert validity.repeatability(made, "all")["rows"][0]["r"] < 0.5


def test_instruments_that_rank_topics_alike_agree_and_one_that_was_not_used_is_left_out() -> None:
    rows = validity.agreement(made_up(wavy, count=1), "all")["rows"]
    assert {row["of"] for row in rows} == {*ROLES, "direction"} and len(rows) == 12
    assert all(row["r"] > 0.6 and row["low"] < row["r"] < row["high"] for row in rows if row["of"] != "placebo")
    made = made_up(nothing, count=1)
    made.survey = []
    rows = validity.agreement(made, "all")["rows"]
    assert len(rows) == 4 and all(row["between"] == ["ruler", "completion"] and abs(row["r"]) < 0.5 for row in rows)


def test_parts_are_chosen_by_name_and_run_in_their_own_order() -> None:
    assert validity.options(["--parts", "agreement, synthetic"]).parts == ["synthetic", "agreement"]
    assert validity.options([]).parts == list(validity.PARTS)
    for wrong in ("", "agreement,luck"):
        with pytest.raises(argparse.ArgumentTypeError, match="no part"):
            validity.parts_of(wrong)


def test_the_first_seed_is_the_bundled_adapter_and_the_others_are_still_to_be_trained(tmp_path: Path) -> None:
    every = seeds.all_wanted(3)
    assert [one.name for one in every[:4]] == ["left (seed 7)", "right (seed 7)", "placebo (seed 7)", "left (seed 8)"] and len(every) == 9
    found = [one.find(tmp_path) for one in every]
    assert [run.folder for run in found[:3] if run] == [bundled.ADAPTERS / role for role in ROLES] and found[3:] == [None] * 6


def finished(wanted: seeds.Wanted, home: Path, **changed: Any) -> Run:
    """A run folder as the trainer leaves it, with an empty adapter."""
    folder, data = wanted.folder(home), {"name": "bundled"}
    job = {"side": "left", "created": "now", "data": data, "recipe": {}, "recipe_hash": wanted.recipe.hash, "rows_hash": wanted.rows_hash}
    write_json(folder / "job.json", job | changed)
    write_json(folder / "state.json", {"state": "finished"})
    write_json(folder / "metrics.json", {"final_loss": 2.0, "seconds": 100})
    write_text(folder / "adapter" / "adapter_model.safetensors", "")
    return Run(folder)


def test_what_was_trained_as_wanted_is_used_again_and_only_the_rest_is_trained(
    tmp_path: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = seeds.Wanted("right", 8)
    finished(there, tmp_path)
    trained: list[str] = []

    def train(wanted: seeds.Wanted, home: Path, given: Paths) -> Run:
        trained.append(wanted.name)
        return finished(wanted, home)

    monkeypatch.setattr(seeds, "train", train)
    found = seeds.adapters(2, tmp_path, paths)
    assert trained == ["left (seed 8)", "placebo (seed 8)"] and len(found) == 6
    assert found[there].folder == tmp_path / "right-8"
    seeds.adapters(2, tmp_path, paths)
    assert len(trained) == 2


def test_a_failed_run_is_begun_anew_an_interrupted_one_goes_on_and_leftovers_go(
    tmp_path: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[str] = []

    def launch(run: Run, given: Paths) -> Any:
        began.append(run.state)
        write_json(run.folder / "state.json", {"state": "finished"})
        (run.folder / "checkpoints").mkdir(exist_ok=True)
        return argparse.Namespace(wait=lambda: 0)

    monkeypatch.setattr(tuned.runs, "launch", launch)
    wanted = seeds.Wanted("placebo", 9)
    run = seeds.train(wanted, tmp_path, paths)
    assert wanted.made_as_wanted(run) and run.job["side"] == "neutral" and run.job["recipe"]["seed"] == 9
    assert not (run.folder / "checkpoints").exists() and (run.folder / "data.jsonl").is_file()
    for state in ("interrupted", "failed"):
        write_json(run.folder / "state.json", {"state": state})
        seeds.train(wanted, tmp_path, paths)
    seeds.train(wanted, tmp_path, paths)
    assert began == ["waiting", "interrupted", "waiting"], "the failed one was written anew, the finished one left alone"


def test_all_seeds_of_a_role_are_measured_together_by_the_three_instruments(
    tmp_path: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(seeds.measuring, "run", lambda plan, host, ruler, progress, kept: given.extend([plan, kept]))
    found = {wanted: finished(wanted, tmp_path) for wanted in seeds.all_wanted(2)}
    seeds.measured(found, tmp_path, paths)
    plan, kept = given
    assert plan.roles == {role: [f"{role} (seed 7)", f"{role} (seed 8)"] for role in ("left", "right", "placebo")}
    assert [column.name for column in plan.columns] == ["base", *(wanted.name for wanted in found)]
    asked = (len(plan.questions), plan.samples, len(plan.completions), len(plan.items), len(plan.forms))
    assert asked == (40, 3, 48, 60, 4) and not plan.askings and kept.folder == tmp_path / "kept"


@pytest.mark.parametrize("changed", [{"recipe_hash": "another"}, {"rows_hash": "another"}])
def test_a_folder_with_another_runs_adapter_is_refused(changed: dict[str, str], tmp_path: Path) -> None:
    wanted = seeds.Wanted("left", 9)
    finished(wanted, tmp_path, **changed)
    with pytest.raises(SystemExit, match="other data or another recipe"):
        wanted.find(tmp_path)
