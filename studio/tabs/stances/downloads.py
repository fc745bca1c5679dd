"""Two small buttons below any plot: the picture as PNG, drawn in the browser, and its numbers as CSV. Nothing is left on a disk."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from pipelines.export.stance_files import figure_csv

SCALE = 3  # pixels of the picture for one on the page, so that it can be printed
# Plotly is on the page already where there is a plot; nothing is fetched.
PNG_JS = """() => {
  const plot = document.querySelector("#%(plot)s .js-plotly-plot");
  if (plot && window.Plotly) window.Plotly.downloadImage(plot, {format: "png", scale: %(scale)d, filename: "%(name)s"});
}"""
CSV_JS = """text => {
  if (!text) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv;charset=utf-8"}));
  link.download = "%(name)s.csv";
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}"""


def build(plot: gr.Plot, name: str) -> gr.Row:
    """Lays out the buttons for a plot, which must have an `elem_id`; `name` is that of the files, and in the buttons' own ids.

    Returns the row, so that it can be hidden with its plot. What is downloaded is what is shown at that moment.
    Raises ValueError for a plot without an id.
    """
    if not plot.elem_id:
        raise ValueError("A plot needs an elem_id to be downloaded.")
    told = {"plot": plot.elem_id, "name": name, "scale": SCALE}
    with gr.Row(elem_classes="ps-downloads") as row:
        png = gr.Button("PNG", size="sm", elem_id=f"{name}-png", min_width=70, scale=0)
        table = gr.Button("CSV", size="sm", elem_id=f"{name}-csv", min_width=70, scale=0)
        held = gr.Textbox(visible=False)
    png.click(None, js=PNG_JS % told)
    made = table.click(numbers, plot, held, queue=False, show_progress="hidden", api_visibility="private")
    made.then(None, held, None, js=CSV_JS % told)
    return row


def numbers(shown: Any) -> str:
    """The numbers of the plot that the page shows, as CSV; "" where it shows none."""
    return figure_csv(json.loads(shown.plot)) if shown is not None and shown.type == "plotly" else ""
