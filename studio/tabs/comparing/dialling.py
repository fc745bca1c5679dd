"""The bias dial right below the answers. Where answers at its strength are recorded, they are shown at once; else it says what to press."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pipelines.comparing import curated
from pipelines.comparing.comparison import Comparison
from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.comparing.remembering import link_of
from studio.views import cards, messages

STOPS = {0.5: "½ as strong", 1.0: "As trained", 1.5: "1½ times"}
MEANING = {0.5: "half as strong as trained", 1.0: "as trained", 1.5: "one and a half times as strong as trained"}
PARTS = 6  # status, panes, conversation, memory, look, below


@dataclass(frozen=True)
class Dial:
    """Where the slider stands, and a button for each strength that is recorded."""

    place: gr.Column
    stops: dict[float, gr.Button]


def build() -> Dial:
    """Lays out the row; the slider itself is made with the columns, and put here by `take`."""
    with gr.Row(elem_id="dial-row", equal_height=True):
        with gr.Column(scale=6, min_width=280) as place:
            pass
        stops = {
            strength: gr.Button(name, size="sm", elem_id=f"dial-{strength:g}".replace(".", "-"), scale=0, min_width=90)
            for strength, name in STOPS.items()
        }
    return Dial(place, stops)


def take(dial: Dial, slider: gr.Slider) -> None:
    """Puts the slider into the row: the one setting that a first visit needs stands below the answers, the others further down."""
    slider.unrender()
    with dial.place:
        slider.render()


def wire(services: Services, dial: Dial, slider: gr.Slider, talk: gr.State, memory: gr.BrowserState, outputs: Sequence[Any]) -> None:
    """Wires slider and buttons; `outputs` are status, panes, conversation, memory, look and what stands below."""

    def turned(strength: float, shown: Comparison | None, kept: Any, request: gr.Request) -> tuple[Any, ...]:
        return at_strength(services, strength, shown, kept, request)

    def stop_at(strength: float) -> Callable[..., tuple[Any, ...]]:
        def stopped(shown: Comparison | None, kept: Any, request: gr.Request) -> tuple[Any, ...]:
            return strength, *at_strength(services, strength, shown, kept, request)

        return stopped

    slider.input(turned, [slider, talk, memory], list(outputs), trigger_mode="always_last", **QUIETLY)
    for strength, button in dial.stops.items():
        button.click(stop_at(strength), [talk, memory], [slider, *outputs], **QUIETLY)


def at_strength(services: Services, strength: float, shown: Comparison | None, kept: Any, request: gr.Request) -> tuple[Any, ...]:
    """Updates for a dial that was moved: the recorded answers at this strength, or what to press. Nothing while an answer grows."""
    session = request.session_hash or ""
    if shown is None or not services.claim(session):
        return tuple([gr.skip()] * PARTS)
    try:
        known = recorded_at(services, strength, shown)
    finally:
        services.release(session)
    if known is None:
        return _told(strength, shown), *[gr.skip()] * (PARTS - 1)
    columns = kept.get("columns") if isinstance(kept, dict) else None
    memory = {
        "columns": columns if columns else list(known.keys),
        "page": session,
        "link": link_of(request),
        "comparison": known.as_dict(),
    }
    said = f"Recorded earlier, with every adapter {MEANING[known.strength]}. “Ask all” asks it live."
    return messages.note(said), cards.conversation(known), known, memory, "Answers", ""


def recorded_at(services: Services, strength: float, shown: Comparison) -> Comparison | None:
    """The recorded answers of the columns that are shown to the question that is shown, at another strength; None where there are none."""
    if len(shown.turns) != 1 or shown.system or round(strength or 0, 3) == round(shown.strength, 3):
        return None
    return curated.recorded_answer(shown.last.question, shown.keys, strength or 0, shown.sampling, services.loaded().fingerprint)


def _told(strength: float, shown: Comparison) -> str:
    if round(strength or 0, 3) == round(shown.strength, 3):
        return messages.note(f"The answers are those at strength {shown.strength:g}.")
    return messages.note(f"The answers are still those at strength {shown.strength:g}. Press “Ask all” to hear them at {strength or 0:g}.")
