"""What every picture of the plane is drawn with: means with their intervals, arrows, rings, wrapped hover text, and the frame."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from pipelines.figures.look import ECONOMY, GRID, INK, SOCIETY, ZERO, Look, plain
from pipelines.records import AXES, Shift
from pipelines.stance.statistics import shift

WIDTH, LINES = 62, 7  # of hover text
LARGE, ALONE, SMALL = 21, 19, 12  # sizes of a role's mark, of a column's, and of one among the seeds of a role
Point = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """Where something lies: a mean with its 95% interval on each axis."""

    economic: Shift
    social: Shift

    @property
    def point(self) -> Point:
        return self.economic.mean, self.social.mean

    @property
    def n(self) -> int:
        """How many items it rests on, over both axes."""
        return self.economic.n + self.social.n

    @property
    def reach(self) -> float:
        """The farthest end of an interval from zero."""
        return max(abs(end) for one in (self.economic, self.social) for end in (one.low, one.high))


def place(values: Mapping[str, float], axes: Mapping[str, str]) -> Place:
    """The mean of each axis's items with a BCa bootstrap interval over items (statistics.shift); `axes` is the axis of each item."""
    economic, social = (shift([value for item, value in values.items() if axes[item] == axis]) for axis in AXES)
    return Place(economic, social)


def mark(name: str, where: Place, look: Look, size: int, said: str, bars: bool = True) -> dict[str, Any]:
    """A trace of one large mark, with bars for its intervals; `said` is what it is, for the hover text."""
    x, y = where.point
    lines = "".join(f"<br>{axis} {one.mean:+.2f} (95% {one.low:+.2f} to {one.high:+.2f})" for axis, one in zip(AXES, (where.economic, where.social), strict=True))  # fmt: skip
    drawn = {"error_x": _bars(where.economic, look), "error_y": _bars(where.social, look)} if bars else {}
    return {
        "x": [x], "y": [y], "mode": "markers", "name": f"{plain(name)}: mean", "showlegend": False, **drawn,
        "marker": {"size": size, "color": look.colour, "symbol": look.symbol, "line": {"width": 2 if size > SMALL else 1, "color": "white"}},
        "hovertemplate": f"<b>{plain(name)}</b>: {said}{lines}<extra></extra>",
    }  # fmt: skip


def _bars(one: Shift, look: Look) -> dict[str, Any]:
    return {
        "type": "data", "symmetric": False, "array": [one.high - one.mean], "arrayminus": [one.mean - one.low],
        "color": look.colour, "thickness": 2, "width": 5,
    }  # fmt: skip


def arrow(figure: go.Figure, start: Point, end: Point, colour: str) -> None:
    """From the base to a tuned model."""
    figure.add_annotation(
        x=end[0], y=end[1], ax=start[0], ay=start[1], xref="x", yref="y", axref="x", ayref="y",
        arrowhead=2, arrowwidth=2.5, arrowcolor=colour, opacity=0.9,
    )  # fmt: skip


def wrapped(text: str) -> str:
    """Some lines of a text for a hover label, without its HTML."""
    lines = textwrap.wrap(plain(text), WIDTH)
    return "<br>".join(lines[:LINES]) + (" …" if len(lines) > LINES else "")


def lay_out(figure: go.Figure, title: str, subtitle: str, reach: float) -> None:
    """Titles short enough for a phone, the legend below, both axes with the same reach and their ends in words."""
    figure.update_layout(
        title={
            "text": title, "subtitle": {"text": subtitle, "font": {"size": 12}}, "font": {"size": 16},
            "x": 0.02, "y": 0.97, "yanchor": "top",
        },
        height=580, paper_bgcolor="white", plot_bgcolor="white", font={"color": INK}, margin={"l": 50, "r": 15, "t": 72, "b": 90},
        legend={"orientation": "h", "y": -0.14, "yanchor": "top", "x": 0.5, "xanchor": "center"}, hoverlabel={"align": "left"},
    )  # fmt: skip
    lines = {"gridcolor": GRID, "zerolinecolor": ZERO, "range": [-reach, reach]}
    figure.update_xaxes(title=ECONOMY, **lines)
    figure.update_yaxes(title=SOCIETY, **lines)
