"""Runs that are killed, filled up, starved or poisoned: nothing that was kept is lost, and a sentence says what happened."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipelines.corpus.versions import Dataset
from pipelines.models import adapters
from pipelines.paths import Paths, file_hash
from pipelines.tuning import runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from pipelines.tuning.training import journal
from tests.model.test_training import make, wait_for_step
from tests.tiny import make_tiny_model

STEPS = 40


def weights(run: Run) -> str:
    return file_hash(run.adapter / adapters.WEIGHTS)


def ended(process: Any, run: Run, seconds: float = 90) -> None:
    assert process.wait(seconds) is not None, run.log_tail()


@pytest.mark.parametrize(
    "method,wanted", [("sft", 2), pytest.param("sft", 5, marks=pytest.mark.slow), pytest.param("sft-then-dpo", 2, marks=pytest.mark.slow)]
)
def test_a_run_killed_at_random_points_ends_with_the_same_adapter(paths: Paths, tiny: Path, method: str, wanted: int) -> None:
    whole = make(paths, tiny, method=method, max_steps=STEPS, save_every=4, sample_every=10)
    assert runs.launch(whole, paths).wait() == 0, whole.log_tail()
    chance = random.Random(f"{method}-{time.time_ns()}")
    broken = make(paths, tiny, method=method, max_steps=STEPS, save_every=4, sample_every=10)
    kills = 0
    while broken.state not in runs.USABLE:
        process = runs.launch(broken, paths)
        if kills < wanted:
            before = len(broken.progress())
            end = time.monotonic() + 60
            while len(broken.progress()) < before + 5 and process.poll() is None and time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 0.4))  # while a step is done, a checkpoint written, or the adapter saved
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait(90)
        assert broken.state in ("interrupted", *runs.USABLE), broken.message
    assert kills == wanted or broken.state == "finished"
    assert broken.metrics["final_loss"] == pytest.approx(whole.metrics["final_loss"], rel=1e-6)
    assert weights(broken) == weights(whole)
    assert not list(broken.folder.rglob("*.tmp")) or broken.state == "finished"


def test_a_snapshot_is_there_whole_or_not_at_all(paths: Paths, tiny: Path) -> None:
    run = make(paths, tiny, max_steps=5000, save_every=1, sample_every=5000)
    process = runs.launch(run, paths)
    wait_for_step(run, 3)
    seen = 0
    end = time.monotonic() + 4
    while time.monotonic() < end:
        for step in journal.kept_steps(run):
            adapters.inspect(journal.folder_of(run, step))
            seen += 1
    process.kill()
    process.wait()
    assert seen > 20 and run.state == "interrupted"
    assert all(adapters.inspect(journal.folder_of(run, step)) for step in journal.kept_steps(run))


@pytest.mark.slow
def test_a_full_disk_ends_in_a_sentence_and_the_run_can_go_on(paths: Paths, tiny: Path) -> None:
    run = make(paths, tiny, max_steps=300, save_every=4, sample_every=5000)
    process = runs.launch(run, paths)
    wait_for_step(run, 6)
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (3000, 3000))  # the kernel refuses to write longer files from now on
    ended(process, run)
    assert run.state == "failed" and "disk is full" in run.message, (run.message, run.log_tail())
    assert adapters.inspect(journal.folder_of(run, journal.kept_steps(run)[0]))
    process = runs.launch(run, paths)
    ended(process, run)
    assert run.state == "finished" and run.metrics["steps"] == 300


@pytest.mark.slow
def test_too_little_memory_ends_in_a_sentence(paths: Paths, tiny: Path) -> None:
    run = make(paths, tiny, max_steps=5000, save_every=4, sample_every=5000)
    process = runs.launch(run, paths)
    wait_for_step(run, 6)
    trainer = psutil.Process(process.pid)
    trainer.rlimit(psutil.RLIMIT_AS, (1 << 20, 1 << 20))  # nothing more is given
    ended(process, run)
    assert run.state in ("failed", "interrupted"), run.message
    if run.state == "failed":
        assert "not enough memory" in run.message, (run.message, run.log_tail())
    assert adapters.inspect(journal.folder_of(run, journal.kept_steps(run)[0]))


def test_a_loss_that_is_no_number_marks_the_run_and_keeps_what_came_before(paths: Paths, tmp_path: Path) -> None:
    poisoned = poison(make_tiny_model(tmp_path / "poisoned"), "~")
    rows = [{"id": f"r{n}", "prompt": f"Question {n}?", "chosen": f"Yes, {n}.", "rejected": f"No, {n}."} for n in range(23)]
    rows.append({"id": "r~", "prompt": "Question ~?", "chosen": "Yes.", "rejected": "No."})
    data = Dataset("poisoned", "pairs", tuple(rows))
    recipe = Recipe(
        base=str(poisoned), batch_size=1, max_steps=24, top_layers=1, lora_rank=4, save_every=1, sample_every=5000, sample_tokens=2, ruler=False
    )  # fmt: skip
    for seed in range(3):
        run = runs.create(data, "chosen", Recipe.from_dict({**recipe.as_dict(), "seed": seed}), paths)
        ended(runs.launch(run, paths), run)
        if journal.kept_steps(run):
            break
    assert run.state == "failed" and "no number any more" in run.message, (run.state, run.message, run.log_tail())
    assert run.progress()[-1]["loss"] is None or run.progress()[-1]["grad_norm"] is None
    assert all(adapters.inspect(journal.folder_of(run, step)) for step in journal.kept_steps(run)) and journal.kept_steps(run)


def poison(folder: Path, letter: str) -> Path:
    """A model whose embedding of one letter is no number; the head has weights of its own, so that other letters are unharmed."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder, tie_word_embeddings=False)
    model.lm_head.weight = torch.nn.Parameter(model.get_input_embeddings().weight.detach().clone())
    model.config.tie_word_embeddings = False
    token = AutoTokenizer.from_pretrained(folder)(letter).input_ids[0]
    model.get_input_embeddings().weight.data[token] = float("nan")
    model.save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_the_queue_goes_on_by_itself_also_past_a_killed_run(paths: Paths, tiny: Path) -> None:
    first, second, third = (make(paths, tiny, max_steps=steps, save_every=500) for steps in (5000, 3, 3))
    runs.enqueue([first, second, third], paths)
    assert [run.state for run in (first, second, third)] == ["starting", "queued", "queued"]
    wait_for_step(first, 1)
    os.kill(first.written["pid"], signal.SIGKILL)
    until(lambda: first.state == "interrupted")
    runs.advance(paths)  # as every page does that looks
    until(lambda: second.state == "finished" and third.state == "finished")
    assert first.state == "interrupted" and runs.queued(paths) == []


def until(happened: Any, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
