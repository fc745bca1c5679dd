"""A result is its measurer's own: one button lets everybody at this studio open it, and takes that back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.errors import StudioError
from pipelines.paths import entry
from studio import owning
from studio.owning import Me, Who
from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY
from studio.telling import told

SHARE, UNSHARE = "Let everybody here open it", "Keep it to yourself again"
GONE = StudioError("No result of yours is chosen.", "Choose one under “Earlier results”.")


def build(services: Services, me: gr.State, earlier: gr.Dropdown, listed: Callable[[Who], list[tuple[str, str]]], kind: str) -> None:
    """Lays out the button below the chooser `earlier` of one kind of results ("stance" or "series"), and wires it; not in public.

    `listed` gives what the chooser offers a visitor.
    """
    if services.public:
        return
    button = gr.Button(SHARE, size="sm", visible=False, elem_id=f"share-{kind}", scale=0, min_width=220)
    said = gr.HTML(elem_id=f"share-{kind}-said", padding=False)

    def looked(request: gr.Request, known: Me, name: str | None) -> tuple[Any, str]:
        return offered(services, Who.at(request, known), kind, name), ""

    def known_again(request: gr.Request, known: Me) -> Any:
        return gr.update(choices=listed(Who.at(request, known)))

    def pressed(request: gr.Request, known: Me, name: str | None) -> tuple[Any, Any, str]:
        who = Who.at(request, known)
        try:
            share(services, who, kind, name)
        except Exception as error:
            return gr.skip(), gr.skip(), told(error)
        return offered(services, who, kind, name), gr.update(choices=listed(who)), ""

    earlier.change(looked, [me, earlier], [button, said], **QUIETLY)
    me.change(known_again, me, earlier, **QUIETLY)
    button.click(pressed, [me, earlier], [button, earlier, said], **QUIETLY)


def offered(services: Services, who: Who, kind: str, name: str | None) -> Any:
    """An update of the button, which stands there for one's own results."""
    file = _file(services, kind, name)
    own = file is not None and who.may_change(file)
    return gr.update(visible=own, value=UNSHARE if file and own and owning.is_shared(file) else SHARE)


def share(services: Services, who: Who, kind: str, name: str | None) -> None:
    """Lets everybody open a result, or nobody else again. Raises StudioError where it is gone or another one's."""
    file = _file(services, kind, name)
    if file is None:
        raise GONE
    who.refuse_others(file)
    owning.share(file, not owning.is_shared(file))


def _file(services: Services, kind: str, name: str | None) -> Path | None:
    file = entry(services.paths.results, name)
    return file if file and file.match(f"{kind}-*.json") and file.is_file() else None
