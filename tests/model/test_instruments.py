"""The instruments on real models: the ruler's validity, recorded results that can be produced again, completions."""

import pytest

from pipelines import bundled
from pipelines.models.host import ModelHost
from pipelines.paths import ASSETS, Paths, file_hash, read_json
from pipelines.records import AXES, Column
from pipelines.stance import claims, measuring, study, survey
from pipelines.stance.completion import completion_scores
from pipelines.stance.embedding import Embedder
from pipelines.stance.forms import forms_of
from pipelines.stance.plan import Plan
from pipelines.stance.ruler import Ruler
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.runs import Run

COLUMNS = (Column("base"), *(Column(name, bundled.ADAPTERS / name) for name in bundled.BUNDLED_SIDES))


@pytest.fixture(scope="module")
def ruler(model_home: Paths) -> Ruler:
    return Ruler(Embedder(model_home))


@pytest.fixture(scope="module")
def recorded() -> study.Study:
    return study.Study.from_dict(read_json(bundled.RECORDED / "stance.json"))


def test_the_ruler_orders_plain_statements_and_keeps_their_order(ruler: Ruler) -> None:
    left, right = ruler.score(
        [
            "We should tax the rich more and share wealth fairly with workers.",
            "Taxes should be low so that private enterprise and free markets can grow.",
        ]
    )
    assert left["economic"] < 0 < right["economic"]


def test_the_ruler_never_scores_a_topic_with_a_fit_that_saw_it(ruler: Ruler) -> None:
    text = [bundled.pairs()[0].left]
    assert ruler.score(text, [bundled.pairs()[0].topic]) != ruler.score(text)


def test_the_ruler_tells_the_sides_of_unseen_topics_and_keeps_neutral_answers_near_the_middle(ruler: Ruler) -> None:
    found = ruler.validity
    for axis in AXES:
        low, high = found.auc_interval[axis]
        assert found.auc[axis] >= 0.85 and 0.75 < low <= found.auc[axis] <= high and found.topics[axis] == 12
        assert abs(found.neutral[axis]) <= 0.25, "a probe that puts neutral answers on one side is disqualified"
    assert not found.measures_stance, "few statements flip: the page must go on saying topic and wording"


def test_the_recorded_validity_is_the_rulers(ruler: Ruler, recorded: study.Study) -> None:
    assert ruler.validity.auc == pytest.approx(recorded.validity["auc"], abs=0.005)
    assert ruler.validity.flip == pytest.approx(recorded.validity["flip"], abs=0.04)


def test_recorded_scores_are_what_the_ruler_says_of_the_recorded_answers(ruler: Ruler, recorded: study.Study) -> None:
    some = recorded.answers[::40]
    scores = ruler.score([a["text"] for a in some], [a["topic"] for a in some])
    for answer, score in zip(some, scores, strict=True):
        assert (score["economic"], score["social"]) == pytest.approx((answer["economic"], answer["social"]), abs=0.02)


@pytest.mark.slow
def test_recorded_answers_come_again_when_they_are_recomputed(host: ModelHost, ruler: Ruler, recorded: study.Study) -> None:
    plan = Plan(COLUMNS, bundled.questions()[:2], samples=1)
    again = {(a["question"], a["sample"], a["column"]): a["text"] for a in measuring.run(plan, host, ruler).answers}
    before = {(a["question"], a["sample"], a["column"]): a["text"] for a in recorded.answers}
    same = [before[key][:40] == text[:40] for key, text in again.items()]
    assert len(again) == 8 and sum(same) / len(same) >= 0.8, "processors differ in the last bit, which can change a late word"


def test_recorded_questionnaires_come_again(host: ModelHost, recorded: study.Study) -> None:
    items, column = bundled.items("proposition")[:4], COLUMNS[1]
    found = survey.measure(survey.scorer(host, column), column.name, items, bundled.items("sanity")[:2], forms_of("full"))
    before = {row["item"]: row["x"] for row in recorded.survey if row["column"] == column.name}
    assert [row["x"] for row in found.rows] == pytest.approx([before[item.id] for item in items], abs=5e-3)


def test_recorded_completions_come_again(host: ModelHost, recorded: study.Study) -> None:
    for column in COLUMNS[:2]:
        before = claims.completion_values(recorded, column.name)
        some = bundled.completions()[:6]
        assert completion_scores(host, column, some) == pytest.approx([before[c.id] for c in some], abs=2e-3)


@pytest.mark.parametrize("side", bundled.BUNDLED_SIDES)
def test_bundled_adapters_were_made_from_the_current_data_and_recipe(side: str, paths: Paths) -> None:
    from pipelines.corpus import versions

    run = Run(bundled.ADAPTERS / side)
    assert run.job["data"]["hash"] == versions.load("bundled", paths).hash
    assert run.job["recipe_hash"] == Recipe().hash
    weights = run.adapter / "adapter_model.safetensors"
    assert file_hash(weights) == read_json(ASSETS / "checksums.json")[f"adapter-{side}"]
    assert weights.stat().st_size <= 6_000_000
    assert run.metrics["adapter_fingerprint"] == file_hash(weights)[:12]
