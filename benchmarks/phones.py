"""A student's phone as a program, without a browser: it joins a class, looks every two seconds and taps."""

from __future__ import annotations

import json
import secrets
from typing import Any

import httpx


class Phone:
    """A student's page as a program: it may send whatever it likes, and keeps every byte that it received."""

    def __init__(self, url: str, query: str = "") -> None:
        self.url, self.session = url.rstrip("/"), secrets.token_hex(6)
        self.kept: dict[str, Any] | None = None
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
        about = {"class": named(self.page, "class"), "card": named(self.page, "card")}
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


def named(page: str, name: str) -> str:
    """The value of the first data attribute of that name in a page; "" where there is none."""
    return page.split(f' data-{name}="', 1)[1].split('"', 1)[0] if f' data-{name}="' in page else ""
