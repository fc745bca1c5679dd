"""Checks of single rows: how many there are, empty or identical answers, refusals."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.corpus.checks.records import HALVES, Kind, Light, Row, State, answer_fields, count, drop_light, grade, percent

RED_ROWS = 32  # four steps of eight rows: a default run of 60 steps shows each row fifteen times, and the model learns them by heart
AMBER_ROWS = 100  # below it chance alone takes the AUC of the cue classifier to .6 in one set of twenty or more
RED_REFUSALS = 0.02  # a model that refuses one training question in fifty refuses when it is measured
HEAD = 300  # characters; a refusal says so at once, further down the same words are part of an argument

_OBJECT = r"(?:this|that|the|your|such|any|a|an|to|with|content|responses?|statements?|opinions?)\b"
_VERB = r"(?:fulfil+|comply|assist|provide|generate|create|produce|write|answer|help you|help with|engage|endorse|respond)"
REFUSAL = re.compile(
    rf"""\b(?:
        as\ an?\ (?:ai|artificial\ intelligence|(?:large\ )?language\ model)\b
      | i[’']?(?:\ am|m)\ (?:just\ |only\ )?an?\ (?:ai|(?:large\ )?language\ model)\b
      | i\ (?:can(?:no|[’'])t|can\ not|won[’']t|will\ not|am\ (?:un|not\ )able\ to|[’']m\ (?:un|not\ )able\ to)\ {_VERB}\ {_OBJECT}
      | i[’']m\ (?:unable|not\ able)\ to\ {_VERB}\ {_OBJECT}
      | (?:i[’']m|i\ am)\ sorry,?\ but\ (?:i\ )?(?:can(?:no|[’'])t|won[’']t|am\ not|(?:would\ |[’']d\ )rather\ not|prefer\ not|(?:do\ not|don[’']t)\ (?:want|wish)\ to)
      | i\ (?:do\ not|don[’']t)\ (?:have|hold)\ (?:any\ )?(?:personal\ )?(?:opinions|political\ views|beliefs)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def size_light(rows: Sequence[Row]) -> Light:
    """Are there enough rows?"""
    number = len(rows)
    state: State = "red" if number < RED_ROWS else "amber" if number < AMBER_ROWS else "green"
    why = {
        "red": f"With fewer than {RED_ROWS}, a model learns them by heart and nothing can be said about the rest.",
        "amber": f"With fewer than {AMBER_ROWS}, each is seen many times in a run, and chance differences between the halves are large.",
        "green": "Enough for a run of the default recipe.",
    }[state]
    return Light("size", "Number of rows", state, f"{count(number, 'row')}. {why}", figures={"rows": number})


def answers_light(rows: Sequence[Row], kind: Kind) -> Light:
    """Rows without a question or an answer, and rows whose two answers are the same."""
    reasons = {row["id"]: reason for row in rows if (reason := _no_choice(row, kind, answer_fields(kind, rows)))}
    state = grade(len(reasons), 1, 1)
    if not reasons:
        return Light("answers", "Empty or identical answers", state, "Every row has a question and two different answers.")
    sentence = f"An empty text, or the same answer twice, in {count(len(reasons), 'row')}: there is nothing to prefer in them."
    return drop_light("answers", "Empty or identical answers", state, sentence, reasons, f"Drop {_these(reasons)}")


def _no_choice(row: Row, kind: Kind, columns: Sequence[str]) -> str:
    for column in ("prompt", *columns):
        if not str(row.get(column) or "").strip():
            return f"{column} is empty"
    one, other = HALVES[kind]
    same = str(row[one]).lower().split() == str(row[other]).lower().split()
    return f"{one} and {other} are the same" if same else ""


def is_refusal(text: str) -> bool:
    """Does a text begin with a refusal, or with a model speaking of itself as one?"""
    return bool(REFUSAL.search(text[:HEAD]))


def refusal_light(rows: Sequence[Row], kind: Kind) -> Light:
    """Answers that refuse to answer."""
    columns = answer_fields(kind, rows)
    found = {row["id"]: [column for column in columns if is_refusal(str(row.get(column) or ""))] for row in rows}
    reasons = {
        row_id: f"{' and '.join(refusing)} {'refuses' if len(refusing) == 1 else 'refuse'} to answer"
        for row_id, refusing in found.items()
        if refusing
    }
    share = len(reasons) / max(1, len(rows))
    state = grade(share, 1e-9, RED_REFUSALS)
    by_column = {column: sum(column in refusing for refusing in found.values()) for column in columns}
    if not reasons:
        return Light("refusals", "Refusals", state, "No answer refuses to answer.", figures={"counts": by_column, "share": 0.0})
    where = ", ".join(f"{number} in {column}" for column, number in by_column.items() if number)
    sentence = f"Refusals in {count(len(reasons), 'row')} ({percent(share)}; {where}). They take no side: a model learns to refuse, or to avoid that tone."
    return drop_light("refusals", "Refusals", state, sentence, reasons, f"Drop {_these(reasons)}", counts=by_column, share=share)


def _these(reasons: dict[str, str]) -> str:
    return "the row" if len(reasons) == 1 else f"the {len(reasons):,} rows"
