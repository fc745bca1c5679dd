"""A studio in a process of its own whose way out is cut: connections to anything but this machine are refused and written down.

Two ways at once. A hook in every Python process below (an audit hook, from a sitecustomize on PYTHONPATH; trainers inherit it) names who
wanted to go where. And, where the system allows it, a network namespace that holds nothing but loopback, which also holds for code that
is not Python, and which counts what had no way out. `python -m tests.cut COMMAND ...` is run inside the namespace: it raises loopback
there and becomes the command.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.paths import PROJECT
from tests.browser.driver import await_studio

LOG = "STUDIO_NETWORK_LOG"
UNSET = ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_ANALYTICS_ENABLED", "TOKENIZERS_PARALLELISM", "GRADIO_TEMP_DIR")
RAISE, FLAGS_OF, UP = 0x8914, 0x8913, 0x1  # SIOCSIFFLAGS, SIOCGIFFLAGS, IFF_UP
HOOK = f"""
import ipaddress, json, os, sys, traceback

def is_here(host):
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(host).split("%")[0])
        return address.is_loopback or address.is_unspecified
    except ValueError:
        return False

def watch(event, values):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        host = values[1][0] if isinstance(values[1], tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = values[0]
    else:
        return
    if not is_here(host):
        told = {{"event": event, "to": str(host), "process": " ".join(sys.argv)[:200], "stack": traceback.format_stack()[-40:-1]}}
        with open(os.environ["{LOG}"], "a") as log:
            log.write(json.dumps(told) + "\\n")
        raise OSError(101, "The network is cut.")

sys.addaudithook(watch)
"""


def environment(folder: Path, home: Path, **more: str) -> dict[str, str]:
    """The environment of a studio whose processes tell of every way out that they look for.

    Proxies, “offline” and what the tests set against telemetry are taken out: app.py has to see to that itself.
    """
    (folder / "sitecustomize.py").write_text(HOOK)
    kept = {name: value for name, value in os.environ.items() if name not in UNSET and not name.lower().endswith("_proxy")}
    paths = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return {**kept, "PYTHONPATH": paths, LOG: str(folder / "network.jsonl"), "STUDIO_HOME": str(home), "HOST": "127.0.0.1", **more}


def attempts(folder: Path) -> list[dict[str, Any]]:
    """Every way out that a process looked for."""
    log = folder / "network.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@contextmanager
def studio(folder: Path, home: Path, **more: str) -> Iterator[str]:
    """Starts app.py with `environment` on a free port; what it prints goes into `folder`/printed. Yields the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "printed").open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=PROJECT, env=environment(folder, home, PORT=str(port), **more),
            stdout=printed, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        await_studio(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def namespace() -> list[str]:
    """What to put before a command so that it runs where there is no network; [] where the system has no such thing for us."""
    unshare = shutil.which("unshare")
    if not unshare:
        return []
    way = [unshare, "-rn", sys.executable, "-m", "tests.cut"]
    tried = subprocess.run([*way, sys.executable, "-c", textwrap.dedent(PROBE)], cwd=PROJECT, capture_output=True)
    return way if tried.returncode == 0 else []


PROBE = """
    import socket
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname(), 2)
"""


def without_route() -> int:
    """How many packets of this namespace had no way out, counted by the kernel."""
    words = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:")]
    newer = dict(line.split() for line in Path("/proc/net/snmp6").read_text().splitlines()) if Path("/proc/net/snmp6").exists() else {}
    return int(dict(zip(*words, strict=True))["OutNoRoutes"]) + int(newer.get("Ip6OutNoRoutes", 0))


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = b"lo".ljust(16, b"\0")
        flags = struct.unpack_from("H", fcntl.ioctl(control, FLAGS_OF, name + bytes(24)), 16)[0]
        fcntl.ioctl(control, RAISE, name + struct.pack("H", flags | UP) + bytes(22))


def wait_until(done: Any, seconds: float) -> None:
    """Raises TimeoutError where `done()` stays false."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.3)


if __name__ == "__main__":
    raise_loopback()
    os.execv(sys.argv[1], sys.argv[1:])
