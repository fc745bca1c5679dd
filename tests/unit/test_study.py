"""Shifts and claims on made-up studies: the placebo cancels, the base cancels, nothing is significant by itself."""

import pytest

from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.records import Column
from pipelines.stance import claims, study
from studio.services import Services, following
from studio.views import stance as view

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
        study.Plan((Column("left"),), ())
    with pytest.raises(StudioError, match="same name"):
        study.Plan((Column("base"), Column("base")), ())


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
    from studio.tabs.curating import opening

    monkeypatch.setenv("STUDIO_PUBLIC", "1")
    services = Services.create()
    for reference in ("/etc/passwd", "~/x", "bundled", str(paths.root), "assets/data"):
        with pytest.raises(StudioError, match="can't be opened here"):
            opening._named(services)(None, Tools(paths), reference, "", "train", "")
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
    from studio.tabs import tune

    monkeypatch.setenv("STUDIO_PUBLIC", "1")
    services = Services.create()
    assert "public demo" in tune._start(services, "bundled", "left", "", "")[0]
    assert "public demo" in tune._stop(services, "x") and "public demo" in tune._resume(services, "x")
