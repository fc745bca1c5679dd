"""The server that phones reach. By construction it has the student's page and nothing else: no model, no file, no other part of the studio."""

from __future__ import annotations

import shutil
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipelines.classroom import network
from studio.classroom import student
from studio.files import PREFIX, UPLOADS, Passing
from studio.guard import launch_options
from studio.telling import Studio
from studio.theme import css, theme

if TYPE_CHECKING:
    from studio.classroom.room import Room

THREADS = 80  # a class of thirty looks every two seconds, for milliseconds


@dataclass(frozen=True)
class Server:
    """A running server. `folder` is empty: nothing is ever laid out here to be fetched."""

    page: gr.Blocks
    port: int
    folder: Path

    def close(self) -> None:
        with suppress(Exception):  # it may have gone down with the machine's network
            self.page.close(verbose=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def build(room: Room) -> gr.Blocks:
    """The student's page."""
    with Studio(title="Class", analytics_enabled=False, fill_width=True) as page:
        student.build(room, page)
    return page


def launch(room: Room, first_port: int, host: str = network.EVERYWHERE) -> Server:
    """Starts the server at the first free port. Raises StudioError where none is.

    Within an event of the studio's page Gradio would take new components for updates, so this happens in a thread of its own.
    """
    port, folder = network.free_port(first_port), Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    (folder / UPLOADS).mkdir()
    found: dict[str, Any] = {}

    def body() -> None:
        try:
            found["page"] = _launched(build(room), host, port, Passing(folder, 0), room.services.paths.root)
        except BaseException as error:
            found["error"] = error

    thread = threading.Thread(target=body, name="class", daemon=True)
    thread.start()
    thread.join()
    if "error" in found:
        shutil.rmtree(folder, ignore_errors=True)
        raise found["error"]
    return Server(found["page"], port, folder)


def _launched(page: gr.Blocks, host: str, port: int, passing: Passing, home: Path) -> gr.Blocks:
    page.queue(default_concurrency_limit=8).launch(
        max_threads=THREADS, server_name=host, server_port=port, theme=theme(), css=css(), quiet=True, prevent_thread_lock=True,
        ssr_mode=False, **launch_options(passing, home),
    )  # fmt: skip
    return page
