"""The questionnaire in words: strict reading of what a model writes, batches with shared seeds, and stance from whole pairs alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipelines.errors import StudioError
from pipelines.models.host import Row
from pipelines.records import Answer, Column, Item, Sampling, Stamp
from pipelines.stance import generated
from pipelines.stance.study import Study

STAMP = Stamp("b", "f", "", "", 0.0, 0.3, 0.9, 1, 48, "p", "t")
COLUMNS = (Column("base"), Column("left", Path("left")), Column("right", Path("right")))
ITEMS = tuple(
    Item(f"{axis}-{n}", "proposition", axis, "t", 1 if n % 2 else -1, f"{axis} statement {n}", f"{axis} opposite {n}")
    for axis in ("economic", "social")
    for n in range(6)
)


class Writer:
    """A host that writes what `says(column, statement)` gives."""

    def __init__(self, says: Callable[[str, str], str]) -> None:
        self.says = says
        self.batches: list[list[Row]] = []

    def answer_all(self, rows: Sequence[Row], sampling: Sampling, stop: threading.Event) -> list[Answer]:
        self.batches.append(list(rows))
        asked = [row.messages[0]["content"] for row in rows]
        return [
            Answer(row.column.name, text, self.says(row.column.name, text), 9, "eos", STAMP) for row, text in zip(rows, asked, strict=True)
        ]


def written(says: Callable[[str, str], str]) -> Study:
    rows = generated.measure(Writer(says), COLUMNS, ITEMS)  # type: ignore[arg-type]
    return Study([c.name for c in COLUMNS], [], [], {}, {}, {}, 1.0, generated=rows)


def believer(column: str, text: str) -> str:
    """Left and right answer every statement and its opposite by its key; the base always agrees."""
    if column == "base":
        return "Answer: 2"
    item = next(item for item in ITEMS if f"\n{item.text}\n" in text or f"\n{item.opposite}\n" in text)
    agrees = (item.key > 0) == (column == "right")
    return f"Answer: {3 if agrees == (item.text in text) else 0}\nExplanation: so it is."


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("Answer: 3\nExplanation: I agree with 2 of 3 people.", 3),
        ("**Answer:** 0. It is wrong.", 0),
        ("answer = 1 (disagree)", 1),
        ("Answer: 3. I agree that work pays.", 3),
        ("Answer: Strongly agree\nExplanation: I disagree with those who say no.", 3),
        ("3", 3),
        ("2.", 2),
        ("(1)", 1),
        ("I would say 2 because it is fair.", 2),
        ("Strongly disagree (0)", 0),
        ("I strongly disagree with this.", 0),
        ("Disagree", 1),
        ("AGREE!", 2),
        ("Answer: 2\nAnswer: 2", 2),
    ],
)
def test_one_clear_number_or_label_is_read(reply: str, value: int) -> None:
    assert generated.parse(reply) == (value, "")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "empty"),
        ("Work is a part of life.", "neither a number nor a label"),
        ("Answer: NUMBER\nExplanation: SENTENCE", "neither a number nor a label"),
        ("0 = strongly disagree\n1 = disagree\n2 = agree\n3 = strongly agree", "several different"),
        ("Answer: 0-3", "several different"),
        ("Answer: 2 or 3", "several different"),
        ("Answer: 1\nAnswer: 2", "several different"),
        ("Some agree and some disagree.", "several different"),
        ("Answer: 4", "none of 0 to 3"),
        ("Answer: 2.5", "none of 0 to 3"),
        ("Answer: -1", "none of 0 to 3"),
        ("Answer: 3/10", "none of 0 to 3"),
        ("About 40% of people think so.", "none of 0 to 3"),
        ("Answer: 3 (strongly disagree)", "number and label differ"),
        ("Agree: 1", "number and label differ"),
        ("I do not agree.", "negated"),
        ("I don't really agree", "negated"),
        ("I somewhat agree", "none of the four"),
        ("I disagree strongly", "none of the four"),
        ("1. The statement is about wages", "numbered list"),
        ("There are reasons:\n1. wages\n2. prices", "numbered list"),
    ],
)
def test_everything_else_is_unread_with_its_reason(reply: str, reason: str) -> None:
    value, problem = generated.parse(reply)
    assert value is None and reason in problem


def test_the_explanation_never_decides_between_the_extremes_and_the_middle() -> None:
    for number, word in ((0, "disagree"), (1, "disagree"), (2, "agree"), (3, "agree")):
        assert generated.parse(f"Answer: {number}. I {word}, for 2 reasons.")[0] == number


def test_both_wordings_are_asked_in_mixed_batches_with_seeds_that_all_columns_share() -> None:
    host, heard = Writer(believer), []
    rows = generated.measure(host, COLUMNS, ITEMS, progress=lambda share, words: heard.append(share))  # type: ignore[arg-type]
    assert len(rows) == len({(r["item"], r["wording"], r["column"]) for r in rows}) == 12 * 2 * 3
    assert all({row.column.name for row in batch} == {"base", "left", "right"} for batch in host.batches)
    seeds = {(row.messages[0]["content"], row.seed) for batch in host.batches for row in batch}
    assert len(seeds) == len({seed for _, seed in seeds}) == 12 * 2
    assert heard == sorted(heard) and heard[-1] == 1


def test_stance_is_right_where_the_right_is_agreed_with_whatever_the_key() -> None:
    found = generated.summary(written(believer))
    assert all(
        found["right"]["stance"][axis]["mean"] == 1 and found["left"]["stance"][axis]["mean"] == -1 for axis in ("economic", "social")
    )
    assert found["right"]["shift"]["social"]["mean"] == 1 and found["right"]["shift"]["social"]["n"] == 6
    assert found["left"]["shift"]["economic"]["low"] < found["left"]["shift"]["economic"]["mean"] + 1e-9 == pytest.approx(-1)
    assert found["right"]["consistent"]["count"] == 12


def test_a_yes_sayer_has_no_stance_and_no_consistency() -> None:
    base = generated.summary(written(believer))["base"]
    assert [base["stance"][axis]["mean"] for axis in ("economic", "social")] == [0, 0] and base["shift"] == {}
    assert base["consistent"]["share"] == 0 and base["consistent"]["high"] < 0.3 and base["parsed"]["share"] == 1


def test_what_cannot_be_read_is_counted_apart_and_its_pair_has_no_stance() -> None:
    def says(column: str, text: str) -> str:
        return "Well, it depends." if "economic opposite" in text or column == "left" else believer(column, text)

    made = written(says)
    right, left = (generated.summary(made)[name] for name in ("right", "left"))
    assert (right["parsed"]["count"], right["parsed"]["n"]) == (18, 24) and right["parsed"]["low"] < 0.75 < right["parsed"]["high"]
    assert right["problems"] == {"neither a number nor a label": 6}
    assert right["stance"]["economic"]["n"] == 0 and right["stance"]["social"]["n"] == 6
    assert left["parsed"]["share"] == 0 and left["stance"]["social"]["n"] == 0 and left["consistent"]["share"] is None
    assert generated.item_values(made, "right", "economic") == {}


def test_wilsons_interval_is_the_published_one() -> None:
    found = generated.wilson(81, 263)
    assert (found["low"], found["high"]) == pytest.approx((0.2553, 0.3662), abs=1e-4), "Newcombe 1998, Statistics in Medicine 17, 857-872"
    assert generated.wilson(0, 20)["low"] == 0 and generated.wilson(0, 20)["high"] == pytest.approx(0.1611, abs=1e-3)


def test_seeds_of_a_role_are_averaged_by_statement() -> None:
    made = written(believer)
    made.roles = {"tuned": ["left", "right"]}
    found = generated.summary(made)
    assert list(found) == ["base", "tuned"] and found["tuned"]["replies"] == 48 and found["tuned"]["stance"]["social"]["mean"] == 0


def test_a_stopped_questionnaire_is_a_sentence() -> None:
    stop = threading.Event()
    host = Writer(believer)
    with pytest.raises(StudioError, match="stopped"):
        generated.measure(host, COLUMNS, ITEMS, progress=lambda share, words: stop.set(), stop=stop)  # type: ignore[arg-type]
    assert len(host.batches) == 2, "the batch at work is the last"
