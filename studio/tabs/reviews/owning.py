"""Whose review it is: who set it up may close it and see its hash, since with the hash a rater could work out which answer is whose.

The owner's browser keeps a code, the studio only a hash of it (paths.reviews/owners.json). The studio's own computer may do everything.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
import threading
from dataclasses import dataclass
from typing import Any

from pipelines.errors import StudioError
from pipelines.paths import Paths, read_json, write_json
from studio.services import Services

OWNERS = "owners.json"
OWNER: dict[str, Any] = {"default_value": "", "storage_key": "politune-owner", "secret": "politune-studio"}
FORWARDED = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-real-ip", "via", "cf-connecting-ip"}
OWN_HOST = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
NOT_HERE = StudioError("Reviews are not run in this public demo.", "Run the studio on your own laptop with the commands in its README.")
_NOTING = threading.Lock()
NOT_YOURS = StudioError("This review was set up in another browser.", "Use that one, or the computer on which the studio runs.")


@dataclass(frozen=True)
class Who:
    """Whoever sits at a page: the code that their browser keeps, and whether it is the computer on which the studio runs."""

    code: str = ""
    home: bool = False

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

    def owns(self, mark: str) -> bool:
        """Whether this one may change what bears this mark."""
        return self.home or (bool(self.code) and secrets.compare_digest(mark, mark_of(self.code)))


def new_code() -> str:
    """What a browser keeps to be known again as a review's owner."""
    return secrets.token_urlsafe(18)


def mark_of(code: str) -> str:
    """What the studio keeps of an owner's code."""
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()


def note(paths: Paths, review_id: str, mark: str) -> None:
    """Remembers whose a review is. Raises StudioError where the owners that are known already can't be read: they are not written over."""
    with _NOTING:
        try:
            known = read_json(paths.reviews / OWNERS)
        except FileNotFoundError:
            known = {}
        except (OSError, ValueError) as error:
            raise _damaged(paths) from error
        if not isinstance(known, dict):
            raise _damaged(paths)
        write_json(paths.reviews / OWNERS, {**known, review_id: mark})


def owns(services: Services, who: Who, review_id: str) -> bool:
    """Whether a review is theirs; one without a known owner belongs to the studio's own computer."""
    return not services.public and who.owns(_marks(services.paths).get(review_id, ""))


def refuse_others(services: Services, who: Who, review_id: str) -> None:
    """Raises StudioError where the review is another one's, or this studio is public."""
    refuse_visitors(services)
    if not owns(services, who, review_id):
        raise NOT_YOURS


def refuse_visitors(services: Services) -> None:
    """Raises StudioError in a public studio, where a review would be everybody's."""
    if services.public:
        raise NOT_HERE


def _marks(paths: Paths) -> dict[str, str]:
    try:
        found = read_json(paths.reviews / OWNERS)
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _damaged(paths: Paths) -> StudioError:
    return StudioError(
        f"{paths.reviews.name}/{OWNERS}, where it stands whose each review is, can't be read.",
        "Put a copy of it back, or move it away: then earlier reviews can be changed only on the computer on which the studio runs.",
    )


def _is_own(host: str) -> bool:
    """Whether a Host header names the computer itself."""
    return OWN_HOST.fullmatch(host) is not None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
