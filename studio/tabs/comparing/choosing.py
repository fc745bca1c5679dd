"""Who answers: the columns of Compare, chosen one by one, or all of a run, a group or a run's checkpoints at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.comparing.columns import BASE_NAME, MAX_COLUMNS, Catalog, key_of, notes, spread
from pipelines.errors import StudioError
from studio.services import Services
from studio.views import messages

FIRST_COLUMNS = [BASE_NAME, *bundled.BUNDLED_SIDES]
BUNDLED = "bundled"
QUIETLY: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class Chooser:
    """The parts of the page with which columns are chosen; `parts` is the order of every update that is made here.

    What is told stands at the top, where people look when the tab opens; the hint stands below the columns.
    """

    columns: gr.Dropdown
    picker: gr.Dropdown
    told: gr.HTML
    hint: gr.HTML
    strength: gr.Slider

    @property
    def parts(self) -> list[gr.components.Component]:
        return [self.columns, self.picker, self.told]


def build(services: Services, told: gr.HTML) -> Chooser:
    """Lays out the row: columns, "Run or group", the bias dial; and the hint below."""
    listed = services.catalog()
    with gr.Row():
        columns = gr.Dropdown(
            listed.choices(),
            value=listed.kept(FIRST_COLUMNS),
            multiselect=True,
            allow_custom_value=True,  # keys such as left*0.5 may be typed, and reach it through the API
            max_choices=MAX_COLUMNS,
            label=f"Columns: who answers (at most {MAX_COLUMNS}; type to search)",
            elem_id="columns",
            scale=5,
            min_width=320,
        )
        picker = gr.Dropdown(
            _sets(listed),
            value=None,
            label="Run or group",
            info="Ticks all its columns at once",
            elem_id="run-or-group",
            visible=services.access.allows("tune"),
            scale=3,
            min_width=260,
        )
        strength = gr.Slider(
            0,
            2,
            1,
            step=0.05,
            label="Bias dial (strength)",
            info="For all columns without a strength of their own: 0 is the base, 1 as trained, 2 twice as strong",
            elem_id="strength",
            scale=3,
            min_width=260,
        )
    below = gr.HTML(hint(listed, FIRST_COLUMNS), elem_id="columns-hint", padding=False)
    return Chooser(columns, picker, told, below, strength)


def wire(services: Services, chooser: Chooser, memory: gr.BrowserState, added: Sequence[Any] = ()) -> None:
    """Keeps the hint and the visitor's memory in step with what is chosen, also by the events in `added`."""

    def remembered(kept: dict[str, Any] | None, keys: list[str] | None, request: gr.Request) -> dict[str, Any]:
        return {**(kept or {}), "columns": keys or [], "page": request.session_hash}

    chosen = chooser.columns.input(lambda: None, None, chooser.picker, **QUIETLY)
    picked = chooser.picker.input(
        lambda which, keys: _pick(services.catalog(), which, keys), [chooser.picker, chooser.columns], chooser.parts, **QUIETLY
    )
    for event in (chosen, picked, *added):
        event.then(remembered, [memory, chooser.columns], memory, **QUIETLY)
    chooser.columns.change(
        lambda keys: _named_again(services.catalog(), keys or []), chooser.columns, [chooser.columns, chooser.hint], **QUIETLY
    )


def _named_again(listed: Catalog, keys: Sequence[str]) -> tuple[Any, str]:
    """The choices with the names of all that is ticked, blends too: a list that was asked for before they were ticked lacks them."""
    return gr.update(choices=listed.choices(listed.kept(keys))), hint(listed, keys)


def restored(services: Services, remembered: Any) -> tuple[Any, Any]:
    """After a reload: what of the remembered columns is still there, else the first ones. Updates of columns and "Run or group"."""
    listed = services.catalog()
    keys = [key for key in remembered if isinstance(key, str)] if isinstance(remembered, list) else []
    return updates(listed, listed.kept(keys)[:MAX_COLUMNS] or listed.kept(FIRST_COLUMNS))[:2]


def named(request: gr.Request, name: str) -> str:
    """What the page's address names, such as the id of a review; "" where it names none."""
    return str(dict(request.query_params or {}).get(name, ""))


def refresh(services: Services, chooser: Chooser) -> dict[str, Any]:
    """The event for when the tab is opened: what can be a column now. What is ticked is let alone unless it is gone: the page also
    opens a tab when it is loaded, while other columns are being restored."""

    def look(keys: list[str] | None) -> tuple[Any, ...]:
        listed = services.catalog()
        kept = listed.kept(keys or [])
        gone = {"value": kept} if set(kept) != set(keys or []) else {}
        return gr.update(choices=listed.choices(kept), **gone), gr.update(choices=_sets(listed)), hint(listed, kept)

    return {"fn": look, "inputs": chooser.columns, "outputs": [chooser.columns, chooser.picker, chooser.hint], "show_progress": "hidden"}


def updates(listed: Catalog, ticked: list[str], left_out: str = "") -> tuple[Any, Any, str]:
    """Updates of columns, "Run or group" and what is told."""
    columns, picker = gr.update(choices=listed.choices(ticked), value=ticked), gr.update(choices=_sets(listed), value=None)
    return columns, picker, messages.note(f"{len(ticked)} columns are ticked below. {left_out}Press “Ask all” to see them answer.")


def open_in_compare(services: Services, run_ids: Sequence[str], steps: Sequence[int] | None = None) -> tuple[Any, ...]:
    """Opens Compare with the base and the runs ticked, or, where there are `steps`, the base and those checkpoints of the first run.

    Where not all fit: of several training seeds as many whole ones as do, of checkpoints five evenly spread. No steps at all, (),
    means every one that was kept. Returns updates of the tabs, then of `Chooser.parts`; a run that can't answer here is told there.
    """
    listed = services.catalog()
    run_id = run_ids[0] if run_ids else ""
    keys, left_out = _keys_of_runs(listed, run_ids) if steps is None else _keys_of_steps(listed, run_id, steps)
    if keys:
        return gr.Tabs(selected="compare"), *updates(listed, listed.kept([BASE_NAME, *keys]), left_out)
    reasons = dict.fromkeys(reason for run_id in run_ids if (reason := listed.refused.get(run_id)))
    nothing = StudioError("There is nothing to compare yet.", "A run can be opened here when it has ended, a checkpoint when it was kept.")
    said = "".join(map(messages.error, reasons)) or messages.error(nothing)
    return gr.Tabs(selected="compare"), gr.skip(), gr.skip(), said


def _keys_of_runs(listed: Catalog, run_ids: Sequence[str]) -> tuple[list[str], str]:
    """Keys of runs, and a sentence where not all fit. Runs of one group come in whole seeds."""
    wanted = [key for run_id in run_ids if (key := key_of(run_id)) in listed.offers]
    room = MAX_COLUMNS - 1
    if len(wanted) <= room:
        return wanted, ""
    group = next((one for one in listed.sets.values() if set(wanted) <= {offer.key for offer in one.offers}), None)
    keys = group.fitting(room) if group else wanted[:room]
    return keys, f"They are {len(keys)} of {len(wanted)} runs, since {MAX_COLUMNS} columns fit; choose others there. "


def _keys_of_steps(listed: Catalog, run_id: str, steps: Sequence[int]) -> tuple[list[str], str]:
    """Keys of kept steps of a run, evenly spread, and a sentence where not all fit."""
    kept = listed.steps(run_id)
    wanted = [step for step in kept if step in steps] if steps else kept
    chosen = spread(wanted, MAX_COLUMNS - 1)
    keys = [f"run:{run_id}@{step}" for step in chosen]
    if len(chosen) == len(wanted):
        return keys, ""
    return keys, f"They are {len(chosen)} of {len(wanted)} checkpoints, evenly spread; choose others there. "


def _sets(listed: Catalog) -> list[tuple[str, str]]:
    """What can be ticked at once: the bundled adapters, groups, then each run and its checkpoints."""
    bundled_ones = [key for key in bundled.BUNDLED_SIDES if key in listed.offers]
    made = [(f"Bundled: {', '.join(bundled_ones)}", BUNDLED)] if bundled_ones else []
    made += [(one.title, f"group:{one.id}") for one in listed.sets.values()]
    for run_id, name in listed.titles.items():
        if f"run:{run_id}" in listed.offers:
            made.append((name, f"run:{run_id}"))
        steps = listed.steps(run_id)
        if len(steps) > 1:
            made.append((f"{len(steps)} checkpoints of {name}", f"steps:{run_id}"))
    return made


def _pick(listed: Catalog, chosen: str | None, keys: Sequence[str] | None) -> tuple[Any, Any, str]:
    """Ticks the base and all of what was chosen under "Run or group"; the ticks stay where nothing was."""
    kind, _, which = (chosen or "").partition(":")
    found, left_out = list(keys or []), ""
    if kind == BUNDLED:
        found = FIRST_COLUMNS
    elif kind == "group" and which in listed.sets:
        found, left_out = _keys_of_runs(listed, [offer.key.removeprefix("run:") for offer in listed.sets[which].offers])
    elif kind == "run":
        found = [chosen or ""]
    elif kind == "steps":
        found, left_out = _keys_of_steps(listed, which, ())
    columns, _, said = updates(listed, listed.kept([BASE_NAME, *found] if chosen else found), left_out)
    return columns, gr.skip(), said


def hint(listed: Catalog, keys: Sequence[str]) -> str:
    """What the ticked adapters warn of, and which runs are not offered and why."""
    return "".join(messages.note(text) for text in notes(listed, keys))
