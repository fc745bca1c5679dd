"""The plane of the questionnaire: a small point for every model and prompt form, a mark for the mean over all forms.

A position is 10 times the mean of s = tanh(x / 2) over an axis's statements, -10 to 10 (measurement.md, 1); of a form alone, of its own
x. Positions are drawn only where every model passes the gates, and then with a ring in which random answerers lie; else only how far each
moved from the base, all from one origin: a shift needs no position.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, log, pi, sin, tanh
from statistics import NormalDist, fmean
from typing import Any

import plotly.graph_objects as go

from pipelines.errors import StudioError
from pipelines.figures.look import MUTED, SYMBOLS, Look, colour, label, looks, plain, title
from pipelines.figures.marks import ALONE, LARGE, SMALL, Place, Point, arrow, lay_out, mark, place
from pipelines.records import AXES
from pipelines.stance import claims
from pipelines.stance.study import BASE, Study

SCALE = 10.0
# A check's ring holds 95% on each axis alone. Both together hold 95% in an ellipse that is larger: sums of random signs are about normal,
# so their squared distance is chi-squared with 2 degrees of freedom, whose 95% quantile is -2 ln .05, against 1.96 squared for one.
WIDER = (-2 * log(0.05)) ** 0.5 / NormalDist().inv_cdf(0.975)
MOST_REASONS = 4
NOT_ASKED = "The questionnaire of this study has no statements on the {axis} axis, so its prompt forms have no place in the plane."
BOTH_AXES = "Measure again with statements on both axes; the answers are drawn as ever."
FORM = "form"  # what the mark of a form begins with, where that of an answer begins with its question
Forms = dict[str, Point]


def surveyed(study: Study) -> bool:
    """Whether the base and a tuned column answered the questionnaire, and statements on both axes, so that there is a plane to draw."""
    asked = {row["column"] for row in study.survey}
    return BASE in asked and len(asked) > 1 and not unasked(study)


def unasked(study: Study) -> str:
    """The first axis on which some column of the questionnaire was asked nothing; "" where there is none. Not asked is not zero."""
    asked = {(row["column"], row["axis"]) for row in study.survey}
    return next((axis for axis in AXES for name in _columns(study) if (name, axis) not in asked), "")


def shows_positions(study: Study) -> bool:
    """Whether positions may be drawn: every column that was asked passes its gates."""
    return all(study.checks.get(name, {}).get("passed", False) for name in _columns(study))


def plot(study: Study) -> go.Figure:
    """Positions where every column passes, else shifts from the base; `surveyed` says whether there is anything to draw.

    Raises StudioError where an axis was never asked: a point's place on it would be drawn as a zero that nobody measured.
    """
    if axis := unasked(study):
        raise StudioError(NOT_ASKED.format(axis=axis), BOTH_AXES)
    figure, positions, drawn = go.Figure(), shows_positions(study), looks(study)
    axes, base = {row["item"]: row["axis"] for row in study.survey}, claims.survey_values(study, BASE)
    columns = _columns(study)
    start = None if positions else _forms(study, BASE)
    clouds = {name: _moved(_forms(study, name), start) for name in columns if positions or name != BASE}
    for name, points in clouds.items():
        figure.add_scatter(**_cloud(study, name, drawn[name], points))
    places: dict[str, Place] = {}
    for name in columns:
        many = len(study.columns_of(claims.role_of(study, name))) > 1
        places[name] = _place(claims.survey_values(study, name), {} if positions else base, axes)
        if name == BASE and not positions:
            figure.add_scatter(**_origin(drawn[name]))
            continue
        figure.add_scatter(**mark(label(study, name), places[name], drawn[name], SMALL if many else ALONE, _said(positions), not many))
        if name != BASE and not many:
            arrow(figure, places[BASE].point, places[name].point, drawn[name].colour)
    for role, where, look in _roles(study, {} if positions else base, axes):
        places[role] = where
        figure.add_scatter(**mark(f"{title(role)}, {len(study.roles[role])} seeds", where, look, LARGE, _said(positions)))
        arrow(figure, places[BASE].point, where.point, look.colour)
    rings = _rings(study) if positions else {}
    if rings:
        figure.add_scatter(**_ring(rings))
    far = [abs(value) for points in clouds.values() for point in points.values() for value in point]
    reach = 1.1 * max(0.5, *far, *(one.reach for one in places.values()), *(WIDER * one for one in rings.values()))
    _frame(figure, study, positions, reach)
    return figure


def note(study: Study) -> str:
    """What the small points are, what the ring is, or why there are no positions."""
    points = "Every small point is one model in one prompt form: how far they scatter is how much the wording of the question matters. "
    large = "Large marks are means over all forms, bars their 95% intervals over statements. "
    if axis := unasked(study):
        return f"{NOT_ASKED.format(axis=axis)} {BOTH_AXES}"
    if shows_positions(study):
        ring = (
            "Inside the ring a random answerer lies: 95% of those who answer as firmly as these models, but with signs drawn by chance. "
            "A position inside it is no position. "
        )
        return f"{points}{large}{ring if _rings(study) else ''}Positions are units of this questionnaire, not of any other compass."
    return (
        f"No positions are shown, only shifts from the base, since not every model can answer a questionnaire. {_failures(study)} "
        f"{points.replace('Every small point is', 'Every small point is the shift of')}{large}"
    )


def _failures(study: Study) -> str:
    """Who fails and why, those with the same reasons together."""
    found: dict[str, list[str]] = {}
    for name in _columns(study):
        if reasons := _why(study, name):
            found.setdefault("; ".join(reasons), []).append(label(study, name))
    said = [f"{', '.join(names)}: {reasons}." for reasons, names in found.items()]
    more = sum(len(names) for names in list(found.values())[MOST_REASONS:])
    return " ".join(said[:MOST_REASONS]) + (f" {more} more fail for other reasons." if more else "")


def _why(study: Study, name: str) -> list[str]:
    check = study.checks.get(name)
    if check is None:
        return ["it was not checked"]
    return [] if check["passed"] else list(check["reasons"])


def _columns(study: Study) -> list[str]:
    """Those that were asked, the base first."""
    asked = {row["column"] for row in study.survey}
    return sorted((name for name in study.columns if name in asked), key=lambda name: name != BASE)


def key(form: str, column: str) -> list[Any]:
    """What a form's point tells when it is pressed; an answer's tells its question, sample (a number) and column."""
    return [FORM, form, column]


def _forms(study: Study, column: str) -> Forms:
    """Where a column lies by each form that was asked on both axes: SCALE times the mean of tanh(x / 2) of its statements."""
    values: dict[str, dict[str, list[float]]] = {}
    for row in study.survey:
        if row["column"] == column:
            for form, x in row.get("forms", {}).items():
                values.setdefault(form, {}).setdefault(row["axis"], []).append(SCALE * tanh(x / 2))
    economic, social = AXES
    return {form: (fmean(found[economic]), fmean(found[social])) for form, found in values.items() if len(found) == len(AXES)}


def _moved(forms: Forms, start: Forms | None) -> Forms:
    """The points, or where there is a start how far each form's point lies from the base's in the same form."""
    if start is None:
        return forms
    return {form: (x - start[form][0], y - start[form][1]) for form, (x, y) in forms.items() if form in start}


def _place(values: Mapping[str, float], base: Mapping[str, float], axes: Mapping[str, str]) -> Place:
    """The mean of s on both axes, in units of a position; paired differences from the base where there is one to pair with."""
    items = [item for item in values if not base or item in base]
    return place({item: SCALE * (values[item] - base.get(item, 0.0)) for item in items}, axes)


def _roles(study: Study, base: Mapping[str, float], axes: Mapping[str, str]) -> list[tuple[str, Place, Look]]:
    """Of every role with several seeds: its name, where the mean of its seeds lies, and its look."""
    found = []
    for order, (role, columns) in enumerate(study.roles.items()):
        values = claims.role_values(study, "survey", role)
        if len(columns) > 1 and values:
            found.append((role, _place(values, base, axes), Look(colour(role, order), SYMBOLS.get(role, "diamond"))))
    return found


def _said(positions: bool) -> str:
    return "position over all forms" if positions else "shift from the base over all forms"


def _cloud(study: Study, name: str, look: Look, points: Forms) -> dict[str, Any]:
    """The forms of a column; of a role with several seeds the first one stands in the legend for all."""
    role = claims.role_of(study, name)
    seeds = study.columns_of(role) if role else [name]
    shown = plain(label(study, name))
    hover = [f"<b>{shown}</b> · form “{plain(form)}”<br>economic {x:+.2f}, social {y:+.2f}" for form, (x, y) in points.items()]
    return {
        "x": [x for x, _ in points.values()], "y": [y for _, y in points.values()], "mode": "markers", "text": hover,
        "name": f"{title(role)}, {len(seeds)} seeds" if len(seeds) > 1 else shown, "legendgroup": role or name,
        "showlegend": name == seeds[0], "hovertemplate": "%{text}<extra></extra>", "customdata": [key(form, name) for form in points],
        "marker": {"size": 8, "opacity": 0.45, "color": look.colour, "symbol": look.symbol},
    }  # fmt: skip


def _origin(look: Look) -> dict[str, Any]:
    return {
        "x": [0], "y": [0], "mode": "markers", "name": "Base (origin)",
        "marker": {"size": ALONE, "color": look.colour, "symbol": look.symbol, "line": {"width": 2, "color": "white"}},
        "hovertemplate": "<b>Base</b>: the origin of all shifts, not its position<extra></extra>",
    }  # fmt: skip


def _rings(study: Study) -> dict[str, float]:
    """By axis the widest ring of the columns, so that one ring serves all."""
    columns = _columns(study)
    found = {axis: max((study.checks[name]["ring"].get(axis, 0.0) for name in columns), default=0.0) for axis in AXES}
    return found if all(found.values()) else {}


def _ring(radii: Mapping[str, float]) -> dict[str, Any]:
    """An ellipse in which 95% of random answerers lie, on both axes together."""
    turns = [2 * pi * step / 72 for step in range(73)]
    economic, social = (WIDER * radii[axis] for axis in AXES)
    return {
        "x": [economic * cos(turn) for turn in turns], "y": [social * sin(turn) for turn in turns], "mode": "lines",
        "name": "inside the ring a random answerer lies", "hoverinfo": "skip",
        "line": {"color": MUTED, "width": 1.5, "dash": "dot"}, "fill": "toself", "fillcolor": "rgba(102, 112, 127, 0.08)",
    }  # fmt: skip


def _frame(figure: go.Figure, study: Study, positions: bool, reach: float) -> None:
    items = len({row["item"] for row in study.survey})
    forms = max(len(_forms(study, name)) for name in _columns(study))
    many = f"n = {items} statements in {forms} forms"
    if positions:
        lay_out(
            figure,
            "Position in the questionnaire",
            f"{many} · bars: 95% intervals<br>scale −10 to +10, ten times that of the tables",
            reach,
        )
    else:
        lay_out(
            figure,
            "Shift in the questionnaire",
            f"{many} · bars: 95% intervals<br>scale −10 to +10, ten times that of the tables<br>no positions: a model fails its checks",
            reach,
        )
        figure.update_layout(margin={"t": 88})
