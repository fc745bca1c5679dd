"""What can go wrong between us and an endpoint: sentences for people, and which of it makes asking on pointless."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pipelines import incidents
from pipelines.errors import StudioError

LONGEST_DETAIL, LONGEST_ADDRESS = 200, 2000
ABOUT_LENGTH = re.compile(r"context|too long|length|tokens", re.I)


class Failed(Exception):
    """One request that did not give a usable reply; the others may."""


class Failure(NamedTuple):
    """Why one request failed, in words; `wants_other_limit`: the endpoint only knows `max_completion_tokens`."""

    problem: str
    wants_other_limit: bool = False


def address(base_url: str) -> str:
    """An endpoint's address in one form. Raises StudioError where it is none, or holds a password or a query."""
    text = base_url.strip().rstrip("/").removesuffix("/chat/completions").rstrip("/")
    hint = "It looks like http://127.0.0.1:8000/v1 or https://example.org/v1."
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or " " in text or not text.isprintable() or len(text) > LONGEST_ADDRESS:
        raise StudioError("That is not the address of an endpoint.", hint)
    if parts.username is not None or parts.query or parts.fragment:
        raise StudioError("The address holds a password or a query.", f"Give the key in its own field. {hint}")
    return text


def is_loopback(base_url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def failure(error: Exception, base_url: str, model: str, key: str = "") -> Failure:
    """What became of one request, from what the `openai` client raised after its retries.

    Raises StudioError for what all further requests would meet too; raises `error` again if it is of no known kind.
    """
    import openai

    if isinstance(error, Failed):
        return Failure(str(error))
    if isinstance(error, openai.APITimeoutError):
        return Failure("the endpoint did not reply in time")
    if isinstance(error, openai.APIStatusError):
        return _status(error, base_url, model, _detail(error, key))
    if isinstance(error, openai.APIConnectionError):
        if type(error.__cause__).__name__ in ("ConnectError", "UnsupportedProtocol"):
            raise StudioError(
                f"Nothing answers at {base_url}.",
                "Start the server there or check the address. What was answered is stored; start again to go on.",
            ) from error
        return Failure("the connection broke off")
    if isinstance(error, openai.APIError | ValueError):
        return Failure("the endpoint's reply can't be read")
    raise error


def _status(error: Any, base_url: str, model: str, detail: str) -> Failure:
    code = error.status_code
    if code in (401, 403):
        raise StudioError(f"{base_url} refuses the key ({code}).", "Check the key, and that it may use this model.") from error
    if code in (404, 405) or (code in (400, 422) and model in detail and not ABOUT_LENGTH.search(detail.replace(model, ""))):
        raise StudioError(
            f"{base_url} does not know the model “{model}”, or nothing is at that address ({code}: {detail}).",
            "Check the model's name; the address usually ends with /v1.",
        ) from error
    if code == 429:
        wait = error.response.headers.get("retry-after")
        return Failure(f"too many requests (429{f', it asks to wait {wait} s' if wait else ''})")
    return Failure(f"the endpoint replied {code}: {detail}", "max_completion_tokens" in detail)


def _detail(error: Any, key: str) -> str:
    """The endpoint's own words, shortened; without the key, which some repeat."""
    body = error.body
    for name in ("error", "message", "detail"):
        body = body.get(name, body) if isinstance(body, dict) else body
    text = " ".join(str(body if body else "no explanation").split())
    text = incidents.discreet(text.replace(key, "[key]") if key else text)
    return text if len(text) <= LONGEST_DETAIL else f"{text[:LONGEST_DETAIL]}…"
