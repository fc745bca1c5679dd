"""How far to trust the instruments: their gates, each against the others, how much is wording, and a language model as judge."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from pipelines.figures import instruments
from pipelines.stance.study import BASE, Study
from pipelines.stance.values import INSTRUMENTS
from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.stances import downloads, judging
from studio.tabs.stances.moved import uses, whom
from studio.tabs.stances.section import Section
from studio.views import generated as in_words
from studio.views import messages, stance_breakdown
from studio.views import stance as view
from studio.views.stance_tables import INSTRUMENTS as NAMES

NOT_ASKED = "No questionnaire was asked in this study, so nothing can be said about wording."


def build(services: Services, current: gr.State, first: Study | None, me: gr.State) -> Section:
    """Lays out the section, empty until `show`, and wires it. `me` is what is remembered of the page (owning.py)."""
    gr.Markdown("### Gates and validity")
    validity = gr.HTML(elem_id="validity", padding=False)
    words = gr.HTML(elem_id="stance-generated", padding=False)
    gr.Markdown("### One instrument against another")
    with gr.Row():
        who = gr.Dropdown([], label="Column, role or contrast", elem_id="agree-who", min_width=200)
        pair = gr.Dropdown([], label="Instruments", elem_id="agree-pair", min_width=260)
    plot = gr.Plot(show_label=False, elem_id="agree-plot")
    plot_files = downloads.build(plot, "stance-instruments")
    agree = gr.HTML(elem_id="agree", padding=False)
    gr.Markdown("### How much is wording?")
    forms = gr.Plot(show_label=False, elem_id="forms-plot")
    forms_files = downloads.build(forms, "stance-forms")
    wording = gr.HTML(elem_id="wording", padding=False)
    judge = judging.build(services, current, first, me)
    outputs = [plot, plot_files, agree, forms, forms_files, wording]
    for part in (who, pair):
        part.input(partial(_chosen, first), [current, who, pair], outputs, **QUIETLY)
    return Section([validity, words, who, pair, *outputs, *judge.outputs], lambda study: (*_show(study), *judge.show(study)))


def _show(study: Study) -> tuple[Any, ...]:
    """Updates of validity, the generated questionnaire, the choosers, both plots with their words."""
    people, pairs = whom(study), _pairs(study)
    who, pair = (people[0][1] if people else None), (pairs[0][1] if pairs else None)
    return (
        view.validity(study),
        in_words.table(study),
        gr.update(choices=people, value=who),
        gr.update(choices=pairs, value=pair),
        *_drawn(study, who, pair),
    )


def _pairs(study: Study) -> list[tuple[str, str]]:
    """(words, "first,second") of the pairs of instruments that were used."""
    used = [name for name in INSTRUMENTS if uses(study, name)]
    both = [(one, other) for number, one in enumerate(used) for other in used[number + 1 :]]
    return [(f"{NAMES[one]} against {NAMES[other]}", f"{one},{other}") for one, other in both]


def _chosen(first: Study | None, state: dict[str, Any] | None, who: str | None, pair: str | None) -> tuple[Any, ...]:
    study = Study.from_dict(state) if state else first
    return _drawn(study, who, pair) if study else (gr.skip(),) * 6


def _drawn(study: Study, who: str | None, pair: str | None) -> tuple[Any, ...]:
    """Updates of the first plot, its files and words, then of the plot of forms, its files and words."""
    hidden = gr.update(visible=False)
    if not who or who not in [key for _, key in whom(study)]:
        return hidden, hidden, "", hidden, hidden, ""
    one, _, other = (pair or "").partition(",")
    known, asked = one in INSTRUMENTS and other in INSTRUMENTS, bool(study.survey) and who != BASE
    return (
        gr.update(value=instruments.scatter(study, who, one, other), visible=True) if known else hidden,
        gr.update(visible=known),
        stance_breakdown.agree(study, who),
        gr.update(value=instruments.forms(study, who), visible=True) if asked else hidden,
        gr.update(visible=asked),
        stance_breakdown.wording(study, who) if asked else messages.note(NOT_ASKED),
    )
