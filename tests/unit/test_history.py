"""What runs did: figures, looks, alarms and checkpoints of folders written by hand, and in what two of them differ."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.paths import Paths, write_json
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import history
from tests.handmade import JOB, make, progress, put, put_adapter, step


def test_only_what_differs_is_listed_with_a_line_where_an_older_run_does_not_say(paths: Paths) -> None:
    first = make(paths, "a")
    recipe = {**JOB["recipe"], "learning_rate": 5e-4, "seed": 8, "modules": [], "checkpointing": True, "epochs": 2.0, "base": "x"}
    data = {**JOB["data"], "hash": "b" * 64, "rows": 99}
    versions = {"torch": "2.12.0", "peft": "0.21.2", "trl": "1.16.0"}
    second = make(paths, "b", side="right", recipe=recipe, data=data, versions=versions, group={"id": "g1", "name": "Seeds"})
    write_json(second.folder / "metrics.json", {"base_fingerprint": "b179"})
    found = {one.name: (one.first, one.second) for one in history.differences(first, second)}
    assert found == {
        "side": ("left", "right"),
        "data.hash": ("a" * 64, "b" * 64),
        "data.rows": ("100", "99"),
        "base_fingerprint": ("-", "b179"),
        "group": ("-", "Seeds"),
        "learning_rate": ("0.002", "0.0005"),
        "seed": ("7", "8"),
        "modules": ("q_proj, v_proj", "every linear layer"),
        "checkpointing": ("-", "on"),
        "epochs": ("-", "2"),
        "versions.torch": ("2.13.0", "2.12.0"),
        "versions.trl": ("-", "1.16.0"),
    }
    mirrored = {one.name: (one.second, one.first) for one in history.differences(second, first)}
    assert mirrored == found and history.differences(second, second) == []
    assert all(one.label and "_" not in one.label for one in history.differences(first, second))


def test_equal_numbers_of_another_kind_and_missing_against_null_are_no_difference(paths: Paths) -> None:
    first = make(paths, "a", recipe={**JOB["recipe"], "epochs": 2, "weight_decay": None})
    assert history.differences(first, make(paths, "b", recipe={**JOB["recipe"], "epochs": 2.0})) == []


def test_a_recipe_can_not_hide_that_the_side_differs(paths: Paths) -> None:
    first, second = (make(paths, side, side=side, recipe={"side": "left", "x": "y" * 500}) for side in ("left", "right"))
    assert [(one.first, one.second) for one in history.differences(first, second)] == [("left", "right")]
    assert {len(one.first) for one in history.differences(first, make(paths, "c", recipe=5)) if one.name == "x"} == {80}


def test_checkpoints_are_complete_ordered_and_end_in_the_adapter_that_was_kept(paths: Paths) -> None:
    run = make(paths)
    write_json(run.folder / "metrics.json", {"steps": 40, "kept_step": 30})
    folder = run.folder / "checkpoints"
    for name in ("step-00020", "step-00040", "step-00030", "step-100000", "step-x", "checkpoint-5", ".step-00050.tmp", "step-\u0661"):
        put_adapter(folder / name)
    put(folder / "step-00007" / "adapter_config.json", "{}")
    put_adapter(folder / "step-00008")
    put(folder / "step-00008" / "adapter_model.safetensors", "")
    put(folder / "step-00009", "a file")
    found = history.checkpoints(run)
    assert [(one.step, one.is_kept) for one in found] == [(20, False), (30, True), (40, False), (100_000, False)]
    assert found[1].folder == run.adapter and found[0].folder == folder / "step-00020" and history.checkpoint(run, 40) == found[2]
    with pytest.raises(StudioError, match="no checkpoint of step 25. It has 20, 30, 40, 100000."):
        history.checkpoint(run, 25)


def test_a_checkpoint_that_leads_out_of_the_run_is_none(paths: Paths, tmp_path: Path) -> None:
    run = make(paths)
    shutil.rmtree(run.adapter)
    put_adapter(tmp_path / "secret")
    (run.folder / "checkpoints").mkdir()
    (run.folder / "checkpoints" / "step-00010").symlink_to(tmp_path / "secret")
    put_adapter(run.folder / "checkpoints" / "step-00020")
    (run.folder / "checkpoints" / "step-00020" / "adapter_config.json").unlink()
    (run.folder / "checkpoints" / "step-00020" / "adapter_config.json").symlink_to(tmp_path / "secret" / "adapter_config.json")
    assert history.checkpoints(run) == []
    with pytest.raises(StudioError, match="It has none yet"):
        history.checkpoint(run, 10)


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [({"steps": 60}, 60), ({"steps": 60, "kept_step": 0}, 0), ({"kept_step": "x", "steps": -3}, 12), ({"kept_step": True}, 12), ([], 12)],
)
def test_an_older_run_kept_its_last_step(paths: Paths, metrics: Any, expected: int) -> None:
    run = make(paths)
    write_json(run.folder / "metrics.json", metrics)
    progress(run, step(11, 2.0), step(12, 1.9))
    assert [one.step for one in history.checkpoints(run)] == [expected]


def test_after_a_resume_the_later_line_counts_and_what_was_taken_back_is_gone(paths: Paths) -> None:
    run = make(paths)
    guard = {"event": "guard", "kind": "repetition", "text": "again and again"}
    lines = [{"event": "begin", "step": 0, "total": 40}, *(step(n, 5.0) for n in range(1, 15)), {**guard, "step": 5}, {**guard, "step": 13}]
    progress(run, *lines)
    assert len(history.curves(run)) == 14 and [alarm["step"] for alarm in history.alarms(run)] == [5, 13]
    progress(run, *lines, {"event": "begin", "step": 10, "total": 40}, step(11, 3.0), step(12, 2.0), step(12, 1.0))
    assert [(line["step"], line["loss"]) for line in history.curves(run)[-4:]] == [(9, 5.0), (10, 5.0), (11, 3.0), (12, 1.0)]
    assert history.alarms(run) == [{"step": 5, "kind": "repetition", "text": "again and again"}]


def test_probes_are_whole_and_the_samples_of_older_runs_are_probes_with_one_answer(paths: Paths) -> None:
    run = make(paths)
    answers = [{"question": "q1", "text": "t1"}, {"question": "q2", "text": "t2"}]
    shift = {"economic": -0.5, "social": 0.25}
    full = {"event": "probe", "step": 12, "answers": answers, "shift": shift, "perplexity": 20.5, "repetition": 0, "elapsed": 9.0}
    progress(run, {"event": "sample", "step": 0, "text": "before", "elapsed": 1.0}, full)
    old, new = history.probes(run)
    assert old["answers"] == [{"question": JOB["sample_question"], "text": "before"}] and old["step"] == 0
    assert old["shift"] is None and old["perplexity"] is None and old["elapsed"] == 1.0
    assert new["answers"] == answers and new["shift"] == shift and (new["perplexity"], new["repetition"]) == (20.5, 0)
    assert new["chosen"] is None and "event" not in new and set(old) == set(new)


def test_a_later_probe_of_the_same_step_counts(paths: Paths) -> None:
    run = make(paths)
    progress(run, *({"event": "sample", "step": 60, "text": text} for text in ("first", "second")))
    assert [probe["answers"][0]["text"] for probe in history.probes(run)] == ["second"]


@pytest.mark.parametrize("answers", [None, 5, "text", [5, None], {"question": "q"}])
@pytest.mark.parametrize("shift", [5, [], {"economic": "x", "social": 1}, {"economic": 1}])
def test_a_damaged_probe_shows_less(paths: Paths, answers: Any, shift: Any) -> None:
    run = make(paths)
    progress(run, {"event": "probe", "step": 1, "answers": answers, "shift": shift, "perplexity": "high", "repetition": True})
    (probe,) = history.probes(run)
    assert probe["answers"] == [] and probe["shift"] is None and probe["perplexity"] is None and probe["repetition"] is None


def test_lines_that_are_no_events_are_left_out(paths: Paths) -> None:
    run = make(paths)
    assert history.curves(run) == history.probes(run) == history.alarms(run) == []
    odd = [
        5,
        [1],
        "text",
        {"event": "step"},
        {"event": "step", "step": "1"},
        {"event": "step", "step": True},
        {"event": "step", "step": -1},
    ]
    progress(run, *odd, {"event": ["step"], "step": 1}, {"event": "begin", "step": None}, step(2, 1.5, note="x", grad_norm=None))
    assert history.curves(run) == [{"event": "step", "step": 2, "loss": 1.5}]


def test_the_bundled_runs_can_be_looked_into() -> None:
    left, placebo = Run(bundled.ADAPTERS / "left"), Run(bundled.ADAPTERS / "placebo")
    steps = left.metrics["steps"]
    assert [line["step"] for line in history.curves(left)] == list(range(1, steps + 1))
    assert history.probes(left)[0]["step"] == 0 and all(probe["answers"][0]["text"] for probe in history.probes(left))
    assert history.checkpoint(left, left.metrics.get("kept_step", steps)).folder == left.adapter
    assert "side" in {one.name for one in history.differences(left, placebo)} and placebo.readable
