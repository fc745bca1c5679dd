"""Whose review it is: who set it up may close it and see its hash, since with the hash a rater could work out which answer is whose.

The owner's browser keeps a code, the studio only a hash of it (paths.reviews/owners.json). The studio's own computer may do everything.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from typing import Any

from pipelines.errors import StudioError
from pipelines.paths import Paths, read_json, write_json
from studio.services import Services

OWNERS = "owners.json"
OWNER: dict[str, Any] = {"default_value": "", "storage_key": "politune-owner", "secret": "politune-studio"}
FORWARDED = {"x-forwarded-for", "forwarded", "x-real-ip"}
NOT_HERE = StudioError("Reviews are not run in this public demo.", "Run the studio on your own laptop with the commands in its README.")
NOT_YOURS = StudioError("This review was set up in another browser.", "Use that one, or the computer on which the studio runs.")


@dataclass(frozen=True)
class Who:
    """Whoever sits at a page: the code that their browser keeps, and whether it is the computer on which the studio runs."""

    code: str = ""
    home: bool = False

    @classmethod
    def of(cls, request: Any, code: Any) -> Who:
        """From a request and what the browser remembers; a request that was passed on may come from anywhere."""
        headers = {name.lower() for name in dict(getattr(request, "headers", None) or {})}
        host = str(getattr(getattr(request, "client", None), "host", "") or "")
        return cls(code if isinstance(code, str) else "", _is_loopback(host) and not headers & FORWARDED)

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
    """Remembers whose a review is."""
    write_json(paths.reviews / OWNERS, {**_marks(paths), review_id: mark})


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


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
