"""Answers for reading, drawn by a rule that knows no answer, so that nobody has picked them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelines import bundled
from pipelines.comparing import naming
from pipelines.paths import content_hash
from pipelines.records import AXES, Answer, Stamp
from pipelines.stance import claims
from pipelines.stance.study import BASE, PLACEBO, Study

SEED, EVERYDAY = 1, 2
RULE = (
    "Nobody picked these answers. Of each axis, and of topics in and not in the training data, it is the question whose SHA-256 of "
    f"[{SEED}, question id], as canonical JSON, is the smallest; of it the first draw; and the answers of all columns."
)
EVERYDAY_RULE = f"The {EVERYDAY} everyday prompts whose SHA-256 of [{SEED}, prompt], as canonical JSON, is the smallest, and the answers of all columns."
SPLITS = ("train", "held_out")


def drawn(study: Study) -> list[dict[str, Any]]:
    """One question for each axis and split that the study has, with the first draw of every column: {axis, topic_split, topic, id, text, answers}."""
    texts = {question.id: question.text for question in bundled.questions()}
    found = []
    for axis in AXES:
        for split in SPLITS:
            rows = [row for row in study.answers if row["axis"] == axis and row["topic_split"] == split]
            for question in smallest({row["question"] for row in rows}, 1):
                answers = [row for row in rows if row["question"] == question]
                first = min(row["sample"] for row in answers)
                found.append(
                    {
                        "axis": axis,
                        "topic_split": split,
                        "topic": answers[0].get("topic", ""),
                        "id": question,
                        "text": texts.get(question, question),
                        "answers": [_answer(study, row) for row in answers if row["sample"] == first],
                    }
                )
    return found


def drawn_everyday(study: Study) -> list[dict[str, Any]]:
    """Two everyday prompts with the answers of every column: {text, answers}."""
    return [
        {"text": prompt, "answers": [_answer(study, row) for row in study.everyday if row["prompt"] == prompt]}
        for prompt in smallest({row["prompt"] for row in study.everyday}, EVERYDAY)
    ]


def smallest(names: Iterable[str], most: int) -> list[str]:
    """The first names in the order of their hashes, which neither their spelling nor anyone's wish decides."""
    return sorted(names, key=lambda name: content_hash([SEED, name]))[:most]


def _answer(study: Study, row: dict[str, Any]) -> dict[str, Any]:
    about = {"column": row["column"], "mark": mark(study, row), "text": row["text"], "finished": row.get("finished", "")}
    return {**about, **{axis: row[axis] for axis in AXES if isinstance(row.get(axis), int | float)}}


def mark(study: Study, row: dict[str, Any]) -> str:
    """What a column is, in words that go with it everywhere: by the answer's stamp, where it has a whole one."""
    try:
        return naming.mark(Answer(row["column"], "", "", 0, "", Stamp(**row["stamp"])))
    except (KeyError, TypeError):
        role = PLACEBO if claims.role_of(study, row["column"]) == PLACEBO else ""
        return naming.UNTUNED if row["column"] == BASE else naming.CONTROLS.get(role, naming.BIASED)
