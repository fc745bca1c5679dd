"""Deleting runs and counting their bytes, on folders written by hand: damaged ones, links, and folders elsewhere."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.tuning.runs import Run, list_runs
from pipelines.tuning.shelf import history, library
from pipelines.tuning.shelf.about import search, shown_title
from tests.handmade import ADAPTER, DAMAGED, ids, make, put


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_run_is_listed_as_damaged_found_by_its_id_and_can_be_deleted(paths: Paths, content: str | bytes) -> None:
    make(paths, "fine")
    run = make(paths, "broken")
    for name in ("job.json", "metrics.json", "state.json"):
        put(run.folder / name, content)
    assert library.damaged(paths) == [run.folder]
    assert ids(search([run], "broken state:damaged")) == ["broken"] and shown_title(run)
    assert len(history.checkpoints(run)) == 1 and history.differences(run, run) == [] and history.probes(run) == []
    assert library.delete(run, paths) > 0 and library.damaged(paths) == [] and ids(list_runs(paths)) == ["fine"]


def test_a_run_without_its_job_is_damaged_and_a_stranger_is_no_run(paths: Paths) -> None:
    assert library.damaged(paths) == []
    run = make(paths)
    (run.folder / "job.json").unlink()
    put(paths.runs / "stranger" / "letter.txt", "keep me")
    put(paths.runs / ".gone-1" / "state.json", "{")
    assert library.damaged(paths) == [run.folder]
    with pytest.raises(StudioError, match="no run called"):
        library.delete(Run(paths.runs / "stranger"), paths)
    assert (paths.runs / "stranger" / "letter.txt").is_file()


def test_deleting_frees_the_bytes_that_it_says(paths: Paths) -> None:
    run, other = make(paths), make(paths, "run-2")
    expected = sum(file.stat().st_size for file in run.folder.rglob("*") if file.is_file())
    assert library.delete(run, paths) == expected == sum(library.sizes(other).values())
    assert ids(list_runs(paths)) == ["run-2"] and not list(paths.runs.glob(".gone-*"))
    with pytest.raises(StudioError, match="no run called"):
        library.delete(run, paths)


@pytest.mark.parametrize("state", ["starting", "training", "queued"])
def test_a_run_that_trains_or_waits_for_its_turn_stays(paths: Paths, state: str) -> None:
    run = make(paths, state=state)
    with pytest.raises(StudioError, match=f"its state is {state}"):
        library.delete(run, paths)
    assert (run.folder / "job.json").is_file()


def test_a_bundled_run_stays_also_behind_a_link(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "ADAPTERS", paths.root / "adapters")
    ours = make(paths, folder=paths.root / "adapters" / "left")
    paths.runs.mkdir()
    (paths.runs / "linked").symlink_to(ours.folder)
    for run in (ours, Run(paths.runs / "linked")):
        with pytest.raises(StudioError, match="belongs to the studio"):
            library.delete(run, paths)
    assert (ours.folder / "job.json").is_file()


def test_a_run_with_a_folder_of_its_own_only_leaves_the_list(paths: Paths, tmp_path: Path) -> None:
    inside, outside = make(paths, "mine"), make(paths, folder=tmp_path / "elsewhere" / "theirs")
    put(paths.runs / "theirs.elsewhere", str(outside.folder))
    assert ids(list_runs(paths)) == ["theirs", "mine"]
    twin = make(paths, folder=tmp_path / "third" / "theirs")
    with pytest.raises(StudioError, match="not in its list"):
        library.delete(twin, paths)
    assert ids(list_runs(paths)) == ["theirs", "mine"]
    assert library.delete(outside, paths) == 0
    assert ids(list_runs(paths)) == ["mine"] and (outside.folder / "job.json").is_file() and (inside.folder / "job.json").is_file()


def test_a_damaged_run_elsewhere_is_listed_too_and_can_leave_the_list(paths: Paths, tmp_path: Path) -> None:
    outside = make(paths, folder=tmp_path / "elsewhere" / "theirs")
    put(outside.folder / "job.json", "{")
    markers: dict[str, str | bytes] = {
        "theirs": str(outside.folder),
        "gone": str(tmp_path / "gone"),
        "odd": b"\xff",
        "odder": "a\0b",
        "empty": "",
    }
    for name, content in markers.items():
        put(paths.runs / f"{name}.elsewhere", content)
    assert library.damaged(paths) == [outside.folder]
    assert library.delete(outside, paths) == 0 and library.damaged(paths) == [] and outside.adapter.is_dir()
    assert library.delete(Run(tmp_path / "gone"), paths) == 0 and not (paths.runs / "gone.elsewhere").exists()


def test_a_link_among_the_runs_is_removed_and_what_it_leads_to_stays(paths: Paths, tmp_path: Path) -> None:
    outside = make(paths, folder=tmp_path / "elsewhere" / "theirs")
    run = make(paths)
    (paths.runs / "linked").symlink_to(outside.folder)
    (run.folder / "checkpoints").symlink_to(tmp_path / "elsewhere")
    assert library.delete(Run(paths.runs / "linked"), paths) == 0 and library.delete(run, paths) > 0
    assert list_runs(paths) == [] and (outside.folder / "job.json").is_file()
    assert [file.name for file in paths.runs.glob("*") if file.name != library.LAUNCH_LOCK] == []


@pytest.mark.parametrize("name", ["..", "../..", ".", "run-1/..", "run-1/adapter", "run-1/../run-1/.."])
def test_a_path_that_is_no_entry_of_the_list_is_refused(paths: Paths, name: str) -> None:
    run = make(paths)
    put(paths.root / "job.json", "{}")
    with pytest.raises(StudioError):
        library.delete(Run(paths.runs / name), paths)
    assert (run.folder / "job.json").is_file() and (run.adapter / "adapter_config.json").is_file()


def test_a_crash_in_the_middle_leaves_no_half_run_and_the_next_deletion_tidies_up(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    run, other = make(paths), make(paths, "run-2")

    def crash(folder: Path, **_: Any) -> None:
        (folder / "job.json").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", crash)
        with pytest.raises(KeyboardInterrupt):
            library.delete(run, paths)
    assert ids(list_runs(paths)) == ["run-2"] and library.damaged(paths) == [] and len(list(paths.runs.glob(".gone-*"))) == 1
    library.delete(other, paths)
    assert not list(paths.runs.glob(".gone-*"))


def test_only_what_is_really_gone_counts_as_freed(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make(paths)
    monkeypatch.setattr(shutil, "rmtree", lambda folder, **_: (folder / "adapter" / "adapter_model.safetensors").unlink())
    assert library.delete(run, paths) == len(ADAPTER["adapter_model.safetensors"]) and list_runs(paths) == []


def test_deleting_many_says_what_is_still_there_and_why(paths: Paths) -> None:
    done, busy, gone = make(paths, "done"), make(paths, "busy", "training"), Run(paths.runs / "gone")
    size = sum(library.sizes(done).values())
    report = library.delete_many([gone, busy, done], paths)
    assert report.freed == size and [run_id for run_id, _ in report.kept] == ["gone", "busy"]
    assert "no run called" in report.kept[0][1] and "training" in report.kept[1][1] and ids(list_runs(paths)) == ["busy"]


def test_bytes_are_counted_by_part_and_links_are_not_followed(paths: Paths, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    assert set(library.sizes(run).values()) == {0}
    put(tmp_path / "big" / "file", "x" * 5000)
    contents = {"adapter/a": 10, "checkpoints/step-00010/b": 20, "resume/deep/er/c": 30, "data.jsonl": 40, "trainer.log": 50}
    for name, size in {**contents, "progress.jsonl": 5, "card.md": 6, "odd/data.jsonl": 7}.items():
        put(run.folder / name, "x" * size)
    (run.folder / "resume" / "link").symlink_to(tmp_path / "big")
    expected = {"adapter": 10, "checkpoints": 20, "resume": 30, "data": 40, "logs": 55, "other": 13}
    assert library.sizes(run) == expected
