"""Stage 2: the cleaning steps, with their settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from pipelines.corpus import drafts
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools, part_of
from pipelines.corpus.steps.registry import CLEANING, STEPS
from pipelines.errors import StudioError
from studio.tabs.curating import forms
from studio.tabs.curating.desk import Desk
from studio.views import messages

KEYS = CLEANING["posts"]


def build(desk: Desk) -> None:
    """One button for all steps; each step's settings are one press away."""
    gr.HTML(
        messages.note("Each step counts what it changes and drops, and gives a reason for every dropped row. Every step can be undone."),
        padding=False,
    )
    chosen = gr.CheckboxGroup(
        [(STEPS[key].label, key) for key in KEYS],
        value=list(KEYS),
        label="Steps, in this order; those that are done are unticked",
        elem_id="cleaning-steps",
    )
    button = gr.Button("Clean", variant="primary", elem_id="clean")
    boxes: dict[str, list[Any]] = {}
    with gr.Accordion("Settings of the steps", open=False):
        for key in KEYS:
            gr.HTML(f"<b>{STEPS[key].label}</b> " + messages.note(STEPS[key].hint), padding=False)
            with gr.Row():
                boxes[key] = forms.build(STEPS[key])
    desk.act(button.click, _work(boxes), [chosen, *[box for part in boxes.values() for box in part]], "clean")
    desk.watch(lambda draft: (gr.update(value=_todo(draft)),), [chosen])


def _todo(draft: Draft | None) -> list[str]:
    """The usual steps for this kind of rows that were not done yet."""
    return [key for key in (CLEANING[draft.kind] if draft else KEYS) if draft is None or not draft.has(key)]


def _work(boxes: dict[str, list[Any]]) -> Any:
    def work(draft: Draft, tools: Tools, chosen: list[str], *values: Any) -> tuple[Draft, str]:
        steps, at = {}, 0
        for key, part in boxes.items():
            steps[key] = forms.read(STEPS[key], values[at : at + len(part)])
            at += len(part)
        todo = [steps[key] for key in KEYS if key in (chosen or []) and draft.kind in STEPS[key].kinds]
        if not todo:
            raise StudioError("No step is ticked that fits these rows.", "Tick at least one.")
        again = [step.label for step in todo if draft.has(step.key)]
        if again:
            raise StudioError(
                f"Done already: {', '.join(again)}.",
                "To use other settings, go back to before them first (“Back to” above), or untick them.",
            )
        before = len(draft.rows)
        for number, step in enumerate(todo):
            share = replace(tools, progress=part_of(tools.progress, number, len(todo)))
            draft = drafts.apply(draft, step, share)
        return draft, f"Cleaned: {len(draft.rows):,} of {before:,} rows are left. Look at what was dropped under “Rows”."

    return work
