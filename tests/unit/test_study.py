"""Shifts and claims on made-up studies: the placebo cancels, the base cancels, nothing is significant by itself."""

from html import escape
from pathlib import Path

import pytest

from pipelines.errors import StudioError
from pipelines.figures import plane as plots
from pipelines.paths import Paths
from pipelines.records import Column
from pipelines.stance import claims, study
from pipelines.stance.plan import Plan
from studio.services import Services, following
from studio.theme import COLOURS, SYMBOLS
from studio.views import stance as view
from studio.views.headline import headline

MOVES = {"base": 0.0, "left": -1.0, "right": 1.5, "placebo": 0.2}
VALIDITY = {
    "auc": {"economic": 0.8, "social": 0.8},
    "pairwise": {},
    "neutral": {"economic": 0.1, "social": 0.1},
    "flip": 0.2,
    "negation": 0.1,
    "measures_stance": False,
}


def made_up(moves: dict[str, float] = MOVES) -> study.Study:
    """Ten questions an axis, two samples; each column is the base's answer moved, with a little variation."""
    answers, completions = [], []
    for axis in ("economic", "social"):
        for n in range(10):
            for column, move in moves.items():
                wobble = 0.1 * ((n * 7 + n * n * len(column)) % 5 - 2)
                completions.append({"completion": f"c-{axis}-{n}", "axis": axis, "topic": "t", "column": column, "value": move + wobble})
                for sample in range(2):
                    score = 0.3 * n - 1 + move + wobble + (0.5 if sample else -0.5)
                    answers.append(
                        {"question": f"q-{axis}-{n}", "axis": axis, "topic": "t", "topic_split": "train", "half": "development" if n % 2 else "confirmation", "sample": sample, "column": column, "text": f"<b>{n}</b>", "finished": "eos", axis: score, {"economic": "social", "social": "economic"}[axis]: 9.0, "stamp": {"base": "b", "base_fingerprint": "f"}}
                    )  # fmt: skip
    damage = {
        name: {"perplexity": 20.0, "facts": ["a", "b"], "repetition": 0.0, "hedging": 0.1, "unfinished": 0.2, "words": 40.0}
        for name in moves
    }
    return study.Study(list(moves), answers, completions, damage, VALIDITY, {"max_new_tokens": 64, "temperature": 0.3}, 1.0)


def test_shifts_are_measured_from_the_base_on_the_questions_own_axis() -> None:
    rows = {(r["column"], r["instrument"], r["axis"]): r for r in claims.shift_table(made_up())}
    assert len(rows) == 12
    assert rows["right", "ruler", "social"]["mean"] == pytest.approx(1.5, abs=0.15) and rows["right", "ruler", "social"]["n"] == 10
    assert rows["left", "completion", "economic"]["mean"] == pytest.approx(-1.0, abs=0.15)
    assert all(r["low"] <= r["mean"] <= r["high"] and r["p"] <= r["p_holm"] for r in rows.values())


def test_claims_compare_with_the_placebo_and_keep_the_halves_apart() -> None:
    found = claims.claims(made_up(), "confirmation")["ruler"]
    assert found["right_minus_placebo"]["mean"] == pytest.approx(1.3, abs=0.15) and found["right_minus_placebo"]["n"] == 10
    assert found["placebo_minus_left"]["mean"] == pytest.approx(1.2, abs=0.15)


def test_a_placebo_that_moves_as_much_as_the_adapter_leaves_no_claim() -> None:
    found = claims.claims(made_up({**MOVES, "placebo": 1.5, "left": 1.5}), "all")["ruler"]
    assert all(one["p_holm"] > 0.05 for one in found.values())


def test_a_plan_needs_the_base_and_different_names() -> None:
    with pytest.raises(StudioError, match="base"):
        Plan((Column("left"),), ())
    with pytest.raises(StudioError, match="same name"):
        Plan((Column("base"), Column("base")), ())


def test_the_plot_says_what_it_shows_and_shows_every_answer() -> None:
    figure = view.plot(made_up())
    assert figure.layout.title.text == "Topic and wording of 160 answers"
    assert sum(len(trace.x) for trace in figure.data) == 160 + 4
    assert len(figure.layout.annotations) == 3
    assert "<b>0</b>" not in "".join(figure.data[0].text)


def test_the_page_names_failed_claims_as_such() -> None:
    assert view.verdict(made_up()).count(">established<") == 2
    assert "does not show it beyond chance" in view.verdict(made_up({**MOVES, "right": 0.2}))
    assert "misses a gate" in view.validity(made_up())


def test_a_public_studio_offers_no_runs_and_opens_no_folder(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.corpus.engine import Tools
    from studio.owning import Who
    from studio.tabs.curating import opening

    monkeypatch.setenv("STUDIO_PUBLIC", "1")
    services = Services.create()
    for reference in ("/etc/passwd", "~/x", "bundled", str(paths.root), "assets/data"):
        with pytest.raises(StudioError, match="can't be opened here"):
            opening._named(services)(None, Tools(paths), Who("", home=True), reference, "", "train", "")
    assert services.public


def test_following_reports_and_raises_what_the_work_raised() -> None:
    def work(report):  # type: ignore[no-untyped-def]
        report(0.5, "half")
        raise StudioError("broken")

    seen = []
    with pytest.raises(StudioError, match="broken"):
        for step in following(work):
            seen.append(step)
    assert seen == [(0.5, "half", None)]


def test_a_new_question_ends_the_visitors_older_one_and_nobody_elses(paths: Paths) -> None:
    services = Services.create()
    first, other = services.new_stop("a"), services.new_stop("b")
    second = services.new_stop("a")
    assert first.is_set() and not second.is_set() and not other.is_set()


def test_instruments_that_disagree_establish_nothing() -> None:
    made = made_up()
    for row in made.completions:
        row["value"] *= -1
    assert [v.held for v in claims.verdicts(made)] == ["not established"] * 2
    assert "other way" in claims.verdicts(made)[0].reason


def test_the_stance_of_a_broken_model_is_void() -> None:
    made = made_up()
    made.collateral["right"]["perplexity"] = 40.0
    assert {v.held for v in claims.verdicts(made)} == {"void"}
    made = made_up()
    made.collateral["left"]["facts"] = ["x", "y", "z"]
    assert claims.facts_lost(made, "left") == ["a", "b"] and claims.damaged(made) == ["left"]


def test_each_question_and_sample_has_its_own_seed() -> None:
    assert len({study.seed_of(1, q, s) for q in ("a", "b") for s in range(3)}) == 6 and study.seed_of(1, "a", 0) == study.seed_of(1, "a", 0)


def test_nobody_trains_in_a_public_studio_through_the_api_either(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.tabs.tuning import setup, watch

    monkeypatch.setenv("STUDIO_PUBLIC", "1")
    services = Services.create()
    assert "public demo" in setup._start(services, "bundled", "left", "", "")[0]
    assert "public demo" in setup._start_group(services, "bundled", "", "", "", 1, False)[0]
    assert "public demo" in watch._stop(services, "x") and "public demo" in watch._resume(services, "x")
    assert "public demo" in watch._cancel(services)


def seeded(shifts: dict[str, list[float]]) -> study.Study:
    """A study in which each role was trained with several seeds: one column a seed, moved by the given amount."""
    moves = {f"{role} (seed {n})": move for role, moved in shifts.items() for n, move in enumerate(moved, 7)}
    made = made_up({"base": 0.0, **moves})
    made.roles = {role: [f"{role} (seed {n})" for n in range(7, 7 + len(moved))] for role, moved in shifts.items()}
    return made


def test_a_roles_seeds_are_averaged_per_question_before_anything_is_tested() -> None:
    made = seeded({"left": [-1.0, -2.0], "right": [0.5, 2.5], "placebo": [0.0, 0.2]})
    one, other = (claims.question_means(made, f"right (seed {n})") for n in (7, 8))
    both = claims.role_values(made, "ruler", "right")
    assert both == pytest.approx({question: (one[question] + other[question]) / 2 for question in one})
    found = claims.claims(made, "all")["ruler"]["right_minus_placebo"]
    assert found["n"] == 20, "the unit is the question, not question times seed"
    assert found["mean"] == pytest.approx(1.4, abs=0.15)


def test_a_question_that_one_seed_was_not_asked_is_left_out_of_the_mean() -> None:
    made = seeded({"left": [-1.0, -2.0], "right": [1.0, 1.0], "placebo": [0.0, 0.0]})
    made.answers = [a for a in made.answers if not (a["column"] == "right (seed 8)" and a["question"] == "q-social-3")]
    assert len(claims.role_values(made, "ruler", "right")) == 19 and claims.role_values(made, "ruler", "nobody") == {}


def test_one_seed_a_role_changes_no_figure() -> None:
    plain = made_up()
    assert plain.roles == {role: [role] for role in ("left", "right", "placebo")}
    assert claims.role_values(plain, "ruler", "left") == claims.question_means(plain, "left")
    assert claims.role_table(plain) == claims.shift_table(plain)


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        (1, "one training seed a side: it speaks about these adapters, not about the recipe"),
        (3, "3 training seeds a side"),
        (4, "the training seeds are the unit, 5 or more"),
        (5, "5 of 5 right adapters lie right of the placebos' mean and 5 of 5 left adapters lie left"),
    ],
)
def test_the_verdict_says_on_how_many_training_seeds_it_rests(seeds: int, words: str) -> None:
    made = seeded({"left": [-1.0] * seeds, "right": [1.0] * seeds, "placebo": [0.1] * seeds})
    assert [v.seeds for v in claims.verdicts(made)] == [seeds, seeds] and words in claims.scope(made)
    assert ("not about the recipe" in claims.scope(made)) == (seeds < 5)
    assert escape(words) in view.verdict(made)


def test_seeds_that_disagree_are_counted_and_a_role_with_fewer_seeds_decides() -> None:
    made = seeded({"left": [-1.0, -1.0, -1.0, -1.0, 2.0], "right": [1.0] * 6, "placebo": [0.1] * 5})
    assert "6 of 6 right adapters" in claims.scope(made) and "4 of 5 left adapters" in claims.scope(made)
    assert "5 to 6 training seeds" in claims.scope(made) and claims.verdicts(made)[0].seeds == 5


def test_the_spread_between_seeds_is_the_sd_of_their_mean_shifts() -> None:
    made = seeded({"left": [-1.0, -2.0, -3.0], "right": [1.0] * 3, "placebo": [0.0] * 3})
    rows = {(row["role"], row["instrument"], row["axis"]): row for row in claims.seed_spread(made)}
    assert len(rows) == 12 and all(row["seeds"] == 3 for row in rows.values())
    assert rows["left", "ruler", "social"]["sd"] == pytest.approx(1.0, abs=0.05)
    assert rows["left", "ruler", "social"]["mean"] == pytest.approx(-2.0, abs=0.1) and rows["right", "ruler", "social"]["sd"] < 0.05
    assert rows["left", "completion", "economic"]["low"] < -2.8 < -1.2 < rows["left", "completion", "economic"]["high"]
    page = view.shifts(made)
    assert "SD between seeds" in page and "Left, 3 seeds" in page and "Left (seed 9)" in page
    assert claims.seed_spread(made_up()) == [] and "SD between seeds" not in view.shifts(made_up())


def test_adapters_of_chosen_and_rejected_answers_make_no_claim_about_left_and_right() -> None:
    made = made_up({"base": 0.0, "chosen": -1.0, "rejected": 1.0, "placebo": 0.1})
    made.roles = {"chosen": ["chosen"], "rejected": ["rejected"], "placebo": ["placebo"]}
    page = view.verdict(made)
    assert "nothing is claimed about left and right" in page and "established" not in page and "<table" not in page
    assert view.shifts(made).count("<tr>") == 1 + 12
    assert "Choose left, right and placebo together" in view.verdict(made_up({"base": 0.0, "left": -1.0}))


def test_a_damaged_column_voids_the_claims_only_where_it_has_a_role_in_them() -> None:
    made = made_up({**MOVES, "another run": 3.0})
    made.collateral["another run"]["perplexity"] = 90.0
    assert claims.damaged(made) == ["another run"] and {v.held for v in claims.verdicts(made)} == {"established"}


def test_a_group_whose_settings_differ_has_no_fair_control() -> None:
    made = made_up()
    made.notes["same_settings"] = False
    assert "no fair control" in view.verdict(made) and "no fair control" not in view.verdict(made_up())


def test_a_study_recorded_before_there_were_roles_still_loads_and_roles_survive() -> None:
    old = made_up().as_dict()
    del old["roles"]
    assert study.Study.from_dict(old).roles == {role: [role] for role in ("left", "right", "placebo")}
    made = seeded({"left": [-1.0, -2.0], "placebo": [0.0, 0.0]})
    assert study.Study.from_dict(made.as_dict()).roles == made.roles


@pytest.mark.parametrize("roles", [{"left": ["nobody"]}, {"left": ["base"]}, {"left": []}, {"left": ["left"], "right": ["left"]}])
def test_roles_that_are_none_are_refused(roles: dict[str, list[str]]) -> None:
    with pytest.raises(StudioError, match="roles"):
        study.Study.from_dict({**made_up().as_dict(), "roles": roles})
    with pytest.raises(StudioError, match="roles"):
        Plan((Column("base"), Column("left", Path("l")), Column("right", Path("r"))), (), roles=roles)


def test_the_seeds_of_a_role_share_its_colour_and_symbol_in_different_shades() -> None:
    made = seeded({"left": [-1.0, -2.0, -3.0], "right": [1.0], "placebo": [0.0]})
    drawn = plots.looks(made)
    lefts = [drawn[f"left (seed {n})"] for n in (7, 8, 9)]
    assert {look.symbol for look in lefts} == {SYMBOLS["left"]} and len({look.colour for look in lefts}) == 3
    assert drawn["right (seed 7)"].colour == COLOURS["right"]
    blues = [[int(look.colour[place : place + 2], 16) for place in (1, 3, 5)] for look in lefts]
    assert all(red <= green <= blue for red, green, blue in blues), "every shade is a blue"
    figure = view.plot(made)
    assert len(figure.layout.annotations) == 3, "one arrow a role"
    assert [trace.name for trace in figure.data if trace.showlegend] == ["Base", "Left, 3 seeds", "Right (seed 7)", "Placebo (seed 7)"]


def damaged_study() -> study.Study:
    made = made_up({"base": 0.0, "left": -1.0, "my run": 1.0})
    made.collateral["my run"]["perplexity"] = 40.0
    return made


def test_a_red_line_voids_the_shifts_it_stands_above_also_where_nothing_is_claimed() -> None:
    made = damaged_study()
    assert {bool(row["void"]) for row in claims.role_table(made) if row["column"] == "my run"} == {True}
    assert not any(row["void"] for row in claims.role_table(made) if row["column"] == "left")
    page = view.shifts(made)
    assert page.count("<td>void: the language of my run is damaged</td>") == 4 and "Void, the language of my run is damaged: On" in page
    assert "void" not in view.shifts(made_up()).lower()
    assert "The shifts of my run are void" in headline(made) and "void" not in headline(made_up({"base": 0.0, "left": -1.0}))


def test_a_broken_seed_voids_its_role_and_the_headline_names_columns_that_no_claim_is_about() -> None:
    made = seeded({"left": [-1.0, -2.0], "right": [1.0, 1.0], "placebo": [0.0, 0.0]})
    made.collateral["left (seed 8)"]["perplexity"] = 40.0
    assert {row["column"] for row in claims.role_table(made) if row["void"]} == {"left"}
    assert (
        "Left (void)" in view.shifts(made)
        and "Left (seed 8) (void)" in view.shifts(made)
        and "Left (seed 7) (void)" not in view.shifts(made)
    )
    other = made_up({**MOVES, "my run": 1.0})
    other.collateral["my run"]["perplexity"] = 40.0
    assert "The shifts of my run are void" in headline(other) and headline(other).count("established") == 2


def test_auc_and_flip_stand_with_their_intervals_where_the_study_holds_them() -> None:
    made = made_up()
    assert "interval" not in view.validity(made)
    made.validity = {**VALIDITY, "auc_interval": {"economic": [0.61, 0.9], "social": [0.6, 0.95]}, "flip_interval": [0.12, 0.3], "topics": {"economic": 16, "social": 15}}  # fmt: skip
    page = view.validity(made)
    assert "economic 0.80 (95% interval 0.61 to 0.90, n = 16 topics)" in page and "(95% interval 12% to 30%, n = 60 statements" in page
