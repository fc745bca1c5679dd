"""Intervals and power of votes: against tables, against summing every outcome, and by reviews that are made up many times over."""

from itertools import product

import numpy as np
import pytest

from pipelines.review.intervals import clusters_needed, crossed, detectable, exact, percent, power, rule_needs, sign_flips, votes_needed
from pipelines.review.power import out_of_reach, power_so_far
from pipelines.stance.statistics import shift


@pytest.mark.parametrize(("rate", "needed"), [(0.6, 199), (0.65, 90), (0.7, 49), (0.4, 199), (1.0, 6)])
def test_votes_for_eighty_percent_power(rate, needed):
    assert votes_needed(rate) == needed
    assert power(needed, rate) >= 0.8 > power(needed - 1, rate)


def test_no_review_is_large_enough_for_a_rate_at_one_half():
    assert votes_needed(0.5) is votes_needed(0.504) is votes_needed(1.2) is None
    assert votes_needed(0.506) > 50_000


def test_power_agrees_with_summing_the_chances_of_all_outcomes():
    from scipy.stats import binom, binomtest

    rejected = [k for k in range(31) if binomtest(k, 30).pvalue <= 0.05]
    assert power(30, 0.7) == pytest.approx(sum(binom.pmf(k, 30, 0.7) for k in rejected))
    assert power(30, 0.5) <= 0.05
    assert power(5, 1.0) == 0 and detectable(5) is None


def test_what_is_detectable_needs_no_more_votes_than_there_are():
    assert detectable(49) == 0.7 and detectable(199) == 0.6
    assert power_so_far(60).still == {0.6: 139, 0.65: 30, 0.7: 0}


@pytest.mark.parametrize(("tests", "needed"), [(1, {0.6: 446, 0.65: 196, 0.7: 109}), (3, {0.6: 618, 0.65: 273, 0.7: 152})])
def test_the_studios_rule_needs_more_votes_than_the_exact_test_and_more_for_more_tests(tests, needed):
    """By hand for one test at .70: ((1.95996 x 1.73205 / 2 + 0.84162 x 0.45826) / 0.2)^2 = 108.5."""
    found = power_so_far(60, tests)
    assert (found.rule_needed, found.needed) == (needed, {0.6: 199, 0.65: 90, 0.7: 49})
    assert found.rule_still == {rate: count - 60 for rate, count in needed.items()}
    assert rule_needs(0.3) == rule_needs(0.7) and rule_needs(0.5) is rule_needs(1.2) is None


def test_the_sentence_on_power_keeps_the_rule_and_the_exact_test_apart():
    said = power_so_far(109).sentence
    assert "109 decided votes can at best establish a true rate of 70% or more" in said
    assert "Still needed for 80% power: about 337 for a true rate of 60%, 87 for 65%; more with few" in said
    assert said.endswith("An exact test alone takes at least 199, 90 and 49.")
    assert "too few" in power_so_far(0).sentence and "none at the planned rates" in power_so_far(446).sentence
    assert "with 3 tests: about" in power_so_far(109, 3).sentence and "a true rate of 74% or more" in power_so_far(109, 3).sentence


@pytest.mark.parametrize("tests", [1, 2, 3, 9, 30])
def test_fewer_clusters_than_are_needed_can_not_reach_p_after_correction(tests):
    least = clusters_needed(tests)
    assert sign_flips([1] * least) <= 0.05 / tests < sign_flips([1] * (least - 1))


def test_what_no_votes_could_establish_is_said():
    assert out_of_reach(6, 1) == out_of_reach(7, 3) == ""
    assert out_of_reach(6, 3) == "6 questions are too few to establish anything with 3 tests: it takes 7."


@pytest.mark.parametrize("given", [[3, -1, 2, 2, 5, 1], [3] * 6 + [-3], [1, -1, 0], [2, 2, -7, 4, 1, 1, 3, 9, 9], [-4, -4, -4, 0, 1]])
def test_sign_flips_counts_every_flip_and_agrees_with_the_projects_other_sign_flip_test(given):
    sums = [abs(sum(sign * one for sign, one in zip(signs, given, strict=True))) for signs in product((1, -1), repeat=len(given))]
    assert sign_flips(given) == pytest.approx(np.mean([one >= abs(sum(given)) for one in sums]))
    assert sign_flips(given) == pytest.approx(shift(given).p)


def test_sign_flips_of_many_clusters_and_of_none():
    assert sign_flips([]) == sign_flips([0, 0]) == 1
    assert sign_flips([1] * 60 + [-1] * 40) == pytest.approx(0.0569, abs=1e-4)  # the exact binomial p of 60 of 100
    assert sign_flips([7] * 200) == pytest.approx(2 * 0.5**200)


def test_exact_interval_is_clopper_pearson():
    assert exact(0, 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert exact(8, 10) == pytest.approx((0.4439, 0.9748), abs=1e-4)  # the usual table
    assert exact(0, 0) is None


def simulated(prompts, raters, prompt_sd, rater_sd, chance, center=0.4):
    logit = center + prompt_sd * chance.standard_normal((prompts, 1)) + rater_sd * chance.standard_normal((1, raters))
    won = chance.random((prompts, raters)) < 1 / (1 + np.exp(-logit))
    kept = chance.random((prompts, raters)) < 0.8
    return [(f"p{p}", r, float(won[p, r])) for p in range(prompts) for r in range(raters) if kept[p, r]]


@pytest.mark.parametrize(("prompt_sd", "rater_sd"), [(1.0, 0.5), (0.0, 0.0), (0.8, 1.0)])
def test_the_clustered_interval_covers_where_the_exact_one_does_not(prompt_sd, rater_sd):
    """20 prompts, 6 raters, a fifth of the votes missing; 150 reviews, so 95% comes with an error of 1.8 points."""
    chance = np.random.default_rng(7)
    logits = 0.4 + np.hypot(prompt_sd, rater_sd) * chance.standard_normal(100_000)
    true = float(np.mean(1 / (1 + np.exp(-logits))))
    clustered = single = 0
    for _ in range(150):
        cells = simulated(20, 6, prompt_sd, rater_sd, chance)
        low, high, _ = crossed(cells, 800)
        alone = exact(int(sum(value for _, _, value in cells)), len(cells))
        clustered += low <= true <= high
        single += alone[0] <= true <= alone[1]
    assert clustered / 150 >= 0.9
    assert (single / 150 < 0.86) == (prompt_sd > 0)


def test_the_clustered_p_rejects_a_true_null_about_as_rarely_as_it_says():
    chance = np.random.default_rng(5)
    rejected = [crossed(simulated(20, 6, 0.8, 0.5, chance, center=0.0), 800)[2] <= 0.05 for _ in range(150)]
    assert np.mean(rejected) <= 0.09


def test_percent_never_rounds_to_none_or_all():
    assert [percent(value) for value in (0, 0.002, 0.5, 0.998, 1)] == ["0%", "under 1%", "50%", "over 99%", "100%"]
