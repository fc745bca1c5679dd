"""Compare in a public demo: questions from a list, the recorded answers at once, anything else from the model and counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from pipelines.comparing import curated
from pipelines.comparing.comparison import LONGEST_QUESTION, Comparison
from pipelines.errors import StudioError
from pipelines.records import Sampling
from studio.services import Services
from studio.views import messages

RECORDED = (
    "Recorded earlier: the same small model, untouched and tuned on three selections of answers. “Draw again”, or another strength, asks it "
    "live. One answer is one draw: a column can miss its side."
)
TO_THE_ANSWERS = "() => { if (innerWidth <= 640) document.querySelector('#compare-status')?.scrollIntoView() }"
HOW = (
    "<b>1</b> Choose a question: four versions of one small model answer at once. <b>2</b> Turn the bias dial below the answers to 0.5 or 1.5 "
    "and press “Ask all”. <b>3</b> “Look closer” shows where they differ; “Stance”, above, what holds on average."
)
NOT_LINKED = StudioError("This public demo keeps links to recorded answers only.", "Take it along as a file instead.")


def is_on(services: Services) -> bool:
    """Whether visitors choose from the list and can't write questions of their own."""
    return not services.access.allows("questions")


def box(services: Services, first: str) -> gr.Dropdown | gr.Textbox:
    """Where the question stands: a list in a demo, else a field to write in."""
    common: dict[str, Any] = {"value": first, "elem_id": "question", "scale": 5, "min_width": 320}
    if is_on(services):
        return gr.Dropdown([one.text for one in curated.questions()], label="Choose a question", filterable=False, **common)
    return gr.Textbox(label="Your question", lines=1, max_lines=4, max_length=LONGEST_QUESTION, **common)


def how(services: Services) -> None:
    """A line above everything that says what to press; in a demo only."""
    if is_on(services):
        gr.HTML(f'<p class="ps-note">{HOW}</p>', elem_id="how", padding=False)


def at_once(
    services: Services,
    question: str,
    keys: Sequence[str],
    dial: float,
    sampling: Sampling,
    system: str = "",
    earlier: Comparison | None = None,
) -> Comparison | None:
    """What a demo shows without asking the model, if it is recorded. Raises StudioError for what a demo does not ask at all."""
    if not is_on(services):
        return None
    curated.refuse_unlisted(question, sampling, system, earlier)
    return None if earlier else curated.recorded_answer(question, keys, dial, sampling, services.loaded().fingerprint)


def said() -> str:
    """The sentence beside answers that were recorded."""
    return messages.note(RECORDED)


def refuse_forged(services: Services, talk: Comparison) -> None:
    """Raises StudioError where a demo would keep for others what a visitor's browser may have made up: anything that is not recorded."""
    if is_on(services) and talk != curated.recorded_answer(talk.last.question, talk.keys, talk.strength, talk.sampling):
        raise NOT_LINKED
