"""A studio in a process of its own, as `make run` starts it, for whatever is measured from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from pipelines.models import prepare
from pipelines.paths import PROJECT, Paths

SECONDS_TO_START = 120.0


@contextmanager
def served(
    terminal: IO[bytes] | int = subprocess.DEVNULL, pause: float = 0.3, **settings: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a studio on a free port of this machine, once its page is served, and its process.

    `terminal` takes what it prints, `pause` is the seconds between two looks for the page, `settings` go into its environment.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port), **settings}
    process = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=environment, stdout=terminal, stderr=_errors(terminal))
    try:
        _await(f"http://127.0.0.1:{port}/", process, pause)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait()


def _errors(terminal: IO[bytes] | int) -> IO[bytes] | None:
    """Errors go where the rest goes, but are seen where the rest is not wanted."""
    return None if isinstance(terminal, int) else terminal


def _await(address: str, process: subprocess.Popen[bytes], pause: float) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).read(1)
            return
        except OSError:
            time.sleep(pause)
    raise SystemExit("the studio did not start")


def link_model(home: Paths) -> None:
    """Lends a new STUDIO_HOME the model that was prepared in the user's own."""
    home.models.mkdir(parents=True)
    prepare.converted_folder(home).symlink_to(prepare.converted_folder(Paths.from_environment()))
