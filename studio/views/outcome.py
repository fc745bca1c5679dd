"""What came of a review, as sentences, tables and a forest plot; columns stand in the protocol's order, never ranked."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from pipelines.comparing.naming import title
from pipelines.export.reviewed import NULL, RATE_HEAD, Report, pair, row
from pipelines.review.ballots import Listed, Vote
from pipelines.review.design import FEWEST
from pipelines.review.intervals import counted, percent, spread
from pipelines.review.power import MORE, power_so_far, tests_of
from pipelines.review.protocol import Protocol
from pipelines.review.results import Finding, Rate
from studio.theme import GRID, INK, MUTED
from studio.views import messages

LEGEND = (
    "Each mark is the share of decided votes for the first column. Thick line: exact 95% interval, as if votes were independent. Thin line: "
    "clustered by question and rater. Dashed: chance. Filled marks are established, hollow ones are not."
)
THICK, THIN, CHANCE = "#4f5fb0", INK, "#9a5b00"
HEADING, LINE, ROW, WIDTH, LONGEST = 34, 17, 46, 38, 20


def summary(report: Report) -> str:
    """The headline and every conclusion, null results first, as HTML."""
    parts = [messages.info(report.headline)]
    for heading, said, kind in (
        ("Not established", report.nulls, "ps-null"),
        ("Established, for these questions and raters", report.established, "ps-found"),
    ):
        if said:
            lines = "".join(_conclusion(one) for one in said)
            parts.append(f'<section class="ps-said {kind}"><h3>{heading}</h3><ul>{lines}</ul></section>')
    return "".join(parts)


def _conclusion(said: str) -> str:
    """Its first sentence; numbers, power and reasons open below it."""
    first, _, rest = _bare(said).partition(". ")
    if not rest:
        return f"<li>{escape(first)}</li>"
    return f"<li><details><summary>{escape(first)}.</summary>{escape(rest)}</details></li>"


def _bare(said: str) -> str:
    """A conclusion without the words that stand in the heading."""
    for start in (f"{NULL}: ", "Established: "):
        if said.startswith(start):
            rest = said.removeprefix(start)
            return rest[:1].upper() + rest[1:]
    return said


def progress(one: Listed, protocol: Protocol) -> str:
    """How far a review is, and nothing of what was voted."""
    design = protocol.design
    share = one.finished / design.raters
    words = f"{one.finished} of {design.raters} raters have judged all {len(protocol.items)} pairs, {one.raters} joined, {counted(one.ballots, 'ballot')}"
    if one.is_closed:
        return messages.note(f"Closed. {words}.")
    return messages.bar(share, words)


def forest(report: Report) -> go.Figure:
    """All win rates below each other with both intervals and the line of chance; labels stand above the lines, to fit on a phone."""
    figure = go.Figure()
    depth, places = 0.0, list[tuple[float, Rate, bool]]()
    for one in report.findings:
        heading = textwrap.wrap(_plain(one.asked.text), WIDTH)
        depth += HEADING + LINE * (len(heading) - 1)
        _write(figure, depth - (HEADING + LINE * (len(heading) - 1)) / 2, f"<b>{'<br>'.join(heading)}</b>", 13)
        for rate, said in zip(one.rates, one.conclusions, strict=True):
            depth += ROW
            places.append((depth - 12, rate, not said.startswith(NULL)))
            _write(figure, depth - 31, _label(rate, not said.startswith(NULL)), 12)
    drawn = [(place, rate, found) for place, rate, found in places if rate.rate is not None]
    for name, low, high, look in (
        ("exact", "low", "high", {"width": 7, "color": THICK}),
        ("clustered", "cluster_low", "cluster_high", {"width": 2, "color": THIN}),
    ):
        figure.add_scatter(**_lines(drawn, name, low, high, look))
    figure.add_scatter(**_marks(drawn))
    _lay_out(figure, depth + 14)
    return figure


def _write(figure: go.Figure, place: float, text: str, size: int) -> None:
    figure.add_annotation(x=0, xref="paper", y=place, text=text, showarrow=False, xanchor="left", align="left", font={"size": size, "color": INK}, bgcolor="white", borderpad=0)  # fmt: skip


def _label(rate: Rate, established: bool) -> str:
    names = f"{_short(rate.first)} over {_short(rate.second)}"
    if rate.rate is None:
        return f"{names}: no vote chose one"
    return f"{names}: {percent(rate.rate)} of {rate.decided}{', established' if established else ''}"


def _lines(drawn: Sequence[tuple[float, Rate, bool]], name: str, low: str, high: str, look: dict[str, Any]) -> dict[str, Any]:
    """One trace of separate lines; an interval that can't be told is not drawn."""
    known = [
        (place, start, end)
        for place, rate, _ in drawn
        if (start := getattr(rate, low)) is not None and (end := getattr(rate, high)) is not None
    ]
    return {
        "x": [x for _, start, end in known for x in (start, end, None)], "y": [y for place, *_ in known for y in (place, place, None)],
        "mode": "lines", "line": look, "name": name, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def _marks(drawn: Sequence[tuple[float, Rate, bool]]) -> dict[str, Any]:
    hover = [
        f"<b>{_plain(pair(rate))}</b><br>{percent(rate.rate or 0)} of {counted(rate.decided, 'decided vote')}<br>exact {spread(rate.exact)}<br>"
        f"clustered {spread(rate.clustered)}<br>{rate.ties} same, {rate.unsure} can't tell"
        for _, rate, _ in drawn
    ]
    return {
        "x": [rate.rate for _, rate, _ in drawn], "y": [place for place, *_ in drawn], "mode": "markers", "text": hover, "name": "share",
        "hovertemplate": "%{text}<extra></extra>", "showlegend": False,
        "marker": {
            "size": 13, "symbol": ["diamond" if found else "circle" for *_, found in drawn],
            "color": [INK if found else "white" for *_, found in drawn], "line": {"width": 2.5, "color": INK},
        },
    }  # fmt: skip


def _lay_out(figure: go.Figure, depth: float) -> None:
    figure.add_shape(type="line", x0=0.5, x1=0.5, y0=0, y1=depth, line={"dash": "dash", "width": 2, "color": CHANCE}, layer="below")
    figure.add_annotation(x=0.5, y=depth, text="chance", showarrow=False, yanchor="top", font={"size": 12, "color": CHANCE}, bgcolor="white")  # fmt: skip
    figure.update_layout(
        height=int(depth) + 90, paper_bgcolor="white", plot_bgcolor="white", font={"color": INK}, hoverlabel={"align": "left"},
        margin={"l": 18, "r": 22, "t": 10, "b": 56}, dragmode=False,
    )  # fmt: skip
    figure.update_xaxes(
        range=[0, 1], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".0%", gridcolor=GRID, zeroline=False, fixedrange=True,
        title={"text": "second column  ←  chosen  →  first column", "font": {"size": 12, "color": MUTED}},
    )  # fmt: skip
    figure.update_yaxes(range=[depth + 14, 0], visible=False, fixedrange=True)


def details(report: Report) -> str:
    """Every question asked with its win rates, agreement, strengths and the votes that are still needed, as HTML."""
    tests = tests_of(report.protocol.design)
    return "".join(_finding(one, tests, is_first=place == 0) for place, one in enumerate(report.findings))


def _finding(one: Finding, tests: int, is_first: bool) -> str:
    numbers = tuple(range(1, len(RATE_HEAD)))
    parts = [messages.table(RATE_HEAD, [row(rate) for rate in one.rates], numbers)]
    if any(rate.flagged for rate in one.rates):
        parts += [messages.note("Without pairs in which an answer names its side:"), messages.table(RATE_HEAD, [row(rate) for rate in one.unflagged], numbers)]  # fmt: skip
    sure = [one.alpha.sentence, one.consistency.sentence, one.alarms.sentence, one.strengths.sentence]
    parts.append(f"<h3>How far it can be relied on</h3><ul>{''.join(f'<li>{escape(said)}</li>' for said in sure)}</ul>")
    parts.append(_needed(one.rates, tests))
    return f'<details class="ps-asked"{" open" * is_first}><summary>{escape(one.asked.text)}</summary><div class="ps-outcome">{"".join(parts)}</div></details>'


def _needed(rates: Sequence[Rate], tests: int) -> str:
    found = [power_so_far(rate.decided, tests) for rate in rates]
    head = ["Votes still needed", "Decided", *(f"if {share:.0%}" for share in found[0].needed)]
    rows = [
        [pair(rate), str(one.decided), *(f"{count:,} ({one.still[share]:,})" for share, count in one.rule_still.items())]
        for rate, one in zip(rates, found, strict=True)
    ]
    note = (
        f"About, for 80% power with {counted(tests, 'test')}, by the true share of votes for one column; {MORE}. In brackets: by an exact test "
        "alone, the very least."
    )
    return messages.table(head, rows, tuple(range(1, len(head)))) + messages.note(note)


def people(report: Report) -> str:
    """Who took part in numbers, where they said they stand if enough did, and the limits."""
    many = report.people
    said = [f"{counted(many.raters, 'rater')} with ballots, {many.finished} judged everything; {counted(many.comments, 'comment')} (not in reports: single persons' words)."]  # fmt: skip
    if report.politics:
        said.append(f"Where they said they stand: {', '.join(f'{name} {count}' for name, count in report.politics.items())}.")
    lines = "".join(f"<li>{escape(one)}</li>" for one in (*said, *report.limits))
    named = ", ".join(f"{title(name)} ({mark})" for name, mark in report.marks.items())
    return f'<p class="ps-note">Columns: {escape(named)}</p><section class="ps-said ps-limits"><h3>Limits</h3><ul>{lines}</ul></section>'


def remarks(report: Report, votes: Sequence[Vote]) -> str:
    """All comments by question, in an order that says nothing of who wrote them; none where there are too few raters to hide among."""
    written = sorted({(vote.item_id, vote.comment) for vote in votes if vote.comment})
    if not written:
        return ""
    if report.people.raters < FEWEST:
        return messages.note(
            f"{counted(len(written), 'comment')}; they can be read from {FEWEST} raters on, so that nobody is known by them."
        )
    asked = {one.id: one.prompt for one in report.protocol.items}
    lines = "".join(f"<dt>{escape(asked[item])}</dt><dd>{escape(said)}</dd>" for item, said in written)
    note = messages.note("A and B are each writer's own letters: sides were drawn anew for every rater.")
    return (
        f'<details class="ps-remarks"><summary>Read the comments ({len(written)})</summary>{note}<dl class="ps-plan">{lines}</dl></details>'
    )


def _short(name: str) -> str:
    shown = title(name)
    return _plain(shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…")


def _plain(text: str) -> str:
    """Plotly reads some HTML: names must not bring theirs."""
    return text.replace("<", "‹").replace(">", "›")
