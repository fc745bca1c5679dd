"""What was asked and answered: measurements, comparisons, studies and batches - garbled, cut off, changed in a word."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.comparing import batch as batches
from pipelines.comparing import comparison as comparisons
from pipelines.stance.kept import VERSION
from tests.faults import making
from tests.faults.fault import Fault, Scene, digest
from tests.unit.test_measuring import Host


def _measured(scene: Scene) -> Iterator[None]:
    making.version(scene)
    first = making.measure(scene.paths, Host())
    files = sorted((scene.paths.measured / VERSION).glob("*.json"))
    for number, file in enumerate(files):
        if number % 3:
            file.write_bytes((b"\xff\x00 no JSON", b'{"value": {"text": "words of nobody"}}', b"")[number % 3])
    one = files[0]
    one.write_text(one.read_text().replace("1", "7", 1))
    (files[0].parent / f"{'a' * 32}.json").write_text('{"value": [1, 2], "sum": "another"}')
    host = Host()
    again = making.measure(scene.paths, host)
    assert host.batches and host.read, "it was asked again"
    scene.confirm("the measured result", lambda: making.measure(scene.paths, Host()).answers)
    assert (again.answers, again.completions, again.survey) == (first.answers, first.completions, first.survey)
    yield
    host = Host()
    scene.goes_on("what is kept now is not asked again", making.measure(scene.paths, host) and not host.batches and not host.read)


def _comparison(scene: Scene) -> Iterator[None]:
    making.version(scene)
    made = making.comparison(scene.paths)
    (scene.paths.comparisons / f"{made.id}.json").write_bytes(b'{"keys": ["base"')
    scene.tell(lambda: comparisons.opened(made.id, scene.paths))
    yield
    scene.goes_on("kept again it opens", comparisons.opened(comparisons.keep(made, scene.paths), scene.paths) == made)


def _result(scene: Scene) -> Iterator[None]:
    from studio import results
    from studio.owning import Who

    me = Who("my browser")
    study = making.measure(scene.paths, Host())
    whole = results.keep(study, scene.paths, me, "whole")
    scene.confirm("a measured result", lambda: digest(whole))
    scene.confirm("opens as it was", lambda: results.opened(whole.name, scene.paths, me).answers)
    broken = results.keep(study, scene.paths, me, "broken")
    broken.write_bytes(broken.read_bytes()[:2000])
    scene.tell(lambda: results.opened(broken.name, scene.paths, me))
    yield
    again = results.keep(study, scene.paths, me, "again")
    scene.goes_on("measured anew it opens", results.opened(again.name, scene.paths, me).answers == study.answers)


def _batch_job(scene: Scene) -> Iterator[None]:
    whole, broken = making.batch(scene), making.batch(scene)
    making.ask_batch(scene, whole)
    scene.confirm("10 rows of a finished batch", lambda: digest(whole.folder))
    making.ask_batch(scene, broken, stop_after=2)
    (broken.folder / batches.JOB).write_bytes(b"{")
    scene.tell(lambda: batches.find(broken.id, scene.paths))
    yield
    other = making.batch(scene)
    making.ask_batch(scene, other)
    scene.goes_on("a new batch is asked to its end", other.state == "finished")


def _batch_line(scene: Scene) -> Iterator[None]:
    made = making.batch(scene)
    making.ask_batch(scene, made)
    answers = made.folder / batches.ANSWERS
    lines = answers.read_bytes().split(b"\n")
    whole = {line for number, line in enumerate(lines[:-1]) if number != 1}
    scene.confirm("the 9 other rows", lambda: whole & set(answers.read_bytes().split(b"\n")))
    lines[1] = lines[1].replace(b"left on", b"left of", 1)
    answers.write_bytes(b"\n".join(lines))
    scene.tell(lambda: batches.find(made.id, scene.paths).turns())
    yield
    making.ask_batch(scene, made)
    scene.goes_on("its question is asked again", len(made.turns()) == 10)


FAULTS = [
    Fault("what was measured is garbage on the disk", _measured, "", "kept answer"),
    Fault("the file of a kept comparison is garbage", _comparison, "it is damaged", "comparison"),
    Fault("the file of a study that was kept is cut off", _result, "is damaged and can't be shown", "stance-"),
    Fault("a batch's job.json is garbage", _batch_job, "is damaged", "batch"),
    Fault("a word in a kept answer of a batch is changed", _batch_line, "Line 2 of answers.jsonl", "batch"),
]
