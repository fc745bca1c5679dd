"""The map of wording, drawn when it is asked for since every answer has to be embedded; and the answers as files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipelines.errors import StudioError
from pipelines.export import stance_files
from pipelines.figures import answer_map
from pipelines.stance.study import Study
from studio.services import Services
from studio.tabs.stances import downloads
from studio.tabs.stances.section import Section
from studio.tabs.tuning.downloads import passing_folder
from studio.telling import told
from studio.views import messages

if TYPE_CHECKING:
    import numpy as np

AT_ONCE = 120  # answers that are embedded between two words of progress
ABOUT = (
    "Answers that are worded alike lie near each other, whatever side they take: mostly the map shows topics. It is a place to find "
    "answers, no measurement of stance. It embeds the answers once, about 10 s for 480 and 10 s for loading the sentence model."
)
ATLAS = (
    "The Parquet file opens in Embedding Atlas, a free program of Apple: embedding-atlas {name} --text text --x x --y y, or "
    "--vector vector in place of both for a map of its own."
)
UNCHANGED = [gr.skip()] * 3
Updates = Iterator[tuple[Any, ...]]
Work = Callable[[Services, Study], Updates]
NOTHING = StudioError("There is no study yet.", "Press “Measure” first.")


def build(services: Services, current: gr.State, first: Study | None) -> Section:
    """Lays out the section and wires it; `current` holds the study as a dict, or None where it is `first`."""
    gr.HTML(messages.note(ABOUT), padding=False)
    with gr.Row():
        draw = gr.Button("Draw the map of wording", size="sm", elem_id="draw-map", min_width=180)
        table = gr.Button("All answers as CSV", size="sm", elem_id="answers-csv", min_width=180)
        vectors = gr.Button("Answers with vectors (Parquet)", size="sm", elem_id="answers-parquet", min_width=180)
    status = gr.HTML(elem_id="map-status", padding=False)
    with gr.Column(visible=False) as drawn:
        plot = gr.Plot(show_label=False, elem_id="answer-map")
        downloads.build(plot, "answer-map")
    file = gr.File(label="The file", visible=False, interactive=False, height=70, elem_id="answers-file")
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    parts = [status, plot, drawn, file]
    for button, work in ((draw, _map), (table, _csv), (vectors, _parquet)):
        button.click(_handler(services, work, first), current, parts, **quiet)
    return Section([status, plot, drawn, file], _show)


def _show(study: Study) -> tuple[Any, ...]:
    """Another study: its map is not drawn yet, and the files of the one before are gone."""
    return "", None, gr.update(visible=False), gr.update(value=None, visible=False)


def _map(services: Services, study: Study) -> Updates:
    taken = answer_map.sample(study)
    vectors: Any = None
    for said, vectors in _embedded(services, [study.answers[number]["text"] for number in taken]):
        yield said, *UNCHANGED
    yield "", answer_map.plot(study, vectors, taken), gr.update(visible=True), gr.skip()


def _csv(_: Services, study: Study) -> Updates:
    target = passing_folder() / "answers.csv"
    target.write_text(stance_files.answers_csv(study), encoding="utf-8", errors="replace")
    said = messages.note(f"{len(study.answers):,} answers with question, ruler scores and stamp.")
    yield said, gr.skip(), gr.skip(), gr.update(value=str(target), visible=True)


def _parquet(services: Services, study: Study) -> Updates:
    vectors: Any = None
    for said, vectors in _embedded(services, [answer["text"] for answer in study.answers]):
        yield said, *UNCHANGED
    target = stance_files.answers_parquet(study, vectors, passing_folder() / "answers.parquet")
    told = messages.note(ATLAS.format(name=target.name))
    yield told, gr.skip(), gr.skip(), gr.update(value=str(target), visible=True)


def _embedded(services: Services, texts: Sequence[str]) -> Iterator[tuple[str, np.ndarray | None]]:
    """Words of progress, and with the last of them the vectors, shape (texts, dimensions); parts that were embedded before are read."""
    import numpy as np

    found, begun = [], time.monotonic()
    for start in range(0, len(texts), AT_ONCE):
        done = start / len(texts)
        left = f" · about {messages.duration((time.monotonic() - begun) / done * (1 - done))} left" if done else ""
        yield messages.bar(done, f"Embedding {len(texts):,} answers{left}"), None
        found.append(services.ruler.embedder.encode_once(texts[start : start + AT_ONCE]))
    yield messages.bar(1.0, "Drawing"), np.concatenate(found)


def _handler(services: Services, work: Work, first: Study | None) -> Callable[[dict[str, Any] | None], Updates]:
    """A piece of work as an event's handler; what goes wrong is said in the status."""

    def handle(value: dict[str, Any] | None) -> Updates:
        try:
            study = Study.from_dict(value) if value else first
            if study is None:
                raise NOTHING
            yield from work(services, study)
        except Exception as error:
            yield told(error, "The study is unharmed; try again."), *UNCHANGED

    return handle
