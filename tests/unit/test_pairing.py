"""From posts to pairs without a language model: who is joined with whom, and why some posts are not."""

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipelines import bundled
from pipelines.corpus import drafts, engine, versions
from pipelines.corpus.engine import Tools
from pipelines.corpus.shards import VECTOR, Row, Shards
from pipelines.corpus.steps import pairing, registry
from pipelines.corpus.steps.pairing import Match, assign, nearest_questions
from pipelines.errors import StudioError
from pipelines.paths import Paths
from tests.unit.test_annotators import WordCounter
from tests.unit.test_drafts import opened
from tests.unit.test_engine import fill
from tests.unit.test_saving import Score

HELD_OUT = next(name for name in bundled.topics() if name not in {row.topic for row in bundled.pairs()})
BANK = {row.prompt: row.topic for row in bundled.pairs()}


class Listed:
    """An embedder that knows its texts' vectors; it remembers what it was given."""

    def __init__(self, vectors: dict[str, Sequence[float]]) -> None:
        self.known, self.given = vectors, list[str]()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.given += texts
        return np.array([self.known[text] for text in texts], dtype=float)


def post(name: str, score: float | None, text: str = "", topic: str = "trade", **more: Any) -> Row:
    """A scored post; `name` stands for the text where there is none."""
    axes = {"economic": score, "social": None, "quality": 6.0, "annotator": "test", "problem": ""}
    return {"id": name, "text": text or name, "topic": topic, **axes, **more}


def tools_of(folder: Path) -> Tools:
    return Tools(Paths(folder), ruler=SimpleNamespace(embedder=WordCounter()))


def matched(step: Match, rows: Sequence[Row], folder: Path, pool: Sequence[Row] | None = None) -> tuple[list[Row], list[Row]]:
    """Kept and dropped rows; opposites come from `pool`, or from the rows themselves. Three rows a shard."""
    tools = tools_of(folder)
    tools.pool = fill(folder / "pool", pool) if pool is not None else None
    engine.run(step, fill(folder / "source", rows), folder / "target", tools)
    return list(Shards(folder / "target").rows()), list(Shards(folder / "target", "dropped").rows())


def partners(chosen: Sequence[Row], pool: Sequence[Row], embedder: Any) -> dict[str, str]:
    return {one: other["id"] for one, other in assign(chosen, pool, embedder).items()}


def test_all_posts_together_are_joined_best_even_where_the_first_gets_its_second_best() -> None:
    near = Listed({"a": (0.9, 0.8), "b": (0.85, 0.1), "x": (1, 0), "y": (0, 1)})
    assert partners([post("a", -5), post("b", -5)], [post("x", 5), post("y", 5)], near) == {"a": "y", "b": "x"}


@pytest.mark.parametrize(("left", "right"), [(4, 6), (5, 5), (6, 4)])
def test_no_other_way_of_joining_is_better_in_total_and_no_opposite_speaks_twice(left: int, right: int) -> None:
    random = np.random.default_rng(left)
    vectors = random.normal(size=(left + right, 3))
    embedder = Listed({str(n): vector / np.linalg.norm(vector) for n, vector in enumerate(vectors)})
    chosen, pool = [post(str(n), -5) for n in range(left)], [post(str(left + n), 5) for n in range(right)]
    found = partners(chosen, pool, embedder)
    likeness = embedder.encode([row["text"] for row in chosen]) @ embedder.encode([row["text"] for row in pool]).T
    wide = likeness if left <= right else likeness.T
    best = max(sum(wide[n, m] for n, m in enumerate(order)) for order in permutations(range(wide.shape[1]), wide.shape[0]))
    assert sum(likeness[int(a), int(b) - left] for a, b in found.items()) == pytest.approx(best)
    assert len(set(found.values())) == len(found) == min(left, right)


def test_topics_are_never_mixed_and_large_ones_go_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing, "BLOCK", 2)
    chosen = [post(f"l{n}", -5, topic=("guns", "trade")[n % 2]) for n in range(12)]
    pool = [post(f"r{n}", 5, topic="guns" if n < 5 else "trade") for n in range(15)]
    found = assign(chosen, pool, WordCounter())
    assert all(other["topic"] == chosen[int(one[1:])]["topic"] for one, other in found.items())
    assert len(found) == 5 + 6 == len({other["id"] for other in found.values()})


def test_stored_embeddings_are_used_and_missing_ones_made() -> None:
    vector = {VECTOR: np.array([1, 0], dtype=np.float16).tobytes()}
    embedder = Listed({"x": (0, 1), "y": (1, 0)})
    assert partners([post("a", -5, **vector)], [post("x", 5, **vector)], embedder) == {"a": "x"} and embedder.given == []
    assert partners([post("a", -5, **vector)], [post("x", 5, **vector), post("y", 5)], embedder) == {"a": "y"}
    assert embedder.given == ["x", "y"], "vectors of one kind of text come from one place"


def test_the_question_is_the_nearest_of_our_own_on_the_topic_and_never_one_that_measures(tmp_path: Path) -> None:
    rows = [post(f"l{n}", -5, f"{row.prompt} I say yes", row.topic) for n, row in enumerate(bundled.pairs()[::9])]
    found = nearest_questions(rows, WordCounter())
    right = [found[row["id"]] == row["text"].removesuffix(" I say yes") for row in rows]
    assert np.mean(right) > 0.9 and all(BANK[found[row["id"]]] == row["topic"] for row in rows)
    assert not BANK.keys() & {question.text for question in bundled.questions()}
    assert nearest_questions([post("a", -5, topic=HELD_OUT)], WordCounter()) == {}


def test_every_post_that_is_no_pair_says_why(tmp_path: Path) -> None:
    rows = [
        post("pair", -4.0, "Tariffs protect the jobs of our town", quality=None),
        post("other side", 6.0, "Tariffs cost the jobs of our town"),
        post("no stance", None, "Tariffs were the subject of a talk"),
        post("too short", -9.0, "Stop it", "guns"),
        post("opposite", 3.0, "Guns are for free men who need them and know it", "guns"),
        post("alone", -5.0, "Rents must be capped by law in every town", "housing"),
        post("held out", -5.0, "We all know what this would mean for us", HELD_OUT),
        post("opposite", 5.0, "We all know what this would mean for them", HELD_OUT),
        post("off topic", -5.0, "The soup was too salty again", ""),
    ]
    kept, dropped = matched(Match(), rows, tmp_path)
    assert {row["id"]: (row["reason"], row["detail"]) for row in dropped if row["id"] != "opposite"} == {
        "other side": ("not on the side that is taught", "right"),
        "no stance": ("not on the side that is taught", "no stance"),
        "too short": ("too unequal in length", "2 and 11 words"),
        "alone": ("no opposite post is left on its topic", "housing"),
        "held out": ("no neutral question on its topic", HELD_OUT),
        "off topic": ("no opposite post is left on its topic", "no topic"),
    }
    assert BANK[kept[0].pop("prompt")] == "trade"
    assert kept == [
        {
            "id": "pair-pair",
            "topic": "trade",
            "chosen": "Tariffs protect the jobs of our town",
            "rejected": "Tariffs cost the jobs of our town",
            "made": "matched",
            "chosen_from": "pair",
            "rejected_from": "other side",
            "score": 4.0,
        }
    ]


@pytest.mark.parametrize(("ratio", "pairs"), [(1.0, 0), (1.99, 0), (2.0, 1), (10.0, 1)])
def test_the_length_ratio_is_the_largest_that_is_kept_whichever_text_is_longer(tmp_path: Path, ratio: float, pairs: int) -> None:
    for place, (one, other) in enumerate((("four words of text", "two words"), ("two words", "four words of text"))):
        kept, dropped = matched(Match(ratio=ratio), [post("a", -5, one), post("b", 5, other)], tmp_path / str(place))
        assert len(kept) == pairs and ("too unequal in length" in {row["reason"] for row in dropped}) == (pairs == 0)


def test_either_side_can_be_taught(tmp_path: Path) -> None:
    rows = [post("l", -5, "Tariffs protect our jobs"), post("r", 5, "Tariffs cost us jobs")]
    (kept,), _ = matched(Match("right"), rows, tmp_path)
    assert (kept["id"], kept["chosen"], kept["rejected"], kept["score"]) == ("pair-r", rows[1]["text"], rows[0]["text"], 5.0)
    for side, only in (("left", rows[1:]), ("right", rows[:1])):
        with pytest.raises(StudioError, match=f"No post here leans to the {side}"):
            matched(Match(side), only, tmp_path / side)


def test_mirrored_rows_from_posts_can_be_tuned_to_either_side(paths: Paths) -> None:
    rows = [
        {"id": f"{side}{n}", "text": f"Tariffs {word} the jobs of town {n}"}
        for n in (3, 5)
        for side, word in (("L", "keep"), ("R", "cost"))
    ]
    tools = tools_of(paths.root)
    draft = drafts.apply(drafts.apply(opened(paths, rows), Score(), tools), registry.make("match", {"towards": "both"}), tools)
    assert (draft.kind, len(draft.rows), draft.steps[-1].result.reasons) == ("mirrored", 2, {"not on the side that is taught": 2})
    saved = versions.load(drafts.save(draft, "", paths).name, paths)
    assert (saved.kind, saved.sides, saved.rows[0]["axis"]) == ("mirrored", ("left", "right"), "economic")
    for side, word, other in (("left", "keep", "cost"), ("right", "cost", "keep")):
        assert all(word in pair.chosen and other in pair.rejected for pair in saved.pairs(side))
    assert saved.name in [versions.load(name, paths).name for name in versions.tunable(paths)[1:]]


def test_opposites_come_from_before_the_selection(paths: Paths) -> None:
    rows = [{"id": name, "text": f"Post {name} on tariffs and jobs"} for name in ("L9", "L2", "R4", "R6")]
    tools = tools_of(paths.root)
    draft = drafts.apply(opened(paths, rows), Score(), tools)
    draft = drafts.apply(draft, registry.make("select", {"strategy": "extreme", "side": "left", "count": 1}), tools)
    (pair,) = drafts.apply(draft, registry.make("match"), tools).rows.rows()
    assert pair["chosen_from"] == "L9" and pair["rejected_from"] in ("R4", "R6")


def test_posts_that_were_not_selected_become_opposites_and_no_rows_of_their_own(tmp_path: Path) -> None:
    pool = [post("l", -5, "Tariffs protect jobs"), post("r", 5, "Tariffs cost jobs"), post("q", 5, "Tariffs bore me")]
    kept, dropped = matched(Match(), pool[:1], tmp_path, pool)
    assert [row["rejected_from"] for row in kept] == ["r"] and dropped == []
