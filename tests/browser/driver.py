"""A real studio in a process of its own and a real Chromium, for the walk-through and the screenshots."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.paths import PROJECT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
OPENING = 120_000  # milliseconds to open a page while other studios, and trainers, are busy on the same cores


@contextmanager
def studio(home: Path) -> Iterator[str]:
    """Starts `python app.py` on a free port with its own STUDIO_HOME and yields the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "STUDIO_HOME": str(home), "PORT": str(port), "HOST": "127.0.0.1"}
    process = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        await_studio(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def await_studio(url: str, process: subprocess.Popen[bytes], seconds: float = 150) -> None:
    """Returns when the address answers. Raises RuntimeError where the process ends before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the studio ended with exit code {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=20).read(1)
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the studio did not come up")


@contextmanager
def browser() -> Iterator[Any]:
    """Headless Chromium of this machine."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield Patient(chromium)
        chromium.close()


class Patient:
    """A browser on whose pages nothing is called missing before OPENING has passed: on busy cores everything takes long."""

    def __init__(self, chromium: Any) -> None:
        self.chromium = chromium

    def new_page(self, **options: Any) -> Any:
        page = self.chromium.new_page(**options)
        page.set_default_timeout(OPENING)
        return page

    def new_context(self, **options: Any) -> Any:
        context = self.chromium.new_context(**options)
        context.set_default_timeout(OPENING)
        return context


def open_tab(page: Any, name: str) -> None:
    """Presses a tab; on a narrow screen it may be in the overflow menu."""
    page.get_by_role("tab").first.wait_for(timeout=OPENING)
    tab = page.get_by_role("tab", name=name, exact=True)
    if not tab.is_visible():
        page.locator(".overflow-menu > button").first.click()
        page.locator(".overflow-dropdown button", has_text=name).first.click()
        return
    tab.click()


def open_stage(page: Any, name: str, stages: str = "#stages") -> None:
    """Presses a stage of Curate, such as "5 Check", or of another tab's `stages`."""
    stage = page.locator(stages).get_by_role("tab", name=name, exact=True)
    if not stage.is_visible():
        page.locator(f"{stages} .overflow-menu > button").first.click()
        page.locator(f"{stages} .overflow-dropdown button", has_text=name).first.click()
        return
    stage.click()
