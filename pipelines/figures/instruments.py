"""Do the instruments agree? Topics' shifts by one against another; and how each prompt form of the questionnaire sees the same move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from pipelines.errors import StudioError
from pipelines.figures.dots import AXIS_LOOKS, AXIS_NAMES, UNITS, bars, called, cut, frame, look_of, panels, ticks, wrapped
from pipelines.figures.look import ENDS, INK, ZERO, Look
from pipelines.records import AXES, Shift
from pipelines.stance import agreement
from pipelines.stance.agreement import BOTH_AXES, Agreement
from pipelines.stance.breakdown import HELD_OUT, Part, by_topic
from pipelines.stance.breakdown import called as words_of
from pipelines.stance.study import Study
from pipelines.stance.wording import TIMES, Spread, form_means, form_spread

SHORT = {"ruler": "free text", "completion": "completions", "survey": "questionnaire"}
MARGIN = 1.4  # points fill the plot; the bars of topics with two or three items would shrink them to a line
Pairs = Sequence[tuple[Part, Part]]


def scatter(study: Study, column: str, first: str = "ruler", second: str = "completion", half: str = "all") -> go.Figure:
    """A point a topic: its shift by one instrument and by another, the held-out ones hollow, Spearman's r with its interval above.

    `column`: a column, role or contrast. Raises StudioError where the instruments share no topic.
    """
    one, other = ({(part.axis, part.id): part for part in by_topic(study, name, column, half)} for name in (first, second))
    pairs = [(part, other[topic]) for topic, part in one.items() if topic in other]
    if not pairs:
        raise StudioError("These two instruments share no topic.", "Choose two that were both used.")
    ends = [[end for pair in pairs for end in _ends(pair[side])] for side in (0, 1)]
    wide = [MARGIN * max(abs(pair[side].mean) for pair in pairs) or 1.0 for side in (0, 1)]
    said = [_correlated(found) for found in agreement.instruments(study, column, half) if {found.first, found.second} == {first, second}]
    said += cut(wide[0], ends[0]) or cut(wide[1], ends[1])
    figure = panels([""], [1], 330, 1 + len(said), legend_rows=2)
    for axis in AXES:
        for held_out in (False, True):
            some = [pair for pair in pairs if pair[0].axis == axis and (pair[0].split == HELD_OUT) == held_out]
            if some:
                figure.add_scatter(**_points(some, axis, held_out))
    for line in (figure.add_hline, figure.add_vline):
        line(0, line={"color": ZERO, "width": 1})
    frame(figure, f"Shift by topic, twice: {called(study, column)}", [f"{len(pairs)} topics; bars: 95% t intervals", *said])
    for update, instrument, side in ((figure.update_xaxes, first, 0), (figure.update_yaxes, second, 1)):
        title = {"text": f"left ← {SHORT[instrument]}, {UNITS[instrument]} → right", "font": {"size": 12}}
        update(title=title, range=[-wide[side], wide[side]])
    return figure


def _ends(part: Part) -> list[float]:
    return [end for end in (part.low, part.high) if end is not None]


def _correlated(found: Agreement) -> str:
    what = "both, axes' means off" if found.axis == BOTH_AXES else AXIS_NAMES[found.axis].lower()
    r = found.correlation
    if r.r is None:
        return f"{what}: no correlation, n = {r.n}"
    return f"{what}: r {r.r:+.2f} (95% {r.low:+.2f} to {r.high:+.2f}), n = {r.n}"


def _points(pairs: Pairs, axis: str, held_out: bool) -> dict[str, Any]:
    look = AXIS_LOOKS[axis]
    hover = [
        f"<b>{wrapped(words_of(x.id), 60)}</b><br>{_interval(x)} by the first<br>{_interval(y)} by the second instrument" for x, y in pairs
    ]
    return {
        "x": [x.mean for x, _ in pairs], "y": [y.mean for _, y in pairs], "mode": "markers", "text": hover,
        "name": f"{AXIS_NAMES[axis]}{', held out' if held_out else ''}", "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 9, "color": look.colour, "symbol": look.symbol + ("-open" if held_out else ""), "line": {"width": 2, "color": look.colour}},
        "error_x": bars([(x.mean, x.low, x.high) for x, _ in pairs], f"{_faint(look)}", 1, 0),
        "error_y": bars([(y.mean, y.low, y.high) for _, y in pairs], f"{_faint(look)}", 1, 0),
    }  # fmt: skip


def _faint(look: Look) -> str:
    """The colour at a quarter of its strength, so that bars do not hide points."""
    red, green, blue = (int(look.colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.25)"


def _interval(part: Part) -> str:
    if part.low is None or part.high is None:
        return f"{part.mean:+.2f} (n = {part.n}, no interval)"
    return f"{part.mean:+.2f} (95% {part.low:+.2f} to {part.high:+.2f}, n = {part.n} {part.unit})"


def forms(study: Study, column: str) -> go.Figure:
    """A panel an axis, a row a prompt form: its mean shift with the interval over statements, the mean over all forms in the lowest row.

    The grey band is twice the SD over forms to either side: a mean inside it does not count as a move. Raises StudioError without a survey.
    """
    shown = {axis: means for axis in AXES if (means := form_means(study, column, axis))}
    spreads = {axis: form_spread(study, column, axis) for axis in shown}
    if not shown:
        raise StudioError(f"{called(study, column)} was not asked the questionnaire.", "Measure it with the questionnaire.")
    figure = panels([_titled(axis, spreads[axis]) for axis in shown], [len(means) + 1 for means in shown.values()], 34, 3, legend_rows=0)
    ends = [abs(end) for means in shown.values() for one in means.values() for end in (one.low, one.high)]
    wide = 1.05 * max(1e-6, *ends, *(TIMES * spread.sd for spread in spreads.values() if spread))
    for panel, (axis, means) in enumerate(shown.items(), 1):
        _forms_of(figure, panel, means, spreads[axis], look_of(study, column))
        figure.update_xaxes(title=ENDS[axis], range=[-wide, wide], row=panel, col=1)
    n = "/".join(str(max(one.n for one in means.values())) for means in shown.values())
    frame(figure, f"Shift by prompt form: {called(study, column)}", [
        f"n = {n} statements a form; bars: 95% intervals", f"grey: {TIMES} SD over forms; a mean inside it", "does not count as a move",
    ])  # fmt: skip
    return figure


def _titled(axis: str, spread: Spread | None) -> str:
    if spread is None:
        return f"{AXIS_NAMES[axis]}: one form only"
    return f"{AXIS_NAMES[axis]}: {'counts' if spread.counts else 'does not count'} ({spread.mean:+.2f}, SD {spread.sd:.2f})"


def _forms_of(figure: go.Figure, panel: int, means: Mapping[str, Shift], spread: Spread | None, look: Look) -> None:
    if spread:
        figure.add_vrect(
            -TIMES * spread.sd, TIMES * spread.sd, fillcolor=ZERO, opacity=0.25, line_width=0, layer="below", row=panel, col=1,
            exclude_empty_subplots=False,
        )  # fmt: skip
        figure.add_scatter(
            x=[spread.mean], y=[0], mode="markers", showlegend=False, row=panel, col=1, marker={"size": 13, "symbol": "diamond", "color": INK},
            hovertemplate=f"<b>over {spread.forms} forms</b>: {spread.mean:+.3f}, SD over forms {spread.sd:.3f}<extra></extra>",
        )  # fmt: skip
    hover = [
        f"<b>{wrapped(form, 60)}</b>: {one.mean:+.3f}<br>95% interval {one.low:+.3f} to {one.high:+.3f}, n = {one.n}"
        for form, one in means.items()
    ]
    figure.add_scatter(
        x=[one.mean for one in means.values()], y=list(range(1, len(means) + 1)), mode="markers", showlegend=False, row=panel, col=1,
        text=hover, hovertemplate="%{text}<extra></extra>", marker={"size": 10, "color": look.colour, "symbol": look.symbol},
        error_x=bars([(one.mean, one.low, one.high) for one in means.values()], look.colour),
    )  # fmt: skip
    ticks(figure, ["all forms", *(wrapped(form, 18) for form in means)], panel)
