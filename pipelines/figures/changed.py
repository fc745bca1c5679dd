"""One plot of what changed when the data changed: a row a selection, both axes in it, every training seed a dot."""

from __future__ import annotations

import plotly.graph_objects as go

from pipelines.figures.dots import AXIS_LOOKS, AXIS_NAMES, BOTH_ENDS, UNITS, bars, frame, panels, ticks
from pipelines.stance.changed import Changed

LIFT = {"economic": 0.17, "social": -0.17}  # where an axis lies within its row
HEADING = "What changed when the data changed"


def plot(changed: Changed) -> go.Figure:
    """Mean shift and 95% interval over training seeds by selection and axis; the seeds as small dots behind."""
    rows = list(reversed(changed.selections))
    seeds = max(changed.shift(one.key, axis).n for one in rows for axis in LIFT)
    lines = ["large: mean shift from the base; bar: 95% interval over seeds", f"small: each of the {seeds} adapters"]
    figure = panels([""], [len(rows)], 78, len(lines), legend_rows=2)
    for axis, look in AXIS_LOOKS.items():
        values = {one.key: changed.by_seed(one.key, axis) for one in rows}
        figure.add_scatter(
            x=[value for one in rows for value in values[one.key]],
            y=[place + LIFT[axis] for place, one in enumerate(rows) for _ in values[one.key]],
            mode="markers", hoverinfo="skip", showlegend=False, opacity=0.45, marker={"size": 6, "color": look.colour, "symbol": look.symbol},
        )  # fmt: skip
        found = [changed.shift(one.key, axis) for one in rows]
        figure.add_scatter(
            x=[one.mean for one in found], y=[place + LIFT[axis] for place in range(len(rows))], mode="markers", name=AXIS_NAMES[axis],
            marker={"size": 12, "color": look.colour, "symbol": look.symbol},
            error_x=bars([(one.mean, one.low, one.high) for one in found], look.colour, 3),
            hovertemplate=f"<b>%{{y}}</b> · {AXIS_NAMES[axis]}<br>%{{x:+.3f}}<extra></extra>",
        )  # fmt: skip
    ticks(figure, [one.name.replace("Only ", "Only<br>") for one in rows], 1)
    figure.update_xaxes(title=f"{BOTH_ENDS}<br>{UNITS['completion']}")
    frame(figure, HEADING, lines)
    return figure
