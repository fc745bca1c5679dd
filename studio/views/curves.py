"""What a run does while it learns, as four small figures, and the losses of several runs over each other.

All figures have a transparent background and greys that read on light and dark pages, one x axis from step 0 to the last one, and
a mark at every point, so that a run of five steps shows something.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from pipelines.tuning.training import guard
from studio.theme import OTHERS
from studio.views.progress import AXES, Lines, latest, number, phases, total

INK, LINE, CLEAR = "#7b8694", "rgba(123, 134, 148, .28)", "rgba(0, 0, 0, 0)"
INDIGO, GREEN, PINK, AMBER, ALARM = "#6372d0", "#009e73", "#cc79a7", "#b87400", "#d55e00"
MARKS = {"repetition": "repeats itself", "perplexity": "garbles", "displacement": "chosen unlikely"}
DASHES, SYMBOLS = ("solid", "dash"), ("circle", "diamond", "square", "triangle-up")
MOST_RUNS, LONGEST_NAME = 8, 44
Points = tuple[list[int], list[float]]


def loss(progress: Lines) -> go.Figure:
    """Loss by step, the learning rate on a scale of its own, where a part begins, and where the guard fired."""
    steps = latest(progress, "step")
    figure = _figure("Loss", "lower: less surprised by the answers it learns", progress)
    rates = _points(steps, "learning_rate")
    if any(rates[1]):
        _curve(
            figure, "learning rate (own scale)", rates, INK, "learning rate %{y:.2g}", dash="dot", width=1, size=2, yaxis="y2", opacity=0.75
        )
        figure.update_layout(yaxis2={**_second(), "showticklabels": False, "rangemode": "tozero"})
    _curve(figure, "loss", _points(steps, "loss"), INDIGO, "loss %{y:.3f}", legendrank=1)
    _begins(figure, progress)
    _guards(figure, progress)
    return _ended(figure, progress)


def preference(progress: Lines) -> go.Figure:
    """Log-probability a token of the chosen and the rejected answers of a few training rows, with the gap between them filled.

    Preference methods add the margin of each batch, on the right axis and in training's own unit.
    """
    probes, steps = latest(progress, "probe"), latest(progress, "step")
    figure = _figure("How likely chosen and rejected answers are", "nats a token, on the same few training rows", progress)
    looks = (("rejected", PINK, "dash", "diamond", 2), ("chosen", GREEN, "solid", "circle", 1))
    both = all(_points(probes, name)[0] for name, *_ in looks)
    for name, colour, dash, symbol, rank in looks:
        points = _points(probes, name)
        words = f"{name} answers: %{{y:.2f}} nats a token<br>(a typical token gets %{{customdata:.1%}})"
        fill: dict[str, Any] = {"fill": "tonexty", "fillcolor": "rgba(0, 158, 115, .13)"} if both and name == "chosen" else {}
        chance = [math.exp(min(y, 0)) for y in points[1]]
        _curve(figure, name, points, colour, words, dash=dash, symbol=symbol, customdata=chance, legendrank=rank, **fill)
    for name, colour, *_ in looks:
        x, y = _points(probes, name)
        if x and x[0] == 0:
            _level(figure, y[0], total(progress), colour, "before training" if name == "chosen" else "")
    margins = _points(steps, "rewards/margins")
    if margins[0]:
        words = "margin of this batch: %{y:.2f}<br>(chosen over rejected, against the base)"
        _curve(figure, "batch margin →", margins, INK, words, width=1, size=3, yaxis="y2")
        figure.update_layout(yaxis2=_second(), legend={"entrywidth": 0.48, "entrywidthmode": "fraction"})
    _begins(figure, progress)
    return _ended(figure, progress)


def shift(progress: Lines) -> go.Figure:
    """How far the sample answers moved on the ruler against the same answers before the first step, by axis."""
    probes = latest(progress, "probe")
    figure = _figure("Shift of the answers on the ruler", "few questions, 95% intervals: for watching, not a measurement", progress)
    reach = 0.5
    for (axis, (name, *_)), colour, dash, symbol in zip(AXES.items(), (AMBER, PINK), ("solid", "dash"), SYMBOLS, strict=False):
        x, y = _shifts(probes, axis)
        bars = _intervals(probes, axis, x)
        reach = max([reach, *(max(1.15 * abs(value), abs(value) + bar) for value, bar in zip(y, bars["array"], strict=True))])
        _curve(figure, name, (x, y), colour, "%{text}", dash=dash, symbol=symbol, text=[_moved(axis, value) for value in y], error_y=bars)
    figure.update_yaxes(range=[-reach, reach])
    if _has_points(figure):
        figure.add_hline(y=0, line={"color": INK, "width": 1})
        _words(figure, "base", 1, 0, yref="y", xanchor="left", xshift=3)
        _words(figure, "↑ right / traditional", 0, 1, xanchor="left", yanchor="top", xshift=3)
        _words(figure, "↓ left / progressive", 0, 0, xanchor="left", yanchor="bottom", xshift=3)
    return _ended(figure, progress, right=34)


def damage(progress: Lines) -> go.Figure:
    """What breaks while it learns: how much harder everyday text became, and how much the answers repeat themselves, each with its limit."""
    probes = latest(progress, "probe")
    figure = _figure("Damage", "dotted: where the guard fires", progress)
    ratio, repeats = _points(probes, "perplexity_ratio"), _points(probes, "repetition")
    if ratio[0]:
        words = "everyday text surprises it<br>%{y:.2f} times as much as the base"
        _curve(figure, "everyday text (left axis)", ratio, INDIGO, words)
        _level(figure, guard.PERPLEXITY_LIMIT, total(progress), INDIGO)
        axis = _ratio_axis([*ratio[1], guard.PERPLEXITY_LIMIT])
        at = (
            math.log10(guard.PERPLEXITY_LIMIT) if axis.get("type") == "log" else guard.PERPLEXITY_LIMIT
        )  # notes on such an axis stand at the logarithm
        _words(figure, f"limit {guard.PERPLEXITY_LIMIT:g}", 1, at, INDIGO, yref="y", xanchor="right", yanchor="top")
        figure.update_yaxes(**axis)
    if repeats[0]:
        words = "%{y:.0%} of the runs of four words<br>in its answers are repeats"
        look: dict[str, Any] = {"dash": "dash", "symbol": "diamond", "yaxis": "y2"}
        _curve(figure, "repetition (right axis)", repeats, AMBER, words, **look)
        limit = guard.repetition_limit(repeats[1][0])
        _level(figure, limit, total(progress), AMBER, yaxis="y2")
        _words(figure, f"limit {limit:.0%}", 1, limit, AMBER, yref="y2", xanchor="right", yanchor="bottom")
        high = 1.2 * max([limit, *repeats[1]])
        figure.update_layout(yaxis2={**_second(), "tickformat": ".0%", "range": [-0.04 * high, high]})
    _guards(figure, progress)
    return _ended(figure, progress, right=40)


def overlay(runs: Sequence[tuple[str, Lines]]) -> go.Figure:
    """The loss curves of up to eight runs, given as (title, progress), over each other."""
    shown = list(runs)[:MOST_RUNS]
    longest = max((progress for _, progress in shown), key=total, default=())
    subtitle = f"the first {MOST_RUNS} of {len(runs)} runs" if len(runs) > MOST_RUNS else "lower: less surprised by the answers it learns"
    figure = _figure("Loss of the picked runs", subtitle, longest)
    for order, (title, progress) in enumerate(shown):
        look: dict[str, Any] = {"dash": DASHES[order // len(OTHERS)], "symbol": SYMBOLS[order % len(SYMBOLS)]}
        name = escape(_cut(title))
        points = _points(latest(progress, "step"), "loss")
        _curve(figure, name, points, OTHERS[order % len(OTHERS)], f"{name}<br>loss %{{y:.3f}}", **look)
    figure.update_layout(height=280 + 17 * len(shown), margin={"b": 60 + 17 * len(shown)}, legend={"orientation": "v"})
    return _ended(figure, longest)


def _figure(title: str, subtitle: str, progress: Lines) -> go.Figure:
    """An empty figure that fits a phone and does not catch the finger that scrolls past it."""
    steps = total(progress)
    figure = go.Figure()
    figure.update_layout(
        template="none", height=280, margin={"l": 40, "r": 12, "t": 54, "b": 74}, paper_bgcolor=CLEAR, plot_bgcolor=CLEAR, font={"color": INK, "size": 12},
        title={"text": title, "font": {"size": 14}, "subtitle": {"text": subtitle, "font": {"size": 11, "color": INK}}, "x": 0.015, "y": 1, "yanchor": "top", "pad": {"t": 8}},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "font": {"size": 11}, "bgcolor": CLEAR, "traceorder": "normal"},
        hoverlabel={"align": "left"}, dragmode=False, uirevision="same",
    )  # fmt: skip
    figure.update_xaxes(title={"text": "step", "standoff": 4}, range=[-0.03 * steps, 1.03 * steps], gridcolor=LINE, zeroline=False)
    return figure.update_yaxes(gridcolor=LINE, zeroline=False, automargin=True, nticks=6)


def _second() -> dict[str, Any]:
    return {"overlaying": "y", "side": "right", "tickmode": "auto", "showgrid": False, "zeroline": False, "automargin": True, "nticks": 5}


def _ended(figure: go.Figure, progress: Lines, right: int = 0) -> go.Figure:
    """Says why nothing is shown, where nothing is; `right` makes room in pixels."""
    if right:
        figure.update_layout(margin={"r": right})
    if not _has_points(figure):
        text = "This run did not note it" if latest(progress, "step") else "The first step appears here"
        figure.add_annotation(text=text, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper", font={"size": 14, "color": INK})
        figure.update_yaxes(showticklabels=False)
    return figure


def _has_points(figure: go.Figure) -> bool:
    return any(len(trace.x or ()) for trace in figure.data)


def _points(lines: Lines, name: str) -> Points:
    """Steps and values of one figure, without those that are not a number."""
    found = [(line["step"], number(line.get(name))) for line in lines]
    return [step for step, value in found if value is not None], [value for _, value in found if value is not None]


def _shifts(probes: Lines, axis: str) -> Points:
    """The shift by step; that of step 0 is 0 by definition, and shown once there can be others."""
    flat = [{"step": probe["step"], axis: (probe.get("shift") or {}).get(axis)} for probe in probes]
    x, y = _points(flat, axis)
    return ([0, *x], [0.0, *y]) if probes and probes[0]["step"] == 0 and 0 not in x and (x or len(probes) == 1) else (x, y)


def _intervals(probes: Lines, axis: str, steps: Sequence[int]) -> dict[str, Any]:
    """Error bars for the shifts at these steps; older runs have none."""
    found = {line["step"]: (line.get("shift") or {}, (line.get("interval") or {}).get(axis)) for line in probes}
    pairs = [
        (shift.get(axis, 0.0), bounds or (shift.get(axis, 0.0),) * 2) for shift, bounds in (found.get(step, ({}, None)) for step in steps)
    ]
    return {
        "type": "data", "symmetric": False, "thickness": 1, "width": 3,
        "array": [high - mean for mean, (_, high) in pairs], "arrayminus": [mean - low for mean, (low, _) in pairs],
    }  # fmt: skip


def _moved(axis: str, value: float) -> str:
    name, low, high = AXES[axis]
    return f"{name} {value:+.2f}: " + ("as the base" if abs(value) < 0.005 else f"towards {low if value < 0 else high}")


def _curve(
    figure: go.Figure, name: str, points: Points, colour: str, words: str, dash: str = "solid", width: float = 2, size: float = 6,
    symbol: str = "circle", **more: Any,
) -> None:  # fmt: skip
    """One line with a mark at every point; nothing where there is no point."""
    x, y = points
    if x:
        figure.add_scatter(
            x=x, y=y, name=name, mode="lines+markers", line={"color": colour, "width": width, "dash": dash},
            marker={"size": size if len(x) <= 80 else min(size, 3.5), "symbol": symbol, "color": colour},
            hovertemplate=f"step %{{x}}<br>{words}<extra></extra>", **more,
        )  # fmt: skip


def _level(figure: go.Figure, value: float, steps: int, colour: str, name: str = "", yaxis: str = "y") -> None:
    """A dotted horizontal line over the whole run; it has a place in the legend where it has a name."""
    figure.add_scatter(
        x=[0, steps], y=[value, value], mode="lines", name=name, showlegend=bool(name), hoverinfo="skip", yaxis=yaxis,
        line={"color": colour, "width": 1.2, "dash": "dot"},
    )  # fmt: skip


def _words(figure: go.Figure, text: str, x: float, y: float, colour: str = INK, yref: str = "paper", **more: Any) -> None:
    figure.add_annotation(text=text, x=x, y=y, xref="paper", yref=yref, showarrow=False, font={"size": 10.5, "color": colour}, **more)


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _begins(figure: go.Figure, progress: Lines) -> None:
    for name, before, _ in phases(progress)[1:]:
        _mark(figure, before, f"{escape(_cut(name))} begins", INK, "solid", total(progress), 0)


def _guards(figure: go.Figure, progress: Lines) -> None:
    """A dashed line at each alarm; only the first of a kind has a label."""
    said: list[str] = []
    for line in latest(progress, "guard"):
        kind = str(line.get("kind", ""))
        label = "" if kind in said else MARKS.get(kind, "guard")
        _mark(figure, line["step"], label, ALARM, "dash", total(progress), len(said) + 1)
        said += [kind] if label else []


def _mark(figure: go.Figure, step: int, label: str, colour: str, dash: str, steps: int, row: int) -> None:
    """A vertical line; labels in different rows do not cover each other, and none leaves the figure."""
    figure.add_vline(x=step, line={"color": colour, "width": 1.2, "dash": dash})
    if label:
        side = {"xanchor": "right", "xshift": -3} if step > 0.55 * steps else {"xanchor": "left", "xshift": 3}
        figure.add_annotation(
            text=label, x=step, y=1 - 0.13 * row, yref="paper", yanchor="top", showarrow=False, font={"size": 10.5, "color": colour}, **side
        )


def _ratio_axis(values: Sequence[float]) -> dict[str, Any]:
    """A plain axis around 1, or a logarithmic one where everyday text became many times harder."""
    low, high = min([0.95, *values]), max([1.3, *values])
    if high > 4:
        return {
            "type": "log",
            "tickvals": [1, 2, 5, 10, 20, 50, 100, 1000],
            "range": [math.log10(max(low, 0.01)) - 0.05, math.log10(high) + 0.1],
        }
    return {"range": [low - 0.03, high + 0.08 * (high - low)]}
