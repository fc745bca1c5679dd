"""A class without a model: services whose host answers at once, phones as programs, and the teacher's stage as a page of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from pipelines.classroom import network
from pipelines.paths import Paths
from studio.access import Access
from studio.classroom import room, teaching
from studio.owning import OWNER
from studio.services import Services
from studio.telling import Studio
from studio.theme import css, theme
from tests.unit.test_asking import Host

SPARE = "198.18.0.1"  # an address that no network uses (RFC 2544)


def services(paths: Paths, access: Access | None = None) -> Services:
    """A studio whose host counts what it streams (`host.read`)."""
    made = Services.create()
    made.paths, made.access, host = paths, access or Access(), Host()
    loaded = made.loaded()
    host.base_print = loaded.fingerprint
    made.host = host  # type: ignore[assignment]
    made.loaded = lambda: loaded  # type: ignore[method-assign]
    return made


@contextmanager
def outer_address() -> Iterator[str]:
    """An address of this machine that is not loopback; where it is in no network, one that is lent to it. "" where neither can be had."""
    found = network.addresses()
    lent = not found and subprocess.run(["ip", "address", "add", f"{SPARE}/32", "dev", "lo"], capture_output=True).returncode == 0
    try:
        yield found[0] if found else SPARE if lent else ""
    finally:
        if lent:
            subprocess.run(["ip", "address", "del", f"{SPARE}/32", "dev", "lo"], capture_output=True)


@contextmanager
def teacher(made: Services) -> Iterator[str]:
    """The teacher's stage on an address of its own."""
    with Studio(title="Teacher") as page:
        owner = gr.BrowserState(**OWNER)
        page.load(**teaching.build(made, owner)["attach"])
    _, url, _ = page.queue().launch(
        prevent_thread_lock=True, quiet=True, ssr_mode=False, server_name="127.0.0.1", server_port=None, theme=theme(), css=css()
    )
    try:
        yield url
    finally:
        page.close(verbose=False)
        room.of(made).close()
