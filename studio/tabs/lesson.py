"""Lesson: a guided way through the studio for a class or oneself, what a teacher needs for it, and a class on its phones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from studio.classroom import teaching
from studio.services import Services
from studio.tabs.lessons import steps, teacher
from studio.tabs.lessons.doors import Doors
from studio.tabs.lessons.kept import MEMORY, NOTES

Memory = tuple[gr.BrowserState, gr.BrowserState]


def memory() -> Memory:
    """What a browser keeps of a lesson; to be made outside of all tabs, so that it is there when the page is loaded."""
    return gr.BrowserState(**MEMORY), gr.BrowserState(**NOTES)


def build(
    services: Services, owner: gr.BrowserState, tabs: gr.Tabs, kept: Memory, stages: Mapping[str, gr.Tabs] | None = None
) -> dict[str, Any]:
    """Lays out the tab and wires it.

    `tabs` are the studio's, `stages` those within a tab by its id, where a step may open one of them. Returns "attach", the event for when
    the tab is opened.
    """
    with gr.Tabs(elem_id="lesson-stages", selected="steps") as own:
        doors = Doors(tabs, {**(stages or {}), "lesson": own}, _closed(services))
        with gr.Tab("Steps", id="steps") as first:
            attach = steps.build(*kept, doors)["attach"]
        with gr.Tab("For the teacher", id="teacher"):
            teacher.build(services)
        with gr.Tab("Class", id="class") as together:
            together.select(**teaching.build(services, owner)["attach"])
    first.select(**attach)
    return {"attach": attach}


def _closed(services: Services) -> frozenset[str]:
    """What a step may name and this studio has not: reviews may be off, and in public no class is opened."""
    return frozenset({"review"} if not services.access.allows("review") else ()) | ({"lesson/class"} if services.public else frozenset())
