"""The stage “Prompt sets” without a browser: what is asked in the background, what the page shows of it, which row a press opens."""

from __future__ import annotations

import csv
import html
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipelines.comparing import batch as batches
from pipelines.comparing.batch_folder import ANSWERS
from pipelines.comparing.prompts import Prompt, PromptSet
from pipelines.errors import StudioError
from pipelines.export.comparison import MARK
from pipelines.models import catalog
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.models.growing import Row
from pipelines.paths import Paths
from pipelines.records import Answer, Sampling
from studio.access import Access
from studio.owning import Me, Who
from studio.services import Services
from studio.tabs.comparing import setpage, setrows, sets, setstatus, setwork
from studio.tabs.comparing.setpage import Seen, View
from studio.tabs.comparing.setrows import AS_ASKED, COMPARATOR, MOST_DIFFERENT
from studio.tabs.comparing.setwork import OWN, Asker, Visit
from tests.unit.test_batch import FakeHost

KEYS = ["base", "left"]
LEVERS = (0.3, 0.9, 8, 5, False)
OWN_SET = PromptSet("mine", "My questions", tuple(Prompt(f"p{n}", f"Question {n}?", "rent" if n % 2 else "tax") for n in range(10)))


class Host(FakeHost):
    """Every question is answered differently but the first, the later ones more so; `gate` keeps the answers of a call back."""

    def __init__(self, paths: Paths, before: Callable[[int], None] = lambda call: None) -> None:
        super().__init__(before=before)
        self.source, self.base = catalog.find(LANGUAGE_MODEL.name, paths), None
        self.gate = threading.Event()
        self.gate.set()

    def answer_all(self, rows: Sequence[Row], sampling: Sampling, stop: threading.Event) -> list[Answer]:
        while not self.gate.wait(0.01) and not stop.is_set():
            pass
        return super().answer_all(rows, sampling, stop)

    def answer(self, row: Row, sampling: Sampling, finished: str) -> Answer:
        made = super().answer(row, sampling, finished)
        number = int("".join(filter(str.isdigit, made.prompt)) or 0)
        words = ["same"] * 10 if row.column.is_base else ["same"] * (10 - number % 11) + ["other"] * (number % 11)
        stamp = replace(made.stamp, adapter="" if row.column.is_base else row.column.name)
        return replace(made, text=" ".join(words), stamp=stamp)


@pytest.fixture
def services(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.delenv("STUDIO_CLASS", raising=False)
    return Services(paths, Host(paths), SimpleNamespace())  # type: ignore[arg-type]


@pytest.fixture
def asker(services: Services) -> Iterator[Visit]:
    """One visitor before the asker, at the studio's own computer."""
    made = Visit(Asker(services), Who("code", home=True))
    yield made
    for job in list(made.asker.jobs.values()):
        job.stop.set()
    services.host.gate.set()  # type: ignore[attr-defined]
    ended(made)


def running(asker: Visit) -> str:
    """The batch whose turn it is."""
    return next((job.batch.id for job in asker.asker.jobs.values() if job.ticket.is_served), "")


def ended(asker: Visit) -> None:
    """Returns when nothing is asked any more."""
    end = time.monotonic() + 20
    while asker.asker.jobs:
        assert time.monotonic() < end, "the batch did not end"
        time.sleep(0.01)


def begin(asker: Visit, own: PromptSet = OWN_SET, keys: Sequence[str] = KEYS, view: View | None = None) -> dict[str, Any]:
    return setpage.begin(asker, (OWN, own, list(keys), 1.0, *LEVERS), view or View())


def finished(asker: Visit, own: PromptSet = OWN_SET, keys: Sequence[str] = KEYS) -> str:
    """A batch whose questions are all answered."""
    made = begin(asker, own, keys)["results"]["value"]
    ended(asker)
    return str(made)


def picks(shown: dict[str, Any]) -> list[tuple[int, str]]:
    """(place, question) of every row of the table that is shown."""
    return [(int(n), html.unescape(q)) for n, q in re.findall(r'data-pick="(\d+)".*?<b>(.*?)</b>', shown["table"])]


def answered(asker: Visit, batch_id: str) -> int:
    return batches.find(batch_id, asker.services.paths).answered


def test_the_restricted_set_is_neither_offered_nor_asked_in_a_class(asker: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    services = asker.services
    assert [name for _, name in setpage.choices(services, None)] == ["opinion", "everyday", "paper"]
    kept = setpage.begin(asker, ("paper", None, KEYS, 1.0, *LEVERS), View())["results"]["value"]
    ended(asker)
    monkeypatch.setenv("STUDIO_CLASS", "1")
    assert [name for _, name in setpage.choices(services, None)] == ["opinion", "everyday"]
    with pytest.raises(StudioError, match="off in a class"):
        setpage.begin(asker, ("paper", None, KEYS, 1.0, *LEVERS), View())
    assert "off in a class" in setpage.prepared(services, "paper", None, KEYS, 1.0, *LEVERS)["preview"]
    assert asker.results() == []
    for work in (
        lambda: asker.go_on(kept),
        lambda: setrows.export(asker, kept, "csv", None, None),
        lambda: setpage.delete(asker, kept, kept, View()),
    ):
        with pytest.raises(StudioError, match="off in a class"):
            work()
    assert "off in a class" in setrows.listing(asker, kept, setrows.Wanted(), 1)["count"]
    assert "off in a class" in setrows.opened(asker, kept, 0)[1]


def test_visitors_of_a_public_studio_are_refused_by_every_handler(asker: Visit, tmp_path: Path) -> None:
    kept = finished(asker)
    asker.services.access = Access(public=True)
    (tmp_path / "q.csv").write_text("question\nWhy?\n")
    for work in (
        lambda: begin(asker),
        lambda: setpage.go_on(asker, kept, View()),
        lambda: setpage.stop(asker),
        lambda: setpage.look(asker, kept, View()),
        lambda: setpage.attached(asker, kept, View()),
        lambda: setpage.chosen(asker, kept, View()),
        lambda: setpage.delete(asker, kept, kept, View()),
        lambda: setpage.export(asker, kept, "csv", None, None),
        lambda: setpage.uploaded(asker.services, str(tmp_path / "q.csv"), KEYS, 1.0, *LEVERS),
    ):
        with pytest.raises(StudioError, match="public demo"):
            work()
    assert "public demo" in setrows.opened(asker, kept, 0)[1] and setrows.opened(asker, kept, 0)[0] is None
    assert "public demo" in setpage.listing(asker, kept, View())["count"]
    assert "public demo" in setpage.prepared(asker.services, "opinion", None, KEYS, 1.0, *LEVERS)["preview"]
    asker.services.access = Access(public=False)
    assert answered(asker, kept) == 10 and len(asker.results()) == 1


def test_the_page_says_what_is_asked_of_whom_and_how_long_that_takes(services: Services) -> None:
    own = PromptSet("x", "x.csv", tuple(Prompt(f"q{n}", f"<b>{n}</b>?") for n in range(12)), note="Read as UTF-16.")
    shown = setpage.prepared(services, OWN, own, ["left", "base", "gone"], 0.5, 0.3, 0.9, 72, 1, False)
    assert "12 questions" in shown["preview"] and "&lt;b&gt;2&lt;/b&gt;?" in shown["preview"] and "and 9 more" in shown["preview"]
    assert "<b>3</b>" not in shown["preview"] and "&lt;b&gt;3" not in shown["preview"] and "Read as UTF-16." in shown["preview"]
    assert "Base, Left will answer" in shown["who"] and "dial stands at 0.5" in shown["who"] and "about 40 s" in shown["who"]
    assert shown["start"]["value"] == "Ask all 12 questions"
    assert "Nobody is ticked" in setpage.prepared(services, OWN, own, [], 1.0, *LEVERS)["who"]
    assert "dial" not in setpage.prepared(services, OWN, own, KEYS, 1.0, 0.3, 0.9, None, 1)["who"]


def test_more_questions_columns_or_words_take_longer() -> None:
    plain = setwork.expected(40, 2, 72)
    assert setwork.expected(41, 2, 72) > plain and setwork.expected(40, 3, 72) > plain and setwork.expected(40, 2, 73) > plain
    assert setwork.expected(4, 4, 72) == pytest.approx(22.35, rel=0.1)  # measured on two cores


def test_own_questions_are_read_and_chosen_and_a_bad_file_is_refused_with_a_sentence(asker: Visit, tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("question\nWhy?\nHow?\n")
    shown = setpage.uploaded(asker.services, str(tmp_path / "q.csv"), KEYS, 1.0, *LEVERS)
    assert shown["which"]["value"] == OWN and ("q.csv (2)", OWN) in shown["which"]["choices"] and "2 questions" in shown["preview"]
    assert [one.text for one in shown["own"].prompts] == ["Why?", "How?"]
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    with pytest.raises(StudioError, match="no column called question"):
        setpage.uploaded(asker.services, str(tmp_path / "bad.csv"), KEYS, 1.0, *LEVERS)
    with pytest.raises(StudioError, match="not here any more"):
        setpage.begin(asker, (OWN, None, KEYS, 1.0, *LEVERS), View())


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ((OWN, OWN_SET, [], 1.0, *LEVERS), "No column is chosen"),
        ((OWN, OWN_SET, ["gone"], 1.0, *LEVERS), "No column is chosen"),
        ((OWN, OWN_SET, KEYS, 9.0, *LEVERS), "The bias dial is 9"),
        ((OWN, OWN_SET, KEYS, 1.0, 3, 0.9, 8, 5), "Temperature is 3"),
        ((OWN, OWN_SET, KEYS, 1.0, 0.3, 0.9, None, 5), "Longest answer"),
        (("other", None, KEYS, 1.0, *LEVERS), "No set is chosen"),
    ],
)
def test_what_can_not_be_asked_is_refused_and_leaves_nothing(asker: Visit, asked: tuple[Any, ...], part: str) -> None:
    with pytest.raises(StudioError, match=part):
        setpage.begin(asker, asked, View())
    assert not running(asker) and asker.results() == []


def test_the_page_need_not_stay_open_and_the_same_set_is_asked_once_at_a_time(asker: Visit) -> None:
    asker.services.host.gate.clear()  # type: ignore[attr-defined]
    shown = begin(asker)
    made = shown["results"]["value"]
    assert running(asker) == made and shown["status"].startswith('<div class="ps-note">My questions: ') and shown["timer"].active
    assert shown["stop"]["visible"] and shown["start"]["interactive"] and not shown["resume"]["visible"] and shown["box"]["visible"]
    with pytest.raises(StudioError, match="“My questions” is being asked already"):
        begin(asker)
    with pytest.raises(StudioError, match="being asked already"):
        setpage.go_on(asker, made, View())
    again = setpage.attached(asker, None, View())
    assert again["results"]["value"] == made and again["timer"].active and "ps-bar" in again["status"]
    asker.services.host.gate.set()  # type: ignore[attr-defined]
    ended(asker)
    after = setpage.look(asker, made, View(seen=again["seen"]))
    assert "ps-good" in after["status"] and not after["timer"].active and after["start"]["interactive"] and not after["stop"]["visible"]
    assert len(picks(after)) == 10 and not setpage.look(asker, made, View(seen=after["seen"])).keys() - {"status"}
    assert asker.services.progress == {}


def other(visit: Visit, code: str, home: bool = False) -> Visit:
    return replace(visit, who=Who(code, home))


def titled(title: str, many: int = 4) -> PromptSet:
    return PromptSet(title, title, tuple(Prompt(f"p{n}", f"{title} {n}?") for n in range(many)))


def test_a_second_visitors_set_waits_with_a_place_and_is_asked_when_it_is_its_turn(asker: Visit) -> None:
    host: Any = asker.services.host
    host.gate.clear()
    two, three = other(asker, "two"), other(asker, "three")
    begin(asker)
    waiting = begin(two, titled("Second"))
    begin(three, titled("Third"))
    second = waiting["results"]["value"]
    assert "waits for its turn: 1 other set is asked before it, up to about" in waiting["status"] and waiting["timer"].active
    assert "My questions" not in str(waiting) and "waiting" in waiting["results"]["choices"][0][0]
    assert "2 other sets are asked before it" in setpage.look(three, None, View())["status"]
    host.gate.set()
    ended(asker)
    assert answered(asker, second) == 4 and "ps-good" in setpage.look(two, second, View(seen=waiting["seen"]))["status"]


def test_nobody_lets_more_than_two_sets_wait_and_who_gives_a_place_up_has_it_again(asker: Visit) -> None:
    asker.services.host.gate.clear()  # type: ignore[attr-defined]
    for number in range(3):
        shown = begin(asker, titled(f"Set {number}"))
    assert not shown["start"]["interactive"]
    with pytest.raises(StudioError, match="2 of your sets wait already"):
        begin(asker, titled("One more"))
    begin(other(asker, "two"), titled("Of another"))
    last = shown["results"]["value"]
    assert "gives its place up" in setpage.stop(asker, last)["status"]
    end = time.monotonic() + 5
    while last in asker.asker.jobs and time.monotonic() < end:
        time.sleep(0.02)
    assert begin(asker, titled("One more"))["said"] == "" and answered(asker, last) == 0


def test_visitors_take_turns_however_many_sets_one_of_them_has(asker: Visit) -> None:
    host: Any = asker.services.host
    host.gate.clear()
    for number in range(3):
        begin(asker, titled(f"Mine {number}"), ["base"])
    begin(other(asker, "two"), titled("Theirs"), ["base"])
    host.gate.set()
    ended(asker)
    order = [text.rsplit(" ", 1)[0] for text in host.asked]
    assert list(dict.fromkeys(order)) == ["Mine 0", "Theirs", "Mine 1", "Mine 2"]


def test_a_stopped_set_is_gone_on_with_and_asks_only_what_is_missing(asker: Visit) -> None:
    host: Any = asker.services.host
    host.before = lambda call: setpage.stop(asker) if call == 2 else None
    made = finished(asker)
    shown = setpage.look(asker, made, View(), fresh=True)
    assert answered(asker, made) == 4 and "stopped with 4 of 10 questions answered" in shown["status"]
    assert shown["resume"]["visible"] and not shown["stop"]["visible"] and "4 of 10 questions" in shown["results"]["choices"][0][0]
    host.before, host.calls = lambda call: None, []
    going = setpage.go_on(asker, made, View())
    assert going["said"] == "" and "stopping" not in going["status"]
    ended(asker)
    assert answered(asker, made) == 10 and host.asked == [f"Question {n}?" for n in range(4, 10)]
    with pytest.raises(StudioError, match="All its questions are answered"):
        setpage.go_on(asker, made, View())
    assert "Nothing of yours is being asked" in setpage.stop(asker)["said"]


def test_a_loaded_page_shows_what_runs_but_a_reader_of_another_result_is_let_alone(asker: Visit) -> None:
    old = finished(asker)
    asker.services.host.gate.clear()  # type: ignore[attr-defined]
    made = begin(asker)["results"]["value"]
    assert setpage.attached(asker, old, View())["results"]["value"] == made
    reading = setpage.attached(asker, old, View(seen=Seen(old, made, 10, 0.0)))
    assert reading["results"]["value"] == old and "ps-bar" in reading["status"] and len(picks(reading)) == 10


def test_a_set_is_gone_on_with_at_the_strength_it_was_begun_with(asker: Visit) -> None:
    host: Any = asker.services.host
    host.before = lambda call: asker.stop() if call == 2 else None
    made = setpage.begin(asker, (OWN, OWN_SET, KEYS, 0.5, *LEVERS), View())["results"]["value"]
    ended(asker)
    setpage.go_on(asker, made, View())
    ended(asker)
    assert asker.asker.problems == {} and answered(asker, made) == 10


def test_while_it_stops_the_page_says_so(asker: Visit) -> None:
    host: Any = asker.services.host
    host.gate.clear()
    begin(asker)
    (job,) = asker.jobs()
    assert "stopping" not in setpage.look(asker, None, View())["status"]
    job.stop.set()
    assert "· stopping" in setstatus.at_work(asker, job)


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (StudioError("At most 6 adapters fit.", "Leave some out."), "At most 6 adapters fit."),
        (RuntimeError("boom"), "broke off (RuntimeError)"),
    ],
)
def test_what_breaks_an_asking_is_said_and_it_can_be_gone_on_with(
    asker: Visit, error: Exception, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    host: Any = asker.services.host

    def fail(call: int) -> None:
        if call == 2:
            raise error

    host.before = fail
    made = finished(asker)
    shown = setpage.look(asker, made, View(), fresh=True)
    assert "ps-error" in shown["status"] and part in shown["status"] and "boom" not in shown["status"] and shown["resume"]["visible"]
    assert ("boom" in capsys.readouterr().err) == isinstance(error, RuntimeError)
    host.before = lambda call: None
    setpage.go_on(asker, made, View())
    ended(asker)
    assert answered(asker, made) == 10 and "all 10 questions" in setpage.look(asker, made, View())["status"]


def test_a_column_that_is_gone_is_named_when_its_set_is_gone_on_with(asker: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    host: Any = asker.services.host
    host.before = lambda call: asker.stop()
    made = finished(asker)
    monkeypatch.setattr("pipelines.comparing.columns.bundled.BUNDLED_SIDES", ("right",))
    with pytest.raises(StudioError, match="“left” can't answer here any more"):
        setpage.go_on(asker, made, View())
    assert not running(asker)


def test_a_growing_table_is_drawn_anew_every_few_seconds_at_most(asker: Visit) -> None:
    made = finished(asker)
    just = Seen(made, "", 4, time.monotonic())
    assert "table" not in setpage.look(asker, made, View(seen=just))
    later = setpage.look(asker, made, View(seen=Seen(made, "", 4, time.monotonic() - setpage.REFRESH_SECONDS - 1)))
    assert len(picks(later)) == 10 and later["seen"].answered == 10 and "results" not in later
    assert "table" in setpage.look(asker, made, View(seen=Seen("another", "", 10, time.monotonic())))


def test_a_set_that_the_command_line_asks_is_watched_but_not_stopped(asker: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    made = finished(asker)
    monkeypatch.setattr("pipelines.comparing.batch_folder.is_locked", lambda folder: True)
    shown = setpage.look(asker, made, View())
    assert "command line" in shown["status"] and "ps-bar" in shown["status"] and shown["timer"].active
    assert not shown["stop"]["visible"] and not shown["resume"]["visible"] and shown["start"]["interactive"]


def test_results_are_listed_newest_first_and_the_chosen_one_stays(asker: Visit) -> None:
    first, second = finished(asker), finished(asker, OWN_SET, ["base"])
    shown = setpage.attached(asker, None, View())
    assert [value for _, value in shown["results"]["choices"]] == [second, first] and shown["results"]["value"] == second
    assert shown["results"]["choices"][1][0].startswith("My questions · Base, Left · 10 questions · 20")
    assert setpage.attached(asker, first, View())["results"]["value"] == first
    assert setpage.attached(asker, "gone", View())["results"]["value"] == second
    assert setpage.look(asker, "gone", View(), fresh=True)["results"]["value"] is None


@pytest.mark.parametrize(
    ("view", "places"),
    [
        (View(), list(range(10))),
        (View(sort=MOST_DIFFERENT), list(range(9, -1, -1))),
        (View(different=True), list(range(1, 10))),
        (View(False, MOST_DIFFERENT, "RENT"), [9, 7, 5, 3, 1]),
        (View(False, AS_ASKED, "tax other"), [2, 4, 6, 8]),
        (View(True, MOST_DIFFERENT, "question 3"), [3]),
        (View(False, AS_ASKED, "nowhere"), []),
    ],
)
def test_a_pressed_row_opens_its_own_question_however_rows_are_filtered_and_ordered(asker: Visit, view: View, places: list[int]) -> None:
    made = finished(asker)
    shown = setpage.listing(asker, made, view)
    assert [place for place, _ in picks(shown)] == places and f"{len(places)} shown of 10" in shown["count"]
    for place, question in picks(shown):
        comparison, said = setrows.opened(asker, made, str(place))
        assert comparison is not None and comparison.last.question == question == f"Question {place}?" and said == ""


def test_an_opened_row_carries_the_seed_the_columns_and_the_dial_it_was_asked_with(asker: Visit) -> None:
    made = setpage.begin(asker, (OWN, OWN_SET, ["left", "base"], 0.5, *LEVERS), View())["results"]["value"]
    ended(asker)
    batch = batches.find(made, asker.services.paths)
    comparison, _ = setrows.opened(asker, made, 7)
    assert comparison is not None and comparison.keys == ("base", "left") and comparison.strength == 0.5 and len(comparison.turns) == 1
    assert comparison.sampling.seed == batch.seed(OWN_SET.prompts[7]) == comparison.last.answers[1].stamp.seed != LEVERS[3]
    assert comparison.sampling.max_new_tokens == 8 and comparison.last.answers[1].stamp.strength == 0.5


def test_a_row_of_a_table_that_another_result_has_replaced_still_opens_its_own(asker: Visit) -> None:
    other = PromptSet("other", "Other", (Prompt("x", "Elsewhere?"),))
    first, second = finished(asker), finished(asker, other)
    shown = setpage.chosen(asker, first, View())
    assert f'data-batch="{first}"' in shown["table"] and second not in shown["table"]
    comparison, _ = setrows.opened(asker, first, 0)
    assert comparison is not None and comparison.last.question == "Question 0?"
    assert "dataset.batch" in sets.TABLE_JS and "{batch, pick: row.dataset.pick}" in sets.TABLE_JS


@pytest.mark.parametrize(
    ("batch_id", "place"), [("", 0), ("../runs", 0), (None, 0), ("made", 10), ("made", "x"), ("made", None), ("made", -1)]
)
def test_what_is_no_row_opens_nothing_and_says_so(asker: Visit, batch_id: Any, place: Any) -> None:
    made = finished(asker)
    comparison, said = setrows.opened(asker, made if batch_id == "made" else batch_id, place)
    assert comparison is None and "ps-error" in said


def test_long_results_come_in_pages_of_a_hundred(asker: Visit) -> None:
    many = PromptSet("many", "Many", tuple(Prompt(f"p{n}", f"Question {n}?", "odd" if n % 2 else "") for n in range(230)))
    made = finished(asker, many, ["base"])
    pages = [setpage.listing(asker, made, View(page=number)) for number in (0, 2, 3, 9)]
    assert [len(picks(one)) for one in pages] == [100, 100, 30, 30] and picks(pages[1])[0] == (100, "Question 100?")
    assert [(one["back"]["visible"], one["more"]["visible"], one["page"]) for one in pages[:3]] == [
        (False, True, 1),
        (True, True, 2),
        (True, False, 3),
    ]
    assert "100 shown of 230, page 2 of 3." in pages[1]["count"]
    odd = setpage.listing(asker, made, View(search="odd"))
    assert "100 shown of 115, page 1 of 2 (230 in all)" in odd["count"]


def test_a_damaged_answer_is_named_and_nothing_is_shown_or_written(asker: Visit) -> None:
    made = finished(asker)
    file = asker.services.paths.batches / made / ANSWERS
    file.write_text(file.read_text().replace("other", "forged", 1))
    shown = setpage.listing(asker, made, View())
    assert "Line 2 of answers.jsonl" in shown["count"] and shown["table"] == ""
    with pytest.raises(StudioError, match="Line 2"):
        setpage.export(asker, made, "csv", None, None)
    assert setrows.opened(asker, made, 1)[0] is None


def test_every_format_holds_all_answers_with_their_mark(asker: Visit) -> None:
    made = finished(asker)
    files = {kind: Path(setpage.export(asker, made, kind, "base", "left")["file"]["value"]) for kind in setrows.ENDINGS}
    assert [file.suffix for file in files.values()] == [".csv", ".jsonl", ".md", ".json"]
    assert all(file.name.startswith("my-questions-") and str(asker.services.paths.root) not in str(file) for file in files.values())
    table = list(csv.DictReader(files["csv"].read_text().splitlines()))
    assert len(table) == 20 and {one["mark"] for one in table} == {"not tuned", "deliberately biased"}
    lines = [json.loads(line) for line in files["jsonl"].read_text().splitlines()]
    assert lines[0]["mark"] == MARK and len(lines) == 21 and lines[20]["prompt_id"] == "p9"
    assert MARK in files["markdown"].read_text() and "Question 9?" in files["markdown"].read_text()
    compared = json.loads(files[COMPARATOR].read_text())
    assert len(compared["examples"]) == 10 and [one["name"] for one in compared["models"]] == [
        "Base (not tuned)",
        "Left (deliberately biased)",
    ]
    swapped = json.loads(Path(setpage.export(asker, made, COMPARATOR, "left", "base")["file"]["value"]).read_text())
    assert (
        swapped["models"][0]["name"].startswith("Left")
        and swapped["examples"][9]["output_text_a"] != compared["examples"][9]["output_text_a"]
    )


def test_files_that_can_not_be_made_are_refused_with_a_sentence(asker: Visit) -> None:
    one = finished(asker, OWN_SET, ["base"])
    host: Any = asker.services.host
    host.before = lambda call: asker.stop()
    empty = finished(asker)
    for batch_id, kind, first, second, part in (
        (one, COMPARATOR, None, None, "two columns"),
        (one, COMPARATOR, "base", "base", "same column"),
        (one, "docx", None, None, "No format"),
        (empty, "csv", None, None, "No question is answered yet"),
        (None, "csv", None, None, "No result is chosen"),
    ):
        with pytest.raises(StudioError, match=part):
            setpage.export(asker, batch_id, kind, first, second)
    assert setpage.sides(COMPARATOR)["first"]["visible"] and not setpage.sides("csv")["second"]["visible"]


def test_another_result_brings_its_own_columns_and_puts_the_old_file_away(asker: Visit) -> None:
    first, second = finished(asker), finished(asker, OWN_SET, ["base"])
    shown = setpage.chosen(asker, first, View(seen=Seen(second, "", 10, 0.0), page=3))
    assert [value for _, value in shown["first"]["choices"]] == KEYS and (shown["first"]["value"], shown["second"]["value"]) == (
        "base",
        "left",
    )
    assert not shown["file"]["visible"] and shown["warned"] == "" and shown["page"] == 1
    alone = setpage.chosen(asker, second, View(seen=Seen(first, "", 10, 0.0)))
    assert alone["second"]["value"] is None
    assert "file" not in setpage.look(asker, second, View(seen=alone["seen"]), fresh=True)


def test_a_result_is_deleted_at_the_second_press_only(asker: Visit) -> None:
    first, second = finished(asker), finished(asker)
    once = setpage.delete(asker, second, "", View())
    assert once["warned"] == second and "Press once more" in once["told"] and once["delete"]["value"] == setpage.SURE
    assert setpage.delete(asker, first, second, View())["warned"] == first and len(asker.results()) == 2
    twice = setpage.delete(asker, second, second, View(seen=Seen(second, "", 10, 0.0)))
    assert [one.id for one in asker.results()] == [first] and twice["results"]["value"] == first
    assert "was deleted" in twice["told"] and twice["warned"] == "" and twice["delete"]["value"] == setpage.UNSURE
    assert len(picks(twice)) == 10
    last = setpage.delete(asker, first, first, View(seen=Seen(first, "", 10, 0.0)))
    assert last["results"]["value"] is None and not last["box"]["visible"] and last["status"] == ""


def test_a_set_that_is_being_asked_is_not_deleted(asker: Visit) -> None:
    host: Any = asker.services.host
    host.gate.clear()
    made = begin(asker)["results"]["value"]
    while not batches.find(made, asker.services.paths).base_fingerprint:
        time.sleep(0.01)
    with pytest.raises(StudioError, match="being asked already"):
        setpage.delete(asker, made, made, View())
    assert running(asker) == made


@pytest.fixture
def page(services: Services) -> tuple[gr.Blocks, dict[str, Any]]:
    with gr.Blocks() as blocks:
        columns, dial = gr.Dropdown(services.catalog().choices(), value=KEYS, multiselect=True), gr.Slider(0, 2, 1)
        levers = [gr.Slider(0, 2, 0.3), gr.Slider(0, 1, 0.9), gr.Slider(1, 512, 8), gr.Number(5)]
        made = sets.build(services, gr.State(Me()), columns, dial, levers)
        blocks.load(**made["attach"])
        made["opened"].then(lambda one: one, made["comparison"], gr.State())
    return blocks, made


def test_nothing_of_the_stage_is_in_the_api_and_every_part_has_its_name(page: tuple[gr.Blocks, dict[str, Any]]) -> None:
    config = page[0].get_config_file()
    ours = [one for one in config["dependencies"] if one["targets"] and one["api_visibility"] != "private"]
    assert len(ours) == 1  # the test's own
    names = {one["props"].get("elem_id") for one in config["components"]}
    wanted = "set set-file set-said set-start set-stop set-resume set-status set-results set-table set-different set-sort set-search"
    assert names >= {*wanted.split(), "set-export", "set-file-out"}
    ticks = [one for one in config["dependencies"] if any(target[1] == "tick" for target in one["targets"])]
    assert len(ticks) == 1 and ticks[0]["show_progress"] == "hidden"


def test_the_page_shows_everything_when_it_is_opened_and_errors_stay_sentences(
    page: tuple[gr.Blocks, dict[str, Any]], services: Services
) -> None:
    attach = page[1]["attach"]
    values = [Me(), "everyday", None, KEYS, 1.0, *LEVERS[:4], None, False, AS_ASKED, "", 1, Seen()]
    assert len(values) == len(attach["inputs"])
    shown = {part.elem_id: value for part, value in attach["fn"](None, *values).items() if part.elem_id}
    assert "20 questions" in shown["set-preview"] and shown["set-start"] == {
        "value": "Ask all 20 questions",
        "interactive": True,
        "__type__": "update",
    }
    services.access = Access(public=True)
    said = attach["fn"](None, *values)
    assert [part.elem_id for part in said] == ["set-status"] and "public demo" in next(iter(said.values()))
