"""Who made what: drafts, prompt sets and measured results are their maker's, and nobody else sees, opens, changes or deletes them here.

A browser keeps a code, the studio only a hash of it, in a file beside or in what was made. What bears no such file, as from the command
line, belongs to the computer on which the studio runs, which may also be shown everything.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.errors import StudioError
from pipelines.marks import FILE as FILE
from pipelines.marks import MARK, SHARED, beside
from pipelines.paths import write_text
from studio.services import Services

OWNER: dict[str, Any] = {"default_value": "", "storage_key": "politune-owner", "secret": "politune-studio"}
IS_KEPT = f"(code, there, me) => [code, localStorage.getItem('{OWNER['storage_key']}') !== null, me]"
FORWARDED = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-real-ip", "via", "cf-connecting-ip"}
OWN_HOST = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
UNREADABLE = "?"
NOT_YOURS = StudioError(
    "This was made in another browser.",
    "Use that one. At the computer on which the studio runs, tick “Show what others made” at the foot of the page.",
)
QUIETLY: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class Me:
    """What is remembered of a page while it is open: its browser's code, and whether it asked for what others made."""

    code: str = ""
    everything: bool = False


@dataclass(frozen=True)
class Who:
    """Whoever sits at a page: the code that their browser keeps, and whether it is the computer on which the studio runs.

    `everything` is whether they are shown what others made, which only that computer can be.
    """

    code: str = ""
    home: bool = False
    everything: bool = False

    @classmethod
    def of(cls, request: Any, code: Any) -> Who:
        """From a request and what the browser remembers.

        A request that was passed on may come from anywhere. So may one for another name than this computer's own (a tunnel, or a page
        elsewhere whose name was pointed here), and one that a page elsewhere sent.
        """
        headers = {str(name).lower(): str(value) for name, value in dict(getattr(request, "headers", None) or {}).items()}
        host = str(getattr(getattr(request, "client", None), "host", "") or "")
        origin = headers.get("origin")
        named = _is_own(headers.get("host", "")) and (origin is None or _is_own(re.sub("^https?://", "", origin)))
        return cls(code if isinstance(code, str) else "", named and _is_loopback(host) and not set(headers) & FORWARDED)

    @classmethod
    def at(cls, request: Any, me: Me) -> Who:
        """From a request and what is remembered of its page. A program, which keeps no code, is known by its session."""
        session = str(getattr(request, "session_hash", "") or "")
        found = cls.of(request, me.code or (f"session {session}" if session else ""))
        return cls(found.code, found.home, found.home and me.everything)

    @property
    def mark(self) -> str:
        """What is written on things that they make; "" for nobody's."""
        return mark_of(self.code) if self.code else ""

    def owns(self, mark: str) -> bool:
        """Whether this one may change what bears this mark, where the studio's own computer may always."""
        return self.home or self.made(mark)

    def made(self, mark: str) -> bool:
        return bool(self.code) and secrets.compare_digest(mark, self.mark)

    def sees(self, thing: Path) -> bool:
        """Whether a file or folder is listed to them and opened: their own, one that is shared, and at home also nobody's."""
        mark, shared = _read(thing)
        return shared or self.may_change(thing, mark)

    def may_change(self, thing: Path, mark: str | None = None) -> bool:
        """Whether they may also delete it or go on with it."""
        mark = mark_on(thing) if mark is None else mark
        return self.made(mark) or (self.home and (self.everything or not mark))

    def claim(self, thing: Path) -> None:
        """Makes a new file or folder theirs. A file can be claimed before it is there, so that nobody sees it in between."""
        if self.mark:
            write_text(beside(thing), self.mark + "\n", settled=True)

    def remark(self, thing: Path) -> str:
        """What a list says of a thing that is not simply theirs."""
        mark, shared = _read(thing)
        return " · shared" if shared else "" if self.made(mark) or not mark else " · made in another browser"

    def refuse_unseen(self, thing: Path) -> None:
        """Raises StudioError where somebody else made it and does not share it."""
        if not self.sees(thing):
            raise NOT_YOURS

    def refuse_others(self, thing: Path) -> None:
        """Raises StudioError where somebody else made it."""
        if not self.may_change(thing):
            raise NOT_YOURS


def new_code() -> str:
    """What a browser keeps to be known again."""
    return secrets.token_urlsafe(18)


def mark_of(code: str) -> str:
    """What the studio keeps of a code."""
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()


def given(request: Any, values: Sequence[Any]) -> list[Any]:
    """What an event sends, with whoever sent it (a Who) in the place of what is remembered of the page."""
    return [Who.at(request, one) if isinstance(one, Me) else one for one in values]


def share(thing: Path, shared: bool) -> None:
    """Lets everybody at this studio open something, or its maker alone again."""
    write_text(beside(thing), mark_on(thing) + "\n" + (SHARED + "\n" if shared else ""), settled=True)


def is_shared(thing: Path) -> bool:
    return _read(thing)[1]


def mark_on(thing: Path) -> str:
    """The mark of whoever made it; "" for nobody's."""
    return _read(thing)[0]


def _read(thing: Path) -> tuple[str, bool]:
    """The mark, and whether it is shared; a file that can't be read says that it is somebody's."""
    try:
        mark, _, rest = beside(thing).read_text(encoding="utf-8").partition("\n")
    except FileNotFoundError:
        return "", False
    except (OSError, ValueError):
        return UNREADABLE, False
    return (mark, rest.strip() == SHARED) if MARK.fullmatch(mark) else (UNREADABLE, False)


def build(services: Services, owner: gr.BrowserState, me: gr.State, page: gr.Blocks) -> Any:
    """Lays out the box at the foot of the page and has the page's browser recognized when it is loaded.

    `owner` is gr.BrowserState(**OWNER), `me`, what is remembered of the page, gr.State(Me()). Returns the event after which it is known.
    """
    there = gr.Checkbox(visible=False)
    every = gr.Checkbox(
        False, label="Show what others made", info="Only at this computer.", visible=False, elem_id="everything", container=False
    )

    def known(request: gr.Request, code: Any, there: bool, before: Me) -> tuple[Any, ...]:
        """A code that the browser keeps and has not read yet is not written over."""
        code = code if isinstance(code, str) else ""
        made = code or ("" if there else new_code())
        at_home = Who.of(request, made).home and not services.public
        return made if made != code else gr.skip(), Me(made, before.everything), gr.update(visible=at_home)

    def ticked(request: gr.Request, wanted: bool, before: Me) -> Me:
        return Me(before.code, bool(wanted) and Who.of(request, "").home)

    loaded = page.load(known, [owner, there, me], [owner, me, every], js=IS_KEPT, **QUIETLY)
    owner.change(_reread, [owner, me], me, **QUIETLY)
    every.input(ticked, [every, me], me, **QUIETLY)
    return loaded


def _reread(code: Any, before: Me) -> Me:
    """When the browser's code was read late, or another page of it has made one."""
    return Me(code if code and isinstance(code, str) else before.code, before.everything)


def _is_own(host: str) -> bool:
    """Whether a Host header names the computer itself."""
    return OWN_HOST.fullmatch(host) is not None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
