"""Hostile texts, and how a page is searched for what they did: code that ran, elements of theirs, calls to elsewhere, a layout that broke."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ELSEWHERE = "elsewhere.invalid"
TALL = "Z" + "\u0335\u0341\u030d\u0321" * 15  # a tower of combining marks
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
HIDDEN = "\u202ereversed\u202c \u2066\u200b\ufeff"
LONG = "W" * 10_000
CELL = f'=HYPERLINK("https://{ELSEWHERE}","{"press":>40}")'
WIDTHS, SETTLING = (1400, 400), 250  # pixels, and milliseconds that plots take to follow a new width

# Each would leave an element of class "pwn", set window.__pwned, open a dialog, call elsewhere, be computed or stand out of the page.
VECTORS = (
    '"><img src=x class=pwn onerror="__pwned=\'PLACE\'">',
    "'><svg class=pwn onload=\"__pwned='PLACE'\"></svg>",
    "</textarea></title></style></script><script class=pwn>__pwned='PLACE'; alert(1)</script>",
    "<iframe class=pwn srcdoc=\"<script>parent.__pwned='PLACE'</script>\"></iframe>",
    "<a class=pwn href=\"javascript:__pwned='PLACE'\">press</a> [press](javascript:__pwned=1)",
    f"![see](https://{ELSEWHERE}/a.png) \\<img class=pwn src=https://{ELSEWHERE}/b.png\\> \\[out\\](https://{ELSEWHERE}/c)",
    f'<a href="https://{ELSEWHERE}/d" target=_top>out</a><b class=pwn>bold</b><br class=pwn>',
    "&lt;img src=x class=pwn onerror=__pwned=1&gt; &#60;b class=pwn&#62;bold&#60;/b&#62;",
    "{{7777*7}} ${__pwned='PLACE'} {{constructor.constructor('__pwned=1')()}} {{#each x}} @children %{x}",
    f"<style class=pwn>body{{display:none}}</style><base class=pwn href=https://{ELSEWHERE}/><meta class=pwn http-equiv=refresh content=0>",
    f"<form class=pwn action=https://{ELSEWHERE}><input class=pwn autofocus onfocus=\"__pwned='PLACE'\"></form>",
    f'" style="position:fixed;inset:0" class="pwn" onmouseover="__pwned=1" --><!-- ]]> =HYPERLINK("https://{ELSEWHERE}","PLACE")',
    "$$\\href{javascript:__pwned=1}{x}\\rule{9000em}{9000em}$$ ``` | a | b | \\` # **bold**",
)
COMPUTED = "54439"  # 7777 * 7
SHORT = "<img src=x class=pwn onerror=__pwned=1>"
FOUND_JS = """() => ({
  ran: window.__pwned === undefined ? null : String(window.__pwned),
  theirs: [...document.querySelectorAll(
    '.pwn, img[src=x], iframe[srcdoc], [onerror], [onload], [onfocus], [onmouseover], [href^="javascript:" i], '
    + 'svg a, a[href^="https://ELSEWHERE"], img[src*="ELSEWHERE"], form[action*="ELSEWHERE"], .error-component-name')]
    .filter(one => !one.textContent.startsWith('https://ELSEWHERE')).map(one => one.outerHTML.slice(0, 300)),  // a bare address that opens itself is honest
  computed: document.body.innerText.includes("COMPUTED"),
  wide: document.documentElement.scrollWidth - window.innerWidth,
  widest: document.documentElement.scrollWidth <= window.innerWidth + 1 ? [] : [...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > window.innerWidth + 1).slice(0, 8)
    .map(one => one.tagName + '#' + one.id + '.' + one.className + ' in #' + (one.parentElement.closest('[id]') || {}).id),
})""".replace("ELSEWHERE", ELSEWHERE).replace("COMPUTED", COMPUTED)
SHOWN_JS = """() => document.body.innerText + '\\n' + [...document.querySelectorAll('input, textarea')].map(one => one.value).join('\\n')"""


def marker(place: str) -> str:
    """The word by which a place's text is found again on a page."""
    return f"zq-{place}-zq"


def text(place: str, longest: int = 600, hidden: bool = True) -> str:
    """A text of at most `longest` characters that begins with the place's marker: as many of the vectors as fit, others at other places.

    Without `hidden` it has no characters that can't be seen, which some forms refuse.
    """
    first = sum(map(ord, place)) % len(VECTORS)
    parts = [one.replace("PLACE", place) for one in (*VECTORS[first:], *VECTORS[:first])]
    made = marker(place)
    for one in (SHORT, *([HIDDEN] if hidden else []), TALL, FAMILY if hidden else "", *parts):
        if len(made) + 1 + len(one) <= longest:
            made += f" {one}".rstrip()
    room = longest - len(made) - 1
    return f"{made} {LONG[:room]}" if room > 40 else made


def line(place: str, longest: int = 80) -> str:
    """A short text for a title: the marker, an image that would run code, and letters without a space as far as there is room."""
    return f"{marker(place)} {SHORT}"[:longest].ljust(min(longest, 120), "W")


@contextmanager
def endpoint(words: str) -> Iterator[str]:
    """The address of a server on this machine that refuses every request with these words."""

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps({"error": {"message": words}}).encode()
            self.send_response(400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Watch:
    """A page that notes whatever a hostile text does beside showing."""

    page: Any
    origin: str
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("dialog", self._dialog)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)[:300]))
        self.page.on("request", lambda request: self._call(request.url))
        self.page.on("framenavigated", lambda frame: self._call(frame.url))

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _call(self, url: str) -> None:
        if not url.startswith((self.origin, "data:", "blob:", "about:")):
            self.calls.append(url)

    def check(self, *places: str, where: str) -> None:
        """That at both widths nothing ran, nothing of the texts became an element, the page fits, and these places' texts can be read."""
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.wait_for_timeout(SETTLING)
            self._check(f"{where} ({width} px)", self.page.evaluate(FOUND_JS), places)
        self.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        self.page.wait_for_timeout(SETTLING)

    def _check(self, at: str, found: dict[str, Any], places: Sequence[str]) -> None:
        assert found["ran"] is None, f"{at}: code of “{found['ran']}” ran"
        assert not found["theirs"], f"{at}: {found['theirs']}"
        assert not found["computed"], f"{at}: a template was computed"
        assert not self.dialogs and not self.errors and not self.calls, f"{at}: {self.dialogs} {self.errors} {self.calls}"
        assert found["wide"] <= 1, f"{at}: {found['wide']} px too wide: {found['widest']}"
        shown = self.page.evaluate(SHOWN_JS)
        missing = [place for place in places if marker(place) not in shown]
        assert not missing, f"{at}: nothing is shown of {missing}"
