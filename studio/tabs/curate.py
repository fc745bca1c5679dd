"""Curate: open data, see what it is and what cleaning does, read the training text, save a version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.corpus import cleaning, preview, versions
from pipelines.corpus.sources import BUNDLED
from pipelines.corpus.versions import Curated
from pipelines.errors import StudioError
from studio.services import Services
from studio.views import corpus as view
from studio.views import messages

UPLOAD_BYTES = {False: 200 << 20, True: 20 << 20}


def build(services: Services) -> dict[str, Any]:
    """Lays out the tab and wires it; returns the parts that other tabs reach for."""
    opened = gr.State(None)
    gr.HTML(
        '<p class="ps-lead">Choose what a model will learn from. Open some data, look at what cleaning does to it, then save a version to tune with.</p>',
        padding=False,
    )
    with gr.Row():
        with gr.Column(scale=1, min_width=260):
            bundled_button = gr.Button("Open the bundled mirrored pairs", variant="primary", elem_id="open-bundled")
            gr.HTML(
                messages.note(
                    "192 questions on 24 topics, each with an answer from the left, from the right and a neutral one, equally long and in the same tone."
                ),
                padding=False,
            )
        with gr.Column(scale=1, min_width=260):
            upload = gr.File(label="Or drop a file: CSV, TSV, JSON, JSONL, Parquet, TXT", height=130, elem_id="upload")
        with gr.Column(scale=1, min_width=260):
            reference = gr.Textbox(
                label="Or a Hub data set" + ("" if services.public else " or local folder"),
                placeholder="owner/name" if services.public else "owner/name or /path/to/folder",
                elem_id="reference",
            )
            split = gr.Textbox("train", label="Split")
            open_button = gr.Button("Open", size="sm", elem_id="open")
    with gr.Accordion("Limits for short and long texts", open=False):
        with gr.Row():
            shortest = gr.Slider(1, 50, 3, step=1, label="Shortest text (words)")
            longest = gr.Slider(50, 2000, 400, step=10, label="Longest text (words)")
        again = gr.Button("Clean again with these limits", size="sm")
    found = gr.HTML(messages.info("Nothing is open yet. Start with the bundled pairs."), elem_id="found", padding=False)
    steps = gr.HTML(elem_id="steps", padding=False)
    with gr.Column(visible=False) as details:
        rows = gr.HTML(elem_id="rows", padding=False)
        with gr.Accordion("Dropped rows and why", open=False):
            dropped = gr.HTML(padding=False)
        gr.Markdown("### What the model will read and learn")
        with gr.Row():
            side = gr.Dropdown([], label="Towards which side", scale=1)
            number = gr.Slider(1, 2, 1, step=1, label="Row", scale=2)
        text = gr.HTML(elem_id="formatted", padding=False)
        with gr.Row():
            name = gr.Textbox(label="Name of the version", max_length=40, scale=2, elem_id="version-name")
            save = gr.Button("Save this version", variant="primary", scale=1, elem_id="save-version")
        saved = gr.HTML(elem_id="saved", padding=False)
    outputs = [opened, found, steps, details, rows, dropped, side, number, name, saved, text]

    def open_any(what: str | None, part: str, low: float, high: float) -> tuple[Any, ...]:
        return _open(services, what or "", part, cleaning.Limits(int(low), int(high)))

    limits = [split, shortest, longest]
    bundled_button.click(lambda *values: open_any(BUNDLED, *values), limits, outputs, show_progress="minimal")
    upload.upload(open_any, [upload, *limits], outputs)
    open_button.click(_guard(services, open_any), [reference, *limits], outputs)
    reference.submit(_guard(services, open_any), [reference, *limits], outputs)
    again.click(lambda state, *values: open_any(state["reference"] if state else "", *values), [opened, *limits], outputs)
    for part in (side.change, number.change):
        part(lambda state, s, n: _preview(services, state, s, n), [opened, side, number], text, show_progress="hidden")
    save_event = save.click(lambda state, label: _save(services, state, label), [opened, name], saved)
    return {"save": save_event, "opened": opened}


def _guard(services: Services, open_any: Any) -> Any:
    """In public mode a visitor may name a Hub id, never a path of this machine."""

    def guarded(what: str, *values: Any) -> tuple[Any, ...]:
        if services.public and (what.strip().startswith((".", "/", "~")) or what.count("/") != 1 or Path(what.strip()).exists()):
            return _refused(
                StudioError("Folders of this machine can't be opened here.", "Give a Hub id such as owner/name, or upload a file.")
            )
        return open_any(what, *values)

    return guarded


def _open(services: Services, reference: str, split: str, limits: cleaning.Limits) -> tuple[Any, ...]:
    try:
        curated = versions.curate(reference, split.strip() or "train", limits, UPLOAD_BYTES[services.public])
    except StudioError as error:
        return _refused(error)
    sides = list(curated.dataset.sides)
    return (
        {"curated": curated, "reference": reference},
        view.summary(curated),
        view.steps(curated),
        gr.update(visible=True),
        view.rows(curated),
        view.dropped(curated),
        gr.update(choices=sides, value=sides[0] if sides else None, visible=bool(sides)),
        gr.update(maximum=max(2, len(curated.dataset.rows)), value=1),
        curated.dataset.name,
        "",
        _preview(services, {"curated": curated}, sides[0] if sides else None, 1),
    )


def _refused(error: StudioError) -> tuple[Any, ...]:
    """The sentence, and nothing of the data that was open before: it could be taken for the refused file's."""
    return (None, messages.error(error), "", gr.update(visible=False), *[gr.skip()] * 7)


def _preview(services: Services, state: dict[str, Any] | None, side: str | None, number: float) -> str:
    if not state:
        return ""
    curated: Curated = state["curated"]
    if not side:
        return messages.note("Posts have no answers yet, so there is no training text to show.")
    try:
        from pipelines.models.loading import load_tokenizer
        from pipelines.models.prepare import ensure

        tokenizer = load_tokenizer(ensure(services.host.source, services.paths))
        pairs = curated.dataset.pairs(side)
        return view.formatted(preview.formatted(pairs[min(len(pairs), max(1, int(number))) - 1], tokenizer))
    except StudioError as error:
        return messages.error(error)


def _save(services: Services, state: dict[str, Any] | None, name: str) -> str:
    if not state:
        return messages.error("Open some data first.")
    if services.public:
        return messages.info("Nothing is kept in this public demo. Run the studio on your own laptop to save versions and tune with them.")
    curated: Curated = state["curated"]
    try:
        dataset = versions.Dataset(
            name.strip() or curated.dataset.name, curated.dataset.kind, curated.dataset.rows, curated.dataset.details
        )
        folder = versions.save(dataset, services.paths)
    except (StudioError, OSError) as error:
        return messages.error(
            error
            if isinstance(error, StudioError)
            else StudioError(f"The version could not be saved ({error}).", "Is there room on the disk?")
        )
    use = (
        "It can be chosen in Tune now."
        if dataset.sides
        else "Posts can't be tuned on yet: preference pairs must be synthesized from them first."
    )
    return messages.good(f"Saved as {folder.name}: {len(dataset.rows):,} rows, content hash {dataset.hash[:12]}. {use}")
