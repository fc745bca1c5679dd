"""With the network cut, everything but Hub and endpoints works, and nothing so much as looks for a way out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.models import prepare
from pipelines.paths import PROJECT, Paths
from tests import cut


def walk(model_home: Paths, folder: Path, *more: str) -> dict[str, Any]:
    home = Paths(folder / "home")
    home.models.mkdir(parents=True)
    prepare.converted_folder(home).symlink_to(prepare.converted_folder(model_home))
    way = [*cut.namespace(), sys.executable, "-m", "tests.api.walk", str(folder), str(home.root), *more]
    done = subprocess.run(way, cwd=PROJECT, capture_output=True, text=True, timeout=380)
    print(done.stderr)
    assert done.returncode == 0, done.stderr[-3000:] + (folder / "printed").read_text()[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def judge(found: dict[str, Any], folder: Path) -> None:
    """All was done, and nothing looked for a way out."""
    said = found["said"]
    print(f"ways out that were looked for: {len(found['looked'])}, packets without a way: {found['lost']}")
    assert found["looked"] == [], [(one["process"], one["to"], one["stack"][-8:]) for one in found["looked"]]
    assert not found["lost"] or not cut.namespace()
    assert said["compare"].count("<article") == 2 and said["mirror"].count("<article") == 4
    assert "Cleaned: " in said["posts"] and "over 192 rows" in said["check"] and "Saved as cut-off" in said["save"]
    assert "Traceback" not in (folder / "printed").read_text() + str(said)


def test_the_main_walk_looks_for_no_way_out(model_home: Paths, tmp_path: Path) -> None:
    judge(walk(model_home, tmp_path), tmp_path)


@pytest.mark.slow
def test_a_training_looks_for_no_way_out_and_what_is_beyond_says_so(model_home: Paths, tmp_path: Path) -> None:
    found = walk(model_home, tmp_path, "long")
    judge(found, tmp_path)
    said, sought = found["said"], {one["to"] for one in found["beyond"]}
    assert "finished" in said["tune"] and {"203.0.113.7", "huggingface.co"} <= sought
    assert "Nothing answers at http://203.0.113.7:8000/v1" in said["endpoint"]
    assert "owner/name could not be opened" in said["hub"] and "Check name" in said["hub"]


def test_the_hook_sees_what_every_process_below_looks_for(tmp_path: Path) -> None:
    code = "import socket, subprocess, sys\n"
    code += "here = socket.create_server(('127.0.0.1', 0))\nassert socket.create_connection(here.getsockname())\n"
    code += "far = \"import socket\\ntry: socket.create_connection(('198.51.100.1', 9), 1)\\nexcept OSError as error: print(error)\"\n"
    code += "subprocess.run([sys.executable, '-c', far])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=cut.environment(tmp_path, tmp_path), capture_output=True, text=True, cwd=PROJECT
    )
    assert "The network is cut" in done.stdout and not done.stderr
    assert [one["to"] for one in cut.attempts(tmp_path)] == ["198.51.100.1"] and os.environ.get(cut.LOG) is None
