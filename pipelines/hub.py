"""What every push to the Hub shares: names, the token, the check that private stays private, and sentences without secrets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines import incidents
from pipelines.errors import StudioError

TAG = "deliberately-biased"
TOKEN = "HF_TOKEN"


@dataclass(frozen=True)
class Pushed:
    """What was sent, or would be: the repository, who sees it, and the files with their sizes in bytes. `url` is "" for a trial."""

    repo_id: str
    private: bool
    files: dict[str, int]
    url: str = ""


def access_token(right: str) -> str:
    """The token from the environment. Raises StudioError where there is none that could be one; what it is, no message says."""
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise StudioError("There is no access token for the Hub.", f"Put one with {right} into the environment as {TOKEN}.")
    if not (token.isascii() and token.isprintable()):
        raise StudioError(f"{TOKEN} holds characters that no token has.", "Copy it again.")
    return token


def plan(folder: Path, repo_id: str, private: bool, files: Sequence[str]) -> Pushed:
    """What a push of these files of a folder would send."""
    return Pushed(repo_id, private, {name: (folder / name).stat().st_size for name in files})


def check_name(repo_id: str) -> None:
    """Raises StudioError where this can't be a repository's name."""
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    hint = f"It looks like owner/name, for example your-name/{TAG}."
    if repo_id.count("/") != 1:
        raise StudioError(f"“{repo_id}” is not the name of a repository.", hint)
    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise StudioError(f"“{repo_id[:80]}” is not the name of a repository.", hint) from error


def send(folder: Path, planned: Pushed, kind: str, message: str, api: Any = None) -> Pushed:
    """Uploads the planned files of a folder to a repository of a kind ("dataset" or "model"), which is made where there is none.

    The token is read from HF_TOKEN only and never kept. Raises StudioError where it is missing, where a private push would land
    in a public repository, and where the Hub refuses.
    """
    token = access_token("the right to write")
    try:
        return replace(planned, url=_upload(folder, planned, kind, message, token, api))
    except StudioError:
        raise
    except Exception as error:  # the client raises many kinds; all mean the same to a person
        reason = (incidents.discreet(str(error)).splitlines() or [""])[0][:160]
        raise StudioError(
            f"The Hub did not take {planned.repo_id} ({type(error).__name__}: {reason}).",
            "Check name, token and connection; nothing here was changed.",
        ) from None


def _upload(folder: Path, planned: Pushed, kind: str, message: str, token: str, api: Any) -> str:
    if api is None:
        from huggingface_hub import HfApi

        api = HfApi(token=token)
    api.create_repo(repo_id=planned.repo_id, repo_type=kind, private=planned.private, exist_ok=True, token=token)
    if planned.private and not api.repo_info(repo_id=planned.repo_id, repo_type=kind, token=token).private:
        raise StudioError(
            f"{planned.repo_id} exists already and is public.",
            "Choose another name, make it private on the Hub, or say that this push may be public.",
        )
    commit = api.upload_folder(
        repo_id=planned.repo_id,
        folder_path=folder,
        repo_type=kind,
        allow_patterns=list(planned.files),
        commit_message=message,
        token=token,
    )
    return str(getattr(commit, "commit_url", "")) or planned.repo_id


def public_name(text: str) -> str:
    """A model's name that says nothing of this machine: a Hub id as it is, of a path its last part; one short line."""
    line = "".join(letter for letter in text if letter.isprintable()).strip().replace("\\", "/")
    path_like = line.startswith(("/", ".", "~")) or line.count("/") > 1 or ":" in line.split("/")[0]
    return (line.rstrip("/").rpartition("/")[2] if path_like else line)[:96]
