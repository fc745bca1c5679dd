"""What changed when the data changed: the recorded adapters of three selections, one plot, one table."""

from __future__ import annotations

from functools import cache
from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.figures import changed as figure
from pipelines.paths import read_json
from pipelines.stance.changed import Changed
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.stances import downloads
from studio.views import changed as view
from studio.views import messages

NOTHING = "Nothing is recorded. It is made by: python -m benchmarks.changed --record"


@cache
def recorded() -> Changed | None:
    """What ships with the studio."""
    file = bundled.RECORDED / "changed.json"
    return Changed.from_dict(read_json(file)) if file.is_file() else None


def build() -> dict[str, Any]:
    """Lays the part out, empty until it is opened. Returns the event for that."""
    words = gr.HTML(elem_id="changed", padding=False)
    plot = gr.Plot(show_label=False, elem_id="changed-plot")
    downloads.build(plot, "data-changed")
    numbers = gr.HTML(elem_id="changed-table", padding=False)

    def opened() -> tuple[Any, ...]:
        found = recorded()
        if found is None:
            return messages.info(NOTHING), gr.skip(), gr.skip()
        return view.lead(found) + view.finding(found), figure.plot(found), view.table(found) + view.reading(found)

    return {"fn": opened, "inputs": None, "outputs": [words, plot, numbers], **QUIETLY}
