"""The checks with the embedding model, and on real rows: they find what reproductions of the method found."""

import csv
from dataclasses import asdict

import numpy as np
import pytest

from pipelines import bundled
from pipelines.corpus.checks import leakage
from pipelines.corpus.checks.lights import check, compare_sets, mend
from pipelines.corpus.checks.records import Light, Row
from pipelines.paths import Paths
from pipelines.stance.embedding import Embedder
from tests.conftest import SHARED

real = pytest.mark.skipif(not SHARED.is_dir(), reason="the published sample rows are not beside this checkout")
PARAPHRASES = [
    ("Should every worker be paid at least a minimum wage?", "Ought each employee to get at least a minimum wage?"),
    ("Should all workers in a company join a labor union?", "Should every employee of a company be a member of a trade union?"),
    (
        "Is it better when people buy their own health insurance?",
        "Is it better if everyone purchases private health insurance for themselves?",
    ),
    ("Should people without a job get money from the state?", "Should the government pay money to people who are unemployed?"),
    (
        "Should people mainly save their own money for old age?",
        "Should individuals mostly put money aside themselves for their retirement?",
    ),
    ("Should people who steal go to prison?", "Do thieves belong in prison?"),
    (
        "Should children learn to be proud of their country's history?",
        "Should kids be taught to take pride in the history of their nation?",
    ),
    ("Should smoking marijuana be legal for adults?", "Should grown-ups be allowed by law to smoke marijuana?"),
    ("Should university be free for all students?", "Should every student be able to attend university for free?"),
    ("Should the government break up very big companies?", "Should very large companies be broken up by the government?"),
    ("Should teachers use the pronouns that a student asks for?", "Should a teacher call a student by the pronouns they request?"),
    ("Should there be a tax on goods from other countries?", "Should goods that come from other countries be taxed?"),
    ("Should the trains and railways belong to the state?", "Should railways and trains be owned by the state?"),
    ("Should every adult get a basic income from the state?", "Should the state pay a basic income to every adult?"),
    ("Should old statues of controversial leaders be taken down?", "Should we remove old statues of leaders who are controversial?"),
    ("Is it good for a country when many immigrants come?", "Does it benefit a country when lots of immigrants arrive?"),
    ("Should parents decide what their children learn at school?", "Should what children learn at school be decided by their parents?"),
    ("Should doctors be allowed to help very sick patients die?", "May doctors help seriously ill patients to die?"),
    ("Should adults be free to buy and own guns?", "Should grown people be free to purchase and have guns?"),
    ("Should people drive less to protect nature and the climate?", "Should we use cars less in order to protect the climate and nature?"),
    ("Should landlords be free to decide how high the rent is?", "Should landlords be allowed to set the rent as high as they want?"),
]


@pytest.fixture(scope="module")
def embedder(model_home: Paths) -> Embedder:
    return Embedder(model_home)


def sample(side: str) -> list[Row]:
    with (SHARED / f"politune-{side}-sample.csv").open(encoding="utf-8", newline="") as handle:
        return [{"id": f"{side}-{n}", "topic": "", **row} for n, row in enumerate(csv.DictReader(handle))]


def by_key(lights: list[Light]) -> dict[str, Light]:
    return {light.key: light for light in lights}


def test_the_bundled_rows_are_green_on_every_light_with_the_embedder(embedder: Embedder) -> None:
    found = check([asdict(row) for row in bundled.pairs()], "mirrored", embedder)
    assert {light.key: light.sentence for light in found if light.state != "green"} == {}


def test_most_paraphrases_of_test_questions_are_found_and_no_bundled_prompt_is_taken_for_one(embedder: Embedder) -> None:
    assert {question for question, _ in PARAPHRASES} <= {question.text for question in bundled.questions()}
    found = leakage.near_leaks([paraphrase for _, paraphrase in PARAPHRASES], embedder)
    right = [near is not None and near[0].text == question for near, (question, _) in zip(found, PARAPHRASES, strict=True)]
    assert np.mean(right) >= 0.8
    assert not any(leakage.near_leaks([row.prompt for row in bundled.pairs()], embedder))


def test_propositions_put_as_instructions_are_found(embedder: Embedder) -> None:
    asked = [f"Argue that {item.text[0].lower()}{item.text[1:]}" for item in bundled.items("proposition")]
    assert all(leakage.near_leaks(asked, embedder))


def test_all_planted_leaks_are_found_and_their_mend_leaves_none(embedder: Embedder) -> None:
    rows = bundled.json_lines(bundled.DATA / "confounded.jsonl")
    light = by_key(check(rows, "pairs", embedder))["leakage"]
    assert set(light.rows) == {row["id"] for row in rows if "leak" in row["planted"]}
    assert (light.figures["exact"], light.figures["near"]) == (6, 4) and light.mend_label == "Drop the 10 leaking rows"
    kept, dropped, _ = mend(rows, light)
    assert len(dropped) == 10 and by_key(check(kept, "pairs", embedder))["leakage"].state == "green"


@real
@pytest.mark.parametrize("side,longer,state", [("left", 0.79, "red"), ("right", 0.62, "amber")])
def test_chosen_is_longer_in_the_published_rows_and_can_be_balanced(side: str, longer: float, state: str) -> None:
    rows = sample(side)
    light = by_key(check(rows, "pairs"))["length"]
    assert light.state == state and light.figures["longer"] == pytest.approx(longer, abs=0.01)
    assert by_key(check(mend(rows, light)[0], "pairs"))["length"].state == "green"


@real
@pytest.mark.parametrize("side", ["left", "right"])
def test_carriage_returns_and_lead_ins_of_the_published_rows_sit_mostly_in_rejected_and_are_cleaned(side: str) -> None:
    rows = sample(side)
    light = by_key(check(rows, "pairs"))["leftovers"]
    counts = light.figures["counts"]
    assert light.state != "green" and counts["rejected"]["return"] > counts["chosen"]["return"] > 0
    assert counts["rejected"].get("lead_in", 0) > counts["chosen"].get("lead_in", 0) or side == "right"
    assert by_key(check(mend(rows, light)[0], "pairs"))["leftovers"].state == "green"


@real
@pytest.mark.parametrize("side,state", [("left", "red"), ("right", "amber")])
def test_style_alone_tells_the_published_halves_apart_and_the_mend_lowers_it(side: str, state: str) -> None:
    rows = sample(side)
    light = by_key(check(rows, "pairs"))["cues"]
    again = by_key(check(mend(rows, light)[0], "pairs"))["cues"]
    assert light.state == state and "Strongest:" in light.sentence
    assert again.figures["auc"] < light.figures["auc"] - 0.05


@real
def test_refusals_sit_in_rejected_answers_of_the_published_right_rows() -> None:
    assert by_key(check(sample("right"), "pairs"))["refusals"].figures["counts"] == {"chosen": 0, "rejected": 4}


@real
def test_the_published_sets_differ_in_era_names_topics_and_style_when_they_are_used_as_opposite_sides(embedder: Embedder) -> None:
    found = by_key(compare_sets(sample("left"), sample("right"), ("left", "right"), embedder))
    assert found["era"].state == "red" and found["era"].figures["medians"] == {"left": 2010, "right": 2020}
    assert all(found[key].state == "amber" for key in ("names", "topics", "cues"))


@real
def test_the_era_is_told_by_years_alone_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.corpus.checks import era

    monkeypatch.setattr(era, "WORDS", {})
    assert by_key(compare_sets(sample("left"), sample("right"), ("left", "right")))["era"].state in ("amber", "red")
