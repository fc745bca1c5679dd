"""`review` of the command line: what it shows never unblinds in passing, and nothing is closed or reported on by accident."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main
from pipelines.paths import Paths
from pipelines.review.ballots import Box
from pipelines.review.codebook import starter
from pipelines.review.coding import Codes
from pipelines.review.protocol import Protocol
from pipelines.review.raters import DAY
from pipelines.review.rounds import codable
from tests import frozen

Review = tuple[str, Protocol]
HOSTILE = "\x1b[31mTwo\nmodels"


@pytest.fixture
def opened(paths: Paths) -> Callable[..., Review]:
    def make(**changes: Any) -> Review:
        made = frozen.protocol(6, **changes)
        return Box(paths.reviews).open_review(made), made

    return make


def call(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """What a command says as JSON."""
    assert main(["review", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def read(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command says to people."""
    assert main(["review", *arguments]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    said = call(capsys, *arguments, code=2)
    return f"{said['error']} {said['hint']}"


def vote(paths: Paths, review_id: str, ballots: int = 99) -> None:
    """One more rater, who judges the first `ballots` items."""
    box = Box(paths.reviews)
    rater = box.join(review_id, True)
    for _ in range(ballots):
        following = box.progress(rater.token)[2]
        if following is None:
            return
        box.vote(review_id, rater.token, following.item_id, dict.fromkeys(("economy", "social", "writing"), "A"))


def test_reviews_are_listed_with_raters_and_ballots(
    opened: Callable[..., Review], paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no reviews yet" in read(capsys, "list") and call(capsys, "list") == []
    older, made = opened()
    vote(paths, older)
    vote(paths, older, 2)
    newer, _ = opened(kind="class")
    Box(paths.reviews).close(newer)
    rows = call(capsys, "list")
    assert [(row["id"], row["kind"], row["state"]) for row in rows] == [(newer, "class", "closed"), (older, "research", "open")]
    assert (rows[1]["joined"], rows[1]["finished"], rows[1]["ballots"]) == (2, 1, len(made.items) + 2)
    said = read(capsys, "list")
    assert f"2 joined, 1 finished, {len(made.items) + 2} ballots  Two models" in said and made.hash not in said


def test_the_plan_of_an_open_research_review_shows_no_column_and_no_hash(
    opened: Callable[..., Review], capsys: pytest.CaptureFixture[str]
) -> None:
    review_id, made = opened()
    said, text = call(capsys, "show", review_id), read(capsys, "show", review_id)
    assert said["hash"] is None and said["columns"] is None
    for whole in (json.dumps(said), text):
        assert not [word for word in (made.hash, "base", "Base", '"left"', "Left", "f1f1f1f1f1f1") if word in whole]
    assert "1 time one model against itself" in text and len(said["planned"]) == len(made.planned)
    assert made.design.purpose in text and all(one.text in text for one in made.design.asked)
    assert said["items"] == {"total": 8, "pair": 6, "repeat": 1, "same": 1} and said["questions"] == 6 and said["flagged"] == 0
    assert "--unblind" in text


@pytest.mark.parametrize(("changes", "is_closed", "more"), [({}, True, ()), ({"kind": "class"}, False, ()), ({}, False, ("--unblind",))])
def test_columns_and_hash_are_shown_where_that_unblinds_nobody_or_is_asked_for(
    changes: dict[str, Any],
    is_closed: bool,
    more: tuple[str, ...],
    opened: Callable[..., Review],
    paths: Paths,
    capsys: pytest.CaptureFixture[str],
) -> None:
    review_id, made = opened(**changes)
    if is_closed:
        Box(paths.reviews).close(review_id)
    said, text = call(capsys, "show", review_id, *more), read(capsys, "show", review_id, *more)
    assert said["hash"] == made.hash and said["columns"] == ["base", "left"] and said["planned"] == list(made.planned)
    assert made.hash in text and "columns: Base, Left" in text and ("Keep both from raters" in text) is not is_closed


def test_closing_says_what_is_cut_off_and_does_it_only_with_yes(
    opened: Callable[..., Review], paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    review_id, made = opened()
    for _ in range(2):
        vote(paths, review_id, 3)
    codes = Codes(paths.reviews)
    codes.publish(review_id, starter())
    codes.open_round(review_id, "calibration", codable(made)[:1], codes.joined(review_id), starter().version)
    said = read(capsys, "close", review_id)
    assert "Nothing was closed; --yes does it" in said and "codes are not taken any more" in said and "columns, hash and results" in said
    assert "1 round of coding is not finished. 2 raters joined, 0 finished, 3 were planned." in said
    assert call(capsys, "close", review_id)["unfinished_rounds"] == 1 and not Box(paths.reviews).is_closed(review_id)
    done = call(capsys, "close", review_id, "--yes")
    assert (done["state"], done["columns"]) == ("closed", ["base", "left"]) and Box(paths.reviews).is_closed(review_id)
    assert read(capsys, "close", review_id, "--yes") == f"{review_id} is closed already.\n"


@pytest.mark.parametrize("form", ["html", "csv", "json"])
def test_a_report_is_written_in_the_form_that_is_asked_for_or_that_the_ending_says(
    form: str, opened: Callable[..., Review], paths: Paths, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    review_id, made = opened()
    for _ in range(2):
        vote(paths, review_id)
    Box(paths.reviews).close(review_id)
    named, plain = tmp_path / f"deep/report.{form}", tmp_path / "report.txt"
    assert call(capsys, "report", review_id, "--output", str(named))["format"] == form
    said = read(capsys, "report", review_id, "--output", str(plain), "--format", form)
    assert f"The report is in {plain}" in said and "No difference was established" in said
    texts = [file.read_text(encoding="utf-8") for file in (named, plain)]
    starts = {"html": "<!doctype html>", "csv": '"kind"', "json": "{"}
    assert all(text.lower().startswith(starts[form]) and made.hash in text for text in texts)


def test_without_a_file_the_report_is_a_page_in_this_folder(
    opened: Callable[..., Review],
    paths: Paths,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    review_id, _ = opened(kind="class")
    monkeypatch.chdir(tmp_path)
    assert call(capsys, "report", review_id)["output"] == f"review-{review_id}.html"
    assert "<!doctype html>" in (tmp_path / f"review-{review_id}.html").read_text(encoding="utf-8").lower()


def test_an_open_research_review_has_no_report(
    opened: Callable[..., Review], paths: Paths, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    review_id, _ = opened()
    vote(paths, review_id)
    said = refused(capsys, "report", review_id, "--output", str(tmp_path / "report.html"))
    assert "not closed, so there is no report on it yet" in said and not (tmp_path / "report.html").exists()


def test_what_can_not_be_done_is_said_in_a_sentence(
    opened: Callable[..., Review], paths: Paths, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    review_id, _ = opened()
    for words in (["show", "nowhere"], ["close", "ünknown", "--yes"], ["report", "../../x"]):
        assert "no such review here. `python -m pipelines review list`" in refused(capsys, *words)
    assert "is a folder" in refused(capsys, "report", review_id, "--output", str(tmp_path))
    with Box(paths.reviews).store.transaction() as file:
        file.execute("UPDATE reviews SET protocol = replace(protocol, 'Two models', 'Other ones')")
    assert "changed after it was frozen" in refused(capsys, "show", review_id) and call(capsys, "list") == []
    assert main(["review", "show", review_id]) == 2 and "changed after" in capsys.readouterr().err


def test_only_what_is_over_is_deleted(
    opened: Callable[..., Review], paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    review_id, _ = opened(keep_days=5)
    vote(paths, review_id, 3)
    assert "No ballots were deleted" in read(capsys, "expire") and call(capsys, "list")[0]["ballots"] == 3
    with Box(paths.reviews).store.transaction() as file:
        file.execute(f"UPDATE raters SET expires = expires - {6 * DAY}")
    assert "3 ballots of raters whose time was over were deleted" in read(capsys, "expire")
    assert call(capsys, "expire") == {"deleted": 0} and call(capsys, "list")[0]["joined"] == 0


def test_a_title_can_not_steer_the_terminal(paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.review import design

    monkeypatch.setattr(frozen, "Design", lambda _title, *more, **changes: design.Design(HOSTILE, *more, **changes))
    review_id = Box(paths.reviews).open_review(frozen.protocol(6))
    for said in (read(capsys, "list"), read(capsys, "show", review_id)):
        assert "\x1b" not in said and "[31mTwo models" in said
