"""What a series says in words and in a table that holds the same numbers as its plot."""

from __future__ import annotations

from html import escape

from pipelines.figures.series import PANELS, plot
from pipelines.records import AXES
from pipelines.stance.claims import FACTS_LIMIT, PERPLEXITY_LIMIT
from pipelines.stance.series_points import BOTH, MEASURES, Point, Series, best, rule, sentences
from pipelines.stance.study import BASE, PLACEBO
from studio.views import messages
from studio.views.cards import title

__all__ = ["choices", "plot", "reading", "source", "summary", "table"]


def choices(series: Series) -> list[tuple[str, str]]:
    """(what people read, name) of the instruments that were used."""
    return [(MEASURES[name].capitalize(), name) for name in series.instruments]


def summary(series: Series) -> str:
    """The usable range, the best trade-off and what is missing, each a sentence, and the rule in small."""
    usable, top, *others = sentences(series)
    said = (messages.good if best(series).point else messages.info)(top)
    spaced = "".join(f'<div style="margin-top: 8px">{one}</div>' for one in (messages.info(usable), *map(messages.info, others)))
    return said + spaced + f'<div style="margin: 6px 2px">{messages.note(rule(series))}</div>'


def source(series: Series, recorded: bool = False) -> str:
    """Where the numbers come from."""
    about, when = series.protocol, series.notes.get("computed", "")
    asked = [f"{about['completions']} paired completions"] if about.get("completions") else []
    asked += [f"{about['items']} statements in {len(about['forms'])} forms and both wordings"] if about.get("items") else []
    told = f"{'Recorded' if recorded else 'Measured'} {when}".strip()
    return messages.note(
        f"{told}: “{title(series.of)}” at {len(series.tuned)} {series.kind}s{', with the placebo beside' if series.placebo else ''}; "
        f"{' and '.join(asked) or 'items'}, on {about.get('base', 'the base')} ({about.get('base_fingerprint', '')}). "
        f"It took {messages.duration(series.seconds)}."
    )


def table(series: Series, instrument: str = "") -> str:
    """One row a point, the placebo's after the adapter's; unusable ones say so."""
    instrument = instrument if instrument in series.instruments else series.instruments[0]
    placebo = {point.x: point for point in series.placebo}
    head = [series.kind.capitalize(), "Column", "", "Perplexity ÷ base", "Facts lost", *(f"{PANELS[axis][0]}: shift" for axis in AXES)]
    head += ["Beyond placebo"] if placebo else []
    top = best(series).point
    rows = []
    for point in series.points:
        mark = "best" if top is not None and point.x == top.x else ""
        rows.append(_row(point, title(series.of) if point.x else title(BASE), instrument, bool(placebo), mark))
        if point.x in placebo:
            rows.append(_row(placebo[point.x], title(PLACEBO), instrument, True))
    return messages.table(head, rows, numbers=tuple(range(3, len(head))))


def _row(point: Point, name: str, instrument: str, with_net: bool, mark: str = "") -> list[str]:
    shifts, net = point.shifts[instrument], point.net.get(instrument)
    cells = [_interval(shifts[axis]) if axis in shifts else "" for axis in AXES] if point.x else ["0"] * len(AXES)
    cells += [_interval(net[BOTH]) if net else ""] if with_net else []
    said = mark if point.usable else "unusable"
    return [f"{point.x:g}", name, said, f"{point.perplexity_ratio:.2f}", str(len(point.facts_lost)), *cells]


def _interval(one: dict[str, float]) -> str:
    return f"{one['mean']:+.3f} ({one['low']:+.3f} to {one['high']:+.3f})"


def reading(series: Series, instrument: str = "") -> str:
    """How the plot and the table are to be read."""
    instrument = instrument if instrument in series.instruments else series.instruments[0]
    counts = " and ".join(f"{one['n']} {axis}" for axis, one in series.points[0].shifts[instrument].items() if axis in AXES)
    said = [
        f"Each point is the mean shift from the base over the same {counts} items; + is right or traditional, − left or progressive. "
        "In brackets and as bands: 95% intervals over items, each for one point and not adjusted for how many points there are.",
        "A shift counts only beyond the placebo's, which was tuned in the same way on neutral answers; the last column is the mean over both axes."
        if series.placebo
        else "No placebo was measured here: part of the shift may be what any tuning does.",
        f"Unusable means damaged language: everyday perplexity above {PERPLEXITY_LIMIT:.2f} times the base's, or more than {FACTS_LIMIT} plain fact lost. Only "
        "the points were measured: the shade reaches half-way to the next one.",
        "The point that looks best was chosen on these very items, which flatters it: confirm it with a study on other questions.",
    ]
    return '<ul class="ps-note" style="margin: 0; padding-left: 20px">' + "".join(f"<li>{escape(one)}</li>" for one in said) + "</ul>"
