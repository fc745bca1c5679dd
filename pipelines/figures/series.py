"""How much of it: shifts on both axes by strength or step with their intervals, the damage below, the best trade-off as a star."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pipelines.comparing.naming import role
from pipelines.figures.look import GRID, INK, MUTED, SYMBOLS, ZERO, colour, plain, title
from pipelines.records import AXES
from pipelines.stance.claims import PERPLEXITY_LIMIT
from pipelines.stance.series_points import MEASURES, Point, Series, best, lost
from pipelines.stance.study import BASE, PLACEBO

PANELS = {"economic": ("Economy", "right", "left"), "social": ("Society", "traditional", "progressive")}
BOTTOM = {"strength": "strength (0 = base, 1 = as trained)", "step": "training step (0 = base)"}
SHADE, DARK, STAR, UNUSABLE, ROOM = "#d55e00", "#8a3c00", "#e69f00", "unusable: language damaged", 1.12
LAST = len(AXES) + 1


def plot(series: Series, instrument: str = "") -> go.Figure:
    """Three panels over one another: the shift on either axis by one instrument (the first by default), and everyday perplexity."""
    instrument = instrument if instrument in series.instruments else series.instruments[0]
    counts = [_n(series, instrument, axis) for axis in AXES]
    names = [f"{PANELS[axis][0]}: shift from the base (n = {count})" for axis, count in zip(AXES, counts, strict=True)]
    figure = make_subplots(
        len(AXES) + 1, 1, shared_xaxes=True, vertical_spacing=0.085, row_heights=[0.35, 0.35, 0.3],
        subplot_titles=[*names, "Everyday perplexity ÷ the base's"],
    )  # fmt: skip
    if series.placebo:
        _lines(figure, _from_base(series), PLACEBO, "dot", instrument, series.kind)
    _lines(figure, series.points, series.of, "solid", instrument, series.kind)
    _base(figure, series.points)
    _star(figure, series, instrument)
    _shade(figure, series)
    _lay_out(figure, series, instrument, sum(counts))
    return figure


def _n(series: Series, instrument: str, axis: str) -> int:
    return max((point.shifts[instrument][axis]["n"] for point in series.points if axis in point.shifts[instrument]), default=0)


def _from_base(series: Series) -> list[Point]:
    """The placebo's points with the base, at which it begins too."""
    return sorted([*series.placebo, *(point for point in series.points if not point.x)], key=lambda point: point.x)


def _lines(figure: go.Figure, points: Sequence[Point], name: str, dash: str, instrument: str, kind: str) -> None:
    """One adapter in all panels: bands, lines and marks; a mark is hollow and crossed where the point is unusable."""
    shown, symbol = colour(name), SYMBOLS.get(role(name), "diamond")
    look: dict[str, Any] = {
        "mode": "lines+markers", "legendgroup": name, "name": plain(title(name)), "line": {"color": shown, "dash": dash, "width": 2},
        "marker": {"size": 9, "color": shown, "symbol": [symbol if point.usable else "x-open" for point in points]},
    }  # fmt: skip
    for row, axis in enumerate(AXES, 1):
        some = [(point, point.shifts[instrument][axis]) for point in points if axis in point.shifts[instrument]]
        x, low, high = [point.x for point, _ in some], [one["low"] for _, one in some], [one["high"] for _, one in some]
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*high, *low[::-1]], fill="toself", fillcolor=shown, opacity=0.16, mode="none", hoverinfo="skip",
            legendgroup=name, showlegend=False, row=row, col=1,
        )  # fmt: skip
        words = [_hover(name, kind, point, one) for point, one in some]
        figure.add_scatter(
            x=x, y=[one["mean"] for _, one in some], text=words, hovertemplate="%{text}<extra></extra>", row=row, col=1,
            showlegend=row == 1, **look,
        )  # fmt: skip
    figure.add_scatter(
        x=[point.x for point in points], y=[point.perplexity_ratio for point in points], showlegend=False, row=LAST, col=1, **look,
        text=[f"<b>{plain(title(name))}</b> · {kind} {point.x:g}<br>perplexity {point.perplexity_ratio:.2f} × the base's<br>{lost(point)}" for point in points],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _base(figure: go.Figure, points: Sequence[Point]) -> None:
    """The base, from which everything is measured, over the lines that begin in it."""
    x = next(point.x for point in points if not point.x)
    for row in range(1, LAST + 1):
        figure.add_scatter(
            x=[x], y=[0 if row < LAST else 1], mode="markers", name=title(BASE), legendgroup=BASE, showlegend=row == 1, row=row, col=1,
            marker={"size": 10, "color": colour(BASE), "symbol": SYMBOLS[BASE]}, hovertemplate="the base<extra></extra>",
        )  # fmt: skip


def _hover(name: str, kind: str, point: Point, one: dict[str, Any]) -> str:
    interval = f"95% interval {one['low']:+.3f} to {one['high']:+.3f}, n = {one['n']}"
    unusable = "" if point.usable else f"<br>{UNUSABLE}"
    return f"<b>{plain(title(name))}</b> · {kind} {point.x:g}<br>shift {one['mean']:+.3f}<br>{interval}{unusable}"


def unusable_spans(points: Sequence[Point]) -> list[tuple[float, float]]:
    """Stretches of x around unusable points, as far as half-way to the usable ones beside them."""
    spans, place = [], 0
    for usable, some in groupby(points, key=lambda point: point.usable):
        count = len(list(some))
        if not usable:
            first, last = points[place].x, points[place + count - 1].x
            before = (points[place - 1].x + first) / 2 if place else first
            after = (last + points[place + count].x) / 2 if place + count < len(points) else last
            spans.append((before, after))
        place += count
    return spans


def _shade(figure: go.Figure, series: Series) -> None:
    """The unusable stretches in every panel, up to the edge of the plot where they end there, and their name in the legend."""
    low, high = _reach(series)
    first, last = series.points[0].x, series.points[-1].x
    for start, end in unusable_spans(series.points):
        edges = {"x0": low if start == first else start, "x1": high if end == last else end}
        figure.add_vrect(**edges, fillcolor=SHADE, opacity=0.12, line_width=0, layer="below", row="all", col=1)
        figure.add_annotation(
            x=(edges["x0"] + edges["x1"]) / 2, y=1, yref="y domain", text="unusable", showarrow=False, yanchor="top",
            font={"size": 11, "color": DARK}, row=1, col=1,
        )  # fmt: skip
    if not all(point.usable for point in series.points):
        marker = {"symbol": "square", "size": 13, "color": SHADE, "opacity": 0.3}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=UNUSABLE, row=1, col=1)


def _star(figure: go.Figure, series: Series, instrument: str) -> None:
    point = best(series).point
    if point is None:
        return
    name = f"best trade-off: {series.kind} {point.x:g}"
    for row, axis in enumerate(AXES, 1):
        if axis in point.shifts[instrument]:
            figure.add_scatter(
                x=[point.x], y=[point.shifts[instrument][axis]["mean"]], mode="markers", name=name, legendgroup="best", showlegend=row == 1,
                marker={"symbol": "star", "size": 19, "color": STAR, "line": {"width": 1.5, "color": INK}}, row=row, col=1,
                hovertemplate=f"{name}<extra></extra>",
            )  # fmt: skip
    figure.add_annotation(
        x=point.x, y=0, yref="y domain", yanchor="bottom", text="★ best", showarrow=False, font={"size": 11}, bgcolor="white", row=1, col=1
    )


def _reach(series: Series) -> tuple[float, float]:
    """The x axis, with a little room at both ends."""
    low, high = series.points[0].x, series.points[-1].x
    room = 0.04 * (high - low)
    return low - room, high + room


def _lay_out(figure: go.Figure, series: Series, instrument: str, n: int) -> None:
    """Titles short enough for a phone, the legend below, both axes of an instrument with the same reach, and their ends in words."""
    name = plain(title(series.of))
    short = name if len(name) <= 24 else name[:23] + "…"
    figure.update_layout(
        title={
            "text": f"{short} by {series.kind}, n = {n} items", "font": {"size": 16}, "x": 0.02, "y": 0.985, "yanchor": "top",
            "subtitle": {"text": f"{MEASURES[instrument].capitalize()}; bands: 95%", "font": {"size": 12, "color": MUTED}},
        },
        height=760, paper_bgcolor="white", plot_bgcolor="white", font={"color": INK}, margin={"l": 50, "r": 15, "t": 84, "b": 110},
        legend={"orientation": "h", "y": -0.1, "yanchor": "top", "x": 0.5, "xanchor": "center", "traceorder": "normal"},
        hoverlabel={"align": "left"}, dragmode=False,
    )  # fmt: skip
    figure.update_annotations(selector={"font": {"size": 16}}, font_size=13)
    figure.update_xaxes(gridcolor=GRID, zeroline=False, range=_reach(series))
    figure.update_xaxes(title={"text": BOTTOM[series.kind], "standoff": 6}, row=LAST, col=1)
    shown = [one for point in (*series.points, *series.placebo) for axis, one in point.shifts[instrument].items() if axis in AXES]
    reach = ROOM * 1.15 * max(1e-3, *(max(abs(one["low"]), abs(one["high"])) for one in shown))
    for row, axis in enumerate(AXES, 1):
        figure.update_yaxes(range=[-reach, reach], gridcolor=GRID, zerolinecolor=ZERO, row=row, col=1, nticks=6)
        _, upper, lower = PANELS[axis]
        for words, y, anchor in ((f"↑ {upper}", 1, "top"), (f"↓ {lower}", 0, "bottom")):
            figure.add_annotation(
                x=0, y=y, xref="x domain", yref="y domain", text=words, showarrow=False, xanchor="left", yanchor=anchor,
                font={"size": 11, "color": MUTED}, row=row, col=1,
            )  # fmt: skip
    _perplexity_axis(figure, series)


def _perplexity_axis(figure: go.Figure, series: Series) -> None:
    """A plain axis around 1, or a logarithmic one where everyday text became many times harder, with the limit as a line."""
    values = [point.perplexity_ratio for point in (*series.points, *series.placebo)] + [PERPLEXITY_LIMIT]
    is_log = max(values) > 4
    line = {"color": SHADE, "width": 1.5, "dash": "dash"}
    figure.add_hline(y=PERPLEXITY_LIMIT, line=line, row=LAST, col=1)
    figure.add_annotation(
        x=0.005,
        xref="x domain",
        y=math.log10(PERPLEXITY_LIMIT) if is_log else PERPLEXITY_LIMIT,
        text=f"limit {PERPLEXITY_LIMIT:.2f}",
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        font={"size": 11, "color": DARK},
        row=LAST,
        col=1,
    )  # fmt: skip  (notes on a logarithmic axis stand at the logarithm)
    scale: dict[str, Any] = {"type": "log", "dtick": "D2"} if is_log else {"nticks": 5}
    figure.update_yaxes(gridcolor=GRID, zeroline=False, row=LAST, col=1, **scale)
