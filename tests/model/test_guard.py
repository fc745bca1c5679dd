"""The collapse guard on the embedded model: it fires where training breaks it, and is silent where it does not."""

from pathlib import Path

import pytest

from pipelines import bundled
from pipelines.corpus import versions
from pipelines.models import adapters, prepare
from pipelines.paths import Paths
from pipelines.tuning import runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from pipelines.tuning.training import guard, journal


@pytest.fixture
def home(model_home: Paths, tmp_path: Path) -> Paths:
    made = Paths(tmp_path / "home")
    made.models.mkdir(parents=True)
    prepare.converted_folder(made).symlink_to(prepare.converted_folder(model_home))
    return made


@pytest.mark.slow
def test_a_learning_rate_twenty_times_too_high_is_caught_and_the_best_checkpoint_is_kept(home: Paths) -> None:
    usual = Recipe()
    recipe = Recipe(
        learning_rate=20 * usual.learning_rate, max_steps=16, sample_every=4, save_every=2, sample_tokens=6, guard="stop", ruler=False
    )  # fmt: skip
    run = runs.create(versions.load("bundled", home), "left", recipe, home)
    assert runs.launch(run, home).wait() == 0, run.log_tail()
    fired = [line for line in run.progress() if line["event"] == "guard"]
    assert fired and run.state == "stopped" and "collapse guard ended the run" in run.message
    assert run.metrics["steps"] < 16 and run.metrics["kept_step"] < run.metrics["steps"] and run.metrics["guard"] == fired
    kept = journal.folder_of(run, run.metrics["kept_step"])
    assert adapters.inspect(run.folder).fingerprint == adapters.inspect(kept).fingerprint


@pytest.mark.parametrize("side", bundled.BUNDLED_SIDES)
def test_it_is_silent_on_the_bundled_runs(side: str) -> None:
    run = Run(bundled.ADAPTERS / side)
    probes = [line for line in run.progress() if line["event"] == "probe"]
    assert run.job["recipe"]["guard"] == "warn" and len(probes) >= 4
    assert not [line for line in run.progress() if line["event"] == "guard"]
    assert all(guard.alarms(probes[0], probe) == {} for probe in probes)
