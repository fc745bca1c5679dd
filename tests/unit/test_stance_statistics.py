"""Tests, intervals and correlations of shifts against textbook values."""

import numpy as np
import pytest

from pipelines.stance import statistics


def test_benjamini_hochberg_adjusts_like_the_textbook_and_keeps_the_order() -> None:
    assert statistics.benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert statistics.benjamini_hochberg([]) == []


def test_the_chance_ring_is_as_wide_as_the_normal_approximation_says_and_knows_no_side() -> None:
    firm = [1.0] * 30
    assert statistics.ring(firm) == pytest.approx(10 * 1.96 / 30**0.5, abs=0.25)
    assert statistics.ring([-value for value in firm]) == pytest.approx(statistics.ring(firm), abs=0.01)
    assert statistics.ring([0.1] * 30) == pytest.approx(statistics.ring(firm) / 10) and statistics.ring(firm, 1.0) < 1


def test_who_does_not_answer_has_no_ring() -> None:
    assert statistics.ring([]) == 0.0 and statistics.ring([0.0] * 10) == 0.0


def test_spearman_sees_any_rising_curve_and_pearson_only_a_line() -> None:
    x = np.linspace(0.1, 3, 20)
    rising = statistics.correlation(x, np.exp(x))
    assert rising.r == pytest.approx(1) and rising.n == 20
    line = statistics.correlation(x, np.exp(x), "pearson")
    assert line.r is not None and line.low is not None and line.high is not None and line.low <= line.r <= line.high < 1


def test_a_correlation_of_noise_has_zero_in_its_interval_and_of_a_relation_has_not() -> None:
    random = np.random.default_rng(5)
    x, noise = random.normal(size=32), random.normal(size=32)
    unrelated, related = statistics.correlation(x, noise), statistics.correlation(x, x + 0.5 * noise)
    assert unrelated.low is not None and unrelated.high is not None and unrelated.low < 0 < unrelated.high
    assert related.low is not None and related.low > 0.3


@pytest.mark.parametrize(("x", "y"), [([1, 2, 3], [1, 2, 3]), ([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]), ([], [])])
def test_too_few_items_or_a_side_without_spread_have_no_correlation(x: list[float], y: list[float]) -> None:
    found = statistics.correlation(x, y)
    assert (found.r, found.low, found.high, found.n) == (None, None, None, len(x))


def test_dz_is_the_mean_difference_in_its_own_standard_deviations() -> None:
    assert statistics.dz([1, 2, 3]) == pytest.approx(2.0) and statistics.dz([-1, 1]) == pytest.approx(0.0)
    assert statistics.dz([1, 1, 1]) is None and statistics.dz([1]) is None


def test_a_few_values_get_students_interval() -> None:
    found = statistics.t_shift([1, 2, 3])
    assert (found.low, found.high) == pytest.approx((2 - 2.4841, 2 + 2.4841), abs=1e-3) and found.p == pytest.approx(0.0742, abs=1e-3)
    assert statistics.t_shift([0.5]) == statistics.Shift(0.5, 0.5, 0.5, 1.0, 1) and statistics.t_shift([]).n == 0


def test_five_training_seeds_that_all_agree_can_not_be_more_than_one_in_sixteen() -> None:
    found = statistics.seed_shift([1.0, 1.1, 0.9, 1.2, 1.05])
    assert found.p == pytest.approx(statistics.least_p(5)) == pytest.approx(2 / 32)
    assert found.low > 0, "the interval says more than the p of so few sign flips"
    assert statistics.seed_shift([1.0, 1.1, 0.9, 1.2, 1.05, 1.0]).p == pytest.approx(2 / 64)


def test_two_groups_that_do_not_overlap_reach_the_smallest_permutation_p() -> None:
    found = statistics.apart([5.0, 5.1, 4.9, 5.2, 5.05], [1.0, 1.1, 0.9, 1.2, 1.3])
    assert found.p == pytest.approx(statistics.least_p(5, 5)) == pytest.approx(2 / 252)
    assert found.low < found.mean < found.high and found.mean == pytest.approx(3.95, abs=0.01) and found.n == 5
    alike = statistics.apart([1.0, 2.0, 3.0], [1.1, 2.1, 2.9, 2.0])
    assert alike.low < 0 < alike.high and alike.p > 0.5 and alike.n == 3


def test_a_group_of_one_is_no_group() -> None:
    assert statistics.apart([1.0], [2.0, 3.0]) == statistics.Shift(-1.5, -1.5, -1.5, 1.0, 1)
    assert statistics.apart([], [1.0]).n == 0
