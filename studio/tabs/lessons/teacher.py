"""The stage “For the teacher”: plans, notes on each step, misconceptions, the key of the exercise, reading, and handouts to print."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.lesson.background import background, notes
from pipelines.lesson.exercise import exercise
from pipelines.lesson.handout import handout
from pipelines.lesson.plan import plan, plans, steps
from pipelines.lesson.translated import ENGLISH, languages
from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.lessons.kept import USUAL
from studio.tabs.tuning.downloads import passing_folder
from studio.telling import told
from studio.views import lesson as view
from studio.views import messages

LEAD = (
    '<h2 class="ps-unseen">For the teacher</h2><p class="ps-note">Three plans, notes on each step, and a handout to print. Nobody has taught by these plans yet; when you have, the minutes '
    "in <code>assets/lesson/plans.yaml</code> are easy to mend.</p>"
)
READERS = [("Students: steps with lines to write on", "student"), ("Teacher: notes, answers, and the key", "teacher")]
READY = "The handout is ready."


def build(services: Services) -> None:
    """Lays out the stage and wires its handouts."""
    gr.HTML(LEAD, padding=False)
    gr.HTML(view.plans(plans().values()), elem_id="lesson-plans", padding=False)
    _handouts(services)
    with gr.Accordion("Notes on each step: what goes wrong, what students say", open=True, elem_id="lesson-notes"):
        gr.HTML(view.notes((step, notes()[step.id]) for step in steps().values()), padding=False)
    with gr.Accordion("Misconceptions, with a plain answer", open=False, elem_id="lesson-misconceptions"):
        gr.HTML(view.misconceptions(background()), padding=False)
    with gr.Accordion("What this lesson can't show", open=False, elem_id="lesson-limits"):
        gr.HTML(view.limits(background()), padding=False)
    with gr.Accordion("Further reading", open=False, elem_id="lesson-reading"):
        gr.HTML(view.reading(background()), padding=False)
    with gr.Accordion("Key to the planted faults: keep it from students", open=False, elem_id="lesson-key"):
        gr.HTML(view.key(exercise()), padding=False)


def _handouts(services: Services) -> None:
    with gr.Row(elem_classes="ps-beside"):
        minutes = gr.Radio(
            [(f"{one} minutes", one) for one in plans()], value=USUAL, label="Handout for", elem_id="handout-plan", min_width=260
        )
        reader = gr.Radio(READERS, value="student", label="Who reads it", elem_id="handout-reader", min_width=300)
        ending = gr.Radio([("PDF", "pdf"), ("HTML", "html")], value="pdf", label="File", elem_id="handout-file", min_width=150)
    with gr.Row():
        tongue = gr.Radio(languages(), value=ENGLISH, label="Language", elem_id="handout-language", min_width=260)
        make = gr.Button("Make the handout", variant="primary", elem_id="handout-make", scale=0, min_width=250)
        save = gr.DownloadButton("Save", visible=False, elem_id="handout-save", scale=0, min_width=320)
    said = gr.HTML(elem_id="handout-said", padding=False)

    def made(request: gr.Request, *chosen: Any) -> tuple[Any, str]:
        return _made(services, request, *chosen)

    make.click(made, [minutes, reader, ending, tongue], [save, said], **QUIETLY)
    gr.on([one.input for one in (minutes, reader, ending, tongue)], lambda: (gr.update(visible=False), ""), None, [save, said], **QUIETLY)


def _made(services: Services, request: Any, minutes: Any, reader: Any, ending: Any, language: Any = ENGLISH) -> tuple[Any, str]:
    """Updates of the button that saves the file, and of what is said."""
    try:
        services.access.take_step(request)
        content = handout(plan(minutes), reader, ending, language)
        target = passing_folder() / f"lesson-{minutes}-{reader}{'' if language == ENGLISH else f'-{language}'}.{ending}"
        target.write_bytes(content)
    except Exception as error:
        return gr.update(visible=False), told(
            error, "Try again, or use `python -m pipelines lesson handout`.", "The handout could not be made"
        )
    return gr.update(value=str(target), label=f"Save {target.name}", visible=True), messages.good(READY)
