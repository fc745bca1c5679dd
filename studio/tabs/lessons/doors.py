"""Where the buttons of a step lead: a tab of the studio, and a stage of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pipelines.lesson.plan import MOST_PLACES, Place, Step

WORDS = {
    "curate": "Open Curate",
    "tune/setup": "Open Tune: set up",
    "tune/watch": "Open Tune: watch",
    "compare": "Open Compare",
    "compare/ask": "Open Compare",
    "stance": "Open Stance",
    "stance/land": "Open Stance",
    "stance/changed": "When the data changed",
    "review/guess": "Open the guess game",
    "lesson/class": "Class on phones",
    "lesson/teacher": "Notes for the teacher",
}


@dataclass(frozen=True)
class Doors:
    """`tabs` are the studio's, `stages` those within a tab by its id; what is `closed` (TAB or TAB/STAGE) is not in this studio."""

    tabs: gr.Tabs
    stages: Mapping[str, gr.Tabs]
    closed: frozenset[str] = frozenset()

    @property
    def outputs(self) -> list[Any]:
        """What `opened` updates."""
        return [self.tabs, *self.stages.values()]

    def of(self, step: Step) -> list[Place]:
        """The places of a step that are here."""
        return [place for place in step.opens if place.tab not in self.closed and name(place) not in self.closed]

    def buttons(self, step: Step) -> list[Any]:
        """Updates of MOST_PLACES buttons."""
        here = self.of(step)
        shown = [gr.update(value=words(place), visible=True) for place in here]
        return [*shown, *[gr.update(visible=False)] * (MOST_PLACES - len(here))]

    def opened(self, step: Step, number: int) -> dict[Any, Any]:
        """Opens the place behind a button of the step; where there is none, nothing changes."""
        here = self.of(step)
        if number >= len(here):
            return {self.tabs: gr.skip()}
        place = here[number]
        stage = self.stages.get(place.tab) if place.stage else None
        updates: dict[Any, Any] = {self.tabs: gr.Tabs(selected=place.tab)}
        return updates if stage is None else {**updates, stage: gr.Tabs(selected=place.stage)}


def words(place: Place) -> str:
    """What stands on the button."""
    return WORDS[name(place)]


def name(place: Place) -> str:
    """TAB or TAB/STAGE, as it stands in the lesson's file."""
    return f"{place.tab}/{place.stage}" if place.stage else place.tab
