"""How often one visitor may ask: so many times within a moving stretch of time, counted by page and, on a public studio, by address."""

from __future__ import annotations

import ipaddress
import math
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.errors import StudioError

PAGES_AN_ADDRESS = 5  # a class or a family comes from one address
MOST_KNOWN = 2_000
NETWORK = 64  # bits: who has one IPv6 address has all of its network


@dataclass(frozen=True)
class Visitor:
    """One page, and the address that it comes from ("" where that is not counted)."""

    page: str
    address: str = ""

    @classmethod
    def of(cls, request: Any, public: bool = False, proxied: bool = False) -> Visitor:
        """Whoever sent a request. A page's name is made up by its browser, so a stranger's address is counted as well."""
        return cls(str(getattr(request, "session_hash", "") or ""), address(request, proxied) if public else "")


def address(request: Any, proxied: bool = False) -> str:
    """The network address that a request comes from; "" for none.

    Behind a proxy that is the last public one in the header to which each proxy adds at the end: what stands before it may be made up
    by the visitor. Without a proxy the header says nothing.
    """
    peer = _network(str(getattr(getattr(request, "client", None), "host", "") or ""))
    if not proxied:
        return peer[0]
    headers = {str(name).lower(): str(value) for name, value in dict(getattr(request, "headers", None) or {}).items()}
    for one in reversed(headers.get("x-forwarded-for", "").split(",")):
        name, is_public = _network(one.strip())
        if is_public:
            return name
        if not name:
            break
    return peer[0]


def _network(text: str) -> tuple[str, bool]:
    """(address or IPv6 network, whether it is one of the public internet); ("", False) for what is none."""
    bare = text.partition(":")[0] if text.count(":") == 1 else re.sub(r"^\[(.*)\](?::\d+)?$", r"\1", text).partition("%")[0]
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return "", False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped), found.ipv4_mapped.is_global
        return str(ipaddress.ip_network((found, NETWORK), strict=False)), found.is_global
    return str(found), found.is_global


class Limiter:
    """At most `most` times within `seconds` for each page, and PAGES_AN_ADDRESS as often for each address; 0 is no limit."""

    def __init__(self, most: int, seconds: float, what: str = "answers", clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.seconds, self.what, self._clock = most, seconds, what, clock
        self._times: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, visitor: Visitor) -> None:
        """Counts one live answer. Raises StudioError where there have been too many, with the time until the next one."""
        if not self.most:
            return
        counted = [(f"page {visitor.page}", self.most)]
        if visitor.address:
            counted.append((f"address {visitor.address}", self.most * PAGES_AN_ADDRESS))
        with self._lock:
            now = self._clock()
            self._forget(now)
            wait = max(self._wait(name, most, now) for name, most in counted)
            if wait > 0:
                raise StudioError(
                    f"{self.most} {self.what} in {self.seconds / 60:g} minutes are the most here, so that everybody gets a turn.",
                    f"You may go on in {_until(wait)}; what is recorded can be opened at once.",
                )
            for name, _ in counted:
                self._times.setdefault(name, deque()).append(now)

    def _wait(self, name: str, most: int, now: float) -> float:
        times = self._times.get(name, deque())
        return times[-most] + self.seconds - now if len(times) >= most else 0.0

    def _forget(self, now: float) -> None:
        """What is too old does not count any more; where very many are known, the oldest pages go as well."""
        for name, times in list(self._times.items()):
            while times and times[0] <= now - self.seconds:
                times.popleft()
            if not times:
                del self._times[name]
        while len(self._times) > MOST_KNOWN:
            pages = (name for name in self._times if name.startswith("page "))
            del self._times[next(pages, next(iter(self._times)))]


def _until(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < 90 else f"{math.ceil(whole / 60)} min"
