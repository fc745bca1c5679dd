"""The last line of every benchmark, and the machine it ran on."""

from __future__ import annotations

import json
import os
import platform
from typing import Any


def machine() -> str:
    """Processor, cores and Python in a few words."""
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as handle:
            name = next((line.split(":", 1)[1].strip() for line in handle if line.startswith("model name")), name)
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def finish(name: str, goal: str, holds: bool, **figures: Any) -> None:
    """Prints the figures as one JSON line."""
    print(json.dumps({"name": name, **figures, "goal": goal, "holds": holds, "machine": machine()}))
