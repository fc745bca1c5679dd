"""Curate: from raw posts to checked preference pairs - every step shown, counted, explained, and undone with one press."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.corpus import drafts
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.steps.registry import CLEANING, SCORING
from pipelines.errors import StudioError
from studio.owning import Who
from studio.services import Services
from studio.tabs.curating import checking, cleaning, labelling, opening, pairing, reviewing, saving, scoring, selecting
from studio.tabs.curating.desk import Desk
from studio.views import corpus as view
from studio.views import messages

LEAD = "Choose what a model will learn from. Open posts or pairs, follow what each step does to them, then save a version to tune with."
USUAL: dict[str, dict[str, Any]] = {"select": {"strategy": "extreme", "side": "both", "count": 192}, "match": {"towards": "both"}}


def build(services: Services, memory: Any, me: Any) -> dict[str, Any]:
    """Lays out the tab and wires it; returns the parts that other tabs reach for.

    `memory` keeps the draft's id in the browser, `me` what is remembered of the page (owning.py).
    """
    gr.HTML(f'<h2 class="ps-unseen">Curate</h2><p class="ps-lead">{LEAD}</p>', padding=False)
    draft = gr.State("")
    status, stop = (
        gr.HTML(elem_id="curate-status", padding=False, render=False),
        gr.Button("Stop", size="sm", visible=False, render=False, min_width=80, scale=0, elem_id="curate-stop"),
    )
    desk = Desk(services, draft, status, stop, gr.Timer(2.0, active=False), gr.State(""), me)
    opening.build(desk)
    found = gr.HTML(view.opened(None), elem_id="found", padding=False)
    flow = gr.HTML(elem_id="steps", padding=False)
    with gr.Row(visible=False) as actions:
        everything = gr.Button("Do all steps", variant="primary", size="sm", elem_id="do-all", min_width=150, scale=0)
        undo = gr.Button("Undo", size="sm", elem_id="undo", min_width=90, scale=0)
        place = gr.Dropdown([], label="Go back to", show_label=False, container=False, min_width=270, scale=0, elem_id="back-to")
        back = gr.Button("Go back to there", size="sm", elem_id="go-back", min_width=130, scale=0)
        erase = gr.Button("Delete this draft", size="sm", min_width=120, scale=0)
        really = gr.Button("Delete", elem_id="erase-draft", scale=0)
    status.render()
    stop.render()
    with gr.Accordion("Why rows were dropped", open=False, visible=False) as why:
        reasons = gr.HTML(elem_id="reasons", padding=False)
    with gr.Tabs(visible=False, elem_id="stages") as stages:
        with gr.Tab("1 Clean", id="clean"):
            cleaning.build(desk)
        with gr.Tab("2 Score", id="score"):
            endpoint = scoring.build(desk)
            labelling.build(desk)
        with gr.Tab("3 Select", id="select"):
            selecting.build(desk)
        with gr.Tab("4 Pairs", id="pairs"):
            pairing.build(desk, endpoint)
        with gr.Tab("5 Check", id="check"):
            checking.build(desk)
        with gr.Tab("6 Rows", id="rows"):
            reviewing.build(desk)
        with gr.Tab("7 Save", id="save"):
            saved = saving.build(desk)["saved"]
    desk.act(everything.click, _everything, [], "do_all")
    desk.act(undo.click, _undo, [], "undo")
    sure = "(id, place) => confirm('Take back all steps after that place? Changes by hand among them are lost.') ? [id, place] : [id, null]"
    asked = gr.State(None)
    desk.act(
        lambda *w, **o: back.click(lambda i, at: at, [draft, place], asked, js=sure, queue=False, show_progress="hidden").then(*w, **o),
        _back,
        [asked],
        "go_back",
    )
    erase.click(
        None,
        js="() => { if (confirm('Delete this draft with all its rows? Saved versions stay.')) document.querySelector('#erase-draft').click(); }",
    )
    desk.follow_later(really.click, lambda draft_id: _erase(desk, draft_id))
    desk.watch(_places, [place, back])
    desk.watch(lambda one: (view.opened(one), view.flow(one), view.reasons(one)), [found, flow, reasons])
    desk.watch(lambda one: tuple([gr.update(visible=one is not None)] * 3), [actions, stages, why])
    desk.watch(
        lambda one: (gr.update(visible=bool(one and one.kind == "posts")), gr.update(interactive=bool(one and one.steps))),
        [everything, undo],
    )
    desk.watch(lambda one: (one.id if one else "",), [memory])
    desk.finish()
    return {"save": saved, "draft": draft, "desk": desk}


def restore(desk: Desk, who: Who, remembered: Any) -> str:
    """After a reload: the draft that this browser had in hand, if it is still there and theirs."""
    draft = desk.find(remembered) if isinstance(remembered, str) else None
    return draft.id if draft and who.may_change(draft.folder) else ""


def _everything(draft: Draft, tools: Tools) -> tuple[Draft, str]:
    """All steps that were not done yet, with the usual settings, up to mirrored pairs."""
    done = {step.key for step in draft.steps}
    todo = [key for key in (*CLEANING["posts"], *SCORING, "select", "match") if key not in done]
    draft = drafts.apply_all(draft, todo, tools, USUAL)
    return (
        draft,
        f"{draft.count:,} posts became {len(draft.rows):,} pairs. Many are wrong about the side: see “5 Check”, then read the rows.",
    )


def _places(draft: Draft | None) -> tuple[Any, Any]:
    """The places that one can go back to, the last but one first."""
    steps = draft.steps if draft else ()
    places = [("Back to: as opened", 0), *((f"Back to: after {step.label}", number) for number, step in enumerate(steps[:-1], 1))]
    return gr.update(choices=places[::-1], value=places[-1][1], visible=len(steps) > 1), gr.update(visible=len(steps) > 1)


def _back(draft: Draft, tools: Tools, place: int | None) -> tuple[Draft, str]:
    gone = draft.steps[int(place) :] if place is not None else ()
    if place is None or not gone:
        return draft, "Nothing was taken back."
    return drafts.back(draft, int(place)), f"Taken back: {', '.join(step.label for step in gone)}."


def _erase(desk: Desk, draft_id: str) -> tuple[str, str]:
    """Deletes the draft in hand: nothing of its rows stays on the disk."""
    try:
        with drafts.working(draft_id, desk.services.paths) as draft:
            drafts.forget(draft)
    except StudioError as error:
        return draft_id, messages.error(error)
    return "", messages.good("The draft is deleted. Saved versions stay.")


def _undo(draft: Draft, tools: Tools) -> tuple[Draft, str]:
    if not draft.steps:
        return draft, "There is nothing to undo."
    label = draft.steps[-1].label
    return drafts.undo(draft), f"“{label}” is taken back."
