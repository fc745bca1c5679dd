"""The plane of a study: a cloud of answers or prompt forms, and what stands behind a point, opened from the plot or from an equal table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.comparing import neighbours
from pipelines.comparing.neighbours import Taught
from pipelines.errors import StudioError
from pipelines.figures import form_plane, plane
from pipelines.figures.look import label
from pipelines.records import AXES
from pipelines.stance.study import Study
from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.stances import downloads
from studio.tabs.stances.section import Section
from studio.telling import told
from studio.views import messages, points

# gr.Plot has no click event. A plot is made anew with every figure, so its own event is hung on when the pointer comes to it; the table
# tells of a pressed row in the same way. A listener whose element has left the page does nothing more.
PRESSED_JS = """const tell = pick => trigger("click", {pick});
const attend = event => {
  if (!element.isConnected) { document.removeEventListener("pointerover", attend, true); return; }
  const plot = event.target.closest?.(":is(#stance-plot, #answer-map) .js-plotly-plot");
  if (!plot?.on || plot.attendedBy === element) return;
  plot.attendedBy = element;
  plot.on("plotly_click", pressed => {
    const point = pressed.points.find(one => Array.isArray(one.customdata));
    if (point && element.isConnected) tell(JSON.stringify(point.customdata));
  });
};
document.addEventListener("pointerover", attend, true);
element.addEventListener("click", event => {
  const row = event.target.closest("tr[data-pick]");
  if (row && !(event.detail && String(getSelection()))) tell(row.dataset.pick);
});
element.addEventListener("keydown", event => {
  if (event.key === "Enter" && event.target.matches("tr[data-pick]")) event.target.click();
});"""
SEEN_JS = """() => setTimeout(() => document.querySelector("#stance-picked")?.scrollIntoView(
  {block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"}), 150)"""
LOOKING = "Looking for the nearest training rows (the sentence model is loaded once, about 10 s)"
ROWS = "Nearest training rows"


@dataclass(frozen=True)
class Plane(Section):
    """The section with the parts that a prediction covers: its plot, and the column of all else that tells the results."""

    plot: gr.Plot
    behind: gr.Column


def build(services: Services, current: gr.State, first: Study | None, drawn: bool = True) -> Plane:
    """Lays out the section and wires it; `current` holds the study as a dict, or None where it is `first`, whose plot is `drawn` or not yet."""
    plot = gr.Plot(plane.plot(first) if first and drawn else None, show_label=False, elem_id="stance-plot")
    with gr.Column() as behind:
        downloads.build(plot, "stance-plane")
        choices = _clouds(first)
        cloud = gr.Radio(choices, value=plane.ANSWERS, label="Small points", elem_id="stance-cloud", visible=len(choices) > 1)
        note = gr.HTML(_note(first, plane.ANSWERS), elem_id="stance-note", padding=False)
        picked = gr.HTML(messages.note(points.HINT), elem_id="stance-picked", padding=False)
        near = gr.HTML(elem_id="stance-near", padding=False)
        with gr.Row():
            column = gr.Dropdown(_columns(first), value=points.ALL, label="Column", elem_id="points-column", min_width=160)
            axis = gr.Dropdown(_axes(), value=points.ALL, label="Axis", elem_id="points-axis", min_width=160)
        page, pick = gr.State(1), gr.State(None)
        count, table, back, more = _table_parts(first)
    listing, kept = [table, count, back, more, page], [current, column, axis, page, pick]

    def showing(value: dict[str, Any] | None) -> Study | None:
        return Study.from_dict(value) if value else first

    def list_page(by: int | None, value: dict[str, Any] | None, column: str, axis: str, page: int, pick: Any) -> tuple[Any, ...]:
        """The page that lies `by` pages on; the first one for None, as after another filter."""
        return _listed(showing(value), column, axis, page + by if by is not None else 1, pick)

    def press(event: gr.EventData, request: gr.Request, value: dict[str, Any] | None, column: str, axis: str, page: int) -> tuple[Any, ...]:
        services.stop(f"near-{request.session_hash}")  # the rows of what was pressed before are no longer looked for
        study, chosen = showing(value), _read(event.pick)
        return chosen, _opened(study, chosen), "", _listed(study, column, axis, page, chosen)[0]

    def look(request: gr.Request, value: dict[str, Any] | None, chosen: list[Any] | None) -> Iterator[str]:
        yield from _nearest(services, showing(value), chosen, request.session_hash or "")

    told = table.click(press, kept[:-1], [pick, picked, near, table], **QUIETLY)
    told.then(None, None, None, js=SEEN_JS)
    told.then(look, [current, pick], near, show_progress="hidden", api_visibility="private", trigger_mode="multiple")
    for event, by in ((column.input, None), (axis.input, None), (back.click, -1), (more.click, 1)):
        event(partial(list_page, by), kept, listing, **QUIETLY)
    cloud.input(
        lambda value, wanted, chosen: _drawn(showing(value), wanted, chosen), [current, cloud, pick], [plot, note, picked], **QUIETLY
    )
    outputs = [plot, cloud, note, picked, near, column, axis, pick, *listing]
    return Plane(outputs, _show, plot, behind)


def _table_parts(first: Study | None) -> tuple[gr.HTML, gr.HTML, gr.Button, gr.Button]:
    """The count, the table, and the buttons that turn its pages."""
    rows, shown, before, after, _ = _listed(first, points.ALL, points.ALL, 1, None)
    count = gr.HTML(shown, elem_id="points-count", padding=False)
    table = gr.HTML(rows, elem_id="points-table", padding=False, js_on_load=PRESSED_JS)
    with gr.Row():
        back = gr.Button("← Back", size="sm", visible=before["visible"], elem_id="points-back", min_width=120)
        more = gr.Button("More →", size="sm", visible=after["visible"], elem_id="points-more", min_width=120)
    return count, table, back, more


def _show(study: Study) -> tuple[Any, ...]:
    """Another study: with the answers as the cloud, nothing opened, and no filter."""
    choices = _clouds(study)
    return (
        plane.plot(study), gr.update(choices=choices, value=plane.ANSWERS, visible=len(choices) > 1), _note(study, plane.ANSWERS),
        messages.note(points.HINT), "", gr.update(choices=_columns(study), value=points.ALL), points.ALL, None,
        *_listed(study, points.ALL, points.ALL, 1, None),
    )  # fmt: skip


def _drawn(study: Study | None, cloud: str, pick: list[Any] | None = None) -> tuple[Any, ...]:
    """Updates of the plot, its note, and, where nothing was pressed yet, the hint at what can be."""
    if study is None:
        return None, "", gr.skip()
    hint = gr.skip() if pick else messages.note(points.HINT_FORMS if cloud == plane.FORMS else points.HINT)
    try:
        return plane.plot(study, cloud), _note(study, cloud), hint
    except StudioError as error:
        return gr.skip(), messages.error(error), gr.skip()


def _listed(study: Study | None, column: str | None, axis: str | None, page: int, pick: list[Any] | None) -> tuple[Any, ...]:
    """Updates of the table, the count, back, more and the page; a page beyond the last one is the last one."""
    rows = points.chosen(study, column or points.ALL, axis or points.ALL) if study else []
    last = points.pages(len(rows))
    page = min(max(1, page), last)
    shown = rows[(page - 1) * points.PAGE : page * points.PAGE]
    table = points.table(study, shown, pick) if study else ""
    return table, points.count(len(rows), page), gr.update(visible=page > 1), gr.update(visible=page < last), page


def _read(pick: Any) -> list[Any] | None:
    """Question, sample and column of what was pressed, or the mark of a form; None for what is neither."""
    try:
        question, sample, column = found = json.loads(str(pick))
        if points.is_form(found):
            return list(found)
        return [str(question), int(sample), str(column)]
    except (ValueError, TypeError):
        return None


def _opened(study: Study | None, pick: list[Any] | None) -> str:
    if study and pick and points.is_form(pick):
        return points.form(study, pick[1], str(pick[2]))
    return points.answer(study, points.opened(study, pick), pick[2]) if study and pick else messages.note(points.HINT)


def _nearest(services: Services, study: Study | None, pick: list[Any] | None, session: str) -> Iterator[str]:
    """The rows nearest to every tuned column's answer, as they are found; ends where the same visitor has pressed something else."""
    rows = points.answers(study, points.opened(study, pick)) if study and pick and not points.is_form(pick) else []
    tuned = [answer for answer in rows if neighbours.fingerprints(answer)]
    if not study or not tuned:
        yield ""
        return
    stop = services.new_stop(f"near-{session}")
    found: list[Taught] = []
    try:
        yield messages.bar(0, LOOKING)
        wanted = [mark for answer in tuned for mark in neighbours.fingerprints(answer)]
        places = neighbours.by_fingerprint(_folders(services), wanted)
        for one in neighbours.of_answers(tuned, places, services.ruler.embedder):
            if stop.is_set():
                return
            found.append(one)
            rest = messages.bar(len(found) / len(tuned), LOOKING) if len(found) < len(tuned) else ""
            yield f"<h3>{ROWS}</h3>{points.nearest(study, found)}{rest}"
    except Exception as error:  # whatever it was, the answers stay readable
        said = told(error, "The answers above are complete.", "The nearest rows could not be found")
        yield points.nearest(study, found) + said


def _folders(services: Services) -> list[Any]:
    """Where adapters may lie, the bundled ones first."""
    bundled_ones = [bundled.ADAPTERS / side for side in bundled.BUNDLED_SIDES]
    offers = [offer.folder for offer in services.catalog().offers.values() if offer.folder]
    return list(dict.fromkeys([*bundled_ones, *offers]))


def _clouds(study: Study | None) -> list[tuple[str, str]]:
    return [(text, name) for name, text in (plane.clouds(study) if study else plane.CLOUDS).items()]


def _columns(study: Study | None) -> list[tuple[str, str]]:
    return [("All columns", points.ALL), *([(label(study, name), name) for name in study.columns] if study else [])]


def _axes() -> list[tuple[str, str]]:
    return [("Both axes", points.ALL), *((f"Asked about: {axis}", axis) for axis in AXES)]


def _note(study: Study | None, cloud: str) -> str:
    if not study:
        return ""
    missing = form_plane.unasked(study) if study.survey and cloud == plane.ANSWERS else ""
    told = f" {form_plane.NOT_ASKED.format(axis=missing)}" if missing else ""
    return messages.note(plane.note(study, cloud) + told)
