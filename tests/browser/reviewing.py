"""The studio with reviews in it, in a process that can be killed, and a wire that keeps every byte that goes to a browser."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.comparing.comparison import Turn
from pipelines.paths import PROJECT
from pipelines.review.protocol import Protocol, freeze
from tests import frozen
from tests.browser.driver import await_studio

TUNED, ADAPTER = "quokkatuned", "wombatadapter"
TELLING = {"left": TUNED, "adapter": ADAPTER, "base": "echidnabase", "prints": ("b0b0b0b0b0b0", "f1f1f1f1f1f1")}


def protocol(number: int = 4, **changes: Any) -> Protocol:
    """A frozen review whose column, adapter and base have names that stand nowhere else on a page."""
    design = frozen.design(number, **changes)
    drawn = [*frozen.turns(design), *frozen.second_turns(design)]
    return freeze(design, [(prompt, Turn(turn.question, tuple(map(_renamed, turn.answers)))) for prompt, turn in drawn])


def _renamed(answer: Any) -> Any:
    stamp = replace(answer.stamp, base=TELLING["base"], adapter=ADAPTER if answer.stamp.adapter else "")
    return replace(answer, column=TUNED if answer.column == "left" else answer.column, stamp=stamp)


def telling(made: Protocol) -> set[str]:
    """Whatever would tell a rater something: names, fingerprints, seals, the protocol's hash, how items were made."""
    seals = {one["seal"] for one in made.answers}
    names = {TUNED, ADAPTER, str(TELLING["base"]), *TELLING["prints"]}
    words = {">deliberately biased", ">not tuned", "swapped", "prompt_hash", "template_hash", "base_fingerprint", "flagged", "rater_number"}
    return {*seals, *names, *words, made.hash, made.hash[:16], '"seal', '"stamp'}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start(home: Path, port: int) -> subprocess.Popen[bytes]:
    """The studio in a process of its own, ready to answer."""
    environment = {**os.environ, "STUDIO_HOME": str(home), "PORT": str(port), "HOST": "127.0.0.1"}
    process = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=environment)
    await_studio(f"http://127.0.0.1:{port}", process)
    return process


class Wire:
    """A listener that hands everything on to the studio's port and keeps what comes back."""

    def __init__(self, port: int) -> None:
        self._to, self._parts, self._lock = port, [], threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def received(self) -> str:
        """All that reached the browser, without the marks between chunks, and with JSON's escapes undone."""
        with self._lock:
            streams = [b"".join(part) for part in self._parts]
        texts = [re.sub(rb"\r\n[0-9a-fA-F]+\r\n", b"", one).decode("utf-8", "replace") for one in streams]
        return "\n".join(texts).replace("\\u0022", '"').replace('\\"', '"')

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(("127.0.0.1", self._to)) as far:
            part: list[bytes] = []
            with self._lock:
                self._parts.append(part)
            back = threading.Thread(target=_hand_on, args=(far, near, part.append), daemon=True)
            back.start()
            _hand_on(near, far, lambda data: None, plain=True)
            back.join()


def _hand_on(source: socket.socket, target: socket.socket, keep: Any, plain: bool = False) -> None:
    """`plain` asks the studio for replies that are not compressed, so that they can be read."""
    with suppress(OSError):
        while data := source.recv(65536):
            keep(data)
            target.sendall(re.sub(rb"(?i)\r\naccept-encoding:", b"\r\nx-left-encoding:", data) if plain else data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def wired(port: int) -> Iterator[Wire]:
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()
