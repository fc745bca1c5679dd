"""Stage 1: open data - bundled, a dropped file, a Hub data set, a local folder, an earlier draft - and say what its columns are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.corpus import columns, drafts, versions
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.sources import open_source
from pipelines.errors import StudioError
from studio.owning import Me, Who
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
                    desk.act(button.click, _opener(services, reference), [desk.me], f"open_{reference.replace('-', '_')}", fresh=True)
        with gr.Row(visible=services.access.allows("upload")):
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
    desk.act(upload.upload, _upload(services), [desk.me, upload], "open_file", fresh=True)
    inputs = [desk.me, reference, config, split, revision]
    desk.act(open_button.click, _named(services), inputs, "open_reference", fresh=True)
    desk.act(reference.submit, _named(services), inputs, "open_reference_by_enter", fresh=True)
    desk.act(again.click, _assign(services), [desk.me, kind, *pickers.values()], "assign_columns")
    if not services.public:
        desk.act(
            earlier.input,
            lambda draft, tools, who, name: (_earlier(services, who, name), ""),
            [desk.me, earlier],
            "open_earlier",
            fresh=True,
        )
        desk.watch(lambda draft, who: (gr.update(choices=_earlier_names(services, who), value=None),), [earlier], [desk.me])

        def known(request: gr.Request, me: Me) -> Any:
            return gr.update(choices=_earlier_names(services, Who.at(request, me)), value=None)

        desk.me.change(known, desk.me, earlier, show_progress="hidden", api_visibility="private")
    kind.input(_pickers_of, [kind], list(pickers.values()), show_progress="hidden", api_visibility="private")
    desk.watch(_show_roles, [roles_box, kind, *pickers.values()])
    desk.watch(lambda draft: (gr.update(open=draft is None), None), [whole, upload])
    return whole


def _opener(services: Services, reference: str) -> Any:
    return lambda draft, tools, who: _create(services, tools, who, reference)


def _create(
    services: Services, tools: Tools, who: Who, reference: str, limit: int | None = None, roles: columns.Roles | None = None, **where: Any
) -> tuple[Draft, str]:
    if services.public:
        drafts.expire(services.paths, KEPT_HOURS)
    source = open_source(reference, max_bytes=limit, stranger=services.public or not who.home, **where)
    return drafts.create(source, services.paths, roles, tools, PUBLIC_ROWS if services.public else None, who.claim), ""


def _upload(services: Services) -> Any:
    def work(draft: Draft | None, tools: Tools, who: Who, file: str | None) -> tuple[Draft, str]:
        services.access.refuse("upload")
        if not file:
            raise StudioError("No file arrived.", "Drop it again.")
        return _create(services, tools, who, file, UPLOAD_BYTES[services.public])

    return work


def _named(services: Services) -> Any:
    """A path of this machine may be named at this machine alone, and in public nowhere; a Hub id by everybody."""

    def work(draft: Draft | None, tools: Tools, who: Who, reference: str, config: str, split: str, revision: str) -> tuple[Draft, str]:
        services.access.refuse("upload")
        reference = reference.strip()
        _refuse_paths(services, who, reference)
        limit = UPLOAD_BYTES[True] if services.public else None
        return _create(
            services, tools, who, reference, limit, split=split.strip() or "train", config=config.strip(), revision=revision.strip()
        )

    return work


def _refuse_paths(services: Services, who: Who, reference: str) -> None:
    """Raises StudioError for a path that this visitor may not name: what others made lies among the studio's own files."""
    if not reference or "\0" in reference:  # told by whoever opens it
        return
    bundles = reference in BUNDLES and not services.public
    named = not bundles and (
        reference.startswith((".", "/", "~", "\\", "bundled")) or reference.count("/") != 1 or os.path.exists(reference)
    )
    if named and (services.public or not who.home):
        raise StudioError("Folders of this machine can't be opened here.", "Give a Hub id such as owner/name, or upload a file.")
    if named and Path(os.path.realpath(os.path.expanduser(reference))).is_relative_to(os.path.realpath(services.paths.root)):
        raise StudioError("This lies among the studio's own files.", "Choose a draft or a version from the list, or upload a file.")


def _assign(services: Services) -> Any:
    def work(draft: Draft, tools: Tools, who: Who, kind: str, *chosen: str) -> tuple[Draft, str]:
        picked = {name: column for name, column in zip(NAMES, chosen, strict=True) if column and name in ROLES.get(kind, ())}
        if kind == "mirrored" and "axis" in draft.roles.columns:
            picked["axis"] = draft.roles.columns["axis"]
        about = draft.opened
        where = {name: about[name] for name in ("split", "config", "revision") if name in about}
        limit = UPLOAD_BYTES[True] if services.public else None
        new, _ = _create(services, tools, who, about["reference"], limit, columns.assign(kind, picked), **where)
        return new, "Opened again with the columns you chose."

    return work


def _earlier_names(services: Services, who: Who) -> list[tuple[str, str]]:
    """One's own drafts, and the versions, which are everybody's."""
    saved = [(f"version {name}", f"version:{name}") for name in versions.available(services.paths) if name != "bundled"]
    own = drafts.recent(services.paths, 12, who.may_change)
    return [(label + who.remark(services.paths.drafts / name), f"draft:{name}") for name, label in own] + saved


def _earlier(services: Services, who: Who, name: str | None) -> Draft:
    """The draft, or a new one of the version. Raises StudioError where it is gone, or the draft is another one's."""
    if not name:
        raise StudioError("Nothing was chosen.", "Choose a draft or a version from the list.")
    kind, _, rest = name.partition(":")
    if kind == "draft":
        draft = drafts.load(rest, services.paths)
        who.refuse_others(draft.folder)
        return draft
    return drafts.from_version(versions.load(rest, services.paths), services.paths, who.claim)


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
