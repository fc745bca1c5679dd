"""Selection strategies on made-up posts: what each must pick, and that seeds, sides and shortages are kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.corpus import engine, shards
from pipelines.corpus.engine import Tools
from pipelines.corpus.picked import compare, describe, project, sample
from pipelines.corpus.selection import COLUMNS, STRATEGIES, Candidates, choose, said
from pipelines.corpus.shards import Row, Shards
from pipelines.corpus.steps.selecting import Select
from pipelines.errors import Cancelled, StudioError
from pipelines.paths import Paths
from studio.views import selection as view

TOPICS = ("housing", "trade", "family", "")


def rows(count: int = 120, vectors: bool = True) -> list[Row]:
    """Posts with scores from -6 to 6, every tenth without a stance, in clusters of a topic each."""
    random = np.random.default_rng(3)
    centres = np.eye(8)[:4]
    made = []
    for n in range(count):
        score = None if n % 10 == 9 else float(n % 13 - 6) or 0.5
        vector = centres[n % 4] + 0.05 * random.normal(size=8)
        made.append(
            {
                "id": f"p{n}",
                "text": "word " * (5 + n % 7) + "<b>&",
                "topic": TOPICS[n % 4],
                "economic": score,
                "social": None,
                "quality": 6.0,
                "annotator": "test",
                "problem": "",
                **({"vector": vector.astype("float16").tobytes()} if vectors else {}),
            }
        )
    return made


@pytest.fixture(scope="module")
def posts() -> Candidates:
    return Candidates.from_batches([rows()])


class Words:
    """An embedder that only knows two directions."""

    embedder: Any

    def __init__(self) -> None:
        self.embedder = self
        self.asked = 0

    def encode(self, texts: list[str]) -> np.ndarray:
        self.asked += len(texts)
        return np.array([np.eye(8)[1 if "trade" in text else 0] for text in texts], dtype=np.float32)


def seeds_of(topic: int) -> np.ndarray:
    return np.eye(8)[[topic]].astype(np.float32)


def test_candidates_come_from_batches_as_unit_vectors_and_signed_scores() -> None:
    made = Candidates.from_batches([rows()[:50], [], rows()[50:]])
    assert len(made) == 120 and made.vectors is not None and made.vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(made.vectors, axis=1), 1, atol=1e-3)
    assert made.scores[0] == -6 and np.isnan(made.scores[9]) and made.words[0] == 6


def test_posts_that_were_never_scored_are_refused() -> None:
    with pytest.raises(StudioError, match="no scores"):
        Candidates.from_batches([[{"id": "a", "text": "b"}]])


def test_missing_vectors_are_computed_where_an_encoder_is_given_and_else_nobody_has_any() -> None:
    mixed = [*rows(8), *rows(8, vectors=False)]
    words = Words()
    assert Candidates.from_batches([mixed[:8], mixed[8:]]).vectors is None
    assert Candidates.from_batches([mixed[:8], mixed[8:]], words.encode).vectors.shape == (16, 8)  # type: ignore[union-attr]
    assert words.asked == 8


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("side", ["left", "right", "both"])
def test_every_strategy_repeats_by_seed_and_keeps_to_its_side(posts: Candidates, strategy: str, side: str) -> None:
    pick = lambda seed: choose(posts, strategy, side, 20, seed, cutoff=2, seed_vectors=seeds_of(0))  # noqa: E731
    first = pick(1)
    assert first == pick(1) == sorted(set(first)) and len(first) == 20
    signs = np.sign(posts.scores[first])
    assert {"left": -20, "right": 20, "both": 0}[side] == signs.sum() and not np.isnan(signs).any()
    assert strategy == "seeds" or any(pick(seed) != first for seed in range(2, 6))


def test_the_most_extreme_are_the_strongest_and_equal_scores_are_left_to_chance(posts: Candidates) -> None:
    picked = choose(posts, "extreme", "right", 15, 1)
    left_out = set(posts.of_side("right").tolist()) - set(picked)
    assert min(posts.scores[picked]) >= max(posts.scores[n] for n in left_out)


def test_a_cut_off_is_the_weakest_score_that_may_be_picked(posts: Candidates) -> None:
    picked = choose(posts, "cutoff", "left", 1000, 1, cutoff=4)
    assert set(picked) == {n for n in range(len(posts)) if posts.scores[n] <= -4}
    assert len(choose(posts, "cutoff", "left", 5, 1, cutoff=4)) == 5


def test_balanced_takes_as_many_of_each_topic_and_none_that_is_off_topic(posts: Candidates) -> None:
    counts = describe(posts, choose(posts, "balanced", "left", 15, 2)).topics
    assert counts == {"housing": 5, "trade": 5, "family": 5}


def test_a_topic_that_runs_out_leaves_its_share_to_the_others() -> None:
    some = [row for row in rows() if row["topic"] != "trade" or row["id"] in ("p1", "p13", "p5")]
    posts = Candidates.from_batches([some])
    counts = describe(posts, choose(posts, "balanced", "left", 16, 2)).topics
    assert counts["trade"] == len([n for n in posts.of_side("left") if posts.topics[n] == "trade"]) < 5
    assert abs(counts["housing"] - counts["family"]) <= 1 and sum(counts.values()) == 16


def test_the_most_diverse_cover_every_cluster_before_any_twice(posts: Candidates) -> None:
    for seed in range(5):
        assert len(set(posts.topics[choose(posts, "diverse", "right", 4, seed)])) == 4
    spread = [describe(posts, choose(posts, name, "right", 12, 1, seed_vectors=seeds_of(2))).distance or 0 for name in ("diverse", "seeds")]
    assert spread[0] > spread[1]


def test_seed_statements_pick_what_is_near_any_of_them(posts: Candidates) -> None:
    assert set(posts.topics[choose(posts, "seeds", "both", 20, 1, seed_vectors=seeds_of(1))]) == {"trade"}
    two = np.concatenate([seeds_of(1), 9 * seeds_of(2)])
    assert set(posts.topics[choose(posts, "seeds", "both", 48, 1, seed_vectors=two)]) == {"trade", "family"}


def test_too_few_posts_are_all_taken_and_people_are_told(posts: Candidates) -> None:
    left = posts.of_side("left").tolist()
    picked = choose(posts, "random", "left", 500, 1)
    assert picked == left
    assert (
        said(posts, picked, "random", "left", 500)
        == f"Random: {len(left)} of 120 posts. There were not enough: {len(left)} of 500 on the left."
    )
    assert "not enough" not in said(posts, choose(posts, "random", "both", 9, 1), "random", "both", 9)


def test_what_a_strategy_lacks_is_said(posts: Candidates) -> None:
    bare = Candidates.from_batches([rows(vectors=False)])
    for strategy in ("diverse", "seeds"):
        with pytest.raises(StudioError, match="embeddings"):
            choose(bare, strategy, "left", 3, 1, seed_vectors=seeds_of(0))
    with pytest.raises(StudioError, match="at least one statement"):
        choose(posts, "seeds", "left", 3, 1)
    with pytest.raises(StudioError, match="no strategy"):
        choose(posts, "best", "left", 3, 1)
    with pytest.raises(StudioError, match="not a side"):
        choose(posts, "random", "up", 3, 1)


def test_a_comparison_counts_what_picks_share(posts: Candidates) -> None:
    compared = compare(posts, {"random": [0, 1, 2], "extreme": [2, 3], "cutoff": []})
    assert compared.overlap["random", "extreme"] == (1, 0.25) == compared.overlap["extreme", "random"]
    assert compared.overlap["random", "random"] == (3, 1.0) and compared.overlap["cutoff", "random"].jaccard == 0
    assert compared.picks["cutoff"].strength is None and compared.picks["cutoff"].words is None
    assert compared.everything.rows == 120 and compared.everything.covered == 3
    assert compared.as_dict()["overlap"]["random & extreme"]["shared"] == 1


def test_figures_of_a_pick_are_those_of_its_posts(posts: Candidates) -> None:
    picked = [0, 1, 2, 4, 9]
    one = describe(posts, picked)
    assert one.topics == {"housing": 2, "trade": 2, "family": 1} and one.entropy == pytest.approx(1.522, abs=1e-3)
    assert one.strength == pytest.approx(np.mean([6, 5, 4, 2])) and (one.left, one.right) == (4, 0)
    assert one.words == (7.0, 8.0, 8.0)
    vectors = posts.vectors[picked]  # type: ignore[index]
    pairwise = [1 - vectors[a] @ vectors[b] for a in range(5) for b in range(a)]
    assert one.distance == pytest.approx(np.mean(pairwise), abs=1e-3)


def test_a_map_shows_all_that_was_picked_and_fills_up_with_others(posts: Candidates) -> None:
    picks = {"random": [3, 50, 119]}
    drawn = project(posts, picks, seed=1, points=40)
    assert len(drawn.positions) == len(drawn.x) == len(drawn.y) == 40 and {3, 50, 119} <= set(drawn.positions)
    assert drawn == project(posts, picks, seed=1, points=40)
    assert set(sample(posts, picks, points=2)) < {3, 50, 119}


@pytest.mark.parametrize("count", [1, 2, 3, 11])
def test_a_map_of_a_few_posts_is_still_a_map(count: int) -> None:
    drawn = project(Candidates.from_batches([rows(count)]), {"random": [0]})
    assert len(drawn.x) == count and np.isfinite([drawn.x, drawn.y]).all()


def stored(folder: Path, some: list[Row], size: int = 50) -> Shards:
    folder.mkdir(exist_ok=True)
    for number, start in enumerate(range(0, len(some), size)):
        shards.write(shards.path_of(folder, "kept", number), some[start : start + size])
    return Shards(folder)


def test_the_step_keeps_the_picked_and_says_why_the_others_were_not(tmp_path: Path, posts: Candidates) -> None:
    source = stored(tmp_path / "source", rows())
    result = engine.run(Select("extreme", "right", 10, seed=4), source, tmp_path / "out", Tools(Paths(tmp_path)))
    kept = list(Shards(tmp_path / "out").rows())
    assert result.after == 10 and result.reasons == {"not selected": 110} and result.changed == 0
    assert {row["id"] for row in kept} == {posts.ids[n] for n in choose(posts, "extreme", "right", 10, 4)}
    assert {row["picked_by"] for row in kept} == {"extreme"}
    details = {row["id"]: row["detail"] for row in Shards(tmp_path / "out", "dropped").rows()}
    assert details["p9"] == "no stance" and details["p0"] == "other side" and details["p7"] == "score +1.0"


def test_the_step_embeds_seed_statements_and_posts_only_where_it_must(tmp_path: Path) -> None:
    words = Words()
    bare = [{**row, "text": f"{row['topic']} {row['text']}"} for row in rows(vectors=False)]
    source = stored(tmp_path, bare)
    Select("random", "left", 5).start(Tools(Paths(tmp_path), ruler=words), source)
    assert words.asked == 0
    work = Select("seeds", "left", 5, seeds="more trade\n\n").start(Tools(Paths(tmp_path), ruler=words), source)
    assert words.asked == 121
    kept = [one.row for one in work(bare) if not one.reason]
    assert len(kept) == 5 and {row["topic"] for row in kept} == {"trade"}


def test_a_step_that_would_pick_nothing_says_so_and_a_stopped_one_stops(tmp_path: Path) -> None:
    source = stored(tmp_path, rows())
    with pytest.raises(StudioError, match="finds no post"):
        Select("cutoff", "left", 5, cutoff=9).start(Tools(Paths(tmp_path)), source)
    with pytest.raises(Cancelled):
        Select("diverse", "left", 5).start(Tools(Paths(tmp_path), cancelled=lambda: True), source)


def test_the_step_reads_no_column_that_it_does_not_need(tmp_path: Path) -> None:
    wide = stored(tmp_path, [{**row, "note": "x" * 100} for row in rows()])
    assert set(next(iter(wide.batches(COLUMNS)))[0]) == set(COLUMNS)


def test_tables_name_strategies_and_show_overlaps(posts: Candidates) -> None:
    compared = compare(posts, {"random": [0, 1, 2], "extreme": [2, 3]})
    assert "Most extreme" in view.table(compared) and "(all posts)" in view.table(compared)
    assert "1 (25%)" in view.overlaps(compared)
    cells = view.topics(compared).data[0]
    assert list(cells.y) and sum(row[0] for row in cells.text) == 3


def test_maps_draw_every_pick_once_a_panel_and_escape_texts(posts: Candidates) -> None:
    picks = {name: choose(posts, name, "both", 10, 1) for name in ("random", "extreme", "balanced")}
    drawn = project(posts, picks, points=60)
    texts = {row["id"]: row["text"] for row in rows()}
    figure = view.maps(posts, picks, drawn, texts, width=400)
    assert [len(trace.x) for trace in figure.data] == [50, 5, 5] * 3
    assert len({trace.marker.symbol for trace in figure.data}) == 3 and len({trace.xaxis for trace in figure.data}) == 3
    assert "<b>&amp;" not in figure.data[1].text[0] and "&lt;b&gt;&amp;" in figure.data[1].text[0]
    assert sum(bool(trace.showlegend) for trace in figure.data) == 3


def test_small_maps_stand_below_each_other_on_a_phone(posts: Candidates) -> None:
    picks = {"random": [0], "extreme": [1], "balanced": [2]}
    drawn = project(posts, picks, points=30)
    tall, wide = (view.maps(posts, picks, drawn, {}, width).layout for width in (400, 1300))
    assert tall.height > 2 * wide.height and tall.xaxis.domain[1] == 1 and wide.xaxis.domain[1] < 0.34


def test_the_strip_shows_scores_by_topic_and_leaves_out_what_has_no_stance(posts: Candidates) -> None:
    figure = view.strip(posts, [0, 7], list(range(40)), {}, "random")
    assert sum(len(trace.x) for trace in figure.data) == 36 and [len(trace.x) for trace in figure.data][1:] == [1, 1]
    assert "off topic" in figure.layout.yaxis.ticktext
