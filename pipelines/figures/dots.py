"""What pictures of dots and intervals share: bars, stacked panels with the ends of their axes in words, a frame that a phone can show."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pipelines.figures.look import GRID, INK, SYMBOLS, ZERO, Look, colour, label, looks, plain, title
from pipelines.stance.contrasts import is_contrast
from pipelines.stance.study import Study

AXIS_NAMES = {"economic": "Economy", "social": "Society"}
AXIS_LOOKS = {"economic": Look("#8a6d00", "circle"), "social": Look("#6a51a3", "square")}
BOTH_ENDS = "left, progressive  ←  →  right, traditional"
INSTRUMENTS = {"ruler": "free text (ruler)", "completion": "paired completions", "survey": "questionnaire"}
UNITS = {"ruler": "ruler", "completion": "nats a token", "survey": "−1 to +1"}
CONTRASTS = {
    "direction": "Direction",
    "drift": "Drift",
    "net_right": "Right − placebo",
    "net_left": "Left − placebo",
    "shuffled": "Shuffled labels",
    "right_beyond_shuffled": "Right − shuffled",
    "left_beyond_shuffled": "Left − shuffled",
}
TOP, LINE, BOTTOM, BETWEEN, LEGEND = 48, 16, 66, 92, 22  # pixels: title, a line below it, axis title, between panels, a legend row


def look_of(study: Study, name: str) -> Look:
    """How a column, a role (in its own colour) or a contrast (in ink) is drawn."""
    if name in study.columns:
        return looks(study)[name]
    order = list(study.roles).index(name) if name in study.roles else 0
    return Look(colour(name, order), SYMBOLS.get(name, "diamond")) if name in study.roles else Look(INK, "diamond")


def called(study: Study, name: str) -> str:
    """A column, role or contrast as people read it: "Left", "Left, 5 seeds", "Direction"; without HTML."""
    many = len(study.roles.get(name, []))
    if many > 1:
        return f"{plain(title(name))}, {many} seeds"
    return CONTRASTS[name] if is_contrast(study, name) else plain(label(study, name))


def bars(rows: Sequence[tuple[float, float | None, float | None]], shown: str, thickness: float = 2, width: int = 4) -> dict[str, Any]:
    """Horizontal 95% bars of (mean, low, high); none where an end is not known."""
    return {
        "type": "data", "symmetric": False, "color": shown, "thickness": thickness, "width": width,
        "array": [0 if high is None else high - mean for mean, _, high in rows],
        "arrayminus": [0 if low is None else mean - low for mean, low, _ in rows],
    }  # fmt: skip


def panels(titles: Sequence[str], rows: Sequence[int], row_height: int, subtitle_lines: int, legend_rows: int = 1) -> go.Figure:
    """Stacked panels of so many rows each, all rows equally high, with the height in pixels that this needs."""
    inside = [max(1, count) * row_height for count in rows]
    between = BETWEEN * (len(rows) - 1)
    figure = make_subplots(
        rows=len(rows), cols=1, subplot_titles=list(titles), row_heights=inside, vertical_spacing=BETWEEN / (sum(inside) + between) if between else 0,
    )  # fmt: skip
    top, bottom = TOP + LINE * subtitle_lines + 24, BOTTOM + LEGEND * legend_rows
    figure.update_layout(height=sum(inside) + between + top + bottom, margin={"l": 10, "r": 12, "t": top, "b": bottom})
    return figure


def frame(figure: go.Figure, heading: str, lines: Sequence[str]) -> None:
    """The title with some lines below it, white paper, the legend at the very bottom."""
    figure.update_layout(
        title={
            "text": heading, "subtitle": {"text": "<br>".join(lines), "font": {"size": 12}}, "font": {"size": 16},
            "x": 0.02, "y": 1, "yanchor": "top", "pad": {"t": 14},
        },
        paper_bgcolor="white", plot_bgcolor="white", font={"color": INK}, hoverlabel={"align": "left"},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0.5, "xanchor": "center"},
    )  # fmt: skip
    figure.update_annotations(selector={"yref": "paper"}, font_size=13)
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=ZERO, zerolinewidth=2, nticks=6, title_font_size=12)
    figure.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True, tickfont_size=11)


def ticks(figure: go.Figure, names: Sequence[str], panel: int) -> None:
    """Names at the rows 0, 1, .. of a panel, counted from below."""
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=list(names), range=[-0.6, len(names) - 0.4], row=panel, col=1)


def reach(means: Sequence[float], ends: Sequence[float]) -> float:
    """Half the width of a panel: all means and nine of ten interval ends; one bar that is wider is cut, so that others can be read."""
    farthest = sorted(abs(end) for end in ends)
    most = farthest[int(0.9 * (len(farthest) - 1))] if farthest else 0.0
    return max(1e-6, 1.15 * max((abs(mean) for mean in means), default=0.0), 1.05 * most)


def cut(half_width: float, ends: Sequence[float]) -> list[str]:
    """A line on bars that are wider than the panel, where there are any."""
    return ["bars that end at the frame go on beyond it"] if any(abs(end) > half_width for end in ends) else []


def wrapped(text: str, width: int, lines: int = 2) -> str:
    """A name in a few short lines, without HTML; "…" where it goes on."""
    return "<br>".join(textwrap.wrap(plain(text), width, max_lines=lines, placeholder=" …"))
