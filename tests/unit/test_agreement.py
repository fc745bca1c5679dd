"""Agreement: Krippendorff's published examples, a second implementation, and every case in which it can't be told."""

import random
from itertools import permutations

import numpy as np
import pytest

from pipelines.errors import StudioError
from pipelines.review import agreement
from pipelines.review.agreement import alpha_of, by_code, by_question, false_alarms, krippendorff_alpha, self_consistency
from pipelines.review.ballots import Vote
from pipelines.review.design import ASKED
from tests.voted import protocol, votes

# one row an observer, one place a unit, "." for a missing rating
Y2011 = ("123321412...", "1233224125..", ".33323422513", "12332441251.")
CODERS = (".....34121133.3", "1.213343.......", "..21344.21133.4")


def units(rows):
    return {
        f"u{place}": {rater: row[place] for rater, row in enumerate(rows) if row[place] != "."}
        for place in range(len(rows[0]))
        if any(row[place] != "." for row in rows)
    }


def by_definition(ratings):
    """Mean disagreement of pairs within units over mean disagreement of all pairs of pairable values, by counting every pair."""
    paired = [list(unit.values()) for unit in ratings.values() if len(unit) > 1]
    pooled = [value for unit in paired for value in unit]
    observed = sum((one != other) / (len(unit) - 1) for unit in paired for one, other in permutations(unit, 2)) / len(pooled)
    expected = sum(one != other for one, other in permutations(pooled, 2)) / (len(pooled) * (len(pooled) - 1))
    return 1 - observed / expected


@pytest.mark.parametrize(("rows", "published", "n"), [(Y2011, 0.743, 11), (CODERS, 0.691, 12)])
def test_alpha_gives_the_published_values_with_missing_ratings(rows, published, n):
    """Krippendorff 2011, section C (four observers, twelve units), and the three coders of the usual encyclopedia example."""
    found = krippendorff_alpha(units(rows))
    assert round(found.value, 3) == published
    assert found.value == pytest.approx(by_definition(units(rows)))
    assert found.low < found.value < found.high
    assert (found.n, found.raters) == (n, len(rows))


@pytest.mark.parametrize("seed", range(5))
def test_alpha_agrees_with_counting_every_pair_on_random_ratings(seed):
    chance = random.Random(seed)
    ratings = {f"u{n}": {rater: chance.choice("xyz") for rater in range(4) if chance.random() < 0.7} for n in range(15)}
    assert krippendorff_alpha(ratings).value == pytest.approx(by_definition(ratings))


def test_a_resample_has_the_alpha_of_the_units_that_it_drew():
    counts = np.array([[2.0, 0], [1, 1], [0, 3], [2, 1]])
    apart = np.array([(row * (row.sum() - row)).sum() / (row.sum() - 1) for row in counts])
    drawn = np.random.default_rng(agreement.SEED).multinomial(4, np.full(4, 0.25), size=agreement.RESAMPLES)
    expected = []
    for times in drawn:
        made = [row for row, n in zip(counts, times, strict=True) for _ in range(n)]
        ratings = {str(n): dict(enumerate("x" * int(row[0]) + "y" * int(row[1]))) for n, row in enumerate(made)}
        if len({value for unit in ratings.values() for value in unit.values()}) > 1:
            expected.append(by_definition(ratings))
    assert agreement.resampled_alphas(counts, apart) == pytest.approx(np.array(expected))


def test_the_interval_holds_the_alpha_of_many_units_about_as_often_as_it_says():
    """Two raters who both see the truth with 80% certainty: alpha of a very long list against intervals over 40 units."""

    def ratings(n, chance):
        truth = chance.integers(0, 2, n)
        seen = [np.where(chance.random(n) < 0.8, truth, 1 - truth) for _ in range(2)]
        return {f"u{place}": {rater: "xy"[row[place]] for rater, row in enumerate(seen)} for place in range(n)}

    chance = np.random.default_rng(3)
    true = (2 * 0.8 - 1) ** 2  # agreement .68 where chance gives .5
    held = [(found := krippendorff_alpha(ratings(40, chance))).low <= true <= found.high for _ in range(150)]
    assert 0.88 <= np.mean(held) <= 0.99


def test_units_of_one_prompt_are_drawn_together():
    rows = ("xyxy" * 6, "xyxy" * 4 + "yxyx" * 2)
    grouped = {f"u{place}": f"p{place // 4}" for place in range(24)}
    alone, together = krippendorff_alpha(units(rows)), krippendorff_alpha(units(rows), grouped)
    assert alone.value == together.value
    assert together.high - together.low > 1.2 * (alone.high - alone.low)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (("....",), "nobody has judged"),
        (("xyxy",), "two raters"),
        (("xy..", "..xy"), "two raters"),
        (("xxxx", "xxxx"), "are the same"),
        (("x", "y"), "too few of them"),
        (("xyxy", "xyxx"), "too few of them"),
        (("xyxy", "xyxy"), "no disagreement"),
    ],
)
def test_what_cannot_be_told_is_a_sentence_and_no_number(rows, said):
    found = krippendorff_alpha(units(rows))
    assert said in found.sentence
    assert (found.low, found.high) == (None, None)
    assert "nan" not in found.sentence


def test_one_prompt_alone_gives_no_interval():
    found = krippendorff_alpha(units(("xyxy", "xyyx")), dict.fromkeys(["u0", "u1", "u2", "u3"], "p"))
    assert found.value is not None and found.low is None and "not established" in found.sentence


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (("xyxyxyxyxyxyxyxy" * 2, "xyyxxyyxxyyxxyyx" * 2), "Not established: that raters agree more than by chance"),
        (("xy" * 60, "xy" * 59 + "yx"), "well enough to rely on"),
        (("xy" * 60, "xy" * 54 + "yx" * 6), "tentative conclusions"),
        (("xy" * 60, "xy" * 40 + "yx" * 20), "too little to rely on"),
        (("xy" * 15, "xy" * 12 + "yx" * 3), "not established: that they agree enough"),
    ],
)
def test_the_verdict_follows_the_interval_and_not_the_number(rows, verdict):
    found = krippendorff_alpha(units(rows))
    assert verdict in found.sentence
    assert f"{found.value:.2f}" in found.sentence and f"{found.low:.2f} to {found.high:.2f}" in found.sentence


def test_guessing_has_no_agreement_even_with_three_columns():
    """Column names as values would give .25 here, since no item can get every column."""
    frozen = protocol(("base", "left", "right"), 60)
    chance = random.Random(1)
    cast = [Vote(rater, item.id, "economy", chance.choice(("first", "second")), "") for item in frozen.items for rater in range(4)]
    found = alpha_of(cast, frozen, "economy")
    assert found.n == 180 and abs(found.value) < 0.1


def test_alpha_leaves_out_cannot_tell_repeats_and_the_base_against_itself():
    frozen = protocol(prompts=5)
    cast = votes(frozen, ["12=1?", "12=2?"])
    more = [Vote(rater, item, "economy", "first", "") for rater in (0, 1) for item in ("again", "null")]
    assert alpha_of(cast + more, frozen, "economy") == alpha_of(votes(frozen, ["12=1.", "12=2."]), frozen, "economy")


def test_questions_are_told_apart_and_unknown_ones_refused():
    frozen = protocol(prompts=6, asked=ASKED)
    cast = votes(frozen, ["121212", "121221"]) + votes(frozen, ["121212", "212121"], asked="social")
    found = by_question(cast, frozen)
    assert list(found) == ["economy", "social", "writing"]
    assert found["economy"].value > 0 > found["social"].value
    assert found["writing"].value is None
    with pytest.raises(StudioError, match="does not ask"):
        alpha_of(cast, frozen, "humor")


def test_every_code_has_its_own_alpha():
    coded = {
        f"a{n}": {0: {"hedge"} if n % 2 else set(), 1: ({"hedge"} if n % 2 else set()) | ({"liberty"} if n < 3 else set())}
        for n in range(8)
    }
    found = by_code(coded, ["hedge", "liberty", "fairness"])
    assert found["hedge"].value == 1
    assert found["liberty"].value < 0.1
    assert found["fairness"].value is None and "8 answers" in found["fairness"].sentence


def test_self_consistency_counts_the_same_column_at_both_times():
    frozen = protocol()
    cast = [Vote(rater, "p0:base:left", "economy", seen, "") for rater, seen in enumerate(["first", "second", "same", "unsure", "first"])]
    again = [Vote(rater, "again", "economy", seen, "") for rater, seen in enumerate(["first", "first", "same", "unsure"])]
    found = self_consistency(cast + again, frozen, "economy")
    assert (found.value, found.n, found.raters) == (0.75, 4, 4)
    assert (round(found.low, 3), round(found.high, 3)) == (0.194, 0.994)  # Clopper-Pearson of 3 in 4
    assert "75% of 4 repeated pairs" in found.sentence
    assert self_consistency(again, frozen, "economy").value is None


def test_false_alarms_are_choices_where_a_model_meets_itself():
    frozen = protocol()
    cast = [Vote(n, "null", "economy", seen, "") for n, seen in enumerate(["first", "second", "same", "unsure", "same"])]
    found = false_alarms(cast, frozen, "economy")
    assert (found.value, found.n) == (0.4, 5)
    assert "40% of 5 votes" in found.sentence and "same words" not in found.sentence
    none = false_alarms(cast[2:3] * 10, frozen, "economy")
    assert none.value == 0 and none.high == pytest.approx(1 - 0.025 ** (1 / 10))
    assert "can't be told" in false_alarms([], frozen, "economy").sentence
