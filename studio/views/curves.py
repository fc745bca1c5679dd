"""The loss curve of a run."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from studio.theme import GRID, INK


def loss_curve(progress: list[dict[str, Any]]) -> go.Figure:
    """Loss by step, with every step marked, so that even a run of five steps shows something."""
    steps = [line for line in progress if line.get("event") == "step"]
    figure = go.Figure()
    figure.add_scatter(
        x=[line["step"] for line in steps], y=[line["loss"] for line in steps], mode="lines+markers",
        line={"color": "#4f5fb0", "width": 2}, marker={"size": 6}, name="loss",
        hovertemplate="step %{x}<br>loss %{y:.3f}<extra></extra>",
    )  # fmt: skip
    for name, shown in (("rewards/margins", "margin (chosen over rejected)"), ("logps/chosen", "log-prob of chosen")):
        if steps and name in steps[-1]:
            figure.add_scatter(x=[s["step"] for s in steps], y=[s.get(name) for s in steps], mode="lines", name=shown, yaxis="y2")
            figure.update_layout(yaxis2={"overlaying": "y", "side": "right", "showgrid": False})
            break
    total = steps[-1]["total"] if steps else 1
    figure.update_layout(
        title={"text": "Loss by step (lower: less surprised by the answers)", "font": {"size": 14}}, height=320, margin={"l": 50, "r": 20, "t": 50, "b": 40},
        paper_bgcolor="white", plot_bgcolor="white", font={"color": INK}, legend={"orientation": "h"},
    )  # fmt: skip
    figure.update_xaxes(title="step", range=[0.5, total + 0.5], gridcolor=GRID)
    figure.update_yaxes(title="loss", gridcolor=GRID, rangemode="tozero" if not steps else "normal")
    if not steps:
        figure.add_annotation(
            text="The first step appears here", showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper", font={"size": 15}
        )
    return figure
