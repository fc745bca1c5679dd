"""What the docs tell people to type is typed: page by page, in order, in an empty folder and a studio of its own, with shorter runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.models import prepare
from pipelines.paths import PROJECT, Paths
from tests import documented
from tests.documented import PAGES, Command

PAGES_RUN = [page for page in PAGES if any(command.is_ours and not command.not_run for command in documented.commands(page))]
# What makes a command short; left out where the line has the option itself or only looks.
SHORT_RUN = {"--max-steps": "1", "--batch-size": "1", "--top-layers": "1", "--sample-tokens": "1", "--guard": "off", "--no-ruler": ""}
SHORTER = {"tune": SHORT_RUN, "ask": {"--max-new-tokens": "4"}, "compare": {"--max-new-tokens": "2"}}
ONLY_LOOKS = {"--dry-run", "--show-recipe", "--list", "--replay"}


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("page", PAGES_RUN, ids=lambda page: page.name)
def test_the_commands_of_a_page_work_one_after_another(page: Path, model_home: Paths, tmp_path: Path) -> None:
    home, here = Paths(tmp_path / "home"), tmp_path / "here"
    home.models.mkdir(parents=True)
    here.mkdir()
    prepare.converted_folder(home).symlink_to(prepare.converted_folder(model_home))
    for name, content in documented.files(page).items():
        (here / name).write_text(content, encoding="utf-8")
    for command in documented.commands(page):
        if command.is_ours and not command.not_run:
            done = run(command, home, here)
            assert done.returncode in command.exits, f"{' '.join(command.words)}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
            assert "Traceback" not in done.stderr
            assert done.stdout.strip(), f"{' '.join(command.words)} says nothing"


def run(command: Command, home: Paths, here: Path) -> subprocess.CompletedProcess[str]:
    settings = dict(one.split("=", 1) for one in command.settings)
    environment = {**os.environ, "STUDIO_HOME": str(home.root), "PYTHONPATH": str(PROJECT), **settings}
    words = [filled(word, home) for word in (*command.ours, *shortened(command.ours))]
    return subprocess.run(
        [sys.executable, "-m", "pipelines", *words], cwd=here, env=environment, capture_output=True, text=True, timeout=600
    )


def shortened(words: tuple[str, ...]) -> list[str]:
    """Options that make a run short, where the command would take minutes."""
    if ONLY_LOOKS & set(words):
        return []
    more = {name: value for name, value in SHORTER.get(words[0], {}).items() if name not in words}
    return [word for option in more.items() for word in option if word]


def filled(word: str, home: Paths) -> str:
    """NAME, OTHER and RUN as what they stand for: the newest version, the one before it, the newest run."""
    versions = sorted(home.datasets.glob("[!.]*"), key=lambda one: one.stat().st_mtime, reverse=True)
    made = [one for one in home.runs.glob("[!.]*") if (one / "adapter").is_dir()]
    for mark, found in (("NAME", versions), ("OTHER", versions[1:]), ("RUN", sorted(made, reverse=True))):
        if mark in word.split(","):
            assert found, f"no earlier command of this page made a {mark}"
            word = ",".join(found[0].name if part == mark else part for part in word.split(","))
    return word


def test_shorter_commands_leave_alone_what_a_line_says_itself() -> None:
    assert shortened(("tune", "--max-steps", "9")) == [
        "--batch-size", "1", "--top-layers", "1", "--sample-tokens", "1", "--guard", "off", "--no-ruler",
    ]  # fmt: skip
    assert shortened(("tune", "--dry-run")) == [] == shortened(("doctor",))


def test_words_in_capitals_stand_for_what_was_made(tmp_path: Path) -> None:
    home = Paths(tmp_path)
    for number, name in enumerate(("older", "newer")):
        (home.datasets / name).mkdir(parents=True)
        os.utime(home.datasets / name, (number, number))
    (home.runs / "r1" / "adapter").mkdir(parents=True)
    assert [filled(word, home) for word in ("NAME", "OTHER", "base,RUN", "NAMELESS")] == ["newer", "older", "base,r1", "NAMELESS"]
