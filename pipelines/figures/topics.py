"""Shifts topic by topic, or item by item: a dot and its interval each, filled where the topic was trained on, hollow where held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from pipelines.errors import StudioError
from pipelines.figures.dots import AXIS_NAMES, INSTRUMENTS, bars, called, cut, frame, look_of, panels, reach, ticks, wrapped
from pipelines.figures.look import ENDS, Look
from pipelines.records import AXES
from pipelines.stance.breakdown import HELD_OUT, TRAIN, Part, by_item, by_topic
from pipelines.stance.breakdown import called as words_of
from pipelines.stance.claims import LEVEL
from pipelines.stance.study import Study

SPLITS = {TRAIN: "in the training data", HELD_OUT: "held out", "": "not known"}
HOLLOW, UNKNOWN, MARK = "-open", "-open-dot", "✱"
ROWS = {"topic": (32, 18, 2), "item": (48, 22, 3)}  # pixels a row, characters a line and lines of its name


def plot(study: Study, column: str, instrument: str = "ruler", by: str = "topic", axis: str | None = None, half: str = "all") -> go.Figure:
    """A panel an axis, the lowest shift at the bottom. `column`: a column, role or contrast; `by`: "topic" or "item".

    Raises StudioError where the instrument was not used on it.
    """
    parts = (by_topic if by == "topic" else by_item)(study, instrument, column, half, axis)
    if not parts:
        raise StudioError(f"{called(study, column)} was not measured by {INSTRUMENTS[instrument]}.", "Choose another instrument.")
    shown = {name: some for name in AXES if (some := [part for part in parts if part.axis == name])}
    height, width, lines = ROWS[by]
    ends = [end for part in parts for end in (part.low, part.high) if end is not None]
    half_width = reach([part.mean for part in parts], ends)
    below = [*_below(parts, instrument, by), *cut(half_width, ends)]
    figure = panels([AXIS_NAMES[name] for name in shown], [len(some) for some in shown.values()], height, len(below), legend_rows=2)
    seen: set[str] = set()
    for panel, (name, some) in enumerate(shown.items(), 1):
        for split in dict.fromkeys(part.split for part in some):
            figure.add_scatter(**_dots(some, split, look_of(study, column), split not in seen), row=panel, col=1)
            seen.add(split)
        ticks(figure, [_named(part, by, width, lines) for part in some], panel)
        figure.update_xaxes(title=ENDS[name], range=[-half_width, half_width], row=panel, col=1)
    frame(figure, f"Shift by {by}: {called(study, column)}", below)
    return figure


def _below(parts: Sequence[Part], instrument: str, by: str) -> list[str]:
    tested = sum(part.p_bh is not None for part in parts)
    counted = f"{INSTRUMENTS[instrument]}, {len(parts)} {by}s"
    return [
        f"{counted}; in brackets n items" if by == "topic" else counted,
        f"bars: 95% t intervals of {_units(parts)}" if tested else "one value each: no intervals",
        f"{MARK} p < .05 (Benjamini-Hochberg, {tested} tests)",
    ]


def _units(parts: Sequence[Part]) -> str:
    """Of what the intervals are: "items or draws"."""
    return " or ".join(dict.fromkeys(part.unit for part in parts if part.p is not None))


def _named(part: Part, by: str, width: int, lines: int) -> str:
    mark = f" {MARK}" if part.p_bh is not None and part.p_bh < LEVEL else ""
    count = f" ({part.items})" if by == "topic" else ""
    return f"{wrapped(words_of(part.id), width, lines)}{count}{mark}"


def _dots(parts: Sequence[Part], split: str, look: Look, legend: bool) -> dict[str, Any]:
    """The parts of one split at their rows of the panel."""
    rows = [(place, part) for place, part in enumerate(parts) if part.split == split]
    symbol = look.symbol + {TRAIN: "", HELD_OUT: HOLLOW}.get(split, UNKNOWN)
    return {
        "x": [part.mean for _, part in rows], "y": [place for place, _ in rows], "mode": "markers", "name": SPLITS.get(split, split),
        "legendgroup": split, "showlegend": legend, "text": [_hover(part) for _, part in rows], "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 10, "color": look.colour, "symbol": symbol, "line": {"width": 2, "color": look.colour}},
        "error_x": bars([(part.mean, part.low, part.high) for _, part in rows], look.colour),
    }  # fmt: skip


def _hover(part: Part) -> str:
    said = f"<b>{wrapped(words_of(part.id), 60, 4)}</b> · {SPLITS.get(part.split, part.split)}<br>shift {part.mean:+.2f}"
    if part.low is None or part.high is None or part.p is None or part.p_bh is None:
        return f"{said}, one value: no interval"
    return (
        f"{said}, 95% interval {part.low:+.2f} to {part.high:+.2f}<br>n = {part.n} {part.unit}, "
        f"p {part.p:.3f}, Benjamini-Hochberg {part.p_bh:.3f}"
    )
