"""Looking closer at the last answers: words that differ, where the bias speaks, what may have taught it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.comparing import curated
from pipelines.comparing.comparison import Comparison
from pipelines.comparing.taught import nearest
from pipelines.errors import StudioError
from pipelines.models.tracing import Traced
from pipelines.records import Answer
from studio.services import Services
from studio.tabs.comparing.answering import columns_of, refuse_another
from studio.telling import told
from studio.views import cards, messages
from studio.views import taught as taught_view

LOOKS = {
    "Answers": "plain",
    "Words that differ": "words",
    "Where the bias speaks": "bias",
    "What taught it?": "taught",
}
ASKS = ("bias", "taught")
NOTHING = StudioError("There are no answers to look into yet.", "Press “Ask all” first.")
Shown = tuple[Any, str, str]


def look(services: Services, talk: Comparison | None, wanted: str, request: Any = None) -> Iterator[Shown]:
    """Yields (status, panes, what stands below them). What a model has to be asked for counts as an answer of the request's visitor."""
    try:
        if talk is None:
            raise NOTHING
        if LOOKS.get(wanted) in ASKS:
            if not services.access.allows("questions"):
                curated.refuse_unlisted(talk.last.question, talk.sampling, talk.system, talk)
            services.access.take(request)
        yield from {"bias": _traced, "taught": _taught}.get(LOOKS.get(wanted, ""), _read)(services, talk, wanted)
    except Exception as error:
        said = told(error, "The answers are unharmed; choose another look.", "This look broke off")
        yield said, cards.conversation(talk) if talk else "", ""


def _read(services: Services, talk: Comparison, wanted: str) -> Iterator[Shown]:
    yield gr.skip(), cards.conversation(talk, show=LOOKS.get(wanted, "plain")), ""


def _traced(services: Services, talk: Comparison, wanted: str) -> Iterator[Shown]:
    """Reads every tuned answer again, with its adapter and without."""
    columns = columns_of(services.catalog(), talk.without_last())
    tuned = [place for place, column in enumerate(columns) if not column.is_base]
    if not tuned:
        raise StudioError("There is no tuned column.", "Choose an adapter below and ask again.")
    question = talk.last.question
    traces: dict[int, list[Traced]] = {}
    for number, place in enumerate(tuned):
        answer = talk.last.answers[place]
        yield messages.bar(number / len(tuned), f"Reading “{answer.column}” with and without tuning"), cards.conversation(talk), ""
        refuse_another(services, columns[place], answer)
        traces[place] = services.host.trace(columns[place], talk.without_last().messages(place, question), answer.text)
    yield "", cards.conversation(talk, show="bias", traces=traces), ""


def _taught(services: Services, talk: Comparison, wanted: str) -> Iterator[Shown]:
    """The nearest training rows of every tuned answer; of a blend those of both adapters."""
    columns = columns_of(services.catalog(), talk.without_last())
    tuned = [place for place, column in enumerate(columns) if not column.is_base]
    if not tuned:
        raise StudioError("There is no tuned column.", "Choose an adapter below and ask again.")
    panes, found = cards.conversation(talk), ""
    for number, place in enumerate(tuned):
        column, answer = columns[place], talk.last.answers[place]
        text = f"Looking through the data of “{answer.column}” (the sentence model is loaded once, about 10 s)"
        yield messages.bar(number / len(tuned), text), panes, found
        refuse_another(services, column, answer)
        found += "".join(_rows(services, folder, answer, talk.last.question, place) for folder, _ in column.parts)
    yield "", panes, found


def _rows(services: Services, folder: Path, answer: Answer, question: str, place: int) -> str:
    try:
        return taught_view.neighbors(answer.column, nearest(folder, question, answer.text, services.ruler.embedder), place)
    except StudioError as error:
        return messages.note(f"{cards.title(answer.column)}: {error}")
