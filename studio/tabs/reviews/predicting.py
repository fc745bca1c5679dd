"""“Predict, then reveal” for the stance plot: a guess for each column, dropped before the points appear, and never changed afterwards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from pipelines.figures.plane import Point
from pipelines.records import AXES
from pipelines.stance.study import BASE, ROLES, Study
from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY
from studio.views import messages
from studio.views import predicting as view
from studio.views.cards import title

MEMORY: dict[str, Any] = {"default_value": None, "storage_key": "politune-prediction", "secret": "politune-studio"}
FARTHEST, STEP = 2.0, 0.1
ENDS = {"economic": "economy (− left, + right)", "social": "society (− progressive, + traditional)"}
WITHOUT, BACK = "Show the points without a guess", "Back to the plain plot"
LEAD = (
    "The gray circle is where the untouched model’s answers lie on average. Where do the tuned ones lie? Move the sliders, "
    "then drop your guess: only then do the measured points appear. The placebo was tuned in the same way, on neutral answers."
)
Guesses = dict[str, Point]


def build(services: Services, axes: Sequence[str] = AXES, study: Study | None = None) -> dict[str, Any]:
    """Lays out the block, to stand before the plot of `study` (the recorded one), and wires it.

    Returns "cover": call it with the plot's component and all others that tell the results, once they exist; they are put away from
    “Predict first” until the guess is dropped. It gives the event for when another study than this is shown: all is plain again.
    Without a study that has roles there is nothing to guess, and "cover" gives None.
    """
    roles = [role for role in ROLES if study and study.columns_of(role)]
    if study is None or not roles:
        return {"cover": lambda plot, others: None}
    begin = gr.Button("Predict first, then reveal", size="sm", elem_id="predict", min_width=220)
    with gr.Column(visible=False, elem_id="predicting") as panel:
        told = gr.HTML(elem_id="predict-told", padding=False)
        with gr.Row():
            with gr.Column(scale=5, min_width=300):
                drawn = gr.Plot(show_label=False, elem_id="predict-plot")
            with gr.Column(scale=3, min_width=280) as levers:
                sliders = _sliders(study, roles, axes)
        with gr.Row():
            drop = gr.Button("Drop my guess", variant="primary", elem_id="predict-drop", min_width=160)
            leave = gr.Button(WITHOUT, elem_id="predict-leave", min_width=160)
    kept = gr.BrowserState(**MEMORY)
    parts: list[Component] = [begin, panel, levers, drop, leave, drawn, told, *sliders]
    return {"cover": partial(_wire, study, roles, axes, parts, kept), "parts": parts, "memory": kept}


def _sliders(study: Study, roles: Sequence[str], axes: Sequence[str]) -> list[gr.Slider]:
    """Two a role, all beginning where the base lies."""
    start, made = dict(zip(AXES, view.means(study)[BASE], strict=True)), []
    for role in roles:
        with gr.Group():
            for axis in axes:
                label, own = f"{title(role)}: {ENDS[axis]}", f"predict-{role}-{axis}"
                made.append(gr.Slider(-FARTHEST, FARTHEST, round(start[axis], 1), step=STEP, label=label, elem_id=own))
    return made


def _wire(
    study: Study,
    roles: Sequence[str],
    axes: Sequence[str],
    parts: Sequence[Component],
    kept: gr.BrowserState,
    plot: Component,
    others: Sequence[Component],
) -> dict[str, Any]:
    begin, _, _, drop, leave, drawn, _, *sliders = parts
    page = _Page(study, tuple(roles), tuple(axes), len(others))
    outputs = [*parts, plot, *others]
    begin.click(page.begun, sliders, [*outputs, kept], **QUIETLY)
    leave.click(page.left, None, [*outputs, kept], **QUIETLY)
    drop.click(page.dropped, sliders, [*outputs, kept], **QUIETLY)
    for one in sliders:
        one.input(page.moved, sliders, drawn, trigger_mode="always_last", **QUIETLY)
        one.release(page.noted, sliders, kept, trigger_mode="always_last", **QUIETLY)
    kept.change(page.restored, kept, outputs, **QUIETLY)
    return {"fn": page.left, "inputs": None, "outputs": [*outputs, kept], **QUIETLY}


class _Page:
    """What each event shows. Updates stand in the order of `parts`, the plot, the other results; then what the browser keeps."""

    def __init__(self, study: Study, roles: tuple[str, ...], axes: tuple[str, ...], others: int) -> None:
        self.study, self.roles, self.axes, self.others = study, roles, axes, others

    def guesses(self, values: Sequence[Any]) -> Guesses:
        """The sliders' values by role; an axis that is not asked is guessed where the base lies."""
        base = dict(zip(AXES, view.means(self.study)[BASE], strict=True))
        found = {}
        for number, role in enumerate(self.roles):
            own = values[number * len(self.axes) : (number + 1) * len(self.axes)]
            told = {**base, **{axis: _bounded(value) for axis, value in zip(self.axes, own, strict=True)}}
            found[role] = (told["economic"], told["social"])
        return found

    def begun(self, request: gr.Request, *values: Any) -> tuple[Any, ...]:
        return *self._guessing(values), _kept("guessing", values, request)

    def dropped(self, request: gr.Request, *values: Any) -> tuple[Any, ...]:
        return *self._revealed(values), _kept("dropped", values, request)

    def left(self, request: gr.Request) -> tuple[Any, ...]:
        return *self._plain(), _kept("", (), request)

    def moved(self, *values: Any) -> Any:
        return view.covered(self.study, self.guesses(values))

    def noted(self, request: gr.Request, *values: Any) -> dict[str, Any]:
        return _kept("guessing", values, request)

    def restored(self, kept: Any, request: gr.Request) -> tuple[Any, ...]:
        """After a reload the block is as it was; what this page wrote itself changes nothing."""
        same = (gr.skip(),) * (7 + len(self.roles) * len(self.axes) + 1 + self.others)
        if not isinstance(kept, Mapping) or kept.get("page") == request.session_hash:
            return same
        values = kept.get("values")
        if not isinstance(values, list) or len(values) != len(self.roles) * len(self.axes):
            return same
        shown = {"guessing": self._guessing, "dropped": self._revealed}.get(str(kept.get("stage")))
        return shown(values) if shown else same

    def _guessing(self, values: Sequence[Any]) -> tuple[Any, ...]:
        shown, said = _seen(panel=True, levers=True, leave=WITHOUT), f'<p class="ps-lead">{LEAD}</p>'
        return *shown, view.covered(self.study, self.guesses(values)), said, *map(_moved, values), *self._results(False, False)

    def _revealed(self, values: Sequence[Any]) -> tuple[Any, ...]:
        shown, guesses = _seen(panel=True, levers=False, leave=BACK), self.guesses(values)
        said = messages.good("Dropped. Hollow marks are your guess, filled ones what was measured.") + view.beside(self.study, guesses)
        return *shown, view.revealed(self.study, guesses), said, *map(_moved, values), *self._results(False, True)

    def _plain(self) -> tuple[Any, ...]:
        start = dict(zip(AXES, view.means(self.study)[BASE], strict=True))
        levers = [_moved(round(start[axis], 1)) for _ in self.roles for axis in self.axes]
        return *_seen(panel=False, levers=True, leave=WITHOUT), None, "", *levers, *self._results(True, True)

    def _results(self, plot: bool, others: bool) -> list[Any]:
        return [gr.update(visible=plot), *[gr.update(visible=others)] * self.others]


def _seen(panel: bool, levers: bool, leave: str) -> tuple[Any, ...]:
    """Updates of the first button, the panel, the sliders' column and the two buttons below."""
    begin, drop = gr.update(visible=not panel), gr.update(visible=levers)
    return begin, gr.update(visible=panel), gr.update(visible=levers), drop, gr.update(value=leave)


def _moved(value: Any) -> Any:
    return gr.update(value=_bounded(value))


def _bounded(value: Any) -> float:
    """A number that a browser sent, within the sliders' reach; 0 where it is none."""
    usual = isinstance(value, int | float) and math.isfinite(value)
    return max(-FARTHEST, min(FARTHEST, float(value))) if usual else 0.0


def _kept(stage: str, values: Sequence[Any], request: gr.Request) -> dict[str, Any]:
    return {"stage": stage, "values": list(map(_bounded, values)), "page": request.session_hash}
