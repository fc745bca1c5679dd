"""Versions: hashed content in folders that never change, and their data cards."""

import json
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import DatasetCard

from pipelines.bundled import ADAPTERS
from pipelines.corpus import card, layout, shards, versions
from pipelines.corpus.push import push
from pipelines.corpus.shards import Shards
from pipelines.corpus.sources import BUNDLED
from pipelines.corpus.versions import Dataset
from pipelines.errors import StudioError
from pipelines.paths import Paths, content_hash, read_json, write_json

PAIR = {"id": "1", "topic": "rent", "prompt": "Should rents be limited?", "chosen": "Yes, by\u2028law.", "rejected": "No, never by law."}
POST = {"id": "p1", "topic": "taxes", "text": "Taxes are too high, [user].", "economic": 4.0, "social": None, "star": True}
MASK = {"key": "mask", "label": "Mask people", "settings": {"handles": True, "links": True, "emails": True, "phones": True}}
MASK_COUNTS = {"before": 3, "after": 2, "dropped": 1, "changed": 1, "reasons": {"too short | odd": 1}, "seconds": 0.3}
PAIRS = Dataset("My rows", "pairs", (PAIR, {**PAIR, "id": "2", "chosen": "Yes, of course."}))
POSTS = Dataset("my posts", "posts", (POST, {**POST, "id": "p2", "economic": None, "star": False}), {"steps": [{**MASK, **MASK_COUNTS}]})


def opened(folder: Path, cache: Path) -> Any:
    import datasets

    datasets.disable_progress_bars()
    return datasets.load_dataset(str(folder), cache_dir=str(cache))["train"]


def test_the_bundled_rows_still_have_the_hash_that_the_bundled_adapters_name(paths: Paths) -> None:
    dataset = versions.load(BUNDLED, paths)
    assert dataset.hash == read_json(ADAPTERS / "left" / "job.json")["data"]["hash"] == content_hash([dataset.kind, list(dataset.rows)])
    assert dataset.sides == ("left", "right", "neutral") and dataset.name == BUNDLED


def test_a_version_is_named_by_its_content_and_never_half_written(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = versions.save(PAIRS, paths)
    assert folder.name == f"my-rows-{PAIRS.hash[:8]}" and versions.save(PAIRS, paths) == folder
    loaded = versions.load(folder.name, paths)
    assert loaded.rows == PAIRS.rows and loaded.hash == PAIRS.hash and loaded.pairs("chosen")[0].chosen == PAIR["chosen"]
    assert versions.available(paths) == versions.tunable(paths) == [BUNDLED, folder.name]
    monkeypatch.setattr(versions, "write_json", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError):
        versions.write(Dataset("other", "pairs", PAIRS.rows), paths.datasets / "other")
    assert [f.name for f in paths.datasets.iterdir()] == [folder.name]


def test_saving_again_changes_nothing_but_mends_damage_and_takes_a_new_description(paths: Paths) -> None:
    folder = versions.save(POSTS, paths)
    written = (folder / layout.VERSION).stat().st_mtime_ns
    faster = {**POSTS.details, "steps": [{**MASK, **MASK_COUNTS, "seconds": 0.1}]}
    for same in (POSTS, Dataset("my posts", "posts", POSTS.rows), Dataset("my posts", "posts", POSTS.rows, faster)):
        assert versions.save(same, paths) == folder and (folder / layout.VERSION).stat().st_mtime_ns == written
    (folder / layout.LINES).write_text("gone")
    versions.save(POSTS, paths)
    assert versions.load(folder.name, paths).hash == POSTS.hash
    versions.save(Dataset("my posts", "posts", POSTS.rows, {**POSTS.details, "legal_basis": "consent of the authors"}), paths)
    assert "consent of the authors" in (folder / layout.CARD).read_text() and len(versions.available(paths)) == 2
    versions.save(Dataset("my posts", "posts", POSTS.rows, {"steps": []}), paths)
    about = versions.about(folder.name, paths)
    assert about["steps"] == [] and about["legal_basis"] == "consent of the authors"


@pytest.mark.parametrize("file", layout.DATA)
def test_a_changed_version_is_noticed(paths: Paths, file: str) -> None:
    folder = versions.save(PAIRS, paths)
    raw = (folder / file).read_bytes()
    (folder / file).write_bytes(raw.replace(b"Yes", b"Nay") if file == layout.LINES else raw[:-9])
    with pytest.raises(StudioError, match="damaged"):
        versions.load(folder.name, paths)


def test_a_broken_description_gets_a_sentence_and_hides_no_other_version(paths: Paths) -> None:
    good, bad = versions.save(PAIRS, paths), versions.save(POSTS, paths)
    (bad / layout.VERSION).write_text("{oops")
    assert good.name in versions.tunable(paths)
    with pytest.raises(StudioError, match="damaged"):
        versions.load(bad.name, paths)


def test_versions_from_before_the_data_card_still_load_and_are_renewed_when_saved(paths: Paths) -> None:
    old = paths.datasets / f"my-rows-{PAIRS.hash[:8]}"
    old.mkdir(parents=True)
    (old / "rows.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in PAIRS.rows), encoding="utf-8")
    steps = [{"name": "Normalize", "before": 2, "after": 2, "changed": 0, "dropped": 0}]
    write_json(old / "version.json", {"name": "My rows", "kind": "pairs", "hash": PAIRS.hash, "rows": 2, "source": "a.csv", "steps": steps})
    loaded = versions.load(old.name, paths)
    assert loaded.rows == PAIRS.rows
    with pytest.raises(StudioError, match="without a data card"):
        push(old, "me/it", dry_run=True)
    assert versions.save(loaded, paths) == old and "| 1 | Normalize |" in (old / layout.CARD).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["../../etc", "", ".", "nothing"])
def test_names_of_versions_cant_leave_the_folder(paths: Paths, name: str) -> None:
    versions.save(PAIRS, paths)
    for work in (versions.load, versions.forget, versions.about):
        with pytest.raises(StudioError, match="no data set version"):
            work(name, paths)


def test_a_folder_with_other_things_is_never_replaced(paths: Paths, tmp_path: Path) -> None:
    from pipelines.tuning import runs
    from pipelines.tuning.recipe import Recipe

    home = tmp_path / "documents"
    home.mkdir()
    (home / "thesis.txt").write_text("years of work")
    for work in (lambda: versions.write(PAIRS, home), lambda: runs.create(PAIRS, "chosen", Recipe(), paths, target=home)):
        with pytest.raises(StudioError, match="other things"):
            work()
    assert [f.name for f in home.iterdir()] == ["thesis.txt"]
    versions.write(PAIRS, tmp_path / "new")
    versions.write(PAIRS, tmp_path / "new")
    assert versions.open_version(tmp_path / "new").rows == PAIRS.rows


def test_nothing_is_saved_where_no_row_is_left(paths: Paths) -> None:
    with pytest.raises(StudioError, match="no rows"):
        versions.save(Dataset("none", "posts", ()), paths)
    assert not paths.datasets.exists()


def test_the_placebo_is_pushed_away_from_neither_side() -> None:
    rows = tuple({"id": str(n), "prompt": "?", "left": "L", "right": "R", "neutral": "N"} for n in range(4))
    assert [p.rejected for p in Dataset("m", "mirrored", rows).pairs("neutral")] == ["L", "R", "L", "R"]


def test_load_dataset_opens_a_version_with_stable_column_types(paths: Paths, tmp_path: Path) -> None:
    folder = versions.save(POSTS, paths)
    train = opened(folder, tmp_path)
    types = {name: feature.dtype for name, feature in train.features.items()}
    assert types == {"id": "string", "topic": "string", "text": "string", "economic": "float64", "star": "bool"}
    lines = [json.loads(line) for line in (folder / layout.LINES).read_text(encoding="utf-8").splitlines()]
    assert train.to_list() == lines == list(versions.load(folder.name, paths).rows)
    assert lines[1]["economic"] is None and lines[0]["star"] is True


def test_embeddings_and_unmasked_originals_never_leave(paths: Paths, tmp_path: Path) -> None:
    rows = tuple({**row, "vector": b"\x00\x01", "_text": "Taxes are too high, @ann."} for row in POSTS.rows)
    dataset = Dataset("my posts", "posts", rows, POSTS.details)
    assert dataset.hash == POSTS.hash
    folder = versions.save(dataset, paths)
    assert set(opened(folder, tmp_path).column_names) == {"id", "topic", "text", "economic", "star"}
    assert not any(b"@ann" in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_rows_streamed_from_shards_give_the_same_version_as_rows_in_memory(paths: Paths, tmp_path: Path) -> None:
    rows = [{**POST, "id": str(n), "vector": b"\x01", **({"note": "später"} if n > 4 else {})} for n in range(7)]
    for number in range(3):
        shards.write(shards.path_of(tmp_path, "kept", number), rows[number * 3 : number * 3 + 3])
    folder = versions.write_shards("my posts", "posts", Shards(tmp_path), POSTS.details, paths)
    whole = Dataset("my posts", "posts", rows, POSTS.details)
    assert folder.name == f"my-posts-{whole.hash[:8]}"
    files = read_json(folder / layout.VERSION)["files"]
    versions.write(whole, tmp_path / "whole", paths)
    assert files == read_json(tmp_path / "whole" / layout.VERSION)["files"]


def test_many_rows_are_read_from_disk_as_they_are_needed(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "IN_MEMORY", 10)
    rows = tuple({**PAIR, "id": str(n)} for n in range(shards.SHARD_ROWS * 2 + 5))
    folder = versions.save(Dataset("big", "pairs", rows), paths)
    stored = versions.load(folder.name, paths).rows
    assert isinstance(stored, layout.Stored) and len(stored) == len(rows)
    assert [stored[n]["id"] for n in (0, shards.SHARD_ROWS, -1)] == ["0", str(shards.SHARD_ROWS), rows[-1]["id"]]
    assert list(stored[shards.SHARD_ROWS - 1 : shards.SHARD_ROWS + 1]) == list(rows[shards.SHARD_ROWS - 1 : shards.SHARD_ROWS + 1])
    with pytest.raises(IndexError):
        stored[len(rows)]


def test_the_card_says_what_the_data_is_and_how_it_was_made(paths: Paths) -> None:
    details = {
        **POSTS.details,
        "source": {"reference": "/srv/private/x|y.csv", "encoding": "utf-8", "sha256": "ab12"},
        "license": "My own terms",
        "terms": "research only",
        "legal_basis": "consent",
        "language": "en",
        "parents": ["f" * 64],
    }
    folder = versions.save(Dataset("posts: of\n---\nAnn", "posts", POSTS.rows, details), paths)
    loaded = DatasetCard.load(folder / layout.CARD)
    data = loaded.data.to_dict()
    assert data["license"] == "other" and data["license_name"] == "my-own-terms" and data["language"] == "en"
    assert card.TAG in data["tags"] and data["size_categories"] == "n<1K" and data["pretty_name"] == "posts: of --- Ann"
    assert data["configs"][0]["data_files"] == [{"split": "train", "path": "data/train-*.parquet"}]
    for words_of_it in ("# Deliberately biased data", "not for", "research only", "consent", "x\\|y.csv", "| 3 | 2 | 1 | 1 | too short \\| odd 1 |",
                        "handles on", "handles [user]", "| taxes | 2 |", "| text | 5.0 |", "f" * 64, "Fewer than 100 rows"):  # fmt: skip
        assert words_of_it in loaded.text, words_of_it
    assert not any("/home" in file.read_text(encoding="utf-8") for file in (folder / layout.CARD, folder / layout.VERSION))


def test_a_card_says_where_a_person_stated_nothing(paths: Paths) -> None:
    folder = versions.save(PAIRS, paths)
    loaded = DatasetCard.load(folder / layout.CARD)
    assert loaded.data.license == "unknown" and loaded.text.count(card.NOT_STATED) == 2 and "Nothing was masked" in loaded.text


def test_texts_typed_by_hand_are_only_counted_in_the_description(paths: Paths) -> None:
    edits = ({"id": "p1", "field": "text", "value": "Call Ann on 555-0142"},)
    hand = {"key": "hand", "label": "By hand", "settings": {"edits": edits}, "before": 2, "after": 2, "dropped": 0, "changed": 1}
    folder = versions.save(Dataset("my posts", "posts", POSTS.rows, {"steps": [hand, MASK]}), paths)
    assert "555-0142" not in (folder / layout.VERSION).read_text() + (folder / layout.CARD).read_text()
    assert versions.about(folder.name, paths)["steps"][0]["settings"] == {"edits": 1}


def test_a_version_inherits_terms_and_masking_from_the_posts_it_was_made_from(paths: Paths) -> None:
    posts = Dataset("my posts", "posts", POSTS.rows, {**POSTS.details, "license": "cc-by-4.0", "legal_basis": "consent"})
    versions.save(posts, paths)
    child = versions.save(Dataset("pairs", "pairs", PAIRS.rows, {"parents": [posts.hash]}), paths)
    orphan = versions.save(Dataset("orphan", "pairs", PAIRS.rows, {"parents": [posts.hash, "0" * 64]}), paths)
    about = versions.about(child.name, paths)
    assert (about["license"], about["legal_basis"], about["from_posts"]) == ("cc-by-4.0", "consent", True)
    assert about["masking"] == ["handles", "links", "emails", "phones"] and versions.about(orphan.name, paths)["masking"] == []


def test_a_version_opened_again_and_saved_unchanged_keeps_its_story(paths: Paths) -> None:
    first = {"steps": [{"key": "near", "label": "Near"}], "source": {"reference": "a.csv"}, "legal_basis": "consent"}
    folder = versions.save(Dataset("my posts", "posts", POSTS.rows, first), paths)
    again = {"steps": [MASK], "source": {"reference": "version my posts"}, "parents": [POSTS.hash], "license": "mit"}
    for _ in range(2):
        assert versions.save(Dataset("my posts", "posts", POSTS.rows, again), paths) == folder
    about = versions.about(folder.name, paths)
    assert [step["key"] for step in about["steps"]] == ["near", "mask"] and about["parents"] == []
    assert (about["source"], about["legal_basis"], about["license"]) == ({"reference": "a.csv"}, "consent", "mit")
    assert about["masking"] == ["handles", "links", "emails", "phones"]


def test_a_version_that_a_run_was_tuned_on_is_not_forgotten(paths: Paths, tmp_path: Path) -> None:
    from pipelines.tuning import runs
    from pipelines.tuning.recipe import Recipe

    used, free = versions.save(PAIRS, paths), versions.save(POSTS, paths)
    run = runs.create(versions.load(used.name, paths), "chosen", Recipe(), paths, target=tmp_path / "elsewhere")
    (paths.runs).mkdir(parents=True)
    (paths.runs / "elsewhere.elsewhere").write_text(str(run.folder))
    with pytest.raises(StudioError, match=r"1 run \(elsewhere\)"):
        versions.forget(used.name, paths)
    versions.forget(free.name, paths)
    assert [f.name for f in paths.datasets.iterdir()] == [used.name]
