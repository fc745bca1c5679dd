"""What this machine has: cores, free memory, a graphics card, and how fast it multiplies. No model is touched."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

SIDE = {"cpu": 1024, "cuda": 4096}
PROBE_SECONDS, RENEW_SECONDS = 0.2, 600
best: dict[str, float] = {}


@dataclass(frozen=True)
class Machine:
    """The facts that a tuning run depends on; made up by hand in tests.

    `cores` are the threads that torch would take; `free_memory` and `cuda_memory` are free bytes (None: no NVIDIA GPU that
    torch can use); `gflops` is the speed of a square matrix product on the device that would train, in 10^9 operations a
    second (fp32 on a CPU, bf16 on a GPU).
    """

    cores: int
    free_memory: int
    cuda_memory: int | None = None
    bitsandbytes: bool = False
    gflops: float = 50.0

    @property
    def device(self) -> str:
        return "cpu" if self.cuda_memory is None else "cuda"


def this_machine() -> Machine:
    """The facts of the machine this runs on; its speed is measured in 0.2 s, every ten minutes at most."""
    import torch

    graphics = _cuda_memory()
    speed = _speed("cpu" if graphics is None else "cuda")
    return Machine(torch.get_num_threads(), free_memory(), graphics, find_spec("bitsandbytes") is not None, speed)


def free_memory() -> int:
    """Bytes a new process can take: what the system calls available, or less where a control group sets a limit."""
    import psutil

    return min([int(psutil.virtual_memory().available), *cgroup_rooms()])


def cgroup_rooms(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> list[int]:
    """Bytes that each control group of this process still allows, in versions 1 and 2; empty where none sets a limit.

    Cached files that nobody used lately count as free: the kernel gives them up first. In a container the process's
    group is often the mounted root itself, so every folder up to the root is asked.
    """
    names = {
        "": ("memory.max", "memory.current", "inactive_file"),
        "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    }
    return [room for kind, folder in _groups(root, own) if (room := _room(folder, *names[kind])) is not None]


def _groups(root: Path, own: Path) -> Iterator[tuple[str, Path]]:
    """Folders of the process's memory groups, from its own to the top; "" is version 2, "memory" version 1."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, place = line.split(":", 2)
        kind = "memory" if "memory" in controllers.split(",") else ""
        if controllers and not kind:
            continue
        top = root / kind
        folder = top / place.lstrip("/")
        while folder.is_relative_to(top):
            yield kind, folder
            folder = folder.parent


def _room(folder: Path, limit: str, usage: str, cached: str) -> int | None:
    try:
        allowed, used = int((folder / limit).read_text()), int((folder / usage).read_text())
        figures = dict(line.split(" ", 1) for line in (folder / "memory.stat").read_text().splitlines())
        return max(0, allowed - used + int(figures.get(cached, 0)))
    except (OSError, ValueError):  # no such file, or "max"
        return None


def free_disk(folder: Path) -> int:
    """Free bytes on the disk where a folder lies or would lie."""
    folder = folder.absolute()
    return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free


def _cuda_memory() -> int | None:
    import torch

    try:
        return int(torch.cuda.mem_get_info()[0]) if torch.cuda.is_available() else None
    except RuntimeError:  # a driver that answers but can't be used
        return None


def _speed(device: str) -> float:
    """The best speed seen so far: a machine that was busy for a while, perhaps with a run, is not slow for good."""
    best[device] = max(best.get(device, 0.0), _gflops(device, int(time.monotonic() // RENEW_SECONDS)))
    return best[device]


@lru_cache(maxsize=4)
def _gflops(device: str, _period: int) -> float:
    """Speed of the fastest matrix product (2 n^3 operations) within 0.2 s, in 10^9 operations a second."""
    import torch

    side = SIDE[device]
    matrix = torch.randn(side, side, device=device, dtype=torch.float32 if device == "cpu" else torch.bfloat16)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    times: list[float] = []
    while sum(times) < PROBE_SECONDS or len(times) < 3:
        begun = time.perf_counter()
        matrix @ matrix
        wait()
        times.append(time.perf_counter() - begun)
    return 2 * side**3 / min(times) / 1e9
