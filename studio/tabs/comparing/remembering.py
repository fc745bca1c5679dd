"""What is shown when the page opens: the visitor's last comparison, one that a link names, or the recorded one."""

from __future__ import annotations

from functools import cache
from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.comparing.comparison import Comparison
from pipelines.errors import StudioError
from pipelines.paths import read_json
from studio.services import Services
from studio.tabs.comparing import choosing, sharing
from studio.views import cards, messages

MEMORY: dict[str, Any] = {"default_value": None, "storage_key": "politune-comparison", "secret": "politune-studio"}
IS_KEPT = f"(kept, there) => [kept, localStorage.getItem('{MEMORY['storage_key']}') !== null]"
NOTHING = tuple([gr.skip()] * 7)
RECORDED = (
    "Recorded earlier: the same small model, untouched and tuned on three selections of answers. Press “Ask all” to see it live. "
    "This question was chosen because the difference is easy to see; what holds on average over 40 questions stands in Stance."
)


@cache
def recorded() -> Comparison | None:
    """The comparison that ships with the studio."""
    file = bundled.RECORDED / "comparison.json"
    return Comparison.from_dict(read_json(file)) if file.is_file() else None


def show(comparison: Comparison | None) -> str:
    """A comparison as cards."""
    return cards.conversation(comparison) if comparison else messages.info("Press “Ask all” to see the answers side by side.")


def opening(comparison: Comparison | None) -> str:
    return messages.note(RECORDED if comparison else "Nothing is recorded yet.")


def restore(services: Services, memory: dict[str, Any] | None, there: bool, request: gr.Request) -> tuple[Any, ...]:
    """When the page opens. Where the browser keeps something that it has not read yet (`there`), nothing is changed: its reading is
    told soon after. Updates of status, panes, conversation, question, strength, columns, "Run or group"."""
    try:
        linked = sharing.of_link(services, request)
    except StudioError as error:
        return messages.error(error), *NOTHING[1:]
    if linked:
        return shown(services, linked, "The comparison of this link, as it was answered then.")
    if there and memory is None:
        return NOTHING
    return _remembered(services, memory)


def reread(services: Services, memory: Any, request: gr.Request) -> tuple[Any, ...]:
    """When the browser's memory has been read; what this page wrote itself, or where a link was opened, is skipped."""
    if not isinstance(memory, dict) or memory.get("page") == request.session_hash or sharing.LINK in dict(request.query_params or {}):
        return NOTHING
    return _remembered(services, memory)


def _remembered(services: Services, memory: Any) -> tuple[Any, ...]:
    kept = memory if isinstance(memory, dict) else {}
    ticked = choosing.restored(services, kept.get("columns"))
    first = recorded()
    if not kept.get("comparison"):
        return opening(first), show(first), first, gr.skip(), gr.skip(), *ticked
    try:
        last = Comparison.from_dict(kept["comparison"])
    except StudioError as error:
        return messages.error(error), show(first), first, gr.skip(), gr.skip(), *ticked
    return messages.note("Your last comparison, kept in this browser."), show(last), last, last.last.question, last.strength, *ticked


def shown(services: Services, comparison: Comparison | None, said: str) -> tuple[Any, ...]:
    """Opens a comparison: the same updates. Its columns are ticked as far as they are here."""
    if comparison is None:
        return NOTHING
    listed = services.catalog()
    kept = listed.kept(comparison.keys)
    gone = len(comparison.keys) - len(kept)
    words = f"{said} {gone} of its columns are not here, so it can be read but not asked further." if gone else said
    ticked = choosing.updates(listed, kept)[:2] if kept else (gr.skip(), gr.skip())
    return messages.note(words), show(comparison), comparison, comparison.last.question, comparison.strength, *ticked
