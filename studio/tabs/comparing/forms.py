"""The forms of Compare that say how answers are drawn: sampling, greedy, system prompt, and the exact text that is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from html import escape
from typing import Any

import gradio as gr

from pipelines.comparing.comparison import LONGEST_QUESTION, Comparison
from pipelines.comparing.naming import title
from pipelines.errors import StudioError
from pipelines.models import zerogpu
from pipelines.models.template import ask
from pipelines.records import Sampling
from studio.services import Services
from studio.tabs.comparing import answering
from studio.views import messages

MODEL: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden"}  # who waits for the model stands in its own line
SEED, CAP = ([one.name for one in fields(Sampling)].index(name) for name in ("seed", "max_new_tokens"))


@dataclass(frozen=True)
class Drawing:
    """One field a lever of Sampling, in the order of the dataclass, the greedy switch and the system prompt."""

    levers: list[gr.components.Component]
    greedy: gr.Checkbox
    system: gr.Textbox

    @property
    def parts(self) -> list[gr.components.Component]:
        return [*self.levers, self.greedy, self.system]


def build(services: Services, question: gr.Textbox, talk: gr.State) -> Drawing:
    """Lays out both blocks and wires the exact text."""
    with gr.Accordion("How answers are drawn", open=False):
        greedy = gr.Checkbox(False, label="Greedy: always the likeliest word, no chance at all", elem_id="greedy")
        levers = _levers()
    with gr.Accordion("System prompt, and the exact text that the models read", open=False, elem_id="exact"):
        system = gr.Textbox(
            "", label="System prompt for all columns", lines=2, max_length=LONGEST_QUESTION, elem_id="system",
            placeholder="empty: the template's own one, as in training", visible=services.access.allows("questions"),
        )  # fmt: skip
        reveal = gr.Button("Show the exact text", size="sm", elem_id="exact-show")
        text = gr.HTML(padding=False, elem_id="exact-text")
    reveal.click(lambda *v: _exact(services, *v), [question, system, talk], text, api_visibility="private", **MODEL)
    return Drawing(levers, greedy, system)


def _levers() -> list[gr.components.Component]:
    made: list[gr.components.Component] = []
    with gr.Row():
        for lever in fields(Sampling):
            about = lever.metadata
            common: dict[str, Any] = {"label": about["label"], "info": about["hint"], "min_width": 240, "elem_id": lever.name}
            if lever.name == "seed":
                made.append(gr.Number(lever.default, precision=0, **common))
                continue
            step = 1 if isinstance(lever.default, int) else 0.05
            made.append(gr.Slider(about["low"], about["high"], lever.default, step=step, **common))
    return made


def quota(columns: int) -> gr.HTML:
    """Lays out what asking costs a visitor where seconds of a lent card are counted; elsewhere it is not seen."""
    told = zerogpu.told(columns, Sampling().max_new_tokens)
    return gr.HTML(messages.note(told) if told else "", visible=bool(told), elem_id="quota", padding=False)


def keep_told(place: gr.HTML, columns: gr.Dropdown, drawing: Drawing) -> None:
    """Says it anew when the columns or the longest answer are changed."""
    cap = drawing.levers[CAP]
    if zerogpu.is_here():
        gr.on([columns.change, cap.change], _quota, [columns, cap], place, queue=False, show_progress="hidden", api_visibility="private")


def _quota(columns: Sequence[str] | None, cap: int | None) -> str:
    return messages.note(zerogpu.told(max(1, len(columns or ())), cap or Sampling().max_new_tokens))


def sampling_of(values: Sequence[Any]) -> Sampling:
    """The levers' values, with whether to be greedy behind them if it is known. Raises StudioError for one out of range."""
    temperature, top_p, cap, seed, *greedy = values
    return Sampling(0.0 if any(greedy) else temperature, top_p, cap or 0, seed or 0)


def values_of(comparison: Comparison) -> list[Any]:
    """What the form shows for a comparison that is opened, in the order of `Drawing.parts`."""
    drawn = comparison.sampling
    return [*(getattr(drawn, one.name) for one in fields(Sampling)), drawn.temperature == 0, comparison.system]


def _exact(services: Services, question: str, system: str, talk: Comparison | None) -> str:
    """A new question's text, and that of the whole conversation, as the first tuned column reads it."""
    try:
        words = answering.checked(question, "question", LONGEST_QUESTION)
        head = [{"role": "system", "content": system.strip()}] if (system or "").strip() else []
        shown = messages.note("“Ask all” sends:") + _read_by(services, [*head, *ask(words)])
        if talk:
            place = min(1, len(talk.keys) - 1)
            name = title(talk.last.answers[place].column)
            shown += messages.note(f"“Ask as a follow-up” sends to “{name}”; every column reads its own earlier answers:")
            shown += _read_by(services, talk.messages(place, words))
        return shown
    except StudioError as error:
        return messages.error(error)


def _read_by(services: Services, talk: list[dict[str, Any]]) -> str:
    return f'<div class="ps-format"><span class="ps-read">{escape(services.host.exact_text(talk))}</span></div>'
