"""How much memory processes take, as the system counts it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def held(processes: Iterable[int]) -> int:
    """Bytes that processes hold (proportional set size, Linux only); what several share is counted once among them."""
    return _total(processes, "Pss:")


def allocated(processes: Iterable[int]) -> int:
    """Bytes of these that lie in no file: what the processes themselves have made. Sharing a library with others does not change it."""
    return _total(processes, "Pss_Anon:")


def _total(processes: Iterable[int], kind: str) -> int:
    total = 0
    for number in processes:
        try:
            rollup = Path(f"/proc/{number}/smaps_rollup").read_text(encoding="utf-8")
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith(kind))
    return total
