"""Tune: choose data and side, press one button. The run lives in its own process; this page only reads its folder."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import gradio as gr

from pipelines.corpus import versions
from pipelines.corpus.sources import BUNDLED
from pipelines.errors import StudioError
from pipelines.records import SIDES
from pipelines.tuning import runs
from pipelines.tuning.recipe import ALL_LINEAR, METHODS, Recipe
from pipelines.tuning.runs import ACTIVE, Run
from studio.services import Services
from studio.views import curves, messages, training

LENGTHS = {
    "Full lesson run (about 3 minutes with the bundled pairs)": 0,
    "Short look: 20 steps (about 1 minute)": 20,
    "Try it out: 5 steps (half a minute)": 5,
}
POLL_SECONDS = 2.0


def build(services: Services) -> dict[str, Any]:
    """Lays out the tab and wires it; returns the parts that other tabs reach for."""
    gr.HTML(
        '<p class="ps-lead">Choose the data and a side, then press the button. A small adapter learns to answer like the chosen side; the base model itself is never changed.</p>',
        padding=False,
    )
    if services.public:
        gr.HTML(
            messages.info(
                "This is a public demo, so nothing is trained here. Run the studio on your own laptop with the two commands in its README."
            ),
            padding=False,
        )
    with gr.Row():
        data = gr.Dropdown(_data_choices(services), value=BUNDLED, label="Data", elem_id="data", scale=2, min_width=250)
        side = gr.Radio(_side_choices(SIDES), value="left", label="Tune towards", elem_id="side", scale=2, min_width=250)
        length = gr.Radio(list(LENGTHS), value=next(iter(LENGTHS)), label="Length of the run", elem_id="length", scale=3, min_width=280)
    sample = gr.Textbox(runs.DEFAULT_SAMPLE, label="Sample question, asked again while the model learns", max_length=300)
    with gr.Accordion("Expert: every setting of the recipe", open=False):
        levers = _expert_form()
    with gr.Row():
        start = gr.Button("Start tuning", variant="primary", elem_id="start-tuning", interactive=not services.public, scale=3)
        stop = gr.Button("Stop and keep what was learned", elem_id="stop-tuning", interactive=False, scale=2)
        resume = gr.Button("Go on", visible=False, scale=1)
    said = gr.HTML(elem_id="tune-said", padding=False)
    chosen = gr.Dropdown(_choices(services), label="Run", elem_id="run", value=_current(services))
    status = gr.HTML(elem_id="run-status", padding=False)
    with gr.Row():
        with gr.Column(min_width=340):
            plot = gr.Plot(show_label=False)
        with gr.Column(min_width=340):
            timeline = gr.HTML(elem_id="timeline", padding=False)
    facts = gr.HTML(padding=False)
    compare = gr.Button("Compare with base", variant="primary", visible=False, elem_id="compare-run")
    seen = gr.State(("", 0, ""))
    timer = gr.Timer(POLL_SECONDS)

    view_parts = [status, plot, timeline, facts, compare, stop, resume, seen]
    data.change(lambda name: _sides(services, name), data, side)
    start.click(lambda *values: _start(services, *values), [data, side, length, sample, *levers], [said, chosen], concurrency_limit=1)
    stop.click(lambda run_id: _stop(services, run_id), chosen, said)
    resume.click(lambda run_id: _resume(services, run_id), chosen, said)
    timer.tick(
        lambda run_id, before: _look(services, run_id, before), [chosen, seen], view_parts, concurrency_limit=None, show_progress="hidden"
    )
    chosen.change(lambda run_id: _look(services, run_id, ("", 0, "")), chosen, view_parts, show_progress="hidden")
    return {
        "data": data,
        "run": chosen,
        "compare": compare,
        "refresh": lambda: gr.update(choices=_data_choices(services)),
        "reattach": lambda: _reattach(services),
    }


def _expert_form() -> list[gr.components.Component]:
    """One field a lever, made from the recipe's dataclass."""
    hints = typing.get_type_hints(Recipe)
    made: list[gr.components.Component] = []
    defaults = Recipe()
    with gr.Row():
        for lever in fields(Recipe):
            label, info, value = lever.name.replace("_", " "), lever.metadata["hint"], getattr(defaults, lever.name)
            if lever.name == "method":
                made.append(gr.Dropdown(list(METHODS), value=value, label=label, info=info, min_width=240))
            elif lever.name == "modules":
                made.append(gr.CheckboxGroup(list(ALL_LINEAR), value=list(value), label=label, info=info, min_width=320))
            else:
                whole = hints[lever.name] is int
                made.append(gr.Number(value, precision=0 if whole else None, label=label, info=info, min_width=240))
    return made


def _data_choices(services: Services) -> list[tuple[str, str]]:
    names = [BUNDLED] if services.public else versions.tunable(services.paths)
    return [("Bundled mirrored pairs (192 questions)" if name == BUNDLED else name, name) for name in names]


def _side_choices(sides: Sequence[str]) -> list[tuple[str, str]]:
    return [("neutral (placebo)" if side == "neutral" else side, side) for side in sides]


def _choices(services: Services) -> list[tuple[str, str]]:
    return [(run.title, run.id) for run in runs.list_runs(services.paths)] if not services.public else []


def _current(services: Services) -> str | None:
    """The run that is training, else the newest."""
    found = runs.list_runs(services.paths) if not services.public else []
    active = runs.active(services.paths) if found else None
    return active.id if active else found[0].id if found else None


def _reattach(services: Services) -> Any:
    return gr.update(choices=_choices(services), value=_current(services))


def _sides(services: Services, name: str) -> Any:
    try:
        sides = versions.load(name, services.paths).sides
    except StudioError:
        return gr.skip()
    return gr.update(choices=_side_choices(sides), value=sides[0] if sides else None)


def _start(services: Services, data: str, side: str, length: str, sample: str, *levers: Any) -> tuple[str, Any]:
    try:
        _refuse_in_public(services)
        values = {lever.name: value for lever, value in zip(fields(Recipe), levers, strict=True)}
        missing = [name for name, value in values.items() if value is None]
        if missing:
            raise StudioError(f"{missing[0]} is empty.", "Give it a number, or load the page again for the defaults.")
        recipe = Recipe.from_dict(values)
        short = LENGTHS.get(length, 0)
        if short:
            recipe = Recipe.from_dict(
                {**recipe.as_dict(), "max_steps": short, "sample_every": max(1, min(recipe.sample_every, short // 4))}
            )
        runs.refuse_if_busy(services.paths)
        run = runs.create(versions.load(data, services.paths), side, recipe, services.paths, sample=sample.strip() or runs.DEFAULT_SAMPLE)
        runs.launch(run, services.paths)
    except StudioError as error:
        return messages.error(error), gr.skip()
    return messages.info("Started in a process of its own: you may close this page and come back, the run goes on."), gr.update(
        choices=_choices(services), value=run.id
    )


def _refuse_in_public(services: Services) -> None:
    """The button is off in a public demo; whoever calls the function behind it is told the same."""
    if services.public:
        raise StudioError(
            "Nothing is trained in this public demo.", "Run the studio on your own laptop with the two commands in its README."
        )


def _stop(services: Services, run_id: str | None) -> str:
    try:
        _refuse_in_public(services)
        runs.find(run_id or "", services.paths).request_stop()
    except StudioError as error:
        return messages.error(error)
    return messages.info("The run ends after the step it is in, and keeps what was learned.")


def _resume(services: Services, run_id: str | None) -> str:
    try:
        _refuse_in_public(services)
        runs.launch(runs.find(run_id or "", services.paths), services.paths)
    except StudioError as error:
        return messages.error(error)
    return messages.info("Going on from the last checkpoint.")


def _look(services: Services, run_id: str | None, before: tuple[str, int, str]) -> tuple[Any, ...]:
    """What the page shows of a run; nothing is sent while nothing has changed."""
    run = _run(services, run_id)
    if run is None:
        empty = messages.note("No run yet. Its progress appears here.")
        return (
            (empty, gr.skip(), *[gr.skip()] * 5, before)
            if before[0] == "none"
            else (
                empty,
                curves.loss_curve([]),
                "",
                "",
                gr.update(visible=False),
                gr.update(interactive=False),
                gr.update(visible=False),
                ("none", 0, ""),
            )
        )
    progress, state = run.progress(), run.state
    now = (run.id, len(progress), state)
    if tuple(before) == now:
        return tuple([gr.skip()] * 8)
    usable = state in runs.USABLE
    return (
        training.status(run, progress),
        curves.loss_curve(progress),
        training.samples(run, progress),
        training.facts(run),
        gr.update(visible=usable),
        gr.update(interactive=state in ACTIVE),
        gr.update(visible=state == "interrupted"),
        now,
    )


def _run(services: Services, run_id: str | None) -> Run | None:
    try:
        return runs.find(run_id, services.paths) if run_id and not services.public else None
    except StudioError:
        return None
