"""Audit report: the study that is shown as one page that opens offline, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.errors import StudioError
from pipelines.export import audit, audit_figures, audit_page
from pipelines.stance.study import Study
from pipelines.tuning.shelf.reading import DAMAGE
from studio.services import Services, following
from studio.tabs.stances.section import Section
from studio.tabs.tuning.downloads import passing_folder
from studio.telling import told
from studio.views import messages

LEAD = (
    "Everything about the study that is shown above in one file: what was found and what was not, how it was made, how far each instrument can "
    "be trusted, and what it does not show. It opens offline; its figures are in it."
)
NAMES = ("audit.html", "audit.json")
READY = "Both files are ready. They hold all that was found, with answers for reading that were drawn by a rule, not picked."
NOTHING = ("There is no study to report on.", "Open “Measure anew” and press “Measure”.")
Progress = Callable[[float, str], None]


def build(services: Services, current: gr.State, first: Study | None) -> Section:
    """Lays out the button and the files. `current` holds the shown study as a dict, or None for `first`, the recorded one."""
    gr.HTML(messages.note(LEAD), padding=False)
    make = gr.Button("Make the report", elem_id="audit-make", min_width=160)
    said = gr.HTML(elem_id="audit-said", padding=False)
    files = gr.File(label="The report", file_count="multiple", visible=False, interactive=False, height=110, elem_id="audit-files")

    def work(state: dict[str, Any] | None) -> Iterator[tuple[Any, ...]]:
        yield from made(services, state, first)

    make.click(work, current, [make, said, files], show_progress="hidden", api_visibility="private", concurrency_limit=2)
    return Section([said, files], lambda study: ("", gr.update(value=None, visible=False)))


def made(services: Services, state: dict[str, Any] | None, first: Study | None) -> Iterator[tuple[Any, ...]]:
    """Yields updates of (button, words, files); the last ones hold both files, or what went wrong."""
    idle, keep = gr.update(interactive=True), gr.skip()
    try:
        study = _shown(state, first)
        yield gr.update(interactive=False), messages.bar(0, "Looking up the runs behind the columns"), gr.update(value=None, visible=False)
        written: list[str] = []
        for fraction, text, found in following(partial(_write, services, study)):
            written = found or []
            yield keep, messages.bar(fraction, text), keep
        yield idle, messages.good(READY), gr.update(value=written, visible=True)
    except Exception as error:  # whatever it was, the visitor gets the button back and a sentence
        yield idle, told(error, "The study is unharmed; try again."), gr.update(value=None, visible=False)


def _shown(state: dict[str, Any] | None, first: Study | None) -> Study:
    try:
        study = Study.from_dict(state) if state else first
    except DAMAGE as error:
        raise StudioError(*audit.DAMAGED) from error
    if study is None:
        raise StudioError(*NOTHING)
    return study


def _write(services: Services, study: Study, report: Progress) -> list[str]:
    """Both files, in a folder that is swept after an hour. A public studio looks at no run on its disk."""
    report(0.05, "Working out intervals")
    found = audit.whole(study, None if services.public else services.paths)
    report(0.8, "Drawing figures")
    texts = (audit_page.page(found, audit_figures.figures_of(study)), audit.to_json(found))
    folder: Path = passing_folder()
    for name, text in zip(NAMES, texts, strict=True):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [str(folder / name) for name in NAMES]
