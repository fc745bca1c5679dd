"""How the stages “Set up” and “Results” are wired: work answers an event with updates by part name, and tells what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from studio.tabs.comparing.choosing import QUIETLY
from studio.telling import told

Updates = dict[str, Any]
Parts = dict[str, Any]
Work = Callable[..., Updates]


def safe(parts: Parts, work: Work, tells: str) -> Callable[..., dict[Any, Any]]:
    """Work on (request, values ...) whose updates go by component; an error is told in the part `tells`, the rest stays as it is."""

    def run(request: gr.Request, *values: Any) -> dict[Any, Any]:
        try:
            return {parts[name]: value for name, value in work(request, *values).items()}
        except Exception as error:
            return {parts[tells]: told(error)}

    return run


def wiring(parts: Parts, tells: str) -> Callable[..., Any]:
    """A function that wires the event "PART.EVENT" to work, with the names of its inputs and of all parts that it may update."""

    def wire(event: str, work: Work, inputs: Sequence[str], outputs: Sequence[str], **options: Any) -> Any:
        part, _, name = event.rpartition(".")
        where = [parts[one] for one in dict.fromkeys((*outputs, tells))]
        return getattr(parts[part], name)(safe(parts, work, tells), [parts[one] for one in inputs], where, **{**QUIETLY, **options})

    return wire


def attaching(parts: Parts, work: Work, inputs: Sequence[str], outputs: Sequence[str], tells: str) -> dict[str, Any]:
    """The event for when a page is loaded or a stage opened: what a tab's `select` takes."""
    where = [parts[one] for one in dict.fromkeys((*outputs, tells))]
    return {"fn": safe(parts, work, tells), "inputs": [parts[one] for one in inputs], "outputs": where, **QUIETLY}
