"""Curation of our own posts with the real embedder, from raw posts to checked pairs, held against our own labels."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.bundled import DATA, json_lines
from pipelines.corpus import drafts, labels, versions
from pipelines.corpus.annotate.spam import spam_reasons
from pipelines.corpus.checks import lights
from pipelines.corpus.checks.records import Light
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.labels import Score, Sides
from pipelines.corpus.shards import Row
from pipelines.corpus.sources import open_source
from pipelines.corpus.sources.source import Source
from pipelines.corpus.steps import registry
from pipelines.corpus.steps.text import EMAIL, HANDLE, LINK, Mask
from pipelines.paths import Paths
from pipelines.stance.embedding import Embedder
from pipelines.stance.ruler import Ruler

PLAN = [*registry.CLEANING["posts"], *registry.SCORING, "select", "match"]
SETTINGS = {"select": {"strategy": "random", "side": "left", "count": 200}, "match": {"towards": "both"}}


@dataclass(frozen=True)
class Curated:
    """The bundled posts after every step, and how the steps did."""

    draft: Draft
    tools: Tools
    scores: dict[str, Score]
    sides: Sides

    @property
    def pairs(self) -> list[Row]:
        return list(self.draft.rows.rows())


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Curated:
    paths = Paths(tmp_path_factory.mktemp("curation"))
    tools = Tools(paths, ruler=Ruler(Embedder(paths)))
    draft = drafts.apply_all(drafts.create(open_source("bundled-posts"), paths), PLAN, tools, SETTINGS)
    keys = [step.key for step in draft.steps if step.key in labels.MEANT]
    sides = labels.of_sides(draft)
    assert sides is not None
    return Curated(draft, tools, dict(zip(keys, labels.of_steps(draft), strict=True)), sides)


@pytest.fixture(scope="module")
def checked(curated: Curated) -> dict[str, Light]:
    return {light.key: light for light in lights.check(curated.pairs, "mirrored", curated.tools.ruler.embedder)}


@pytest.mark.parametrize(
    ("step", "precision", "recall"),
    [("language", 0.95, 0.95), ("length", 0.95, 0.95), ("near", 0.95, 0.95), ("spam", 0.9, 0.6), ("weak", 0.65, 0.7)],
)
def test_each_step_drops_what_it_is_meant_to_and_little_else(curated: Curated, step: str, precision: float, recall: float) -> None:
    found = curated.scores[step]
    assert found.precision is not None and found.recall is not None and found.there >= 10
    assert found.precision >= precision and found.recall >= recall, (
        f"{found.step}: {found.right} of {found.dropped} dropped, {found.there} meant"
    )


def test_scored_sides_agree_with_our_labels_clearly_more_often_than_guessing(curated: Curated) -> None:
    """Of n guesses, .5 + 1.65 / (2 sqrt(n)) are right by chance in one of twenty times: .56 for 200."""
    right, total = curated.sides.agreement
    assert total >= 200 and right / total >= 0.62
    for side, other in (("left", "right"), ("right", "left")):
        assert curated.sides.table[side][side] > curated.sides.table[side][other], "not by calling all posts one side"
    assert curated.sides.topics_right / curated.sides.topics >= 0.6


def test_no_step_sees_the_labels(curated: Curated) -> None:
    """The same posts without labels, in a draft of their own, go the same way through all steps that embed nothing."""
    bare = [{key: row[key] for key in ("id", "text")} for row in curated.draft.after(0).rows()]
    draft = drafts.apply_all(drafts.create(Source("bare", lambda notes: iter(bare)), curated.tools.paths), PLAN[:7], curated.tools)
    assert [row["id"] for row in draft.rows.rows()] == [row["id"] for row in curated.draft.after(7).rows()]
    assert all(not spam_reasons(row["text"]) for row in draft.rows.rows())


def test_at_least_fifty_pairs_come_out_each_with_two_different_posts_used_once(curated: Curated) -> None:
    pairs = curated.pairs
    posts = {row["id"]: row for row in curated.draft.after(PLAN.index("weak") + 1).rows()}
    assert len(pairs) >= 50 and len({row["id"] for row in pairs}) == len(pairs)
    for column in ("chosen_from", "rejected_from"):
        assert len({row[column] for row in pairs}) == len(pairs)
    for row in pairs:
        left, right = posts[row["chosen_from"]], posts[row["rejected_from"]]
        assert (row["left"], row["right"]) == (left["text"], right["text"]) and left["topic"] == right["topic"] == row["topic"]


def test_matched_pairs_hold_opposite_sides_by_our_labels_more_often_than_guessing(curated: Curated) -> None:
    """Guessed sides would put as many pairs the wrong way round as the right way."""
    own = {row["id"]: row["own_label"] for row in curated.draft.after(0).rows()}
    judged = [(own[row["chosen_from"]], own[row["rejected_from"]]) for row in curated.pairs]
    right, wrong = judged.count(("left", "right")), judged.count(("right", "left"))
    assert right >= 2 * wrong and right >= 20


def test_no_pair_holds_a_handle_a_link_an_address_or_a_number_to_call(curated: Curated) -> None:
    texts = [row[name] for row in curated.pairs for name in ("prompt", "left", "right")]
    assert [text for text in texts if HANDLE.search(text) or LINK.search(text) or EMAIL.search(text) or Mask().mask(text) != text] == []
    assert any("[user]" in text or "[link]" in text for text in texts), "the posts held some"
    assert not any("&amp;" in text or "\r" in text for text in texts)


def test_nothing_that_measures_leaks_into_the_pairs(checked: dict[str, Light]) -> None:
    leakage = checked["leakage"]
    assert leakage.state == "green" and leakage.figures["exact"] == leakage.figures["near"] == 0


def test_no_check_finds_a_fault_in_the_pairs_and_none_was_left_out(checked: dict[str, Light]) -> None:
    assert {light.key for light in checked.values() if light.state == "red"} == set() and len(checked) == 11
    assert {light.key for light in checked.values() if light.state == "grey"} == set()


def test_the_pairs_are_saved_and_can_be_tuned_to_both_sides(curated: Curated) -> None:
    paths = curated.tools.paths
    saved = versions.load(drafts.save(curated.draft, "matched", paths).name, paths)
    assert saved.sides == ("left", "right") and len(saved.pairs("left")) == len(saved.pairs("right")) == len(curated.pairs)
    assert saved.name in [about.partition("-")[0] for about in versions.tunable(paths)] and len(saved.details["steps"]) == len(PLAN)
    assert "vector" not in saved.rows[0]


@pytest.mark.slow
def test_the_steps_do_the_same_without_our_labels(tmp_path: Path) -> None:
    tools = Tools(Paths(tmp_path), Ruler(Embedder(Paths(tmp_path))))
    posts = [row for row in json_lines(DATA / "posts.jsonl") if row["topic"] in ("housing", "pensions", "crime", "")]
    found = []
    for name, drop in (("with", ()), ("without", ("label", "topic", "axis", "strength", "of"))):
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps({key: value for key, value in row.items() if key not in drop}) + "\n" for row in posts))
        draft = drafts.create(open_source(str(file)), tools.paths)
        draft = drafts.apply_all(draft, PLAN, tools, {"match": {"towards": "both"}, "select": {"side": "both"}})
        found.append([{key: value for key, value in row.items() if not key.startswith("own_")} for row in draft.rows.rows()])
    assert found[0] == found[1] and len(found[0]) > 3
