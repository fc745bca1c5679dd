"""The map of wording: what PCA explains, samples that are even over columns, and a title that claims no stance."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.figures import answer_map
from pipelines.stance.study import Study
from tests.unit.test_study import made_up, seeded


def vectors(count: int, seed: int = 1) -> np.ndarray:
    """Vectors that differ most in the third dimension, then in the first."""
    made = np.random.default_rng(seed).normal(size=(count, 8)) * np.array([2, 0.1, 5, 0.1, 0.1, 0.1, 0.1, 0.1])
    return made.astype(np.float32)


def test_the_directions_are_those_in_which_the_vectors_differ_most() -> None:
    made = vectors(200)
    places, shares = answer_map.projected(made)
    assert abs(np.corrcoef(places[:, 0], made[:, 2])[0, 1]) > 0.99 and abs(np.corrcoef(places[:, 1], made[:, 0])[0, 1]) > 0.97
    variance = made.var(axis=0)
    assert shares[0] == pytest.approx(variance[2] / variance.sum(), abs=0.02) and shares[0] > shares[1]


def test_the_same_vectors_always_give_the_same_map_whichever_way_the_solver_turns_it() -> None:
    made = vectors(50)
    places, _ = answer_map.projected(made)
    assert np.allclose(places, answer_map.projected(made.copy())[0]) and np.corrcoef(places[:, 0], made[:, 2])[0, 1] > 0.99


@pytest.mark.parametrize("made", [np.zeros((0, 4)), np.ones((2, 4)), np.ones((9, 4))])
def test_what_does_not_differ_explains_nothing(made: np.ndarray) -> None:
    places, shares = answer_map.projected(made)
    assert places.shape == (len(made), 2) and not places.any() and shares == (0.0, 0.0)


def test_the_title_says_that_it_is_no_stance_and_what_it_explains() -> None:
    made = made_up()
    figure = answer_map.plot(made, vectors(160))
    _, shares = answer_map.projected(vectors(160))
    assert figure.layout.title.text == "Map of wording, not a stance"
    assert (
        f"explains {sum(shares):.0%} of the variance" in figure.layout.title.subtitle.text
        and "160 answers" in figure.layout.title.subtitle.text
    )
    assert figure.layout.xaxis.title.text.startswith("first component") and "left" not in str(figure.layout.xaxis.title.text)


def test_columns_differ_in_colour_and_in_symbol() -> None:
    figure = answer_map.plot(made_up(), vectors(160))
    assert len({trace.marker.color for trace in figure.data}) == len({trace.marker.symbol for trace in figure.data}) == 4
    assert "<b>0</b>" not in "".join(figure.data[0].text) and "q-economic-0" in "".join(figure.data[0].text)


def test_a_large_study_is_sampled_evenly_and_says_of_how_many() -> None:
    made = made_up()
    taken = answer_map.sample(made, 60)
    assert taken == sorted(set(taken)) == answer_map.sample(made, 60)
    assert [sum(made.answers[number]["column"] == name for number in taken) for name in made.columns] == [15] * 4
    figure = answer_map.plot(made, vectors(60), taken)
    assert "60 of 160 answers" in figure.layout.title.subtitle.text and sum(len(trace.x) for trace in figure.data) == 60
    wanted = {(made.answers[number]["question"], made.answers[number]["sample"], made.answers[number]["column"]) for number in taken}
    assert {tuple(one) for trace in figure.data for one in trace.customdata} == wanted


def test_a_column_with_few_answers_gives_all_and_the_others_share_the_rest() -> None:
    made = made_up()
    made.answers = [a for a in made.answers if a["column"] != "left" or a["question"] == "q-social-1"]
    taken = answer_map.sample(made, 62)
    assert [sum(made.answers[number]["column"] == name for number in taken) for name in made.columns] == [20, 2, 20, 20]
    assert len(answer_map.sample(made, 1000)) == len(made.answers)


def test_a_study_of_many_seeds_is_sampled_over_all_of_them() -> None:
    made: Study = seeded({"left": [-1.0] * 5, "right": [1.0] * 5, "placebo": [0.0] * 5})
    taken = answer_map.sample(made, 100)
    assert len(taken) == 100 and {made.answers[number]["column"] for number in taken} == set(made.columns)
