"""The real studio and the real trainer, killed with -9."""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.paths import PROJECT, file_hash
from pipelines.review.ballots import Box
from pipelines.tuning import runs
from pipelines.tuning.training import journal
from tests.faults import making
from tests.faults.fault import Fault, Scene, digest
from tests.faults.making import ALL_A, PROTOCOL, ballots, confirm_ballots
from tests.tiny import make_tiny_model

RATERS, BEFORE_THE_KILL = 4, 24
ITEM = re.compile(r'data-item="([^"]+)"')


@contextmanager
def app(scene: Scene) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`python app.py` on this studio's home, with a tiny model; killed at the latest at the end."""
    model = scene.folder / "model"
    if not model.exists():
        make_tiny_model(model)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    more = {"HOST": "127.0.0.1", "PORT": str(port), "STUDIO_HOME": str(scene.paths.root), "STUDIO_MODEL": str(model)}
    with (scene.folder / "terminal.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env={**os.environ, **more}, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _await(f"{address}/config", process, scene)
        yield address, process
    finally:
        process.kill()
        process.wait(20)


def _await(address: str, process: subprocess.Popen[bytes], scene: Scene) -> None:
    end = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).read(1)
            return
        except OSError:
            log = (scene.folder / "terminal.log").read_text(errors="replace")
            assert process.poll() is None and time.monotonic() < end, log[-2000:]
            time.sleep(0.1)


@cache
def pressed(address: str) -> int:
    """The number of the event of a press on the rater's page."""
    with urllib.request.urlopen(f"{address}/config", timeout=20) as reply:
        config = json.load(reply)
    names = {part["id"]: part["props"].get("elem_id") for part in config["components"]}
    clicks = (
        one["id"] for one in config["dependencies"] if any(kind == "click" and names.get(of) == "ballot" for of, kind in one["targets"])
    )
    return next(clicks)


@dataclass
class Rater:
    """A browser that votes, without the browser. `counted` are the pairs that the page called counted."""

    address: str
    review: str
    kept: dict[str, Any]
    counted: list[str] = field(default_factory=list)
    page: str = ""

    def press(self, **data: Any) -> str:
        sent = {
            "fn_index": pressed(self.address),
            "data": [self.kept],
            "event_data": {"review": self.review, **data},
            "session_hash": secrets.token_hex(6),
        }
        request = urllib.request.Request(
            f"{self.address}/gradio_api/run/predict", json.dumps(sent).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as reply:
            page, kept = json.load(reply)["data"]
        if isinstance(kept, dict) and "tokens" in kept:
            self.kept = kept
        self.page = str(page)
        return self.page

    def join(self) -> None:
        self.press(act="join", consent=True, nonce=secrets.token_hex(16))
        self.press(act="begin")

    def vote(self) -> None:
        """One vote; counted is what the page says so."""
        found = ITEM.search(self.page)
        assert found, self.page[:500]
        if "Counted" in self.press(act="vote", item=found[1], votes=ALL_A):
            self.counted.append(found[1])

    def vote_on(self) -> None:
        """Votes until nobody answers any more, or all is judged."""
        try:
            while ITEM.search(self.page) and len(self.counted) < len(PROTOCOL.items):
                self.vote()
        except OSError:
            pass


def _studio(scene: Scene) -> Iterator[None]:
    making.version(scene)
    review_id = Box(scene.paths.reviews).open_review(PROTOCOL)
    with app(scene) as (address, process):
        raters = [Rater(address, review_id, {}) for _ in range(RATERS)]
        for one in raters:
            one.join()
        voting = [threading.Thread(target=one.vote_on) for one in raters]
        for thread in voting:
            thread.start()
        end = time.monotonic() + 60
        while sum(len(one.counted) for one in raters) < BEFORE_THE_KILL and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        for thread in voting:
            thread.join(60)
    told = {(Box(scene.paths.reviews).who(one.kept["tokens"][review_id])[1], item) for one in raters for item in one.counted}
    there = set(ballots(scene.paths))
    assert len(told) >= BEFORE_THE_KILL and told <= there, "a ballot that a page called counted is gone"
    assert len(there) <= len(told) + RATERS, "ballots were doubled"
    confirm_ballots(scene)
    scene.tell(lambda: f"{len(told)} ballots were called counted. {_doctor(scene)}")
    yield
    with app(scene) as (address, _):
        for one in raters:
            one.address = address
            one.press(act="look")
            one.vote()
        scene.goes_on("started again, every rater votes on where they were", all("Counted" in one.page for one in raters))
        scene.goes_on("no ballot was doubled", len(ballots(scene.paths)) == len(there) + RATERS)


def _doctor(scene: Scene) -> str:
    """What `python -m pipelines doctor --repair` prints."""
    command = [sys.executable, "-m", "pipelines", "doctor", "--repair"]
    done = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, "STUDIO_HOME": str(scene.paths.root)}, capture_output=True, text=True, timeout=120
    )
    return next(line for line in done.stdout.splitlines() if "ballots" in line)


def _trainer(scene: Scene) -> Iterator[None]:
    from tests.model import test_training as training

    making.version(scene)
    tiny = make_tiny_model(scene.folder / "model")
    whole, broken = (training.make(scene.paths, tiny, max_steps=40, save_every=4, sample_every=50) for _ in range(2))
    assert runs.launch(whole, scene.paths).wait(120) == 0
    process = runs.launch(broken, scene.paths)
    training.wait_for_step(broken, 6)
    time.sleep(random.uniform(0, 0.3))
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    assert broken.state in ("interrupted", "finished")
    kept = journal.folder_of(broken, journal.kept_steps(broken)[0])
    scene.confirm("its first checkpoint", lambda: digest(kept))
    scene.confirm("the run before it", lambda: digest(whole.folder))
    scene.tell(lambda: f"The run is {broken.state}.")
    yield
    if broken.state != "finished":
        assert runs.launch(broken, scene.paths).wait(120) == 0, broken.log_tail()
    weights = [file_hash(Path(run.adapter) / journal.WEIGHTS) for run in (whole, broken)]
    scene.goes_on("it goes on and ends with the same adapter to the last bit", weights[0] == weights[1])


FAULTS = [
    Fault("kill -9 of the real studio while votes arrive", _studio, "ballots were called counted"),
]
SLOW = [
    Fault(
        "kill -9 of the real trainer at a random moment (more of it in tests/model/test_survival.py)",
        _trainer,
        "The run is interrupted",
        "run ",
    ),
]
