"""Puts the tabs together, in the order that the data flows; Compare is open first, already finished."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from studio import api, help, languages, owning, signing
from studio.services import Services
from studio.tabs import compare, curate, lesson, review, stance, state, tune
from studio.tabs import measuring as in_stance
from studio.tabs.comparing import choosing
from studio.tabs.curating.desk import MEMORY
from studio.tabs.curating.reviewing import KEYS_JS
from studio.tabs.reviews import addresses, setting
from studio.tabs.tuning import watch
from studio.telling import Studio
from studio.views import messages, persistence

HEAD = f"""{help.SKIP}<div class="ps-head">{languages.choice()}<h1>PoliTune Studio</h1>
<p>See how a selection of answers, and a few minutes of light fine-tuning, put an economic or political bias into a language model, and how to measure it honestly.</p>
<p class="ps-warn"><b>A very small model, deliberately altered; it holds no opinions, and nothing here measures commercial assistants.</b></p>{help.OFFER}</div>"""


def build_studio(services: Services) -> gr.Blocks:
    """The whole interface. Loads no model."""
    with Studio(title="PoliTune Studio", analytics_enabled=False, fill_width=True, delete_cache=(3600, 6 * 3600)) as studio:
        gr.HTML(HEAD, padding=False)
        signing.build()
        if text := persistence.banner(services.paths.root, services.access):
            gr.HTML(text, elem_id="not-kept", padding=False)
        banner = gr.HTML(elem_id="preparing", padding=False, visible=False)
        clock = gr.Timer(1.0)
        owner, noted, me = gr.BrowserState(**owning.OWNER), gr.BrowserState(**setting.MEMORY), gr.State(owning.Me())
        drafted = gr.BrowserState(**MEMORY)  # outside the tabs: what lies in a closed tab is not there when the page is loaded
        learned = lesson.memory()
        with gr.Tabs(selected="compare", elem_id=help.CONTENT) as tabs:
            with gr.Tab("Curate", id="curate"):
                curating = curate.build(services, drafted, me)
            with gr.Tab("Tune", id="tune") as tune_tab:
                tuning = tune.build(services)
            with gr.Tab("Compare", id="compare") as compare_tab:
                comparing = compare.build(services, me)
            with gr.Tab("Stance", id="stance") as stance_tab:
                measuring = stance.build(services, me)
            within = {"tune": tuning["stages"], "compare": comparing["chooser"][0], "stance": measuring["stages"]}
            if services.access.allows("review"):
                with gr.Tab("Review", id="review") as review_tab:
                    reviewing = review.build(services, owner, noted)
                    review_tab.select(**reviewing["attach"])
                    within["review"] = reviewing["stages"]
            with gr.Tab("Lesson", id="lesson") as lesson_tab:
                lesson_tab.select(**lesson.build(services, owner, tabs, learned, within)["attach"])
            with gr.Tab(state.NAME, id="state") as state_tab:
                standing = state.build(services)
        languages.build(studio)
        help.build(studio)
        api.build(services)
        state.wire(standing, tabs, state_tab)
        if curating["save"] is not None:
            curating["save"].then(tuning["refresh"], None, tuning["data"])
        opened = [tabs, *comparing["chooser"]]
        tuning["compare"].click(lambda run_id: _in_compare(services, [run_id]), tuning["run"], opened)
        tuning["steps"].click(lambda run_id: _in_compare(services, [run_id], ()), tuning["run"], opened)
        tuning["compare_group"].click(lambda run_id: _compare_group(services, run_id), tuning["run"], opened)
        tuning["measure_group"].click(
            lambda run_id: _measure_group(services, run_id), tuning["run"], [tabs, *measuring["chooser"]], show_progress="hidden"
        )
        tune_tab.select(tuning["refresh"], None, tuning["data"], show_progress="hidden")
        tune_tab.select(**tuning["cost"])
        compare_tab.select(**comparing["refresh"])
        stance_tab.select(**measuring["refresh"])
        clock.tick(lambda: _preparing(services), None, [banner, clock], concurrency_limit=None, show_progress="hidden", queue=False)
        studio.load(**comparing["restore"])
        desk = curating["desk"]
        recognized = owning.build(services, owner, me, studio)

        def in_hand(request: gr.Request, known: owning.Me, kept: Any, opened: str) -> Any:
            """Where somebody was quicker than the browser's memory, what they opened stays."""
            return gr.skip() if opened else curate.restore(desk, owning.Who.at(request, known), kept)

        def gone(request: gr.Request) -> None:
            services.gone(request.session_hash or "")

        remembered = recognized.then(in_hand, [me, drafted, desk.draft], desk.draft, show_progress="hidden", api_visibility="private")
        desk.attend_on(desk.follow(remembered.then).then)
        studio.load(None, js=KEYS_JS)
        studio.unload(gone)
        studio.load(tuning["reattach"], None, [tuning["run"], tuning["stages"]], show_progress="hidden")
    if services.access.allows("review"):
        with studio.route("Blind review", addresses.RATE, show_in_navbar=False):
            review.build_rating(services, studio)
        with studio.route("Guess game", addresses.GUESS, show_in_navbar=False):
            review.build_guessing(services, studio)
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


def _compare_group(services: Services, run_id: str | None) -> tuple[Any, ...]:
    """Opens Compare with the base and all runs of the group that a run belongs to."""
    group = watch.group_of(services, run_id)
    return _in_compare(services, [run.id for run in group.columns.values()] if group else [])


def _in_compare(services: Services, run_ids: Sequence[str], steps: Sequence[int] | None = None) -> tuple[Any, ...]:
    """Opens Compare at the stage where its columns are asked: updates of the tabs, the stages and the chooser's parts."""
    tab, *parts = choosing.open_in_compare(services, run_ids, steps)
    return tab, gr.Tabs(selected="ask"), *parts


def _measure_group(services: Services, run_id: str | None) -> tuple[Any, ...]:
    """Opens Stance with the base and all runs of the group that a run belongs to."""
    group = watch.group_of(services, run_id)
    return in_stance.open_in_stance(services, group.id if group else "")
