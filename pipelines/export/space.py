"""The YAML block on top of README.md that a Hugging Face Space reads, made from spaces.yaml."""

from __future__ import annotations

from pathlib import Path

import yaml

from pipelines.errors import StudioError
from pipelines.paths import PROJECT, write_text

FENCE = "---\n"


def front_matter(source: Path = PROJECT / "spaces.yaml") -> str:
    """The block with its fences. Raises StudioError where spaces.yaml is not a list of settings."""
    values = yaml.safe_load(source.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise StudioError("spaces.yaml is not a list of settings.", "It must hold `setting: value` lines.")
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
