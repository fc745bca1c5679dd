"""Watch: one run as it goes, from any browser. The page only reads the run's folder; several may look at once."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.tuning import groups, runs, waiting
from pipelines.tuning.groups import Group
from pipelines.tuning.run import ACTIVE, USABLE, Run
from pipelines.tuning.shelf.about import shown_title
from pipelines.tuning.training.journal import kept_steps
from studio.services import Services
from studio.tabs.tuning import playing
from studio.tabs.tuning.expert import QUIET
from studio.telling import told
from studio.views import curves, messages, training

POLL_SECONDS, ROUGHLY = 2.0, 15.0
BUNDLED = "bundled:"
STARTABLE = ("interrupted", "failed", "waiting")
Seen = tuple[str, str, int, int, str]  # run, state, lines of progress, looks at the model, how its group stands
NOTHING: Seen = ("", "", -1, -1, "")
GONE = StudioError("This run is not here any more.", "It was deleted, or its folder can't be read; choose another one.")


def build(services: Services) -> dict[str, Any]:
    """Lays out the pane; returns what the tab and other tabs reach for."""
    chosen = gr.Dropdown(choices(services), label="Run", elem_id="run", value=current(services))
    status = gr.HTML(elem_id="run-status", padding=False)
    player = playing.build()
    with gr.Row():
        stop = gr.Button("Stop and keep what was learned", elem_id="stop-tuning", interactive=False, min_width=200)
        cancel = gr.Button("Take the waiting runs out of the queue", visible=False, elem_id="cancel-queue", min_width=200)
        resume = gr.Button("Go on", visible=False, elem_id="resume", min_width=120)
        compare = gr.Button("Compare with base", variant="primary", visible=False, elem_id="compare-run", min_width=160)
        steps = gr.Button("Compare its checkpoints", visible=False, elem_id="compare-steps", min_width=160)
    said = gr.HTML(elem_id="watch-said", padding=False)
    alarms = gr.HTML(elem_id="alarms", padding=False)
    group = gr.HTML(elem_id="group", padding=False)
    with gr.Row():
        compare_group = gr.Button("Compare this group", visible=False, elem_id="compare-group", min_width=160)
        measure_group = gr.Button("Measure this group in Stance", visible=False, elem_id="measure-group", min_width=160)
    with gr.Row():
        plots = [gr.Plot(show_label=False, min_width=320, elem_id=f"plot-{name}") for name in ("loss", "preference")]
    with gr.Row():
        plots += [gr.Plot(show_label=False, min_width=320, elem_id=f"plot-{name}") for name in ("shift", "damage")]
    timeline = gr.HTML(elem_id="timeline", padding=False)
    facts = gr.HTML(padding=False)
    seen, standing = gr.State(NOTHING), gr.State(("", ""))
    timer = gr.Timer(POLL_SECONDS)
    buttons = [stop, cancel, resume, compare, steps, compare_group, measure_group]
    parts = [status, alarms, group, *plots, timeline, facts, *buttons, seen]
    stop.click(lambda run_id: _stop(services, run_id), chosen, said, **QUIET)
    cancel.click(lambda: _cancel(services), None, said, **QUIET)
    resume.click(lambda run_id: _resume(services, run_id), chosen, said, **QUIET)
    timer.tick(lambda run_id, before: look(services, run_id, before), [chosen, seen], parts, concurrency_limit=None, **QUIET)
    chosen.change(lambda run_id: look(services, run_id, NOTHING), chosen, parts, **QUIET)
    seen.change(lambda now, before: restated(services, now, before), [seen, standing], [chosen, said, standing], **QUIET)
    chosen.input(lambda: "", None, said, **QUIET)
    playing.wire(player, lambda run_id: settled(services, run_id), chosen, seen, [status, alarms, *plots, timeline])
    return {"run": chosen, "compare": compare, "steps": steps, "compare_group": compare_group, "measure_group": measure_group, "said": said}


def choices(services: Services) -> list[tuple[str, str]]:
    """Runs, newest first, then the recorded ones of the bundled adapters."""
    own = [(_named(run), run.id) for run in runs.list_runs(services.paths)] if services.access.allows("tune") else []
    there = [name for name in bundled.BUNDLED_SIDES if Run(bundled.ADAPTERS / name).readable]
    return own + [(f"Recorded: {name}", f"{BUNDLED}{name}") for name in there]


def _named(run: Run) -> str:
    state = run.state
    return shown_title(run) if state in USABLE else f"{shown_title(run)} ({state})"


def restated(services: Services, now: Seen, before: tuple[str, str]) -> tuple[Any, ...]:
    """A run that goes into another state has another name in the list; what was said when it began is over once it ends."""
    run_id, state = str(now[0]), str(now[1])
    if tuple(before) == (run_id, state):
        return gr.skip(), gr.skip(), gr.skip()
    ended = before[0] == run_id and before[1] in ACTIVE and state not in ACTIVE
    return gr.update(choices=choices(services)), "" if ended else gr.skip(), (run_id, state)


def find(services: Services, run_id: str | None) -> Run | None:
    """The run behind a choice; None where there is none of that name here."""
    if not isinstance(run_id, str):
        return None
    if run_id.startswith(BUNDLED) and run_id.removeprefix(BUNDLED) in bundled.BUNDLED_SIDES:
        run = Run(bundled.ADAPTERS / run_id.removeprefix(BUNDLED))
        return run if run.readable else None
    try:
        return runs.find(run_id, services.paths) if run_id and services.access.allows("tune") else None
    except StudioError:
        return None


def settled(services: Services, run_id: str | None) -> Run | None:
    """The run behind a choice, for a replay; None while others of its group still train, since the page then follows them."""
    members = group_of(services, run_id)
    busy = members and any(one.state in (*ACTIVE, "queued") for one in members.runs)
    return None if busy else find(services, run_id)


def current(services: Services) -> str | None:
    """The run that is training, else the newest, else a bundled one, so that there is always something to see."""
    if services.access.allows("tune"):
        runs.advance(services.paths)
        active = runs.active(services.paths)
        if active:
            return active.id
    return next((value for _, value in choices(services)), None)


def group_of(services: Services, run_id: str | None) -> Group | None:
    """The group that a run belongs to; None where it belongs to none."""
    run = find(services, run_id) if services.access.allows("tune") else None
    group = run.job.get("group") if run else None
    return next((one for one in groups.list_groups(services.paths) if one.id == group.get("id")), None) if isinstance(group, dict) else None


def look(services: Services, run_id: str | None, before: Seen) -> tuple[Any, ...]:
    """What the page shows of a run; nothing is sent while nothing has changed. Every look lets the queue go on."""
    if services.access.allows("tune"):
        runs.advance(services.paths)
    run = find(services, run_id)
    if run is None:
        return _empty(before, run_id)
    progress, state = run.progress(), run.state
    members = group_of(services, run_id)
    place, wait = waiting.place(run, services.paths) if state == "queued" else (None, None)
    standing = " ".join(f"{one.state}{len(one.progress())}" for one in members.runs) if members else ""
    standing += f" {place} {round((wait or 0) / ROUGHLY)}"
    looks = sum(line.get("event") in ("probe", "sample", "guard") for line in progress)
    now: Seen = (run_id or "", state, len(progress), looks, standing)
    if tuple(before) == now:
        return tuple([gr.skip()] * 17)
    same = [before[n] for n in (0, 1, 3)] == [now[n] for n in (0, 1, 3)]
    return (
        training.status(run, progress, place, wait),
        *([gr.skip()] if same else [training.alarms(progress)]),
        training.group(members.runs) if members else "",
        curves.loss(progress),
        *([gr.skip()] * 5 if same else _looked(run, progress)),
        *_buttons(services, run, state, members),
        now,
    )


def _looked(run: Run, progress: list[dict[str, Any]]) -> list[Any]:
    """What changes only when the model was looked at: a reader may have unfolded an answer meanwhile."""
    figures = [curves.preference(progress), curves.shift(progress), curves.damage(progress)]
    return [*figures, training.timeline(run, progress), training.facts(run)]


def _buttons(services: Services, run: Run, state: str, members: Group | None) -> tuple[Any, ...]:
    own = services.access.allows("tune") and run.folder.parent != bundled.ADAPTERS
    waiting = own and bool(runs.queued(services.paths))
    resumable = own and state in STARTABLE and not (run.folder / "remote.json").is_file()
    several = len(kept_steps(run)) > 1
    return (
        gr.update(interactive=own and state in ACTIVE, visible=own),
        gr.update(visible=waiting),
        gr.update(visible=resumable, value="Start" if state == "waiting" else "Go on"),
        gr.update(visible=state in USABLE),
        gr.update(visible=several),
        *[gr.update(visible=bool(members and members.columns))] * 2,
    )


def _empty(before: Seen, run_id: str | None) -> tuple[Any, ...]:
    now: Seen = (f"none {run_id}", "", 0, 0, "")
    if tuple(before) == now:
        return tuple([gr.skip()] * 17)
    hidden = [gr.update(visible=False)] * 6
    figures = [curves.loss([]), curves.preference([]), curves.shift([]), curves.damage([])]
    said = messages.error(GONE) if run_id else messages.note("No run yet. Its progress appears here.")
    return said, "", "", *figures, "", "", gr.update(interactive=False), *hidden, now


def _stop(services: Services, run_id: str | None) -> str:
    try:
        services.access.refuse("tune")
        run = runs.find(run_id or "", services.paths)
        if run.state == "queued":
            runs.unqueue(run, services.paths)
            if run.state not in ACTIVE:
                return messages.info("Taken out of the queue.")
        run.request_stop()
    except Exception as error:
        return told(error)
    return messages.info("The run ends after the step it is in, and keeps what was learned.")


def _cancel(services: Services) -> str:
    try:
        services.access.refuse("tune")
        waiting = runs.queued(services.paths)
        for run in waiting:
            runs.unqueue(run, services.paths)
    except Exception as error:
        return told(error)
    return messages.info(f"{len(waiting)} taken out of the queue. Each can be started later; the run that trains goes on.")


def _resume(services: Services, run_id: str | None) -> str:
    try:
        services.access.refuse("tune")
        runs.enqueue([runs.find(run_id or "", services.paths)], services.paths)
    except Exception as error:
        return told(error)
    return messages.info("It goes on from what was kept, or starts, as soon as nothing else trains.")
