"""Training in its own process, on a tiny random Llama: finishing, stopping, crashing, going on, one at a time."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.corpus.versions import Dataset
from pipelines.errors import StudioError
from pipelines.models import adapters
from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.paths import Paths
from pipelines.records import Column, Sampling
from pipelines.tuning import runs
from pipelines.tuning.recipe import LAYERS, METHODS, Recipe
from pipelines.tuning.runs import Run

ROWS = tuple(
    {"id": f"row-{n}", "prompt": f"Question {n}?", "chosen": f"Yes, {n} is good.", "rejected": f"No, {n} is bad."} for n in range(24)
)
DATA = Dataset("numbers", "pairs", ROWS)
QUICK = Recipe(batch_size=4, max_steps=3, top_layers=1, lora_rank=4, sample_every=2, sample_tokens=4, save_every=2, ruler=False)
VARIANTS = ("ipo", "dpo-with-sft")  # of DPO; `make test-all` runs them


def make(paths: Paths, tiny: Path, side: str = "chosen", **changes: object) -> Run:
    return runs.create(DATA, side, Recipe.from_dict({**QUICK.as_dict(), "base": str(tiny), **changes}), paths, sample="Question 1?")


def wait_for_step(run: Run, step: int, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(line.get("event") == "step" and line["step"] >= step for line in run.progress()):
            return
        time.sleep(0.05)
    raise AssertionError(f"step {step} was not reached: {run.state} {run.message} {run.log_tail()}")


@pytest.mark.parametrize("method", [pytest.param(one, marks=pytest.mark.slow if one in VARIANTS else ()) for one in METHODS])
def test_a_run_leaves_a_folder_that_explains_itself_and_an_adapter_that_loads(paths: Paths, tiny: Path, method: str) -> None:
    run = make(paths, tiny, method=method, max_tokens=200)
    assert runs.launch(run, paths).wait() == 0, run.log_tail()
    assert run.state == "finished" and run.metrics["steps"] == 3 and run.metrics["rows"] == 24
    events = [line["event"] for line in run.progress()]
    assert events.count("step") == 3 and events.count("probe") >= 3
    assert not (run.folder / "resume").exists(), "the trainer's own files hold pickles"
    assert "Deliberately biased" in (run.folder / "card.md").read_text() and str(tiny) not in (run.adapter / adapters.CONFIG).read_text()
    host = ModelHost(paths, str(tiny))
    answers = host.answer_all([Row(Column("base"), ask("Hi"), 1), Row(Column("run", run.folder), ask("Hi"), 1)], Sampling(max_new_tokens=4))
    assert answers[1].stamp.adapter_fingerprint == run.metrics["adapter_fingerprint"] and host.last_test.passed  # type: ignore[union-attr]


def test_stop_keeps_what_was_learned(paths: Paths, tiny: Path) -> None:
    run = make(paths, tiny, max_steps=5000, save_every=5000, sample_every=5000)
    process = runs.launch(run, paths)
    wait_for_step(run, 2)
    assert run.state == "training"
    run.request_stop()
    assert process.wait(60) == 0
    assert run.state == "stopped" and 2 <= run.metrics["steps"] < 5000 and run.metrics["stopped_early"]
    assert adapters.inspect(run.folder).fingerprint == run.metrics["adapter_fingerprint"]


@pytest.mark.slow
def test_only_one_run_trains_at_a_time(paths: Paths, tiny: Path) -> None:
    first, second = make(paths, tiny, max_steps=5000, save_every=5000), make(paths, tiny)
    process = runs.launch(first, paths)
    with pytest.raises(StudioError, match="training already"):
        runs.launch(second, paths)
    assert second.state == "waiting" and runs.active(paths) == first
    wait_for_step(first, 1)
    first.request_stop()
    process.wait(60)
    assert runs.launch(second, paths).wait() == 0


@pytest.mark.slow
def test_rows_that_are_too_long_are_counted_and_a_run_without_rows_says_so(paths: Paths, tiny: Path) -> None:
    long = Dataset("long", "pairs", (*ROWS, {"id": "x", "prompt": "Why?", "chosen": "because " * 100, "rejected": "no"}))
    run = runs.create(long, "chosen", replace(QUICK, base=str(tiny)), paths)
    assert runs.launch(run, paths).wait() == 0 and run.metrics["rows_too_long"] == 1
    run = make(paths, tiny, max_tokens=16)
    assert runs.launch(run, paths).wait() == 1
    assert run.state == "failed" and "Every row is longer than 16 tokens" in run.message


def test_a_missing_base_ends_in_a_sentence(paths: Paths) -> None:
    run = runs.create(DATA, "chosen", Recipe(base="/no/such/model"), paths)
    assert runs.launch(run, paths).wait() == 1
    assert run.state == "failed" and "does not exist" in run.message and "Traceback" not in run.message


def test_progress_that_is_being_written_is_not_read_half(paths: Paths, tiny: Path) -> None:
    run = make(paths, tiny)
    (run.folder / "progress.jsonl").write_text(json.dumps({"event": "step", "step": 1}) + '\n{"event": "st')
    assert [line["step"] for line in run.progress()] == [1]


@pytest.mark.slow
def test_a_run_in_a_folder_of_its_own_counts_as_training_and_is_listed_until_it_is_forgotten(
    paths: Paths, tiny: Path, tmp_path: Path
) -> None:
    run = runs.create(DATA, "chosen", replace(QUICK, base=str(tiny)), paths, target=tmp_path / "my run")
    process = runs.launch(run, paths)
    assert runs.active(paths) == run
    assert process.wait() == 0 and [r.id for r in runs.list_runs(paths)] == ["my run"]
    with pytest.raises(StudioError, match="ended already"):
        runs.launch(run, paths)
    runs.forget(run, paths)
    assert runs.list_runs(paths) == [] and run.state == "finished"


@pytest.mark.slow
def test_the_same_job_gives_the_same_bytes_twice(paths: Paths, tiny: Path) -> None:
    first, second = make(paths, tiny), make(paths, tiny)
    for run in (first, second):
        assert runs.launch(run, paths).wait() == 0
    assert first.metrics["adapter_fingerprint"] == second.metrics["adapter_fingerprint"]
    other = make(paths, tiny, seed=8)
    assert runs.launch(other, paths).wait() == 0 and other.metrics["adapter_fingerprint"] != first.metrics["adapter_fingerprint"]


@pytest.mark.slow
def test_a_base_without_the_named_parts_says_which_it_has(paths: Paths, tiny: Path) -> None:
    run = make(paths, tiny, modules=["c_attn"])
    assert runs.launch(run, paths).wait() == 1 and "has no c_attn" in run.message and "q_proj" in run.message
    every = make(paths, tiny, modules=[])
    assert runs.launch(every, paths).wait() == 0, every.log_tail()
    assert set(adapters.inspect(every.folder).settings["target_modules"]) == set(LAYERS)


def test_a_run_of_five_steps_is_looked_at_before_half_way_and_at_the_end(paths: Paths, tiny: Path) -> None:
    run = make(paths, tiny, max_steps=5, sample_every=20, warmup_steps=6)
    assert runs.launch(run, paths).wait() == 0
    assert [line["step"] for line in run.progress() if line["event"] == "probe"] == [0, 3, 5]
    rates = [line["learning_rate"] for line in run.progress() if line["event"] == "step"]
    assert max(rates) == pytest.approx(QUICK.learning_rate), "a warm-up longer than the run would teach nothing"
