"""How much memory processes take, as the system counts it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def held(processes: Iterable[int]) -> int:
    """Bytes that processes hold (proportional set size, Linux only); what several share is counted once among them."""
    total = 0
    for number in processes:
        try:
            rollup = Path(f"/proc/{number}/smaps_rollup").read_text(encoding="utf-8")
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total
