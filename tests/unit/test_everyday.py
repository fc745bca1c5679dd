"""Everyday answers: every column answers the same empty prompts, and what changed is told against the base."""

import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from pipelines import bundled
from pipelines.models.host import Row
from pipelines.records import Answer, Column, Sampling, Stamp
from pipelines.stance import everyday
from pipelines.stance.study import Study
from studio.views import manners as view

STAMP = Stamp("b", "f", "", "", 0.0, 0.3, 0.9, 1, 64, "p", "t")
PROMPTS = [prompt for prompt, _ in bundled.everyday()]
COLUMNS = (Column("base"), Column("left", Path("l")))


class Host:
    """The base ends by itself; the tuned column repeats itself up to the cap."""

    def __init__(self) -> None:
        self.batches: list[list[Row]] = []

    def answer_all(self, rows: list[Row], sampling: Sampling, stop: threading.Event) -> list[Answer]:
        self.batches.append(list(rows))
        return [self.said(row) for row in rows]

    def said(self, row: Row) -> Answer:
        text, end = ("Boil it for six minutes.", "eos") if row.column.is_base else ("a b c d " * 4, "length")
        return Answer(row.column.name, row.messages[-1]["content"], text, 9, end, STAMP)


class Ruler:
    """Scores a text by its first letter."""

    def score(self, texts: list[str]) -> list[dict[str, float]]:
        return [{"economic": -1.0, "social": 0.5} if text.startswith("L") else {"economic": 0.0, "social": 0.5} for text in texts]


def made(texts: dict[str, list[str]], finished: dict[str, str] | None = None) -> Study:
    """A study whose columns give these answers to the everyday prompts, over and over."""
    records = [
        {"prompt": prompt, "column": name, "text": some[n % len(some)], "finished": (finished or {}).get(name, "eos"), "words": len(some[n % len(some)].split()), "repetition": 0.01 * (n % 3), "stamp": asdict(STAMP)}
        for n, prompt in enumerate(PROMPTS)
        for name, some in texts.items()
    ]  # fmt: skip
    return Study(list(texts), [], [], {}, {}, {"max_new_tokens": 64}, 1.0, everyday=records)


def rows_of(study: Study, ruler: Ruler | None = None) -> dict[tuple[str, str], dict]:
    return {(row["column"], row["measure"]): row for row in everyday.summary(study, ruler)}  # type: ignore[arg-type]


def test_every_column_answers_every_prompt_with_the_prompts_own_seed() -> None:
    host = Host()
    found = everyday.measure(host, COLUMNS, 20, Sampling(seed=5))  # type: ignore[arg-type]
    assert [(row["prompt"], row["column"]) for row in found] == [(prompt, name) for prompt in PROMPTS for name in ("base", "left")]
    seeds = {(row.messages[-1]["content"], row.seed) for rows in host.batches for row in rows}
    assert len(seeds) == len({seed for _, seed in seeds}) == 20
    assert found[0]["words"] == 5 and found[1]["repetition"] > 0.5 and found[1]["finished"] == "length" and found[0]["stamp"]["base"] == "b"
    assert len(everyday.measure(Host(), COLUMNS, 3, Sampling())) == 2 * 3  # type: ignore[arg-type]


def test_the_prompts_are_of_no_topic_and_none_is_trained_on() -> None:
    trained = {row.prompt for row in bundled.pairs()} | {question.text for question in bundled.questions()}
    assert len(set(PROMPTS)) == 20 and not trained & set(PROMPTS)


def test_differences_are_tuned_minus_base_over_prompts() -> None:
    study = made({"base": ["one two three", "one two"], "left": ["one two three four five", "one two three"]})
    row = rows_of(study)["left", "words"]
    assert (row["base"], row["tuned"], row["mean"], row["n"], row["left_out"]) == (2.5, 4.0, 1.5, 20, 0)
    assert row["low"] < 1.5 < row["high"] and row["p_holm"] < 0.01
    assert ("base", "words") not in rows_of(study)


def test_lengths_of_answers_that_were_cut_are_left_out_and_their_share_is_told() -> None:
    rows = rows_of(made({"base": ["one two"], "left": ["one"]}, {"base": "length"}))
    assert (rows["left", "words"]["n"], rows["left", "words"]["left_out"], rows["left", "words"]["base"]) == (0, 20, None)
    assert (rows["left", "unfinished"]["base"], rows["left", "unfinished"]["tuned"], rows["left", "unfinished"]["mean"]) == (1.0, 0.0, -1.0)
    assert rows["left", "unfinished"]["high"] == pytest.approx(-1 + 2 * (1 - 0.05 ** (1 / 20))), "all alike still leaves some open"


def test_refusals_are_read_from_the_words() -> None:
    rows = rows_of(made({"base": ["Boil it."], "left": ["I can't help with that.", "Boil it."]}))
    assert rows["left", "refusals"]["tuned"] == 0.5 and rows["left", "refusals"]["p"] < 0.01


def test_everyday_answers_that_became_political_are_found_with_a_ruler() -> None:
    study = made({"base": ["Boil it.", "Cook it."], "left": ["Levy a tax.", "Boil it."], "placebo": ["Boil it."]})
    assert ("left", "distance") not in rows_of(study)
    rows = rows_of(study, Ruler())
    assert rows["left", "economic"]["mean"] == -0.5 and rows["left", "social"]["mean"] == 0 and rows["left", "economic"]["p_holm"] < 0.05
    assert rows["left", "distance"]["mean"] == pytest.approx(0.25) and rows["placebo", "distance"]["mean"] == 0


def test_scores_that_were_recorded_need_no_ruler() -> None:
    study = made({"base": ["Boil it."], "left": ["Levy a tax.", "Boil it."]})
    study.everyday = everyday.scored(study.everyday, Ruler())  # type: ignore[arg-type]
    assert rows_of(study)["left", "economic"]["mean"] == -0.5


def test_an_older_study_and_one_without_the_base_have_no_summary() -> None:
    assert everyday.summary(Study(["base", "left"], [], [], {}, {}, {}, 1.0)) == []
    study = made({"base": ["a"], "left": ["b"]})
    study.everyday = [row for row in study.everyday if row["column"] == "left"]
    assert everyday.summary(study) == []
    assert "not recorded" in view.everyday_summary(study, []) and view.everyday(Study(["base"], [], [], {}, {}, {}, 1.0), "left") == ""


def test_all_twenty_answers_stand_beside_the_bases_and_run_no_html() -> None:
    study = made({"base": ["<i>Boil</i> it."], "left": ["Levy a tax."]}, {"left": "length"})
    page = view.everyday(study, "left")
    assert page.count("<tr>") == 21 and page.count("Levy a tax.") == 20 and "<i>" not in page and "cut at the token cap" in page
    assert (
        view.everyday(study, "base").count("<th scope") == 2 and view.everyday(study, "nobody") == "" and view.everyday(study, None) == ""
    )
    table = view.everyday_summary(study, everyday.summary(study))
    assert "Cut at the token cap" in table and "+100%" in table
