"""One run trained by two processes: the README's command, on this machine's CPU (gloo)."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.corpus import versions
from pipelines.models import adapters
from pipelines.paths import PROJECT, Paths
from pipelines.tuning import runs
from pipelines.tuning.run import Run
from tests.model.test_training import DATA, QUICK

LAUNCH = ("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no")


def tune(paths: Paths, tiny: Path, *more: str) -> subprocess.CompletedProcess[str]:
    data = versions.save(DATA, paths).name
    recipe = paths.root / "recipe.yaml"
    recipe.write_text(replace(QUICK, base=str(tiny)).to_yaml(), encoding="utf-8")
    command = [sys.executable, "-m", *LAUNCH, "--dynamo_backend", "no", "--main_process_port", "0", "-m", "pipelines", "tune"]
    environment = {**os.environ, "STUDIO_HOME": str(paths.root), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, "--data", data, "--side", "chosen", "--recipe", str(recipe), "--json", *more],
        cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=180,
    )  # fmt: skip


@pytest.mark.slow
def test_two_processes_train_one_run_with_the_losses_of_one(paths: Paths, tiny: Path) -> None:
    done = tune(paths, tiny)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    run = Run(Path(told["folder"]))
    assert run.state == "finished" and told["processes"] == 2 and [r.id for r in runs.list_runs(paths)] == [run.id]
    assert adapters.inspect(run.folder).fingerprint == told["adapter_fingerprint"]
    alone = runs.create(DATA, "chosen", replace(QUICK, base=str(tiny)), paths)
    assert runs.launch(alone, paths).wait() == 0
    losses = [[line["loss"] for line in one.progress() if line["event"] == "step"] for one in (run, alone)]
    assert len(losses[0]) == 3 and losses[0] == pytest.approx(losses[1], rel=2e-3), "the same rows a step, shared out"


@pytest.mark.slow
def test_rows_that_can_not_be_shared_out_end_all_processes_with_a_sentence(paths: Paths, tiny: Path) -> None:
    done = tune(paths, tiny, "--batch-size", "3")
    assert done.returncode != 0 and "can't be shared out evenly among 2 processes" in done.stdout + done.stderr
    assert [run.state for run in runs.list_runs(paths)] in ([], ["failed"])
