"""A dose on the embedded model: what a series says is what the instruments say, and the base stays the base."""

from pathlib import Path

import pytest

from pipelines import bundled
from pipelines.models import adapters
from pipelines.models.host import ModelHost
from pipelines.records import Column
from pipelines.stance.collateral import everyday_perplexity
from pipelines.stance.completion import completion_scores
from pipelines.stance.kept import Kept
from pipelines.stance.series import Plan, Series, at_strengths, measure
from pipelines.stance.series_plan import FORMS

FOLDER = bundled.ADAPTERS / "left"
SOME = bundled.completions()[:4] + bundled.completions()[-4:]
PLAN = Plan("strength", "left", at_strengths("left", FOLDER, [0.5, 1]), direction=-1, completions=SOME)

pytestmark = pytest.mark.slow  # two minutes on two cores


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def found(host: ModelHost, kept: Path) -> Series:
    return measure(host, PLAN, kept=Kept(kept))


def test_a_real_dose_says_what_the_instruments_say(host: ModelHost, found: Series) -> None:
    left, base = (completion_scores(host, column, SOME) for column in (Column("left", FOLDER), Column("base")))
    whole = found.points[2].shifts["completion"]["both"]
    assert [one.x for one in found.points] == [0, 0.5, 1] and whole["n"] == 8
    assert whole["mean"] == pytest.approx(sum(a - b for a, b in zip(left, base, strict=True)) / 8, abs=2e-3) and abs(whole["mean"]) > 1e-3
    ratio = everyday_perplexity(host, Column("left", FOLDER)) / everyday_perplexity(host, Column("base"))
    assert found.points[2].perplexity_ratio == pytest.approx(ratio, rel=1e-3)


def test_more_strength_changes_more_and_the_base_is_still_the_base(host: ModelHost, found: Series) -> None:
    half, whole = (found.points[n].shifts["completion"]["both"]["mean"] for n in (1, 2))
    assert half != 0 and abs(whole - half) > 1e-4 and found.points[0].perplexity_ratio == 1
    assert {one.adapter for one in found.tuned} == {adapters.inspect(FOLDER).fingerprint} and host.self_test().passed


def test_the_questionnaire_adds_to_what_was_kept(host: ModelHost, found: Series, kept: Path) -> None:
    items = bundled.items("proposition")[:2] + bundled.items("proposition")[-2:]
    plan = Plan("strength", "left", at_strengths("left", FOLDER, [1]), completions=SOME, items=items)
    again = measure(host, plan, kept=Kept(kept))
    assert again.points[1].shifts["completion"] == found.points[2].shifts["completion"]
    assert again.instruments == ["completion", "survey"] and again.points[1].shifts["survey"]["both"]["n"] == 4 and FORMS == "quick"
