"""What stands before all of Gradio's routes: no file goes out that was not laid out, none comes in that nothing here reads.

By itself Gradio gives any upload to whoever knows its path, fetches addresses that a request names as a file, and takes whatever has a
name. What the guard lets through passes Gradio's own checks as well.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse

from pipelines.corpus.sources.packed import megabytes
from studio import languages
from studio.files import Passing, Refused

# Gradio packs by Brotli alone, which browsers take only over https. The page is 1.4 MB of text: on a class's network a tenth of that.
PACKED = Middleware(GZipMiddleware, minimum_size=8_000, compresslevel=4)
MOST_EVENT, MOST_DRAINED = 32 << 20, 8 << 20
API = "/gradio_api/"
FILE = ("file=", "file/")
# Gradio's ways to fetch for a visitor, to store a page's state in a served folder, or to keep what was asked: none is used here.
CLOSED = (
    "proxy=", "deep_link", "run-history", "runs", "component_server", "custom_component", "process_recording", "stream/", "vibe-", "dev/",
)  # fmt: skip
# An answer, a row or a name may hold a picture's address: the browser does not fetch it, nor tells any address where it was followed from.
HEADERS = (
    (b"content-security-policy", b"img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
     b"connect-src 'self' data: blob:; object-src 'none'; form-action 'self'"),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
)  # fmt: skip
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def launch_options(passing: Passing, home: Path) -> dict[str, Any]:
    """What Gradio is launched with: pages packed, the guard, nothing from below `home`, nothing kept of what visitors ask, no second server."""
    return {
        "app_kwargs": {"middleware": [PACKED, Middleware(Guard, passing=passing), Middleware(languages.Served)]},
        "blocked_paths": [str(home)],
        "max_file_size": passing.most_bytes or None,
        "i18n": languages.GRADIO,
        **dict.fromkeys(("run_history", "mcp_server", "enable_monitoring", "share", "show_error"), False),
        "num_workers": 0,
    }


class Guard:
    """The ASGI middleware."""

    def __init__(self, app: Any, passing: Passing) -> None:
        self.app, self.passing = app, passing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def dressed(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
            await send(message)

        try:
            await self._checked(scope, receive, dressed)
        except Refused as refused:
            await PlainTextResponse(f"{refused}\n", refused.status)(scope, receive, dressed)  # type: ignore[arg-type]

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises Refused before anything was sent."""
        scope["app"].uploaded_file_dir = str(self.passing.uploads)
        _, _, route = scope["path"].partition(API)
        if scope["path"].startswith("/pwa_icon/"):  # drawn anew in any size that is asked for
            raise Refused(404, "There is no such picture.")
        if route.startswith(CLOSED) or (route.startswith(FILE) and not self.passing.given(route[len(FILE[0]) :])):
            raise Refused(404, "There is no such file here, or none that the studio gives out.")
        if route.rstrip("/") == "upload":
            await self._upload(scope, receive, send)
        elif scope["method"] == "POST":
            await self.app(scope, await _read_ahead(receive), send)
        else:
            await self.app(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets Gradio store the files and looks at them before their paths are told."""
        declared = dict(scope["headers"]).get(b"content-length", b"")
        try:
            self.passing.refuse(int(declared) if declared.isdigit() else None)
        except Refused:
            await _drain(receive)
            raise
        answer: list[dict[str, Any]] = []

        async def keep(message: dict[str, Any]) -> None:
            answer.append(message)

        await self.app(scope, receive, keep)
        if answer and answer[0].get("status") == 200:
            self.passing.refuse_unfit(json.loads(b"".join(message.get("body", b"") for message in answer[1:])))
        for message in answer:
            await send(message)


async def _read_ahead(receive: Receive) -> Receive:
    """A request's body, read whole. Raises Refused where it is too large or has an address in a file's place."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), message.get("more_body", False)
        if size > MOST_EVENT:
            raise Refused(413, f"A request has at most {megabytes(MOST_EVENT)}. Shorten what is on the page.")
    body = b"".join(parts)
    if names_address(body):
        raise Refused(400, "A file is taken from your own machine, never from an address. Upload it on the page.")
    unread = [message if more else {"type": "http.request", "body": body, "more_body": False}]

    async def again() -> dict[str, Any]:
        return unread.pop() if unread else await receive()

    return again


def names_address(body: bytes) -> bool:
    """Whether JSON names a web address where Gradio expects a file, which it would then fetch on somebody's behalf."""
    if not any(mark in body for mark in (b"FileData", rb"\u", b"\0")):  # escapes and UTF-16 could hide the word
        return False
    try:
        left = [json.loads(body)]
    except RecursionError:
        return True
    except ValueError:  # no JSON: refused further on
        return False
    while left:
        one = left.pop()
        if isinstance(one, dict):
            path = one.get("path")
            if isinstance(path, str) and path.strip().lower().startswith(("http:", "https:")):
                return True
            left += one.values()
        elif isinstance(one, list):
            left += one
    return False


async def _drain(receive: Receive) -> None:
    """Reads a little of what is refused: who is still sending would see a broken connection instead of the sentence."""
    size, more = 0, True
    while more and size < MOST_DRAINED:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
