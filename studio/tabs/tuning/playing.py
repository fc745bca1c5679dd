"""A run that has ended, played again: a slider over its steps and a button. The views are those of a run that is going on.

Every page plays for itself: nothing is kept but which looks at the model it shows, so that only what changes is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.tuning.recorded import Recording, recording
from pipelines.tuning.run import Run
from studio.tabs.comparing.choosing import QUIETLY
from studio.views import curves, training

SECONDS, FRAMES = 12.0, 24
CALM = "(run, calm, start, at) => [run, matchMedia('(prefers-reduced-motion: reduce)').matches, start, at]"
PARTS = 7  # status, alarms, four plots, timeline
Found = Callable[[str | None], Run | None]
At = tuple[str, int]  # run, looks at the model that the page shows


@dataclass(frozen=True)
class Player:
    """The parts of the page. `calm` is whether the visitor asked for less motion; the browser says so when Play is pressed."""

    about: gr.HTML
    step: gr.Slider
    play: gr.Button
    pause: gr.Button
    calm: gr.Checkbox
    at: gr.State


def build() -> Player:
    """Lays out what a recording is, the slider and the buttons; all hidden until a run that has ended is shown."""
    about = gr.HTML(elem_id="replay-about", padding=False)
    with gr.Row(elem_id="replay", equal_height=True):
        play = gr.Button("▶ Play", elem_id="replay-play", visible=False, scale=1, min_width=110)
        pause = gr.Button("❚❚ Pause", elem_id="replay-pause", visible=False, scale=1, min_width=110)
        step = gr.Slider(0, 1, 0, step=1, label="Step", info="Move it to see the run as it was then", elem_id="replay-step", visible=False,
                         scale=6, min_width=220, buttons=[])  # fmt: skip
    return Player(about, step, play, pause, gr.Checkbox(False, visible=False), gr.State(("", -1)))


def wire(player: Player, find: Found, chosen: gr.Dropdown, seen: gr.State, views: Sequence[Any]) -> None:
    """Wires the player to the run that is chosen; `views` are the status, the alarms, the four plots and the timeline."""
    shown = [*views, player.at]

    def scrubbed(run_id: str | None, step: float, at: At) -> tuple[Any, ...]:
        return *moment(find(run_id), step, at), *_buttons(False)

    def played(run_id: str | None, calm: bool, start: float, at: At) -> Iterator[tuple[Any, ...]]:
        yield from play(find(run_id), calm, start, at)

    buttons = [player.play, player.pause]
    event = player.play.click(
        played, [chosen, player.calm, player.step, player.at], [player.step, *shown, *buttons], concurrency_limit=None, show_progress="hidden",
        api_visibility="private", js=CALM,
    )  # fmt: skip
    player.pause.click(lambda: _buttons(False), None, buttons, cancels=[event], **QUIETLY)
    player.step.input(
        scrubbed, [chosen, player.step, player.at], [*shown, *buttons], cancels=[event], trigger_mode="always_last", **QUIETLY
    )  # fmt: skip
    opened = [player.about, player.step, player.at, *buttons]
    seen.change(lambda run_id: offered(find(run_id)), chosen, opened, cancels=[event], **QUIETLY)


def offered(run: Run | None) -> tuple[Any, ...]:
    """Updates of what is told, the slider, what is shown and the buttons, when another run or another state of it is looked at."""
    made = recording(run)
    if run is None or made is None:
        return "", gr.update(visible=False), ("", -1), gr.update(visible=False), gr.update(visible=False)
    shipped = run.folder.parent == bundled.ADAPTERS
    slider = gr.update(visible=True, minimum=0, maximum=made.steps[-1], value=made.steps[-1])
    return training.recorded(made, shipped, SECONDS), slider, _at(made, made.steps[-1]), *_buttons(False)


def moment(run: Run | None, step: float, at: Sequence[Any]) -> tuple[Any, ...]:
    """Updates of the views and of what they show, for a run as it was after a step; what has not changed is not sent."""
    made = recording(run)
    if made is None:
        return tuple([gr.skip()] * (PARTS + 1))
    return _moment(made, max(0, min(int(step or 0), made.steps[-1])), at)


def play(run: Run | None, calm: bool, start: float, at: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Yields updates of the slider, the views, what they show and the buttons: from where the slider stands, or anew from the end.

    The whole run takes SECONDS. Who asked for less motion sees it jump from one look at the model to the next in the same time.
    """
    made = recording(run)
    if made is None:
        yield tuple([gr.skip()] * (PARTS + 4))
        return
    last = made.steps[-1]
    frames = sorted({0, *made.looks, last}) if calm else made.frames(FRAMES)
    begun = int(start or 0) if 0 < int(start or 0) < last else -1
    pace, due = SECONDS / max(1, len(frames) - 1), time.monotonic()
    for frame in [one for one in frames if begun < one <= last]:
        time.sleep(max(0.0, due - time.monotonic()))
        due += pace
        views = _moment(made, frame, at)
        at = views[-1] if isinstance(views[-1], tuple) else at
        yield frame, *views, *_buttons(frame < last)


def _moment(made: Recording, step: int, at: Sequence[Any]) -> tuple[Any, ...]:
    """Updates of the views and of what they show."""
    progress, now = made.upto(step), _at(made, step)
    if tuple(at) == now:
        looked: list[Any] = [gr.skip()] * (PARTS - 2)
        return training.replayed(made, step), looked[0], curves.loss(progress), *looked[1:], now
    figures = [curves.preference(progress), curves.shift(progress), curves.damage(progress)]
    return (
        training.replayed(made, step), training.alarms(progress), curves.loss(progress), *figures,
        training.timeline(made.run, progress), now,
    )  # fmt: skip


def _at(made: Recording, step: int) -> At:
    return made.run.id, made.looks_upto(step)


def _buttons(playing: bool) -> tuple[Any, Any]:
    """Updates of Play and Pause: one of them is there."""
    return gr.update(visible=not playing), gr.update(visible=playing)
