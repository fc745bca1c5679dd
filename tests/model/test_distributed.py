"""The steps whose rows do not depend on each other give the same rows on a local Ray as on the local engine."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.corpus import engine, shards
from pipelines.corpus.distributed import connect, run_on_ray, spreads
from pipelines.corpus.engine import Tools
from pipelines.corpus.shards import Shards
from pipelines.corpus.steps import registry
from pipelines.errors import Cancelled, StudioError
from pipelines.paths import Paths
from pipelines.stance.embedding import Embedder
from pipelines.stance.ruler import Ruler, training_texts
from tests.unit.test_engine import bundled_posts, fill

pytest.importorskip("ray", reason="the optional extra is not installed: pip install -r requirements-ray.txt")
CLEANING = ("normalize", "mask", "language", "length", "spam")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[Any]:
    """A local Ray of two processes."""
    ray = connect(processors=2)
    yield ray
    ray.shutdown()


def both(folder: Path) -> tuple[list[Any], list[Any]]:
    """Kept and dropped rows, shard by shard."""
    return list(Shards(folder).batches()), list(Shards(folder, "dropped").batches())


@pytest.mark.slow
def test_cleaning_on_ray_equals_the_local_engine_row_for_row(tmp_path: Path) -> None:
    source, tools = fill(tmp_path / "source", bundled_posts(), 100), Tools(Paths(tmp_path))
    dropped = 0
    for key in CLEANING:
        here, there = tmp_path / f"{key}-here", tmp_path / f"{key}-there"
        local, remote = engine.run(registry.make(key), source, here, tools), run_on_ray(registry.make(key), source, there, tools)
        assert replace(local, seconds=0) == replace(remote, seconds=0)
        assert both(here) == both(there)
        source, dropped = Shards(there), dropped + remote.dropped
    assert dropped > 28 and len(source.files) == 7


@pytest.mark.slow
def test_scoring_on_ray_equals_the_local_engine_row_for_row(tmp_path: Path) -> None:
    source = fill(tmp_path / "source", bundled_posts()[:80], 20)
    few = [text for n, text in enumerate(training_texts()) if n // 3 % 8 == 0]
    tools = Tools(Paths(tmp_path), ruler=Ruler(Embedder(Paths(tmp_path)), few))
    step = registry.make("annotate")
    engine.run(step, source, tmp_path / "here", tools)
    run_on_ray(step, source, tmp_path / "there", tools)
    rows = list(Shards(tmp_path / "there").rows())
    assert len(rows) == 80 and all(row["vector"] for row in rows) and any(row["economic"] for row in rows)
    assert both(tmp_path / "here") == both(tmp_path / "there")


@pytest.mark.slow
def test_ray_goes_on_where_the_local_engine_was_stopped_and_the_other_way_round(tmp_path: Path) -> None:
    source, step = fill(tmp_path / "source", bundled_posts()[:60], 10), registry.make("mask")
    whole = engine.run(step, source, tmp_path / "whole", Tools(Paths(tmp_path)))
    for first, second in ((engine.run, run_on_ray), (run_on_ray, engine.run)):
        target, shares = tmp_path / first.__name__, []
        stopped = Tools(Paths(tmp_path), progress=lambda share, words, s=shares: s.append(share), cancelled=lambda s=shares: len(s) >= 2)
        with pytest.raises(Cancelled):
            first(step, source, target, stopped)
        assert len(Shards(target).files) > 0 and not (target / engine.DONE).exists()
        assert replace(second(step, source, target, Tools(Paths(tmp_path))), seconds=0) == replace(whole, seconds=0)
        assert both(target) == both(tmp_path / "whole")


def test_a_damaged_shard_on_a_worker_is_said_in_the_same_sentence(tmp_path: Path) -> None:
    source = fill(tmp_path / "source", bundled_posts()[:30], 10)
    source.files[1].write_bytes(b"PAR1 and then nothing")
    with pytest.raises(StudioError, match=r"kept-00001\.parquet are damaged") as caught:
        run_on_ray(registry.make("mask"), source, tmp_path / "there", Tools(Paths(tmp_path)))
    assert caught.value.hint.startswith("Open the data again")


def test_steps_that_need_all_rows_in_order_or_a_key_stay_here(tmp_path: Path) -> None:
    assert not spreads(registry.make("near")) and not spreads(registry.make("annotate", {"annotator": "endpoint"}))
    rows = shards.read(fill(tmp_path / "source", bundled_posts()[:10], 10).files[0])
    source = fill(tmp_path / "twice", [*rows, *[{**row, "id": f"again-{row['id']}"} for row in rows]], 5)
    assert run_on_ray(registry.make("exact"), source, tmp_path / "there", Tools(Paths(tmp_path))).dropped == 10
