"""Two columns side by side in the JSON format of LLM Comparator (PAIR-code/llm-comparator), whose viewer opens the file.

Field names and types are those of its `python/src/llm_comparator/types.py` and `client/lib/types.ts`. No judge has rated
anything here, so every score is null: the viewer's table then writes "Null" and counts no winner, while 0 would claim a tie. (Its panel of means
divides by all examples and so writes 0.00 and 0.0%, which say nothing here.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.comparing.comparison import Comparison, Turn
from pipelines.comparing.naming import ENDINGS, mark, title
from pipelines.comparing.prompts import Prompt
from pipelines.errors import StudioError
from pipelines.export.comparison import MARK
from pipelines.records import Answer

SOURCE = f"PoliTune Studio. {MARK} No judge has rated these answers, so there are no scores."
# Only types that its README names: charts are drawn for categories and numbers, none for plain strings.
SCHEMA = (
    {"name": "question id", "type": "string"},
    {"name": "mark", "type": "per_model_category"},
    {"name": "tokens", "type": "per_model_number"},
    {"name": "ending", "type": "per_model_category"},
    {"name": "stamp A", "type": "string"},
    {"name": "stamp B", "type": "string"},
    {"name": "seal A", "type": "string"},
    {"name": "seal B", "type": "string"},
)


def comparator_json(turns: Sequence[tuple[Prompt, Turn]], first: str, second: str) -> dict[str, Any]:
    """The answers of the columns called `first` (A) and `second` (B), an example a question that both have answered.

    Raises StudioError for one column twice, and where no question has an answer of both.
    """
    if first == second:
        raise StudioError("Both sides are the same column.", "Choose two different columns.")
    found = [(asked, *_sides(turn, first, second)) for asked, turn in turns]
    pairs = [(asked, a, b) for asked, a, b in found if a and b]
    if not pairs:
        raise StudioError(f"No question has an answer of both “{first}” and “{second}”.", "Choose two columns that have answered.")
    return {
        "metadata": {
            "source_path": SOURCE + _left_out(len(turns) - len(pairs)),
            "custom_fields_schema": [dict(one) for one in SCHEMA],
        },
        "models": [_model(a for _, a, _ in pairs), _model(b for _, _, b in pairs)],
        "examples": [_example(*pair) for pair in pairs],
        "rationale_clusters": [],
    }


def comparison_comparator(comparison: Comparison, first: str, second: str) -> dict[str, Any]:
    """The same of a comparison's turns. Raises StudioError as `comparator_json` does."""
    turns = [(Prompt(f"turn {place}", turn.question), turn) for place, turn in enumerate(comparison.turns, 1)]
    return comparator_json(turns, first, second)


def _sides(turn: Turn, first: str, second: str) -> tuple[Answer | None, Answer | None]:
    by_name = {answer.column: answer for answer in turn.answers}
    return by_name.get(first), by_name.get(second)


def _left_out(many: int) -> str:
    said = "1 question without an answer of both is" if many == 1 else f"{many} questions without an answer of both are"
    return f" {said} left out." if many else ""


def _model(answers: Iterable[Answer]) -> dict[str, str]:
    """A column's title with its mark, or with all of its marks where they differ."""
    said = list(answers)
    return {"name": f"{title(said[0].column)} ({', '.join(dict.fromkeys(map(mark, said)))})"}


def _example(asked: Prompt, a: Answer, b: Answer) -> dict[str, Any]:
    return {
        "input_text": asked.text,
        "tags": [asked.topic] if asked.topic else [],
        "output_text_a": a.text,
        "output_text_b": b.text,
        "score": None,
        "individual_rater_scores": [],
        "rationale_list": [],
        "custom_fields": {
            "question id": asked.id,
            "mark": [mark(a), mark(b)],
            "tokens": [a.tokens, b.tokens],
            "ending": [ENDINGS.get(one.finished, one.finished) for one in (a, b)],
            "stamp A": _stamp(a),
            "stamp B": _stamp(b),
            "seal A": a.seal,
            "seal B": b.seal,
        },
    }


def _stamp(answer: Answer) -> str:
    """Everything that an answer's stamp says, in one line."""
    stamp = answer.stamp
    adapter = f"adapter {stamp.adapter} ({stamp.adapter_fingerprint})" if stamp.adapter else "no adapter"
    return (
        f"{stamp.base} ({stamp.base_fingerprint}), {adapter}, strength {stamp.strength:g}, temperature {stamp.temperature:g}, "
        f"top-p {stamp.top_p:g}, seed {stamp.seed}, token cap {stamp.max_new_tokens}, prompt {stamp.prompt_hash}, template {stamp.template_hash}"
    )
