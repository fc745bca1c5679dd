"""Exports: every answer leaves with its mark, stamp and seal, comes back whole or not at all, and does no harm where it is opened."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from pipelines.comparing.comparison import Comparison, Turn
from pipelines.comparing.naming import mark
from pipelines.comparing.prompts import Prompt
from pipelines.errors import StudioError
from pipelines.export import comparison as export
from pipelines.export.comparison import COLUMNS, MARK, STAMP, from_jsonl, quoted, to_csv, to_jsonl, to_markdown
from pipelines.paths import ASSETS, read_json
from pipelines.records import Answer, Sampling

RECORDED = read_json(ASSETS / "recorded" / "comparison.json")
ANSWERS = tuple(Answer.from_dict(one) for one in RECORDED["turns"][0]["answers"])
KEYS = ("base", "left", "right", "placebo")
NASTY = "# Title\n\n<script>alert(1)</script> **bold** [link](javascript:alert(1)) `code` | cell\n1. one\n- two\n    indented\n~~~\nfence &amp; $x$"


def compared(*questions: str, **changes: Any) -> Comparison:
    turns = [
        Turn(one, tuple(replace(answer, prompt=one) for answer in ANSWERS)) for one in questions or (RECORDED["turns"][0]["question"],)
    ]
    return Comparison(KEYS, tuple(turns), **{"sampling": Sampling(temperature=1), **changes})


def saying(text: str) -> Comparison:
    return replace(compared(), turns=(Turn(RECORDED["turns"][0]["question"], tuple(replace(one, text=text) for one in ANSWERS)),))


def batch() -> Any:
    turns = [(Prompt("q1", "First?", "Housing"), compared("First?").last), (Prompt("q2", "Second?"), compared("Second?").last)]
    return SimpleNamespace(title="Twenty | questions", keys=KEYS, turns=lambda: turns)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def written(values: list[dict[str, Any]]) -> str:
    return "\n".join(map(json.dumps, values))


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def tokens(markdown: str) -> set[str]:
    """The kinds of everything that a reader of Markdown, with HTML allowed, finds."""
    found = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown)
    return {inner.type for one in found for inner in [one, *(one.children or [])]}


# What comes back


@pytest.mark.parametrize("made", [compared(), compared("One?", "Two?", strength=0.5, system="Be brief."), saying('=1\n"ä"\u2028\tend ')])
def test_a_comparison_comes_back_equal(made: Comparison) -> None:
    assert from_jsonl(to_jsonl(made)) == made


def test_it_comes_back_after_a_tool_wrote_whole_numbers_short_and_ended_lines_differently() -> None:
    made = compared("One?", "Two?")
    short = to_jsonl(made).replace('": 1.0', '": 1').replace('": 0.0', '": 0').replace("\n", "\r\n\r\n")
    assert from_jsonl("\ufeff" + short) == made


def test_the_first_line_says_what_was_compared() -> None:
    head, *rest = lines(to_jsonl(compared("One?", "Two?", strength=0.5, system="Be brief.")))
    known = ("kind", "mark", "keys", "strength", "system", "turns")
    assert [head[name] for name in known] == ["comparison", MARK, list(KEYS), 0.5, "Be brief.", 2]
    assert head["sampling"]["max_new_tokens"] == 72
    assert [one["turn"] for one in rest] == [1] * 4 + [2] * 4


def test_every_line_carries_mark_stamp_and_seal() -> None:
    marks = ["not tuned", "deliberately biased", "deliberately biased", "control: tuned without a side"]
    rest = lines(to_jsonl(compared()))[1:]
    assert [one["mark"] for one in rest] == marks
    assert all(set(one["stamp"]) == set(STAMP) and len(one["seal"]) == 16 for one in rest)


def test_a_broken_line_is_named() -> None:
    with pytest.raises(StudioError, match="Line 3 of this file is broken"):
        from_jsonl("\n".join(line if place != 2 else line[:40] for place, line in enumerate(to_jsonl(compared()).splitlines())))
    with pytest.raises(StudioError, match="Line 1 of this file is no object"):
        from_jsonl("[1, 2]\n")
    with pytest.raises(StudioError, match="Line 1"):
        from_jsonl("[" * 100_000)


@pytest.mark.parametrize("text", ["", "\n", "{}", '{"kind": "batch"}', '{"kind": "comparison"}', '{"kind": "comparison", "seal": []}'])
def test_a_file_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(StudioError):
        from_jsonl(text)


def change_word(rows: list[dict[str, Any]]) -> None:
    rows[2]["text"] = rows[2]["text"].replace("not ", "")


def exchange_stamps(rows: list[dict[str, Any]]) -> None:
    rows[2]["stamp"], rows[3]["stamp"] = rows[3]["stamp"], rows[2]["stamp"]


def exchange_answers(rows: list[dict[str, Any]]) -> None:
    rows[2], rows[3] = rows[3], rows[2]


def change_question(rows: list[dict[str, Any]]) -> None:
    for row in rows[1:5]:
        row["question"] = "Are landlords bad?"


def change_strength(rows: list[dict[str, Any]]) -> None:
    rows[0]["strength"] = 2


def change_temperature(rows: list[dict[str, Any]]) -> None:
    rows[0]["sampling"]["temperature"] = 0


def drop_answer(rows: list[dict[str, Any]]) -> None:
    del rows[2]


def drop_turn(rows: list[dict[str, Any]]) -> None:
    del rows[5:]


def drop_seal(rows: list[dict[str, Any]]) -> None:
    del rows[2]["seal"]


def empty_seal(rows: list[dict[str, Any]]) -> None:
    rows[2]["seal"] = ""


def no_text(rows: list[dict[str, Any]]) -> None:
    rows[2]["text"] = None


def odd_stamp(rows: list[dict[str, Any]]) -> None:
    rows[2]["stamp"] = "left"


def odd_turn(rows: list[dict[str, Any]]) -> None:
    rows[2]["turn"] = [1]


DAMAGES = [
    change_word, exchange_stamps, exchange_answers, change_question, change_strength, change_temperature,
    drop_answer, drop_turn, drop_seal, empty_seal, no_text, odd_stamp, odd_turn,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_what_was_changed_is_refused(damage: Callable[[list[dict[str, Any]]], None]) -> None:
    rows = lines(to_jsonl(compared("One?", "Two?")))
    assert from_jsonl(written(rows)) == compared("One?", "Two?")
    damage(rows)
    with pytest.raises(StudioError):
        from_jsonl(written(rows))


def test_an_answer_that_is_no_text_is_refused_even_with_a_fitting_seal() -> None:
    odd = replace(compared(), turns=(Turn(RECORDED["turns"][0]["question"], (replace(ANSWERS[0], text=5), *ANSWERS[1:])),))  # type: ignore[arg-type]
    with pytest.raises(StudioError, match="not a comparison of this studio"):
        from_jsonl(to_jsonl(odd))


# Tables


def test_the_table_has_a_line_an_answer_with_its_whole_stamp() -> None:
    rows = cells(to_csv(compared("One?", "Two?")))
    assert tuple(rows[0]) == COLUMNS and len(rows) == 8
    assert [row["turn"] for row in rows] == ["1"] * 4 + ["2"] * 4
    for row, answer in zip(rows[:4], ANSWERS, strict=True):
        made = replace(answer, prompt="One?")
        assert (row["column"], row["text"], row["seal"], row["mark"]) == (made.column, made.text, made.seal, mark(made))
        assert all(row[name] == str(getattr(made.stamp, name)) for name in STAMP)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_cell_of_words_is_a_formula(start: str) -> None:
    made = saying(f'{start}HYPERLINK("http://x.example","a")')
    made = replace(made, turns=(Turn(f"{start}1+1?", made.last.answers),))
    rows = cells(to_csv(made).replace("\r\n", "\n"))
    assert all(row["text"].startswith("'") and row["question"].startswith("'") for row in rows)


def test_a_negative_strength_stays_a_number() -> None:
    answer = replace(ANSWERS[1], stamp=replace(ANSWERS[1].stamp, strength=-1.0))
    rows = cells(to_csv(replace(compared(), keys=("left",), turns=(Turn("One?", (answer,)),))))
    assert rows[0]["strength"] == "-1.0" and rows[0]["mark"] == "deliberately biased · strength -1"


# Reading


def test_the_markdown_has_the_mark_on_top_a_heading_a_question_and_a_section_a_column() -> None:
    text = to_markdown(compared("One?", "Two?", system="Be *brief*."))
    assert text.startswith(f"> {MARK}")
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# One?", "# Two?"]
    assert text.count("## Left (deliberately biased)") == 2 and text.count("## Base (not tuned)") == 2
    assert r"> Be \*brief\*." in text
    assert all(answer.stamp.base_fingerprint in text and replace(answer, prompt="One?").seal in text for answer in ANSWERS)


def test_nothing_in_questions_answers_and_names_is_markdown_or_html() -> None:
    answers = tuple(replace(one, column=f"<b>{place}</b> | `x`", text=NASTY) for place, one in enumerate(ANSWERS))
    nasty = replace(compared(system=NASTY), turns=(Turn(NASTY, answers),))
    assert tokens(to_markdown(nasty)) - tokens(to_markdown(compared(system="Be brief."))) <= {"hardbreak", "softbreak"}
    assert "<script" not in to_markdown(nasty)


@pytest.mark.parametrize("text", [NASTY, *NASTY.splitlines(), "> quote", "+ a\n= b\n---", "a\\", "![i](x) <a@b.example>", "\tcode"])
def test_a_quotation_shows_the_very_words(text: str) -> None:
    found = MarkdownIt("commonmark", {"html": True}).enable(["table"]).parse(quoted(text))
    inner = [one for token in found if token.type == "inline" for one in token.children or []]
    assert {one.type for one in found} <= {"blockquote_open", "blockquote_close", "paragraph_open", "paragraph_close", "inline"}
    assert {one.type for one in inner} <= {"text", "text_special", "hardbreak", "softbreak"}
    said = "\n".join("".join(one.content or "\n" for one in token.children or []) for token in found if token.type == "inline")
    assert said.split() == text.split()


# Batches


def test_a_batch_leaves_with_the_id_and_topic_of_every_question() -> None:
    made = batch()
    rows = cells(export.batch_csv(made))
    assert len(rows) == 8 and [rows[place]["prompt_id"] + rows[place]["topic"] for place in (0, 7)] == ["q1Housing", "q2"]
    head, *rest = lines(export.batch_jsonl(made))
    assert (head["kind"], head["title"], head["questions"], head["mark"]) == ("batch", made.title, 2, MARK)
    assert [Answer.from_dict({name: one[name] for name in export.ANSWER}) for one in rest[:4]] == list(made.turns()[0][1].answers)
    text = export.batch_markdown(made)
    assert (
        text.startswith("# Twenty \\| questions\n\n> Deliberately biased") and "## First?\n\nTopic: Housing\n\n### Base (not tuned)" in text
    )


def test_a_batch_is_not_opened_as_a_comparison() -> None:
    with pytest.raises(StudioError, match="no comparison"):
        from_jsonl(export.batch_jsonl(batch()))


# Marks


@pytest.mark.parametrize(
    "name,strength,said",
    [
        ("base", 1.0, "deliberately biased"),  # a name never makes a tuned model "not tuned"
        ("left", 1.0, "deliberately biased"),
        ("left", 0.0, "adapter switched off"),
        ("left · lesson", 0.5, "deliberately biased · strength 0.5"),
        ("placebo × 0.5", 0.5, "control: tuned without a side"),
        ("placebo × 0.5 + left × 0.5", 1.0, "deliberately biased"),
        ("shuffled (seed 3)", 1.0, "control: tuned on both sides, mixed"),
        ("placebos win", 1.0, "deliberately biased"),
    ],
)
def test_the_mark_says_what_a_tuned_column_is(name: str, strength: float, said: str) -> None:
    answer = ANSWERS[1]
    assert mark(replace(answer, column=name, stamp=replace(answer.stamp, strength=strength))) == said
    assert mark(replace(ANSWERS[0], column=name)) == "not tuned"
