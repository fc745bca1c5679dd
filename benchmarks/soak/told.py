"""What all visitors were told, and what is found in it afterwards: errors, words of others, waits."""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from dataclasses import dataclass, field

PROBLEM = re.compile(r'class="ps-error"[^>]*>(.*?)</div>', re.DOTALL)
TAG = re.compile(r"<[^>]+>")


@dataclass
class Told:
    """Filled by many threads. `counted` are (marker, pair) of votes that were called counted; `waits` are seconds."""

    errors: Counter[str] = field(default_factory=Counter)
    foreign: list[str] = field(default_factory=list)
    counted: set[tuple[str, str]] = field(default_factory=set)
    done: Counter[str] = field(default_factory=Counter)
    waits: dict[str, list[float]] = field(default_factory=dict)
    markers: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, marker: str, what: str, text: str, seconds: float) -> None:
        """One reply to a visitor: every word of another one in it, and every problem that it tells, is noted."""
        others = [f"{what}: {other} at {marker}" for other in self.markers if other != marker and other in text]
        problems = [TAG.sub("", one)[:160] for one in PROBLEM.findall(text)]
        with self._lock:
            self.done[what] += 1
            self.waits.setdefault(what, []).append(seconds)
            self.foreign += others
            self.errors.update(f"{what}: {one}" for one in problems)

    def failed(self, what: str, error: Exception) -> None:
        with self._lock:
            self.errors[f"{what}: {type(error).__name__}: {str(error)[:160]}"] += 1

    def voted(self, marker: str, item: str) -> None:
        with self._lock:
            self.counted.add((marker, item))

    def percentile(self, what: str, share: float) -> float:
        """Seconds within which so large a share of the replies came; nan where there was none."""
        found = sorted(self.waits.get(what, []))
        return found[min(len(found) - 1, math.ceil(share * len(found)) - 1)] if found else float("nan")
