"""Columns with a strength of their own, a trail of strengths, and blends of two adapters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from pipelines.comparing import keys
from pipelines.comparing.columns import MAX_COLUMNS, Catalog
from pipelines.errors import StudioError
from studio.services import Services
from studio.tabs.comparing import choosing
from studio.tabs.comparing.choosing import QUIETLY, Chooser
from studio.views import messages

NEGATED = (
    "A negative strength pushes away from what the adapter learned. That is no mirror image: the left and the right adapter learned "
    "nearly unrelated changes, so a negated left adapter is not a right one."
)


def build(services: Services, chooser: Chooser) -> list[Any]:
    """Lays out the block and wires it to the columns; returns the events that change them."""
    offers = services.catalog().tuned_choices()
    with gr.Accordion("Mix your own columns: strengths, a trail from 0 to 1, blends", open=False, elem_id="mixing") as block:
        with gr.Row():
            first = gr.Dropdown(offers, value=offers[0][1] if offers else None, label="Adapter", elem_id="mix-first", min_width=220)
            strength = gr.Slider(0, keys.HIGHEST, 0.5, step=0.05, label="Its strength", elem_id="mix-strength", min_width=220)
            second = gr.Dropdown([("none", ""), *offers], value="", label="Blend with", elem_id="mix-second", min_width=220)
            other = gr.Slider(
                0, keys.HIGHEST, 0.5, step=0.05, label="Strength in the blend", elem_id="mix-other", min_width=220, visible=False
            )
        with gr.Row():
            add = gr.Button("Add as a column", size="sm", elem_id="mix-add", min_width=160)
            trail = gr.Button("Trail: 0, ¼, ½, ¾, 1 side by side", size="sm", elem_id="mix-trail", min_width=220)
            negative = gr.Checkbox(False, label="Expert: allow negative strengths", elem_id="mix-negative", min_width=240)
        told = gr.HTML(padding=False, elem_id="mix-told")
    second.input(lambda key: gr.update(visible=bool(key)), second, other, **QUIETLY)
    negative.input(_widen, [negative, strength, other], [strength, other, told], **QUIETLY)
    outputs = [chooser.columns, told]
    changed = [
        add.click(lambda *v: _add(services.catalog(), *v), [chooser.columns, first, strength, second, other], outputs, **QUIETLY),
        trail.click(lambda key: _trail(services.catalog(), key), first, outputs, **QUIETLY),
    ]
    block.expand(lambda one, two: _refreshed(services.catalog(), one, two), [first, second], [first, second], **QUIETLY)
    return changed


def _refreshed(listed: Catalog, first: str | None, second: str | None) -> tuple[Any, Any]:
    offers = listed.tuned_choices()
    known = {key for _, key in offers}
    one = first if first in known else next(iter(known), None)
    return gr.update(choices=offers, value=one), gr.update(choices=[("none", ""), *offers], value=second if second in known else "")


def _widen(negative: bool, *strengths: float) -> tuple[Any, ...]:
    """Both sliders with or without negative strengths, and what those mean."""
    lowest = keys.LOWEST if negative else 0.0
    sliders = [gr.update(minimum=lowest, value=max(lowest, value or 0.0)) for value in strengths]
    return *sliders, messages.info(NEGATED) if negative else ""


def _add(listed: Catalog, ticked: Sequence[str] | None, first: str | None, strength: float, second: str, other: float) -> tuple[Any, str]:
    """One more column; it is said why where there can't be one."""
    try:
        if not first:
            raise StudioError("No adapter is chosen.", "Choose one; the base has no strength.")
        if second == first:
            raise StudioError("An adapter can't be blended with itself.", "Choose another one, or turn its strength up.")
        key = keys.made((first, strength), *([(second, other)] if second else []))
        keys.parse(key)
        kept = listed.kept(ticked or [])
        if not listed.find(key):
            raise StudioError("This adapter is no longer there.", "Choose another one.")
        if key in kept:
            raise StudioError(f"“{_shown(listed, key)}” is a column already.", "Change a strength.")
        if len(kept) >= MAX_COLUMNS:
            raise StudioError(f"{MAX_COLUMNS} columns are chosen, and more do not fit.", "Take one out above.")
    except StudioError as error:
        return gr.skip(), messages.error(error)
    return choosing.updates(listed, [*kept, key])[0], messages.note(f"“{_shown(listed, key)}” is a column now. Press “Ask all”.")


def _trail(listed: Catalog, first: str | None) -> tuple[Any, str]:
    """The same adapter at five strengths, and nothing else."""
    if not first or not listed.find(first):
        return gr.skip(), messages.error(StudioError("No adapter is chosen.", "Choose the one whose trail you want to see."))
    wanted = keys.trail(first)
    said = f"The columns are “{_shown(listed, first)}” at {len(wanted)} strengths; at 0 it is the base. Press “Ask all”."
    return choosing.updates(listed, wanted)[0], messages.note(said)


def _shown(listed: Catalog, key: str) -> str:
    found = listed.find(key)
    return found.shown if found else key
