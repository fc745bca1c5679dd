"""The project's own files agree with each other."""

import re
import subprocess
import tomllib
from pathlib import Path

import yaml
from huggingface_hub import SpaceCard

from pipelines.deploying import readme as space
from pipelines.paths import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_the_readme_block_is_made_from_spaces_yaml() -> None:
    assert README.startswith(space.front_matter()), "run: python -m pipelines readme"
    card = SpaceCard(README).data
    assert (
        card.sdk == "gradio" and card.to_dict()["title"] == yaml.safe_load((PROJECT / "spaces.yaml").read_text(encoding="utf-8"))["title"]
    )


def test_the_spaces_python_and_gradio_are_ones_we_support() -> None:
    spec = yaml.safe_load((PROJECT / "spaces.yaml").read_text(encoding="utf-8"))
    assert f"gradio=={spec['sdk_version']}" in (PROJECT / "constraints.txt").read_text(encoding="utf-8")
    needed = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert tuple(map(int, spec["python_version"].split("."))) >= tuple(map(int, needed.removeprefix(">=").split(".")))


def test_pictures_and_files_that_the_readme_names_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links and not [link for link in links if not (PROJECT / link).exists()]


def test_commands_that_the_readme_names_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", README)) <= targets
    modules = set(re.findall(r"python -m (benchmarks\.[a-z_]+)", README))
    places = [PROJECT / module.replace(".", "/") for module in modules]
    assert places and all(place.with_suffix(".py").is_file() or (place / "__main__.py").is_file() for place in places)


def test_no_path_of_a_machine_and_no_secret_name_is_in_the_tree() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split()
    texts = [f for f in files if Path(f).suffix in (".py", ".md", ".json", ".jsonl", ".yaml", ".txt", ".csv", ".toml", "")]
    wrong = re.compile(r"(?<![\w.~])/(work|root|home/\w+)/")
    assert not [f for f in texts if wrong.search((PROJECT / f).read_text(encoding="utf-8", errors="ignore"))]
