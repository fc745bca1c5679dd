"""A class without a model: services whose host answers at once, phones as programs, and the teacher's stage as a page of its own."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
import httpx

from pipelines.classroom import network
from pipelines.paths import Paths
from studio.access import Access
from studio.classroom import room, teaching
from studio.owning import OWNER
from studio.services import Services
from studio.telling import Studio
from studio.theme import css, theme
from tests.unit.test_asking import Host

SPARE = "198.18.0.1"  # an address that no network uses (RFC 2544)


def services(paths: Paths, access: Access | None = None) -> Services:
    """A studio whose host counts what it streams (`host.read`)."""
    made = Services.create()
    made.paths, made.access, host = paths, access or Access(), Host()
    loaded = made.loaded()
    host.base_print = loaded.fingerprint
    made.host = host  # type: ignore[assignment]
    made.loaded = lambda: loaded  # type: ignore[method-assign]
    return made


@contextmanager
def outer_address() -> Iterator[str]:
    """An address of this machine that is not loopback; where it is in no network, one that is lent to it. "" where neither can be had."""
    found = network.addresses()
    lent = not found and subprocess.run(["ip", "address", "add", f"{SPARE}/32", "dev", "lo"], capture_output=True).returncode == 0
    try:
        yield found[0] if found else SPARE if lent else ""
    finally:
        if lent:
            subprocess.run(["ip", "address", "del", f"{SPARE}/32", "dev", "lo"], capture_output=True)


@contextmanager
def teacher(made: Services) -> Iterator[str]:
    """The teacher's stage on an address of its own."""
    with Studio(title="Teacher") as page:
        owner = gr.BrowserState(**OWNER)
        page.load(**teaching.build(made, owner)["attach"])
    _, url, _ = page.queue().launch(
        prevent_thread_lock=True, quiet=True, ssr_mode=False, server_name="127.0.0.1", server_port=None, theme=theme(), css=css()
    )
    try:
        yield url
    finally:
        page.close(verbose=False)
        room.of(made).close()


class Phone:
    """A student's page as a program: it may send whatever it likes, and keeps every byte that it received."""

    def __init__(self, url: str, query: str = "") -> None:
        self.url, self.session, self.kept = url.rstrip("/"), secrets.token_hex(6), None
        self.http = httpx.Client(timeout=30)
        self.received = self.http.get(f"{self.url}/{query}").raise_for_status().text
        config = self.http.get(f"{self.url}/config").raise_for_status()
        self.received += config.text
        self.config: dict[str, Any] = config.json()
        self.numbers = {str(one["api_name"]): one["id"] for one in self.config["dependencies"]}
        self.page, self.class_id, self.card = "", "", ""

    def load(self) -> str:
        return self._call("look", self.kept)

    def tick(self) -> bool:
        """The look every two seconds; whether the page changed."""
        before = self.page
        self._call("tick", self.kept, None)
        return self.page != before

    def tap(self, act: str, **more: Any) -> str:
        about = {"class": _named(self.page, "class"), "card": _named(self.page, "card")}
        return self._call("tap", self.kept, event={"act": act, **about, **more})

    def join(self, code: str) -> str:
        self.load()
        return self.tap("join", code=code, consent=True, nonce=secrets.token_hex(16))

    def _call(self, name: str, *values: Any, event: Any = None) -> str:
        body = {"fn_index": self.numbers[name], "data": list(values), "session_hash": self.session, "event_data": event}
        self.http.post(f"{self.url}/gradio_api/queue/join", json=body).raise_for_status()
        with self.http.stream("GET", f"{self.url}/gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                self.received += line
                told = json.loads(line[5:]) if line.startswith("data:") else {}
                if told.get("msg") == "process_completed":
                    self._take(told["output"]["data"])
                if told.get("msg") in ("process_completed", "close_stream", "unexpected_error"):
                    break
        return self.page

    def _take(self, data: list[Any]) -> None:
        """Updates that skip a part are small objects that say so."""
        page, kept = data[0], data[1]
        if isinstance(page, str):
            self.page = page
        if isinstance(kept, dict) and "tokens" in kept:
            self.kept = kept


def _named(page: str, name: str) -> str:
    return page.split(f' data-{name}="', 1)[1].split('"', 1)[0] if f' data-{name}="' in page else ""
