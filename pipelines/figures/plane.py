"""Where models land: a cloud of answers or of prompt forms, a mark for each mean with its interval, arrows from the base.

A role keeps its colour and symbol in every training seed; the placebo is drawn like any other column.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from pipelines.errors import StudioError
from pipelines.figures import form_plane
from pipelines.figures.look import SYMBOLS, Look, colour, label, looks, plain, texts, title
from pipelines.figures.marks import ALONE, LARGE, SMALL, Point, arrow, lay_out, mark, place, wrapped
from pipelines.records import AXES
from pipelines.stance import claims
from pipelines.stance.study import BASE, Study

__all__ = ["CLOUDS", "Point", "clouds", "key", "note", "plot"]
ANSWERS, FORMS = "answers", "forms"
CLOUDS = {ANSWERS: "Answers", FORMS: "Prompt forms of the questionnaire"}
MEAN = "mean of its answers"
NAMED = 2  # void columns in a line that a phone can show; more are counted


def clouds(study: Study) -> dict[str, str]:
    """The clouds that a study can show, with their names."""
    return {name: text for name, text in CLOUDS.items() if name == ANSWERS or form_plane.surveyed(study)}


def plot(study: Study, cloud: str = ANSWERS) -> go.Figure:
    """The plane with one of two clouds: "answers" (a small point for every answer, by the ruler) or "forms" (one for every model and form
    of the questionnaire).

    Large marks are means with 95% intervals over questions (or statements); where a role has several seeds, they and the arrow are the
    mean of its seeds, whose own marks are smaller. Raises StudioError for forms where the study has no questionnaire.
    """
    if cloud == FORMS:
        if not form_plane.surveyed(study):
            raise StudioError("This study has no questionnaire.", "Measure again with the questionnaire, or look at the answers.")
        return _voided(form_plane.plot(study), study)
    return _voided(_answers(study), study)


def note(study: Study, cloud: str = ANSWERS) -> str:
    """What has to be said beside the plot, as sentences without markup."""
    if cloud == FORMS:
        return form_plane.note(study) + _void_note(study)
    said = (
        "Every small point is one answer, at its two ruler scores. Large marks are means: on each axis of the answers to the questions about "
        "it, with 95% intervals over questions as bars. Whether an arrow is more than chance, the shifts say, not the bars."
    )
    return said + _void_note(study)


def _void_note(study: Study) -> str:
    names = [label(study, name) for name in claims.damaged(study)]
    return (
        f" Void, since the language is damaged: {', '.join(names)}. Where {'it lands' if len(names) == 1 else 'they land'} is no stance."
        if names
        else ""
    )


def _voided(figure: go.Figure, study: Study) -> go.Figure:
    """The figure with a line below its title that names the columns whose language is damaged."""
    names = [plain(label(study, name)) for name in claims.damaged(study)]
    if names:
        who = ", ".join(names) if len(names) <= NAMED else f"{len(names)} columns"
        above = figure.layout.title.subtitle.text
        figure.update_layout(title_subtitle_text=f"{above}<br>void, language damaged: {who}", margin_t=figure.layout.margin.t + 18)
    return figure


def key(answer: dict[str, Any]) -> list[Any]:
    """What a point tells when it is pressed: question, sample and column of its answer."""
    return [answer["question"], answer["sample"], answer["column"]]


def _answers(study: Study) -> go.Figure:
    figure, axes = go.Figure(), claims.axis_of(study)
    drawn = looks(study)
    centres = {name: place(claims.question_means(study, name), axes) for name in study.columns}
    for name in study.columns:
        figure.add_scatter(**_points(study, name, drawn[name]))
    for name in study.columns:
        many = len(study.columns_of(claims.role_of(study, name))) > 1
        figure.add_scatter(**mark(label(study, name), centres[name], drawn[name], SMALL if many else ALONE, MEAN, bars=not many))
        if name != BASE and not many:
            arrow(figure, centres[BASE].point, centres[name].point, drawn[name].colour)
    for order, (role, columns) in enumerate(study.roles.items()):
        if len(columns) > 1:
            look = Look(colour(role, order), SYMBOLS.get(role, "diamond"))
            middle = place(claims.role_values(study, "ruler", role), axes)
            figure.add_scatter(**mark(f"{title(role)}, {len(columns)} seeds", middle, look, LARGE, MEAN))
            arrow(figure, centres[BASE].point, middle.point, look.colour)
    what = "Stance" if study.validity["measures_stance"] else "Topic and wording"
    reach = 1.05 * max(1.5, *(abs(answer[axis]) for answer in study.answers for axis in AXES))
    said = f"n = {centres[BASE].n} questions · bars: 95% intervals over questions"
    lay_out(figure, f"{what} of {len(study.answers)} answers", said, reach)
    return figure


def _points(study: Study, name: str, look: Look) -> dict[str, Any]:
    """The answers of a column; of a role with several seeds the first one stands in the legend for all."""
    rows = [answer for answer in study.answers if answer["column"] == name]
    asked = texts(study)
    hover = [
        f"<b>{plain(label(study, name))}</b> · {wrapped(asked[a['question']])}<br>{wrapped(a['text'])}<br>economic {a['economic']:.2f}, social {a['social']:.2f}"
        for a in rows
    ]
    role = claims.role_of(study, name)
    seeds = study.columns_of(role) if role else [name]
    many = len(seeds) > 1
    return {
        "x": [a["economic"] for a in rows], "y": [a["social"] for a in rows], "mode": "markers", "text": hover,
        "customdata": [key(a) for a in rows], "name": f"{plain(title(role))}, {len(seeds)} seeds" if many else plain(label(study, name)),
        "legendgroup": role or name, "showlegend": name == seeds[0],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 7, "opacity": 0.25 if many else 0.35, "color": look.colour, "symbol": look.symbol},
    }  # fmt: skip
