"""Every named cause of failure that needs no other process: nothing confirmed is lost, people are told, the doctor mends it, it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.errors import StudioError
from tests.faults import FAULTS, IN_FILES, making
from tests.faults.fault import Fault, Scene, attempt


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    """Imported before the clock of a test runs."""
    import gradio  # noqa: F401
    import pyarrow.parquet  # noqa: F401


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", IN_FILES, ids=lambda fault: fault.name)
def test_nothing_confirmed_is_lost_and_it_goes_on(fault: Fault, tmp_path: Path, paths: object) -> None:
    outcome = attempt(fault, tmp_path)
    assert not outcome.problems(fault), outcome
    assert outcome.kept and outcome.went_on


def test_there_are_enough_causes_and_each_has_its_own_name() -> None:
    assert len(FAULTS) >= 45 and len({fault.name for fault in FAULTS}) == len(FAULTS)


def _kept(scene: Scene) -> Path:
    file = scene.paths.root / "kept"
    file.parent.mkdir(parents=True)
    file.write_text("confirmed")
    scene.confirm("a file", file.read_text)
    return file


def _loses(scene: Scene) -> Iterator[None]:
    _kept(scene).write_text("changed")
    yield


def _loses_later(scene: Scene) -> Iterator[None]:
    file = _kept(scene)
    yield
    file.write_text("changed")
    scene.goes_on("something", True)


def _stands_still(scene: Scene) -> Iterator[None]:
    _kept(scene)
    yield
    scene.goes_on("a vote counts", False)


def _says_nothing(scene: Scene) -> Iterator[None]:
    _kept(scene)
    scene.tell(lambda: "a page without the sentence")
    yield
    scene.goes_on("something", True)


def _red_box(scene: Scene) -> Iterator[None]:
    _kept(scene)
    scene.tell(lambda: 1 // 0)
    yield


@pytest.mark.parametrize(
    "do,words", [(_loses, "a file: not as confirmed"), (_loses_later, "a file: not as confirmed"), (_stands_still, "not go on")]
)
def test_a_scenario_that_loses_something_or_stands_still_fails(do: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=words):
        attempt(Fault("one", do), tmp_path)  # type: ignore[arg-type]


def test_an_error_that_is_no_sentence_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        attempt(Fault("one", _red_box), tmp_path)


def test_what_people_do_not_read_and_the_doctor_does_not_find_is_a_problem(tmp_path: Path) -> None:
    fault = Fault("one", _says_nothing, "The disk is full", "ballots")
    assert [one.split("“")[0] for one in attempt(fault, tmp_path).problems(fault)] == [
        "people do not read ", "the doctor does not find ", "the doctor did nothing",
    ]  # fmt: skip


def test_damage_of_which_nobody_was_told_to_expect_any_is_a_problem(tmp_path: Path) -> None:
    def damages(scene: Scene) -> Iterator[None]:
        _kept(scene)
        run = making.run(scene, confirmed=False)
        (run.folder / "job.json").write_text("{")
        yield
        scene.goes_on("something", True)

    fault = Fault("one", damages)
    (problem,) = attempt(fault, tmp_path).problems(fault)
    assert problem.startswith("the doctor finds what is not there") and "run-1" in problem


def test_a_sentence_of_ours_is_what_people_read(tmp_path: Path) -> None:
    def refused() -> None:
        raise StudioError("This is <b>damaged</b>.", "Do that.")

    scene = Scene(tmp_path)
    assert scene.tell(refused) == "This is damaged . Do that." and scene.tell(refused, lambda error: f"<i>{error}</i>") == scene.said[0]
