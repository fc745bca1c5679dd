"""The engine that applies curation steps to shards of rows: counts, reasons, cancelling, going on, broken files."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pipelines.corpus import distributed, engine, shards
from pipelines.corpus.engine import Outcome, Tools, Work
from pipelines.corpus.shards import Row, Shards
from pipelines.corpus.steps.duplicates import ExactDuplicates, NearDuplicates
from pipelines.corpus.steps.text import Language, Mask
from pipelines.errors import Cancelled, StudioError
from pipelines.paths import ASSETS, Paths
from pipelines.records import lever


def posts(*texts: str) -> list[Row]:
    return [{"id": f"p{n}", "topic": "", "text": text} for n, text in enumerate(texts)]


def bundled_posts() -> list[Row]:
    """Our own posts with our own labels, as they are opened."""
    lines = (ASSETS / "data" / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    return [{"id": row["id"], "topic": "", "text": row["text"], "own_label": row["label"]} for row in map(json.loads, lines)]


def fill(folder: Path, rows: Sequence[Row], size: int = 3) -> Shards:
    folder.mkdir(parents=True)
    for number, batch in enumerate(shards.regroup([list(rows)], size)):
        shards.write(shards.path_of(folder, "kept", number), batch)
    return Shards(folder)


def outcome(step: Any, rows: Sequence[Row], tmp_path: Path, size: int = 50) -> tuple[engine.Result, list[Row], list[Row]]:
    """The counts, the kept and the dropped rows of one step."""
    result = engine.run(step, fill(tmp_path / "source", rows, size), tmp_path / "target", Tools(Paths(tmp_path)))
    return result, list(Shards(tmp_path / "target").rows()), list(Shards(tmp_path / "target", "dropped").rows())


@dataclass(frozen=True)
class Shout:
    """Writes everything in capitals and drops texts with a "no"; says which texts it was given."""

    loud: int = lever(1, "Loudness", "Exclamation marks.", 1, 3)
    quiet: bool = lever(False, "Quiet", "A switch.")
    seen: list[str] = field(default_factory=list)
    key: ClassVar[str] = "shout"
    label: ClassVar[str] = "Shout"
    hint: ClassVar[str] = ""
    kinds: ClassVar[tuple[str, ...]] = ("posts",)
    per_row: ClassVar[bool] = True

    def start(self, tools: Tools, shards: Shards) -> Work:
        def one(row: Row) -> Outcome:
            self.seen.append(row["text"])
            return Outcome(row, "says no", "no") if "no" in row["text"] else Outcome({**row, "text": row["text"].upper()})

        return lambda rows: [one(row) for row in rows]


@dataclass(frozen=True)
class Count:
    """Numbers the rows in order: its result depends on all rows before."""

    key: ClassVar[str] = "count"
    label: ClassVar[str] = "Count"
    hint: ClassVar[str] = ""
    kinds: ClassVar[tuple[str, ...]] = ("posts",)
    per_row: ClassVar[bool] = False

    def start(self, tools: Tools, shards: Shards) -> Work:
        numbers = iter(range(10**6))
        return lambda rows: [Outcome({**row, "topic": str(next(numbers))}) for row in rows]


def stop_after(parts: int, paths: Paths) -> Tools:
    """Tools of a person who cancels after some parts."""
    shares: list[float] = []
    return Tools(paths, progress=lambda share, words: shares.append(share), cancelled=lambda: sum(share > 0 for share in shares) >= parts)


def test_counts_reasons_and_order_are_those_of_the_rows(tmp_path: Path) -> None:
    result, kept, dropped = outcome(Shout(), posts("a", "no b", "C", "no d", "e", "F", "g"), tmp_path, 3)
    assert (result.before, result.after, result.changed, result.dropped, result.reasons) == (7, 5, 3, 2, {"says no": 2})
    assert [row["text"] for row in kept] == ["A", "C", "E", "F", "G"]
    assert [(row["text"], row["reason"], row["detail"]) for row in dropped] == [("no b", "says no", "no"), ("no d", "says no", "no")]
    assert engine.Result.load(tmp_path / "target") == result


def test_a_finished_step_is_read_and_not_computed_again(tmp_path: Path) -> None:
    source, step, tools = fill(tmp_path / "source", posts("a", "b")), Shout(), Tools(Paths(tmp_path))
    assert engine.run(step, source, tmp_path / "target", tools) == engine.run(step, source, tmp_path / "target", tools)
    assert step.seen == ["a", "b"]


def test_a_stopped_step_goes_on_without_computing_finished_shards_again(tmp_path: Path) -> None:
    source, step, target = fill(tmp_path / "source", posts(*"abcdefgh"), 2), Shout(), tmp_path / "target"
    with pytest.raises(Cancelled):
        engine.run(step, source, target, stop_after(2, Paths(tmp_path)))
    assert step.seen == list("abcd") and not (target / engine.DONE).exists()
    result = engine.run(step, source, target, Tools(Paths(tmp_path)))
    assert step.seen == list("abcdefgh") and result.before == 8
    assert [row["text"] for row in Shards(target).rows()] == list("ABCDEFGH")


@pytest.mark.parametrize("step", [Count(), ExactDuplicates(), NearDuplicates()], ids=lambda step: step.key)
def test_a_step_that_needs_the_rows_before_gives_the_same_after_a_stop(tmp_path: Path, step: Any) -> None:
    source = fill(tmp_path / "source", bundled_posts()[:200] * 2, 50)
    whole = engine.run(step, source, tmp_path / "whole", Tools(Paths(tmp_path)))
    with pytest.raises(Cancelled):
        engine.run(step, source, tmp_path / "stopped", stop_after(3, Paths(tmp_path)))
    again = engine.run(step, source, tmp_path / "stopped", Tools(Paths(tmp_path)))
    assert replace(again, seconds=0) == replace(whole, seconds=0)
    assert list(Shards(tmp_path / "stopped").rows()) == list(Shards(tmp_path / "whole").rows())


def test_a_step_that_fails_leaves_no_half_shard_and_no_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as parquet

    def half(table: Any, where: Path, **options: Any) -> None:
        Path(where).write_bytes(b"PAR1")
        raise OSError("no space left on device")

    source = fill(tmp_path / "source", posts("a", "b"))
    monkeypatch.setattr(parquet, "write_table", half)
    with pytest.raises(OSError):
        engine.run(Shout(), source, tmp_path / "target", Tools(Paths(tmp_path)))
    assert not list((tmp_path / "target").iterdir())
    monkeypatch.undo()
    assert engine.run(Shout(), source, tmp_path / "target", Tools(Paths(tmp_path))).after == 2


def test_progress_ends_at_one_and_never_goes_back(tmp_path: Path) -> None:
    shares: list[float] = []
    tools = Tools(Paths(tmp_path), progress=lambda share, words: shares.append(share))
    engine.run(Shout(), fill(tmp_path / "source", posts(*"abcdefg"), 2), tmp_path / "target", tools)
    assert shares == sorted(shares) and shares[-1] == 1 and shares[0] == 0 and len(shares) == 5


def test_a_step_that_drops_everything_leaves_rows_of_none_and_of_all(tmp_path: Path) -> None:
    result, kept, dropped = outcome(Shout(), posts("no", "no no"), tmp_path)
    assert (result.after, kept, len(dropped)) == (0, [], 2) and len(Shards(tmp_path / "target")) == 0


def test_an_added_column_is_not_a_changed_row(tmp_path: Path) -> None:
    class Score(Count):
        def start(self, tools: Tools, shards: Shards) -> Work:
            return lambda rows: [Outcome({**row, "economic": 2.5}) for row in rows]

    result, kept, _ = outcome(Score(), posts("a", "b"), tmp_path)
    assert result.changed == 0 and kept[0]["economic"] == 2.5


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"not a table"])
def test_a_damaged_shard_is_a_sentence(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    source = fill(tmp_path / "source", posts(*"abcdef"))
    source.files[1].write_bytes(damage(source.files[1].read_bytes()))
    with pytest.raises(StudioError, match=r"kept-00001\.parquet are damaged\. Open the data again"):
        engine.run(Shout(), source, tmp_path / "target", Tools(Paths(tmp_path)))
    assert not (tmp_path / "target" / engine.DONE).exists()


@pytest.mark.parametrize(
    "step,words",
    [
        (Shout(loud=4), "Loudness is 4.*between 1 and 3"),
        (Shout(loud=True), "Loudness is True"),
        (Shout(loud="2"), "Loudness is 2.*between"),
        (Shout(quiet="no"), "Quiet is “no”.*true or false"),
        (NearDuplicates(float("nan")), "Similarity is nan.*between 0.5 and 1"),
        (Language("tlh"), "can't be “tlh”.*Choose one of en, de"),
    ],
)
def test_settings_out_of_range_are_refused_before_anything_is_written(tmp_path: Path, step: Any, words: str) -> None:
    with pytest.raises(StudioError, match=words):
        engine.run(step, fill(tmp_path / "source", posts("a")), tmp_path / "target", Tools(Paths(tmp_path)))
    assert not (tmp_path / "target").exists()


def test_shards_give_their_rows_by_position_and_by_column(tmp_path: Path) -> None:
    source = fill(tmp_path / "source", posts(*"abcdefgh"), 3)
    assert len(source) == 8 and len(source.files) == 3
    assert [row["text"] for row in source.slice(2, 4)] == list("cdef") and source.slice(8, 5) == []
    assert next(source.batches(["text", "unknown"])) == [{"text": "a"}, {"text": "b"}, {"text": "c"}]


def test_halves_of_characters_are_stored_as_whole_ones(tmp_path: Path) -> None:
    shards.write(tmp_path / "kept-00000.parquet", posts("joined \ud83d\ude00", "alone \ud83d"))
    assert [row["text"] for row in Shards(tmp_path).rows()] == ["joined 😀", "alone \ufffd"]


def test_without_ray_its_extra_is_named_and_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    source = fill(tmp_path / "source", posts("a"))
    with pytest.raises(StudioError, match=r"pip install -r requirements-ray\.txt"):
        distributed.run_on_ray(Mask(), source, tmp_path / "target", Tools(Paths(tmp_path)))
    assert not (tmp_path / "target").exists()
