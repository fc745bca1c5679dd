"""Measuring anew: who, how much, with which statements; progress with the time that is left; nothing is lost when it is stopped."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.errors import StudioError
from pipelines.stance import measuring as instruments
from pipelines.stance import own_items
from pipelines.stance.kept import Kept
from pipelines.stance.plan import planned
from pipelines.stance.study import Study
from studio import results
from studio.services import Services, following
from studio.tabs import measuring
from studio.tabs.comparing import choosing
from studio.tabs.comparing.choosing import QUIETLY
from studio.views import messages

SECONDS_TO_LOAD = 15
OWN = (
    "Your own statements instead of ours in the questionnaire (CSV with the columns text, opposite, axis, key, topic; "
    "axis is economic or social, key 1 where agreeing is right or traditional, else -1)"
)


def build(services: Services) -> dict[str, Any]:
    """Lays out the panel; `wire` does the rest, once the page knows what shows a result."""
    listed = services.catalog()
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            adapters = gr.Dropdown(
                measuring.sets(listed), value=measuring.BUNDLED, label="Adapters", elem_id="stance-adapters", visible=not services.public
            )
            choices, ticked = measuring.columns_of(listed, measuring.BUNDLED)
            names = gr.Dropdown(choices, value=ticked, multiselect=True, label="Columns", elem_id="stance-columns")
        with gr.Column(scale=2, min_width=300):
            size = gr.Radio(measuring.SIZES, value=measuring.SIZES[0][1], label="How much", elem_id="stance-size")
    hint = gr.HTML(choosing.hint(listed, ticked), elem_id="stance-hint", padding=False)
    with gr.Accordion("More settings", open=False, elem_id="stance-more", visible=not services.public):
        own = gr.File(label=OWN, file_types=[".csv"], elem_id="stance-items", height=110)
        generated = gr.Checkbox(
            False, label="Also let every statement be answered in words, 0 to 3, as the published code does", elem_id="stance-words"
        )
    expected = gr.HTML(_expected(services, ticked, measuring.SIZES[0][1], None, False), elem_id="stance-expected")
    with gr.Row():
        start = gr.Button("Measure", variant="primary", elem_id="recompute")
        stop = gr.Button("Stop", interactive=False, elem_id="stop-recompute")
    status = gr.HTML(elem_id="stance-status", padding=False)
    return {
        "adapters": adapters, "names": names, "size": size, "hint": hint, "own": own, "generated": generated, "expected": expected,
        "start": start, "stop": stop, "status": status,
    }  # fmt: skip


def wire(services: Services, parts: dict[str, Any], shown: list[Any], show: Any) -> Any:
    """Wires the panel. `show(study)` gives updates of `shown`, whose first two are the earlier results and the current study.

    Returns the press of the button, for what else has to happen then.
    """
    adapters, names, size, own, generated = (parts[name] for name in ("adapters", "names", "size", "own", "generated"))
    start, stop, status = parts["start"], parts["stop"], parts["status"]

    def measure(keys: Any, how_much: Any, which: Any, file: Any, said: Any, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from _measure(services, Wish(keys, how_much, which, file, said), request.session_hash or "", len(shown), show)

    def end(request: gr.Request) -> Any:
        """Says nothing in `status`: its words could arrive after those of the measurement that has ended, and stay."""
        services.stop(f"study-{request.session_hash}")
        return gr.update(interactive=False)

    waiting = start.click(
        lambda: messages.note("Waiting for the model; other visitors' answers come first …"),
        None,
        status,
        queue=False,
        show_progress="hidden",
    )
    waiting.then(
        measure,
        [names, size, adapters, own, generated],
        [status, start, stop, *shown],
        concurrency_id="model",
        concurrency_limit=1,
        show_progress="hidden",
    )
    stop.click(end, None, stop, queue=False, show_progress="hidden")
    adapters.input(lambda which: measuring.choose(services, which)[1:], adapters, [names, parts["hint"]], **QUIETLY)
    names.input(lambda keys: choosing.hint(services.catalog(), keys or []), names, parts["hint"], **QUIETLY)
    asked = [names, size, own, generated]
    for part in asked:
        part.change(lambda *values: _expected(services, *values), asked, parts["expected"], **QUIETLY)
    return start.click


class Wish:
    """What a visitor asked for, checked where it is used."""

    def __init__(self, keys: Any, how_much: Any, which: Any, file: Any, generated: Any) -> None:
        self.keys = [key for key in keys or [] if isinstance(key, str)]
        self.how_much, self.which, self.generated = str(how_much), which, bool(generated)
        self.file = Path(file) if isinstance(file, str) and file else None

    def plan(self, services: Services) -> tuple[Any, dict[str, Any]]:
        """The plan and the notes. Raises StudioError for what can't be measured."""
        own = None if self.file is None or services.public else own_items.read(self.file)
        return measuring.plan(services, self.keys, self.how_much, self.which, items=own, generated=self.generated and not services.public)


def _expected(services: Services, keys: Any, how_much: Any, file: Any, generated: Any) -> str:
    """About how long it takes where nothing of it is kept from before."""
    columns = services.catalog().columns(keys or [])
    tuned = [column for column in columns if not column.is_base]
    base = [column for column in columns if column.is_base] or services.catalog().columns([measuring.BASE])
    try:
        own = own_items.read(Path(file)) if file and not services.public else None
        plan = planned([*base, *tuned], str(how_much), items=own, generated=bool(generated))
    except (StudioError, OSError) as problem:
        return messages.error(problem if isinstance(problem, StudioError) else "This file can't be read.")
    seconds = sum(plan.seconds.values()) + SECONDS_TO_LOAD
    return messages.note(
        f"About {messages.duration(seconds)} on two cores; less where columns were measured before, since what they answered is kept. "
        "Other visitors' answers wait meanwhile."
    )


def _measure(services: Services, wish: Wish, session: str, count: int, show: Any) -> Iterator[tuple[Any, ...]]:
    """Yields (status, start, stop, earlier, current, and what else is shown)."""
    keep = [gr.skip()] * count
    idle, busy = (gr.update(interactive=True), gr.update(interactive=False)), (gr.update(interactive=False), gr.update(interactive=True))
    event, begun = services.new_stop(f"study-{session}"), time.monotonic()
    try:
        plan, about = wish.plan(services)
        yield messages.bar(0, "Loading the model and the ruler"), *busy, *keep
        result: Study | None = None
        work = lambda report: instruments.run(plan, services.host, services.ruler, report, event, Kept(services.paths.measured))  # noqa: E731
        for fraction, text, result in following(work):
            yield messages.bar(fraction, "Stopping" if event.is_set() else _ahead(fraction, text, begun)), *busy, *keep
        assert result is not None
        result.notes |= about
        said, earlier = f"Done in {messages.duration(result.seconds)}.", gr.skip()
        if not services.public:  # what visitors measure is theirs, and leaves no result on this machine
            kept = results.keep(result, services.paths, about.get("group", {}).get("name", ""))
            said, earlier = (
                f"{said} Kept as {kept}",
                gr.update(choices=[("Recorded, ships with the studio", "recorded"), *results.listed(services.paths)], value=kept.name),
            )
        yield messages.good(said), *idle, earlier, result.as_dict(), *show(result)
    except StudioError as error:
        yield messages.error(error), *idle, *keep
    except Exception as error:  # whatever it was, the visitor gets the buttons back and a sentence
        traceback.print_exc()
        problem = StudioError(f"The measurement broke off ({type(error).__name__}).", "The earlier results are still there; try again.")
        yield messages.error(problem), *idle, *keep
    finally:
        event.set()


def _ahead(fraction: float, text: str, begun: float) -> str:
    """What is being done, and about how long it still takes."""
    left = (time.monotonic() - begun) / fraction * (1 - fraction) if fraction > 0.02 else 0
    return f"{text} · about {messages.duration(left)} left" if left else text or "Drawing"
