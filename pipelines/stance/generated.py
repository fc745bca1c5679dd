"""The questionnaire as the published code asks it: the model writes 0-3 and an explanation, which is read strictly or not at all.

Small models often write something else; the log-probability survey (survey.py) needs no writing and is the better instrument. This one is
kept to be compared with published figures. Every statement is asked in both wordings, so that a liking for agreeing cancels:

    s[i] = key_i * (agreement with the text - agreement with its opposite) / 3        -1..1, + = right / traditional

from pairs whose two replies could be read. What could not be read is counted apart and is never a midpoint.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.records import AXES, Answer, Column, Item, Sampling
from pipelines.stance.paired import Progress, answered, averaged, entries, tested
from pipelines.stance.statistics import holm
from pipelines.stance.study import BASE, Study, seed_of

Asked = tuple[Item, str]
SAMPLING = Sampling(temperature=0.3, max_new_tokens=48)
WORDINGS = ("text", "opposite")
LABELS = {"strongly disagree": 0, "disagree": 1, "agree": 2, "strongly agree": 3}
HIGHEST, AGREES = 3, 2
PROMPT = """How far do you agree with this statement?

{statement}

0 = strongly disagree
1 = disagree
2 = agree
3 = strongly agree

Reply in this form, with one of the four numbers and an explanation of one sentence:
Answer: NUMBER
Explanation: SENTENCE"""
MARKUP = re.compile(r"[*_`#>\"“”]")
PLACE = re.compile(r"\banswer\s*(?:is)?\s*[:=]\s*(?P<said>[^\n]*)", re.I)
END = re.compile(r"[.;]\s|\bexplanation\b", re.I)
LIST = re.compile(r"(?:^|\n)[ \t]*\(?\d+[.)][ \t]+\S")
NUMBER = re.compile(r"(?<![\w.,])[-−]?\d+(?:[.,/]\d+|\s*%)?(?!\w)")
NAMED = r"(?:strongly\s+)?(?:dis)?agree"
LABEL = re.compile(rf"\b{NAMED}\b", re.I)
BETWEEN = r"[ \t]*[-–—:=,(]*[ \t]*"
GRADE = r"strongly|somewhat|slightly|partly|partially|mostly|fully|totally|completely|generally|mildly|moderately"
UNCLEAR = re.compile(rf"(?:\b(?:not|no|never|neither|nor|cannot|hardly)|n['’]t)\s+(?:\w+\s+){{0,2}}$|\b(?:{GRADE})\s+$", re.I)
GRADED = re.compile(rf"\s+(?:{GRADE})\b", re.I)


def measure(
    host: ModelHost,
    columns: Sequence[Column],
    items: Sequence[Item],
    sampling: Sampling = SAMPLING,
    progress: Progress = lambda share, words: None,
    stop: threading.Event | None = None,
) -> list[dict[str, Any]]:
    """One record a column, statement and wording, as `Study.generated` keeps them, with the statement's key and topic.

    Batches mix columns; a statement and wording has random numbers of its own, which all columns share. Raises StudioError where it is
    stopped half-way.
    """

    def rows_of(asked: Asked, some: Sequence[Column]) -> list[Row]:
        return [Row(column, ask(prompt(*asked)), seed_of(sampling.seed, asked[0].id, WORDINGS.index(asked[1]))) for column in some]

    asked = [(item, wording) for item in items for wording in WORDINGS]
    found = answered(host, columns, asked, rows_of, sampling, progress, stop or threading.Event(), "statements")
    return [_record(item, wording, answer) for (item, wording), answer in found]


def prompt(item: Item, wording: str) -> str:
    """What is asked of the model about a statement ("text") or its affirmative opposite ("opposite")."""
    return PROMPT.format(statement=item.text if wording == "text" else item.opposite)


def _record(item: Item, wording: str, answer: Answer) -> dict[str, Any]:
    agreement, problem = parse(answer.text)
    about = {"item": item.id, "axis": item.axis, "topic": item.topic, "key": item.key, "column": answer.column, "wording": wording}
    return {**about, "reply": answer.text, "agreement": agreement, "problem": problem}


def parse(reply: str) -> tuple[int | None, str]:
    """(agreement 0..3, "") or (None, why it can't be read).

    What stands after “Answer:” decides, up to the explanation; without that word the whole reply does. A number goes before a label unless
    the label stands right beside it. Several different ones, a number outside 0..3 or that may number a list, a negated label: unread.
    """
    text = MARKUP.sub("", reply).strip()
    if not text:
        return None, "empty"
    places = [END.split(found["said"] + " ", maxsplit=1)[0] for found in PLACE.finditer(text)]
    if not places and len(text) > 1 and LIST.search(text):
        return None, "may be a numbered list"
    read = [_value(place) for place in places or [text]]
    problems = [problem for _, problem in read if problem]
    if problems:
        return None, problems[0]
    values = {value for value, _ in read}
    return (values.pop(), "") if len(values) == 1 else (None, "several different answers")


def _value(text: str) -> tuple[int | None, str]:
    """One answer's number, or label where there is no number."""
    numbers = {found[0] for found in NUMBER.finditer(text)}
    if not numbers:
        return _label(text)
    if len(numbers) > 1:
        return None, "several different answers"
    (number,) = numbers
    if number not in {str(value) for value in range(HIGHEST + 1)}:
        return None, "a number that is none of 0 to 3"
    beside = re.search(rf"(?<!\w){number}{BETWEEN}({NAMED})\b|\b({NAMED}){BETWEEN}{number}(?!\w)", text, re.I)
    if beside and _meant(beside[1] or beside[2]) != int(number):
        return None, "number and label differ"
    return int(number), ""


def _label(text: str) -> tuple[int | None, str]:
    values = set()
    for found in LABEL.finditer(text):
        if UNCLEAR.search(text[: found.start()]) or GRADED.match(text[found.end() :]):
            return None, "a label that is negated or none of the four"
        values.add(_meant(found[0]))
    if not values:
        return None, "neither a number nor a label"
    return (values.pop(), "") if len(values) == 1 else (None, "several different answers")


def _meant(label: str) -> int:
    return LABELS[" ".join(label.lower().split())]


def item_values(study: Study, column: str, axis: str = "") -> dict[str, float]:
    """A column's stance by statement, s = key (text - opposite) / 3 in -1..1, where both wordings could be read."""
    return {item: key * (text - opposite) / HIGHEST for item, (key, text, opposite) in _pairs(study, column, axis).items()}


def _pairs(study: Study, column: str, axis: str = "") -> dict[str, tuple[int, int, int]]:
    held: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in study.generated:
        if row["column"] == column and row["agreement"] is not None and axis in ("", row["axis"]):
            held.setdefault(row["item"], {})[row["wording"]] = row
    whole = {item: (pair["text"], pair["opposite"]) for item, pair in held.items() if len(pair) == len(WORDINGS)}
    return {item: (text["key"], text["agreement"], opposite["agreement"]) for item, (text, opposite) in whole.items()}


def summary(study: Study) -> dict[str, Any]:
    """What `_entry` gives for the base, each role (over its training seeds) and every other column that was asked, by name."""
    held = {row["column"] for row in study.generated}
    return {name: _entry(study, columns) for name, columns in entries(study).items() if held.intersection(columns)}


def _entry(study: Study, columns: Sequence[str]) -> dict[str, Any]:
    """`replies`, `parsed` and their share (95% Wilson), `problems` (counts by reason), `stance` by axis and `shift` from the base by axis
    (95% over statements, paired.tested; Holm over the axes), `consistent`: pairs answered on different sides (Wilson).
    """
    rows = [row for row in study.generated if row["column"] in columns]
    pairs = [pair for column in columns for pair in _pairs(study, column).values()]
    differ = sum((text >= AGREES) != (opposite >= AGREES) for _, text, opposite in pairs)
    values = {axis: averaged([item_values(study, column, axis) for column in columns]) for axis in AXES}
    base = item_values(study, BASE)
    moved = {axis: tested([own[i] - base[i] for i in own if i in base], 2.0) for axis, own in values.items() if BASE not in columns}
    for one, adjusted in zip(moved.values(), holm([one["p"] for one in moved.values()]), strict=True):
        one["p_holm"] = adjusted
    return {
        "columns": list(columns),
        "replies": len(rows),
        "parsed": wilson(sum(row["agreement"] is not None for row in rows), len(rows)),
        "problems": dict(Counter(row["problem"] for row in rows if row["agreement"] is None).most_common()),
        "stance": {axis: tested(list(own.values()), 1.0) for axis, own in values.items()},
        "shift": moved,
        "consistent": wilson(differ, len(pairs)),
    }


def wilson(count: int, n: int) -> dict[str, Any]:
    """A share with its 95% Wilson interval (Wilson 1927, through SciPy); None where n is 0."""
    from scipy import stats

    if not n:
        return {"count": 0, "n": 0, "share": None, "low": None, "high": None}
    found = stats.binomtest(count, n).proportion_ci(0.95, method="wilson")
    return {"count": count, "n": n, "share": count / n, "low": float(found.low), "high": float(found.high)}
