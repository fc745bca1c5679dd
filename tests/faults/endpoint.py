"""`python tests/faults/endpoint.py PORT HOW` serves chat completions on loopback: "well", or, from the fifth on, "hang", "half" or "garbage"."""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WELL = 4
_COUNT = iter(range(1, 1_000_000))
_LOCK = threading.Lock()


def completion(number: int) -> bytes:
    text = json.dumps({"economic": number % 10, "social": None, "quality": 6, "topic": "trade"})
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}).encode()


class Handler(BaseHTTPRequestHandler):
    how = "well"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with _LOCK:
            number = next(_COUNT)
        content, how = completion(number), self.how if number > WELL else "well"
        if how == "garbage":
            content = b"\x00\xff<html>no JSON at all</html>"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if how in ("well", "garbage") else content[: len(content) // 2])
        self.wfile.flush()
        if how == "hang":
            print("in the middle of a reply", flush=True)
            time.sleep(60)
        if how == "half":
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def main() -> None:
    Handler.how = sys.argv[2]
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
