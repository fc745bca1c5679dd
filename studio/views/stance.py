"""Where answers land: a plot with arrows from base to tuned, the table of shifts, and how far the ruler can be trusted."""

from __future__ import annotations

import textwrap
from typing import Any

import plotly.graph_objects as go

from pipelines import bundled
from pipelines.stance import claims
from pipelines.stance.study import BASE, Study
from studio.theme import GRID, INK, SYMBOLS, colour
from studio.views import messages
from studio.views.cards import title

INSTRUMENTS = {"ruler": "free text (ruler)", "completion": "paired completion (nats a token)"}
ECONOMY = "left  ←  economy  →  right"
SOCIETY = "progressive  ←  society  →  traditional"


def plot(study: Study) -> go.Figure:
    """A small point for every answer (both ruler scores), a large one for each column's mean, arrows from the base."""
    figure = go.Figure()
    centres = {name: _centre(study, name) for name in study.columns}
    for order, name in enumerate(study.columns):
        figure.add_scatter(**_points(study, name, order))
    for order, name in enumerate(study.columns):
        x, y = centres[name]
        figure.add_scatter(
            x=[x], y=[y], mode="markers", name=f"{title(name)}: mean", showlegend=False,
            marker={"size": 19, "color": colour(name, order), "symbol": SYMBOLS.get(name, "diamond"), "line": {"width": 2, "color": "white"}},
            hovertemplate=f"<b>{title(name)}</b>: mean of its answers<br>economic %{{x:.2f}}, social %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
        if name != BASE:
            bx, by = centres[BASE]
            figure.add_annotation(
                x=x,
                y=y,
                ax=bx,
                ay=by,
                xref="x",
                yref="y",
                axref="x",
                ayref="y",
                arrowhead=2,
                arrowwidth=2.5,
                arrowcolor=colour(name, order),
                opacity=0.9,
            )
    _lay_out(figure, study)
    return figure


def _points(study: Study, name: str, order: int) -> dict[str, Any]:
    rows = [a for a in study.answers if a["column"] == name]
    texts = {question.id: question.text for question in bundled.questions()}
    hover = [
        f"<b>{title(name)}</b> · {_wrap(texts.get(a['question'], a['question']))}<br>{_wrap(a['text'])}<br>economic {a['economic']:.2f}, social {a['social']:.2f}"
        for a in rows
    ]
    return {
        "x": [a["economic"] for a in rows], "y": [a["social"] for a in rows], "mode": "markers", "name": title(name), "text": hover,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 7, "opacity": 0.35, "color": colour(name, order), "symbol": SYMBOLS.get(name, "diamond")},
    }  # fmt: skip


def _wrap(text: str) -> str:
    lines = textwrap.wrap(text.replace("<", "‹").replace(">", "›"), 62)[:7]
    return "<br>".join(lines) + (" …" if len(textwrap.wrap(text, 62)) > 7 else "")


def _centre(study: Study, name: str) -> tuple[float, float]:
    """Mean economic score of answers to economic questions, and mean social score of answers to social ones."""
    centre = []
    for axis in ("economic", "social"):
        values = [a[axis] for a in study.answers if a["column"] == name and a["axis"] == axis]
        centre.append(sum(values) / max(1, len(values)))
    return centre[0], centre[1]


def _lay_out(figure: go.Figure, study: Study) -> None:
    """Titles short enough for a phone, the legend below, both axes with the same reach."""
    what = "Stance" if study.validity["measures_stance"] else "Topic and wording"
    reach = 1.05 * max(1.5, *(abs(a[axis]) for a in study.answers for axis in ("economic", "social")))
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
    lines = {"gridcolor": GRID, "zerolinecolor": "#9aa3b0", "range": [-reach, reach]}
    figure.update_xaxes(title=ECONOMY, **lines)
    figure.update_yaxes(title=SOCIETY, **lines)


def shifts(study: Study) -> str:
    """The table of shifts from base with 95% intervals."""
    rows = [
        [
            title(row["column"]),
            INSTRUMENTS[row["instrument"]],
            row["axis"],
            f"{row['mean']:+.2f}",
            f"{row['low']:+.2f} to {row['high']:+.2f}",
            _p(row["p_holm"]),
            str(row["n"]),
        ]
        for row in claims.shift_table(study)
    ]
    return messages.table(["Column", "Instrument", "Axis", "Shift from base", "95% interval", "p (Holm)", "n"], rows, numbers=(3, 4, 5, 6))


def verdict(study: Study) -> str:
    """What can be claimed about left and right against the placebo, with the figures of both instruments."""
    if not {"left", "right", "placebo"} <= set(study.columns):
        return messages.note("Choose left, right and placebo together to see what can be claimed against the placebo.")
    said = messages.table(["Claim", "", "Why"], [[v.claim, v.held, v.reason] for v in claims.verdicts(study)])
    found = claims.claims(study, "all")
    rows = [
        [
            INSTRUMENTS[instrument],
            key.replace("_minus_", " − "),
            f"{one['mean']:+.2f}",
            f"{one['low']:+.2f} to {one['high']:+.2f}",
            _p(one["p_holm"]),
            str(one["n"]),
        ]
        for instrument in claims.INSTRUMENTS
        for key, one in found[instrument].items()
        if one["n"]
    ]
    return said + messages.table(["Instrument", "Difference", "Mean", "95% interval", "p (Holm)", "n"], rows, numbers=(2, 3, 4, 5))


def validity(study: Study) -> str:
    """What the ruler can and can't do, in sentences."""
    v = study.validity
    auc = ", ".join(f"{axis} {value:.2f}" for axis, value in v["auc"].items())
    text = (
        f"How far to trust the ruler: it tells left from right answers on topics it was not fitted on with AUC {auc} (0.5 is chance, 1 perfect; the gate is .75), "
        f"places neutral answers at {v['neutral']['economic']:+.2f} and {v['neutral']['social']:+.2f} (the sides are at -1 and +1), "
        f"and changes sign for {v['flip']:.0%} of statements turned into their opposite (the gate is 60%). It hardly notices a “not” ({v['negation']:.0%}). "
    )
    if v["measures_stance"]:
        return messages.good(text + "It passes the gates, so the plot is titled “Stance”.")
    return messages.info(
        text
        + "It misses a gate, so the plot shows topic and wording rather than stance: read shifts against the placebo, and the paired completions beside it."
    )


def collateral(study: Study) -> str:
    """What else changed, by column."""
    base = study.collateral[BASE]["perplexity"]
    rows = [
        [
            title(name),
            f"{c['perplexity'] / base:.2f}",
            f"{len(c['facts'])} of 12",
            f"{c['repetition']:.0%}",
            f"{c['hedging']:.0%}",
            f"{c['unfinished']:.0%}",
            f"{c['words']:.0f}",
        ]
        for name, c in study.collateral.items()
    ]
    return messages.table(
        [
            "Column",
            "Everyday perplexity ÷ base",
            "Plain facts held",
            "Repeated 4-word runs",
            "Hedging answers",
            "Cut at the cap",
            "Words an answer",
        ],
        rows,
        numbers=(1, 2, 3, 4, 5, 6),
    )


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{value:.3f}"
