"""What every instrument measured: one value an item, the draws or forms behind it, and where the item belongs.

The unit of an item: ruler scores on the question's own axis (the sides of the training answers at -1 and +1), nats a token for paired
completions, s in -1..1 for the questionnaire. Everywhere + is right or traditional.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import tanh
from statistics import fmean
from typing import Any

from pipelines import bundled
from pipelines.stance.study import Study

INSTRUMENTS = ("ruler", "completion", "survey")
REPEATS = {"ruler": "draws", "completion": "items", "survey": "forms"}
Values = dict[str, float]
Repeated = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Place:
    """Where an item belongs. `split`: whether its topic was trained on ("train", "held_out"), "" where that is not known."""

    axis: str
    topic: str
    split: str


def places(study: Study, instrument: str) -> dict[str, Place]:
    """Every item of an instrument by id."""
    if instrument == "ruler":
        return {row["question"]: Place(row["axis"], row["topic"], row["topic_split"]) for row in study.answers}
    if instrument == "survey":
        return {row["item"]: Place(row["axis"], row["topic"], row["topic_split"]) for row in study.survey}
    return {row["completion"]: Place(row["axis"], row["topic"], _split(row["topic"])) for row in study.completions}


def _split(topic: str) -> str:
    known = bundled.topics().get(topic)
    return known.split if known else ""


def axis_of(study: Study) -> dict[str, str]:
    """The axis of every question, completion and statement by id."""
    return {item: place.axis for instrument in INSTRUMENTS for item, place in places(study, instrument).items()}


def question_means(study: Study, column: str, half: str = "all") -> Values:
    """A column's mean ruler score by question, on the question's own axis, averaged over samples."""
    return {question: fmean(draws.values()) for question, draws in _draws(study, column, half).items()}


def completion_values(study: Study, column: str) -> Values:
    """A column's paired-completion score by completion."""
    return {row["completion"]: row["value"] for row in study.completions if row["column"] == column}


def survey_values(study: Study, column: str) -> Values:
    """A column's answer to each statement of the questionnaire, s = tanh(x/2) in -1..1, by item."""
    return {row["item"]: row["s"] for row in study.survey if row["column"] == column}


def column_values(study: Study, instrument: str, column: str, half: str = "all") -> Values:
    """A column's value by item; `half` chooses questions and does not touch the other instruments."""
    if instrument == "ruler":
        return question_means(study, column, half)
    return survey_values(study, column) if instrument == "survey" else completion_values(study, column)


def role_values(study: Study, instrument: str, role: str, half: str = "all") -> Values:
    """A role's value by item: the mean over its training seeds, where all of them have one; {} for no such role."""
    return _mean([column_values(study, instrument, column, half) for column in study.columns_of(role)])


def role_repeats(study: Study, instrument: str, role: str, half: str = "all") -> Repeated:
    """The same by item and repeat: by draw for the ruler, by form (tanh(x/2) of that form alone) for the survey, one for completions."""
    seeds = [_repeats(study, instrument, column, half) for column in study.columns_of(role)]
    shared = [item for item in (seeds[0] if seeds else {}) if all(item in one for one in seeds)]
    return {item: _mean([one[item] for one in seeds]) for item in shared}


def form_odds(study: Study, column: str) -> Repeated:
    """A column's x in log-odds by item and form."""
    return {row["item"]: dict(row["forms"]) for row in study.survey if row["column"] == column}


def role_of(study: Study, column: str) -> str:
    """The role of a column, "" where it has none."""
    return next((role for role, columns in study.roles.items() if column in columns), "")


def _mean(tables: list[dict[str, float]]) -> dict[str, float]:
    """The mean of several tables over what all of them have."""
    first: Mapping[str, float] = tables[0] if tables else {}
    return {item: fmean(one[item] for one in tables) for item in first if all(item in one for one in tables)}


def _repeats(study: Study, instrument: str, column: str, half: str) -> Repeated:
    if instrument == "ruler":
        return _draws(study, column, half)
    if instrument == "survey":
        return {item: {form: tanh(x / 2) for form, x in forms.items()} for item, forms in form_odds(study, column).items()}
    return {item: {"": value} for item, value in completion_values(study, column).items()}


def _draws(study: Study, column: str, half: str) -> Repeated:
    found: Repeated = {}
    for answer in study.answers:
        if answer["column"] == column and half in ("all", answer["half"]):
            found.setdefault(answer["question"], {})[str(answer["sample"])] = answer[answer["axis"]]
    return found


def asked(study: Study, instrument: str) -> dict[str, Any]:
    """How often each item was put to a column: {"draws": 3} or {"forms": 8}; a form's two wordings count as two."""
    if instrument == "ruler":
        return {"draws": len({row["sample"] for row in study.answers})}
    if instrument == "survey":
        return {"forms": 2 * max((len(row["forms"]) for row in study.survey), default=0)}
    return {}
