"""The requirements.txt of a Space: ours in the tested versions, held against what the platform installs by itself.

The platform builds from requirements.txt alone (no other file lies beside it then, so no constraints), after `gradio[oauth,mcp]` in the
version of sdk_version and `spaces`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.deploying.spec import Profile, Spec
from pipelines.errors import StudioError
from pipelines.paths import PROJECT

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

EXTRAS = ("oauth", "mcp")  # of gradio, which the platform installs with them
BROUGHT = "gradio"
NOT_OURS = ("spaces",)
ZERO_TORCH = ">=2.8,<2.12"  # what ZeroGPU's machines take
HEAD = "# Made by `python -m pipelines deploy` from requirements.txt and constraints.txt; gradio comes with the Space.\n"


def requirements(spec: Spec, profile: Profile, project: Path = PROJECT) -> str:
    """The text of the Space's requirements.txt. Raises StudioError where the platform could not install it, or would break by it."""
    wanted, tested = _wanted(project / "requirements.txt"), _tested(project / "constraints.txt")
    _check_gradio(spec, wanted, tested)
    beside, lines = _beside(), []
    for name, one in wanted.items():
        if name == BROUGHT:
            continue
        if name in beside and not overlap(one.specifier, beside[name]):
            raise StudioError(
                f"requirements.txt wants {one}, but gradio brings {name}{beside[name]} on a Space.",
                "Widen the range, or test another gradio.",
            )
        lines.append(_torch(profile, one, tested) if name == "torch" else _pinned(name, one, tested, beside))
    return HEAD + "\n".join(lines) + "\n"


def _torch(profile: Profile, ours: Requirement, tested: dict[str, str]) -> str:
    """torch in the versions that the profile's hardware takes."""
    from packaging.specifiers import SpecifierSet

    if not profile.torch and not profile.zero:
        return f"torch=={tested['torch']}"
    range_ = SpecifierSet(profile.torch)
    if profile.zero and not (profile.torch and _within(range_, SpecifierSet(ZERO_TORCH))):
        raise StudioError(
            f"The profile “{profile.name}” wants torch {profile.torch or '(any)'}; ZeroGPU takes {ZERO_TORCH}.",
            f'Write torch: "{ZERO_TORCH}" in spaces.yaml.',
        )
    if not overlap(range_, ours.specifier):
        raise StudioError(
            f"The profile “{profile.name}” wants torch {profile.torch}, requirements.txt wants {ours.specifier}.",
            "Let them have a version in common.",
        )
    return f"torch{profile.torch}"


def _pinned(name: str, ours: Requirement, tested: dict[str, str], beside: dict[str, SpecifierSet]) -> str:
    """The tested version where there is one that what the platform brings allows, else our range."""
    version = tested.get(name, "")
    if not version or (name in beside and version not in beside[name]):
        return str(ours)
    return f"{name}{_extras(ours)}=={version}"


def _extras(ours: Requirement) -> str:
    return f"[{','.join(sorted(ours.extras))}]" if ours.extras else ""


def _check_gradio(spec: Spec, wanted: dict[str, Requirement], tested: dict[str, str]) -> None:
    if BROUGHT not in wanted or spec.sdk_version not in wanted[BROUGHT].specifier or tested.get(BROUGHT) != spec.sdk_version:
        raise StudioError(
            f"spaces.yaml pins gradio {spec.sdk_version}, which is not the tested one ({tested.get(BROUGHT, 'none')}).",
            "Let sdk_version, requirements.txt and constraints.txt agree.",
        )


def _wanted(file: Path) -> dict[str, Requirement]:
    """The requirements by their canonical names. Raises StudioError for a line that a Space can't take."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, Requirement] = {}
    for line in _lines(file):
        if line.startswith("-"):
            raise StudioError(f"{file.name} has “{line[:60]}”, which a Space can't follow.", "It may hold packages with versions only.")
        try:
            one = Requirement(line)
        except InvalidRequirement as error:
            raise StudioError(f"{file.name} has “{line[:60]}”, which is no requirement.", "Write name>=version.") from error
        name = canonicalize_name(one.name)
        if name in NOT_OURS:
            raise StudioError(f"{file.name} names {one.name}, which the platform brings in its own version.", "Take that line out.")
        found[name] = one
    return found


def _tested(file: Path) -> dict[str, str]:
    from packaging.utils import canonicalize_name

    pairs = (line.split("==", 1) for line in _lines(file) if "==" in line)
    return {canonicalize_name(name.strip()): version.strip() for name, version in pairs}


def _lines(file: Path) -> list[str]:
    lines = (re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def _beside() -> dict[str, SpecifierSet]:
    """What the installed gradio, with the extras that a Space has, allows of each package."""
    from importlib.metadata import requires

    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.utils import canonicalize_name

    found: dict[str, SpecifierSet] = {}
    for one in map(Requirement, requires(BROUGHT) or ()):
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *EXTRAS)):
            name = canonicalize_name(one.name)
            found[name] = found.get(name, SpecifierSet()) & one.specifier
    return found


def overlap(one: SpecifierSet, other: SpecifierSet) -> bool:
    """Whether a version exists that both allow: one that a bound of theirs names, or one just after such a bound."""
    return any(version in one and version in other for version in _near(one, other))


def _within(inner: SpecifierSet, outer: SpecifierSet) -> bool:
    """Whether `outer` allows every version near a bound that `inner` allows, and `inner` has an upper end."""
    allowed = [version for version in _near(inner, outer) if version in inner]
    return bool(allowed) and "9999" not in inner and all(version in outer for version in allowed)


def _near(*sets: SpecifierSet) -> set[str]:
    named = {one.version.removesuffix(".*") for specifiers in sets for one in specifiers}
    return {version for one in named for version in (one, f"{one}.1", f"{one}.0.1")} | {"0"}
