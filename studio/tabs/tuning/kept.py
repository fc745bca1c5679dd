"""Runs: find, name, compare and delete them; take adapters out and bring others in."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.errors import StudioError
from pipelines.tuning import runs
from pipelines.tuning.cost import estimate
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import about, library
from studio.services import Services
from studio.tabs import unlocking
from studio.tabs.tuning import exchanging
from studio.tabs.tuning.exchanging import in_hand
from studio.tabs.tuning.expert import QUIET
from studio.tabs.unlocking import unshared
from studio.telling import told
from studio.views import curves, messages
from studio.views import runs as view

MOST_SHOWN, MOST_OVERLAID = 60, 8
PICK_JS = """element.addEventListener('click', (event) => {
  const row = event.target.closest('[data-pick]'); if (row) trigger('click', {pick: row.dataset.pick}); });"""


def build(services: Services) -> dict[str, Any]:
    """Lays out the pane; returns what has to be shown anew when it is opened."""
    with gr.Row():
        search = gr.Textbox(
            label="Search", placeholder="words, or tag:lesson, state:failed, side:left", elem_id="search-runs", scale=3, min_width=240
        )
        chosen = gr.Dropdown(label="Run in hand", elem_id="run-in-hand", scale=2, min_width=220)
    table = gr.HTML(elem_id="runs", padding=False, js_on_load=PICK_JS)
    said = gr.HTML(elem_id="runs-said", padding=False)
    with gr.Tabs(elem_id="run-stages"):
        with gr.Tab("About"):
            described = _about(services, chosen, said)
        with gr.Tab("Differences"):
            other = gr.Dropdown(label="Compare with", elem_id="other-run", min_width=220)
            between = gr.HTML(elem_id="run-differences", padding=False)
        with gr.Tab("Curves"):
            some = gr.Dropdown(multiselect=True, max_choices=MOST_OVERLAID, label="Loss curves of", elem_id="overlaid", min_width=220)
            plot = gr.Plot(show_label=False, elem_id="overlay")
        with gr.Tab("Take out"):
            exchanging.take_out(services, chosen)
        with gr.Tab("Bring in"):
            brought = exchanging.bring_in(services)
    everything = [table, chosen, other, some]
    shows = lambda text, one, two, more: _listed(services, text, one, two, more)  # noqa: E731
    listed = {"fn": shows, "inputs": [search, chosen, other, some], "outputs": everything, **QUIET}
    search.input(**listed, trigger_mode="always_last")
    table.click(_picked, None, chosen, **QUIET)
    chosen.change(**listed)
    chosen.change(lambda one: _shown(services, one), chosen, described["parts"], **QUIET)
    gr.on([chosen.change, other.change], lambda a, b: _between(services, a, b), [chosen, other], between, **QUIET)
    some.change(lambda ids: _overlaid(services, ids), some, plot, **QUIET)
    for event in (*described["changed"], brought):
        event.then(**listed)
    return {"refresh": listed, "changed": [*described["changed"], brought]}


def _about(services: Services, chosen: Any, said: Any) -> dict[str, Any]:
    with gr.Row():
        title = gr.Textbox(label="Title", max_length=about.TITLE_LENGTH, elem_id="run-title", min_width=200)
        tags = gr.Textbox(label="Tags", placeholder="lesson, draft", elem_id="run-tags", min_width=160)
    note = gr.Textbox(label="Note", lines=2, max_length=about.NOTE_LENGTH, elem_id="run-note")
    with gr.Row():
        save = gr.Button("Save title, tags and note", variant="primary", size="sm", elem_id="save-about", min_width=180)
        delete = gr.Button("Delete this run", size="sm", elem_id="delete-run", min_width=140)
    unlocking.build(services, "runs")
    details = gr.HTML(elem_id="run-details", padding=False)
    filled = gr.State("")
    saved = save.click(lambda *v: _describe(services, *v), [chosen, filled, title, tags, note], said, **QUIET)
    sure = "(id, filled, name) => id && confirm(`Delete “${name || id}” with its adapter and checkpoints for good?`) ? [id, filled, name] : [null, filled, name]"
    deleting = unshared(services, lambda *v: _delete(services, *v), gr.skip())
    deleted = delete.click(deleting, [chosen, filled, title], [said, chosen], js=sure, **QUIET)
    return {"parts": [title, tags, note, details, filled], "changed": [saved, deleted]}


def _own(services: Services) -> list[Run]:
    return runs.list_runs(services.paths) if services.access.allows("tune") else []


def _listed(services: Services, text: str, one: str | None, two: str | None, more: list[str] | None) -> tuple[Any, ...]:
    """The list, and the three choices from it. What is chosen is let alone while it exists: a person may have pressed another meanwhile."""
    everything = _own(services)
    found = about.search(everything, text or "")
    names = [(about.shown_title(run), run.id) for run in everything]
    ids = {run.id for run in everything}
    damaged = library.damaged(services.paths) if services.access.allows("tune") else []
    shown = view.table(found[:MOST_SHOWN], (one or "",)) if everything else view.empty()
    if len(found) > MOST_SHOWN:
        shown += messages.note(f"{MOST_SHOWN} newest of {len(found)} shown; search for the others.")
    if damaged:
        shown += messages.note(f"{len(damaged)} folder{'s' * (len(damaged) > 1)} can't be read: {', '.join(f.name for f in damaged[:5])}.")
    return (
        shown,
        gr.update(choices=names) if one in ids or not one else gr.update(choices=names, value=None),
        gr.update(choices=names) if two in ids or not two else gr.update(choices=names, value=None),
        gr.update(choices=names) if set(more or []) <= ids else gr.update(choices=names, value=[i for i in more or [] if i in ids]),
    )


def _picked(event: gr.EventData) -> str:
    return str(event.pick)


def _shown(services: Services, one: str | None) -> tuple[Any, ...]:
    try:
        run = in_hand(services, one)
    except StudioError:
        return "", "", "", messages.note("Press a run in the list to see what it is made of."), ""
    known = about.about(run)
    room = estimate.size(max(1, sum(library.sizes(run).values())))
    return known.title, ", ".join(known.tags), known.note, view.details(run) + messages.note(f"It takes {room} of disk."), run.id


def _describe(services: Services, one: str | None, filled: str, title: str, tags: str, note: str) -> str:
    try:
        _refuse_other(one, filled)
        known = about.describe(in_hand(services, one), title, note, [tag.strip() for tag in tags.split(",") if tag.strip()])
    except Exception as error:
        return told(error)
    return messages.good(f"Saved{f' as “{known.title}”' if known.title else ''}.")


def _refuse_other(one: str | None, filled: str) -> None:
    """The form may still show the run that was in hand a moment ago."""
    if one and one != filled:
        raise StudioError("Another run has been taken in hand meanwhile.", "Look at the form again, then press once more.")


def _delete(services: Services, one: str | None, filled: str, _title: str) -> tuple[Any, Any]:
    if not one:
        return messages.note("Nothing was deleted."), gr.skip()
    try:
        _refuse_other(one, filled)
        freed = library.delete(in_hand(services, one), services.paths)
    except Exception as error:
        return told(error), gr.skip()
    return messages.good(f"Deleted; {estimate.size(max(1, freed))} are free again."), None


def _between(services: Services, one: str | None, two: str | None) -> str:
    try:
        if not one or not two:
            return messages.note("Choose a run in the list and another here: only what differs between them is shown.")
        return view.differences(in_hand(services, one), in_hand(services, two))
    except Exception as error:
        return told(error)


def _overlaid(services: Services, ids: list[str] | None) -> Any:
    wanted = [run for run in _own(services) if run.id in (ids or [])]
    return curves.overlay([(about.shown_title(run), run.progress()) for run in wanted[:MOST_OVERLAID]])
