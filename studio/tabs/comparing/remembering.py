"""What is shown when the page opens: the visitor's last comparison, one that a link names, or the recorded one."""

from __future__ import annotations

from functools import cache
from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.comparing.comparison import Comparison, opened
from pipelines.errors import StudioError
from pipelines.paths import read_json
from studio.services import Services
from studio.tabs.comparing import choosing, forms
from studio.tabs.comparing.sharing import LINK
from studio.views import cards, messages

MEMORY: dict[str, Any] = {"default_value": None, "storage_key": "politune-comparison", "secret": "politune-studio"}
IS_KEPT = f"(kept, there) => [kept, localStorage.getItem('{MEMORY['storage_key']}') !== null]"
NOTHING = tuple([gr.skip()] * 15)
PLAIN = ("Answers", "")  # the look, and what stood below
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


def link_of(request: gr.Request) -> str:
    """The id of the comparison that the page's address names; "" where it names none."""
    return choosing.named(request, LINK)


def restore(services: Services, memory: dict[str, Any] | None, there: bool, request: gr.Request) -> tuple[Any, ...]:
    """When the page opens: updates of status, panes, conversation, look, below, question, strength, the drawing form, columns, "Run or
    group". Where the browser keeps something that it has not read yet (`there`), nothing is changed: its reading is told soon after.
    """
    link = link_of(request)
    if link and not _asked_since(memory, link):
        try:
            return shown(services, opened(link, services.paths), "The comparison of this link, as it was answered then.")
        except StudioError as error:
            return messages.error(error), *NOTHING[1:]
    if there and memory is None:
        return NOTHING
    return _remembered(services, memory)


def reread(services: Services, memory: Any, request: gr.Request) -> tuple[Any, ...]:
    """When the browser's memory has been read; what this page wrote itself, or where a link was just opened, is skipped."""
    link = link_of(request)
    if not isinstance(memory, dict) or memory.get("page") == request.session_hash or (link and not _asked_since(memory, link)):
        return NOTHING
    return _remembered(services, memory)


def _asked_since(memory: Any, link: str) -> bool:
    """Whether the visitor has asked something on the page of this link; then that counts after a reload."""
    return isinstance(memory, dict) and memory.get("link") == link and bool(memory.get("comparison"))


def _remembered(services: Services, memory: Any) -> tuple[Any, ...]:
    kept = memory if isinstance(memory, dict) else {}
    ticked = choosing.restored(services, kept.get("columns"))
    first = recorded()
    unchanged = [gr.skip()] * 8
    if not kept.get("comparison"):  # the page was built with the recorded one, which may have been looked into already
        return *NOTHING[: 3 + len(PLAIN)], *unchanged, *ticked
    try:
        last = Comparison.from_dict(kept["comparison"])
    except StudioError as error:
        return messages.error(error), show(first), first, *PLAIN, *unchanged, *ticked
    said = messages.note("Your last comparison, kept in this browser.")
    return said, show(last), last, *PLAIN, last.last.question, last.strength, *forms.values_of(last), *ticked


def shown(services: Services, comparison: Comparison | None, said: str) -> tuple[Any, ...]:
    """Opens a comparison: the same updates. Its columns are ticked as far as they are here."""
    if comparison is None:
        return NOTHING
    listed = services.catalog()
    kept = listed.kept(comparison.keys)
    gone = len(comparison.keys) - len(kept)
    words = f"{said} {gone} of its columns are not here, so it can be read but not asked further." if gone else said
    ticked = choosing.updates(listed, kept)[:2] if kept else (gr.skip(), gr.skip())
    drawn = (comparison.last.question, comparison.strength, *forms.values_of(comparison))
    return messages.note(words), show(comparison), comparison, *PLAIN, *drawn, *ticked
