"""Where the teacher's password is given, and what asks for it: starting and ending a class, closing, deleting. Not at the studio's own computer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from pipelines.errors import StudioError
from studio.owning import Who
from studio.ratelimit import Visitor
from studio.services import Services
from studio.telling import told
from studio.views import messages

LONGEST = 200
UNLOCK, LOCK = "Unlock this page", "Lock it again"
UNLOCKED = "This page is unlocked for two hours, or until it is loaded again."
LOCKED = "This page is locked: the password is needed again."
INFO = "Needed to start and end a class, to close and to delete. It is kept neither here nor in the browser."
NOT_SHARED = StudioError(
    "In a public studio what all visitors share is neither deleted nor sent anywhere from the page.",
    "Its owner can set STUDIO_TEACHER_PASSWORD and give the password here, or use the command line.",
)
QUIETLY: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def build(services: Services, place: str) -> None:
    """Lays out and wires field and buttons at one `place` of the page; nothing where no password is set."""
    if not services.access.teachers.are_asked:
        return
    with gr.Row(elem_classes="ps-beside"):
        given = gr.Textbox(
            label="Teacher's password", info=INFO, type="password", max_length=LONGEST, elem_id=f"{place}-password", scale=3, min_width=240,
            html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
        )  # fmt: skip
        press = gr.Button(UNLOCK, size="sm", elem_id=f"{place}-unlock", scale=1, min_width=150)
        lock = gr.Button(LOCK, size="sm", elem_id=f"{place}-lock", scale=1, min_width=120)
    said = gr.HTML(padding=False, elem_id=f"{place}-unlocked")

    def unlock(request: gr.Request, word: str) -> tuple[str, str]:
        try:
            services.access.teachers.unlock(page_of(services, request), word)
        except StudioError as error:
            return "", messages.error(error)
        return "", messages.good(UNLOCKED)

    def again(request: gr.Request) -> tuple[str, str]:
        services.access.teachers.lock(page_of(services, request))
        return "", messages.note(LOCKED)

    for event in (press.click, given.submit):
        event(unlock, given, [given, said], **QUIETLY)
    lock.click(again, None, [given, said], **QUIETLY)


def page_of(services: Services, request: Any) -> Visitor:
    """The page that a request comes from, with its address: the one alone could be told to somebody else."""
    return Visitor.of(request, True, services.access.proxied)


def refuse_others(services: Services, request: Any) -> None:
    """Raises StudioError where the teacher's password is needed and was not given on this page."""
    if not Who.of(request, "").home:
        services.access.teachers.refuse_others(page_of(services, request))


def refuse_unshared(services: Services, request: Any) -> None:
    """The same for what changes things that all share; in a public studio without a password nobody does that."""
    refuse_others(services, request)
    if services.public and not services.access.teachers.are_asked:
        raise NOT_SHARED


def needed(services: Services, work: Callable[..., Any]) -> Callable[..., Any]:
    """Work on (request, values ...) that raises StudioError before it does anything where the password is needed."""

    def run(request: gr.Request, *values: Any) -> Any:
        refuse_others(services, request)
        return work(request, *values)

    return run


def sending(services: Services, work: Callable[..., str]) -> Callable[..., str]:
    """A handler that sends something elsewhere with the owner's token: in a public studio nobody does without the password."""
    return unshared(services, work) if services.public else work


def unshared(services: Services, work: Callable[..., Any], *rest: Any) -> Callable[..., Any]:
    """A handler that does `work(values ...)` on what all share; where it may not, the sentence and `rest` are its updates."""

    def run(request: gr.Request, *values: Any) -> Any:
        try:
            refuse_unshared(services, request)
        except StudioError as error:
            return (told(error), *rest) if rest else told(error)
        return work(*values)

    return run
