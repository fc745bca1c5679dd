"""Code answers: a coder reads pairs, marks words by mouse, touch or keyboard, and gives codes to them or to whole answers.

The whole stage is one piece of HTML that the server writes anew after each press (codingplay.py); its script is codingscript.py.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.reviews import codingplay
from studio.tabs.reviews.codingscript import CODING_JS, WHERE_JS
from studio.tabs.reviews.codingseat import Press
from studio.tabs.reviews.visitor import Kept

LEAD = (
    '<p class="ps-lead">Say what answers do with the codes of a codebook, for a whole answer or for words in it, without knowing which model '
    "wrote them.</p>"
)


def build(services: Services, rater: gr.BrowserState) -> dict[str, Any]:
    """Lays out the stage and wires it. `rater` is made from voting.MEMORY outside of all tabs; the stage only reads it.

    Returns "attach", the event for when the tab is opened: fn, inputs, outputs, js.
    """
    codes = services.codes
    gr.HTML(LEAD, padding=False)
    page, there, place = gr.HTML(elem_id="coding", padding=False, js_on_load=CODING_JS), gr.Checkbox(visible=False), gr.JSON(visible=False)

    def attach(kept: Any, there: bool, place: Any) -> Any:
        if there and kept is None:
            return gr.skip()  # the browser keeps something that it has not read yet; its reading is told soon after
        return codingplay.opened(codes, Kept.read(kept), place)

    def act(kept: Any, event: gr.EventData) -> str:
        return codingplay.answer(codes, Kept.read(kept), Press.read(event._data))

    opened = {"fn": attach, "inputs": [rater, there, place], "outputs": page, "js": WHERE_JS, **QUIETLY}
    page.click(act, rater, page, trigger_mode="multiple", **QUIETLY)  # "once" drops a press that follows a page at once
    rater.change(**opened)
    return {"attach": opened, "page": page}
