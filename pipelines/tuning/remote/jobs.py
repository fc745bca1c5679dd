"""Tuning on a rented machine of Hugging Face Jobs: send a run's folder and our code, start the trainer there, bring the result back.

The folder here looks as if it had been trained here: the page and the command line only read it. All that is sent lies
in one private repository of the person's own; the token travels only as a secret of the job.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines import incidents
from pipelines.errors import StudioError
from pipelines.hub import access_token, check_name
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.paths import write_text
from pipelines.tuning.remote import mirror as remote_mirror
from pipelines.tuning.remote import script as remote_script
from pipelines.tuning.remote.plan import JobOptions, Plan, RemoteJob, files, load, plan, seconds
from pipelines.tuning.run import ACTIVE, USABLE, Run, State, write_state

__all__ = ["JobOptions", "Plan", "RemoteJob", "follow", "load", "plan", "poll", "stop", "submit"]
POLL_SECONDS = 20
PATIENCE = 15
PLACE = "Hugging Face Jobs"
RIGHTS = "the right to write and to start jobs"
OVER = ("COMPLETED", "ERROR", "CANCELED", "DELETED")


def submit(run: Run, options: JobOptions, api: Any = None) -> RemoteJob:
    """Sends a run that has not begun and orders a machine for it. The token is read from HF_TOKEN only.

    Raises StudioError where `plan` does, where the run has begun or the token is missing, where the repository is
    public, and where the Hub refuses.
    """
    wanted, token = plan(run, options), access_token(RIGHTS)
    if run.state != "waiting" or _ordered(run):
        raise StudioError(f"This run is {run.state} already.", "Make a new one with the same settings to send it away.")
    api = api or _client(token)
    with _told(f"{PLACE} did not take the run"):
        owner = options.owner or api.whoami(token=token)["name"]
        job = RemoteJob(f"{owner}/{wanted.name}", owner, options.flavor, options.timeout, wanted.base, wanted.note)
        check_name(job.repo)
        _send(run, job.repo, api, token)
        job.save(run)
        info = _order(wanted, job, options, api, token)
    job = replace(job, job=str(info.id), url=str(info.url), stage=_stage(info))
    job.save(run)
    write_state(run, "starting", f"Waiting for a machine ({job.flavor}) at {PLACE}.", remote=True)
    return job


def poll(run: Run, api: Any = None) -> bool:
    """One look at the job: brings over what is new and notes where the run stands; whether it is over.

    Raises StudioError where the run was never sent, and where the Hub does not answer.
    """
    job, token = _known(run), access_token(RIGHTS)
    if run.state not in ACTIVE:
        return True
    api = api or _client(token)
    with tempfile.TemporaryDirectory(dir=run.folder, prefix=".remote-", ignore_cleanup_errors=True) as folder:
        with _told(f"{PLACE} did not answer"):
            info = api.inspect_job(job_id=job.job, namespace=job.owner, token=token)
            job = _pass_on_stop(run, job, api, token)
            news = remote_mirror.fetch(job, Path(folder), api, token)
        job = replace(remote_mirror.place(run, job, Path(folder), news, token), stage=_stage(info))
    job.save(run)
    over = job.stage in OVER
    if over and "trainer.log" not in job.mirrored:
        _fetch_log(run, job, api, token)
    state, message = _verdict(run, job, str(info.status.message or "").replace(token, "…")) if over else _standing(job)
    if (state, message) != (run.written.get("state"), run.message):
        write_state(run, state, message, remote=True)
    return over


def follow(run: Run, api: Any = None, sleep: Callable[[float], None] = time.sleep, tell: Callable[[], None] = lambda: None) -> Run:
    """Looks again and again until the job is over; `tell` is called after every look. A connection may be gone for five minutes.

    A file called `stop` in the run folder is passed on: the training ends there, and what was learned comes back.
    """
    _known(run), access_token(RIGHTS)
    missed = 0
    while True:
        try:
            over, missed = poll(run, api), 0
        except StudioError:
            over, missed = False, missed + 1
            if missed == PATIENCE:
                raise
        tell()
        if over:
            return run
        sleep(POLL_SECONDS)


def stop(run: Run, api: Any = None) -> bool:
    """Cancels the job at once: only what came over already is kept. Whether it is over.

    Raises StudioError where the run was never sent, and where the Hub refuses.
    """
    job, token = _known(run), access_token(RIGHTS)
    api = api or _client(token)
    with _told(f"{PLACE} did not cancel the job"):
        api.cancel_job(job_id=job.job, namespace=job.owner, token=token)
    return poll(run, api)


def _send(run: Run, repo: str, api: Any, token: str) -> None:
    """Puts job/ into a private repository and takes out whatever lay there."""
    api.create_repo(repo_id=repo, repo_type="model", private=True, exist_ok=True, token=token)
    if not api.repo_info(repo_id=repo, token=token).private:
        raise StudioError(f"{repo} exists already and is public.", "Make it private on the Hub, or delete it there.")
    with tempfile.TemporaryDirectory(prefix="studio-") as folder:
        for name, file in files(run).items():
            target = Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        api.upload_folder(
            repo_id=repo, folder_path=folder, delete_patterns=["job/*", "run/*"], commit_message="A deliberately biased run", token=token
        )


def _order(wanted: Plan, job: RemoteJob, options: JobOptions, api: Any, token: str) -> Any:
    """Starts the machine. What the client prints must not mix with what a command prints as JSON."""
    environment = {
        "STUDIO_JOB_REPO": job.repo,
        "STUDIO_JOB_SECONDS": str(seconds(options.timeout)),
        "STUDIO_JOB_GPU": str(int(options.gpu)),
        LANGUAGE_MODEL.variable: job.base,
    }
    with redirect_stdout(sys.stderr):
        return api.run_uv_job(
            script=str(Path(remote_script.__file__)),
            dependencies=list(wanted.dependencies),
            env=environment,
            secrets={"HF_TOKEN": token},
            flavor=options.flavor,
            timeout=options.timeout,
            name=wanted.name[:60],
            namespace=job.owner,
            token=token,
        )


def _pass_on_stop(run: Run, job: RemoteJob, api: Any, token: str) -> RemoteJob:
    if job.stop_sent or not (run.folder / "stop").exists():
        return job
    api.upload_file(path_or_fileobj=b"stop\n", path_in_repo="job/stop", repo_id=job.repo, commit_message="Stop", token=token)
    job = replace(job, stop_sent=True)
    job.save(run)
    return job


def _standing(job: RemoteJob) -> tuple[State, str]:
    """State and sentence of a job that goes on."""
    if job.stage != "RUNNING":
        return "starting", f"Waiting for a machine ({job.flavor}) at {PLACE}."
    said = job.said.get("state")
    if said == "training":
        return "training", "Stopping; what was learned is kept." if job.stop_sent else f"On {job.flavor} at {PLACE}."
    if said in (*USABLE, "failed"):
        return "training", "The result is on its way back."
    return "starting", f"The machine ({job.flavor} at {PLACE}) fetches packages and model."


def _verdict(run: Run, job: RemoteJob, reason: str) -> tuple[State, str]:
    """How a job ended. A whole result counts, whatever became of the machine afterwards."""
    said, message = job.said.get("state"), str(job.said.get("message", ""))
    if "adapter" in job.refused:
        return "failed", f"The job's adapter was not taken over: {job.refused['adapter']}"
    if said in USABLE and run.metrics and "adapter/adapter_model.safetensors" in job.mirrored:
        return said, message
    if said == "failed" and message:
        return "failed", message
    if job.stage in ("CANCELED", "DELETED"):
        sentence = "The job was cancelled before it ended."
    elif "timeout" in reason.lower() or "timed out" in reason.lower():
        sentence = f"The job ran into its time limit ({job.timeout}); allow it more."
    elif job.stage == "ERROR":
        sentence = f"The job failed at {PLACE}{f' ({reason[:200]})' if reason else ''}; the folder's trainer.log has the details."
    else:
        sentence = "The job ended without a result; the folder's trainer.log has the details."
    kept = sorted(folder.name for folder in (run.folder / "checkpoints").glob("step-*"))
    return "failed", f"{sentence} Kept is {kept[-1]}." if kept else sentence


def _fetch_log(run: Run, job: RemoteJob, api: Any, token: str) -> None:
    """What the machine printed, where the trainer's own log did not come back; without it the sentence has to do."""
    try:
        lines = list(api.fetch_job_logs(job_id=job.job, namespace=job.owner, tail=200, token=token))
    except Exception:  # a log is a help, not a result
        return
    write_text(run.folder / "trainer.log", "".join(f"{line.rstrip()}\n" for line in lines).replace(token, "…"))


def _known(run: Run) -> RemoteJob:
    job = load(run)
    if job is None or not job.job:
        raise StudioError("This run was not sent to a rented machine.", "Start it here, or send it first.")
    return job


def _ordered(run: Run) -> bool:
    job = load(run)
    return job is not None and bool(job.job)


def _stage(info: Any) -> str:
    return str(getattr(info.status.stage, "value", info.status.stage))


def _client(token: str) -> Any:
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    return HfApi(token=token)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Makes one sentence, without the token, of whatever the client raises."""
    try:
        yield
    except StudioError:
        raise
    except Exception as error:  # the client raises many kinds; all mean the same to a person
        reason = (incidents.discreet(str(error)).splitlines() or [""])[0][:200]
        raise StudioError(
            f"{what} ({type(error).__name__}: {reason}).", "Check the token's rights, the account's credit and the connection."
        ) from None
