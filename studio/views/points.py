"""The answers behind the points: a table whose rows can be pressed like the points, and one answer opened beside those of all columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean
from typing import Any

from pipelines import bundled
from pipelines.comparing.neighbours import Taught
from pipelines.figures import form_plane
from pipelines.figures.look import label, looks, texts
from pipelines.figures.plane import key
from pipelines.records import AXES, Answer, Item, Stamp
from pipelines.stance import forms
from pipelines.stance.study import Study
from studio.views import cards, messages, taught

PAGE, LONGEST = 50, 200  # answers on a page; characters of a question in its cell
ALL = "all"
HINT = "Press a point of the plot, or a row of the table, to read the answer beside those of the other columns."
HINT_FORMS = (
    "Press a small point to read the prompt of its form, or a row of the table to read an answer beside those of the other columns."
)
LOG_ODDS = (
    "x: how much rather the model agrees than disagrees in this form alone, in log-odds, a statement and its opposite taken together; "
    "+ is right or traditional. Means are over all statements of an axis and are no positions."
)
RULER = "Scores of the ruler: the sides are at -1 and +1 on average; the question asks about the {axis} axis. + is right or traditional."
Rows = Sequence[dict[str, Any]]


def chosen(study: Study, column: str = ALL, axis: str = ALL) -> list[dict[str, Any]]:
    """The answers that fit the filters, by question, then sample, then in the order of the columns."""
    places = {name: place for place, name in enumerate(study.columns)}
    questions = {name: place for place, name in enumerate(dict.fromkeys(answer["question"] for answer in study.answers))}
    fitting = [a for a in study.answers if column in (ALL, a["column"]) and axis in (ALL, a["axis"])]
    return sorted(fitting, key=lambda a: (questions[a["question"]], a["sample"], places[a["column"]]))


def pages(many: int) -> int:
    """How many pages so many answers take, at least one."""
    return max(1, -(-many // PAGE))


def count(many: int, page: int) -> str:
    """Which of the answers a page shows, from 1."""
    if not many:
        return messages.note("No answer fits the filter.")
    first = (page - 1) * PAGE + 1
    return messages.note(f"Answers {first:,} to {min(many, first + PAGE - 1):,} of {many:,}.")


def table(study: Study, rows: Rows, picked: Sequence[Any] | None = None) -> str:
    """One row an answer; a press tells its question, sample and column as JSON (`data-pick`), as a point of the plot does."""
    if not rows:
        return ""
    asked, drawn = texts(study), looks(study)
    heads = ("Question", "Column", "Sample", "Economic", "Social", "Words")
    top = "".join(f'<th scope="col"{_kind(place)}>{head}</th>' for place, head in enumerate(heads))
    body = "".join(_row(study, row, asked, drawn[row["column"]].colour, key(row) == list(picked or ())) for row in rows)
    return (
        '<div class="ps-rows-box"><table class="ps-table ps-rows ps-points" aria-label="Answers; a row opens with Enter">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(study: Study, row: Mapping[str, Any], asked: Mapping[str, str], colour: str, picked: bool) -> str:
    question = asked[row["question"]]
    short = question if len(question) <= LONGEST else question[: LONGEST - 1] + "…"
    cells = (
        escape(short),
        f'<span class="ps-dot" style="--side:{colour}" aria-hidden="true"></span>{escape(label(study, row["column"]))}',
        str(row["sample"] + 1), f"{row['economic']:+.2f}", f"{row['social']:+.2f}", str(len(row["text"].split())),
    )  # fmt: skip
    inside = "".join(f"<td{_kind(place)}>{cell}</td>" for place, cell in enumerate(cells))
    pick = escape(json.dumps(key(dict(row))), quote=True)
    return f'<tr tabindex="0" data-pick="{pick}" aria-selected="{"true" if picked else "false"}">{inside}</tr>'


def _kind(place: int) -> str:
    return ' class="num"' if place > 1 else ""


def opened(study: Study, pick: Sequence[Any]) -> list[dict[str, Any]]:
    """All columns' answers to the question of a pick, in the same sample; [] where the study has no such answer."""
    question, sample, column = pick
    found = {a["column"]: a for a in study.answers if (a["question"], a["sample"]) == (question, sample)}
    return [found[name] for name in study.columns if name in found] if column in found else []


def answers(study: Study, rows: Rows) -> list[Answer]:
    """The records as answers, whose prompt is the question in words."""
    asked = texts(study)
    return [Answer(a["column"], asked[a["question"]], a["text"], a.get("tokens", 0), a["finished"], Stamp(**a["stamp"])) for a in rows]


def answer(study: Study, rows: Rows, column: str) -> str:
    """The question, all columns' answers as cards, and each one's ruler scores; `column` is the one that was pressed."""
    if not rows:
        return messages.note("This answer is not in the study that is shown now. Press another point.")
    asked, axis = texts(study)[rows[0]["question"]], rows[0]["axis"]
    said = f"Opened: {label(study, column)}, draw {rows[0]['sample'] + 1}, beside the other columns' answers to the same question."
    verdicts = {one["column"]: one for one in study.judged if (one["question"], one["sample"]) == (rows[0]["question"], rows[0]["sample"])}
    head = ["Column", *(f"{name}, asked for" if name == axis else name for name in AXES), *(["Judge"] if verdicts else [])]
    cells = [
        [
            label(study, row["column"]),
            *(f"{row[name]:+.2f}" for name in AXES),
            *([_judged(verdicts.get(row["column"]))] if verdicts else []),
        ]
        for row in rows
    ]
    return (
        f'<div role="status">{messages.note(said)}</div>{cards.cards(asked, answers(study, rows))}<div class="ps-points-scores">'
        f"{messages.table([one[:1].upper() + one[1:] for one in head], cells, numbers=(1, 2))}{messages.note(RULER.format(axis=axis))}</div>"
    )


def is_form(pick: Sequence[Any] | None) -> bool:
    """Whether what was pressed is a form's point (form_plane.key) and no answer's."""
    return bool(pick) and len(pick or ()) == 3 and pick[0] == form_plane.FORM and isinstance(pick[1], str)  # type: ignore[index]


def form(study: Study, name: str, column: str) -> str:
    """The prompt of a form with one of its statements and the opposite, and what every column made of it in this form."""
    rows = [row for row in study.survey if name in row.get("forms", {})]
    if not rows:
        return messages.note("This form is not in the study that is shown now. Press another point.")
    known = {item.id: item for item in bundled.items("proposition")}
    example = next((row["item"] for row in rows if row["item"] in known), rows[0]["item"])
    said = f"Opened: {label(study, column)}, form “{name}”, with one statement as an example; all {len({row['item'] for row in rows})} are put like it."
    cells = [[label(study, one), *_log_odds([row for row in rows if row["column"] == one], name, example)] for one in study.columns]
    table = messages.table(["Column", "x, this statement", *(f"mean x, {axis}" for axis in AXES)], cells, numbers=(1, 2, 3))
    return f'<div role="status">{messages.note(said)}</div>{_prompts(name, known.get(example))}{table}{messages.note(LOG_ODDS)}'


def _prompts(name: str, item: Item | None) -> str:
    """A form word by word, with a statement and with its opposite; without a statement where its words are not known here."""
    found = next((one for one in forms.forms_of("robust") if one.name == name), None)
    if found is None:
        return messages.note("The words of this form are not known to this version of the studio.")
    shown = [found.ask(item.text), found.ask(item.opposite)] if item else [found.ask("(a statement)")]
    return "".join(f'<pre class="ps-form" style="white-space: pre-wrap">{escape(text)}</pre>' for text in shown)


def _log_odds(rows: Rows, name: str, example: str) -> list[str]:
    """x of the example, and the mean x of each axis, of a column's rows; a dash for what was not asked."""
    own = [row["forms"][name] for row in rows if row["item"] == example]
    sides = [[row["forms"][name] for row in rows if row["axis"] == axis] for axis in AXES]
    return [f"{fmean(values):+.2f}" if values else "–" for values in (own, *sides)]


def _judged(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return "not judged"
    return f"{one['stance']:+.2f}" if one["verdict"] == "scored" else str(one["verdict"])


def nearest(study: Study, found: Sequence[Taught]) -> str:
    """The training rows nearest to every tuned column's answer."""
    places = {name: place for place, name in enumerate(study.columns)}
    return "".join(
        messages.note(f"{label(study, one.column)}: {one.problem}") if one.problem else taught.neighbors(one.column, one.rows, places[one.column])
        for one in found
    )  # fmt: skip
