"""An annotation endpoint in a process of its own: killed in mid-reply, hanging, replying with halves or garbage."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipelines.corpus.annotate.endpoint import EndpointAnnotator
from pipelines.endpoints.chat import ChatClient
from pipelines.endpoints.replies import Replies
from tests.faults import endpoint, making
from tests.faults.endpoint import WELL
from tests.faults.fault import Fault, Scene

POSTS = tuple(f"Post number {number} about trade." for number in range(12))


@dataclass
class Server:
    process: subprocess.Popen[str]
    port: int

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)


@contextmanager
def serving(how: str, port: int = 0) -> Iterator[Server]:
    command = [sys.executable, endpoint.__file__, str(port), how]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield Server(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()


def annotator(scene: Scene, port: int, timeout_s: float = 1.0) -> EndpointAnnotator:
    client = ChatClient(
        f"http://127.0.0.1:{port}/v1", "m", cache_folder=scene.paths.replies, concurrency=1, retries=0, timeout_s=timeout_s
    )  # fmt: skip
    return EndpointAnnotator(client, "{text}")


def stored(scene: Scene) -> tuple[Any, ...]:
    """All replies in the store."""
    with Replies(scene.paths.replies) as store:
        return tuple(store._file.execute("SELECT key, text, cut FROM replies ORDER BY key").fetchall())


def confirm_replies(scene: Scene, count: int) -> None:
    there = set(stored(scene))
    assert len(there) == count
    scene.confirm(f"{count} replies that were paid for", lambda: there & set(stored(scene)))


def _goes_on(scene: Scene, port: int) -> Iterator[None]:
    """The doctor comes; then the endpoint is back and only asked for the rest."""
    before = len(stored(scene))
    yield
    with serving("well", port) as back:
        again = annotator(scene, back.port)
        plan = again.estimate(POSTS)
        assert plan.cached == before and plan.calls == len(POSTS) - before
        scene.goes_on(f"only the other {plan.calls} are asked again", not [one for one in again.annotate(POSTS) if one.problem])


def _in_the_middle(server: Server) -> None:
    """Kills the server once it has said that half of a reply is on its way."""
    assert server.process.stdout
    if server.process.stdout.readline():
        server.kill()


def _killed(scene: Scene) -> Iterator[None]:
    making.version(scene)
    with serving("hang") as server:
        threading.Thread(target=_in_the_middle, args=(server,), daemon=True).start()
        scene.tell(lambda: annotator(scene, server.port, timeout_s=30).annotate(POSTS))
    confirm_replies(scene, WELL)
    yield from _goes_on(scene, server.port)


def _problems(scene: Scene, how: str) -> Iterator[None]:
    making.version(scene)
    with serving(how) as server:
        few = annotator(scene, server.port, timeout_s=0.4).annotate(POSTS[:6])
        scene.tell(lambda: next(one.problem for one in few if one.problem))
        assert [bool(one.problem) for one in few] == [False] * WELL + [True] * 2
        scene.tell(lambda: annotator(scene, server.port, timeout_s=0.4).annotate(POSTS))
    confirm_replies(scene, WELL)
    yield from _goes_on(scene, server.port)


FAULTS = [
    Fault("kill -9 of the annotation endpoint in the middle of a reply", _killed, "Nothing answers at"),
    Fault("the annotation endpoint hangs", lambda scene: _problems(scene, "hang"), "did not reply in time"),
    Fault("the annotation endpoint drops half of its replies", lambda scene: _problems(scene, "half"), "the connection broke off"),
    Fault("the annotation endpoint replies with garbage", lambda scene: _problems(scene, "garbage"), "the endpoint's reply"),
]
