"""Ready recipes: YAML files in assets/recipes, each with every setting of the dataclass and a reason on top."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import StudioError
from pipelines.paths import ASSETS, write_text
from pipelines.tuning.recipe import Recipe

FOLDER = ASSETS / "recipes"
NAMES = ("classroom", "thorough-cpu", "gpu-small", "paper-llama3-8b", "paper-mistral-7b")


def load(name: str) -> Recipe:
    """A preset by name. Raises StudioError where there is none."""
    return Recipe.from_yaml(_file(name))


def about(name: str) -> str:
    """What a preset is for: the comment on top of its file."""
    lines = _file(name).read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    return " ".join(line.removeprefix("#").strip() for line in lines)


def refresh() -> None:
    """Writes all files anew, after the dataclass got another setting or hint."""
    for name in NAMES:
        write_text(_file(name), load(name).to_yaml(about(name)))


def _file(name: str) -> Path:
    if name not in NAMES:
        raise StudioError(f"There is no preset called “{name}”.", f"There are {', '.join(NAMES)}.")
    return FOLDER / f"{name}.yaml"
