"""What lies in folders: runs, versions and drafts - torn, exchanged, garbled, gone - and locks that nobody holds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pipelines.comparing import batch as batches
from pipelines.corpus import drafts, versions
from pipelines.corpus.engine import Tools
from pipelines.corpus.steps import registry
from pipelines.models import adapters
from pipelines.records import Column
from pipelines.tuning import runs
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import history
from pipelines.tuning.training.journal import Journal
from tests import adapter_files
from tests.faults import making
from tests.faults.fault import Fault, Scene, digest


def services(scene: Scene) -> Any:
    """What a page needs that only reads the disk."""
    from studio.services import Services

    return Services(scene.paths, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]


def listed(scene: Scene) -> set[str]:
    return {run.id for run in runs.list_runs(scene.paths)}


def new_run(scene: Scene) -> bool:
    """Whether a new run can be written and is listed."""
    made = making.run(scene, f"run-{len(listed(scene)) + 10}", confirmed=False)
    return made.id in listed(scene) and bool(adapters.inspect(made.folder))


def _job(scene: Scene) -> Iterator[None]:
    from studio.tabs.tuning import kept

    making.run(scene, "run-1")
    broken = making.run(scene, "run-2", confirmed=False)
    scene.confirm("the other run's adapter", lambda: adapters.inspect(scene.paths.runs / "run-1").fingerprint)
    (broken.folder / "job.json").write_bytes(os.urandom(300))
    assert listed(scene) == {"run-1"}
    scene.tell(lambda: kept._listed(services(scene), "", None, None, None)[0])
    yield
    scene.goes_on("a new run is listed beside the old one", new_run(scene) and "run-1" in listed(scene))


def _torn_progress(scene: Scene) -> Iterator[None]:
    from studio.tabs.tuning import watch

    run = making.run(scene, confirmed=False)
    scene.confirm("the steps before it", lambda: history.curves(run)[:2])
    with (run.folder / "progress.jsonl").open("ab") as file:
        file.write(b'{"event": "step", "step": 3, "lo')
    scene.tell(lambda: watch.look(services(scene), run.id, watch.NOTHING)[0])
    unmended = Run(shutil.copytree(run.folder, scene.folder / "copy"))
    Journal(unmended).write(event="step", step=3, loss=2.0)
    assert [one["step"] for one in history.curves(unmended)] == [1, 2, 3], "it needs no doctor to go on"
    yield
    Journal(run).write(event="step", step=3, loss=2.0)
    scene.goes_on("the next step stands on a line of its own", [one["step"] for one in history.curves(run)] == [1, 2, 3])


def _cut_adapter(scene: Scene) -> Iterator[None]:
    making.run(scene, "run-1")
    broken = making.run(scene, "run-2", confirmed=False)
    kept = broken.folder / "checkpoints"
    scene.confirm("the checkpoint of the same run", lambda: digest(kept))
    weights = broken.adapter / adapters.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-100])
    scene.tell(lambda: adapters.inspect(broken.folder))
    yield
    scene.goes_on("a new run passes the gate", new_run(scene))


def _other_adapter(scene: Scene) -> Iterator[None]:
    making.version(scene)
    run = making.run(scene, confirmed=False)
    mine = [Column("base"), Column("mine", run.folder)]
    batch = batches.create(making.QUESTIONS, ["base", f"run:{run.id}"], mine, making.SAMPLING, 1.0, scene.paths)
    host, stop = making.FakeHost(), making.threading.Event()
    host.before = lambda number: stop.set() if number == 2 else None
    batches.run(batch, mine, host, lambda share, text: None, stop)
    scene.confirm("4 answered questions of a batch", lambda: making.rows_of(batch))
    shutil.rmtree(run.adapter)
    adapter_files.write_adapter(run.adapter, adapter_files.tensors(99))
    scene.tell(lambda: batches.run(batch, mine, making.FakeHost(), lambda share, text: None, making.threading.Event()))
    yield
    scene.goes_on("another batch is asked", making.ask_batch(scene, making.batch(scene)).asked)


def _vanished(scene: Scene) -> Iterator[None]:
    from studio.tabs.tuning import watch

    making.run(scene, "run-1")
    watched = making.run(scene, "run-2", confirmed=False)
    page = services(scene)
    before = watch.look(page, watched.id, watch.NOTHING)[-1]
    shutil.rmtree(watched.folder)
    scene.tell(lambda: watch.look(page, watched.id, before)[0])
    yield
    scene.goes_on("a new run is watched", new_run(scene) and "good" in str(watch.look(page, "run-1", watch.NOTHING)[0]))


def _state(scene: Scene) -> Iterator[None]:
    from studio.tabs.tuning import watch

    run = making.run(scene, confirmed=False)
    scene.confirm("its adapter", lambda: digest(run.adapter))
    scene.confirm("that it has finished", lambda: run.state)
    (run.folder / "state.json").write_text("\x00" * 40)
    scene.tell(lambda: watch.look(services(scene), run.id, watch.NOTHING)[0])
    yield
    scene.goes_on("a new run is listed", new_run(scene))


def _version(scene: Scene) -> Iterator[None]:
    making.version(scene, "Other pairs")
    folder = versions.save(making.pairs("Changed later", 8), scene.paths)
    (parquet,) = folder.rglob("*.parquet")
    data = bytearray(parquet.read_bytes())
    data[len(data) // 2] ^= 0xFF
    parquet.write_bytes(data)
    scene.tell(lambda: versions.load(folder.name, scene.paths))
    yield
    again = versions.save(making.pairs("Changed later", 8), scene.paths)
    scene.goes_on("saved again it opens", len(versions.load(again.name, scene.paths).rows) == 8)


def _shards(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    making.version(scene)
    draft = making.draft(scene.paths)
    rows = tuple(draft.rows.rows())
    next((draft.folder / draft.steps[-1].folder).glob("kept-*.parquet")).unlink()
    scene.tell(lambda: _worked_on(draft.id, scene), told)
    assert _redone(draft.id, scene) == rows, "it needs no doctor to be undone and done again"
    yield
    again = drafts.apply(drafts.undo(drafts.load(draft.id, scene.paths)), registry.make("exact"), Tools(scene.paths))
    scene.goes_on("undone and done again, the rows are back", tuple(again.rows.rows()) == rows)


def _cut_shard(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    making.version(scene)
    draft = making.draft(scene.paths)
    rows = tuple(draft.rows.rows())
    file = next((draft.folder / draft.steps[-1].folder).glob("kept-*.parquet"))
    file.write_bytes(file.read_bytes()[:-20])
    scene.tell(lambda: _worked_on(draft.id, scene), told)
    assert _redone(draft.id, scene) == rows, "it needs no doctor to be undone and done again"
    yield
    again = drafts.apply(drafts.back(drafts.load(draft.id, scene.paths), 0), registry.make("exact"), Tools(scene.paths))
    scene.goes_on("undone and done again, the rows are back", tuple(again.rows.rows()) == rows)


def changed_unseen(file: Path) -> None:
    """Changes one bit so that the file can still be read by whoever does not compare its sums, and holds other rows."""
    import pyarrow
    from pyarrow import parquet

    data, rows = file.read_bytes(), parquet.ParquetFile(file).read().to_pylist()
    for place in range(4, len(data)):
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            if parquet.ParquetFile(file).read().to_pylist() != rows:
                return
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError):
            continue
    raise AssertionError("no bit changes a row and nothing else")


def _shard_bytes(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    making.version(scene)
    draft = making.draft(scene.paths)
    file = next((draft.folder / draft.steps[-1].folder).glob("kept-*.parquet"))
    changed_unseen(file)
    scene.tell(lambda: _worked_on(draft.id, scene), told)
    yield
    other = making.draft(scene.paths)
    scene.goes_on("another draft is saved", versions.load(drafts.save(other, "after it", scene.paths).name, scene.paths).rows)


def _redone(draft_id: str, scene: Scene) -> tuple[Any, ...]:
    """The rows of a copy of a draft, whose one step is undone and done again."""
    copy = replace(drafts.load(draft_id, scene.paths), folder=Path(shutil.copytree(scene.paths.drafts / draft_id, scene.folder / "copy")))
    return tuple(drafts.apply(drafts.back(copy, 0), registry.make("exact"), Tools(scene.paths)).rows.rows())


def _worked_on(draft_id: str, scene: Scene) -> str:
    with drafts.working(draft_id, scene.paths) as draft:
        return f"saved as {drafts.save(drafts.apply(draft, registry.make('spam'), Tools(scene.paths)), 'short of rows', scene.paths).name}"


def _locks(scene: Scene) -> Iterator[None]:
    making.version(scene)
    draft, batch = making.draft(scene.paths), making.batch(scene)
    run = making.run(scene)
    for folder, name in (
        (scene.paths.runs, ".launch.lock"),
        (draft.folder, ".lock"),
        (batch.folder, ".lock"),
        (scene.paths.root, "busy/answers-99999"),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("99999")
    assert not drafts.busy(draft.id, scene.paths) and batch.state == "waiting" and run.id in listed(scene)
    yield
    with drafts.working(draft.id, scene.paths) as mine:
        scene.goes_on("a step runs on the draft", making.starred(mine, "p0", scene.paths).steps)
    scene.goes_on("the batch is asked", making.ask_batch(scene, batch).asked)
    runs.enqueue([], scene.paths)
    scene.goes_on("the queue goes on", runs.queued(scene.paths) == [])


FAULTS = [
    Fault("a run's job.json is garbage", _job, "can't be read: run-2", "run-2"),
    Fault("the last line of progress.jsonl is torn", _torn_progress, "Finished: 60 steps", "progress.jsonl"),
    Fault("a run's adapter is cut off", _cut_adapter, "can't be read (cut off", "run-2"),
    Fault("a run's adapter is exchanged for another one", _other_adapter, "has other weights than when the batch was begun", "run-1"),
    Fault("a run's folder vanishes while it is watched", _vanished, "not here any more"),
    Fault("a run's state.json is garbage", _state, "Finished: 60 steps", "run-1"),
    Fault("a byte of a saved version's rows is changed", _version, "is damaged. Save it again", "changed-later"),
    Fault("rows of a draft are missing", _shards, "are missing", "my-posts"),
    Fault("a file of a draft's rows is cut off", _cut_shard, "are damaged", "my-posts"),
    Fault("a bit in a draft's rows is changed", _shard_bytes, "are damaged", "my-posts"),
    Fault("lock files left behind by processes that are dead", _locks),
]
