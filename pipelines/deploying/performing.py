"""Does what a plan says, call by call, with the Hub's own client."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from pipelines import incidents
from pipelines.deploying.plan import Bucket, Call, LaidOut, Plan, Secret
from pipelines.errors import StudioError
from pipelines.hub import TOKEN, access_token

RIGHTS = "the right to write"
Tell = Callable[[float, str], None]
WHY = {
    401: "The token is not accepted: make a new one with the right to write.",
    402: "The platform asks for a payment method or a paid plan for this hardware; choose another profile, or see the account's billing page.",
    403: "The token may not write there: check its rights and the owner's name.",
    404: "Something that this needs is not there: check the owner's name and the token's rights.",
    409: "Something of that name is being changed just now; wait a minute.",
    429: "Too many requests; wait a few minutes.",
}


def perform(plan: Plan, api: Any = None, environment: Mapping[str, str] = os.environ, tell: Tell = lambda fraction, text: None) -> str:
    """Performs all calls in order and returns the Space's address.

    Every call sets what should be, whatever was before: after an error the same command goes on. Raises StudioError where the token
    or a secret is missing, and where the Hub refuses, with how far it came.
    """
    token = access_token(RIGHTS)
    secrets = {name: environment.get(name, "") for name in _names(plan)} | {TOKEN: token}
    _hide(secrets)
    api = api or _client(token)
    with tempfile.TemporaryDirectory(prefix="studio-space-") as folder:
        for number, call in enumerate(plan.calls):
            tell(number / len(plan.calls), _named(call))
            _one(call, number, plan, api, {name: _resolved(value, secrets, Path(folder)) for name, value in call.arguments.items()})
    tell(1.0, "Done; the platform builds the Space now, which takes some minutes")
    return _address(plan.repo_id)


def _one(call: Call, number: int, plan: Plan, api: Any, arguments: dict[str, Any]) -> None:
    try:
        with redirect_stdout(sys.stderr):  # what the client prints must not mix with what a command prints as JSON
            told = getattr(api, call.name)(**arguments)
        if call.private and told.private is not True:
            what = call.arguments["bucket_id"]
            raise StudioError(
                f"{what} exists already and is public.", "Make it private on the Hub, or take another name; ballots would lie in it."
            )
    except StudioError:
        raise
    except Exception as error:  # the client raises many kinds; all mean the same to a person
        reason = (incidents.discreet(str(error)).splitlines() or [""])[0][:160]
        status = getattr(getattr(error, "response", None), "status_code", 0)
        raise StudioError(
            f"The Hub did not take step {number + 1} of {len(plan.calls)}, {call.name} ({type(error).__name__}: {reason}).",
            f"{WHY.get(status, 'Check name, token and connection.')} Then give the same command again: it goes on from there.",
        ) from None


def _resolved(value: Any, secrets: Mapping[str, str], folder: Path) -> Any:
    """An argument as the client takes it."""
    if isinstance(value, Secret):
        if not secrets.get(value.name):
            raise StudioError(f"{value.name} is gone from the environment.", "Set it again.")
        return secrets[value.name]
    if isinstance(value, LaidOut):
        value.parcel.lay_out(folder)
        return str(folder)
    if isinstance(value, Bucket):
        from huggingface_hub import Volume

        return Volume(type="bucket", source=value.source, mount_path=value.mount_path)
    return [_resolved(one, secrets, folder) for one in value] if isinstance(value, list) else value


def _names(plan: Plan) -> list[str]:
    return sorted({value.name for call in plan.calls for value in call.arguments.values() if isinstance(value, Secret)})


def _hide(secrets: Mapping[str, str]) -> None:
    """From here on no sentence and no log tells a secret, nor a password inside one."""
    for value in secrets.values():
        for part in (value, *re.split(r"[,:\s]+", value)):
            incidents.keep_secret(part)


def _named(call: Call) -> str:
    about = call.arguments.get("key") or call.arguments.get("bucket_id") or call.arguments.get("repo_id", "")
    return f"{call.name} {about}"


def _address(repo_id: str) -> str:
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/spaces/{repo_id}"


def _client(token: str) -> Any:
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    return HfApi(token=token)
