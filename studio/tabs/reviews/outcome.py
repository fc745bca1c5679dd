"""Results: what came of a review that is closed, or of a class's so far; of an open research review only how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.corpus.versions import slug
from pipelines.errors import StudioError
from pipelines.export.review import FORMATS, Report, gather
from pipelines.review.ballots import Box, Listed
from pipelines.review.coding import Codes
from studio.services import Services
from studio.tabs.reviews import owning
from studio.tabs.reviews.owning import Who
from studio.tabs.tuning.downloads import passing_folder
from studio.tabs.wiring import Updates, attaching, wiring
from studio.views import messages
from studio.views import outcome as view

MOST_KEPT = 8
CHOICES = [("Report (HTML, one file)", "html"), ("CSV (one line a result)", "csv"), ("JSON (whole, with the frozen protocol)", "json")]
LEAD = (
    '<p class="ps-lead">What a review established, and what it did not. Research reviews stay sealed until they are closed; nothing is ever '
    "shown per person.</p>"
)
NO_REVIEW = "There is no review yet. Set one up first."
SEALED = "Sealed until its owner closes it: neither votes nor columns are shown before."
TEACHERS = "The results of a class review are shown where it was set up, until it is closed."
OUTPUTS = ("reviews", "progress", "box", "summary", "legend", "plot", "details", "people", "remarks", "file")


@dataclass
class Reports:
    """Reports by review, made anew only when ballots have changed: the intervals take seconds."""

    codes: Codes
    kept: dict[str, tuple[Any, Report]] = field(default_factory=dict)

    def of(self, review_id: str) -> Report:
        """Raises StudioError for a research review that is not closed."""
        box = self.codes.box
        state = (box.is_closed(review_id), tuple(box.votes(review_id)), tuple(box.politics(review_id).items()))
        found = self.kept.get(review_id)
        if found is None or found[0] != state:
            found = (state, gather(self.codes, review_id))
            self.kept = {**dict(list(self.kept.items())[1 - MOST_KEPT :]), review_id: found}
        return found[1]


def build(services: Services, box: Box, owner: gr.BrowserState) -> dict[str, Any]:
    """Lays out the stage and wires it; `owner` as in setting.build. Returns "attach", the event for when the stage is opened."""
    reports = Reports(services.codes)
    gr.HTML(LEAD, padding=False)
    parts: dict[str, Any] = {"owner": owner, **_parts()}
    wire = wiring(parts, "said")

    def look(request: gr.Request, code: Any, chosen: str | None) -> Updates:
        return looked(services, box, reports, Who.of(request, code), chosen)

    def make(request: gr.Request, code: Any, chosen: str | None, kind: str) -> Updates:
        return exported(services, reports, Who.of(request, code), chosen, kind)

    slow: dict[str, Any] = {"queue": True, "show_progress": "minimal", "concurrency_limit": 2}
    seen = ["owner", "reviews"]
    wire("reviews.input", look, seen, OUTPUTS, **slow)
    wire("again.click", look, seen, OUTPUTS, **slow)
    wire("make.click", make, [*seen, "kind"], ["file"], **slow)
    return {"attach": {**attaching(parts, look, seen, OUTPUTS, "said"), **slow}}


def _parts() -> dict[str, Any]:
    """Nothing of any review is on the page before it asks."""
    with gr.Row(elem_classes="ps-beside"):
        reviews = gr.Dropdown([], label="Review, newest first", elem_id="outcome-list", scale=4, min_width=240)
        again = gr.Button("Look again", size="sm", elem_id="outcome-again", scale=1, min_width=110)
    said = gr.HTML(elem_id="outcome-said", padding=False)
    progress = gr.HTML(elem_id="outcome-progress", padding=False)
    with gr.Column(visible=False) as box:
        gr.Markdown("### What it found")
        summary = gr.HTML(elem_id="outcome-summary", padding=False)
        gr.Markdown("### Win rates")
        legend = gr.HTML(elem_id="outcome-legend", padding=False)
        plot = gr.Plot(show_label=False, elem_id="outcome-plot")
        details = gr.HTML(elem_id="outcome-details", padding=False)
        people = gr.HTML(elem_id="outcome-people", padding=False)
        remarks = gr.HTML(elem_id="outcome-remarks", padding=False)
        with gr.Row(elem_classes="ps-beside"):
            kind = gr.Dropdown(CHOICES, value="html", label="Take it along as", elem_id="outcome-format", min_width=220)
            make = gr.Button("Make the file", elem_id="outcome-export", min_width=140)
        file = gr.File(label="The file", visible=False, interactive=False, height=70, elem_id="outcome-file")
    return {
        "reviews": reviews, "again": again, "said": said, "progress": progress, "box": box, "summary": summary, "legend": legend, "plot": plot,
        "details": details, "people": people, "remarks": remarks, "kind": kind, "make": make, "file": file,
    }  # fmt: skip


def looked(services: Services, box: Box, reports: Reports, who: Who, chosen: str | None) -> Updates:
    """The chosen review, or else the newest: its results where they may be seen, else its progress."""
    owning.refuse_visitors(services)
    found = box.reviews()
    one = next((one for one in found if one.id == chosen), next(iter(found), None))
    shown: Updates = {
        "reviews": gr.update(choices=[(_name(each), each.id) for each in found], value=one.id if one else None),
        "progress": view.progress(one, box.review(one.id)) if one else "",
        "said": "",
        "file": gr.update(visible=False),
    }
    sealed = _sealed(services, who, one)
    if sealed or one is None:
        return {**shown, **_nothing(messages.info(sealed))}
    try:
        report = reports.of(one.id)
    except StudioError as error:
        return {**shown, **_nothing(messages.error(error))}
    return {
        **shown,
        "box": gr.update(visible=True),
        "summary": view.summary(report),
        "legend": messages.note(view.LEGEND),
        "plot": view.forest(report),
        "details": view.details(report),
        "people": view.people(report),
        "remarks": view.remarks(report, box.votes(one.id)) if one.is_closed and owning.owns(services, who, one.id) else "",
    }


def _nothing(said: str) -> Updates:
    """Another review's results must not stay on the page."""
    empty = dict.fromkeys(("summary", "legend", "details", "people", "remarks"), "")
    return {**empty, "plot": None, "box": gr.update(visible=False), "said": said}


def _sealed(services: Services, who: Who, one: Listed | None) -> str:
    """Why results are not shown; "" where they may be."""
    if one is None:
        return NO_REVIEW
    if one.is_closed:
        return ""
    if one.kind == "research":
        return SEALED
    return "" if owning.owns(services, who, one.id) else TEACHERS


def _name(one: Listed) -> str:
    return f"{one.title} · {one.created[:10]} · {'closed' if one.is_closed else 'open'}"


def exported(services: Services, reports: Reports, who: Who, chosen: str | None, kind: str) -> Updates:
    """A file of the report. Raises StudioError where there is none to be had."""
    owning.refuse_visitors(services)
    one = next((each for each in reports.codes.box.reviews() if each.id == chosen), None)
    sealed = _sealed(services, who, one)
    if one is None or sealed:
        raise StudioError(sealed or NO_REVIEW, "Choose another review, or wait.")
    if kind not in FORMATS:
        raise StudioError("No format is chosen.", "Choose one.")
    report = gather(reports.codes, one.id)  # anew: quotes may have been picked since
    target: Path = passing_folder() / f"review-{slug(one.title)}-{one.id[:6]}.{kind}"
    target.write_bytes(FORMATS[kind](report).encode("utf-8", "replace"))
    note = "Totals only, with the frozen protocol: no rater, no comment, no single ballot."
    return {"file": gr.update(value=str(target), visible=True), "said": messages.note(note)}
