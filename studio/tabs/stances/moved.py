"""How far the answers moved: what can be claimed, contrasts of the whole group, and every topic and item by itself."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from pipelines.figures import contrasts as figures
from pipelines.figures import dots, topics
from pipelines.stance import contrasts
from pipelines.stance.study import BASE, Study
from pipelines.stance.values import INSTRUMENTS
from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.stances import downloads
from studio.tabs.stances.section import Section
from studio.views import messages, stance_breakdown, stance_contrasts
from studio.views import stance as view
from studio.views.stance_tables import INSTRUMENTS as NAMES
from studio.views.stance_tables import folded

NO_CONTRAST = "Left and right together, or one of them and the placebo, are needed for contrasts."
WEAK = "Not every column passes the questionnaire's gates (see “How far to trust it”): these shifts count for nothing in what is claimed."
BY = [("Topic by topic", "topic"), ("Item by item", "item")]


def build(services: Services, current: gr.State, first: Study | None) -> Section:
    """Lays out the section, empty until `show`, and wires it."""
    gr.Markdown("### What can be claimed")
    verdict = gr.HTML(elem_id="verdict", padding=False)
    gr.Markdown("### Shift from the base")
    shifts = gr.HTML(elem_id="shifts", padding=False)
    gr.Markdown("### Direction, drift and net")
    plot = gr.Plot(show_label=False, elem_id="contrasts-plot")
    files = downloads.build(plot, "stance-contrasts")
    table = gr.HTML(elem_id="contrasts", padding=False)
    gr.Markdown("### Which topics moved")
    with gr.Row():
        who = gr.Dropdown([], label="Column, role or contrast", elem_id="topics-who", min_width=200)
        which = gr.Dropdown([], label="Instrument", elem_id="topics-instrument", min_width=200)
        by = gr.Radio(BY, value="topic", label="One row", elem_id="topics-by", min_width=200)
    drawn = gr.Plot(show_label=False, elem_id="topics-plot")
    downloads.build(drawn, "stance-topics")
    listed = gr.HTML(elem_id="topics", padding=False)
    chosen = [current, who, which, by]
    for part in (who, which, by):
        part.input(partial(_chosen, first), chosen, [drawn, listed], **QUIETLY)
    return Section([verdict, shifts, plot, files, table, who, which, drawn, listed], _show)


def _show(study: Study) -> tuple[Any, ...]:
    """Updates of verdict, shifts, contrasts' plot and table, the choosers, topics' plot and table."""
    found = contrasts.contrasts(study)
    people, used = whom(study), [(NAMES[name], name) for name in INSTRUMENTS if uses(study, name)]
    who, which = (people[0][1] if people else None), (used[0][1] if used else None)
    return (
        view.verdict(study),
        view.shifts(study),
        gr.update(value=figures.plot(study, found=found) if found else None, visible=bool(found)),
        gr.update(visible=bool(found)),
        folded("The numbers", stance_contrasts.table(study)) if found else messages.note(NO_CONTRAST),
        gr.update(choices=people, value=who),
        gr.update(choices=used, value=which),
        *_topics(study, who, which, "topic"),
    )


def whom(study: Study) -> list[tuple[str, str]]:
    """(name, key) of what has shifts: contrasts of left and right, roles, and the columns one by one."""
    names = [*contrasts.available(study), *study.roles, *(name for name in study.columns if name != BASE and name not in study.roles)]
    return [(dots.called(study, name), name) for name in dict.fromkeys(names)]


def uses(study: Study, instrument: str) -> bool:
    """Whether a study has values of an instrument."""
    return bool({"ruler": study.answers, "completion": study.completions, "survey": study.survey}[instrument])


def _chosen(first: Study | None, state: dict[str, Any] | None, who: str | None, which: str | None, by: str | None) -> tuple[Any, ...]:
    study = Study.from_dict(state) if state else first
    return _topics(study, who, which, by or "topic") if study else (None, "")


def _topics(study: Study, who: str | None, which: str | None, by: str) -> tuple[Any, ...]:
    if not who or not which or who not in [key for _, key in whom(study)] or which not in INSTRUMENTS:
        return gr.update(visible=False), ""
    return gr.update(value=topics.plot(study, who, which, by), visible=True), folded(
        "The numbers", stance_breakdown.topics(study, who, which)
    )
