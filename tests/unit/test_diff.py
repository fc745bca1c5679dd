"""What differs between two versions."""

import pytest

from pipelines.corpus.diff import diff, words
from pipelines.corpus.versions import Dataset
from pipelines.errors import StudioError
from tests.unit.test_versions import MASK, PAIR, PAIRS, POSTS


def test_a_difference_names_rows_fields_words_and_steps() -> None:
    first = Dataset(
        "a", "pairs", ({**PAIR, "id": "1"}, {**PAIR, "id": "2"}, {**PAIR, "id": "3"}), {"steps": [MASK, {"key": "near", "label": "Near"}]}
    )
    second_steps = [{**MASK, "settings": {**MASK["settings"], "links": False}, "changed": 4}, {"key": "length", "label": "Length"}]  # type: ignore[dict-item]
    second = Dataset(
        "b",
        "pairs",
        ({**PAIR, "id": "1", "rejected": "No, not by law.", "note": "softer"}, {**PAIR, "id": "3"}, {**PAIR, "id": "4"}),
        {"steps": second_steps},
    )
    found = diff(first, second)
    assert found.counts == {"first": 3, "second": 3, "added": 1, "removed": 1, "changed": 1, "same": 1} and not found.reordered
    assert (found.added[0]["id"], found.removed[0]["id"]) == ("4", "2")
    assert found.changed[0].fields == {"rejected": (PAIR["rejected"], "No, not by law."), "note": (None, "softer")}
    assert found.changed[0].words("rejected") == [("both", "No, "), ("first", "never"), ("second", "not"), ("both", " by law.")]
    assert [(s.label, s.where, s.settings, s.counts) for s in found.steps] == [
        ("Mask people", "both", {"links": (True, False)}, {"changed": (None, 4)}),
        ("Near", "first", {}, {}),
        ("Length", "second", {}, {}),
    ]
    assert found.described == {"name": ("a", "b")}


def test_equal_rows_in_another_order_or_with_empty_cells_are_no_change() -> None:
    first = Dataset("a", "pairs", (PAIR, {**PAIR, "id": "2"}))
    assert diff(first, Dataset("a", "pairs", tuple({**row, "note": None} for row in first.rows))).same_rows
    turned = diff(first, Dataset("a", "pairs", first.rows[::-1]))
    assert turned.reordered and turned.counts["changed"] == 0 and not turned.same_rows


def test_rows_with_the_same_id_are_compared_in_their_order() -> None:
    twice = Dataset("a", "pairs", (PAIR, {**PAIR, "chosen": "Maybe."}))
    assert diff(twice, twice).same_rows
    assert diff(twice, Dataset("a", "pairs", (PAIR,))).counts["removed"] == 1


def test_only_like_is_compared_with_like() -> None:
    with pytest.raises(StudioError, match="holds pairs"):
        diff(PAIRS, POSTS)


@pytest.mark.parametrize(
    "first,second", [("", "new words"), ("a  b\nc", "a b c"), ("Größe, ja!", "Größe; nein!"), ("x" * 9, ""), ("w " * 9_000, "v " * 9_000)]
)
def test_stretches_of_words_join_to_both_texts(first: str, second: str) -> None:
    spans = words(first, second)
    assert "".join(s.text for s in spans if s.where != "second") == first
    assert "".join(s.text for s in spans if s.where != "first") == second
