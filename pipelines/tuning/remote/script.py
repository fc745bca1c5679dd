"""What runs on the rented machine: fetch job/, train with the same code, send run/ back. Sent as it is: it needs only the Hub's client.

STUDIO_JOB_REPO names the repository, HF_TOKEN (a secret of the job) opens it. The machine's disk is gone when the job
ends, so everything new is sent every few minutes, and the trainer is asked to end well before the time limit.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

SENT = re.compile(
    r"(state|metrics|machine)\.json|progress\.jsonl|card\.md|trainer\.log"
    r"|(adapter|checkpoints/step-\d{1,9})/(adapter_config\.json|adapter_model\.safetensors)"
)
WEIGHTS = ".safetensors"
PACKAGES = ("torch", "transformers", "peft", "trl", "bitsandbytes")
SEND_SECONDS = float(os.environ.get("STUDIO_JOB_SEND_SECONDS", "120"))
LOOK_SECONDS = min(10.0, SEND_SECONDS)
TRIES = 5
GPU = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else '')"


def main() -> int:
    """Does the whole job; the exit code is 0 where an adapter was made and sent."""
    from huggingface_hub import HfApi

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    token = os.environ["HF_TOKEN"]
    work = Path(tempfile.mkdtemp(prefix="studio-"))
    mailbox = Mailbox(HfApi(token=token), os.environ["STUDIO_JOB_REPO"], token, work)
    mailbox.fetch()
    code = 1
    try:
        problem = prepare(mailbox.run)
        code = fail(mailbox.run, problem) if problem else train(mailbox)
    finally:
        sent = mailbox.send_at_last()
        print(mailbox.log_tail(), flush=True)
    return code if sent else 1


def prepare(run: Path) -> str:
    """Notes what the machine is; returns a sentence where a paid GPU would stay idle, else ""."""
    wants_gpu = os.environ.get("STUDIO_JOB_GPU") == "1"
    found = subprocess.run([sys.executable, "-c", GPU], capture_output=True, text=True).stdout.strip() if wants_gpu else ""
    about = {"python": sys.version.split()[0], "gpu": found, **versions()}
    (run / "machine.json").write_text(json.dumps(about), encoding="utf-8")
    if wants_gpu and not found:
        return f"The machine has a GPU that torch {about.get('torch', '')} can't use. Choose an older torch for the job, or a CPU machine."
    return ""


def versions() -> dict[str, str]:
    """Installed versions of the packages that shape a run."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def fail(run: Path, problem: str) -> int:
    """Leaves the reason where the trainer would have left it."""
    (run / "state.json").write_text(json.dumps({"state": "failed", "message": problem}), encoding="utf-8")
    return 1


def train(mailbox: Mailbox) -> int:
    """Runs the trainer to its end and returns its exit code; sends what is new, and passes on the wish to stop."""
    code, run = mailbox.work / "job" / "code", mailbox.run
    environment = {
        **os.environ,
        "PYTHONPATH": str(code),
        "STUDIO_HOME": str(mailbox.work / "home"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    with (run / "trainer.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.tuning.training.trainer", str(run)],
            cwd=code,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    begun = sent = time.monotonic()
    try:
        while process.poll() is None:
            time.sleep(LOOK_SECONDS)
            if not (run / "stop").exists() and (time.monotonic() - begun > patience() or mailbox.asked_to_stop()):
                (run / "stop").touch()
            if time.monotonic() - sent >= SEND_SECONDS:
                mailbox.send()
                sent = time.monotonic()
    finally:
        process.kill()
        process.wait()
    return process.returncode


def patience() -> float:
    """Seconds of training after which it is time to save and send: ten minutes before the limit, or at three quarters of a short one."""
    limit = float(os.environ.get("STUDIO_JOB_SECONDS", "inf"))
    return max(limit - 600, limit * 0.75)


class Mailbox:
    """The repository as the machine sees it: job/ comes in, run/ goes out. `sent` remembers time and size of what went."""

    def __init__(self, api: Any, repo: str, token: str, work: Path) -> None:
        self.api, self.repo, self.token, self.work = api, repo, token, work
        self.run = work / "run"
        self.sent: dict[str, tuple[int, int]] = {}

    def fetch(self) -> None:
        """Brings job/ in and lays out the run folder."""
        self.api.snapshot_download(repo_id=self.repo, allow_patterns=["job/*"], local_dir=self.work, token=self.token)
        self.run.mkdir()
        for name in ("job.json", "data.jsonl"):
            shutil.copy(self.work / "job" / name, self.run / name)

    def asked_to_stop(self) -> bool:
        """Whether a person wants the training to end and to keep what was learned."""
        try:
            return self.api.file_exists(repo_id=self.repo, filename="job/stop", token=self.token)
        except Exception as error:  # a connection that is gone for a while must not end the training
            self._complain(error)
            return False

    def send(self) -> bool:
        """Sends what is new of the run folder, as it is in this moment; whether it arrived."""
        staged = Path(tempfile.mkdtemp(dir=self.work))
        try:
            stamps = {name: _stamp(self.run / name) for name in self._names()}
            news = {name: stamp for name, stamp in stamps.items() if stamp != self.sent.get(name)}
            for name in news:
                self._stage(name, staged / name)
            if news:
                self.api.upload_folder(
                    repo_id=self.repo, folder_path=staged, path_in_repo="run", commit_message="Progress of a run", token=self.token
                )
            self.sent.update(news)
            return True
        except Exception as error:  # tried again a little later
            self._complain(error)
            return False
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def send_at_last(self) -> bool:
        """The same at the end, where nothing comes later."""
        for attempt in range(TRIES):
            if self.send():
                return True
            time.sleep(LOOK_SECONDS * (attempt + 1))
        return False

    def log_tail(self, lines: int = 40) -> str:
        """The end of what the trainer printed."""
        file = self.run / "trainer.log"
        text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        return "\n".join(text.replace(self.token, "…").splitlines()[-lines:])

    def _names(self) -> list[str]:
        """What may leave: no pickles, nothing hidden, nothing of the trainer's own."""
        files = (file.relative_to(self.run).as_posix() for file in self.run.rglob("*") if file.is_file())
        return sorted(name for name in files if SENT.fullmatch(name))

    def _stage(self, name: str, target: Path) -> None:
        """Copies a file, so that one that still grows is sent as it was; texts go without the token."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(WEIGHTS):
            shutil.copy(self.run / name, target)
        else:
            target.write_bytes((self.run / name).read_bytes().replace(self.token.encode(), "…".encode()))

    def _complain(self, error: Exception) -> None:
        print(f"{type(error).__name__}: {error}".replace(self.token, "…")[:300], file=sys.stderr, flush=True)


def _stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size


if __name__ == "__main__":
    sys.exit(main())
