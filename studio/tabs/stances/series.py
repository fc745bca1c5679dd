"""How much of it: an adapter at several strengths, or a run at its kept steps; measured, kept, and opened again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

import gradio as gr

from pipelines import bundled, incidents
from pipelines.comparing import series as whose
from pipelines.comparing.columns import notes
from pipelines.comparing.series import Wanted
from pipelines.errors import StudioError
from pipelines.stance import series as measuring
from pipelines.stance import series_file
from pipelines.stance.kept import Kept
from pipelines.stance.series_plan import STRENGTHS
from pipelines.stance.series_points import Series
from studio.owning import Me, Who
from studio.services import Services, following
from studio.tabs.stances import downloads, sharing
from studio.telling import told
from studio.views import messages
from studio.views import series as view

RECORDED, MEASURED = "recorded", "measured"
MOST_IN_PUBLIC = 5
DOSE, COURSE = "Dose: at several strengths", "Time course: at every kept step"
SECONDS_TO_LOAD, FIRST_KEY = 15, "left"
QUIETLY: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
EXPLAIN = (
    "How much tuning does it take, and when does it break the language? A dose turns one adapter up from 0 (the base) over 1 (as trained) "
    "to 2; a time course follows a run through the steps that it kept. Each point is the shift from the base, with the placebo beside it "
    "and the damage below."
)
HOW = " Choose an adapter under “Measure” and press “Start”."
NOTHING = "Nothing is recorded yet. Choose an adapter under “Measure” below and press “Start”; the plot appears here."
Shown = tuple[Any, ...]


@cache
def recorded() -> Series | None:
    """The dose and response that ships with the studio."""
    file = bundled.RECORDED / "dose.json"
    return series_file.read(file) if file.is_file() else None


def build(services: Services, me: gr.State) -> dict[str, Any]:
    """Lays the part out and wires it. Returns "refresh", the event for when the tab is opened.

    `me` is what is remembered of the page (owning.py): a visitor has series of their own.
    """
    current = gr.State(None)
    opened = services.access.allows("measure")
    gr.HTML(f'<p class="ps-lead">{EXPLAIN}{HOW if opened else ""}</p>', padding=False)
    earlier = gr.Dropdown(
        _earlier(services, Who()), value=RECORDED if recorded() else None, label="Earlier results", elem_id="earlier-series",
        visible=bool(_earlier(services, Who())) and not services.public,
    )  # fmt: skip
    sharing.build(services, me, earlier, lambda who: _earlier(services, who), "series")
    shown = _lay_out_result(recorded())
    with gr.Column(visible=opened):
        gr.Markdown("### Measure")
        levers = _lay_out_levers(services)
        expected = gr.HTML(_ahead(services, *(lever.value for lever in levers)), elem_id="series-expected", padding=False)
        with gr.Row():
            start = gr.Button("Start", variant="primary", elem_id="start-series")
            stop = gr.Button("Stop", interactive=False, elem_id="stop-series")
        status = gr.HTML(elem_id="series-status", padding=False)

    def measure(request: gr.Request, known: Me, *values: Any) -> Iterator[Shown]:
        yield from _measure(services, Who.at(request, known), values, request.session_hash or "")

    def end(request: gr.Request) -> Any:
        services.stop(f"series-{request.session_hash}")
        return gr.update(interactive=False)

    waiting = start.click(lambda: messages.note("Getting ready …"), None, status, queue=False, **QUIETLY)
    outputs = [status, start, stop, earlier, current, *shown]
    waiting.then(measure, [me, *levers], outputs, concurrency_limit=None, **QUIETLY)
    stop.click(end, None, stop, queue=False, **QUIETLY)

    def reopened(request: gr.Request, known: Me, name: str | None) -> Shown:
        return _open(services, Who.at(request, known), name)

    def refreshed(request: gr.Request, known: Me, key: str | None) -> tuple[Any, Any]:
        return _refreshed(services, Who.at(request, known), key)

    earlier.input(reopened, [me, earlier], [earlier, current, *shown], **QUIETLY)
    shown[1].input(_draw, [current, shown[1]], shown[2:5], **QUIETLY)
    adapter, kind, strengths, placebo, asked = levers
    for changed in (adapter.change, kind.change, strengths.blur, placebo.change, asked.change):
        changed(lambda *values: _ahead(services, *values), levers, expected, queue=False, **QUIETLY)
    kind.input(lambda chosen: gr.update(visible=chosen != COURSE), kind, strengths, queue=False, **QUIETLY)
    return {
        "refresh": {
            "fn": refreshed,
            "inputs": [me, adapter],
            "outputs": [adapter, earlier],
            "queue": False,
            **QUIETLY,
        }
    }


def _lay_out_result(first: Series | None) -> list[Any]:
    """Source, instrument, plot, table, how to read it, what it says: in the order of `_show`."""
    source = gr.HTML(view.source(first, True) if first else messages.info(NOTHING), elem_id="series-source", padding=False)
    summary = gr.HTML(view.summary(first) if first else "", elem_id="series-summary", padding=False)
    several = bool(first and len(first.instruments) > 1)
    instrument = gr.Radio(
        view.choices(first) if first else [], value=first.instruments[0] if first else None, label="Instrument", elem_id="series-instrument",
        visible=several,
    )  # fmt: skip
    plot = gr.Plot(view.plot(first) if first else None, show_label=False, elem_id="series-plot", visible=first is not None)
    downloads.build(plot, "stance-series").visible = first is not None
    table = gr.HTML(view.table(first) if first else "", elem_id="series-table", padding=False)
    reading = gr.HTML(view.reading(first) if first else "", elem_id="series-reading", padding=False)
    return [source, instrument, plot, table, reading, summary]


def _lay_out_levers(services: Services) -> list[Any]:
    """Adapter, kind, strengths, placebo, questionnaire."""
    offers = whose.choices(services.catalog())
    with gr.Row():
        adapter = gr.Dropdown(offers, value=_first(offers), label="Adapter", elem_id="series-adapter", scale=3, min_width=260)
        kind = gr.Radio([DOSE, COURSE], value=DOSE, label="What is measured", elem_id="series-kind", scale=3, min_width=300)
    with gr.Row():
        strengths = gr.Textbox(
            ", ".join(f"{one:g}" for one in STRENGTHS), label="Strengths", info="0 is the base and always measured; at most 2",
            elem_id="series-strengths", scale=3, min_width=260,
        )  # fmt: skip
        with gr.Column(scale=3, min_width=300):
            placebo = gr.Checkbox(True, label="With the placebo beside", elem_id="series-placebo")
            asked = gr.Checkbox(False, label="Also the questionnaire (takes about twice as long)", elem_id="series-questionnaire")
    return [adapter, kind, strengths, placebo, asked]


def _first(offers: list[tuple[str, str]]) -> str | None:
    known = [key for _, key in offers]
    return FIRST_KEY if FIRST_KEY in known else next(iter(known), None)


def _refreshed(services: Services, who: Who, key: str | None) -> tuple[Any, Any]:
    """What can be measured and opened now; what is chosen stays as far as it is still there."""
    offers = whose.choices(services.catalog())
    kept = key if key in [one for _, one in offers] else _first(offers)
    return gr.update(choices=offers, value=kept), _listed(services, who)


def _earlier(services: Services, who: Who) -> list[tuple[str, str]]:
    """The recorded series and those that are theirs or shared; a public studio keeps none."""
    first = [("Recorded, ships with the studio", RECORDED)] if recorded() else []
    own = [] if services.public else series_file.listed(services.paths, who.sees)
    return first + [(words + who.remark(services.paths.results / name), name) for words, name in own]


def _listed(services: Services, who: Who, **more: Any) -> Any:
    """An update of the earlier results, which show once there is one to choose."""
    found = _earlier(services, who)
    return gr.update(choices=found, visible=bool(found) and not services.public, **more)


def _wanted(key: str | None, kind: str, strengths: str, placebo: bool, questionnaire: bool) -> Wanted:
    if not key:
        raise StudioError("No adapter is chosen.", "Choose one; the base is always measured.")
    by_step = kind == COURSE
    return Wanted(key, by_step, () if by_step else measuring.parsed(strengths or ""), bool(placebo), bool(questionnaire))


def _ahead(services: Services, *values: Any) -> str:
    """About how long it takes and what the adapter warns of, or why it can't be measured."""
    try:
        wanted, listed = _wanted(*values), services.catalog()
        plan = whose.plan_of(listed, wanted, services.paths)
    except StudioError as error:
        return messages.info(str(error))
    about = messages.duration(plan.seconds + SECONDS_TO_LOAD)
    said = [
        f"{plan.count} measurements, the base among them: about {about} on two cores. What others ask meanwhile is answered in between."
    ]
    if wanted.placebo and not plan.placebo:
        said.append("No placebo belongs to this adapter: it is measured alone. “Train both sides + placebo” in Tune makes one.")
    warned = [text for text in notes(listed, [wanted.key]) if not text.startswith("Not offered")]
    return "".join(map(messages.note, said + warned))


def _measure(services: Services, who: Who, values: tuple[Any, ...], session: str) -> Iterator[Shown]:
    """Yields (status, start, stop, earlier, current, source, instrument, plot, table, reading, summary)."""
    keep = [gr.skip()] * 8
    idle, busy = (gr.update(interactive=True), gr.update(interactive=False)), (gr.update(interactive=False), gr.update(interactive=True))
    event = services.new_stop(f"series-{session}")
    try:
        services.access.refuse("measure")
        plan = whose.plan_of(services.catalog(), _wanted(*values), services.paths)
        if services.public and plan.count > MOST_IN_PUBLIC:
            raise StudioError(f"{plan.count} measurements are too many here, where others wait.", f"At most {MOST_IN_PUBLIC} can be taken.")
        kept = Kept(None if services.public else services.paths.measured)
        found: Series | None = None
        with services.measuring.join(session, plan.seconds + SECONDS_TO_LOAD) as ticket:
            for place in ticket.waiting(event):
                yield messages.in_line(place), *busy, *keep
            yield messages.bar(0, "Loading the model"), *busy, *keep
            begun = time.monotonic()
            for fraction, text, found in following(lambda report: measuring.measure(services.host, plan, report, event, kept)):
                yield messages.bar(fraction, "Stopping" if event.is_set() else _left(fraction, text, begun)), *busy, *keep
        assert found is not None
        yield *_said(services, who, found, idle), *_show(found)
    except Exception as error:  # whatever it was, the visitor gets the buttons back and a sentence
        yield told(error, "The earlier results are still there; try again.", "The measurement broke off"), *idle, *keep
    finally:
        event.set()


def _said(services: Services, who: Who, found: Series, idle: tuple[Any, Any]) -> Shown:
    """Keeps what was measured, unless a visitor of a public studio did, and says so: status, start, stop, earlier, current."""
    found.notes["computed"] = datetime.now().isoformat(" ", "minutes")
    said = found.notes.get("stopped") or f"Done in {messages.duration(found.seconds)}."
    listed: Any = gr.skip()
    if not services.public:
        file = series_file.keep(found, services.paths, who.claim)
        said, listed = f"{said} Kept as {file}", _listed(services, who, value=file.name)
    return (messages.info if "stopped" in found.notes else messages.good)(said), *idle, listed, found.as_dict()


def _left(fraction: float, text: str, begun: float) -> str:
    """What is being measured, and about how long it still takes: every column takes about as long as the next."""
    left = (time.monotonic() - begun) / fraction * (1 - fraction) if fraction > 0.02 else 0
    return f"{text} · about {messages.duration(left)} left" if left else text or "Drawing"


def _show(found: Series, is_recorded: bool = False) -> Shown:
    chooser = gr.update(choices=view.choices(found), value=found.instruments[0], visible=len(found.instruments) > 1)
    plot = gr.update(value=view.plot(found), visible=True)
    return view.source(found, is_recorded), chooser, plot, view.table(found), view.reading(found), view.summary(found)


def _draw(state: dict[str, Any] | None, instrument: str) -> Shown:
    """Plot, table and how to read them, by another instrument."""
    found = Series.from_dict(state) if state else recorded()
    if found is None:
        return gr.skip(), gr.skip(), gr.skip()
    return view.plot(found, instrument), view.table(found, instrument), view.reading(found, instrument)


def _open(services: Services, who: Who, name: str | None) -> Shown:
    """Shows an earlier result: updates of earlier, current and all that is shown of it; of a damaged one only a sentence."""
    try:
        if name in (None, RECORDED) or services.public:
            found, state = recorded(), None
            if found is None:
                raise StudioError("Nothing is recorded.", "Choose another result.")
        else:
            found = series_file.opened(str(name), services.paths)
            who.refuse_unseen(services.paths.results / str(name))
            state = found.as_dict()
        return gr.skip(), state, *_show(found, state is None)
    except StudioError as error:
        problem = error
    except Exception as error:  # whatever lies in the file: a damaged one is skipped
        incidents.note(error, "opening an earlier result")
        problem = series_file.damaged(str(name))
    return _listed(services, who, value=None), gr.skip(), messages.error(problem), *[gr.skip()] * 5
