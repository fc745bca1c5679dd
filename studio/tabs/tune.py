"""Tune: set up a run, watch it, keep what is worth keeping. Runs live in processes of their own; this page reads their folders."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.tuning import runs
from studio.access import FEATURES, HINT
from studio.services import Services
from studio.tabs.tuning import kept, setup, watch
from studio.tabs.tuning.expert import QUIET
from studio.views import messages


def build(services: Services) -> dict[str, Any]:
    """Lays out the tab and wires it; returns the parts that other tabs reach for."""
    gr.HTML(
        '<h2 class="ps-unseen">Tune</h2><p class="ps-lead">Choose the data and a side, then press the button. A small adapter learns to answer like the chosen side; the base model itself is never changed.</p>',
        padding=False,
    )
    if not services.access.allows("tune"):
        gr.HTML(messages.info(f"{FEATURES['tune']} {HINT} Under “Watch” three recorded runs can be played again."), padding=False)
    with gr.Tabs(elem_id="tune-stages", selected="setup" if services.access.allows("tune") else "watch") as stages:
        with gr.Tab("Set up", id="setup") as setting:
            form = setup.build(services)
        with gr.Tab("Watch", id="watch") as watching:
            seen = watch.build(services)
        if services.access.allows("tune"):
            with gr.Tab("Runs", id="runs") as keeping:
                shelf = kept.build(services)
                keeping.select(**shelf["refresh"])
            for event in shelf["changed"]:
                event.then(lambda one: _choices(services, one), seen["run"], seen["run"], **QUIET)
    for event in form["started"]:
        event.then(
            lambda one, words: _to_watch(services, one, words),
            [form["chosen"], form["said"]], [stages, seen["run"], seen["said"], form["chosen"]], **QUIET,
        )  # fmt: skip
    watching.select(lambda one: _choices(services, one), seen["run"], seen["run"], **QUIET)
    setting.select(**form["cost"])
    return {
        **seen,
        "stages": stages,
        "data": form["data"],
        "cost": form["cost"],
        "refresh": lambda: gr.update(choices=setup.data_choices(services)),
        "reattach": lambda: _reattach(services),
    }


def _to_watch(services: Services, run_id: str, words: str) -> tuple[Any, ...]:
    """After a start: the run is shown. Nothing happens where none was started."""
    if not run_id:
        return gr.skip(), gr.skip(), gr.skip(), ""
    return gr.Tabs(selected="watch"), gr.update(choices=watch.choices(services), value=run_id), words, ""


def _choices(services: Services, run_id: str | None) -> Any:
    """What can be watched now. What was chosen stays; a bundled run, with which every page begins, makes way for one that trains."""
    choices = watch.choices(services)
    is_kept = run_id in {value for _, value in choices} and not (str(run_id).startswith("bundled:") and runs.active(services.paths))
    return gr.update(choices=choices, value=run_id if is_kept else watch.current(services))


def _reattach(services: Services) -> tuple[Any, Any]:
    """After a reload: a run that trains is shown at once, from any browser."""
    current = watch.current(services)
    busy = services.access.allows("tune") and runs.active(services.paths) is not None
    return gr.update(choices=watch.choices(services), value=current), gr.Tabs(selected="watch") if busy else gr.skip()
