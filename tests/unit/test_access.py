"""Settings of a public studio, how often a visitor may ask, and the teacher's password."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines import incidents
from pipelines.errors import StudioError
from studio.access import FEATURES, Access
from studio.ratelimit import PAGES_AN_ADDRESS, Limiter, Visitor, address
from studio.teachers import TRIES, TRIES_OF_ALL, UNLOCKED_SECONDS, Teachers

PASSWORD = "chalk and board"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def asked(host: str, page: str = "p", **headers: str) -> Any:
    return SimpleNamespace(client=SimpleNamespace(host=host), session_hash=page, headers=headers)


def test_a_studio_of_ones_own_allows_everything_and_counts_nothing() -> None:
    access = Access.from_environment({})
    assert not access.public and all(map(access.allows, FEATURES)) and access.limiter.most == 0 and not access.teachers.are_asked


@pytest.mark.parametrize("variable", ["SPACE_ID", "STUDIO_PUBLIC"])
def test_a_public_studio_has_everything_off_and_says_what_and_where_it_can_be_had(variable: str) -> None:
    access = Access.from_environment({variable: "1"})
    assert access.limiter.most == 12 and access.proxied is (variable == "SPACE_ID")
    for feature, sentence in FEATURES.items():
        with pytest.raises(StudioError, match="Run the studio on your own laptop") as refused:
            access.refuse(feature)
        assert refused.value.message == sentence and "public" in sentence


def test_its_owner_opens_just_what_is_named() -> None:
    access = Access.from_environment({"STUDIO_PUBLIC": "1", "STUDIO_OPEN": " Measure, tune,"})
    assert {feature for feature in FEATURES if access.allows(feature)} == {"measure", "tune"}
    assert not access.allows("anything else")


@pytest.mark.parametrize(
    "settings,words",
    [
        ({"STUDIO_OPEN": "measure,everything"}, "“everything”"),
        ({"STUDIO_RATE": "many"}, "STUDIO_RATE is “many”"),
        ({"STUDIO_RATE": "-1"}, "whole number"),
        ({"STUDIO_RATE": "99999999"}, "whole number"),
        ({"STUDIO_LOGIN": "no such file"}, "can't be read"),
        ({"STUDIO_LOGIN": "ann:short"}, "at least 8"),
        ({"STUDIO_LOGIN": ":long enough"}, "can't be read"),
        ({"STUDIO_LOGIN": "x" * 5000 + ":"}, "at least 8"),
        ({"STUDIO_LOGIN": "ann:long enough,ann:longer still"}, "twice"),
        ({"STUDIO_TEACHER_PASSWORD": "short"}, "too short"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_a_sentence_at_the_start(settings: dict[str, str], words: str) -> None:
    with pytest.raises(StudioError, match=words) as refused:
        Access.from_environment(settings)
    assert "short:" not in str(refused.value) and "long enough" not in str(refused.value)


def test_who_may_come_in_stands_in_the_variable_or_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "names").write_text("ann:with, a comma\n\nbob: eight or more \n", encoding="utf-8")
    assert Access.from_environment({"STUDIO_LOGIN": "ann:eight or more,bob:a:b:c:d:e"}).login == (
        ("ann", "eight or more"),
        ("bob", "a:b:c:d:e"),
    )
    assert Access.from_environment({"STUDIO_LOGIN": str(tmp_path / "names")}).login == (("ann", "with, a comma"), ("bob", "eight or more"))


def test_no_password_is_shown_or_logged() -> None:
    access = Access.from_environment({"STUDIO_LOGIN": "ann:sesame open", "STUDIO_TEACHER_PASSWORD": PASSWORD})
    assert "sesame" not in repr(access) and "chalk" not in repr(access)
    assert incidents.discreet(f"tried sesame open and {PASSWORD}") == "tried [hidden] and [hidden]"


def test_so_many_answers_within_ten_minutes_and_then_it_says_when(clock: Clock) -> None:
    limiter, one = Limiter(2, 600, clock=clock), Visitor("one")
    limiter.take(one)
    clock.now += 100
    limiter.take(one)
    with pytest.raises(StudioError, match="go on in 9 min"):
        limiter.take(one)
    limiter.take(Visitor("other"))
    clock.now += 440
    with pytest.raises(StudioError, match="go on in 60 s"):
        limiter.take(one)
    clock.now += 60
    limiter.take(one)
    with pytest.raises(StudioError, match="go on in 2 min"):
        limiter.take(one)


def test_who_makes_up_new_pages_is_counted_by_address(clock: Clock) -> None:
    limiter = Limiter(2, 600, clock=clock)
    for number in range(2 * PAGES_AN_ADDRESS):
        limiter.take(Visitor(str(number), "203.0.113.5"))
    with pytest.raises(StudioError, match="everybody gets a turn"):
        limiter.take(Visitor("new", "203.0.113.5"))
    limiter.take(Visitor("new", "203.0.113.6"))


def test_a_refused_answer_is_not_counted_and_what_is_old_is_forgotten(clock: Clock) -> None:
    limiter = Limiter(1, 600, clock=clock)
    limiter.take(Visitor("a", "x"))
    for _ in range(50):
        with pytest.raises(StudioError):
            limiter.take(Visitor("a", "x"))
    for number in range(PAGES_AN_ADDRESS - 1):
        limiter.take(Visitor(str(number), "x"))
    clock.now += 601
    limiter.take(Visitor("b", "y"))
    assert len(limiter._times) == 2


def test_thousands_of_made_up_pages_take_no_room(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.ratelimit.MOST_KNOWN", 20)
    limiter = Limiter(1, 600, clock=clock)
    for number in range(200):
        limiter.take(Visitor(str(number)))
    assert len(limiter._times) <= 21


@pytest.mark.parametrize(
    "host,forwarded,proxied,found",
    [
        ("203.0.113.5", "8.8.8.8", False, "203.0.113.5"),
        ("10.0.0.2", "8.8.8.8", True, "8.8.8.8"),
        ("10.0.0.2", "1.1.1.1, 8.8.8.8", True, "8.8.8.8"),
        ("10.0.0.2", "1.1.1.1, 8.8.8.8, 10.1.1.1", True, "8.8.8.8"),
        ("10.0.0.2", "1.1.1.1, 8.8.8.8:4711", True, "8.8.8.8"),
        ("10.0.0.2", "1.1.1.1, [2606:4700::1111]:443", True, "2606:4700::/64"),
        ("10.0.0.2", "1.1.1.1, <script>", True, "10.0.0.2"),
        ("10.0.0.2", "", True, "10.0.0.2"),
        ("2606:4700:0:0:1:2:3:4", "", False, "2606:4700::/64"),
        ("::ffff:8.8.8.8", "", False, "8.8.8.8"),
        ("", "", False, ""),
    ],
)
def test_an_address_is_what_the_last_proxy_saw_and_no_visitors_invention(host: str, forwarded: str, proxied: bool, found: str) -> None:
    assert address(asked(host, **{"X-Forwarded-For": forwarded}), proxied) == found


def test_an_address_counts_on_a_public_studio_only() -> None:
    assert Visitor.of(asked("8.8.8.8")) == Visitor("p") and Visitor.of(asked("8.8.8.8"), True) == Visitor("p", "8.8.8.8")


def test_without_a_password_nobody_is_asked_for_one(clock: Clock) -> None:
    Teachers("", clock).refuse_others(Visitor("any"))


def test_the_page_on_which_it_was_given_is_let_in_for_two_hours(clock: Clock) -> None:
    teachers, page = Teachers(PASSWORD, clock), Visitor("mine", "8.8.8.8")
    for other in (page, Visitor("mine", "1.1.1.1"), Visitor("", "8.8.8.8")):
        with pytest.raises(StudioError, match="needs the teacher's password"):
            teachers.refuse_others(other)
    teachers.unlock(page, PASSWORD)
    teachers.refuse_others(page)
    for other in (Visitor("yours", "8.8.8.8"), Visitor("mine", "1.1.1.1"), Visitor("", "8.8.8.8")):
        assert not teachers.knows(other)
    clock.now += UNLOCKED_SECONDS + 1
    assert not teachers.knows(page)
    teachers.unlock(page, PASSWORD)
    teachers.lock(page)
    assert not teachers.knows(page)


def test_a_password_can_be_tried_a_few_times_only(clock: Clock) -> None:
    teachers = Teachers(PASSWORD, clock)
    for _ in range(TRIES):
        with pytest.raises(StudioError, match="not the teacher's"):
            teachers.unlock(Visitor("a", "8.8.8.8"), "chalk")
    with pytest.raises(StudioError, match="too often"):
        teachers.unlock(Visitor("a", "8.8.8.8"), PASSWORD)
    teachers.unlock(Visitor("b", "1.1.1.1"), PASSWORD)
    clock.now += 601
    teachers.unlock(Visitor("a", "8.8.8.8"), PASSWORD)


def test_a_crowd_of_made_up_pages_gets_few_tries_too(clock: Clock) -> None:
    teachers, refused = Teachers(PASSWORD, clock), 0
    for number in range(TRIES_OF_ALL + 20):
        with pytest.raises(StudioError) as error:
            teachers.unlock(Visitor(str(number), f"8.8.8.{number}"), "é")
        refused += "too often" in str(error.value)
    assert refused == 20
