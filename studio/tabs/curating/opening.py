"""Stage 1: open data - bundled, a dropped file, a Hub data set, a local folder, an earlier draft - and say what its columns are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.corpus import columns, drafts, versions
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.sources import open_source
from pipelines.errors import StudioError
from studio.services import Services
from studio.tabs.curating.desk import Desk
from studio.views import corpus as view
from studio.views import messages

UPLOAD_BYTES = {False: 200 << 20, True: 20 << 20}
PUBLIC_ROWS, KEPT_HOURS = 5_000, 6.0
BUNDLES = {
    "bundled-posts": ("Raw posts", "primary", "Hundreds of short posts of our own, with noise: the whole way from posts to pairs."),
    "bundled": (
        "Mirrored pairs",
        "secondary",
        "192 questions, each answered from the left, from the right and neutrally: ready to tune with.",
    ),
    "bundled-confounded": (
        "A set with hidden faults",
        "secondary",
        "Preference pairs with planted faults. Can you find them before the checks do?",
    ),
}
ROLES = {
    kind: tuple(role for role in (*columns.REQUIRED[kind], *columns.OPTIONAL[kind]) if role != "axis")
    for kind in ("posts", "pairs", "mirrored")
}
NAMES = tuple(dict.fromkeys(role for roles in ROLES.values() for role in roles))


def build(desk: Desk) -> Any:
    """Lays out the stage; returns the accordion, which closes once something is open."""
    services = desk.services
    with gr.Accordion("Open data", open=True, elem_id="open-data") as whole:
        with gr.Row():
            for reference, (label, variant, hint) in BUNDLES.items():
                with gr.Column(min_width=220):
                    button = gr.Button(label, variant=variant, elem_id=f"open-{reference}")  # type: ignore[arg-type]
                    gr.HTML(messages.note(hint), padding=False)
                    desk.act(button.click, _opener(services, reference), [], f"open_{reference.replace('-', '_')}", fresh=True)
        with gr.Row():
            upload = gr.File(label="Drop a file: CSV, TSV, JSON, JSONL, Parquet, TXT", height=120, elem_id="upload", scale=2, min_width=240)
            with gr.Column(scale=3, min_width=260):
                what = "Hub data set (owner/name)" + ("" if services.public else ", or a folder or file of this machine")
                reference = gr.Textbox(label=what, placeholder="owner/name", elem_id="reference")
                with gr.Row():
                    config = gr.Textbox("", label="Configuration", placeholder="default", min_width=90)
                    split = gr.Textbox("train", label="Split", min_width=90)
                    revision = gr.Textbox("", label="Revision", placeholder="newest", min_width=90)
                open_button = gr.Button("Open", size="sm", elem_id="open")
        earlier = gr.Dropdown([], label="Or go on with an earlier draft or version", elem_id="earlier", visible=not services.public)
    with gr.Accordion("What the columns are", open=False, visible=False) as roles_box:
        kind = gr.Radio(list(ROLES), label="These rows are")
        pickers = {name: gr.Dropdown([], label=name, visible=False, min_width=120) for name in NAMES}
        again = gr.Button("Open again with these columns", size="sm", elem_id="assign")
    desk.act(upload.upload, _upload(services), [upload], "open_file", fresh=True)
    inputs = [reference, config, split, revision]
    desk.act(open_button.click, _named(services), inputs, "open_reference", fresh=True)
    desk.act(reference.submit, _named(services), inputs, "open_reference_by_enter", fresh=True)
    desk.act(again.click, _assign(services), [kind, *pickers.values()], "assign_columns")
    if not services.public:
        desk.act(earlier.input, lambda draft, tools, name: (_earlier(services, name), ""), [earlier], "open_earlier", fresh=True)
        desk.watch(lambda draft: (gr.update(choices=_earlier_names(services), value=None),), [earlier])
    kind.input(_pickers_of, [kind], list(pickers.values()), show_progress="hidden", api_visibility="private")
    desk.watch(_show_roles, [roles_box, kind, *pickers.values()])
    desk.watch(lambda draft: (gr.update(open=draft is None), None), [whole, upload])
    return whole


def _opener(services: Services, reference: str) -> Any:
    return lambda draft, tools: _create(services, tools, reference)


def _create(
    services: Services, tools: Tools, reference: str, limit: int | None = None, roles: columns.Roles | None = None, **where: Any
) -> tuple[Draft, str]:
    if services.public:
        drafts.expire(services.paths, KEPT_HOURS)
    source = open_source(reference, max_bytes=limit, stranger=services.public, **where)
    return drafts.create(source, services.paths, roles, tools, PUBLIC_ROWS if services.public else None), ""


def _upload(services: Services) -> Any:
    def work(draft: Draft | None, tools: Tools, file: str | None) -> tuple[Draft, str]:
        if not file:
            raise StudioError("No file arrived.", "Drop it again.")
        return _create(services, tools, file, UPLOAD_BYTES[services.public])

    return work


def _named(services: Services) -> Any:
    """In public mode a visitor may name a Hub id, never a path of this machine."""

    def work(draft: Draft | None, tools: Tools, reference: str, config: str, split: str, revision: str) -> tuple[Draft, str]:
        reference = reference.strip()
        if services.public and (reference.startswith((".", "/", "~", "bundled")) or reference.count("/") != 1 or Path(reference).exists()):
            raise StudioError("Folders of this machine can't be opened here.", "Give a Hub id such as owner/name, or upload a file.")
        limit = UPLOAD_BYTES[True] if services.public else None
        return _create(services, tools, reference, limit, split=split.strip() or "train", config=config.strip(), revision=revision.strip())

    return work


def _assign(services: Services) -> Any:
    def work(draft: Draft, tools: Tools, kind: str, *chosen: str) -> tuple[Draft, str]:
        picked = {name: column for name, column in zip(NAMES, chosen, strict=True) if column and name in ROLES[kind]}
        if kind == "mirrored" and "axis" in draft.roles.columns:
            picked["axis"] = draft.roles.columns["axis"]
        about = draft.opened
        where = {name: about[name] for name in ("split", "config", "revision") if name in about}
        limit = UPLOAD_BYTES[True] if services.public else None
        new, _ = _create(services, tools, about["reference"], limit, columns.assign(kind, picked), **where)
        return new, "Opened again with the columns you chose."

    return work


def _earlier_names(services: Services) -> list[tuple[str, str]]:
    saved = [(f"version {name}", f"version:{name}") for name in versions.available(services.paths) if name != "bundled"]
    return [(label, f"draft:{name}") for name, label in drafts.recent(services.paths, 12)] + saved


def _earlier(services: Services, name: str | None) -> Draft:
    if not name:
        raise StudioError("Nothing was chosen.", "Choose a draft or a version from the list.")
    kind, _, rest = name.partition(":")
    if kind == "draft":
        return drafts.load(rest, services.paths)
    return drafts.from_version(versions.load(rest, services.paths), services.paths)


def _show_roles(draft: Draft | None) -> tuple[Any, ...]:
    if draft is None or not draft.opened.get("columns"):
        return (gr.update(visible=False), gr.skip(), *[gr.update(visible=False)] * len(NAMES))
    found = draft.opened["columns"]
    boxes = [
        gr.update(choices=["", *found.get(name, [])], value=draft.roles.columns.get(name, ""), visible=name in ROLES[draft.roles.kind])
        for name in NAMES
    ]
    return (
        gr.update(visible=True, open=bool(draft.roles.remark), label=f"What the columns are: {view.roles(draft)}"),
        draft.roles.kind,
        *boxes,
    )


def _pickers_of(kind: str) -> list[Any]:
    return [gr.update(visible=name in ROLES[kind]) for name in NAMES]
