"""Folders in the Hub's format and data sets of the Hub: splits, slices, streaming, columns without text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.corpus.sources import open_source, read_all
from pipelines.errors import StudioError

POST = "Taxes are too high for most people"


def rows_of(reference: str, **options: Any) -> list[dict[str, Any]]:
    return read_all(open_source(reference, **options), 1_000)


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Path]:
    """A folder of two Parquet files with two splits, a class column and a picture column."""
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["left", "right"]), "photo": datasets.Image()}
    )
    rows = {"text": [f"{POST} {n}" for n in range(30)], "label": [n % 2 for n in range(29)] + [-1], "photo": [None] * 30}
    data = datasets.Dataset.from_dict(rows, features=features)
    (tmp_path / "set" / "data").mkdir(parents=True)
    for split in ("train", "test"):
        (data if split == "train" else data.select([0])).to_parquet(str(tmp_path / "set" / "data" / f"{split}-00000-of-00001.parquet"))
    datasets.DatasetDict({"train": data, "test": data.select([0])}).save_to_disk(str(tmp_path / "disk"))
    yield tmp_path


@pytest.mark.parametrize("name", ["set", "disk"])
def test_a_local_folder_in_the_hubs_format_opens(saved: Path, name: str) -> None:
    source = open_source(str(saved / name))
    rows = read_all(source, 100)
    assert source.name == name and [row["text"] for row in rows] == [f"{POST} {n}" for n in range(30)]
    assert [row["label"] for row in rows[:2]] == ["left", "right"] and rows[-1]["label"] is None
    assert source.notes == ["Columns that hold no text were left out: photo."] and "photo" not in rows[0]
    assert len(rows_of(str(saved / name), split="test")) == 1


@pytest.mark.parametrize("name", ["set", "disk"])
@pytest.mark.parametrize("split,numbers", [("train[:3]", [0, 1, 2]), ("train[28:]", [28, 29]), ("train[5:7]", [5, 6])])
def test_a_split_may_be_a_slice(saved: Path, name: str, split: str, numbers: list[int]) -> None:
    assert [row["text"] for row in rows_of(str(saved / name), split=split)] == [f"{POST} {n}" for n in numbers]


@pytest.mark.parametrize(
    "split,words", [("validation", "no split called “validation”"), ("train[:10%]", "not understood"), ("train[30:]", "holds no rows")]
)
def test_splits_that_are_not_there_get_a_sentence(saved: Path, split: str, words: str) -> None:
    for name in ("set", "disk"):
        with pytest.raises(StudioError, match=words) as caught:
            open_source(str(saved / name), split=split)
        assert caught.value.hint


@pytest.mark.parametrize("size,streamed", [(1 << 20, False), (300 << 20, True), (None, True)])
def test_a_hub_data_set_is_streamed_when_it_is_large_or_of_unknown_size(
    monkeypatch: pytest.MonkeyPatch, size: int | None, streamed: bool
) -> None:
    import datasets

    calls: list[dict[str, Any]] = []
    data = datasets.Dataset.from_list([{"text": POST}] * 5)

    def load(name: str, config: str | None, **options: Any) -> Any:
        calls.append({"name": name, "config": config, **options})
        return datasets.IterableDatasetDict({"test": data.to_iterable_dataset()}) if options.get("streaming") else data

    info = SimpleNamespace(dataset_size=size, download_size=None, splits={"test": None})
    monkeypatch.setattr(datasets, "load_dataset_builder", lambda *_, **__: SimpleNamespace(info=info))
    monkeypatch.setattr(datasets, "load_dataset", load)
    source = open_source("owner/name", split="test", config="english", revision="v2")
    assert read_all(source, 10) == [{"text": POST}] * 5
    assert source.details == {"split": "test", "config": "english", "revision": "v2"} and source.size_bytes == (size or 0)
    expected = {"name": "owner/name", "config": "english", "revision": "v2"}
    assert calls == [{**expected, "streaming": True} if streamed else {**expected, "split": "test"}]


def test_a_data_set_with_more_text_than_allowed_is_refused_while_it_is_read(saved: Path) -> None:
    assert len(rows_of(str(saved / "set"), max_bytes=2_000)) == 30
    with pytest.raises(StudioError, match="more than 0.0005 MB of text"):
        rows_of(str(saved / "set"), max_bytes=500)
