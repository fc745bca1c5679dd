"""What people write about their runs, and how they find them again."""

from typing import Any

import pytest

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.paths import Paths, read_json, write_json
from pipelines.tuning.run import Run
from pipelines.tuning.shelf.about import About, about, describe, search, shown_title
from tests.handmade import DAMAGED, JOB, ids, make, put


def test_a_run_is_described_in_parts_and_an_empty_title_goes_back_to_the_default(paths: Paths) -> None:
    run = make(paths)
    default = run.title
    assert about(run) == About() and shown_title(run) == default
    describe(run, title="  My   first\u00a0run ", tags=["Rent", "rent ", "", "Wohn  Geld"])
    assert describe(run, note="one\r\ntwo\tthree\n") == About("My first run", "one\ntwo\tthree", ("rent", "wohn geld"))
    assert read_json(run.folder / "about.json") == {"title": "My first run", "note": "one\ntwo\tthree", "tags": ["rent", "wohn geld"]}
    assert shown_title(run) == "My first run"
    describe(run, title=" \u200d ")
    assert shown_title(run) == default and about(run).tags == ("rent", "wohn geld")
    assert not list(run.folder.glob(".*"))


def test_the_longest_words_that_are_allowed_come_back_as_they_were(paths: Paths) -> None:
    run = make(paths)
    title, note, tags = "ö" * 80, "😀" * 2000, [f"{number:030d}" for number in range(10)]
    describe(run, title, note, tags)
    assert about(run) == About(title, note, tuple(tags))
    family = "👩\u200d👧 می\u200cخواهم"
    assert describe(run, title=family).title == family == shown_title(run)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"title": "x" * 81}, "81 characters"),
        ({"title": "one\ntwo"}, "more than one line"),
        ({"title": "one\u2028two"}, "U\\+2028"),
        ({"title": "safe\u202egnp.exe"}, "U\\+202E"),
        ({"title": "red\x1b[31m"}, "U\\+001B"),
        ({"title": "half \ud800 of one"}, "U\\+D800"),
        ({"title": "zero\u200bwidth"}, "U\\+200B"),
        ({"title": 7}, "not a text"),
        ({"note": "x" * 2001}, "2,001 characters"),
        ({"note": "isolated \u2066 words"}, "U\\+2066"),
        ({"note": "bell \a."}, "U\\+0007"),
        ({"tags": [str(number) for number in range(11)]}, "11 tags"),
        ({"tags": ["x" * 31]}, "31 characters"),
        ({"tags": ["a,b"]}, "comma"),
        ({"tags": ["fine", None]}, "not a text"),
        ({"tags": "abc"}, "not a list"),
    ],
    ids=str,
)
def test_words_that_would_break_a_list_are_refused_and_nothing_is_written(paths: Paths, words: dict[str, Any], reason: str) -> None:
    run = make(paths)
    describe(run, title="before")
    with pytest.raises(StudioError, match=reason):
        describe(run, **{"title": "after", **words})
    assert about(run) == About("before")


@pytest.mark.parametrize("content", [*DAMAGED, '{"title": "' + "x" * 70_000 + '"}', '{"title": ["x"], "note": 5, "tags": {"a": 1}}'])
def test_a_damaged_note_is_no_note(paths: Paths, content: str | bytes) -> None:
    run = make(paths)
    put(run.folder / "about.json", content)
    assert about(run) == About()
    assert describe(run, title="mended").title == shown_title(run) == "mended"


def test_what_somebody_else_wrote_is_shown_only_as_far_as_it_keeps_to_the_rules(paths: Paths) -> None:
    run = make(paths)
    write_json(run.folder / "about.json", {"title": "a\u202eb", "note": "fine", "tags": ["Rent", "a" * 31], "more": 1})
    assert about(run) == About("", "fine", ()) and shown_title(run) == run.title


def test_a_run_that_is_gone_or_belongs_to_the_studio_is_not_described(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "ADAPTERS", paths.root / "adapters")
    ours = make(paths, folder=paths.root / "adapters" / "left")
    with pytest.raises(StudioError, match="belongs to the studio"):
        describe(ours, title="mine")
    with pytest.raises(StudioError, match="no run called"):
        describe(Run(paths.runs / "gone"), title="ghost")
    assert not (ours.folder / "about.json").exists() and not (paths.runs / "gone").exists()


@pytest.fixture
def shelf(paths: Paths) -> list[Run]:
    """Three sound runs and one whose job.json is half there."""
    rent = make(paths, "run-a")
    describe(rent, "Łódź, smörgåsbord", "Too   many steps", ["rent control", "draft"])
    make(paths, "run-b", "failed", side="right", base="other-model", data={**JOB["data"], "name": "tax"}, recipe={"method": "dpo"})
    make(paths, "run-c", "stopped", side="neutral")
    put(make(paths, "run-d").folder / "job.json", '{"side": "left"')
    describe(Run(paths.runs / "run-d"), note="broke on the train", tags=["draft"])
    return [Run(paths.runs / f"run-{letter}") for letter in "abcd"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "abcd"),
        ("  ", "abcd"),
        ("LODZ Smorgas", "a"),
        ("cafe", "ac"),
        ("CAFÉ left", "a"),
        ("dpo", "b"),
        ("smollm2", "ac"),
        ("fail", "b"),
        ("run-c", "c"),
        ("many too", "a"),
        ('"too many"', "a"),
        ("“too many”", "a"),
        ('"many too"', ""),
        ('"too   many" left', "a"),
        ('"smorgasbord too"', ""),
        ("tag:draft", "ad"),
        ("tag:rent", ""),
        ('TAG:"Rent Control"', "a"),
        ("rent", "a"),
        ("side:right", "b"),
        ("side:righ", ""),
        ("state:stopped", "c"),
        ("state:damaged", "d"),
        ("state:stopped tag:draft", ""),
        ("tag:", "abcd"),
        ('tag:""', "abcd"),
        ("colour:red", ""),
        ('"too ma', "a"),
        ("broke", "d"),
        ("(.*", ""),
        ("\ud800", ""),
    ],
)
def test_every_word_must_occur_somewhere(shelf: list[Run], text: str, found: str) -> None:
    assert ids(search(shelf, text)) == [f"run-{letter}" for letter in found]


def test_an_unknown_filter_is_a_plain_word_and_the_order_stays(shelf: list[Run]) -> None:
    describe(shelf[1], note="see colour:red")
    assert ids(search(shelf, "colour:red")) == ["run-b"]
    assert ids(search(shelf[::-1], "tag:draft")) == ["run-d", "run-a"]
