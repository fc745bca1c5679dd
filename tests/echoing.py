"""A server on loopback that fails in every way an endpoint or the Hub can, and repeats whatever it was sent: headers, and so the key."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAYS = ("refused", "unknown", "wrong", "broken", "garbage", "half", "parrot", "redirect")


class _Echoing(BaseHTTPRequestHandler):
    """The first part of the path says how: /refused/v1/chat/completions answers 401. What is none of WAYS is the Hub, which says 403."""

    seen: list[str] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_GET

    def _answer(self) -> None:
        said = " ".join(f"{name}: {value}" for name, value in self.headers.items())
        self.seen.append(self.headers.get("authorization", ""))
        way = self.path.split("/")[1]
        status = {"refused": 401, "unknown": 404, "wrong": 400, "broken": 500, "redirect": 307}.get(way, 200 if way in WAYS else 403)
        body = {
            "garbage": f"<html>{said}".encode(),
            "half": f'{{"choices": [{{"message": "{said}'.encode(),
            "parrot": _completion(said),
        }.get(way) or json.dumps({"error": {"message": f"you sent {said}", "type": said, "headers": dict(self.headers)}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-should-retry", "false")
        self.send_header("X-Error-Message", f"You sent {said}"[:400])
        if way == "redirect":
            self.send_header("Location", f"/refused/{self.headers.get('authorization', '')}")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _completion(text: str) -> bytes:
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "any", "choices": [choice]}).encode()


@contextmanager
def server() -> Iterator[tuple[str, list[str]]]:
    """Yields the address and the list of the Authorization headers that came."""
    _Echoing.seen = []
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Echoing)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{made.server_port}", _Echoing.seen
    finally:
        made.shutdown()
