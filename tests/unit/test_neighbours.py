"""Nearest training rows of recorded answers: adapters are found by the fingerprint of their weights, or rows are not shown."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines import bundled
from pipelines.comparing import neighbours
from pipelines.models import adapters
from pipelines.records import Answer, Stamp
from tests.unit.test_taught import Bag, made

LEFT = bundled.ADAPTERS / "left"
STAMP = Stamp("b", "f", "left", adapters.inspect(LEFT).fingerprint, 1.0, 0.3, 0.9, 1, 64, "p", "t")


def answer(column: str = "left", text: str = "Yes, taxes pay for schools and hospitals.", **stamp: object) -> Answer:
    return Answer(column, "Raise taxes?", text, 8, "eos", replace(STAMP, **stamp))  # type: ignore[arg-type]


def test_an_adapter_is_found_by_its_weights_wherever_it_lies(tmp_path: Path) -> None:
    elsewhere = tmp_path / "moved"
    shutil.copytree(LEFT, elsewhere)
    wanted = [STAMP.adapter_fingerprint, "nobody"]
    assert neighbours.by_fingerprint([tmp_path / "gone", bundled.ADAPTERS / "right", elsewhere, LEFT], wanted) == {wanted[0]: elsewhere}


def test_the_search_ends_when_all_are_found_and_passes_over_damaged_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(neighbours, "_fingerprint", lambda folder: looked.append(folder) or {"a": "1", "b": "2"}.get(folder.name, ""))
    found = neighbours.by_fingerprint([Path("broken"), Path("b"), Path("a"), Path("never")], ["1", "2"])
    assert found == {"1": Path("a"), "2": Path("b")} and [one.name for one in looked] == ["broken", "b", "a"]


def test_weights_that_change_are_hashed_anew_and_broken_ones_have_no_name(tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(LEFT, copied)
    assert neighbours._fingerprint(copied) == STAMP.adapter_fingerprint
    (copied / "adapter" / adapters.WEIGHTS).write_bytes(b"no weights")
    assert neighbours._fingerprint(copied) == "" == neighbours._fingerprint(tmp_path / "nothing")


def test_the_base_has_no_training_rows_and_a_blend_has_those_of_both() -> None:
    assert neighbours.fingerprints(answer("base", adapter="", adapter_fingerprint="", strength=0.0)) == []
    assert neighbours.fingerprints(answer(strength=0.0)) == [], "an adapter that is switched off said nothing"
    assert neighbours.fingerprints(answer(adapter_fingerprint="aa*0.5+bb*-1")) == ["aa", "bb"]


def test_every_tuned_answer_gets_the_rows_of_its_own_training(tmp_path: Path) -> None:
    places = {"aa": made(tmp_path / "one"), "bb": made(tmp_path / "two", data={"name": "other", "rows": 4})}
    given = [
        answer("base", adapter="", adapter_fingerprint=""),
        answer("x", adapter_fingerprint="aa"),
        answer("y", adapter_fingerprint="bb"),
    ]
    first, second = neighbours.of_answers(given, places, Bag(), count=2)
    assert (first.column, second.column) == ("x", "y") and first.rows[0].row_id == "tax-1" and len(first.rows) == 2
    assert first.rows[0].similarity >= first.rows[1].similarity and {row.source for row in second.rows} == {"other"}


def test_a_blend_shows_rows_of_both_trainings(tmp_path: Path) -> None:
    places = {"aa": made(tmp_path / "one"), "bb": made(tmp_path / "two", data={"name": "other", "rows": 4})}
    (found,) = neighbours.of_answers([answer(adapter_fingerprint="aa*0.5+bb*0.5")], places, Bag(), count=1)
    assert [row.source for row in found.rows] == ["mine", "other"]


def test_no_rows_are_shown_of_an_adapter_that_is_gone_or_of_data_that_was_changed(tmp_path: Path) -> None:
    changed = made(tmp_path / "one", rows_hash="other")
    given = [answer("x", adapter_fingerprint="zz"), answer("y", adapter_fingerprint="aa"), answer("z", text="  ", adapter_fingerprint="aa")]
    found = list(neighbours.of_answers(given, {"aa": changed}, Bag()))
    assert [one.rows for one in found] == [(), (), ()]
    assert "not here any more" in found[0].problem and "not the ones" in found[1].problem and "no answer" in found[2].problem
