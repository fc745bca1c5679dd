"""Who gets the processor's cores: whoever computes says so in a file, and each takes its part while others say so too.

Two processes with as many threads each as there are cores slow each other down manifold, since a product waits for its slowest thread
(`python -m benchmarks.together` shows it).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

FRESH = 5.0  # seconds for which a word counts
OLD = 60.0  # seconds after which it was said by a process that is gone
AGAIN = 1.0  # seconds after which it is said again


@cache
def total() -> int:
    """Threads that torch takes by itself, as it was set up when the process began."""
    import torch

    return torch.get_num_threads()


class Cores:
    """One kind of work, such as "training" or the answers of one process, among those that share a STUDIO_HOME."""

    def __init__(self, root: Path, kind: str) -> None:
        self.folder, self.kind, self._said = root / "busy", kind, 0.0

    def say(self) -> None:
        """Says that this kind is at work; nothing is written again within a second. A disk that can't be written to costs speed alone."""
        now = time.monotonic()
        if now - self._said < AGAIN:
            return
        self._said = now
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / self.kind).touch()

    def others(self) -> int:
        """How many other kinds are at work."""
        try:
            ages = {file: time.time() - file.stat().st_mtime for file in self.folder.iterdir() if file.name != self.kind}
        except OSError:  # also where one ended just now; it is asked again soon
            return 0
        for file in (file for file, age in ages.items() if age > OLD):
            with suppress(OSError):
                file.unlink()
        return sum(abs(age) < FRESH for age in ages.values())

    def take(self) -> int:
        """Says it and sets the calling thread's share of the cores, which is returned: at least one."""
        import torch

        self.say()
        share = max(1, total() // (1 + self.others()))
        torch.set_num_threads(share)
        return share

    @contextmanager
    def held(self) -> Iterator[None]:
        """Goes on saying it from a thread of its own, for work whose parts take longer than a word counts."""
        over = threading.Event()

        def repeat() -> None:
            while not over.wait(AGAIN):
                self.say()

        self.say()
        thread = threading.Thread(target=repeat, daemon=True, name=f"busy-{self.kind}")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self._said = 0.0
            with suppress(OSError):
                (self.folder / self.kind).unlink(missing_ok=True)
