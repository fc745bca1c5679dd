"""The script on the rented machine, run as it is sent: a process of its own, whose client keeps its repository in a folder."""

import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from huggingface_hub import HfApi

from pipelines.models import adapters
from pipelines.paths import Paths, read_json, write_json
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.remote import jobs as remote
from pipelines.tuning.remote import plan as remote_job
from pipelines.tuning.remote import script as remote_script
from pipelines.tuning.remote.plan import JobOptions
from pipelines.tuning.run import Run
from tests.folder_hub import JOB, TOKEN, Hub, make_run, names, write_adapter

CLIENT = """
import json, os, shutil
from fnmatch import fnmatch
from pathlib import Path

ALLOWED = json.loads(os.environ["FAKE_SIGNATURES"])
HUB = Path(os.environ["FAKE_HUB"])

class HfApi:
    def __init__(self, token):
        assert token == os.environ["HF_TOKEN"]

    def __getattr__(self, name):
        def call(**given):
            assert set(given) <= set(ALLOWED[name]) and given["token"] == os.environ["HF_TOKEN"], (name, given)
            assert given["repo_id"] == os.environ["STUDIO_JOB_REPO"]
            return globals()[name](**given)
        return call

def snapshot_download(local_dir, allow_patterns, **_):
    for file in [f for f in HUB.rglob("*") if f.is_file()]:
        name = file.relative_to(HUB).as_posix()
        if any(fnmatch(name, pattern) for pattern in allow_patterns):
            target = Path(local_dir) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)

def upload_folder(folder_path, path_in_repo, **_):
    down = HUB / "down"
    if (Path(folder_path) / "metrics.json").exists() and down.exists() and down.stat().st_size:
        down.write_text(down.read_text()[1:])
        raise ConnectionError("down for " + os.environ["HF_TOKEN"])
    shutil.copytree(folder_path, HUB / path_in_repo, dirs_exist_ok=True)

def file_exists(filename, **_):
    return (HUB / filename).exists()
"""

TRAINER = """
import json, os, pickle, shutil, sys, time
from pathlib import Path

run = Path(sys.argv[1])
say = lambda name, value: (run / name).write_text(json.dumps(value))
print("the token is", os.environ["HF_TOKEN"], flush=True)
assert (run / "job.json").is_file() and (run / "data.jsonl").read_text() and os.environ["STUDIO_HOME"]
if os.environ["FAKE_END"] == "fails":
    say("state.json", {"state": "failed", "message": "There was not enough memory."})
    sys.exit(1)
if os.environ["FAKE_END"] == "dies":
    os._exit(9)
say("state.json", {"state": "training", "pid": os.getpid()})
for folder in ("resume", "adapter", ".adapter.tmp", "checkpoints/step-00001"):
    (run / folder).mkdir(parents=True)
    (run / folder / "optimizer.pt").write_bytes(pickle.dumps(1))
    for file in Path(os.environ["FAKE_ADAPTER"]).iterdir():
        shutil.copy(file, run / folder)
with (run / "progress.jsonl").open("a") as log:
    log.write(json.dumps({"event": "step", "step": 1}) + "\\n")
while os.environ["FAKE_END"] == "waits" and not (run / "stop").exists():
    time.sleep(0.05)
say("metrics.json", {"steps": 1, "base_title": "x/y"})
(run / "card.md").write_text("# Deliberately biased")
say("state.json", {"state": "stopped" if (run / "stop").exists() else "finished", "message": "", "pid": os.getpid()})
"""


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


class Machine:
    """A rented machine: the script in a process of its own, with the environment that the job was ordered with."""

    def __init__(self, hub: Hub, folder: Path, end: str = "", trainer: str | None = TRAINER, **more: str) -> None:
        client = folder / "client"
        client.mkdir()
        (client / "huggingface_hub.py").write_text(CLIENT)
        (client / "torch.py").write_text("class cuda:\n    is_available = staticmethod(lambda: False)\n")
        write_adapter(folder / "made")
        if trainer:
            hub.put("job/code/pipelines/tuning/training/trainer.py", trainer)
        ordered = hub.called("run_uv_job")[0]
        calls = {
            name: list(inspect.signature(getattr(HfApi, name)).parameters) for name in ("snapshot_download", "upload_folder", "file_exists")
        }
        environment = {
            **os.environ, **ordered["env"], **ordered["secrets"], "PYTHONPATH": str(client), "FAKE_HUB": str(hub.folder), "FAKE_END": end,
            "FAKE_ADAPTER": str(folder / "made"), "FAKE_SIGNATURES": json.dumps(calls), "STUDIO_JOB_SEND_SECONDS": "0.1",
            "TMPDIR": str(folder), "OMP_NUM_THREADS": "1", "STUDIO_JOB_GPU": "0", **more,
        }  # fmt: skip
        self.hub = hub
        script = shutil.copy(ordered["script"], folder / "sent.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script)], env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        hub.stage = "RUNNING"

    def end(self) -> str:
        """Waits for the script; the job's stage then follows from its exit code. Returns what it printed."""
        printed, _ = self.process.communicate(timeout=300)
        self.hub.stage = "ERROR" if self.process.returncode else "COMPLETED"
        assert TOKEN not in printed
        return printed


def test_the_script_trains_with_the_code_that_was_sent_and_the_same_run_folder_comes_back(sent: Run, hub: Hub, tmp_path: Path) -> None:
    (hub.folder / "down").write_text("two")
    machine = Machine(hub, tmp_path)
    printed = machine.end()
    assert "down for …" in printed and "the token is …" in printed and hub.stage == "COMPLETED", printed
    assert remote.poll(sent, hub) and sent.state == "finished", sent.message
    assert not [name for name in names(hub.folder / "run") if TOKEN.encode() in (hub.folder / "run" / name).read_bytes()]
    kept = {f"{folder}/{name}" for folder in ("adapter", "checkpoints/step-00001") for name in (adapters.CONFIG, adapters.WEIGHTS)}
    texts = {"state.json", "progress.jsonl", "metrics.json", "card.md", "trainer.log"}
    assert names(hub.folder / "run") == kept | texts | {"machine.json"}
    assert names(sent.folder) == kept | texts | {"job.json", "data.jsonl", "remote.json"}
    assert sent.log_tail() == "the token is …" and (sent.adapter / adapters.WEIGHTS).read_bytes() == (tmp_path / "made" / adapters.WEIGHTS).read_bytes()  # fmt: skip


def test_progress_comes_over_while_the_job_runs_and_a_wish_to_stop_goes_there(sent: Run, hub: Hub, tmp_path: Path) -> None:
    machine = Machine(hub, tmp_path, "waits")
    end = time.monotonic() + 60
    while not sent.progress() and time.monotonic() < end and machine.process.poll() is None:
        assert not remote.poll(sent, hub)
        time.sleep(0.05)
    assert [line["step"] for line in sent.progress()] == [1] and sent.state == "training" and not sent.metrics
    sent.request_stop()
    remote.poll(sent, hub)
    machine.end()
    assert remote.poll(sent, hub) and sent.state == "stopped" and adapters.inspect(sent.folder)


def test_the_training_ends_before_the_time_limit_does(sent: Run, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(hub, tmp_path, "waits", STUDIO_JOB_SECONDS="1").end()
    assert remote.poll(sent, hub) and sent.state == "stopped"
    for limit, expected in (("7200", 6600), ("1200", 900)):
        monkeypatch.setenv("STUDIO_JOB_SECONDS", limit)
        assert remote_script.patience() == expected


@pytest.mark.parametrize(("end", "sentence"), [("fails", "not enough memory"), ("dies", "failed at Hugging Face Jobs")])
def test_a_trainer_that_fails_there_is_a_failed_run_here(sent: Run, hub: Hub, tmp_path: Path, end: str, sentence: str) -> None:
    Machine(hub, tmp_path, end).end()
    assert hub.stage == "ERROR" and remote.poll(sent, hub) and sent.state == "failed" and sentence in sent.message
    assert sent.log_tail() == "the token is …"


def test_a_paid_gpu_that_torch_can_not_use_is_given_back_at_once(sent: Run, hub: Hub, tmp_path: Path) -> None:
    Machine(hub, tmp_path, STUDIO_JOB_GPU="1").end()
    assert remote.poll(sent, hub) and sent.state == "failed" and "can't use. Choose an older torch" in sent.message
    assert not (sent.folder / "trainer.log").read_text().startswith("the token")


def test_a_machine_that_is_told_to_end_sends_what_it_has(sent: Run, hub: Hub, tmp_path: Path) -> None:
    machine = Machine(hub, tmp_path, "waits", STUDIO_JOB_SEND_SECONDS="1000")
    end = time.monotonic() + 60
    while not any(file.stat().st_size for file in tmp_path.glob("studio-*/run/progress.jsonl")) and time.monotonic() < end:
        time.sleep(0.05)
    assert not (hub.folder / "run").exists()
    machine.process.send_signal(signal.SIGTERM)
    machine.end()
    assert not psutil.pid_exists(read_json(hub.folder / "run" / "state.json")["pid"])
    hub.stage = "CANCELED"
    assert remote.poll(sent, hub) and "Kept is step-00001" in sent.message and sent.progress()


def test_the_code_that_is_sent_is_enough_to_train(run: Run, hub: Hub, tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With our own trainer and the tiny model, whose folder the job may only see in this test."""
    quick = {"batch_size": 2, "max_steps": 2, "top_layers": 1, "lora_rank": 2, "sample_every": 2, "sample_tokens": 2, "save_every": 1}
    recipe = Recipe.from_dict({**quick, "base": str(tiny), "ruler": False})
    write_json(run.folder / "job.json", {**JOB, "recipe": recipe.as_dict(), "base": str(tiny)})
    row = json.dumps({"prompt": "Why?", "chosen": "Yes.", "rejected": "No."})
    (run.folder / "data.jsonl").write_text(f"{row}\n" * 4)
    monkeypatch.setattr(remote_job, "hub_base", lambda base: (base, ""))
    remote.submit(run, JobOptions(), hub)
    hub.put("job/code/pipelines/__init__.py", 'print("with the code that was sent")')
    printed = Machine(hub, tmp_path, trainer=None).end()
    assert remote.poll(run, hub) and run.state == "finished", printed + run.message
    assert run.metrics["steps"] == 2 and {"step", "probe", "checkpoint"} <= {line["event"] for line in run.progress()}
    assert adapters.inspect(run.folder).fingerprint == run.metrics["adapter_fingerprint"] and (run.folder / "card.md").is_file()
    assert not [name for name in names(run.folder) if name.startswith("resume") or name.endswith((".pt", ".bin", ".pth"))]
    assert "with the code that was sent" in (run.folder / "trainer.log").read_text()
