"""How the command line speaks: one JSON value or text on standard output, progress on standard error."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any


def out(options: argparse.Namespace, value: Any, text: str) -> None:
    """Prints `value` as JSON with --json, else `text`."""
    print(json.dumps(value, ensure_ascii=False) if options.json else text)


def progress(fraction: float, text: str) -> None:
    """One line of progress; `fraction` in 0..1."""
    print(f"[{fraction:4.0%}] {text}", file=sys.stderr, flush=True)
