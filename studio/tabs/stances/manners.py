"""What else changed: collateral with its red lines, even-handedness, and everyday answers before and after."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.figures import evenness as figure
from pipelines.figures.look import label
from pipelines.stance import evenness
from pipelines.stance import everyday as daily
from pipelines.stance.study import BASE, Study
from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.stances import downloads
from studio.tabs.stances.section import Section
from studio.views import manners as view


def build(services: Services, current: gr.State, first: Study | None) -> Section:
    """Lays out the section, empty until `show`, and wires it; `current` holds a study as a dict, or None while `first` is shown."""
    gr.Markdown("### What else changed")
    damage = gr.HTML(elem_id="collateral", padding=False)
    lines = gr.HTML(elem_id="red-lines", padding=False)
    gr.Markdown("### Even-handedness")
    plot = gr.Plot(show_label=False, elem_id="evenness-plot")
    files = downloads.build(plot, "stance-evenness")
    gaps = gr.HTML(elem_id="evenness", padding=False)
    with gr.Accordion("Read the pairs of answers behind the gaps", open=False) as reading:
        asking = gr.Dropdown([], label="Question", elem_id="evenness-asking")
        pair = gr.HTML(elem_id="evenness-answers", padding=False)
    gr.Markdown("### Everyday answers, before and after")
    summary = gr.HTML(elem_id="everyday", padding=False)
    column = gr.Dropdown([], label="Beside the base", elem_id="everyday-column")
    answers = gr.HTML(elem_id="everyday-answers", padding=False)

    def studied(state: dict[str, Any] | None) -> Study | None:
        return Study.from_dict(state) if state else first

    def read(state: dict[str, Any] | None, chosen: str | None) -> str:
        study = studied(state)
        return view.pair(study, chosen) if study else ""

    def beside(state: dict[str, Any] | None, chosen: str | None) -> str:
        study = studied(state)
        return view.everyday(study, chosen) if study else ""

    asking.input(read, [current, asking], pair, **QUIETLY)
    column.input(beside, [current, column], answers, **QUIETLY)
    return Section([damage, lines, plot, files, gaps, reading, asking, pair, summary, column, answers], _show)


def _show(study: Study) -> tuple[Any, ...]:
    """Updates of collateral, red lines, plot, its files, gaps, reading, asking, pair, summary, column and everyday answers."""
    gaps = evenness.gaps(study)
    asked = {row["column"] for row in study.everyday}
    tuned = [(label(study, name), name) for name in study.columns if name != BASE and name in asked]
    chosen, pairs = tuned[0][1] if tuned else None, view.pairs(study)
    first = pairs[0][1] if pairs else None
    return (
        view.collateral(study),
        view.red_lines(study),
        gr.update(value=figure.plot(study, gaps) if gaps else None, visible=bool(gaps)),
        gr.update(visible=bool(gaps)),
        view.gaps(study, gaps),
        gr.update(visible=bool(gaps)),
        gr.update(choices=pairs, value=first),
        view.pair(study, first) if first else "",
        view.everyday_summary(study, daily.summary(study)),
        gr.update(choices=tuned, value=chosen, visible=bool(tuned)),
        view.everyday(study, chosen),
    )
