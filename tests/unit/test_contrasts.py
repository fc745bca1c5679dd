"""Contrasts of left, right and placebo over items and training seeds, two studies against each other, and the verdict's three instruments."""

from dataclasses import replace
from functools import cache

import pytest

from pipelines.errors import StudioError
from pipelines.figures import dots
from pipelines.stance import claims, contrasts, sentences, wording
from pipelines.stance.contrasts import ITEMS, SEEDS, Contrast
from pipelines.stance.study import Study
from studio.views import stance_contrasts
from tests.measured import MOVES, check, measured, seeded

FIVE = {"left": [-1.0, -1.1, -0.9, -1.05, -0.95], "right": [1.0, 1.2, 0.9, 1.1, 1.05], "placebo": [0.0, 0.1, -0.1, 0.05, 0.0]}


RULER = ("ruler",)


@cache
def usual() -> dict[tuple[str, str, str, str], Contrast]:
    """The contrasts of one seed a role by all three instruments."""
    return by_key(contrasts.contrasts(measured()))


@cache
def over_five() -> dict[tuple[str, str, str, str], Contrast]:
    """The contrasts of five seeds a role by free text."""
    return by_key(contrasts.contrasts(seeded(FIVE, instruments=RULER)))


def by_key(rows: list[Contrast]) -> dict[tuple[str, str, str, str], Contrast]:
    return {(row.name, row.instrument, row.axis, row.unit): row for row in rows}


def test_direction_is_half_the_distance_and_what_both_sides_learned_cancels_in_it() -> None:
    plain = usual()
    shifted = by_key(contrasts.contrasts(measured({"base": 0.0, "left": -0.5, "right": 1.7, "placebo": 0.6}, instruments=RULER)))
    key = ("direction", "ruler", "economic", ITEMS)
    assert plain[key].mean == pytest.approx(1.1, abs=0.1) and shifted[key].mean == pytest.approx(1.1, abs=0.1)
    drift = ("drift", "ruler", "social", ITEMS)
    assert plain[drift].mean == pytest.approx(0.1, abs=0.1) and shifted[drift].mean == pytest.approx(0.6, abs=0.1)


def test_net_is_the_shift_beyond_the_placebos_over_items() -> None:
    rows = usual()
    assert rows["net_right", "ruler", "social", ITEMS].mean == pytest.approx(1.1, abs=0.1)
    assert rows["net_left", "ruler", "social", ITEMS].mean == pytest.approx(-1.1, abs=0.1)
    assert rows["net_left", "completion", "social", ITEMS].mean == pytest.approx(-1.1 / 5, abs=0.03)
    assert rows["net_right", "survey", "economic", ITEMS].n == 32 and rows["net_right", "ruler", "economic", ITEMS].n == 16
    assert all(row.low <= row.mean <= row.high and row.p <= row.p_holm for row in rows.values())


def test_one_seed_a_role_says_nothing_over_seeds_and_says_so() -> None:
    assert {row.unit for row in usual().values()} == {ITEMS}
    assert contrasts.why_no_seeds(measured()) == "Over training seeds nothing can be said: left and right and placebo have only one."
    assert contrasts.why_no_seeds(seeded(FIVE)) == ""


def test_over_seeds_the_seeds_are_counted_and_from_five_on_it_is_about_the_recipe() -> None:
    rows = over_five()
    five = rows["direction", "ruler", "economic", SEEDS]
    assert (five.n, five.least_p, five.about) == (5, 2 / 32, "the recipe") and five.p == pytest.approx(2 / 32) and five.low > 0.8
    assert rows["direction", "ruler", "economic", ITEMS].n == 16 and rows["direction", "ruler", "economic", ITEMS].about == "these adapters"
    three = by_key(contrasts.contrasts(seeded({role: moves[:3] for role, moves in FIVE.items()}, instruments=RULER)))
    assert three["direction", "ruler", "economic", SEEDS].about.startswith("not yet the recipe")


def test_what_a_seed_does_to_all_roles_cancels_where_they_share_it() -> None:
    lucky = [0.0, 1.0, 2.0, -1.0, -2.0]
    shared = seeded({role: [move + lucky[n] for n, move in enumerate(moves)] for role, moves in FIVE.items()}, instruments=RULER)
    found = by_key(contrasts.contrasts(shared))
    row = found["net_right", "ruler", "economic", SEEDS]
    assert row.high - row.low < 0.5, "paired by seed"
    drift = found["drift", "ruler", "economic", SEEDS]
    assert drift.low < 0 < drift.high and drift.high - drift.low > 2, "what all share is drift, and it differs from seed to seed"


def test_roles_with_other_seeds_are_two_independent_groups() -> None:
    rows = by_key(contrasts.contrasts(seeded({**FIVE, "placebo": FIVE["placebo"][:3]}, instruments=RULER)))
    apart = rows["net_right", "ruler", "economic", SEEDS]
    assert apart.n == 3 and apart.least_p == pytest.approx(2 / 56) and apart.mean == pytest.approx(1.05, abs=0.1)
    assert rows["direction", "ruler", "economic", SEEDS].n == 5


def test_shuffled_labels_are_contrasted_only_where_they_were_trained() -> None:
    assert contrasts.available(measured()) == ["direction", "drift", "net_right", "net_left"]
    made = measured({**MOVES, "shuffled": 0.3}, instruments=RULER)
    made.roles["shuffled"] = ["shuffled"]
    rows = by_key(contrasts.contrasts(made))
    assert rows["shuffled", "ruler", "economic", ITEMS].mean == pytest.approx(0.3, abs=0.1)
    assert rows["right_beyond_shuffled", "ruler", "economic", ITEMS].mean == pytest.approx(0.9, abs=0.1)
    assert rows["left_beyond_shuffled", "ruler", "economic", ITEMS].mean == pytest.approx(-1.3, abs=0.1)
    with pytest.raises(StudioError, match="no shuffled"):
        contrasts.weights_of(measured(), "shuffled")


def test_a_study_does_not_differ_from_itself() -> None:
    found = contrasts.compare(seeded(FIVE, instruments=RULER), seeded(FIVE, instruments=RULER), ("one", "again"))
    assert all(row.mean == 0 and row.p == 1 for row in found.differences if row.unit == ITEMS)
    assert all(row.low <= 0 <= row.high and row.p > 0.5 for row in found.differences if row.unit == SEEDS)
    assert {row.unit for row in found.differences} == {ITEMS, SEEDS}


def test_a_recipe_that_moves_twice_as_far_is_told_apart_over_items_and_over_seeds() -> None:
    twice = seeded({role: [2 * move for move in moves] for role, moves in FIVE.items()}, instruments=RULER)
    rows = by_key(contrasts.compare(twice, seeded(FIVE)).differences)
    items, seeds = (rows["direction", "ruler", "economic", unit] for unit in (ITEMS, SEEDS))
    assert items.mean == pytest.approx(seeds.mean) == pytest.approx(1.0, abs=0.15) and items.low > 0 and seeds.low > 0
    assert seeds.p == pytest.approx(2 / 252), "two groups of five"


def test_studies_of_another_base_or_protocol_are_not_compared() -> None:
    other = measured()
    for answer in other.answers:
        answer["stamp"] = {"base": "x", "base_fingerprint": "x"}
    with pytest.raises(StudioError, match="different base"):
        contrasts.compare(measured(), other)
    with pytest.raises(StudioError, match="different ways"):
        contrasts.compare(measured(), replace(measured(), protocol={"hash": "two"}))
    with pytest.raises(StudioError, match="no contrast in common"):
        contrasts.compare(measured({"base": 0.0, "left": -1.0}), measured())


def test_studies_without_a_protocol_are_compared_where_they_asked_the_same() -> None:
    old = replace(measured(instruments=RULER), protocol={})
    assert contrasts.compare(old, replace(old)).differences
    fewer = replace(old, answers=[answer for answer in old.answers if answer["sample"] == 0])
    with pytest.raises(StudioError, match="different ways"):
        contrasts.compare(old, fewer)


def reasons(study: Study) -> list[tuple[str, str]]:
    return [(verdict.held, verdict.reason) for verdict in claims.verdicts(study)]


def test_a_survey_that_passes_its_gates_has_to_agree() -> None:
    assert all(held == "established" and "the survey shows it beyond chance too" in why for held, why in reasons(measured()))
    against = reasons(measured(survey_sign=-1))
    assert against == [("not established", "the instruments disagree: the survey points the other way")] * 2


def test_a_model_that_cannot_answer_a_questionnaire_is_not_held_to_it() -> None:
    for held, why in reasons(measured(survey_sign=-1, passed=False)):
        assert held == "established" and "this model cannot answer a questionnaire, so the survey does not count" in why


def test_a_single_adapter_that_cannot_answer_takes_the_survey_out_of_its_own_claim_only() -> None:
    made = measured(survey_sign=-1)
    made.checks["left"] = check(False)
    right, left = reasons(made)
    assert right[0] == "not established" and "the survey points the other way" in right[1]
    assert left[0] == "established" and "left cannot answer a questionnaire" in left[1]


def test_without_a_survey_nothing_is_said_of_it() -> None:
    assert all("survey" not in why and held == "established" for held, why in reasons(measured(instruments=("ruler", "completion"))))


def test_a_move_no_larger_than_what_rewording_does_does_not_count() -> None:
    rows = {(row["column"], row["axis"]): row for row in claims.shift_table(measured()) if row["instrument"] == "survey"}
    assert rows["left", "economic"]["counts"] is True and rows["left", "economic"]["form_sd"] > 0
    noisy = measured({**MOVES, "left": -0.05}, wording=3.0)
    spread = wording.form_spread(noisy, "left", "social")
    assert spread is not None and spread.forms == 2 and not spread.counts
    assert all(row["counts"] is None for row in claims.shift_table(noisy) if row["instrument"] != "survey")
    assert wording.form_spread(measured(instruments=("ruler",)), "left") is None


def test_every_claim_names_items_forms_interval_and_placebo() -> None:
    made = measured()
    survey, ruler, completion = (sentences.claim(made, name, "left", "social") for name in ("survey", "ruler", "completion"))
    assert survey.startswith("On these 32 social statements in 4 forms the left adapter moved answers by -0.")
    assert "the placebo moved them by +0.0" in survey and survey.count("95% interval") == 2
    assert ruler.startswith("On these 16 social questions, 3 draws each, the left adapter moved answers by -1.0")
    assert "16 social paired completions" in completion and "nats a token" in completion
    assert sentences.claim(measured(instruments=("ruler",)), "survey", "left") == ""
    assert "it is the placebo itself" in sentences.claim(made, "ruler", "placebo")
    assert "no placebo was measured" in sentences.claim(measured({"base": 0.0, "left": -1.0}), "ruler", "left")


def test_a_claim_about_several_seeds_and_one_lost_in_wording_say_so() -> None:
    assert "the 5 left adapters together moved answers" in sentences.claim(seeded(FIVE), "ruler", "left")
    lost = measured({**MOVES, "left": -0.02}, wording=2.0)
    assert "does not count as a move" in sentences.claim(lost, "survey", "left", "social")


def test_a_contrast_in_words_has_its_unit_and_what_it_is_about() -> None:
    rows = over_five()
    said = sentences.contrast(rows["direction", "ruler", "social", SEEDS])
    assert "over 5 training seeds; it speaks about the recipe" in said and "5 seeds can't give less than .062" in said
    assert "over 16 questions; it speaks about these adapters" in sentences.contrast(rows["direction", "ruler", "social", ITEMS])


@pytest.mark.parametrize("name", ["drift", "direction", "net_right", "right_beyond_shuffled", "shuffled"])
def test_a_run_that_is_called_like_a_contrast_is_that_run_and_hides_the_contrast(name: str) -> None:
    made = measured({**MOVES, name: 3.0}, instruments=RULER)
    values = contrasts.item_values(made, "ruler", name)
    assert sum(values.values()) / len(values) == pytest.approx(3.0, abs=0.1)
    assert name not in contrasts.available(made) and not any(row.name == name for row in contrasts.contrasts(made))
    assert dots.called(made, name) == name
    alone = measured({"base": 0.0, name: 3.0}, instruments=RULER)
    assert contrasts.item_values(alone, "ruler", name) and contrasts.available(alone) == []


def test_a_contrast_is_void_where_one_of_its_columns_is_and_the_table_says_so() -> None:
    made = measured(instruments=RULER)
    assert not contrasts.void(made, "direction") and "Void" not in stance_contrasts.table(made)
    made.collateral["placebo"]["perplexity"] = 40.0
    assert contrasts.void(made, "net_left") == "the language of placebo is damaged" and not contrasts.void(made, "direction")
    assert "Void: Right − placebo, Left − placebo, since" in stance_contrasts.table(made)
