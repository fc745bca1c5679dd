"""LLM Comparator's format: the field names and types that its published types.py and types.ts give, written down as models."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from pipelines.comparing.comparison import Comparison, Turn
from pipelines.comparing.naming import mark
from pipelines.comparing.prompts import Prompt
from pipelines.errors import StudioError
from pipelines.export.comparator import comparator_json, comparison_comparator
from pipelines.export.comparison import MARK
from pipelines.paths import ASSETS, read_json
from pipelines.records import Answer, Sampling

RECORDED = read_json(ASSETS / "recorded" / "comparison.json")
ANSWERS = tuple(Answer.from_dict(one) for one in RECORDED["turns"][0]["answers"])
Kind = Literal[
    "number", "string", "category", "text", "url", "image_path", "image_byte", "per_model_boolean", "per_model_number",
    "per_model_category", "per_model_text", "per_rating_string", "per_rating_per_model_category", "base",
]  # fmt: skip
Value = None | float | str | list[bool | None] | list[float | None] | list[str | None] | list[dict[str, float]]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Field(Strict):
    name: str
    type: Kind
    domain: list[str] | None = None


class Metadata(Strict):
    source_path: str
    custom_fields_schema: list[Field]


class Model(Strict):
    name: str


class Rating(Strict):
    score: float | None
    rating_label: str | None
    is_flipped: bool | None
    rationale: str | None
    custom_fields: dict[str, Any]


class Bullet(Strict):
    rationale: str
    similarities: list[float]


class Example(Strict):
    input_text: str
    tags: list[str]
    output_text_a: str
    output_text_b: str
    score: float | None
    individual_rater_scores: list[Rating]
    rationale_list: list[Bullet]
    custom_fields: dict[str, Value]


class Cluster(Strict):
    title: str


class File(Strict):
    metadata: Metadata
    models: list[Model]
    examples: list[Example]
    rationale_clusters: list[Cluster] | None = None


def asked(text: str, topic: str = "") -> tuple[Prompt, Turn]:
    return Prompt(f"id-{text}", text, topic), Turn(text, tuple(replace(one, prompt=text) for one in ANSWERS))


def test_the_file_has_the_published_types() -> None:
    made = comparator_json([asked("One?", "Housing"), asked("Two?")], "left", "right")
    read = File.model_validate_json(json.dumps(made, allow_nan=False))
    assert len(read.models) == 2 and [one.tags for one in read.examples] == [["Housing"], []]
    assert [one.input_text for one in read.examples] == ["One?", "Two?"]


def test_a_is_the_first_column_and_b_the_second() -> None:
    made = comparator_json([asked("One?")], "right", "base")
    assert [one["name"] for one in made["models"]] == ["Right (deliberately biased)", "Base (not tuned)"]
    assert (made["examples"][0]["output_text_a"], made["examples"][0]["output_text_b"]) == (ANSWERS[2].text, ANSWERS[0].text)


def test_nothing_is_said_of_ratings_that_nobody_gave() -> None:
    made = comparator_json([asked("One?")], "left", "right")
    example = made["examples"][0]
    assert example["score"] is None and not example["individual_rater_scores"] and not example["rationale_list"]
    assert not made["rationale_clusters"]
    assert MARK in made["metadata"]["source_path"] and "No judge has rated" in made["metadata"]["source_path"]


def test_every_example_has_a_fitting_value_for_every_announced_field() -> None:
    made = comparator_json([asked("One?"), asked("Two?")], "left", "placebo")
    kinds = {one["name"]: one["type"] for one in made["metadata"]["custom_fields_schema"]}
    for example in made["examples"]:
        assert list(example["custom_fields"]) == list(kinds)
        for name, value in example["custom_fields"].items():
            of_two = kinds[name].startswith("per_model_")
            values = value if of_two else [value]
            assert len(values) == (2 if of_two else 1)  # the viewer stops at any other number
            assert all(isinstance(one, int | float if "number" in kinds[name] else str) for one in values)


def test_mark_stamp_and_seal_of_both_sides_go_along() -> None:
    turn = asked("One?")
    given = comparator_json([turn], "left", "placebo")["examples"][0]["custom_fields"]
    left, placebo = turn[1].answers[1], turn[1].answers[3]
    assert given["mark"] == [mark(left), mark(placebo)] and [given["seal A"], given["seal B"]] == [left.seal, placebo.seal]
    for said, answer in ((given["stamp A"], left), (given["stamp B"], placebo)):
        stamp = answer.stamp
        assert all(one in said for one in (stamp.base, stamp.base_fingerprint, stamp.adapter_fingerprint, stamp.prompt_hash))
        assert "temperature 0.3, top-p 0.9, seed 1, token cap 72" in said


def test_a_column_at_several_strengths_is_named_with_all_its_marks() -> None:
    prompt, turn = asked("Two?")
    half = replace(turn.answers[1], stamp=replace(turn.answers[1].stamp, strength=0.5))
    other = Turn(turn.question, (turn.answers[0], half))
    made = comparator_json([asked("One?"), (prompt, other)], "left", "base")
    assert made["models"][0]["name"] == "Left (deliberately biased, deliberately biased · strength 0.5)"


def test_questions_without_both_answers_are_left_out_and_counted() -> None:
    prompt, turn = asked("Two?")
    made = comparator_json([asked("One?"), (prompt, Turn("Two?", turn.answers[:1]))], "base", "left")
    assert len(made["examples"]) == 1 and "1 question without an answer of both is left out" in made["metadata"]["source_path"]


def test_the_same_column_twice_or_an_unknown_one_is_refused() -> None:
    with pytest.raises(StudioError, match="same column"):
        comparator_json([asked("One?")], "left", "left")
    with pytest.raises(StudioError, match="No question has an answer"):
        comparator_json([asked("One?")], "left", "elsewhere")
    with pytest.raises(StudioError, match="No question has an answer"):
        comparator_json([], "left", "right")


def test_a_comparison_gives_an_example_a_turn() -> None:
    turns = (asked("One?")[1], asked("Two?")[1])
    made = comparison_comparator(Comparison(("base", "left", "right", "placebo"), turns, Sampling()), "left", "right")
    File.model_validate_json(json.dumps(made))
    assert [(one["input_text"], one["custom_fields"]["question id"]) for one in made["examples"]] == [
        ("One?", "turn 1"),
        ("Two?", "turn 2"),
    ]
