"""The line before the model: visitors in turn, nobody starved, places that are true, and tickets given back."""

from __future__ import annotations

import threading
import time

import pytest

from pipelines.errors import StudioError
from pipelines.models import line as lines
from pipelines.models.line import Line, Place


def served(line: Line, *wanted: str) -> list[str]:
    """In which order visitors who joined in that order are served, each turn ending at once."""
    busy = line.join("before them")
    tickets = [line.join(visitor) for visitor in wanted]
    busy.leave()
    order = []
    while waiting := [ticket for ticket in tickets if ticket.is_served]:
        order.append(waiting[0].visitor)
        waiting[0].leave()
    return order


def test_a_visitor_with_many_requests_lets_others_in_between() -> None:
    assert served(Line(), "a", "a", "a", "b", "c", "b") == ["a", "b", "c", "a", "b", "a"]


def test_whoever_joins_while_others_are_served_does_not_wait_for_anothers_second_request() -> None:
    line = Line()
    first, second = line.join("a"), line.join("a")
    newcomer = line.join("b")
    first.leave()
    assert newcomer.is_served and not second.is_served
    newcomer.leave()
    assert second.is_served


def test_nobody_waits_for_ever_while_new_visitors_keep_coming() -> None:
    line = Line()
    now = line.join("patient")
    waits = line.join("patient")
    for number in range(3 * lines.PATIENCE):
        newcomer = line.join(f"new {number}")
        now.leave()
        if waits.is_served:
            break
        now = newcomer
    assert waits.is_served and number <= lines.PATIENCE


def test_the_place_and_the_wait_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    line = Line()
    now, planned, last = line.join("a", 10.0), line.join("b", 30.0), line.join("c")
    assert (now.place, planned.place, last.place) == (Place(0, 0.0), Place(1, 10.0), Place(2, 40.0))
    clock[0] += 4
    assert last.place == Place(2, 36.0) and line.state() == {"busy": True, "waiting": 2, "seconds": 36.0 + lines.USUAL, "usual": None}
    planned.leave()
    assert last.place == Place(1, 6.0)
    now.leave()
    clock[0] += 12
    last.leave()
    assert line.join("d").is_served and line.join("e").place.seconds == pytest.approx(lines.MEMORY * lines.USUAL + (1 - lines.MEMORY) * 12)


def test_a_ticket_may_be_given_back_twice_and_by_another_thread() -> None:
    line = Line()
    first, second = line.join("a"), line.join("b")
    thread = threading.Thread(target=lambda: (first.leave(), first.leave()))
    thread.start()
    assert second.wait(5)
    thread.join()
    assert not first.is_served and second.is_served


def test_a_turn_that_fails_is_given_back() -> None:
    line = Line()
    with pytest.raises(ZeroDivisionError), line.turn():
        raise ZeroDivisionError
    assert line.state()["busy"] is False
    with line.turn():
        assert line.state()["busy"]


def test_every_thread_gets_its_turn_alone() -> None:
    line, inside, most = Line(), [0], [0]

    def work() -> None:
        for _ in range(5):
            with line.turn():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == [1] and line.state()["waiting"] == 0


def test_too_many_get_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_WAITING", 2)
    line = Line()
    for _ in range(3):
        line.join()
    with pytest.raises(StudioError, match="waiting already"):
        line.join()


def test_waiting_tells_places_until_the_turn_or_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BEAT", 0.01)
    line, stop = Line(), threading.Event()
    now = line.join("a")
    with line.join("b") as ticket:
        places = ticket.waiting(stop)
        assert next(places).ahead == 1
        now.leave()
        assert list(places) == [] and ticket.is_served
    with line.join("c"), line.join("d") as last:
        stop.set()
        assert list(last.waiting(stop)) == []
    assert line.state() == {"busy": False, "waiting": 0, "seconds": 0.0, "usual": line._usual}
