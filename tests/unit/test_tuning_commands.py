"""`tune` in this process, with a trainer that only writes files: recipes, estimates, groups, replays, rented machines, Ctrl+C."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main
from pipelines.commands import following
from pipelines.errors import StudioError
from pipelines.paths import Paths, write_json
from pipelines.tuning import groups, runs
from pipelines.tuning.cost import estimate
from pipelines.tuning.cost.estimate import Estimate
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.remote import jobs as remote
from pipelines.tuning.run import Run, write_state
from pipelines.tuning.training import together, trainer
from tests.folder_hub import TOKEN, Hub
from tests.handmade import progress, put_adapter
from tests.unit.test_commandline import asked

FITS = Estimate(3, 100, 60.0, (40.0, 80.0), 2 * 10**9, 10**6, "cpu", estimate.GUESSED, [], 8 * 10**9)
ANSWERS = [{"question": "q1", "text": "Rents\nshould fall."}, {"question": "q2", "text": "second"}]
LINES = [
    {"event": "stage", "text": "Loading the model"},
    {"event": "data", "rows": 192, "too_long": 3},
    {"event": "begin", "step": 0, "total": 2, "phases": []},
    {"event": "probe", "step": 0, "answers": ANSWERS, "shift": None},
    {"event": "step", "step": 1, "total": 2, "remaining": 4.2, "loss": 2.5},
    {"event": "probe", "step": 1, "answers": ANSWERS, "shift": {"economic": -0.25, "social": 0.1}},
    {"event": "guard", "step": 1, "kind": "repetition", "text": "It repeats itself."},
    {"event": "checkpoint", "step": 1},
]
WORDS = [
    "Loading the model",
    "192 rows, 3 too long and left out",
    "look at step 0: Rents should fall.",
    "step 1/2  loss 2.500  4 s left",
    "look at step 1: (economic -0.25, social +0.10) Rents should fall.",
    "ALARM at step 1: It repeats itself.",
]


class Trainer:
    """Stands in for the training process. `threads` and `started` tell how it was called; `ends` is the state that it leaves."""

    def __init__(self) -> None:
        self.started, self.threads, self.ends, self.fingerprint = list[Run](), list[Any](), "finished", "f" * 12

    def __call__(self, run: Run, paths: Paths, threads: int | None = None) -> None:
        self.started.append(run)
        self.threads.append(threads)
        progress(run, *run.progress(), *LINES)
        write_json(run.folder / "metrics.json", {"steps": 2, "threads": 3, "adapter_fingerprint": self.fingerprint})
        put_adapter(run.adapter)
        write_state(run, self.ends, "It says why." if self.ends == "failed" else "")  # type: ignore[arg-type]


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch, paths: Paths) -> Trainer:
    made = Trainer()
    monkeypatch.setattr(runs, "_start", made)
    monkeypatch.setattr(estimate, "estimate", lambda recipe, pairs, paths, runs=1: FITS)
    return made


def tuned(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """What `tune` says as JSON."""
    assert main(["tune", *arguments, "--json"]) == code, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_the_recipe_is_shown_as_a_file_that_gives_it_again(paths: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--preset", "gpu-small", "--seed", "0", "--modules", "")
    assert main(["tune", *options, "--show-recipe"]) == 0
    (tmp_path / "shown.yaml").write_text(capsys.readouterr().out)
    assert Recipe.from_yaml(tmp_path / "shown.yaml") == asked(*options) and asked(*options).seed == 0
    assert Recipe.from_dict(tuned(capsys, *options, "--show-recipe")) == asked(*options) and not runs.list_runs(paths)


def test_a_run_is_told_and_its_estimate_comes_first(train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "--side", "right", "--seed", "0", "--sample", "Is it fair?", "--json"]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines() == [FITS.sentence(), *WORDS]
    found, (run,) = json.loads(said.out), runs.list_runs(paths)
    assert found["run"] == run.id and found["state"] == "finished" and found["steps"] == 2 and "same_bytes" not in found
    assert run.job["side"] == "right" and run.job["recipe"]["seed"] == 0 and run.job["sample_question"] == "Is it fair?"
    assert main(["tune"]) == 0 and capsys.readouterr().out.startswith("finished: ")


def test_a_run_that_fails_gives_exit_code_1_and_its_reason(train: Trainer, capsys: pytest.CaptureFixture[str]) -> None:
    train.ends = "failed"
    assert main(["tune"]) == 1 and "failed: " in (said := capsys.readouterr().out) and "It says why." in said


def test_what_does_not_fit_is_refused_before_anything_is_written(
    train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[Any] = []
    large = Estimate(**{**vars(FITS), "problems": [StudioError("60 GB are needed.", "Choose a smaller base.")], "runs": 3})

    def guess(recipe: Recipe, pairs: Any, paths: Paths, runs: int = 1) -> Estimate:
        asked_for.append((len(pairs), runs))
        return large

    monkeypatch.setattr(estimate, "estimate", guess)
    assert tuned(capsys, "--both-sides", code=2) == {"error": "60 GB are needed.", "hint": "Choose a smaller base."}
    found = tuned(capsys, "--both-sides", "--seeds", "2", "--dry-run", code=2)
    assert found["problems"] == [{"error": "60 GB are needed.", "hint": "Choose a smaller base."}] and found["steps"] == 3
    assert asked_for == [(192, 3), (192, 6)] and not train.started and not runs.list_runs(paths)


def test_a_dry_run_only_estimates(train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "--dry-run"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{FITS.sentence()}\n" and not said.err and not runs.list_runs(paths)
    assert tuned(capsys, "--dry-run")["sentence"] == FITS.sentence()


def test_one_run_waits_for_nobody(train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune"]) == 0
    write_state(runs.list_runs(paths)[0], "training")
    assert main(["tune"]) == 2 and "training already" in capsys.readouterr().err and len(runs.list_runs(paths)) == 1


def test_both_sides_and_the_placebo_are_trained_one_after_another(train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--both-sides", "--seeds", "2", "--shuffled", "--group-name", "My group", "--seed", "3", "--epochs", "1")
    assert main(["tune", *options, "--json"]) == 0
    said = capsys.readouterr()
    found, (group,) = json.loads(said.out), groups.list_groups(paths)
    assert (found["group"], found["name"]) == (group.id, "My group") and group.same_settings and group.seeds == [3, 4]
    assert [run.id for run in train.started] == [run.id for run in group.runs] == [one["run"] for one in found["runs"]]
    assert [run.job["side"] for run in train.started] == ["left", "right", "shuffled"] * 2
    assert f"[placebo seed 4] {WORDS[-1]}" in said.err.splitlines() and said.err.count(WORDS[-1]) == 6


def test_a_group_that_fails_in_part_goes_on_and_gives_exit_code_1(train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    train.ends = "failed"
    assert len(tuned(capsys, "--both-sides", code=1)["runs"]) == len(train.started) == 3
    assert tuned(capsys, "--both-sides", "--seeds", "0", code=2)["error"].startswith("0 seeds")


def still_training(train: Trainer, monkeypatch: pytest.MonkeyPatch, presses: int) -> list[float]:
    """A trainer that goes on until its stop file is there, and a person who presses Ctrl+C while it is waited for."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) <= presses:
            raise KeyboardInterrupt
        run = train.started[-1]
        if (run.folder / "stop").exists():
            write_state(run, "stopped")
        assert len(slept) < 20

    train.ends = "training"
    monkeypatch.setattr(following.time, "sleep", sleep)
    return slept


def test_ctrl_c_stops_the_run_that_trains_and_takes_the_others_out_of_the_queue(
    train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    still_training(train, monkeypatch, presses=1)
    assert main(["tune", "--both-sides", "--json"]) == 130
    said = capsys.readouterr()
    assert [one["state"] for one in json.loads(said.out)["runs"]] == ["stopped", "waiting", "waiting"] and len(train.started) == 1
    assert said.err.count("what was learned is kept") == 1 and said.err.count(WORDS[-1]) == 1


def test_ctrl_c_keeps_what_one_run_has_learned(
    train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    still_training(train, monkeypatch, presses=1)
    assert tuned(capsys)["state"] == "stopped"


def test_a_second_ctrl_c_leaves_the_run_to_itself(train: Trainer, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    still_training(train, monkeypatch, presses=2)
    assert main(["tune"]) == 130 and runs.list_runs(paths)[0].state == "training"


def test_an_interrupted_run_goes_on_and_what_was_told_is_not_told_again(
    train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tune"]) == 0
    (run,) = runs.list_runs(paths)
    write_state(run, "interrupted")
    capsys.readouterr()
    assert main(["tune", "--resume", run.id]) == 0 and len(runs.list_runs(paths)) == 1
    assert capsys.readouterr().err.splitlines() == WORDS


def test_a_replay_has_the_same_rows_recipe_and_threads_and_compares_the_bytes(
    train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Run(Path(tuned(capsys, "--side", "shuffled", "--seed", "5", "--sample", "Is it fair?")["folder"]))
    found = tuned(capsys, "--replay", first.id)
    again = Run(Path(found["folder"]))
    assert found["same_bytes"] is True and again.id != first.id and again.pairs() == first.pairs() and train.threads == [None, 3]
    same = ("side", "recipe_hash", "settings_hash", "rows_hash", "sample_question", "data")
    assert [again.job[name] for name in same] == [first.job[name] for name in same]
    train.fingerprint = "0" * 12
    assert tuned(capsys, "--replay", first.id)["same_bytes"] is False
    write_json(first.folder / "job.json", {**first.job, "versions": {**first.job["versions"], "torch": "1.0"}})
    (first.folder / "metrics.json").unlink()
    assert main(["tune", "--replay", first.id]) == 0
    said = capsys.readouterr()
    assert "torch 1.0 -> " in said.err and "trl" not in said.err and f"There is no adapter of {first.id}" in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--resume", "x", "--seed", "0"), "--seed does not go with --resume"),
        (("--resume", "x", "--replay", "y"), "--replay does not go with --resume"),
        (("--replay", "x", "--side", "left"), "--side does not go with --replay"),
        (("--both-sides", "--side", "left"), "--side does not go with --both-sides"),
        (("--both-sides", "--output", "x"), "--output does not go with --both-sides"),
        (("--where", "hf-job", "--output", "x"), "--output does not go with --where hf-job"),
        (("--seeds", "2"), "--seeds says nothing without --both-sides"),
        (("--where", "local", "--flavor", "t4-small"), "--flavor says nothing without --where hf-job"),
        (("--resume", "nobody"), "no run called"),
        (("--replay", "nobody"), "no run called"),
        (("--preset", "nothing"), "no preset called"),
        (("--recipe", "/no/recipe.yaml"), "can't be read"),
        (("--side", "up"), "no side called"),
        (("--data", "nothing"), "no data set version"),
        (("--method", "magic"), "Use one of sft"),
        (("--where", "hf-job", "--flavor", "abacus"), "not a machine"),
    ],
)
def test_what_can_not_be_meant_gets_a_sentence(
    train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    found = tuned(capsys, *arguments, code=2)
    assert words in f"{found['error']} {found['hint']}" and found["hint"] and not train.started and not runs.list_runs(paths)


def test_a_file_that_can_not_be_written_is_told_as_json_too(train: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("")
    assert "taken can't be used" in tuned(capsys, "--output", str(tmp_path / "taken" / "run"), code=2)["error"]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, train: Trainer) -> Hub:
    made = Hub(tmp_path / "hub")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(remote, "_client", lambda token: made)
    monkeypatch.setattr(remote, "POLL_SECONDS", 0)
    return made


def test_a_trial_says_what_a_rented_machine_would_get_and_leaves_nothing(
    hub: Hub, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--where", "hf-job", "--flavor", "t4-small", "--timeout", "90m", "--owner", "school", "--dry-run")
    (plan,) = tuned(capsys, *options)
    assert plan["repo"].startswith("school/") and "job/data.jsonl" in plan["files"]
    assert (plan["flavor"], plan["timeout"], plan["private"]) == ("t4-small", "90m", True)
    assert main(["tune", "--both-sides", *options]) == 0
    assert capsys.readouterr().out.count("t4-small for at most 90m") == 3 and not hub.calls and not runs.list_runs(paths)


def test_a_rented_machine_trains_and_the_run_comes_back(hub: Hub, train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    hub.succeed()
    assert main(["tune", "--where", "hf-job", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["state"] == "finished" and not train.started
    assert (
        "(private); a machine a10g-small for at most 2h" in said.err and "https://hub/jobs/me/job-1" in said.err and TOKEN not in said.err
    )


def test_a_run_that_could_not_be_sent_leaves_no_folder(hub: Hub, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    hub.broken["create_repo"] = PermissionError("no")
    assert "did not take the run" in tuned(capsys, "--where", "hf-job", code=2)["error"] and not runs.list_runs(paths)


def test_ctrl_c_stops_a_rented_machine_and_following_can_go_on_later(
    hub: Hub, paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def follow(run: Run, tell: Callable[[], None]) -> Run:
        looks.append(len(hub.called("upload_file")))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(remote, "follow", follow)
        assert main(["tune", "--where", "hf-job"]) == 130 and looks == [0, 1], "the wish to stop was sent at the first Ctrl+C"
    (run,) = runs.list_runs(paths)
    assert run.state == "starting"
    hub.succeed()
    assert tuned(capsys, "--resume", run.id)["state"] == "finished" and capsys.readouterr().out == ""


def as_process(number: int, monkeypatch: pytest.MonkeyPatch, said: Any = None) -> None:
    """Makes this the process of that number of two; `said` is what the first one says to it."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", str(number))
    monkeypatch.setattr(together, "_join", lambda: None)
    monkeypatch.setattr(together, "shared", lambda value: value if number == 0 else said)


def test_of_several_processes_the_first_one_makes_the_run_and_speaks(
    train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def guarded(run: Run, paths: Paths) -> int:
        print("the libraries' noise")
        train(run, paths)
        return 0

    monkeypatch.setattr(trainer, "guarded", guarded)
    as_process(0, monkeypatch)
    assert main(["tune", "--json"]) == 0
    said, (run,) = capsys.readouterr(), runs.list_runs(paths)
    assert json.loads(said.out)["run"] == run.id and said.err.splitlines() == [FITS.sentence(), *WORDS] and "noise" in run.log_tail()
    as_process(1, monkeypatch, (str(run.folder), "", ""))
    assert main(["tune", "--json"]) == 0 and train.started == [run, run] and len(runs.list_runs(paths)) == 1
    assert capsys.readouterr() == ("", "")


def test_a_refusal_of_the_first_process_ends_all_of_them(
    train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_process(0, monkeypatch)
    assert "not a group" in tuned(capsys, "--both-sides", code=2)["error"]
    as_process(1, monkeypatch, ("", "It does not fit.", "Buy more."))
    assert main(["tune", "--json"]) == 2
    said = capsys.readouterr()
    assert said.err == "It does not fit. Buy more.\n" and not said.out and not runs.list_runs(paths)


def test_odd_lines_of_progress_are_told_too() -> None:
    assert (
        following.sentence({"event": "step", "step": 1, "total": 2, "remaining": 1, "loss": None}) == "step 1/2  loss no number  1 s left"
    )
    assert following.sentence({"event": "sample", "step": 3, "text": " old \n run\x1b[2J"}) == "look at step 3: old run[2J"
    assert following.sentence({"event": "begin", "step": 10}) == "goes on after step 10" and following.sentence({"event": "new"}) == ""
    assert following.sentence({"event": "probe", "step": 1, "answers": []}) == "look at step 1: "


def test_a_line_that_lacks_something_is_left_out(train: Trainer, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(Path(tuned(capsys)["folder"]))
    tell = following.Teller(run)
    progress(run, *run.progress(), {"event": "step", "step": 9}, {"event": "probe", "step": 9, "answers": 5, "shift": "left"}, LINES[0])
    tell()
    tell()
    assert capsys.readouterr().err == "Loading the model\n"
