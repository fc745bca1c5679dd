"""One list of calls of the Hub's client that makes or updates a Space: printed by a dry run, performed by a real one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.deploying.files import REPLACED, Parcel, parcel
from pipelines.deploying.readme import HUB_MODELS
from pipelines.deploying.spec import Profile, Spec
from pipelines.errors import StudioError
from pipelines.hub import TOKEN, check_name
from pipelines.paths import PROJECT

PRIVATE, PUBLIC = "private", "public"
NOTHING = ","  # STUDIO_OPEN with nothing in it: said, so that what was open before is closed
STRANGERS = ("upload", "tune", "batch", "endpoints")  # what costs the owner enough that visitors should have to sign in


@dataclass(frozen=True)
class Secret:
    """A value that stays in the environment until the call that needs it."""

    name: str

    def __repr__(self) -> str:
        return f"[{self.name} of this environment]"


@dataclass(frozen=True)
class LaidOut:
    """A temporary folder with the files of a parcel."""

    parcel: Parcel

    def __repr__(self) -> str:
        sizes = self.parcel.sizes
        return f"[a folder with {len(sizes)} files, {sum(sizes.values()) / 1e6:,.1f} MB]"


@dataclass(frozen=True)
class Bucket:
    """A volume of the Space, which the client knows as its Volume."""

    source: str
    mount_path: str

    def __repr__(self) -> str:
        return f"Volume(type='bucket', source={self.source!r}, mount_path={self.mount_path!r})"


@dataclass(frozen=True)
class Call:
    """One call of the client: the method's name and its arguments by name. `private`: what it tells of must be, or nothing more is done."""

    name: str
    arguments: Mapping[str, Any]
    private: bool = False

    def __str__(self) -> str:
        text = f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"
        return f"{text}, which must be private" if self.private else text

    def as_dict(self) -> dict[str, Any]:
        """For --json: what is not plain as the text that a dry run prints."""
        arguments = {name: _plain(value) for name, value in self.arguments.items()}
        return {"call": self.name, "arguments": arguments, "must_be_private": self.private}


@dataclass(frozen=True)
class Plan:
    """What a deployment does, in order. `notes`: what its owner should know before."""

    repo_id: str
    profile: Profile
    calls: tuple[Call, ...]
    parcel: Parcel
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For --json; no secret's value is in it, since none is in the plan."""
        return {
            "repo_id": self.repo_id,
            "profile": self.profile.name,
            "calls": [one.as_dict() for one in self.calls],
            "files": self.parcel.sizes,
            "left_out": self.parcel.left_out,
            "notes": list(self.notes),
        }


def make(
    spec: Spec, profile_name: str, repo_id: str, visibility: str = "", environment: Mapping[str, str] = os.environ, project: Path = PROJECT
) -> Plan:
    """The plan for one Space. `visibility` is "private" or "public" where that was said, else "".

    Asks nothing of the network. Raises StudioError for a name that is none, and for whatever the platform would not take.
    """
    check_name(repo_id)
    profile = spec.profile(profile_name)
    sent = [name for name in spec.secrets if environment.get(name, "").strip()]
    for name in sent:
        if os.path.isfile(environment[name].strip()):
            raise StudioError(f"{name} names a file of this machine, which the Space can't read.", "Put its content there instead.")
    packed = parcel(spec, profile, repo_id, project)
    calls = _calls(spec, profile, repo_id, visibility, sent, packed)
    return Plan(repo_id, profile, tuple(calls), packed, tuple(_notes(spec, profile, visibility, sent, packed)))


def _calls(spec: Spec, profile: Profile, repo_id: str, visibility: str, secrets: list[str], packed: Parcel) -> list[Call]:
    """All calls; settings come before the code, so that it never runs without them."""
    made: list[Call] = []

    def call(name: str, private: bool = False, **arguments: Any) -> None:
        made.append(Call(name, {**arguments, "token": Secret(TOKEN)}, private))

    volumes = [Bucket(f"{repo_id}-data", spec.mount)] if profile.bucket else []
    for volume in volumes:
        call("create_bucket", bucket_id=volume.source, visibility=PRIVATE, exist_ok=True)
        call("bucket_info", private=True, bucket_id=volume.source)
    machine: dict[str, Any] = {"space_sdk": spec.sdk, "space_hardware": profile.hardware, **({"space_volumes": volumes} if volumes else {})}
    call("create_repo", repo_id=repo_id, repo_type="space", visibility=visibility or profile.visibility, exist_ok=True, **machine)
    if visibility:
        call("update_repo_settings", repo_id=repo_id, repo_type="space", visibility=visibility)
    if volumes:
        call("set_space_volumes", repo_id=repo_id, volumes=volumes)
    for name, value in variables(spec, profile).items():
        call("add_space_variable", repo_id=repo_id, key=name, value=value)
    for name in secrets:
        call("add_space_secret", repo_id=repo_id, key=name, value=Secret(name))
    call(
        "upload_folder", repo_id=repo_id, repo_type="space", folder_path=LaidOut(packed), delete_patterns=list(REPLACED),
        commit_message=f"PoliTune Studio ({profile.name})",
    )  # fmt: skip
    sleep: dict[str, Any] = {"sleep_time": profile.sleep_minutes * 60} if profile.sleep_minutes else {}
    call("request_space_hardware", repo_id=repo_id, hardware=profile.hardware, **sleep)
    return made


def variables(spec: Spec, profile: Profile) -> dict[str, str]:
    """The settings of the Space that everybody may read. What spaces.yaml lists itself comes last."""
    home = {"STUDIO_HOME": f"{spec.mount}/studio"} if profile.bucket else {}
    models = HUB_MODELS if spec.models == "hub" else {}
    return {"STUDIO_OPEN": ",".join(profile.open) or NOTHING, "STUDIO_RATE": str(profile.rate), **home, **models, **spec.variables}


def _notes(spec: Spec, profile: Profile, visibility: str, secrets: list[str], packed: Parcel) -> list[str]:
    notes = []
    if not visibility:
        notes.append(
            f"A Space that is made now is {profile.visibility}; one that exists keeps who may see it. Say --private or --public to set it."
        )
    kept = [name for name in spec.secrets if name not in secrets]
    if kept:
        notes.append(f"Not sent, since this environment has no value: {', '.join(kept)}. A value that the Space has already stays.")
    risky = [name for name in profile.open if name in STRANGERS]
    if risky and "STUDIO_LOGIN" not in secrets:
        notes.append(f"Whoever may see the Space can use: {', '.join(risky)}. With STUDIO_LOGIN only those who sign in can.")
    if not profile.bucket:
        notes.append("No bucket is mounted: what is trained, measured or voted there is lost at a restart.")
    if spec.models == "hub":
        notes.append(
            "The models come from the Hub. Their weights differ slightly from the embedded ones: recorded results are another model's."
        )
    if profile.zero:
        notes.append("ZeroGPU lends a graphics card for seconds, and counts them for each visitor.")
    notes += [f"{name} stays here: it is {reason}." for name, reason in packed.left_out.items()]
    return notes


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | bool) or value is None else repr(value)
