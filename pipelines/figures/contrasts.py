"""Direction, drift and what is left beyond the placebo: each with its interval over items and over training seeds; one study, or two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from pipelines.errors import StudioError
from pipelines.figures.dots import (
    AXIS_LOOKS,
    AXIS_NAMES,
    BOTH_ENDS,
    CONTRASTS,
    INSTRUMENTS,
    UNITS,
    bars,
    cut,
    frame,
    panels,
    ticks,
    wrapped,
)
from pipelines.figures.look import INK, Look
from pipelines.stance import contrasts
from pipelines.stance.contrasts import ITEMS, SEEDS, Comparison, Contrast
from pipelines.stance.study import Study
from pipelines.stance.values import INSTRUMENTS as ALL

BY_UNIT = {ITEMS: (0.12, "", 3, 10, "items"), SEEDS: (-0.12, "-open", 1.5, 9, "training seeds")}  # offset, symbol, bar, size, name
STUDIES = (Look("#0d7a8a", "circle"), Look("#9a4f86", "square"))
BETWEEN = Look(INK, "diamond")
NAME_WIDTH = 24


def plot(study: Study, half: str = "all", found: Sequence[Contrast] | None = None) -> go.Figure:
    """A panel an instrument, a row a contrast and axis: filled with the interval over items, hollow over training seeds.

    `found` are `contrasts.contrasts(study)`, computed where they aren't given. Raises StudioError where no contrast can be made.
    """
    rows = contrasts.contrasts(study, half) if found is None else list(found)
    if not rows:
        raise StudioError("There is nothing to contrast.", "Measure left and right, best with a placebo.")
    return _drawn("Left and right against each other", rows, [(rows, None)], _below([rows], study))


def compare(comparison: Comparison) -> go.Figure:
    """Two studies in one picture: every contrast of the first (circles), of the second (squares), and their difference (diamonds)."""
    names = [*(wrapped(name, NAME_WIDTH, 1) for name in comparison.names), "difference"]
    groups = [comparison.first, comparison.second, comparison.differences]
    shared = {(row.name, row.instrument, row.axis) for row in comparison.differences}
    series = [
        ([row for row in rows if (row.name, row.instrument, row.axis) in shared], (name, look))
        for rows, name, look in zip(groups, names, (*STUDIES, BETWEEN), strict=True)
    ]
    return _drawn("Two results against each other", comparison.differences, series, _below(groups))


def _below(groups: Sequence[Sequence[Contrast]], study: Study | None = None) -> list[str]:
    seeds = [row.n for rows in groups for row in rows if row.unit == SEEDS]
    many = f"{min(seeds)}" if seeds and min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)}" if seeds else ""
    over_seeds = f"hollow: 95% over {many} training seeds" if seeds else "over training seeds: too few to say"
    return ["filled: 95% intervals over n items", over_seeds, *(["direction = (R − L)/2, drift = (R + L)/2"] if study else [])]


def _drawn(heading: str, rows: Sequence[Contrast], series: Sequence[tuple[Sequence[Contrast], Any]], below: Sequence[str]) -> go.Figure:
    """`series`: contrasts with the (name, look) in which they are drawn, None for a look by axis."""
    used = [name for name in ALL if any(row.instrument == name for row in rows)]
    places = {name: _places([row for row in rows if row.instrument == name]) for name in used}
    titles = [f"{INSTRUMENTS[name][:1].upper()}{INSTRUMENTS[name][1:]}, n = {_counted(rows, name)}" for name in used]
    own = {name: [row for some, _ in series for row in some if row.instrument == name] for name in used}
    ends = {name: [end for row in own[name] for end in (row.low, row.high)] for name in used}
    wide = {name: 1.05 * max(abs(end) for end in [*ends[name], *(row.mean for row in own[name])]) or 1.0 for name in used}
    lines = [*below, *dict.fromkeys(line for name in used for line in cut(wide[name], ends[name]))]
    height = 40 + 14 * (len(series) - 1)
    figure = panels(titles, [len(places[name]) for name in used], height, len(lines), legend_rows=max(4, 2 * len(series)))
    shown: set[str] = set()
    for panel, instrument in enumerate(used, 1):
        for order, (some, about) in enumerate(series):
            lift = (len(series) - 1) / 2 - order
            for trace in _traces([row for row in some if row.instrument == instrument], places[instrument], about, 0.27 * lift):
                figure.add_scatter(**trace, showlegend=trace["name"] not in shown, row=panel, col=1)
                shown.add(trace["name"])
        ticks(figure, [f"{CONTRASTS[name]},<br>{AXIS_NAMES[axis].lower()}" for name, axis in places[instrument]], panel)
        limits = [-wide[instrument], wide[instrument]]
        figure.update_xaxes(title=f"{BOTH_ENDS}<br>{UNITS[instrument]}", range=limits, row=panel, col=1)
    frame(figure, heading, lines)
    return figure


def _places(rows: Sequence[Contrast]) -> dict[tuple[str, str], int]:
    """The row of every contrast and axis, the first one on top."""
    listed = list(dict.fromkeys((row.name, row.axis) for row in rows))
    return {key: place for place, key in enumerate(reversed(listed))}


def _counted(rows: Sequence[Contrast], instrument: str) -> str:
    counts = {row.axis: row.n for row in rows if row.instrument == instrument and row.unit == ITEMS}
    return " + ".join(str(n) for n in counts.values())


def _traces(rows: Sequence[Contrast], places: dict[tuple[str, str], int], about: Any, lift: float) -> list[dict[str, Any]]:
    found = []
    for unit, (offset, _, _, _, said) in BY_UNIT.items():
        some = [row for row in rows if row.unit == unit]
        if about is not None:
            name, look = about
            found.append(_trace(some, [places[row.name, row.axis] + lift + offset / 2 for row in some], unit, look, f"{name}, over {said}"))
            continue
        for axis, look in AXIS_LOOKS.items():
            own = [row for row in some if row.axis == axis]
            spots = [places[row.name, row.axis] + offset for row in own]
            found.append(_trace(own, spots, unit, look, f"{AXIS_NAMES[axis]}, over {said}"))
    return [trace for trace in found if trace["x"]]


def _trace(rows: Sequence[Contrast], spots: Sequence[float], unit: str, look: Look, name: str) -> dict[str, Any]:
    _, hollow, thickness, size, _ = BY_UNIT[unit]
    return {
        "x": [row.mean for row in rows], "y": list(spots), "mode": "markers", "name": name, "legendgroup": name,
        "text": [_hover(row, name) for row in rows], "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": size, "color": look.colour, "symbol": look.symbol + hollow, "line": {"width": 2, "color": look.colour}},
        "error_x": bars([(row.mean, row.low, row.high) for row in rows], look.colour, thickness),
    }  # fmt: skip


def _hover(row: Contrast, name: str) -> str:
    return (
        f"<b>{CONTRASTS[row.name]}, {AXIS_NAMES[row.axis].lower()}</b> · {name}<br>{row.mean:+.2f}, 95% interval {row.low:+.2f} to {row.high:+.2f}"
        f"<br>n = {row.n} {row.unit}, p {row.p_holm:.3f} (Holm over the axes)<br>{_speaks(row)}"
    )


def _speaks(row: Contrast) -> str:
    enough = not row.about.startswith("not")
    return f"speaks about {row.about}" if enough else f"does not speak about the recipe yet: {row.about.partition(': ')[2]}"
