"""How even-handed columns are: for words, hedges and refusals the gap between both askings of a pair, with its 95% interval."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pipelines.figures.look import GRID, INK, MUTED, SYMBOLS, ZERO, Look, colour, label, looks, plain, title
from pipelines.stance import evenness
from pipelines.stance.evenness import GAP, MEASURES, POOLED
from pipelines.stance.paired import entries
from pipelines.stance.study import Study

PANELS = {"words": "Words", "hedges": "Hedges per 100 words", "refusals": "Share refused"}
ENDS = "← more if asked from the right<br>more if asked from the left →"
LEAST = {"words": 5.0, "hedges": 1.0, "refusals": 0.1}  # half a panel's width at least, so that a small gap does not fill it
ROW, BETWEEN, TOP, BOTTOM, RIGHT = 28, 54, 78, 66, 78  # pixels: a column in a panel, between panels, and the margins
NAME_WIDTH = 16


def plot(study: Study, gaps: Sequence[Mapping[str, Any]] | None = None) -> go.Figure:
    """A panel a measure, a mark a column (or role, the mean over its training seeds): the mean gap over all pairs with its 95% interval.

    `gaps` are those of `evenness.gaps(study)`, which are computed where they aren't given. How many pairs stand behind a mark is said at
    its right; instead of a mark without two pairs, or beside one whose pairs are all alike, stands why there is no interval.
    """
    found = [row for row in (evenness.gaps(study) if gaps is None else gaps) if row["kind"] == GAP and row["axis"] == POOLED]
    names = list(dict.fromkeys(row["column"] for row in found))
    inner = len(MEASURES) * ROW * max(2, len(names)) + (len(MEASURES) - 1) * BETWEEN
    figure = make_subplots(rows=len(MEASURES), cols=1, subplot_titles=[PANELS[one] for one in MEASURES], vertical_spacing=BETWEEN / inner)
    for panel, measure in enumerate(MEASURES, 1):
        _panel(figure, study, [row for row in found if row["measure"] == measure], panel, LEAST[measure])
    figure.update_layout(height=inner + TOP + BOTTOM)
    _lay_out(figure, [_row_name(study, name) for name in names], max((row["n"] + row["left_out"] for row in found), default=0))
    return figure


def called(study: Study, name: str) -> str:
    """An entry of `paired.entries` as people read it: "Left", "Left, 5 seeds"; without HTML."""
    many = len(study.columns_of(name))
    return f"{plain(title(name))}, {many} seeds" if many > 1 else plain(label(study, name))


def _row_name(study: Study, name: str) -> str:
    """In lines short enough to stand beside a panel on a phone."""
    return "<br>".join(textwrap.wrap(called(study, name), NAME_WIDTH))


def _panel(figure: go.Figure, study: Study, rows: Sequence[Mapping[str, Any]], panel: int, least: float) -> None:
    ends = [abs(end) for row in rows if row["n"] > 1 for end in (row["low"], row["high"])]
    reach = max([least, *(1.1 * end for end in ends)])
    for row in rows:
        if row["n"] > 1:
            figure.add_scatter(**_mark(study, row), row=panel, col=1)
        _count(figure, row, _row_name(study, row["column"]), panel)
    figure.update_xaxes(range=[-reach, reach], row=panel, col=1)


def _look(study: Study, name: str) -> Look:
    columns = entries(study)[name]
    order = list(study.roles).index(name) if name in study.roles else 0
    return looks(study)[columns[0]] if len(columns) == 1 else Look(colour(name, order), SYMBOLS.get(name, "diamond"))


def _mark(study: Study, row: Mapping[str, Any]) -> dict[str, Any]:
    look, mean = _look(study, row["column"]), row["mean"]
    return {
        "x": [mean], "y": [_row_name(study, row["column"])], "mode": "markers", "name": called(study, row["column"]), "showlegend": False,
        "marker": {"size": 12, "color": look.colour, "symbol": look.symbol, "line": {"width": 1, "color": "white"}},
        "error_x": {
            "type": "data", "symmetric": False, "array": [row["high"] - mean], "arrayminus": [mean - row["low"]],
            "color": look.colour, "thickness": 2,
        },
        "hovertemplate": (
            f"<b>{called(study, row['column'])}</b>: {mean:+.2f} (95% {row['low']:+.2f} to {row['high']:+.2f})<br>"
            f"from the left {row['pro']:.2f}, from the right {row['con']:.2f}<br>n = {row['n']} pairs<extra></extra>"
        ),
    }  # fmt: skip


def _count(figure: go.Figure, row: Mapping[str, Any], name: str, panel: int) -> None:
    """How many pairs stand behind a mark, beside its panel; in place of a mark why there is none."""
    axis = "" if panel == 1 else str(panel)
    where = {"x": 1, "xref": f"x{axis} domain", "xanchor": "left", "xshift": 4}
    said = f"all {row['n']} alike" if row["alike"] and row["low"] == row["high"] else f"n = {row['n']}"
    if row["n"] < 2:
        where = {"x": 0, "xref": f"x{axis}", "xanchor": "center", "bgcolor": "white"}
        said = "cut: no lengths" if row["left_out"] and row["measure"] == "words" else "too few pairs"
    figure.add_annotation(y=name, yref=f"y{axis}", text=said, showarrow=False, font={"size": 11, "color": MUTED}, **where)


def _lay_out(figure: go.Figure, names: Sequence[str], pairs: int) -> None:
    """The first column on top; titles short enough for a phone, the ends of the axes in words."""
    figure.update_layout(
        title={"text": f"Gaps over {pairs} mirrored askings", "font": {"size": 16}, "x": 0.02, "y": 1, "yanchor": "top", "pad": {"t": 14}},
        paper_bgcolor="white",
        plot_bgcolor="white",
        font={"color": INK},
        margin={"l": 10, "r": RIGHT, "t": TOP, "b": BOTTOM},
    )
    figure.update_annotations(selector={"yref": "paper"}, font_size=13)
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=ZERO, zerolinewidth=2, nticks=6)
    figure.update_xaxes(title={"text": ENDS, "font": {"size": 12}}, row=len(MEASURES), col=1)
    figure.update_xaxes(tickformat=".0%", row=MEASURES.index("refusals") + 1, col=1)
    figure.update_yaxes(categoryorder="array", categoryarray=list(names)[::-1], range=[-0.6, len(names) - 0.4], automargin=True)
