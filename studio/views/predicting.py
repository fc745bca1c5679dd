"""Predict, then reveal: the stance plot without its points, and then with the guesses as hollow marks beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot

import plotly.graph_objects as go

from pipelines.figures import plane
from pipelines.figures.look import ECONOMY, SOCIETY
from pipelines.figures.plane import Point
from pipelines.records import AXES
from pipelines.stance.study import BASE, Study
from studio.theme import GRID, INK, SYMBOLS, colour
from studio.views import messages
from studio.views.cards import title

REACH = (
    3.0  # ruler scores; the sides are at -1 and +1, and the plot with all points reaches so far out that guesses could not be told apart
)
BASE_NAME = "Base"


def means(study: Study) -> dict[str, Point]:
    """Where the base and each role lie: (economic, social) means of the answers on each axis; of a role with several seeds their mean."""
    found = {BASE: _mean(study, [BASE])}
    for role in study.roles:
        found[role] = _mean(study, study.columns_of(role))
    return found


def _mean(study: Study, columns: Sequence[str]) -> Point:
    """Mean over the columns of each one's mean, so that a seed counts once however many answers it has."""
    centre = []
    for axis in AXES:
        own = [[a[axis] for a in study.answers if a["column"] == name and a["axis"] == axis] for name in columns]
        values = [sum(some) / len(some) for some in own if some]
        centre.append(sum(values) / max(1, len(values)))
    return centre[0], centre[1]


def covered(study: Study, guesses: Mapping[str, Point]) -> go.Figure:
    """The plot before the reveal: only the base's mean, and the guesses so far. No measured point of a tuned column is in it."""
    figure = go.Figure()
    base = means(study)[BASE]
    figure.add_scatter(
        x=[base[0]], y=[base[1]], mode="markers", name=f"{BASE_NAME}: measured", hovertemplate="<b>Base</b>: mean of its answers<extra></extra>",
        marker={"size": 19, "color": colour(BASE), "symbol": SYMBOLS[BASE], "line": {"width": 2, "color": "white"}},
    )  # fmt: skip
    _guessed(figure, guesses)
    figure.update_layout(
        title={"text": f"{_what(study)}: your guess", "font": {"size": 16}, "x": 0.02}, height=500, paper_bgcolor="white", plot_bgcolor="white",
        font={"color": INK}, margin={"l": 50, "r": 15, "t": 45, "b": 90},
        legend={"orientation": "h", "y": -0.17, "yanchor": "top", "x": 0.5, "xanchor": "center"},
    )  # fmt: skip
    return _zoomed(figure)


def revealed(study: Study, guesses: Mapping[str, Point]) -> go.Figure:
    """The measured plot with the guesses on it, each joined to where its column landed."""
    figure, landed = plane.plot(study), means(study)
    for role, guess in guesses.items():
        figure.add_scatter(
            x=[guess[0], landed[role][0]], y=[guess[1], landed[role][1]], mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": colour(role), "width": 2, "dash": "dot"},
        )  # fmt: skip
    _guessed(figure, guesses)
    figure.update_layout(height=580, title={"text": f"{_what(study)}: guessed and measured"})
    return _zoomed(figure)


def beside(study: Study, guesses: Mapping[str, Point]) -> str:
    """Guess and measurement in a table, and how many answers lie outside the part of the plot that is shown."""
    landed = means(study)
    rows = [[title(role), _at(guess), _at(landed[role]), f"{_away(guess, landed[role]):.1f}"] for role, guess in guesses.items()]
    head = ["Column", "Guess", "Measured", "Apart"]
    return messages.table(head, rows, numbers=(1, 2, 3)) + messages.note(
        f"{_closest(guesses, landed)} Each place is economy, society; apart is the distance in units of the ruler, whose sides are at -1 and +1.{_outside(study)}"
    )


def _at(point: Point) -> str:
    return f"{point[0]:+.1f}, {point[1]:+.1f}"


def _closest(guesses: Mapping[str, Point], landed: Mapping[str, Point]) -> str:
    order = sorted(guesses, key=lambda role: _away(guesses[role], landed[role]))
    return f"Your closest guess was {title(order[0])}, your farthest {title(order[-1])}." if len(order) > 1 else ""


def _outside(study: Study) -> str:
    many = sum(any(abs(answer[axis]) > REACH for axis in AXES) for answer in study.answers)
    return f" {many} of {len(study.answers)} answers lie outside this part of the plot; the plain plot shows them all." if many else ""


def _away(one: Point, other: Point) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])


def _guessed(figure: go.Figure, guesses: Mapping[str, Point]) -> None:
    """Hollow marks in the role's colour and shape."""
    for role, (economic, social) in guesses.items():
        figure.add_scatter(
            x=[economic], y=[social], mode="markers", name=f"{title(role)}: guess",
            marker={"size": 20, "color": colour(role), "symbol": f"{SYMBOLS.get(role, 'diamond')}-open", "line": {"width": 3}},
            hovertemplate=f"<b>{title(role)}</b>: your guess<br>economic %{{x:.1f}}, social %{{y:.1f}}<extra></extra>",
        )  # fmt: skip


def _what(study: Study) -> str:
    """As the plain plot is called: the ruler may not measure stance."""
    return "Stance" if study.validity["measures_stance"] else "Topic and wording"


def _zoomed(figure: go.Figure) -> go.Figure:
    lines = {"gridcolor": GRID, "zerolinecolor": "#9aa3b0", "range": [-REACH, REACH], "fixedrange": True, "dtick": 1}
    figure.update_xaxes(title=ECONOMY, **lines)
    return figure.update_yaxes(title=SOCIETY, **lines)
