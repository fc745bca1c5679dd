"""The simulation behind `benchmarks.review` plants the truth that it says it plants, and times votes that are counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks import review


@pytest.mark.parametrize("spread", list(review.SPREADS))
@pytest.mark.parametrize("rate", [review.NULL, review.TRUE])
def test_the_true_rate_over_new_prompts_and_raters_is_the_planted_one(spread: str, rate: float) -> None:
    protocol, chance = review.frozen(8), np.random.default_rng(1)
    said = Counter(vote.vote_in_columns for _ in range(300) for vote in review.simulated(protocol, 4, rate, review.SPREADS[spread], chance))
    assert said["first"] / (said["first"] + said["second"]) == pytest.approx(rate, abs=0.03)
    assert said["same"] / said.total() == pytest.approx(review.SAME, abs=0.02)
    assert said["unsure"] / said.total() == pytest.approx(review.UNSURE, abs=0.02)


def test_effects_make_the_rates_of_prompts_differ_more_than_chance() -> None:
    protocol = review.frozen(40)
    spreads = {}
    for name, sizes in review.SPREADS.items():
        votes = review.simulated(protocol, 100, review.NULL, sizes, np.random.default_rng(1))
        counts = [Counter(vote.vote_in_columns for vote in votes if vote.item_id == item.id) for item in protocol.items]
        spreads[name] = float(np.std([one["first"] / (one["first"] + one["second"]) for one in counts]))
    assert spreads["none"] < 0.08 < spreads["some"] < spreads["much"]


def test_independent_votes_are_as_many_as_are_said_to_be_needed() -> None:
    found = [(one["tests"], one["votes"], one["raters"], one["prompts"]) for one in review.powers(1, 2)]
    assert found == [(1, 49, 7, 7), (1, 109, 10, 11), (3, 152, 12, 13)]


def test_of_several_things_asked_only_the_first_has_a_true_difference() -> None:
    protocol, chance = review.frozen(13, asked=3), np.random.default_rng(1)
    said = Counter((vote.asked_id, vote.vote_in_columns) for _ in range(20) for vote in review._independent(protocol, 12, 152, chance))
    shares = [said[one.id, "first"] / (20 * 152) for one in protocol.design.asked]
    assert shares == pytest.approx([0.7, 0.5, 0.5], abs=0.03) and said.total() == 3 * 20 * 152


def test_every_timed_ballot_was_counted(tmp_path: Path) -> None:
    speed = review.written(tmp_path)
    assert speed["per_second"] > 0 and speed["crowd_p95_ms"] >= speed["crowd_p50_ms"] > 0
