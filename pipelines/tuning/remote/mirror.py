"""Brings run/ of a job's repository into the local run folder: known names only, every file whole, adapters only through the gate."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.models import adapters
from pipelines.models.header import MAX_BYTES
from pipelines.paths import atomic_folder, write_json, write_text
from pipelines.tuning.remote.plan import RemoteJob
from pipelines.tuning.remote.script import SENT
from pipelines.tuning.run import Run

TEXT_BYTES = 64 << 20
PREFIX = "run/"
METRICS, NOTES = "metrics.json", ("state.json", "machine.json")


def fetch(job: RemoteJob, staging: Path, api: Any, token: str) -> dict[str, str]:
    """Downloads what is new into `staging`; the files by name, with the Hub's name of their content.

    All of one commit. Names are taken only as script.py sends them, so nothing can land elsewhere.
    """
    info = api.repo_info(repo_id=job.repo, files_metadata=True, token=token)
    there = {f.rfilename.removeprefix(PREFIX): f for f in info.siblings or [] if f.rfilename.startswith(PREFIX)}
    there = {name: file for name, file in there.items() if SENT.fullmatch(name) and 0 < (file.size or 0) <= _limit(name)}
    news = {name: str(file.blob_id) for name, file in there.items() if job.mirrored.get(name) != file.blob_id}
    for name in [n for n in there if _is_adapter(n) and any(_folder(new) == _folder(n) for new in news)]:
        news[name] = str(there[name].blob_id)  # settings and weights belong together
    for name in news:
        api.hf_hub_download(repo_id=job.repo, filename=PREFIX + name, revision=info.sha, local_dir=staging, token=token)
        file = staging / PREFIX / name
        if file.is_symlink() or not file.is_file() or file.stat().st_size != there[name].size:
            raise OSError(f"{name} did not arrive whole")
    return news


def place(run: Run, job: RemoteJob, staging: Path, news: dict[str, str], token: str) -> RemoteJob:
    """Moves what arrived into the run folder, adapters first; what is known of the job afterwards."""
    arrived, refused = staging / PREFIX, dict(job.refused)
    for name in sorted({_folder(name) for name in news if _is_adapter(name)}):
        refused[name] = _place_adapter(arrived / name, run.folder / name)
    texts = {
        name: (arrived / name).read_text(encoding="utf-8", errors="replace").replace(token, "…") for name in news if not _is_adapter(name)
    }
    for name in texts.keys() - set(NOTES):
        if name == METRICS:
            write_json(run.folder / name, _titled(_object(texts[name]), job))
        else:
            write_text(run.folder / name, texts[name])
    said, machine = (_object(texts.get(name, "{}")) for name in NOTES)
    return replace(
        job,
        said=said or job.said,
        machine=machine or job.machine,
        mirrored={**job.mirrored, **news},
        refused={name: reason for name, reason in refused.items() if reason},
    )


def _place_adapter(arrived: Path, target: Path) -> str:
    """Takes an adapter over where it passes the gate; returns the reason where not."""
    try:
        adapters.inspect(arrived)
    except StudioError as error:
        return error.message
    with atomic_folder(target) as temporary:
        for name in (adapters.CONFIG, adapters.WEIGHTS):
            shutil.move(arrived / name, temporary / name)
    return ""


def _titled(metrics: dict[str, Any], job: RemoteJob) -> dict[str, Any]:
    """Says where the base's weights came from, where they are not those that carry this name here."""
    if not job.note or "base_title" not in metrics:
        return metrics
    return {**metrics, "base_title": f"{metrics['base_title']}, weights from the Hub"}


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_adapter(name: str) -> bool:
    return name.endswith((adapters.CONFIG, adapters.WEIGHTS))


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _limit(name: str) -> int:
    return MAX_BYTES if name.endswith(adapters.WEIGHTS) else TEXT_BYTES
