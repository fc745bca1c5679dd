"""Compare: ask the base and any adapters side by side, ask both ways, ask many questions."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.services import Services
from studio.tabs.comparing import asking, choosing, mirroring, remembering, sets
from studio.tabs.comparing.choosing import QUIETLY


def build(services: Services, me: gr.State) -> dict[str, Any]:
    """Lays out the tab and wires it; returns the parts that other tabs reach for. `me` is what is remembered of the page (owning.py)."""
    memory, there = gr.BrowserState(**remembering.MEMORY), gr.Checkbox(visible=False)
    with gr.Tabs(elem_id="compare-stages", selected="ask") as stages:
        with gr.Tab("Ask", id="ask"):
            made = asking.build(services, memory)
        with gr.Tab("Mirror", id="mirror"):
            mirroring.build(services, made.drawing.levers, made.drawing.greedy)
        if services.access.allows("batch"):
            with gr.Tab("Prompt sets", id="sets") as setting:
                many = sets.build(services, me, made.chooser.columns, made.chooser.strength, made.drawing.levers, made.drawing.greedy)
    chooser = made.chooser
    shown = [made.status, made.panes, made.talk, made.look, made.below, made.question, chooser.strength]
    restored = [*shown, *made.drawing.parts, chooser.columns, chooser.picker]
    event, found = made.opened
    event.then(
        lambda one: remembering.shown(services, one, "Opened from a file; words and stamps belong together."),
        found,
        restored,
        **QUIETLY,
    )
    if services.access.allows("batch"):
        many["opened"].then(
            lambda one: remembering.shown(services, one, "From a prompt set."), many["comparison"], restored, **QUIETLY
        ).then(lambda one: gr.Tabs(selected="ask") if one else gr.skip(), many["comparison"], stages, **QUIETLY)
        setting.select(**many["attach"])

    def reread(kept: Any, request: gr.Request) -> tuple[Any, ...]:
        return remembering.reread(services, kept, request)

    def restore(kept: Any, there: bool, request: gr.Request) -> tuple[Any, ...]:
        return remembering.restore(services, kept, there, request)

    memory.change(reread, memory, restored, **QUIETLY)
    return {
        "chooser": [stages, *made.chooser.parts],
        "restore": {
            "fn": restore,
            "inputs": [memory, there],
            "outputs": restored,
            "js": remembering.IS_KEPT,
            "show_progress": "hidden",
        },
        "refresh": choosing.refresh(services, made.chooser),
    }
