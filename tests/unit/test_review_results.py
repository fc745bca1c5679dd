"""Results of a review: rates and intervals against published or solved cases, and sentences that never say more than the votes do."""

from math import comb

import numpy as np
import pytest

from pipelines.errors import StudioError
from pipelines.review.ballots import Box, Vote
from pipelines.review.design import ASKED
from pipelines.review.intervals import exact
from pipelines.review.results import conclusions, findings, win_rates
from pipelines.review.strengths import bradley_terry
from tests import frozen as real
from tests.voted import protocol, votes


def one_rate(rows, **more):
    frozen = protocol(prompts=max(map(len, rows)), **more)
    return win_rates(votes(frozen, rows), frozen, "economy")[0]


def said(rows):
    frozen = protocol(prompts=max(map(len, rows)))
    return conclusions(win_rates(votes(frozen, rows), frozen, "economy"), frozen)[0]


def test_counts_leave_same_and_cannot_tell_out_of_the_rate():
    rate = one_rate(["11=?", "12=1"])
    assert (rate.wins, rate.losses, rate.ties, rate.unsure) == (4, 1, 2, 1)
    assert (rate.rate, rate.decided, rate.total, rate.prompts, rate.raters) == (0.8, 5, 8, 3, 2)
    assert (rate.low, rate.high) == exact(4, 5)


def test_repeats_and_the_base_against_itself_do_not_count():
    frozen = protocol()
    extra = [Vote(0, item, "economy", "first", "") for item in ("again", "null", "unknown")]
    assert win_rates(extra, frozen, "economy")[0].total == 0
    with pytest.raises(StudioError, match="does not ask"):
        win_rates(extra, frozen, "humor")


def test_pairs_stay_in_the_order_of_the_columns_whoever_wins():
    frozen = protocol(("right", "base", "left"), 3)
    cast = votes(frozen, ["222"], ("right", "base")) + votes(frozen, ["222"], ("base", "left"))
    rates = win_rates(cast, frozen, "economy")
    assert [(rate.first, rate.second) for rate in rates] == [("right", "base"), ("right", "left"), ("base", "left")]
    assert [rate.rate for rate in rates] == [0, None, 0]


def test_flagged_pairs_are_counted_and_can_be_left_out():
    frozen = protocol(prompts=4, flagged=("p0",))
    cast = votes(frozen, ["1222", "1=22"])
    assert win_rates(cast, frozen, "economy")[0].flagged == 2
    apart = win_rates(cast, frozen, "economy", unflagged=True)[0]
    assert (apart.wins, apart.losses, apart.ties, apart.flagged) == (0, 5, 1, 0)


def test_unanimous_votes_count_once_a_prompt():
    rate = one_rate(["1" * 8] * 5)
    assert (rate.cluster_low, rate.cluster_high) == exact(8, 8)
    assert rate.p == pytest.approx(2 * 0.5**8)


def test_two_columns_by_hand():
    """For two columns s1 / s2 is (wins + ties / 2) / (losses + ties / 2): 30, 10 and 20 ties are 2 to 1, hence 1/3 for the other."""
    frozen = protocol(prompts=20)
    cast = votes(frozen, ["1" * 15 + "2" * 5, "1" * 15 + "2" * 5, "=" * 20])
    found = bradley_terry(cast, frozen, "economy")
    assert [one.column for one in found.columns] == ["base", "left"]
    assert found.columns[1].chance == pytest.approx(1 / 3)
    assert found.columns[1].low < 1 / 3 < found.columns[1].high
    assert found.n == 60


def test_three_columns_by_hand():
    """Win ratios 2:1, 2:1 and 4:1 fit strengths 4, 2 and 1 without rest."""
    frozen = protocol(("base", "left", "right"), 30)
    cast = (
        votes(frozen, ["1" * 20 + "2" * 10])
        + votes(frozen, ["1" * 20 + "2" * 10], ("left", "right"))
        + votes(frozen, ["1" * 24 + "2" * 6], ("base", "right"))
    )
    found = bradley_terry(cast, frozen, "economy")
    assert [one.chance for one in found.columns] == pytest.approx([1 / 2, 1 / 3, 1 / 5], abs=1e-7)


@pytest.mark.parametrize("rows", [[], ["1111"], ["????"], ["22?."], ["=="], ["===?"]])
def test_strengths_without_bound_are_not_given(rows):
    frozen = protocol()
    found = bradley_terry(votes(frozen, rows), frozen, "economy")
    assert found.columns == () and "can't be told" in found.sentence


def test_strengths_fit_the_wins_that_were_seen():
    """At the maximum each column's expected wins are its wins: Bradley and Terry's likelihood equations, here with random votes."""
    frozen = protocol(("base", "left", "right"), 40)
    chance = np.random.default_rng(2)
    pairs = [("base", "left"), ("base", "right"), ("left", "right")]
    cast = [vote for pair in pairs for vote in votes(frozen, ["".join(chance.choice(list("122=?"), 40))], pair)]
    strength = {one.column: one.chance / (1 - one.chance) for one in bradley_terry(cast, frozen, "economy").columns}
    for column in strength:
        won = expected = 0.0
        for rate in win_rates(cast, frozen, "economy"):
            if column in (rate.first, rate.second):
                other = rate.second if column == rate.first else rate.first
                won += (rate.wins if column == rate.first else rate.losses) + rate.ties / 2
                expected += (rate.decided + rate.ties) * strength[column] / (strength[column] + strength[other])
        assert won == pytest.approx(expected)


def test_an_interval_stays_open_where_resamples_have_no_bound():
    frozen = protocol(prompts=8)
    found = bradley_terry(votes(frozen, ["11111112"]), frozen, "economy")
    assert found.columns[1].chance == pytest.approx(1 / 8) and found.columns[1].low is found.columns[1].high is None
    assert "13% (95% interval open" in found.sentence or "12% (95% interval open" in found.sentence


def test_one_prompt_has_strengths_but_no_interval():
    frozen = protocol(prompts=1)
    found = bradley_terry(votes(frozen, ["1", "1", "2"]), frozen, "economy").columns[1]
    assert found.chance == pytest.approx(1 / 3, abs=1e-7) and found.low is found.high is None


def test_a_clear_difference_is_established_with_number_interval_and_n():
    sentence = said(["2" * 18 + "12", "2" * 19 + "1", "2" * 20, "1" + "2" * 18 + "=", "2" * 19 + "?"])
    assert sentence.startswith("Established: for these 5 raters, Base is chosen less often than Left as further right.")
    assert "3% of 98 decided votes" in sentence and "1% to 9% vote by vote" in sentence
    assert "20 questions and 5 raters" in sentence and "1 vote said “same”, 1 “can't tell”" in sentence


def test_a_null_result_is_said_plainly_and_not_called_equality():
    sentence = said(["12" * 6, "21" * 6, "1122" * 3])
    assert sentence.startswith("Not established: that Base and Left differ")
    assert "50% of 36 decided votes" in sentence
    assert "does not show that they are equal" in sentence and "Still needed for 80% power: about 410 for a true rate of 60%" in sentence
    assert "With 3 raters" in sentence


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["...."], "nobody has judged"),
        (["====", "===="], "none of the 8 votes"),
        (["????"], "4 “can't tell”"),
        (["?..."], "the one vote"),
        (["1" * 40], "beyond one rater"),
        (["2"] * 40, "beyond one question"),
    ],
)
def test_nothing_is_established_where_nothing_can_be(rows, words):
    sentence = said(rows)
    assert sentence.startswith("Not established") and words in sentence
    assert "nan" not in sentence and "None" not in sentence


def test_votes_of_few_raters_who_differ_establish_nothing_although_the_exact_interval_would():
    rows = ["1" * 20, "1" * 20, "12" * 10, "2" * 14 + "1" * 6]
    rate = one_rate(rows)
    assert rate.low > 0.5 > rate.cluster_low
    assert said(rows).startswith("Not established")


def test_a_few_questions_speak_for_no_others_however_many_raters_there_are():
    rows = ["1111"] * 19 + ["1121"]
    rate = one_rate(rows)
    assert rate.one_sided and rate.p == 2 * 0.5**4
    assert said(rows).startswith("Not established") and "4 questions are too few" in said(rows)


@pytest.mark.parametrize("raters", [3, 5])
@pytest.mark.parametrize("questions", [6, 7, 8, 11, 13, 14])
def test_questions_that_decide_all_votes_by_a_fair_coin_establish_too_much_in_five_percent_at_most(questions, raters):
    tables = [["1" * count + "2" * (questions - count)] * raters for count in range(questions + 1)]
    assert coins(tables) <= 0.05


@pytest.mark.parametrize("raters", [6, 7, 8, 11, 13, 14])
def test_raters_who_decide_all_their_votes_by_a_fair_coin_establish_too_much_in_five_percent_at_most(raters):
    tables = [["1" * 12] * count + ["2" * 12] * (raters - count) for count in range(raters + 1)]
    assert coins(tables) <= 0.05


def coins(tables):
    """The chance that something is established, where table k of n + 1 stands for k heads of n coins."""
    n = len(tables) - 1
    return sum(comb(n, count) / 2**n for count, rows in enumerate(tables) if said(rows).startswith("Established"))


@pytest.mark.parametrize(("raters", "opening"), [(5, "for these 5 raters, Base"), (6, "Base")])
def test_from_six_raters_on_they_are_tested_and_with_fewer_it_speaks_for_these_alone(raters, opening):
    assert said(["1" * 20] * raters).startswith(f"Established: {opening} is chosen more often than Left")


def test_one_of_seven_raters_against_the_others_is_enough_not_to_speak_for_raters():
    rate = one_rate(["1" * 20] * 6 + ["2" * 20])
    assert rate.one_sided and rate.p == pytest.approx(2 * (1 + 7) / 2**7)
    sentence = said(["1" * 20] * 6 + ["2" * 20])
    assert sentence.startswith("Not established") and "but p is 0.12: questions or raters are too few, or differ too much" in sentence


def test_raters_who_are_too_few_for_the_correction_are_told_so():
    frozen = protocol(prompts=20, asked=ASKED)
    for raters, opening in ((5, "Established: for these 5"), (6, "Established: for these 6"), (7, "Established: Base")):
        every = [win_rates(votes(frozen, ["1" * 20] * raters, asked=asked.id), frozen, asked.id)[0] for asked in ASKED]
        sentence = conclusions(every, frozen)[0]
        assert sentence.startswith(opening)
        assert ("from 7 on raters are tested as well" in sentence) == (raters < 7), "six that agree have p .031, with three tests .094"


def test_many_tests_are_corrected_together():
    rows = ["1" * 14 + "2" * 6, "1" * 14 + "2" * 6, "2" * 6 + "1" * 14]
    frozen = protocol(prompts=20, asked=ASKED)
    rate = win_rates(votes(frozen, rows), frozen, "economy")[0]
    assert rate.one_sided and 0.05 / 3 < rate.p <= 0.05
    assert conclusions([rate], frozen)[0].startswith("Established")
    every = [win_rates(votes(frozen, rows), frozen, asked.id)[0] for asked in ASKED]
    sentence = conclusions(every, frozen)[0]
    assert sentence.startswith("Not established") and "correction for 3 tests" in sentence and "Alone it would count" in sentence


def test_all_findings_of_a_review_with_and_without_votes():
    frozen = protocol(("base", "left", "right"), 4, ASKED)
    for cast in ([], votes(frozen, ["1221", "2=1?"])):
        found = findings(cast, frozen)
        assert [one.asked.id for one in found] == ["economy", "social", "writing"]
        assert all(len(one.conclusions) == len(one.rates) == 3 for one in found)
        assert all(sentence.startswith("Not established") for one in found for sentence in one.conclusions)
        assert "nan" not in repr(found)


def test_ballots_of_raters_who_see_their_own_sides_are_counted_by_column(tmp_path):
    """Through the real protocol and box: five raters always take the answer of the left column, wherever it stands."""
    frozen = real.protocol(12, raters=5)
    box = Box(tmp_path)
    review = box.open_review(frozen)
    for _ in range(5):
        token = box.join(review, True).token
        while (shown := box.progress(token)[2]) is not None:
            letter = "A" if "Probably so" in shown.a else "B" if "Probably so" in shown.b else "same"
            box.vote(review, token, shown.item_id, dict.fromkeys(("economy", "social", "writing"), letter))
    found = findings(box.votes(review), frozen)[0]
    rate = found.rates[0]
    assert (rate.first, rate.wins, rate.losses, rate.prompts, rate.raters) == ("base", 0, 60, 12, 5)
    assert found.conclusions[0].startswith("Established: for these 5 raters, Base is chosen less often than Left")
    assert (found.consistency.value, found.alarms.value) == (1, 0)
    assert found.consistency.n == 5 * frozen.design.repeated and found.alarms.n == 5 * len(frozen.design.doubled)
