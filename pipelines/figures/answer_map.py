"""A map of wording: answers by their sentence embeddings, brought down to a plane by PCA. Near means worded alike; it is no stance."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from pipelines.figures.look import GRID, INK, ZERO, label, looks, plain, texts
from pipelines.figures.marks import wrapped
from pipelines.figures.plane import key
from pipelines.stance.study import Study

if TYPE_CHECKING:
    import numpy as np

MOST, SEED = 600, 20240412


def plot(study: Study, vectors: np.ndarray, taken: Sequence[int] | None = None) -> go.Figure:
    """A point an answer, in its column's colour and symbol.

    `taken` are the numbers of the answers to draw, such as `sample` gives, by default all; `vectors` are theirs, shape (taken,
    dimensions). The plane's directions are those in which these vectors differ most (Hotelling 1933, through scikit-learn).
    """
    shown = [study.answers[number] for number in (range(len(study.answers)) if taken is None else taken)]
    (places, shares), drawn, asked = projected(vectors), looks(study), texts(study)
    figure = go.Figure()
    for name in study.columns:
        rows = [number for number, answer in enumerate(shown) if answer["column"] == name]
        hover = [_hover(label(study, name), shown[number], asked) for number in rows]
        figure.add_scatter(
            x=places[rows, 0].tolist(), y=places[rows, 1].tolist(), mode="markers", name=plain(label(study, name)), text=hover,
            customdata=[key(shown[number]) for number in rows], hovertemplate="%{text}<extra></extra>",
            marker={"size": 8, "opacity": 0.6, "color": drawn[name].colour, "symbol": drawn[name].symbol},
        )  # fmt: skip
    _lay_out(figure, shares, len(shown), len(study.answers), float(abs(places).max()) if len(places) else 1.0)
    return figure


def projected(vectors: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Two PCA coordinates of each vector, shape (vectors, 2), and the shares of the variance that they explain.

    The sign of a direction is set so that its largest loading is positive: the same vectors always give the same map. With fewer than
    three vectors, or all alike, every point lies at zero and nothing is explained.
    """
    import numpy as np
    from sklearn.decomposition import PCA

    if len(vectors) < 3 or np.ptp(vectors, axis=0).max() < 1e-9:
        return np.zeros((len(vectors), 2)), (0.0, 0.0)
    fitted = PCA(n_components=2, svd_solver="full").fit(np.asarray(vectors, dtype=np.float64))
    places = fitted.transform(np.asarray(vectors, dtype=np.float64))
    strongest = np.abs(fitted.components_).argmax(axis=1)
    places *= np.sign(fitted.components_[[0, 1], strongest])
    first, second = map(float, fitted.explained_variance_ratio_)
    return places, (first, second)


def sample(study: Study, most: int = MOST, seed: int = SEED) -> list[int]:
    """Numbers of at most `most` answers, in their order: all, or as many of each column, drawn with a fixed seed.

    A column with fewer answers than its part gives all of them, and the others share what is left.
    """
    if len(study.answers) <= most:
        return list(range(len(study.answers)))
    waiting: dict[str, list[int]] = {name: [] for name in study.columns}
    for number, answer in enumerate(study.answers):
        waiting[answer["column"]].append(number)
    chance, taken, room = random.Random(seed), [], most
    for left, numbers in zip(range(len(waiting), 0, -1), sorted(waiting.values(), key=len), strict=True):
        part = min(len(numbers), room // left)
        taken += chance.sample(numbers, part)
        room -= part
    return sorted(taken)


def _hover(column: str, answer: dict[str, Any], asked: dict[str, str]) -> str:
    return f"<b>{plain(column)}</b> · {wrapped(asked[answer['question']])}<br>{wrapped(answer['text'])}"


def _lay_out(figure: go.Figure, shares: Sequence[float], drawn: int, many: int, reach: float) -> None:
    """The title says what it is; axes have no ends in words, since the directions of PCA have no meaning that is known beforehand."""
    shown = f"{drawn:,} of {many:,} answers" if drawn < many else f"{many:,} answers"
    figure.update_layout(
        title={
            "text": "Map of wording, not a stance",
            "subtitle": {"text": f"{shown} · PCA of sentence embeddings<br>explains {sum(shares):.0%} of the variance"},
            "font": {"size": 16}, "x": 0.02, "y": 0.97, "yanchor": "top",
        },
        height=560, paper_bgcolor="white", plot_bgcolor="white", font={"color": INK}, margin={"l": 50, "r": 15, "t": 85, "b": 90},
        legend={"orientation": "h", "y": -0.14, "yanchor": "top", "x": 0.5, "xanchor": "center"}, hoverlabel={"align": "left"},
    )  # fmt: skip
    lines = {"gridcolor": GRID, "zerolinecolor": ZERO, "range": [-1.08 * reach, 1.08 * reach]}
    for update, name, share in ((figure.update_xaxes, "first", shares[0]), (figure.update_yaxes, "second", shares[1])):
        update(title=f"{name} component ({share:.0%})", **lines)
