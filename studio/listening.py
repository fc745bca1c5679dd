"""Where the studio listens: HOST and PORT, tried before anything is loaded."""

from __future__ import annotations

import os
import socket

from pipelines.errors import StudioError


def address() -> tuple[str, int]:
    """Host and port from the environment. Raises StudioError where the port is no number or is in use."""
    on_space = bool(os.environ.get("SPACE_ID"))
    host = os.environ.get("HOST", "0.0.0.0" if on_space else "127.0.0.1")
    text = os.environ.get("PORT", "7860")
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise StudioError(f"PORT is “{text}”.", "Give a number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(text)))
        except OSError as error:
            raise StudioError(
                f"Port {text} on {host} can't be used ({error.strerror}).",
                f"Is the studio running already? Else choose another: PORT={int(text) % 65535 + 1} make run",
            ) from error
    return host, int(text)
