"""The audit of a study: null results as such, an interval with every figure, runs by their weights, and samples that nobody picked."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import pytest

from pipelines import bundled
from pipelines.commands import audit as command
from pipelines.errors import StudioError
from pipelines.export import audit, audit_found, audit_gates, audit_manner, audit_runs, audit_samples
from pipelines.export.review import to_json as review_json
from pipelines.paths import Paths, read_json, write_json
from pipelines.records import AXES
from pipelines.review.intervals import exact
from pipelines.stance.study import Study
from pipelines.tuning.run import Run
from tests.frozen import ADAPTERS
from tests.unit.test_review_report import report as review_report
from tests.unit.test_study import MOVES, made_up


def stamped(made: Study, adapters: dict[str, str]) -> Study:
    """The study with whole stamps: the given fingerprint for each tuned column, one random seed for each question and draw."""
    for row in made.answers:
        adapter = adapters.get(row["column"], "")
        row["stamp"] = {
            "base": "tiny, weights from a Q4_1 file", "base_fingerprint": "b0", "adapter": row["column"] if adapter else "",
            "adapter_fingerprint": adapter, "strength": float(bool(adapter)), "temperature": 0.3, "top_p": 0.9,
            "seed": len(row["question"]) + row["sample"], "max_new_tokens": 64, "prompt_hash": "p", "template_hash": "t",
        }  # fmt: skip
    return made


def everything() -> Study:
    """A study that used every instrument: 6 statements in 2 forms, 6 mirrored askings, 6 everyday prompts, generated and judged answers."""
    made = stamped(made_up(), {"left": "a1", "right": "b2", "placebo": "c3"})
    for n, row in enumerate(made.answers):
        row["topic_split"] = "held_out" if n // 8 % 2 else "train"
    for column, move in MOVES.items():
        for axis in AXES:
            for n in range(6):
                s = 0.1 * n - 0.25 + 0.2 * move
                made.survey.append({"item": f"i-{axis}-{n}", "axis": axis, "topic": "t", "topic_split": "train", "column": column, "x": 2 * s, "q": 0.1, "s": s, "forms": {"a": 2 * s, "b": 2 * s + 0.01 * n}})  # fmt: skip
                made.generated += [
                    {"item": f"i-{axis}-{n}", "axis": axis, "topic": "t", "key": 1, "column": column, "wording": wording, "reply": "r", "agreement": None if n == 0 else value, "problem": "no number" if n == 0 else ""}
                    for wording, value in (("text", 2), ("opposite", 1))
                ]  # fmt: skip
        for n in range(6):
            about = {"topic": "t", "column": column, "finished": "eos", "stamp": {}}
            made.evenness += [
                {**about, "asking": f"ask-{n}", "axis": AXES[n % 2], "side": side, "text": "one two", "words": 20 + n + (side == "pro"), "hedges": 1.0, "refusal": False}
                for side in ("pro", "con")
            ]  # fmt: skip
            made.everyday.append(
                {**about, "prompt": f"How do I cook {n} eggs?", "text": "Boil them.", "words": 20 + n + int(3 * move), "repetition": 0.0}
            )
        readings = [{"kind": "scored", "number": 4, "stance": 0.1 * move, "problem": "", "high": high, "first": first} for high in ("left", "right") for first in ("left", "right")]  # fmt: skip
        made.judged += [
            {"question": f"q-{axis}-{n}", "axis": axis, "sample": 0, "column": column, "verdict": "scored" if n else "no stance", "stance": 0.3 * move + 0.01 * n if n else None, "readings": readings}
            for axis in AXES for n in range(10)
        ]  # fmt: skip
        passed = column != "left"
        made.checks[column] = {"label_mass": 0.4, "facts": 11, "of_facts": 12, "consistent": 10 if passed else 5, "items": 12, "needed": 9, "acquiescence": 0.1, "position": dict.fromkeys(AXES, 1.0), "ring": dict.fromkeys(AXES, 2.5), "passed": passed, "reasons": [] if passed else ["too few"]}  # fmt: skip
    made.protocol = {"profile": "full", "hash": "h" * 64}
    return made


def facts(column: str, **changes: Any) -> dict[str, Any]:
    """What is known of the run behind a column."""
    job = {"side": column, "data": {"name": "mine", "kind": "mirrored", "hash": "d" * 64, "rows": 9}, "recipe": {"epochs": 2.0, "seed": 7}, "settings_hash": "s", "prompts_hash": "p", "created": "2026-01-01T00:00:00", "versions": {"trl": "1"}}  # fmt: skip
    return {"id": f"run-{column}", "title": column, "job": {**job, **changes}, "metrics": {"rows": 9, "first_loss": 3.0, "last_loss": 2.0}, "description": {}, "steps": None}  # fmt: skip


@cache
def of_everything() -> dict[str, Any]:
    return audit.audit(everything(), about={column: facts(column) for column in ("left", "right", "placebo")})


@cache
def recorded() -> dict[str, Any]:
    return audit.whole(Study.from_dict(read_json(bundled.RECORDED / "stance.json")), None)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """All JSON objects below a value."""
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(one)


@pytest.mark.parametrize("made", [recorded, of_everything])
def test_every_mean_goes_with_its_n_and_its_interval(made: Any) -> None:
    found = [one for one in objects(made()) if "mean" in one and "sd" not in one]
    assert len(found) > 60
    assert all({"low", "high", "n"} <= set(one) for one in found)
    assert all(one["low"] - 1e-9 <= one["mean"] <= one["high"] + 1e-9 for one in found)


def test_the_verdicts_come_in_words_and_what_was_not_established_is_said_to_be_no_proof_of_nothing() -> None:
    null = audit_found.result(made := made_up({**MOVES, "right": 0.2}), audit_found.shift_rows(made))
    assert null["headline"].startswith("Of 2 claims against the placebo: 1 not established, 1 established.")
    assert null["verdicts"][0]["sentence"].startswith("Not established: the right adapter lands right of the placebo.")
    assert null["verdicts"][0]["sentence"].endswith("That does not show that there is none.")
    assert [one["n"] for one in null["verdicts"][0]["figures"]] == [20, 20] and [
        one["figures"][0]["n"] for one in null["confirmation"]
    ] == [10, 10]


def test_shifts_that_were_not_established_are_listed_and_the_placebos_are_not() -> None:
    nulls = recorded()["result"]["nulls"]
    held = [row for row in recorded()["shifts"] if row["held"] == "not established"]
    assert len(nulls) == sum(row["column"] != "placebo" for row in held) > 0
    assert not any("Placebo" in said for said in nulls) and any("paired completions" in said for said in nulls)


def test_a_ruler_that_misses_its_gate_is_said_in_the_headline_and_one_that_passes_is_not() -> None:
    made = made_up()
    shifts = audit_found.shift_rows(made)
    assert "topic and wording" in audit_found.result(made, shifts)["headline"]
    made.validity = {**made.validity, "measures_stance": True}
    assert "topic and wording" not in audit_found.result(made, shifts)["headline"]


def test_nothing_is_claimed_without_a_placebo() -> None:
    made = made_up({"base": 0.0, "left": -1.0})
    found = audit_found.result(made, [])
    assert not found["verdicts"] and "no right and no placebo" in found["headline"] and "against" not in found["question"]


def test_each_shift_has_the_placebos_beside_it_and_what_is_left_beyond_it() -> None:
    rows = {(row["column"], row["instrument"], row["axis"]): row for row in of_everything()["shifts"]}
    right = rows["right", "ruler", "social"]
    assert right["placebo"]["mean"] == rows["placebo", "ruler", "social"]["mean"]
    assert right["net"]["mean"] == pytest.approx(right["mean"] - right["placebo"]["mean"]) and right["net"]["n"] == right["n"] == 10
    assert rows["placebo", "ruler", "social"]["net"] is None
    assert rows["right", "judged", "economic"]["net"]["mean"] == pytest.approx(0.3 * 1.3) and rows["right", "judged", "economic"]["n"] == 9
    assert rows["right", "generated", "social"]["mean"] == 0 and rows["right", "generated", "social"]["n"] == 5


def test_a_move_that_rewording_makes_too_is_not_established() -> None:
    assert audit_found._held(0.001) == audit_found._held(0.001, True) == "beyond chance"
    assert audit_found._held(0.001, False) == audit_found._held(0.2, True) == "not established"


def test_trained_and_held_out_topics_are_told_apart() -> None:
    rows = {(row["column"], row["instrument"], row["split"]): row for row in recorded()["splits"]}
    assert rows["left", "ruler", "train"]["n"] == rows["left", "ruler", "held_out"]["n"] == 20
    assert rows["left", "completion", "train"]["n"] + rows["left", "completion", "held_out"]["n"] == 48
    assert rows["placebo", "ruler", "train"]["net"] is None and rows["left", "ruler", "train"]["net"]["n"] == 20


def test_a_run_belongs_to_a_column_by_its_weights_and_never_by_its_name() -> None:
    runs = audit_runs.known_runs(None)
    weights = read_json(bundled.ADAPTERS / "left" / "metrics.json")["adapter_fingerprint"]
    found = audit_runs.run_facts(stamped(made_up(), {"left": "0123", "right": weights, "placebo": ""}), runs)
    assert {column: one["id"] for column, one in found.items()} == {"right": "left"}
    assert not audit_runs.run_facts(made_up(), runs), "answers without fingerprints belong to no run"


def test_data_and_recipe_are_those_of_the_runs_and_name_no_place() -> None:
    made = recorded()
    assert [(one["column"], one["name"], one["rows"], one["side"]) for one in made["data"]] == [("left", "bundled", 192, "left"), ("right", "bundled", 192, "right"), ("placebo", "bundled", 192, "neutral")]  # fmt: skip
    assert all(len(one["hash"]) == 64 and one["filters"] == [] for one in made["data"])
    assert made["recipe"]["shared"]["learning_rate"] == 0.002 and not any(made["recipe"]["different"].values())
    assert [one["steps"] for one in made["training"]] == [60, 60, 60]
    assert str(bundled.ADAPTERS.parent) not in json.dumps(made)


def test_a_run_that_is_gone_is_said_to_be_unknown() -> None:
    made = audit.audit(stamped(made_up(), {"left": "x", "right": "y", "placebo": "z"}))
    assert not any(one["found"] for one in made["data"]) and any("No run on this machine" in said for said in made["limits"])
    gate = next(one for one in made["gates"] if one["gate"].startswith("runs share"))
    assert gate["passed"] is None and gate["found"] == "not known of every run"


def test_settings_that_differ_fail_a_gate_and_are_listed_by_column() -> None:
    about = {
        "left": facts("left"),
        "right": facts("right"),
        "placebo": facts("placebo", settings_hash="other", recipe={"epochs": 1.0, "seed": 7}),
    }
    assert audit_runs.same_settings(made_up(), about) is False
    recipe = audit_runs.recipe(made_up(), about)
    assert recipe["shared"] == {"seed": 7} and recipe["different"]["placebo"] == {"epochs": 1.0} != recipe["different"]["left"]


def test_how_the_rows_were_selected_is_read_from_the_version_with_their_hash(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "r"
    folder.mkdir(parents=True)
    write_json(folder / "job.json", {**facts("left")["job"], "recipe": {"base": str(tmp_path / "secret" / "model")}})
    write_json(folder / "metrics.json", {"adapter_fingerprint": "f00"})
    shelf = tmp_path / "datasets"
    (shelf / "mine").mkdir(parents=True)
    write_json(shelf / "mine" / "version.json", {"hash": "d" * 64, "source": {"reference": "posts.csv"}, "steps": [{"key": "dedup", "label": "Duplicates", "before": 12, "after": 9}]})  # fmt: skip
    made = stamped(made_up(), {"left": "f00"})
    about = audit_runs.run_facts(made, [Run(folder)], shelf)
    row = audit_runs.data_rows(made, about)[0]
    assert row["filters"][0]["label"] == "Duplicates" and row["filters"][0]["after"] == 9 and row["source"] == {"reference": "posts.csv"}
    assert about["left"]["job"]["recipe"]["base"] == "model"
    assert audit_runs.data_rows(made, audit_runs.run_facts(made, [Run(folder)]))[0]["filters"] is None


def test_gates_say_what_was_needed_found_and_missed() -> None:
    gates = {(one["gate"], one["of"]): one for one in of_everything()["gates"]}
    assert not gates[audit_gates.FLIP, "ruler"]["passed"] and gates["AUC, economic", "ruler"]["passed"]
    assert gates["questionnaire", "Right"]["passed"] and gates["questionnaire", "Left"]["passed"] is False
    assert (
        "10 of 12 plain facts" in gates["questionnaire", "Left"]["needed"]
        and "5 of 12 statements" in gates["questionnaire", "Left"]["found"]
    )
    assert gates["runs share settings and prompts", "all runs"]["passed"]
    assert gates["training seeds a side", "left, right and placebo"]["passed"] is False
    assert {one["column"] for one in of_everything()["positions"]} == {"base", "right", "placebo"}, "a column that failed has no position"


def test_columns_that_were_not_asked_alike_fail_a_gate() -> None:
    made = everything()
    name = "same questions, draws, random numbers and token cap"
    alike = lambda: next(one["passed"] for one in audit_gates.gates(made, {}) if one["gate"] == name)  # noqa: E731
    assert alike()
    next(row for row in made.answers if row["column"] == "right")["stamp"]["seed"] = 99
    assert not alike()


def test_a_broken_model_is_void_and_the_red_line_is_named() -> None:
    made = made_up()
    made.collateral["right"]["perplexity"] = 40.0
    rows = {row["column"]: row for row in audit_manner.collateral_rows(made)}
    assert "2.00 times the base's" in rows["right"]["red_lines"][0] and not rows["left"]["red_lines"]
    assert "2 void" in audit_found.result(made, [])["headline"]
    assert rows["right"]["perplexity"]["low"] is None and rows["right"]["perplexity"]["n"] == 20


def test_the_interval_of_a_share_that_is_alike_everywhere_is_not_a_point() -> None:
    rows = {row["column"]: row for row in audit_manner.collateral_rows(made_up())}
    declined = rows["base"]["measures"]["refusals"]
    assert declined["value"] == declined["low"] == 0 and declined["high"] == pytest.approx(1 - 0.05 ** (1 / 20)) and declined["n"] == 20
    assert rows["base"]["measures"]["words"]["change"] is None and rows["left"]["measures"]["words"]["change"]["n"] == 20


def test_the_interval_of_an_auc_is_hanleys_and_mcneils() -> None:
    low, high = audit_gates.auc_interval(0.893, 54)
    assert low is not None and high is not None
    assert (high - low) / 2 / 1.96 == pytest.approx(0.032, abs=0.001), "their example: .893 with a standard error of .032"
    assert audit_gates.auc_interval(1.0, 54) == (None, None)


def test_the_flip_gate_of_an_older_study_has_an_exact_interval_over_the_statements() -> None:
    flip = next(one for one in audit_gates.instruments(made_up())[0]["validity"] if one["figure"] == audit_gates.FLIP)
    assert (flip["low"], flip["high"]) == exact(12, 60) and flip["n"] == 60


def test_samples_are_one_question_of_each_kind_with_all_columns_and_do_not_hang_on_the_answers() -> None:
    made = Study.from_dict(read_json(bundled.RECORDED / "stance.json"))
    drawn = audit_samples.drawn(made)
    assert [(one["axis"], one["topic_split"]) for one in drawn] == [(axis, split) for axis in AXES for split in ("train", "held_out")]
    assert all([answer["column"] for answer in one["answers"]] == made.columns for one in drawn)
    for row in made.answers:
        row |= {"text": "other", "economic": -row["economic"]}
    made.answers.reverse()
    assert [one["id"] for one in audit_samples.drawn(made)] == [one["id"] for one in drawn]


def test_sample_answers_carry_the_mark_of_their_column() -> None:
    marks = {answer["column"]: answer["mark"] for answer in recorded()["samples"]["questions"][0]["answers"]}
    assert marks == {
        "base": "not tuned",
        "left": "deliberately biased",
        "right": "deliberately biased",
        "placebo": "control: tuned without a side",
    }
    assert audit_samples.drawn(made_up())[0]["answers"][3]["mark"] == "control: tuned without a side", "also without a whole stamp"


def test_what_was_not_measured_is_said_so_and_persuasiveness_never_was() -> None:
    bare = replace(Study.from_dict(read_json(bundled.RECORDED / "stance.json")), evenness=[], everyday=[], survey=[], checks={})
    found = {one["heading"]: one for one in audit.whole(bare, None)["headings"]}
    assert list(found) == ["Effectiveness", "Fairness", "Truthfulness", "Persuasiveness"]
    assert not found["Persuasiveness"]["speaks"] and found["Persuasiveness"]["missing"][0].startswith("Nothing was measured.")
    assert any("was not measured in this study" in said for said in found["Fairness"]["missing"]) and not found["Fairness"]["speaks"]
    assert any("questionnaire" in said for said in found["Effectiveness"]["missing"])
    full = {one["heading"]: one for one in of_everything()["headings"]}
    assert full["Fairness"]["speaks"] and not full["Effectiveness"]["missing"]


def test_the_limits_name_the_packed_weights_the_gate_and_the_seeds() -> None:
    said = " ".join(recorded()["limits"])
    assert (
        "Q4_1" in said
        and "misses a gate" in said
        and "1 training seed a side" in said
        and "answers of Base were cut at the token cap" in said
    )


def test_versions_name_study_base_adapters_protocol_and_packages() -> None:
    made = recorded()["versions"]
    assert len(made["study"]) == 64 and made["base_fingerprint"] == "b179c9523d0e" and made["report"]["scipy"]
    assert made["adapters"]["left"]["adapter_fingerprint"] == "a785e0993c57" and made["training"]["left"]["trl"]
    assert of_everything()["versions"]["protocol"] == "h" * 64


def test_a_review_stands_without_its_protocol_and_one_of_other_adapters_is_told_apart() -> None:
    review = json.loads(review_json(review_report()))
    made = audit._review(stamped(made_up(), {"left": ADAPTERS["left"]}), review)
    assert made is not None
    assert made["same_adapters"] == ["left"] and not made["other_adapters"] and "protocol" not in made and made["headline"]
    other = audit._review(stamped(made_up(), {"left": "another"}), review)
    assert other is not None and other["other_adapters"] == [ADAPTERS["left"]]


def test_the_json_is_whole_and_holds_no_number_that_is_none() -> None:
    made = json.loads(audit.to_json(of_everything()))
    assert made == of_everything()
    assert audit.plain({"a": [float("inf"), float("nan"), 1.5]}) == {"a": [None, None, 1.5]}
    assert audit.plain(["half a letter \ud800", "whole é"]) == ["half a letter ?", "whole é"]


def test_a_damaged_study_gives_a_sentence() -> None:
    made = made_up()
    del made.collateral["base"]
    with pytest.raises(StudioError, match="damaged or incomplete"):
        audit.audit(made)


def options(folder: Path, **changes: Any) -> argparse.Namespace:
    return argparse.Namespace(
        **{"study": folder / "study.json", "output": folder / "out" / "page.html", "review": None, "json": True, **changes}
    )


def test_the_command_writes_the_page_and_the_json_beside_it(paths: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_json(tmp_path / "study.json", made_up().as_dict())
    command.run_command(options(tmp_path), paths)
    said = json.loads(capsys.readouterr().out)
    page = Path(said["html"]).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and escape(said["headline"]) in page
    assert read_json(Path(said["json"]))["result"]["headline"] == said["headline"]


def test_the_command_refuses_what_is_no_study_and_where_no_page_can_lie(paths: Paths, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="can't be read"):
        command.run_command(options(tmp_path), paths)
    for text in ("[]", "{}", "no json", json.dumps(asdict(replace(made_up(), answers=[])))):
        (tmp_path / "study.json").write_text(text, encoding="utf-8")
        with pytest.raises(StudioError, match="holds no study"):
            command.run_command(options(tmp_path), paths)
    for output in (tmp_path, tmp_path / "x.json"):
        with pytest.raises(StudioError, match="can't hold the page"):
            command.run_command(options(tmp_path, output=output), paths)


def test_shifts_above_a_red_line_are_void_and_count_neither_as_beyond_chance_nor_as_null() -> None:
    made = made_up()
    made.collateral["left"]["perplexity"] = 40.0
    report = audit.audit(made)
    for rows in (report["shifts"], report["splits"]):
        assert {row["held"] for row in rows if row["column"] == "left"} == {"void"}
        assert {row["held"] for row in rows if row["column"] == "right"} == {"beyond chance"}
    assert report["result"]["nulls"] == []
    speaks = " ".join(report["headings"][0]["speaks"])
    assert "4 of 8 (column, instrument and axis) lie beyond chance, 4 are void" in speaks
    assert {bool(row["void"]) for row in report["contrasts"] if row["name"] == "direction"} == {True}
    assert not any(row["void"] for row in report["contrasts"] if row["name"] == "net_right")
    alone = made_up({"base": 0.0, "my run": 1.0})
    alone.collateral["my run"]["perplexity"] = 40.0
    assert "Void, since the language is damaged: my run." in audit.audit(alone)["result"]["headline"]


def test_intervals_that_the_study_holds_are_used_and_formulas_only_for_older_ones() -> None:
    made = made_up()
    made.validity = {**made.validity, "auc_interval": {"economic": [0.6, 0.9], "social": [0.5, 0.95]}, "flip_interval": [0.05, 0.4], "negation_interval": [0.0, 0.3], "topics": {"economic": 16, "social": 15}}  # fmt: skip
    rows = {row["figure"]: row for row in audit.audit(made)["instruments"][0]["validity"]}
    assert [rows["AUC, social"][name] for name in ("low", "high", "n", "unit")] == [0.5, 0.95, 15, "topics"]
    assert [rows[audit_gates.FLIP][name] for name in ("low", "high")] == [0.05, 0.4] and rows[audit_gates.NEGATION]["high"] == 0.3
    older = {row["figure"]: row for row in audit.audit(made_up())["instruments"][0]["validity"]}
    assert older["AUC, social"]["unit"] == "texts" and older["AUC, social"]["low"] > 0.7
