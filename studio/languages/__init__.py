"""The page in other languages: a choice in its head, the catalogues for the browser, and the script that says the page's texts in them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.responses import Response

from pipelines.languages.catalogue import catalogues

ROUTE = "/languages/"
GRADIO = gr.I18n(en={"common.complete": "Done"})  # what Gradio tells a screen reader when work has ended, and has in no language
SCRIPT = Path(__file__).parent / "translate.js"


def choice() -> str:
    """The choice of languages as HTML, each by its own name; "" where only English is there."""
    listed = catalogues()
    if not listed:
        return ""
    options = "".join(f'<option value="{one.code}" lang="{one.code}">{escape(one.name)}</option>' for one in listed)
    return (
        f'<select class="ps-language" data-languages="{escape(json.dumps({one.code: _packed(one.code)[0] for one in listed}))}" '
        f'aria-label="Language" translate="no"><option value="en" lang="en">English</option>{options}</select>'
    )


def build(page: gr.Blocks) -> None:
    """Starts the script with the page; `choice` belongs into its head."""
    page.load(None, js=script())


@cache
def script() -> str:
    return SCRIPT.read_text(encoding="utf-8")


@cache
def _packed(code: str) -> tuple[str, bytes]:
    """A catalogue as packed JSON, with a mark that changes with its content. KeyError where there is none."""
    import hashlib

    texts = {one.code: one.texts for one in catalogues()}[code]
    body = json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()
    return hashlib.sha256(body).hexdigest()[:12], gzip.compress(body, mtime=0)


class Served:
    """ASGI middleware that gives a catalogue to the browser; browsers keep it for as long as it is the same."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        _, route, name = scope.get("path", "").rpartition(ROUTE)
        code = name.removesuffix(".json")
        if scope["type"] != "http" or not route or code not in {one.code for one in catalogues()}:
            await self.app(scope, receive, send)
            return
        headers = {"content-encoding": "gzip", "cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
        await Response(_packed(code)[1], media_type="application/json", headers=headers)(scope, receive, send)
