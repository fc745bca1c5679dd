"""How far answers lie apart by their words, and which words are new."""

from __future__ import annotations

import itertools

import pytest

from pipelines.comparing.divergence import different_words, divergence


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        ([], 0),
        (["a b"], 0),
        (["Rents should fall.", "rents SHOULD fall"], 0),
        (["it’s fair", "It's fair!"], 0),
        (["", ""], 0),
        (["a b", ""], 1),
        (["a b", "c d"], 1),
        (["a b c d", "a b"], 1 - 4 / 6),
        (["a b", "a c"], 0.5),
        (["a b", "a b", "c d"], 2 / 3),
    ],
)
def test_divergence_is_the_mean_share_of_words_that_two_texts_do_not_share(texts: list[str], value: float) -> None:
    assert divergence(texts) == pytest.approx(value)


def test_the_order_of_the_columns_does_not_matter_but_that_of_the_words_does() -> None:
    texts = ["a c a b a", "b b b c b", "a b a b c"]  # difflib gives the first two 0.4 or 0.2, as they stand
    assert len({round(divergence(order), 12) for order in itertools.permutations(texts)}) == 1
    assert divergence(["a b c", "c b a"]) > 0


def test_frequent_words_of_long_texts_count() -> None:
    long = "we need this " * 100
    assert divergence([long, "now " + long]) < 0.01


def test_pieces_give_the_text_back_and_mark_what_the_first_has_not() -> None:
    texts = ["Rents, should\nfall now.", "Rents should rise — now!", ""]
    pieces = different_words(texts)
    assert ["".join(piece for piece, _ in one) for one in pieces] == texts
    assert [[piece for piece, new in one if new] for one in pieces] == [["fall"], ["rise"], []]


def test_of_the_first_text_only_words_that_no_other_has_are_marked() -> None:
    assert [piece for piece, new in different_words(["a b c", "a x", "b y"])[0] if new] == ["c"]


@pytest.mark.parametrize("texts", [["only one"], ["only one", ""], ["", "only one"]])
def test_where_there_is_nothing_to_compare_with_nothing_is_marked(texts: list[str]) -> None:
    assert not any(new for one in different_words(texts) for _, new in one)
