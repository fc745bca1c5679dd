"""Measuring anew: who, how much, with which statements; progress with the time that is left; nothing is lost when it is stopped."""

from __future__ import annotations

import time
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
from studio.owning import Me, Who
from studio.services import Services, following
from studio.tabs import measuring
from studio.tabs.comparing import choosing
from studio.tabs.comparing.choosing import QUIETLY
from studio.telling import told
from studio.views import messages

SECONDS_TO_LOAD = 15
FASTEST, SLOWEST = 0.5, 4.0  # times what was planned
OWN = (
    "Your own statements instead of ours in the questionnaire (CSV with the columns text, opposite, axis, key, topic; "
    "axis is economic or social, key 1 where agreeing is right or traditional, else -1; about half of each)"
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
            size = gr.Radio(measuring.sizes(services), value=measuring.SIZES[0][1], label="How much", elem_id="stance-size")
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


def wire(services: Services, me: gr.State, parts: dict[str, Any], shown: list[Any], show: Any) -> Any:
    """Wires the panel. `show(study)` gives updates of `shown`, whose first two are the earlier results and the current study.

    `me` is what is remembered of the page (owning.py): whoever measures has the result.
    Returns the press of the button, for what else has to happen then.
    """
    adapters, names, size, own, generated = (parts[name] for name in ("adapters", "names", "size", "own", "generated"))
    start, stop, status = parts["start"], parts["stop"], parts["status"]

    def measure(known: Me, keys: Any, how_much: Any, which: Any, file: Any, said: Any, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        wish, who = Wish(keys, how_much, which, file, said), Who.at(request, known)
        yield from _measure(services, who, wish, request.session_hash or "", len(shown), show)

    def end(request: gr.Request) -> Any:
        """Says nothing in `status`: its words could arrive after those of the measurement that has ended, and stay."""
        services.stop(f"study-{request.session_hash}")
        return gr.update(interactive=False)

    waiting = start.click(
        lambda: messages.note("Getting ready …"),
        None,
        status,
        queue=False,
        show_progress="hidden",
    )
    waiting.then(
        measure,
        [me, names, size, adapters, own, generated],
        [status, start, stop, *shown],
        concurrency_limit=None,
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
        services.access.refuse("measure")
        if self.how_much not in [size for _, size in measuring.sizes(services)]:
            raise StudioError("This is not offered here.", "Others wait for the same model: choose the quick profile.")
        if self.file:
            services.access.refuse("upload")
        own = own_items.read(self.file) if self.file else None
        return measuring.plan(services, self.keys, self.how_much, self.which, items=own, generated=self.generated and not services.public)


def _expected(services: Services, keys: Any, how_much: Any, file: Any, generated: Any) -> str:
    """About how long it takes where nothing of it is kept from before."""
    columns = services.catalog().columns(keys or [])
    tuned = [column for column in columns if not column.is_base]
    base = [column for column in columns if column.is_base] or services.catalog().columns([measuring.BASE])
    try:
        own = own_items.read(Path(file)) if file and services.access.allows("upload") else None
        plan = planned([*base, *tuned], str(how_much), items=own, generated=bool(generated))
    except (StudioError, OSError) as problem:
        return messages.error(problem if isinstance(problem, StudioError) else "This file can't be read.")
    seconds = sum(plan.seconds.values()) + SECONDS_TO_LOAD
    return messages.note(
        f"About {messages.duration(seconds)} on two cores; less where columns were measured before, since what they answered is kept. "
        "Questions that others ask meanwhile are answered in between; other measurements wait."
    )


def _measure(services: Services, who: Who, wish: Wish, session: str, count: int, show: Any) -> Iterator[tuple[Any, ...]]:
    """Yields (status, start, stop, earlier, current, and what else is shown)."""
    keep = [gr.skip()] * count
    idle, busy = (gr.update(interactive=True), gr.update(interactive=False)), (gr.update(interactive=False), gr.update(interactive=True))
    event = services.new_stop(f"study-{session}")
    try:
        plan, about = wish.plan(services)
        seconds = sum(plan.seconds.values()) + SECONDS_TO_LOAD
        result: Study | None = None
        kept = Kept(None if services.public else services.paths.measured)  # what visitors of a public studio ask leaves nothing here
        work = lambda report: instruments.run(plan, services.host, services.ruler, report, event, kept)  # noqa: E731
        with services.measuring.join(session, seconds) as ticket:
            for place in ticket.waiting(event):
                yield messages.in_line(place), *busy, *keep
            clock = Remaining(seconds)
            yield messages.bar(0, "Loading the model and the ruler"), *busy, *keep
            for fraction, text, result in following(work):
                yield messages.bar(fraction, "Stopping" if event.is_set() else _ahead(text, clock.told(fraction))), *busy, *keep
        assert result is not None
        result.notes |= about
        said, earlier = f"Done in {messages.duration(result.seconds)}.", gr.skip()
        if not services.public:  # what visitors measure is theirs, and leaves no result on this machine
            file = results.keep(result, services.paths, who, _called(about, plan, wish))
            said, earlier = f"{said} Kept as {file}", gr.update(choices=results.choices(services.paths, who, False), value=file.name)
        yield messages.good(said), *idle, earlier, result.as_dict(), *show(result)
    except Exception as error:  # whatever it was, the visitor gets the buttons back and a sentence
        yield told(error, "The earlier results are still there; try again.", "The measurement broke off"), *idle, *keep
    finally:
        event.set()


def _called(about: dict[str, Any], plan: Any, wish: Wish) -> str:
    """A result's name among the earlier ones: its group or columns, how much was asked, and whether of own statements."""
    who = about.get("group", {}).get("name", "") or " ".join(column.name for column in plan.columns if not column.is_base)
    return " ".join([who[:40], plan.profile, *(["own statements"] if wish.file else [])])


class Remaining:
    """About how long a measurement still takes: what was planned, corrected by how fast it has been so far."""

    def __init__(self, planned: float) -> None:
        self.planned, self.begun = planned, time.monotonic()
        self.at, self.fraction, self.left = self.begun, 0.0, planned

    def told(self, fraction: float) -> float:
        """Seconds that are left. Between reports they count down; kept answers make a jump, and no promise."""
        now = time.monotonic()
        if fraction > self.fraction:
            pace = (now - self.begun) / max(1.0, fraction * self.planned)
            self.at, self.fraction, self.left = now, fraction, (1 - fraction) * self.planned * min(SLOWEST, max(FASTEST, pace))
        return max(1.0, self.left - (now - self.at))


def _ahead(text: str, left: float) -> str:
    """What is being done, and about how long it still takes."""
    return f"{text} · about {messages.duration(left)} left" if text else "Drawing"
