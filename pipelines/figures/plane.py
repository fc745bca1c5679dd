"""Where answers land: a point an answer, a mark a column, arrows from the base; a role keeps its colour in every training seed."""

from __future__ import annotations

import textwrap
from typing import Any

import plotly.graph_objects as go

from pipelines import bundled
from pipelines.figures.look import ECONOMY, GRID, INK, SOCIETY, SYMBOLS, ZERO, Look, colour, label, looks, plain, title
from pipelines.records import AXES
from pipelines.stance import claims
from pipelines.stance.study import BASE, Study

Point = tuple[float, float]


def plot(study: Study) -> go.Figure:
    """A small point for every answer (both ruler scores), a mark for each column's mean, arrows from the base.

    Where a role has several seeds, the large mark and the arrow are the mean of its seeds, whose own marks are smaller.
    """
    figure = go.Figure()
    drawn, centres = looks(study), {name: _centre(study, name) for name in study.columns}
    for name in study.columns:
        figure.add_scatter(**_points(study, name, drawn[name]))
    for name in study.columns:
        many = len(study.columns_of(claims.role_of(study, name))) > 1
        figure.add_scatter(**_mark(label(study, name), centres[name], drawn[name], 12 if many else 19))
        if name != BASE and not many:
            _arrow(figure, centres[BASE], centres[name], drawn[name].colour)
    for order, (role, columns) in enumerate(study.roles.items()):
        if len(columns) > 1:
            middle = (sum(centres[c][0] for c in columns) / len(columns), sum(centres[c][1] for c in columns) / len(columns))
            figure.add_scatter(
                **_mark(f"{title(role)}, {len(columns)} seeds", middle, Look(colour(role, order), SYMBOLS.get(role, "diamond")), 21)
            )
            _arrow(figure, centres[BASE], middle, colour(role, order))
    _lay_out(figure, study)
    return figure


def _points(study: Study, name: str, look: Look) -> dict[str, Any]:
    """The answers of a column; of a role with several seeds the first one stands in the legend for all."""
    rows = [a for a in study.answers if a["column"] == name]
    texts = {question.id: question.text for question in bundled.questions()}
    hover = [
        f"<b>{plain(label(study, name))}</b> · {_wrap(texts.get(a['question'], a['question']))}<br>{_wrap(a['text'])}<br>economic {a['economic']:.2f}, social {a['social']:.2f}"
        for a in rows
    ]
    role = claims.role_of(study, name)
    seeds = study.columns_of(role) if role else [name]
    many = len(seeds) > 1
    return {
        "x": [a["economic"] for a in rows], "y": [a["social"] for a in rows], "mode": "markers", "text": hover,
        "name": f"{title(role)}, {len(seeds)} seeds" if many else plain(label(study, name)),
        "legendgroup": role or name, "showlegend": name == seeds[0],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 7, "opacity": 0.25 if many else 0.35, "color": look.colour, "symbol": look.symbol},
    }  # fmt: skip


def _mark(name: str, centre: Point, look: Look, size: int) -> dict[str, Any]:
    return {
        "x": [centre[0]], "y": [centre[1]], "mode": "markers", "name": f"{name}: mean", "showlegend": False,
        "marker": {"size": size, "color": look.colour, "symbol": look.symbol, "line": {"width": 2 if size > 15 else 1, "color": "white"}},
        "hovertemplate": f"<b>{plain(name)}</b>: mean of its answers<br>economic %{{x:.2f}}, social %{{y:.2f}}<extra></extra>",
    }  # fmt: skip


def _arrow(figure: go.Figure, start: Point, end: Point, shown: str) -> None:
    figure.add_annotation(
        x=end[0], y=end[1], ax=start[0], ay=start[1], xref="x", yref="y", axref="x", ayref="y",
        arrowhead=2, arrowwidth=2.5, arrowcolor=shown, opacity=0.9,
    )  # fmt: skip


def _wrap(text: str) -> str:
    lines = textwrap.wrap(plain(text), 62)
    return "<br>".join(lines[:7]) + (" …" if len(lines) > 7 else "")


def _centre(study: Study, name: str) -> Point:
    """Mean economic score of answers to economic questions, and mean social score of answers to social ones."""
    centre = []
    for axis in AXES:
        values = [a[axis] for a in study.answers if a["column"] == name and a["axis"] == axis]
        centre.append(sum(values) / max(1, len(values)))
    return centre[0], centre[1]


def _lay_out(figure: go.Figure, study: Study) -> None:
    """Titles short enough for a phone, the legend below, both axes with the same reach."""
    what = "Stance" if study.validity["measures_stance"] else "Topic and wording"
    reach = 1.05 * max(1.5, *(abs(a[axis]) for a in study.answers for axis in AXES))
    figure.update_layout(
        title={"text": f"{what} of {len(study.answers)} answers", "font": {"size": 16}, "x": 0.02},
        height=580,
        paper_bgcolor="white",
        plot_bgcolor="white",
        font={"color": INK},
        margin={"l": 50, "r": 15, "t": 45, "b": 90},
        legend={"orientation": "h", "y": -0.14, "yanchor": "top", "x": 0.5, "xanchor": "center"},
        hoverlabel={"align": "left"},
    )
    lines = {"gridcolor": GRID, "zerolinecolor": ZERO, "range": [-reach, reach]}
    figure.update_xaxes(title=ECONOMY, **lines)
    figure.update_yaxes(title=SOCIETY, **lines)
