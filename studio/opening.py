"""Waits for the studio and opens it in the browser: what the files for a double click start beside `app.py`."""

from __future__ import annotations

import os
import sys
import time
import urllib.request
import webbrowser

MARKS = (b"PoliTune", b"This studio is for a class or a group")  # the page, or what stands before it where people sign in
PATIENCE = 180.0  # seconds; the first start of a cold machine imports for a while


def address() -> str:
    """Where this computer reaches the studio that HOST and PORT describe."""
    host = os.environ.get("HOST", "127.0.0.1")
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::', '') else host}:{os.environ.get('PORT', '7860')}"


def answers(url: str) -> bool:
    """Whether the studio, and not another program, answers there."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2) as page:
            found = page.read(1 << 20)
            return any(mark in found for mark in MARKS)
    except (OSError, ValueError):
        return False


def main(patience: float = PATIENCE) -> int:
    """Opens the browser once the page is there; 1 where it never came."""
    url, end = address(), time.monotonic() + patience
    while time.monotonic() < end:
        if answers(url):
            webbrowser.open(url)
            return 0
        time.sleep(0.5)
    print(f"The studio did not answer on {url}. What went wrong stands above.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
