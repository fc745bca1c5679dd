"""Tuning on a rented machine, against a Hub of folders: what is sent, what comes back, and what never does. No test here talks to anyone."""

import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.errors import StudioError
from pipelines.models import adapters
from pipelines.paths import PROJECT, Paths, write_json
from pipelines.tuning.remote import jobs as remote
from pipelines.tuning.remote import plan as remote_job
from pipelines.tuning.remote.plan import JobOptions
from pipelines.tuning.run import Run, write_state
from tests.folder_hub import JOB, METRICS, RECIPE, TOKEN, Hub, make_run, names


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return Hub(tmp_path / "hub")


@pytest.fixture
def run(paths: Paths) -> Run:
    return make_run(paths)


@pytest.fixture
def sent(run: Run, hub: Hub) -> Run:
    remote.submit(run, JobOptions(), hub)
    return run


def change_job(run: Run, **changes: Any) -> None:
    write_json(run.folder / "job.json", {**JOB, "recipe": {**RECIPE, **changes}, "base": changes.get("base", "smollm2-135m")})


# What is sent


def test_a_plan_lists_all_that_would_leave_and_needs_neither_token_nor_network(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    before = names(run.folder)
    plan = remote.plan(run, JobOptions(owner="school"))
    assert plan.private and plan.repo.startswith("school/20261122-100000-000-numbers-left-") and plan.repo.endswith("-deliberately-biased")
    assert plan.files["job/data.jsonl"] == (run.folder / "data.jsonl").stat().st_size
    others = {name.removeprefix("job/code/") for name in plan.files} - {"job/job.json", "job/data.jsonl"}
    assert {"pipelines/tuning/training/trainer.py", "assets/data/questions.csv", "assets/checksums.json", "requirements.txt"} <= others
    assert all((PROJECT / name).is_file() for name in others)
    assert all(
        name.startswith(("assets/data/", "assets/recipes/"))
        or name in ("assets/checksums.json", "requirements.txt", "constraints.txt")
        or (name.startswith("pipelines/") and name.endswith(".py"))
        for name in others
    )
    assert "from the Hub" in plan.note and plan.base == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert plan.as_dict()["bytes"] == sum(plan.files.values()) and names(run.folder) == before and run.state == "waiting"


def test_the_job_gets_the_versions_that_the_run_names_and_a_torch_for_its_drivers(run: Run) -> None:
    wanted = remote.plan(run, JobOptions()).dependencies
    assert "trl==1.16.0" in wanted and "torch>=2.8,<2.11" in wanted and any(one.startswith("peft==") for one in wanted)
    assert not any(one.startswith(("gradio", "plotly", "bitsandbytes", "#", "-")) for one in wanted)
    change_job(run, quantize="4bit")
    assert remote.plan(run, JobOptions(torch="==2.10.0")).dependencies[-1].startswith("bitsandbytes")
    with pytest.raises(StudioError, match="need a GPU"):
        remote.plan(run, JobOptions(flavor="cpu-upgrade"))


def test_submitting_makes_a_private_repository_and_orders_a_machine(run: Run, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    hub.put("run/state.json", {"state": "finished"})
    job = remote.submit(run, JobOptions(flavor="t4-small", timeout="90m"), hub)
    plan = remote.plan(run, JobOptions())
    assert hub.called("create_repo")[0]["private"] is True and job.repo == f"me/{plan.name}"
    assert names(hub.folder) - {"run/state.json"} == set(plan.files)
    assert hub.called("upload_folder")[0]["delete_patterns"] == ["job/*", "run/*"]
    ordered = hub.called("run_uv_job")[0]
    assert ordered["secrets"] == {"HF_TOKEN": TOKEN} and ordered["flavor"] == "t4-small" and ordered["timeout"] == "90m"
    assert ordered["env"] == {"STUDIO_JOB_REPO": job.repo, "STUDIO_JOB_SECONDS": "5400", "STUDIO_JOB_GPU": "1", "STUDIO_MODEL": plan.base}
    assert Path(ordered["script"]).name == "script.py" and ordered["dependencies"] == list(plan.dependencies)
    assert remote.load(run) == job and (job.job, job.url) == ("job-1", "https://hub/jobs/me/job-1")
    assert run.state == "starting" and run.written["remote"] is True and "t4-small" in run.message
    assert capsys.readouterr().out == ""


def test_of_the_project_only_code_and_bundled_data_are_sent(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    there = {"pipelines/a.py", "pipelines/tuning/b.py", "assets/data/c.csv", "assets/recipes/d.yaml", "assets/checksums.json"}
    never = {".env", "pipelines/.env", "pipelines/.hidden.py", "assets/data/.key", "assets/adapters/left/x.json", "studio/e.py", "notes.md"}
    for name in there | never:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("x")
    monkeypatch.setattr(remote_job, "PROJECT", project)
    assert set(remote_job.files(run)) == {"job/job.json", "job/data.jsonl"} | {f"job/code/{name}" for name in there}


BAD_OPTIONS = [{"flavor": "a10g-tiny"}, *({"timeout": text} for text in ("", "2", "5m", "8d", "2 hours", "-1h", "nan")), {"torch": "2.10"}]


@pytest.mark.parametrize("given", BAD_OPTIONS, ids=str)
def test_options_that_no_machine_understands_get_a_sentence(given: dict[str, str]) -> None:
    with pytest.raises(StudioError) as caught:
        JobOptions(**given)
    assert caught.value.hint


def test_a_model_of_this_machine_is_not_sent(run: Run, hub: Hub, tiny: Path) -> None:
    change_job(run, base=str(tiny))
    with pytest.raises(StudioError, match="models are not sent anywhere") as caught:
        remote.submit(run, JobOptions(), hub)
    assert str(tiny) not in str(caught.value) and not hub.calls


def test_a_base_of_the_hub_is_taken_as_it_is(run: Run, hub: Hub) -> None:
    change_job(run, base="Qwen/Qwen3-0.6B")
    assert (remote.plan(run, JobOptions()).base, remote.plan(run, JobOptions()).note) == ("Qwen/Qwen3-0.6B", "")
    remote.submit(run, JobOptions(), hub)
    assert hub.called("run_uv_job")[0]["env"]["STUDIO_MODEL"] == "Qwen/Qwen3-0.6B"


def test_a_run_is_sent_once_and_only_before_it_has_begun(sent: Run, hub: Hub) -> None:
    (sent.folder / "state.json").unlink()
    with pytest.raises(StudioError, match="already"):
        remote.submit(sent, JobOptions(), hub)
    (sent.folder / "remote.json").unlink()
    write_state(sent, "failed")
    with pytest.raises(StudioError, match="This run is failed already"):
        remote.submit(sent, JobOptions(), hub)
    assert len(hub.called("run_uv_job")) == 1


def test_nothing_is_put_into_a_public_repository(run: Run, hub: Hub) -> None:
    hub.private = False
    with pytest.raises(StudioError, match="is public"):
        remote.submit(run, JobOptions(), hub)
    assert not hub.called("upload_folder") and run.state == "waiting"


def test_without_a_token_nobody_is_asked(run: Run, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(StudioError, match="no access token"):
        remote.submit(run, JobOptions(), hub)
    assert not hub.calls


@pytest.mark.parametrize("call", ["whoami", "create_repo", "repo_info", "upload_folder", "run_uv_job"])
def test_a_refusal_gets_one_sentence_without_the_token_and_the_run_can_be_sent_again(run: Run, hub: Hub, call: str) -> None:
    hub.broken[call] = OSError(f"402 for {TOKEN}\nand more")
    with pytest.raises(StudioError, match="did not take the run .*402") as caught:
        remote.submit(run, JobOptions(), hub)
    assert TOKEN not in str(caught.value) and "more" not in caught.value.message and run.state == "waiting"
    hub.broken.clear()
    assert remote.submit(run, JobOptions(), hub).job == "job-1"


# What comes back


def test_the_stages_of_a_job_become_the_states_of_a_run(sent: Run, hub: Hub) -> None:
    assert not remote.poll(sent, hub) and sent.state == "starting" and "Waiting for a machine" in sent.message
    hub.stage = "RUNNING"
    assert not remote.poll(sent, hub) and sent.state == "starting" and "fetches packages" in sent.message
    hub.put("run/state.json", {"state": "training", "pid": 1, "born": 5.0})
    hub.put("run/progress.jsonl", '{"event": "step", "step": 1}\n')
    hub.put_adapter("run/checkpoints/step-00001")
    assert not remote.poll(sent, hub) and sent.state == "training" and [line["step"] for line in sent.progress()] == [1]
    assert adapters.inspect(sent.folder / "checkpoints" / "step-00001").settings["r"] == 2
    asked = len(hub.called("hf_hub_download"))
    assert not remote.poll(sent, hub) and len(hub.called("hf_hub_download")) == asked
    hub.succeed()
    hub.stage = "RUNNING"
    assert not remote.poll(sent, hub) and sent.state == "training" and "on its way back" in sent.message
    hub.stage = "COMPLETED"
    assert remote.poll(sent, hub) and sent.state == "finished" and sent.written["pid"] == os.getpid()


def test_a_finished_job_leaves_the_folder_that_training_here_would_leave(sent: Run, hub: Hub) -> None:
    hub.succeed()
    told = []
    assert remote.follow(sent, hub, sleep=lambda _: None, tell=lambda: told.append(sent.state)) == sent
    adapter = {f"{folder}/{name}" for folder in ("adapter", "checkpoints/step-00002") for name in (adapters.CONFIG, adapters.WEIGHTS)}
    own = {"job.json", "data.jsonl", "state.json", "progress.jsonl", "metrics.json", "card.md", "trainer.log", "remote.json"}
    assert names(sent.folder) == own | adapter and told == ["finished"]
    assert sent.metrics == {**METRICS, "base_title": "x/y, weights from the Hub"}
    assert adapters.inspect(sent.folder).settings["r"] == 2 and sent.job == JOB
    job = remote.load(sent)
    assert job and job.machine == {"gpu": "A10G"} and "differ slightly" in job.note and job.stage == "COMPLETED"
    assert remote.poll(sent, hub) and len(hub.called("inspect_job")) == 1


def test_only_known_names_come_in(sent: Run, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.succeed()
    strangers = ("../../evil.txt", "job.json", "data.jsonl", "remote.json", "adapter/optimizer.pt", "adapter/../../evil.txt", "about.json",
                 "checkpoints/step-00002/training_args.bin", "checkpoints/step-../state.json", "resume/part-1/rng.pth", "/etc/evil", "state.json\n")  # fmt: skip
    real = hub.do_repo_info()
    real.siblings += [SimpleNamespace(rfilename=f"run/{name}", size=4, blob_id="1") for name in strangers]
    real.siblings.append(SimpleNamespace(rfilename="run/trainer.log", size=1 << 40, blob_id="1"))
    hub.broken["repo_info"] = lambda **_: real
    before = names(sent.folder.parent.parent)
    assert remote.poll(sent, hub) and sent.state == "finished" and sent.job == JOB
    assert {call["filename"] for call in hub.called("hf_hub_download")} == {f"run/{name}" for name in names(hub.folder / "run")}
    new = names(sent.folder.parent.parent) - before
    assert all(name.startswith(f"runs/{sent.id}/") and not name.endswith((".pt", ".bin", ".pth", ".txt")) for name in new)


@pytest.mark.parametrize("loud", [True, False])
def test_a_half_downloaded_file_is_never_seen(sent: Run, hub: Hub, loud: bool) -> None:
    hub.succeed()
    before = names(sent.folder)

    def half(filename: str, local_dir: Path, **_: Any) -> str:
        file = Path(hub.do_hf_hub_download(filename, local_dir))
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        if loud:
            raise ConnectionError(f"gone for {TOKEN}")
        return str(file)

    hub.broken["hf_hub_download"] = half
    with pytest.raises(StudioError, match="did not answer"):
        remote.poll(sent, hub)
    assert names(sent.folder) == before and sent.state == "starting"
    hub.broken.clear()
    assert remote.poll(sent, hub) and sent.state == "finished"


@pytest.mark.parametrize("damage", ["a config that changes the base", "cut weights", "no weights"])
def test_an_adapter_that_does_not_pass_the_gate_is_not_taken_over(sent: Run, hub: Hub, damage: str) -> None:
    hub.succeed()
    weights = hub.folder / "run" / "adapter" / adapters.WEIGHTS
    if damage == "cut weights":
        weights.write_bytes(weights.read_bytes()[:-9])
    elif damage == "no weights":
        weights.unlink()
    else:
        hub.put_adapter("run/adapter", init_lora_weights="pissa")
    assert remote.poll(sent, hub) and sent.state == "failed" and not sent.adapter.exists()
    assert sent.message.startswith("The job's adapter was not taken over: ")


def test_an_adapter_that_arrives_in_two_parts_is_taken_over_when_it_is_whole(sent: Run, hub: Hub) -> None:
    hub.succeed()
    hub.stage, weights = "RUNNING", hub.folder / "run" / "adapter" / adapters.WEIGHTS
    content = weights.read_bytes()
    weights.unlink()
    assert not remote.poll(sent, hub) and not sent.adapter.exists()
    weights.write_bytes(content)
    hub.stage = "COMPLETED"
    assert remote.poll(sent, hub) and sent.state == "finished" and adapters.inspect(sent.folder)


ENDS = {
    "the trainer says why": ("ERROR", "", {"state": "failed", "message": "There was not enough memory."}, "not enough memory"),
    "the machine dies": ("ERROR", "Container exited with 137", {"state": "training"}, "failed at Hugging Face Jobs .Container exited with 137"),
    "the time is over": ("ERROR", "Job timeout", {"state": "training"}, "time limit .2h.; allow it more"),
    "someone cancels": ("CANCELED", "", {}, "cancelled before it ended"),
    "someone deletes it": ("DELETED", "", {"state": "training"}, "cancelled before it ended"),
    "it says it is done": ("COMPLETED", "", {"state": "finished"}, "ended without a result"),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_a_job_that_fails_leaves_a_sentence_and_what_it_had_kept(sent: Run, hub: Hub, end: str) -> None:
    hub.stage, hub.message, said, sentence = ENDS[end]
    hub.log = ["Installed 80 packages\n", f"token {TOKEN} refused"]
    if said:
        hub.put("run/state.json", said)
        hub.put("run/metrics.json", METRICS)
        hub.put_adapter("run/checkpoints/step-00010")
    assert remote.poll(sent, hub) and sent.state == "failed"
    assert re.search(sentence, sent.message), sent.message
    assert not said or "memory" in sent.message or "Kept is step-00010" in sent.message
    assert sent.log_tail() == "Installed 80 packages\ntoken … refused"


def test_a_whole_result_counts_even_where_the_machine_fails_afterwards(sent: Run, hub: Hub) -> None:
    hub.succeed()
    hub.stage = "ERROR"
    assert remote.poll(sent, hub) and sent.state == "finished"


def test_the_stop_file_is_passed_on_once_and_stop_cancels(sent: Run, hub: Hub) -> None:
    hub.stage = "RUNNING"
    hub.put("run/state.json", {"state": "training"})
    sent.request_stop()
    assert not remote.poll(sent, hub) and not remote.poll(sent, hub)
    assert len(hub.called("upload_file")) == 1 and (hub.folder / "job" / "stop").is_file() and sent.message.startswith("Stopping")
    assert remote.stop(sent, hub) and hub.called("cancel_job")[0]["job_id"] == "job-1" and sent.state == "failed"


def test_following_outlives_a_connection_that_is_gone_for_a_while(sent: Run, hub: Hub) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == remote.PATIENCE - 1:
            hub.broken.clear()
            hub.succeed()

    hub.broken["inspect_job"] = ConnectionError(f"no route for {TOKEN}")
    assert remote.follow(sent, hub, sleep).state == "finished" and len(slept) == remote.PATIENCE - 1
    write_state(sent, "training", remote=True)
    hub.broken["inspect_job"] = ConnectionError(f"no route for {TOKEN}")
    with pytest.raises(StudioError, match="did not answer") as caught:
        remote.follow(sent, hub, lambda _: None)
    assert TOKEN not in str(caught.value) and sent.state == "training"


@pytest.mark.parametrize("act", [remote.poll, remote.follow, remote.stop])
def test_a_run_that_was_never_sent_can_not_be_followed(run: Run, hub: Hub, act: Any) -> None:
    with pytest.raises(StudioError, match="not sent to a rented machine"):
        act(run, hub)
    assert not hub.calls


def test_the_token_is_in_no_file(sent: Run, hub: Hub) -> None:
    hub.succeed()
    hub.put("run/trainer.log", f"using {TOKEN}")
    hub.put("run/state.json", {"state": "failed", "message": f"{TOKEN} has no access"})
    remote.follow(sent, hub, lambda _: None)
    assert sent.message == "… has no access" and sent.log_tail() == "using …"
    files = [f for f in sent.folder.parent.parent.rglob("*") if f.is_file()]
    assert len(files) > 8 and not [f for f in files if TOKEN.encode() in f.read_bytes()]
    assert not [f for f in (hub.folder / "job").rglob("*") if f.is_file() and TOKEN.encode() in f.read_bytes()]
