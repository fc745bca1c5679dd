"""Identical requests are answered once; a stop, a closed page or a failure of one visitor never reaches another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from pipelines.models import line as lines
from pipelines.models import shared
from pipelines.models.host import Row
from pipelines.models.line import Line
from pipelines.models.shared import SharedAnswers, Update
from pipelines.models.unchanged import SelfTest
from pipelines.records import Answer, Column, Sampling, Stamp

SAMPLING = Sampling(max_new_tokens=8)
STAMP = Stamp("a base", "b", "", "", 0.0, 0.3, 0.9, 1, 8, "p", "t")


class Host:
    """Says one word more whenever it is allowed to; `fails` is raised by the next answer."""

    def __init__(self) -> None:
        self.line, self.title, self.base = Line(), "a base", None
        self.streams: list[str] = []
        self.words = threading.Semaphore(0)
        self.fails: list[Exception] = []
        self.test = SelfTest(0.0)

    def stream(self, rows: Sequence[Row], sampling: Sampling, stop: threading.Event, rounded: bool, ticket: Any) -> Iterator[list[Answer]]:
        assert ticket.is_served and rounded
        self.streams.append(str(rows[0].messages[0]["content"]))
        for number in range(1, 4):
            while not self.words.acquire(timeout=0.01):
                if stop.is_set():
                    return
            if self.fails:
                raise self.fails.pop()
            yield [Answer("Base", "", "word " * number, number, "eos" if number == 3 else "", STAMP)]

    def self_test(self, ticket: Any) -> SelfTest:
        assert ticket.is_served
        return self.test


class Visitor(threading.Thread):
    """Asks in a thread of its own and keeps all it is told."""

    def __init__(self, answers: SharedAnswers, question: str, seed: int = 1) -> None:
        super().__init__(daemon=True)
        self.stop, self.told, self.problem = threading.Event(), list[Update](), None
        row = Row(Column("Base"), [{"role": "user", "content": question}], seed)
        self.updates = answers.ask([row], SAMPLING, self.stop, f"visitor {id(self)}")
        self.start()

    def run(self) -> None:
        try:
            for update in self.updates:
                self.told.append(update)
        except Exception as error:
            self.problem = error

    def end(self) -> Update:
        self.join(5)
        assert not self.is_alive()
        return self.told[-1]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(shared, "BEAT", 0.05)
    monkeypatch.setattr(lines, "BEAT", 0.05)
    return Host()


def until(what: Any) -> None:
    end = time.monotonic() + 5
    while not what():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_the_same_question_at_the_same_time_is_answered_once_and_later_from_memory(host: Host) -> None:
    answers = SharedAnswers(host)  # type: ignore[arg-type]
    first, second = Visitor(answers, "Why?"), Visitor(answers, "Why?")
    until(lambda: host.streams)
    host.words.release(3)
    one, other = first.end(), second.end()
    assert [list(one.answers), one.test] == [list(other.answers), other.test] and one.answers[0].text.split() == ["word"] * 3
    assert {one.again, other.again} == {False, True}
    later = Visitor(answers, "Why?").end()
    assert later.again and list(later.answers) == list(one.answers) and host.streams == ["Why?"]


@pytest.mark.parametrize("seed,question", [(2, "Why?"), (1, "Why not?")])
def test_another_seed_or_another_question_is_another_request(host: Host, seed: int, question: str) -> None:
    answers = SharedAnswers(host)  # type: ignore[arg-type]
    host.words.release(6)
    Visitor(answers, "Why?").end()
    assert not Visitor(answers, question, seed).end().again and len(host.streams) == 2


def test_one_who_stops_keeps_the_words_so_far_and_the_other_gets_all(host: Host) -> None:
    answers = SharedAnswers(host)  # type: ignore[arg-type]
    first, second = Visitor(answers, "Why?"), Visitor(answers, "Why?")
    host.words.release(1)
    until(lambda: first.told and first.told[-1].answers and second.told and second.told[-1].answers)
    first.stop.set()
    stopped = first.end()
    assert stopped.stopped and stopped.answers[0].finished == "stopped" and stopped.answers[0].tokens == 1
    host.words.release(2)
    assert second.end().answers[0].tokens == 3 and not second.told[-1].stopped


def test_when_all_stop_the_model_stops_and_nothing_half_said_is_kept(host: Host) -> None:
    answers = SharedAnswers(host)  # type: ignore[arg-type]
    only = Visitor(answers, "Why?")
    host.words.release(1)
    until(lambda: only.told and only.told[-1].answers)
    only.stop.set()
    only.end()
    until(lambda: not host.line.state()["busy"])
    host.words.release(3)
    again = Visitor(answers, "Why?").end()
    assert not again.again and again.answers[0].tokens == 3 and host.streams == ["Why?", "Why?"]


def test_a_page_that_is_closed_while_it_waits_frees_its_place(host: Host) -> None:
    answers = SharedAnswers(host)  # type: ignore[arg-type]
    busy = host.line.join("busy")
    row = Row(Column("Base"), [{"role": "user", "content": "Why?"}], 1)
    updates = answers.ask([row], SAMPLING, threading.Event(), "me")
    place = next(updates).place
    assert place and place.ahead == 1
    updates.close()  # what Gradio does with the handler of a page that has gone
    until(lambda: host.line.state()["waiting"] == 0)
    busy.leave()
    assert not host.streams


def test_what_befalls_a_request_reaches_nobody_else(host: Host) -> None:
    answers = SharedAnswers(host)  # type: ignore[arg-type]
    first = Visitor(answers, "Why?")
    until(lambda: host.streams)
    same, other = Visitor(answers, "Why?"), Visitor(answers, "Where?")
    until(lambda: host.line.state()["waiting"] == 1)
    host.fails = [ValueError("out of paper")]
    host.words.release(7)
    assert other.end().answers[0].tokens == 3 and same.end().answers[0].tokens == 3
    first.join(5)
    assert isinstance(first.problem, ValueError) and not same.problem and not other.problem


def test_answers_of_a_model_that_failed_its_test_are_not_given_again(host: Host) -> None:
    answers = SharedAnswers(host)  # type: ignore[arg-type]
    host.test = SelfTest(1.0)
    host.words.release(6)
    Visitor(answers, "Why?").end()
    assert not Visitor(answers, "Why?").end().again


def test_only_so_many_are_kept(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "KEPT", 2)
    answers = SharedAnswers(host)  # type: ignore[arg-type]
    host.words.release(30)
    for question in ("1", "2", "1", "3"):
        Visitor(answers, question).end()
    assert Visitor(answers, "1").end().again and not Visitor(answers, "2").end().again
