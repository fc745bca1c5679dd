"""Three selections of the bundled pairs: which rows they hold, and what is said of what they did."""

from collections import Counter

import pytest

from pipelines import bundled
from pipelines.figures import changed as figure
from pipelines.records import AXES
from pipelines.stance.changed import SELECTIONS, Changed, Tuned, difference, estimate
from studio.tabs.stances import changed as tab
from studio.views import changed as view

COMPLETIONS = {"e1": ("economic", "train"), "e2": ("economic", "held_out"), "s1": ("social", "train"), "s2": ("social", "held_out")}


def made(economic: float, social: float, seeds: int = 3) -> Changed:
    """Adapters whose own axis moves by `economic` and `social` after their own topics, a tenth of it after the others'."""
    moves = {"all": (0.5, 0.5), "economic": (economic, economic / 10), "social": (social / 10, social), "placebo": (0.0, 0.0)}
    tuned = [
        Tuned(key, seed, "abc", {"e1": e + seed / 100, "e2": e - seed / 100, "s1": s, "s2": s + seed / 200})
        for key, (e, s) in moves.items()
        for seed in range(seeds)
    ]
    return Changed(tuned, COMPLETIONS, {"rows": 96, "base": "SmolLM2-135M", "recorded": "2026-11-23"})


def test_every_selection_holds_equally_many_rows_and_only_what_it_says() -> None:
    picked = {one.key: one.rows(bundled.pairs()) for one in SELECTIONS}
    assert len({len(rows) for rows in picked.values()}) == 1
    assert {pair.axis for pair in picked["economic"]} == {"economic"} and {pair.axis for pair in picked["social"]} == {"social"}
    assert set(Counter(pair.topic for pair in picked["all"]).values()) == {4} and picked["all"] == picked["placebo"]


def test_a_mean_over_seeds_has_student_s_interval() -> None:
    found = estimate([1.0, 2.0, 3.0])
    assert found.mean == 2 and found.high == pytest.approx(2 + 4.303 * 1 / 3**0.5, abs=1e-3) and found.is_shown is False
    assert estimate([1.0]).low is None and not estimate([1.0]).is_shown
    assert difference([5.0, 5.1, 4.9], [1.0, 1.1, 0.9]).is_shown


def test_the_contrast_is_large_where_each_axis_moves_by_its_own_topics_only() -> None:
    changed = made(1.0, 0.8)
    assert changed.aim().mean == pytest.approx(0.9 + 0.72, abs=0.02)
    assert changed.shift("economic", "economic").mean == pytest.approx(1.0) and changed.shift("social", "economic").n == 3
    assert "decided which axis moved more" in view.finding(changed)


def test_what_every_seed_shows_but_few_completions_is_not_called_shown() -> None:
    changed = made(1.0, 0.8)
    for one in changed.tuned:
        if one.selection == "economic":
            one.shifts["e1"] += 9.0  # type: ignore[index]
    assert changed.aim().is_shown and not changed.aim_over_items().is_shown
    assert "that others would show it too is not shown" in view.finding(changed) and "ps-good" not in view.finding(changed)


def test_a_null_result_is_said_as_one_and_one_the_wrong_way_round_too() -> None:
    assert "It is not shown" in view.finding(made(0.0, 0.0))
    assert "nobody expected" in view.finding(made(-1.0, -0.8)) and "The placebo itself moved" in view.finding(made(1.0, 0.8))


def test_what_is_kept_comes_back_and_is_drawn_with_every_seed() -> None:
    changed = Changed.from_dict(made(1.0, 0.8).as_dict())
    drawn = figure.plot(changed)
    dots = [trace for trace in drawn.data if trace.showlegend is False]
    assert [len(trace.x) for trace in dots] == [12, 12] and "Only economic topics" in view.table(changed)
    assert "3 in each selection" in view.reading(changed) and "96 rows" in view.lead(changed)


def test_what_ships_was_made_with_these_selections_and_all_completions() -> None:
    found = tab.recorded()
    assert found is not None
    assert [one.key for one in found.selections] == [one.key for one in SELECTIONS]
    assert {name: axis for name, (axis, _) in found.completions.items()} == {one.id: one.axis for one in bundled.completions()}
    assert all(found.shift(one.key, axis).n >= 5 for one in SELECTIONS for axis in AXES)
    assert len({one.adapter for one in found.tuned}) == len(found.tuned)
