"""Looking through a draft in pages with filters, and the arithmetic of the scores against labels."""

from typing import Any

import pytest

from pipelines.corpus import browse, drafts, labels, shards
from pipelines.corpus.browse import PAGE, Wanted
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.labels import Score
from pipelines.corpus.shards import VECTOR
from pipelines.corpus.steps import registry
from pipelines.corpus.steps.hand import edit
from pipelines.paths import Paths
from tests.unit.test_drafts import opened
from tests.unit.test_saving import Score as Annotate

SCORED = ("L5", "L9", "R4", "R6", "N0", "L1")


def ids(draft: Draft, **wanted: Any) -> list[str]:
    return [row["id"] for row in browse.find(draft, Wanted(**wanted)).rows]


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards.regroup, "__defaults__", (2,))


@pytest.fixture
def draft(paths: Paths, small_shards: None) -> Draft:
    """Six scored posts in three shards."""
    made = opened(paths, [{"id": name, "text": f"Post {name} on {'rent' if name[0] == 'L' else 'Trade'}"} for name in SCORED])
    return drafts.apply(made, Annotate(), Tools(paths))


def test_every_filter_finds_its_rows_and_two_filters_what_both_find(draft: Draft, paths: Paths) -> None:
    marked = drafts.change(draft, [edit("R4", "star", True), edit("R6", "note", "Odd one"), edit("L9", "topic", "guns")], Tools(paths))
    assert ids(marked) == list(SCORED)
    assert (
        ids(marked, side="left") == ["L5", "L9", "L1"] and ids(marked, side="right") == ["R4", "R6"] and ids(marked, side="none") == ["N0"]
    )
    assert ids(marked, strongest=5.0) == ["L5", "L9", "R6"] and ids(marked, strongest=5.0, side="left") == ["L5", "L9"]
    assert ids(marked, starred=True) == ["R4"] and ids(marked, topic="guns") == ["L9"] and ids(marked, topic="guns", side="right") == []
    assert ids(marked, words="TRADE") == ["R4", "R6", "N0"] and ids(marked, words="odd") == ["R6"] and ids(marked, words="n0") == ["N0"]
    assert browse.topics(marked) == [("trade", 5), ("guns", 1)]


def test_a_score_of_exactly_zero_is_no_side_here_as_in_the_steps(draft: Draft, paths: Paths) -> None:
    zero = [{"id": "z", "text": "zero", "economic": 0.0, "social": None}]
    assert browse.matches(zero[0], Wanted(side="none")) and not browse.matches(zero[0], Wanted(side="right"))


def test_pairs_can_be_filtered_by_the_strength_of_the_post_they_are_from() -> None:
    pair = {"id": "p", "prompt": "Why?", "chosen": "a", "rejected": "b", "score": 6.0}
    assert browse.matches(pair, Wanted(strongest=5)) and not browse.matches(pair, Wanted(strongest=7))


def test_a_row_is_found_by_its_id_and_never_with_its_embedding(draft: Draft, paths: Paths) -> None:
    found = browse.row(draft, "R6")
    assert found is not None and found["economic"] == 6.0 and VECTOR not in found and browse.row(draft, "nobody") is None
    assert all(VECTOR not in row for row in [*browse.find(draft, Wanted()).rows, *browse.find(draft, Wanted(side="left")).rows])


def test_what_a_step_dropped_is_shown_with_the_reason(draft: Draft, paths: Paths) -> None:
    picked = drafts.apply(draft, registry.make("select", {"strategy": "extreme", "count": 1}), Tools(paths))
    found = browse.find(picked, Wanted(step=1))
    assert [row["id"] for row in found.rows] == ["L5", "R4", "R6", "N0", "L1"] and {row["reason"] for row in found.rows} == {"not selected"}
    assert ids(picked, step=1, side="right") == ["R4", "R6"] and ids(picked) == ["L9"] and ids(picked, step=7) == ["L9"]
    assert (found.matching, found.total) == (5, 5) and browse.row(picked, "R4", 1) is not None and browse.row(picked, "R4") is None
    assert browse.topics(picked, 1) == [("trade", 5)]


@pytest.mark.parametrize("words", ["", "row"])
def test_pages_hold_every_matching_row_once_and_in_order(paths: Paths, small_shards: None, words: str) -> None:
    many = opened(paths, [{"id": f"{n:02}", "text": f"{'odd' if words and n % 10 == 3 else 'row'} {n}"} for n in range(50)])
    expected = [f"{n:02}" for n in range(50) if not (words and n % 10 == 3)]
    pages = [browse.find(many, Wanted(words=words), page) for page in (1, 2, 3)]
    assert [row["id"] for page in pages for row in page.rows] == expected and len(pages[0].rows) == PAGE
    assert {(page.matching, page.total, page.pages) for page in pages} == {(len(expected), 50, 3)}
    for asked, given in ((0, 1), (-3, 1), (99, 3)):
        assert browse.find(many, Wanted(words=words), asked) == pages[given - 1]
    nothing = browse.find(many, Wanted(words="nowhere"), 2)
    assert (nothing.rows, nothing.matching, nothing.pages, nothing.page) == ([], 0, 1, 1)


def labelled(paths: Paths, *rows: tuple[str, str, str], **more: str) -> Draft:
    return opened(paths, [{"id": name, "text": text, "label": label, **more} for name, label, text in rows])


def test_precision_and_recall_count_what_was_meant_among_what_came_so_far(paths: Paths) -> None:
    rows = [
        *(("s1", "short", "one"), ("s2", "short", "one two"), ("s3", "short", "one two three four"), ("x", "left", "too short")),
        *(
            ("n", "near_duplicate", "Nobody says anything like this"),
            ("f1", "foreign", "Ich finde, die Stadt müsste endlich selber bauen."),
            ("l", "left", "Rents must fall in this town"),
        ),
    ]
    tools = Tools(paths)
    draft = drafts.apply_all(labelled(paths, *rows), ["normalize", "length", "language", "near"], tools)
    length, language, near = labels.of_steps(draft)
    assert length == Score("Length", 2, 3, 3) and (length.precision, length.recall) == (2 / 3, 2 / 3)
    assert (language, near) == (Score("Language", 1, 1, 1), Score("Near duplicates", 0, 0, 1))
    assert (language.precision, near.precision, near.recall) == (1, None, 0)
    assert labels.of_steps(labelled(paths, *rows)) == [] and labels.of_sides(draft) is None


def test_sides_and_topics_are_counted_over_the_labelled_posts_that_were_scored(paths: Paths) -> None:
    rows = [
        ("L5", "left", "a"),
        ("R2", "left", "b"),
        ("N0", "left", "c"),
        ("R6", "right", "d"),
        ("N1", "neutral", "e"),
        ("R9", "spam", "f"),
    ]
    draft = labelled(paths, *rows, topic="trade")
    found = labels.of_sides(drafts.apply(draft, Annotate(), Tools(paths)))
    assert found is not None and found.table == {
        "left": {"left": 1, "none": 1, "right": 1},
        "neutral": {"left": 0, "none": 1, "right": 0},
        "right": {"left": 0, "none": 0, "right": 1},
    }
    assert found.agreement == (2, 3) and (found.topics_right, found.topics) == (5, 5)


def test_labels_of_other_peoples_posts_break_nothing(paths: Paths, small_shards: None) -> None:
    """A table may have labels and no topics, or labels in some rows only."""
    for rows in (
        [{"id": name, "text": f"Post {name} of a kind", "label": "left" if name[0] == "L" else "right"} for name in ("L1", "R1", "L2")],
        [{"id": f"L{n}", "text": f"Post {n} of a kind", **({"label": "left"} if n in (2, 3) else {})} for n in range(1, 8)],
    ):
        draft = drafts.apply(drafts.apply(opened(paths, rows), registry.make("length"), Tools(paths)), Annotate(), Tools(paths))
        found = labels.of_sides(draft)
        assert labels.labelled(draft) and found is not None and sum(found.agreement) > 0 and (found.topics_right, found.topics) == (0, 0)
        assert labels.of_steps(draft) == [], "where no post is labelled as short, nothing can be said about the length step"


def test_labels_that_mean_something_else_are_not_taken_for_ours(paths: Paths) -> None:
    assert not labels.labelled(labelled(paths, ("a", "positive", "one"), ("b", "", "two"))) and not labels.labelled(opened(paths))
    assert labels.labelled(labelled(paths, ("a", "", "one"), ("b", "spam", "two")))
