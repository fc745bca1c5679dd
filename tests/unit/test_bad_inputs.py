"""Every named cause of trouble: refused with a sentence and a hint, or opened with exactly the rows and notes that are stated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.corpus import drafts
from pipelines.corpus.sources import open_source
from pipelines.errors import StudioError
from pipelines.paths import Paths
from tests.bad_inputs import CAUSES, TRIALS
from tests.bad_inputs.cause import Cause, Opened, Refused, attempt
from tests.bad_inputs.trial import Said, Trial, is_as_stated, tried

ENOUGH = 200


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    """Imported before the clock of a test runs."""
    import datasets  # noqa: F401


@pytest.mark.timeout(10)
@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_each_cause_ends_as_stated(cause: Cause, tmp_path: Path, paths: Paths) -> None:
    reference, outcome = attempt(cause, tmp_path)
    expected = cause.expected
    if isinstance(expected, Refused):
        assert outcome.error, outcome.sentence
        assert expected.words in outcome.error.message
        assert (expected.names or Path(reference).name) in outcome.error.message
        assert outcome.error.hint
    else:
        assert not outcome.error, outcome.sentence
        assert (outcome.kind, outcome.encoding, len(outcome.rows)) == (expected.kind, expected.encoding, expected.rows)
        assert {name: outcome.rows[0][name] for name in expected.holds} == expected.holds
        assert [note.startswith(start) for note, start in zip(outcome.notes, expected.notes, strict=True)] == [True] * len(expected.notes)
        assert len({row["id"] for row in outcome.rows}) == expected.rows
    assert not paths.root.exists()


def test_there_are_enough_causes_and_each_has_its_own_name() -> None:
    names = [*(f"data file: {cause.name}" for cause in CAUSES), *(trial.name for trial in TRIALS)]
    assert len(set(names)) == len(names)
    refused = [one for one in (*CAUSES, *TRIALS) if isinstance(one.expected, Refused | Said)]
    assert len(CAUSES) >= 100 and len(TRIALS) >= ENOUGH and len(refused) >= 3 * ENOUGH


PARSERS = list(dict.fromkeys(trial.parser for trial in TRIALS))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("parser", PARSERS)
def test_each_position_beside_data_ends_as_stated(parser: str, tmp_path: Path, paths: Paths) -> None:
    """One test a parser: what ends otherwise is listed with what came instead."""
    others = []
    for number, trial in enumerate(one for one in TRIALS if one.parser == parser):
        (tmp_path / str(number)).mkdir()
        end = tried(trial, tmp_path / str(number))
        others += [] if is_as_stated(trial, end) else [f"{trial.name}: {end.sentence[:300]}"]
    assert not others
    assert not paths.root.exists()


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (lambda folder: 1, Said("is wrong")),
        (lambda folder: _raise("is wrong", ""), Said("is wrong")),
        (lambda folder: _raise("is right", "Mend it."), Said("is wrong")),
    ],
    ids=["what should be refused is taken", "a sentence without a hint", "another sentence"],
)
def test_an_end_that_is_not_the_stated_one_is_noticed(attempt: Callable[[Path], Any], expected: Said, tmp_path: Path) -> None:
    trial = Trial("parser", "cause", attempt, expected)
    assert not is_as_stated(trial, tried(trial, tmp_path))


def _raise(message: str, hint: str) -> None:
    raise StudioError(message, hint)


@pytest.mark.parametrize("cause", [cause for cause in CAUSES if isinstance(cause.expected, Refused)], ids=lambda cause: cause.name)
def test_what_is_refused_leaves_nothing_behind(cause: Cause, tmp_path: Path, paths: Paths) -> None:
    reference = str(cause.write(tmp_path))
    with cause.meddle(Path(reference)), pytest.raises(StudioError):
        drafts.create(open_source(reference, max_bytes=cause.max_bytes), paths)
    left = list(paths.drafts.iterdir()) if paths.drafts.exists() else []
    assert not left and not paths.datasets.exists()


def test_what_is_opened_keeps_hostile_text_harmless() -> None:
    """Formulas and markup are text like any other: nothing is evaluated, escaped or dropped while reading."""
    opened = {cause.name: cause.expected for cause in CAUSES if isinstance(cause.expected, Opened)}
    assert opened["formulas in cells"].holds["text"].startswith("=HYPERLINK(")
    assert opened["HTML and script in cells"].holds["text"].startswith("<script>")
