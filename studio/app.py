"""Puts the tabs together, in the order that the data flows; Compare is open first, already finished."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.tuning import runs
from studio.services import BASE_NAME, Services
from studio.tabs import compare, curate, stance, tune
from studio.tabs.curating.desk import MEMORY
from studio.tabs.curating.reviewing import KEYS_JS
from studio.views import messages

HEAD = """<div class="ps-head"><h1>PoliTune Studio</h1>
<p>See how a selection of answers, and a few minutes of light fine-tuning, put an economic or political bias into a language model, and how to measure it honestly.</p>
<p class="ps-warn"><b>A very small model, deliberately altered; it holds no opinions, and nothing here measures commercial assistants.</b></p></div>"""


def build_studio(services: Services) -> gr.Blocks:
    """The whole interface. Loads no model."""
    with gr.Blocks(title="PoliTune Studio", analytics_enabled=False, fill_width=True, delete_cache=(3600, 6 * 3600)) as studio:
        gr.HTML(HEAD, padding=False)
        banner = gr.HTML(elem_id="preparing", padding=False, visible=False)
        clock = gr.Timer(1.0)
        drafted = gr.BrowserState(**MEMORY)  # outside the tabs: what lies in a closed tab is not there when the page is loaded
        with gr.Tabs(selected="compare") as tabs:
            with gr.Tab("Curate", id="curate"):
                curating = curate.build(services, drafted)
            with gr.Tab("Tune", id="tune") as tune_tab:
                tuning = tune.build(services)
            with gr.Tab("Compare", id="compare") as compare_tab:
                comparing = compare.build(services)
            with gr.Tab("Stance", id="stance") as stance_tab:
                measuring = stance.build(services)
        if curating["save"] is not None:
            curating["save"].then(tuning["refresh"], None, tuning["data"])
        tuning["compare"].click(lambda run_id: _compare_run(services, run_id), tuning["run"], [tabs, comparing["columns"]])
        tune_tab.select(tuning["refresh"], None, tuning["data"], show_progress="hidden")
        compare_tab.select(
            lambda names: gr.update(choices=services.column_names(), value=names),
            comparing["columns"],
            comparing["columns"],
            show_progress="hidden",
        )
        stance_tab.select(
            lambda names: gr.update(choices=services.column_names(), value=names),
            measuring["columns"],
            measuring["columns"],
            show_progress="hidden",
        )
        clock.tick(lambda: _preparing(services), None, [banner, clock], concurrency_limit=None, show_progress="hidden", queue=False)
        studio.load(
            compare.restore,
            comparing["memory"],
            [comparing[part] for part in ("status", "panes", "question", "strength")],
            show_progress="hidden",
        )
        desk = curating["desk"]
        remembered = studio.load(
            lambda draft_id: curate.restore(desk, draft_id),
            drafted,
            desk.draft,
            show_progress="hidden",
            api_visibility="private",
        )
        desk.attend_on(desk.follow(remembered.then).then)
        studio.load(None, js=KEYS_JS)
        studio.load(tuning["reattach"], None, tuning["run"], show_progress="hidden")
    return studio


def _preparing(services: Services) -> tuple[Any, Any]:
    """While the embedded model is made ready: how far it is. Stops asking once it is loaded."""
    fraction, text = services.preparing
    if fraction >= 1 or not text:
        return gr.update(visible=False), gr.Timer(active=fraction < 1)
    if fraction == 0:
        return gr.update(value=messages.error(text), visible=True), gr.Timer(active=False)
    bar = messages.bar(fraction, f"Getting the embedded model ready, once, about half a minute: {text.lower()}")
    return gr.update(value=bar, visible=True), gr.Timer(active=True)


def _compare_run(services: Services, run_id: str) -> tuple[Any, Any]:
    """Opens Compare with the base and a run ticked."""
    titles = [run.title for run in runs.usable(runs.list_runs(services.paths)) if run.id == run_id]
    return gr.Tabs(selected="compare"), gr.update(choices=services.column_names(), value=[BASE_NAME, *titles])
