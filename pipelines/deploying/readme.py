"""The YAML block on top of README.md that a Hugging Face Space reads, made from spaces.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipelines.deploying.spec import SOURCE, Profile, Spec, read
from pipelines.models.catalog import EMBEDDER, LANGUAGE_MODEL
from pipelines.paths import PROJECT, write_text

FENCE = "---\n"
PLATFORM = (
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "pinned", "license", "short_description", "tags",
)  # fmt: skip
HUB_MODELS = {LANGUAGE_MODEL.variable: LANGUAGE_MODEL.hub_id, EMBEDDER.variable: EMBEDDER.hub_id}


def front_matter(source: Path = SOURCE) -> str:
    """The block of the project's own README with its fences. Raises StudioError for what spaces.yaml can't mean."""
    return fenced(settings(read(source)))


def settings(spec: Spec) -> dict[str, Any]:
    """What the platform reads, whatever Space it becomes."""
    values = {name: list(value) if isinstance(value := getattr(spec, name), tuple) else value for name in PLATFORM}
    preload = [*(HUB_MODELS.values() if spec.models == "hub" else ()), *spec.preload]
    return {**values, **({"preload_from_hub": preload} if preload else {}), **({"hf_oauth": True} if spec.hf_oauth else {})}


def settings_of_space(spec: Spec, profile: Profile, repo_id: str) -> dict[str, Any]:
    """The same for one Space: also the picture that links show, by its address, and what a copy of it should run on."""
    from huggingface_hub import hf_hub_url

    picture = {"thumbnail": hf_hub_url(repo_id, spec.card, repo_type="space")} if spec.card else {}
    machine = {} if profile.zero else {"suggested_hardware": profile.hardware}
    return {**settings(spec), **picture, **machine}


def fenced(values: dict[str, Any]) -> str:
    """Settings as a block between its fences."""
    return FENCE + yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120) + FENCE


def body(readme: str) -> str:
    """A README without its block."""
    return readme.split(FENCE, 2)[2] if readme.startswith(FENCE) else readme


def update_readme(readme: Path = PROJECT / "README.md") -> bool:
    """Writes the block into README.md; True where it changed."""
    old = readme.read_text(encoding="utf-8")
    new = front_matter() + body(old)
    if new != old:
        write_text(readme, new)
    return new != old
