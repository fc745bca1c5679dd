"""Stage 8: save a version with its data card, compare two versions, push one to the Hub."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.corpus import card, drafts, versions
from pipelines.corpus.diff import diff
from pipelines.corpus.drafts import Draft
from pipelines.corpus.push import propose, push
from pipelines.errors import StudioError
from studio.services import Services
from studio.tabs import unlocking
from studio.tabs.curating.desk import Desk
from studio.tabs.unlocking import sending, unshared
from studio.telling import told
from studio.views import messages
from studio.views import versions as view

KEPT_NOWHERE = "Nothing is kept in this public demo. Run the studio on your own laptop to save versions and tune with them."


def build(desk: Desk) -> dict[str, Any]:
    """Lays out the stage; returns what tells other tabs that a version was saved."""
    services = desk.services
    if not services.access.allows("tune"):
        gr.HTML(messages.info(KEPT_NOWHERE), padding=False)
        return {"saved": None}
    gr.HTML(
        messages.note(
            "A version never changes. It is named by the hash of its rows, says which steps made it, and opens with datasets.load_dataset."
        ),
        padding=False,
    )
    with gr.Row():
        name = gr.Textbox(label="Name of the version", max_length=40, elem_id="version-name", min_width=180)
        licence = gr.Textbox(label="Licence of the source", placeholder="for example cc-by-4.0; empty if you don't know", min_width=180)
        basis = gr.Textbox(label="Why you may use it", placeholder="for example research exemption, consent", min_width=180)
    save = gr.Button("Save this version", variant="primary", elem_id="save-version")
    written = gr.HTML(elem_id="saved", padding=False)
    saved = gr.State(0)
    gr.Markdown("#### Saved versions")
    with gr.Row():
        one = gr.Dropdown(_names(services), label="Version", elem_id="version", min_width=200)
        other = gr.Dropdown(_names(services), label="Compare with", elem_id="other-version", min_width=200)
    with gr.Row():
        compare = gr.Button("Show differences", size="sm", elem_id="diff", min_width=130)
        forget = gr.Button("Delete", size="sm", elem_id="version-forget", min_width=90)
    unlocking.build(services, "versions")
    shown = gr.HTML(elem_id="version-shown", padding=False)
    described = gr.Markdown(elem_id="version-card", sanitize_html=True, latex_delimiters=[])
    with gr.Accordion("Push to the Hub", open=False):
        gr.HTML(
            messages.note(
                "Private unless you say otherwise. The token is read from HF_TOKEN; originals before masking never leave this machine."
            ),
            padding=False,
        )
        with gr.Row():
            repo = gr.Textbox(label="Repository", placeholder="you/name-deliberately-biased", min_width=200)
            public = gr.Checkbox(False, label="Public", min_width=90)
            dry = gr.Checkbox(True, label="Only show what would be sent", min_width=150)
        send = gr.Button("Push", size="sm")
        sent = gr.HTML(padding=False)
    save_event = save.click(
        _save(desk), [desk.draft, name, licence, basis], [written, saved, one, other], api_name="save_version", concurrency_id="curation"
    )
    one.change(lambda n: _choose(services, n), one, [shown, described, repo], show_progress="hidden", api_visibility="private")
    compare.click(lambda a, b: _diff(services, a, b), [one, other], shown, show_progress="hidden", api_visibility="private")
    sure = "name => name && confirm(`Delete the version ${name} for good?`) ? name : null"
    deleting = unshared(services, lambda n: _forget(services, n), gr.skip(), gr.skip())
    forget.click(deleting, one, [written, one, other], js=sure, show_progress="hidden", api_visibility="private")
    send.click(sending(services, lambda *values: _push(services, *values)), [one, repo, public, dry], sent, api_visibility="private")
    named = gr.State("")
    desk.watch(_name, [name, named], [named])
    desk.watch(lambda draft: tuple([gr.update(choices=_names(services))] * 2), [one, other])
    return {"saved": save_event}


def _name(draft: Draft | None, named: str) -> tuple[Any, str]:
    """A draft proposes its name once, so that what a person typed stays."""
    if draft is None or draft.id == named:
        return gr.skip(), named
    return draft.name, draft.id


def _names(services: Services) -> list[str]:
    return versions.available(services.paths)


def _save(desk: Desk) -> Any:
    def save(draft_id: str, name: str, licence: str, basis: str) -> tuple[Any, ...]:
        nothing = (gr.skip(), gr.skip(), gr.skip())
        try:
            desk.services.access.refuse("tune")
            draft = desk.find(draft_id)
            if draft is None:
                raise StudioError("Nothing is open yet.", "Open some data first.")
            terms = {"license": (licence or "").strip(), "legal_basis": (basis or "").strip()}
            folder = drafts.save(draft, name or "", desk.services.paths, terms)
        except Exception as error:
            return told(error), *nothing
        use = "Posts can't be tuned on yet: make pairs from them first." if draft.kind == "posts" else "It can be chosen in Tune now."
        said = messages.good(
            f"Saved as {folder.name}: {len(draft.rows):,} rows, content hash {versions.about(folder.name, desk.services.paths)['hash'][:12]}. {use}"
        )
        names = gr.update(choices=_names(desk.services))
        return said, 1, gr.update(choices=_names(desk.services), value=folder.name), names

    return save


def _choose(services: Services, name: str | None) -> tuple[str, str, str]:
    """A version's data card, and a name under which it could be pushed."""
    if not name or name == versions.BUNDLED:
        return messages.note("The bundled mirrored pairs, as they ship.") if name else "", "", ""
    try:
        about = versions.about(name, services.paths)
        return "", view.card(card.text(about)), propose(versions.Dataset(about["name"], about["kind"], []), "you")
    except Exception as error:
        return told(error), "", ""


def _diff(services: Services, one: str | None, other: str | None) -> str:
    try:
        if not one or not other:
            raise StudioError("Two versions are needed.", "Choose both.")
        return view.difference(diff(versions.load(other, services.paths), versions.load(one, services.paths)), other, one)
    except Exception as error:
        return told(error)


def _forget(services: Services, name: str | None) -> tuple[Any, ...]:
    if not name:
        return messages.note("Nothing was deleted."), gr.skip(), gr.skip()
    try:
        versions.forget(name, services.paths)
    except Exception as error:
        return told(error), gr.skip(), gr.skip()
    choices = gr.update(choices=_names(services), value=None)
    return messages.good(f"{name} is deleted."), choices, choices


def _push(services: Services, name: str | None, repo: str, public: bool, dry: bool) -> str:
    try:
        if not name or name == versions.BUNDLED:
            raise StudioError("No saved version is chosen.", "Save one and choose it above.")
        return view.pushed(push(services.paths.datasets / name, repo, private=not public, dry_run=dry))
    except Exception as error:
        return told(error)
