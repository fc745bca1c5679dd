"""Selection strategies side by side: what they picked in a table, what they share, by topic, on a map and by score."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import plotly.graph_objects as go

from pipelines import bundled
from pipelines.corpus.picked import Comparison, Map, Picked
from pipelines.corpus.selection import STRATEGIES, Candidates
from pipelines.figures.look import plain
from studio.theme import COLOURS, GRID, INK, MUTED, SYMBOLS
from studio.views import messages

PHONE, TABLET = 600, 1000
GREY, DARK = "#b9c0ca", "#3b4a94"
SCORE = "left  ←  score  →  right"


class Look(NamedTuple):
    """How posts of one side are drawn: colour and shape, so that colour alone never tells."""

    name: str
    colour: str
    symbol: str


LOOKS = {
    "left": Look("picked left", COLOURS["left"], SYMBOLS["left"]),
    "right": Look("picked right", COLOURS["right"], SYMBOLS["right"]),
}


def label(strategy: str) -> str:
    """A strategy's name as people read it."""
    return STRATEGIES[strategy].label if strategy in STRATEGIES else strategy


def columns_for(width: int) -> int:
    """How many small maps fit side by side into `width` pixels."""
    return 1 if width < PHONE else 2 if width < TABLET else 3


def table(compared: Comparison) -> str:
    """A row a strategy, and all candidates below for comparison."""
    head = ["Strategy", "Posts", "|Score|", "Topics", "Words", "Spread", "Evenness", "Left / right"]
    rows = [_row(label(key), one) for key, one in compared.picks.items()]
    note = (
        "|Score|: mean strength, 0 to 10. Words: median length, and the middle half. Spread: mean cosine distance of two picked posts, higher is more "
        "varied. Evenness: entropy of the topics in bits, higher is more even."
    )
    return messages.table(head, [*rows, _row("(all posts)", compared.everything)], numbers=tuple(range(1, len(head)))) + messages.note(note)


def _row(name: str, one: Picked) -> list[str]:
    words = f"{one.words[1]:.0f} ({one.words[0]:.0f} to {one.words[2]:.0f})" if one.words else "-"
    strength = "-" if one.strength is None else f"{one.strength:.1f}"
    spread = "-" if one.distance is None else f"{one.distance:.2f}"
    return [name, f"{one.rows:,}", strength, str(one.covered), words, spread, f"{one.entropy:.2f}", f"{one.left:,} / {one.right:,}"]


def overlaps(compared: Comparison) -> str:
    """How many posts each two strategies share, with the Jaccard index in percent; columns are numbered, to fit a phone."""
    names = list(compared.picks)
    rows = [[f"{n} {label(a)}", *(_cell(compared, a, b) for b in names)] for n, a in enumerate(names, 1)]
    note = "Posts that both picked, and in brackets that number as a share of all that either picked (Jaccard index)."
    return messages.table(
        ["Both picked", *(str(n) for n in range(1, len(names) + 1))], rows, numbers=tuple(range(1, len(names) + 1))
    ) + messages.note(note)


def _cell(compared: Comparison, a: str, b: str) -> str:
    one = compared.overlap[a, b]
    return f"{one.shared:,}" if a == b else f"{one.shared:,} ({one.jaccard:.0%})"


def topics(compared: Comparison) -> go.Figure:
    """How each pick is spread over topics: the share of a strategy's posts, with the number in the hover text."""
    names = [topic for topic in compared.everything.topics if any(topic in one.topics for one in compared.picks.values())]
    share = [[one.topics.get(topic, 0) / max(1, one.rows) for one in compared.picks.values()] for topic in names]
    counts = [[one.topics.get(topic, 0) for one in compared.picks.values()] for topic in names]
    figure = go.Figure()
    figure.add_heatmap(
        z=share, x=[_folded(label(key)) for key in compared.picks], y=[plain(topic_name(topic)) for topic in names], text=counts, texttemplate="%{text}",
        colorscale=[[0, "white"], [1, DARK]], zmin=0, showscale=False, xgap=1, ygap=1,
        hovertemplate="%{y}<br>%{x}: %{text} posts, %{z:.0%} of the pick<extra></extra>",
    )  # fmt: skip
    _dress(figure, "Posts a topic", 110 + 22 * len(names))
    figure.update_xaxes(side="top", tickfont={"size": 10}, showgrid=False, fixedrange=True)
    figure.update_yaxes(autorange="reversed", automargin=True, tickfont={"size": 11}, showgrid=False, fixedrange=True)
    return figure.update_layout(margin={"t": 90, "b": 10})


def topic_name(topic: str) -> str:
    """A topic's name; posts that are near none are off topic."""
    known = bundled.topics()
    return known[topic].name if topic in known else topic or "off topic"


def maps(candidates: Candidates, picks: Mapping[str, Sequence[int]], drawn: Map, texts: Mapping[str, str], width: int = 1200) -> go.Figure:
    """A small map a strategy: picked posts in colour and shape of their side, all others grey. One strategy makes one large map.

    `texts` holds posts by id, for the hover text. Panels stand below each other where `width` (pixels) is that of a phone.
    """
    from plotly.subplots import make_subplots

    columns = min(columns_for(width), max(1, len(picks)))
    rows = -(-max(1, len(picks)) // columns)
    heights = 330 if len(picks) > 1 else 430
    titles = [f"{label(key)} ({len(some):,})" for key, some in picks.items()]
    gaps = {"horizontal_spacing": 0.02, "vertical_spacing": min(0.1, 32 / (rows * heights))}
    figure = make_subplots(rows=rows, cols=columns, subplot_titles=titles, **gaps)
    for number, picked in enumerate(picks.values()):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        for trace in _panel(candidates, set(picked), drawn, texts, first=not number, alone=len(picks) == 1):
            figure.add_scatter(**trace, **place)
    _dress(figure, "Near means alike in words and topic", 90 + rows * heights)
    frame = {"showticklabels": False, "showgrid": False, "zeroline": False, "mirror": True, "showline": True, "linecolor": GRID}
    return figure.update_xaxes(**frame).update_yaxes(**frame).update_annotations(font_size=13)


def _panel(
    candidates: Candidates, picked: set[int], drawn: Map, texts: Mapping[str, str], first: bool, alone: bool
) -> list[dict[str, Any]]:
    """The traces of one map: grey posts below, then the picked ones of each side. Grey ones have hover text where there is room."""
    places = {position: n for n, position in enumerate(drawn.positions)}
    grey = [n for n in places if n not in picked]
    sides = {name: [n for n in places if n in picked and (candidates.scores[n] < 0) == (name == "left")] for name in LOOKS}
    at = lambda some: {"x": [drawn.x[places[n]] for n in some], "y": [drawn.y[places[n]] for n in some]}  # noqa: E731
    hover = (
        {"text": [describe(candidates, n, texts) for n in grey], "hovertemplate": "%{text}<extra></extra>"}
        if alone
        else {"hoverinfo": "skip"}
    )
    traces = [{**at(grey), **_marks(Look("not picked", GREY, "circle"), 5 if alone else 4, first), **hover, "opacity": 0.8}]
    for name, some in sides.items():
        words = {"text": [describe(candidates, n, texts) for n in some], "hovertemplate": "%{text}<extra></extra>"}
        traces.append({**at(some), **_marks(LOOKS[name], 10 if alone else 8, first), **words})
    return traces


def _marks(look: Look, size: int, first: bool) -> dict[str, Any]:
    return {
        "mode": "markers", "name": look.name, "legendgroup": look.name, "showlegend": first,
        "marker": {"size": size, "color": look.colour, "symbol": look.symbol, "line": {"width": 0.5, "color": "white"}},
    }  # fmt: skip


def strip(candidates: Candidates, picked: Sequence[int], positions: Sequence[int], texts: Mapping[str, str], strategy: str) -> go.Figure:
    """Score by topic for one strategy: a line a topic, picked posts in colour, others grey. Posts without a stance have no place here."""
    shown = [n for n in positions if candidates.scores[n] == candidates.scores[n]]
    names = sorted({candidates.topics[n] for n in shown}, key=lambda topic: topic_name(str(topic)), reverse=True)
    line = {name: n for n, name in enumerate(names)}
    chosen = set(picked)
    groups = [
        (Look("not picked", GREY, "circle"), 5, [n for n in shown if n not in chosen]),
        *((LOOKS[s], 9, [n for n in shown if n in chosen and (candidates.scores[n] < 0) == (s == "left")]) for s in LOOKS),
    ]
    figure = go.Figure()
    for look, size, some in groups:
        figure.add_scatter(
            x=[float(candidates.scores[n]) for n in some], y=[line[candidates.topics[n]] + (n * 7 % 11 - 5) / 16 for n in some], **_marks(look, size, True),
            opacity=0.8 if look.colour == GREY else 1, text=[describe(candidates, n, texts) for n in some], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    _dress(figure, f"{label(strategy)}: score by topic, {len(shown):,} posts", 130 + 24 * max(4, len(names)))
    figure.update_xaxes(title=SCORE, range=[-10.6, 10.6], gridcolor=GRID, zerolinecolor="#9aa3b0", dtick=5)
    ticks = {"tickvals": list(range(len(names))), "ticktext": [plain(topic_name(str(name))) for name in names]}
    return figure.update_yaxes(**ticks, tickfont={"size": 11}, automargin=True, gridcolor=GRID, zeroline=False)


def describe(candidates: Candidates, position: int, texts: Mapping[str, str]) -> str:
    """A post's score, topic and wrapped text, for hover text. Plotly reads a few tags there, so the text is escaped."""
    score = float(candidates.scores[position])
    text = texts.get(candidates.ids[position], "")
    lines = textwrap.wrap(text, 46)
    words = "<br>".join(map(escape, lines[:8])) + (" …" if len(lines) > 8 else "")
    stance = "no stance" if score != score else f"score {score:+.1f}"
    return f"<b>{stance} · {escape(topic_name(str(candidates.topics[position])))}</b><br>{words}"


def _folded(text: str) -> str:
    return "<br>".join(textwrap.wrap(text, 9, break_long_words=False))


def _dress(figure: go.Figure, title: str, height: int) -> None:
    """White paper, a title that fits a phone, the legend below."""
    figure.update_layout(
        title={"text": title, "font": {"size": 15}, "x": 0.02, "y": 1, "yanchor": "top", "pad": {"t": 12}}, height=height, paper_bgcolor="white", plot_bgcolor="white",
        font={"color": INK}, margin={"l": 10, "r": 10, "t": 66, "b": 40}, hoverlabel={"align": "left"},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0.5, "xanchor": "center", "font": {"color": MUTED, "size": 11}},
    )  # fmt: skip
