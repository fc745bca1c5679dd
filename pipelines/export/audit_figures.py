"""The figures of an audit's page: plotly's own, drawn by plotly.js, which is written into the page once, so that it opens offline.

The page allows its two scripts by their hashes and no other, so that words which found a way past the escaping would still not run.
Figures are data beside them: a script only reads them.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

import plotly.graph_objects as go

from pipelines.export import review_html as html
from pipelines.figures import contrasts as contrast_figures
from pipelines.figures import evenness as evenness_figure
from pipelines.figures import instruments, plane, topics
from pipelines.stance import contrasts, evenness
from pipelines.stance.contrasts import item_values
from pipelines.stance.study import BASE, Study
from pipelines.stance.values import INSTRUMENTS

Figure = tuple[str, go.Figure, str]
NAMES = {"ruler": "free text", "completion": "paired completions", "survey": "questionnaire"}
CONTRASTS = "Direction, drift and net"
ABOUT_CONTRASTS = (
    "Direction is half of right minus left, so that what both adapters have in common cancels; drift is what they have in common; net is an "
    "adapter minus the placebo. Filled: 95% interval over questions or statements. Hollow: over training seeds, where there are several."
)
ABOUT_TOPICS = "A row a topic with its 95% interval; filled where the training data held it, hollow where it did not."
ABOUT_FORMS = "The same statements in other words: what differs between the rows is wording, not stance."
ABOUT_EVEN = "Questions asked from both sides: how much longer, more hedged or more often refused one side is. An interval with 0 in it proves nothing."
STYLES = "style-src 'unsafe-inline'"
NO_SCRIPT = "<noscript><p>Figures are drawn by a script; every number in them stands in the tables too.</p></noscript>"
DRAW = """
for (const data of document.querySelectorAll("script.figure-data")) {
  const figure = JSON.parse(data.textContent);
  const buttons = ["select2d", "lasso2d", "autoScale2d"];
  Plotly.newPlot(data.previousElementSibling, figure.data, figure.layout,
    {responsive: true, displaylogo: false, modeBarButtonsToRemove: buttons});
}
"""


def figures_of(study: Study) -> list[Figure]:
    """All figures of the report, in their order: title, figure, and what to read from it in plain words."""
    landed = [
        (f"Where models land: {words.lower()}", plane.plot(study, cloud), plane.note(study, cloud))
        for cloud, words in plane.clouds(study).items()
    ]
    return [*landed, *_moved(study), *_even(study)]


def _moved(study: Study) -> list[Figure]:
    """Contrasts, topics of the first of them by each instrument, and how far prompt forms agree."""
    found = contrasts.contrasts(study)
    made: list[Figure] = [(CONTRASTS, contrast_figures.plot(study, found=found), ABOUT_CONTRASTS)] if found else []
    name = next(iter(contrasts.available(study)), next((column for column in study.columns if column != BASE), ""))
    used = [one for one in INSTRUMENTS if name and item_values(study, one, name)]
    made += [(f"Which topics moved: {NAMES[one]}", topics.plot(study, name, one), ABOUT_TOPICS) for one in used]
    if "survey" in used:
        made.append(("How much is wording", instruments.forms(study, name), ABOUT_FORMS))
    return made


def _even(study: Study) -> list[Figure]:
    gaps = evenness.gaps(study)
    return [("Even-handedness", evenness_figure.plot(study, gaps), ABOUT_EVEN)] if gaps else []


def section(figures: Sequence[Figure]) -> list[str]:
    """The figures as markup, each with its words; nothing is drawn before `scripts` stand behind them."""
    return [NO_SCRIPT, *(_place(*figure) for figure in figures)] if figures else []


def _place(title: str, figure: go.Figure, words: str) -> str:
    """Figures keep their height and take the page's width; white in a dark page too, as they are made for it."""
    label = html.tag("h3", title)
    made = json.loads(figure.to_json(validate=False, engine="json"))
    made["layout"].pop("width", None)
    height = made["layout"].get("height", 450)
    data = json.dumps(made).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    place = f'<div class="figure" role="img" style="min-height:{float(height):.0f}px"></div>'
    return f'{label}{place}<script type="application/json" class="figure-data">{data}</script>{html.tag("p", words, "muted")}'


def scripts(figures: Sequence[Figure]) -> list[str]:
    """The code of the two scripts; none where there is nothing to draw."""
    from plotly.offline import get_plotlyjs

    return [get_plotlyjs(), DRAW] if figures else []


def with_scripts(page: str, code: Sequence[str]) -> str:
    """The page with these scripts at its end and no other one allowed. What stands before its policy was written by nobody but us."""
    if not code:
        return page
    hashes = " ".join(f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'" for one in code)
    allowed = page.replace(STYLES, f"{STYLES}; img-src data: blob:; script-src {hashes}", 1)
    head, end, tail = allowed.rpartition("</body>")
    return head + "".join(f"<script>{one}</script>\n" for one in code) + end + tail
