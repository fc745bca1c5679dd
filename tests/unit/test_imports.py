"""The import rules of the house: studio -> pipelines, never back; inside pipelines one order, no circle."""

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ORDER = [
    "errors",
    "entries",
    "paths",
    "incidents",
    "marks",
    "records",
    "bundled",
    "glossary",
    "languages",
    "hub",
    "models",
    "deploying",
    "endpoints",
    "stance",
    "corpus",
    "tuning",
    "comparing",
    "review",
    "figures",
    "export",
    "classroom",
    "lesson",
    "health",
    "commands",
    "cli",
    "__main__",
]
HEAVY = {
    "reportlab",
    "openai",
    "evalica",
    "pandas",
    "rensa",
    "ray",
    "phonenumbers",
    "py3langid",
    "torch",
    "trl",
    "transformers",
    "peft",
    "sentence_transformers",
    "datasets",
    "sklearn",
    "scipy",
}
FILES = sorted((PROJECT / "pipelines").rglob("*.py"))


def imported(file: Path, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def place(file: Path) -> int:
    return ORDER.index(file.relative_to(PROJECT / "pipelines").parts[0].removesuffix(".py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PROJECT)))
def test_pipelines_import_no_interface_and_nothing_that_stands_after_them(file: Path) -> None:
    names = imported(file)
    assert not any(name.split(".")[0] in ("gradio", "studio") for name in names)
    if file.name == "__init__.py":
        return
    later = {name for name in names if name.startswith("pipelines.") and ORDER.index(name.split(".")[1]) > place(file)}
    assert not later


@pytest.mark.parametrize("file", [*FILES, *sorted((PROJECT / "studio").rglob("*.py"))], ids=lambda f: str(f.relative_to(PROJECT)))
def test_heavy_libraries_are_imported_where_they_are_used(file: Path) -> None:
    if file.name == "sampling.py":  # its classes derive from the library's; it is itself imported where it is used
        return
    assert not {name.split(".")[0] for name in imported(file, top_level_only=True)} & HEAVY


def test_only_the_interface_imports_gradio() -> None:
    others = [f for f in PROJECT.glob("*.py") if "gradio" in imported(f)]
    assert not others
