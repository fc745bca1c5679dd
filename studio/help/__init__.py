"""Help on the page: a link past the tabs, words that explain themselves, a glossary, and a way around in a minute."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import gradio as gr

from studio.help import glossary, tour

FOLDER = Path(__file__).parent
CONTENT = "ps-content"  # the id of the tabs, to which the link leads
SKIP = f'<a class="ps-skip" href="#{CONTENT}">To the content</a>'
OFFER = tour.OFFER


def build(page: gr.Blocks) -> None:
    """Lays out the foot of the page, below the tabs, and starts the scripts with the page. SKIP and OFFER belong into its head."""
    gr.HTML(tour.again() + glossary.listed(), elem_id="ps-help", padding=False)
    for name in ("reach", "glossary", "tour"):
        page.load(None, js=script(name))


@cache
def script(name: str) -> str:
    """One of the JavaScript functions that lie beside this file."""
    return (FOLDER / f"{name}.js").read_text(encoding="utf-8")
