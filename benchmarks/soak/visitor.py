"""One visitor: a browser's requests without the browser. Everything that is sent bears the visitor's own marker word."""

from __future__ import annotations

import csv
import random
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from gradio_client import Client, handle_file

from benchmarks.soak.told import Told

POLL_SECONDS = 2.0
THINKING = (4.0, 12.0)  # seconds between two acts of one visitor
SHARED_SHARE = 0.3
COMMON = "Should the state or the market decide what rents are?"
ITEM, COUNTED = re.compile(r'data-item="([^"]+)"'), re.compile(r"Counted: pair")
ASKED = re.compile(r'fieldset data-asked="([^"]+)"')
TOKENS = 24


class Visitor:
    """Chats, votes, uploads and polls until it is told to stop. `folder` holds the visitor's own files."""

    def __init__(self, address: str, marker: str, review: str, told: Told, folder: Path, seed: int) -> None:
        self.address, self.marker, self.review, self.told, self.folder = address, marker, review, told, folder
        self.client = Client(address, verbose=False, analytics_enabled=False)
        self.http = httpx.Client(timeout=60)
        self.random = random.Random(seed)
        self.kept: dict[str, Any] = {}
        self.over = threading.Event()
        self.polled = _dependency(self.client.config, "tick", "plot-loss")
        self.pressed = _dependency(self.client.config, "click", "ballot", of="ballot")
        self.threads = [threading.Thread(target=one, daemon=True) for one in (self._act, self._poll)]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(180)

    def _act(self) -> None:
        self._heard("join", self._join)
        while not self.over.is_set():
            what = self.random.choices(["chat", "vote", "upload"], [5, 4, 1])[0]
            self._heard(what, getattr(self, f"_{what}"))
            self.over.wait(self.random.uniform(*THINKING))

    def _poll(self) -> None:
        while not self.over.wait(POLL_SECONDS):
            self._heard("poll", lambda: self._run(self.polled, [None, ["", "", 0, 0, ""]]))

    def _heard(self, what: str, act: Callable[[], str]) -> None:
        begun = time.monotonic()
        try:
            text = act()
        except Exception as error:
            self.told.failed(what, error)
            return
        self.told.heard(self.marker, what, text, time.monotonic() - begun)

    def _chat(self) -> str:
        """A question of the visitor's own, or now and then one that others ask as well."""
        common = self.random.random() < SHARED_SHARE
        question = COMMON if common else f"What does {self.marker} say about {self.random.choice(('rents', 'taxes', 'schools', 'work'))}?"
        job = self.client.submit(question, ["base", "left"], 1.0, 0.3, 0.9, TOKENS, 1, False, "", api_name="/compare")
        last = str(job.result(timeout=600))
        if question not in last or last.count("<article") != 2:
            raise RuntimeError("an answer without its question or its two columns")
        return str(job.outputs())

    def _upload(self) -> str:
        """A file of one's own, opened in Curate."""
        file = self.folder / f"{self.marker}.csv"
        with file.open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows([["text"], *[[f"{self.marker} thinks that matter {n} should be settled."] for n in range(30)]])
        job = self.client.submit(handle_file(str(file)), api_name="/open_file")
        return str(job.result(timeout=600)) + str(job.outputs())

    def _join(self) -> str:
        page = self._press({"act": "join", "review": self.review, "consent": True, "nonce": self.marker.ljust(32, "0")})
        return page + self._press({"act": "begin", "review": self.review})

    def _vote(self) -> str:
        """The next pair, or the first one once more, where all are judged."""
        page = self._press({"act": "look", "review": self.review})
        if not ITEM.search(page):
            page = self._press({"act": "first", "review": self.review})
        item = ITEM.search(page)
        if item is None:
            raise RuntimeError("no pair is shown")
        votes = {asked: self.random.choice(("A", "B", "same", "unsure")) for asked in ASKED.findall(page)}
        said = self._press({"act": "vote", "review": self.review, "item": item[1], "votes": votes, "comment": self.marker})
        if COUNTED.search(said):
            self.told.voted(self.marker, item[1])
        return page + said

    def _press(self, data: dict[str, Any]) -> str:
        """One press on the rater's page; what the browser keeps is kept."""
        page, kept = self._outputs(self.pressed, [self.kept], data)
        if isinstance(kept, dict) and "tokens" in kept:
            self.kept = kept
        return str(page)

    def _run(self, number: int, values: list[Any], event: Any = None) -> str:
        return str(self._outputs(number, values, event))

    def _outputs(self, number: int, values: list[Any], event: Any = None) -> list[Any]:
        """What the server answers to an event that its page sends without the queue."""
        sent = {"fn_index": number, "data": values, "event_data": event, "session_hash": self.client.session_hash}
        reply = self.http.post(f"{self.address}/gradio_api/run/predict", json=sent)
        reply.raise_for_status()
        return list(reply.json()["data"])

    def close(self) -> None:
        """The page is closed."""
        with suppress(Exception):
            self.client.close()
        self.http.close()


def _dependency(config: dict[str, Any], event: str, output: str, of: str = "") -> int:
    """The number of the event that fills the component of that elem_id (and is one of `of`)."""
    names = {part["id"]: part["props"].get("elem_id") for part in config["components"]}
    for one in config["dependencies"]:
        ours = any(kind == event and (not of or names.get(target) == of) for target, kind in one["targets"])
        if ours and output in [names.get(part) for part in one["outputs"]]:
            return int(one["id"])
    raise SystemExit(f"the page has no event {event} that fills {output}")
