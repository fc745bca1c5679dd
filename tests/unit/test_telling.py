"""Any error as a sentence: what handlers say themselves, and what the net below them says."""

from __future__ import annotations

import re

import pytest

from pipelines import incidents
from pipelines.errors import Cancelled, StudioError
from studio import telling
from studio.telling import Studio, told

CODE = re.compile(r"code ([2-9A-HJKMNP-Z]{5})")


class Pressed:
    """What Gradio knows of an event."""

    def __init__(self, *events: str) -> None:
        self.targets = [(None, event) for event in events]


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(analytics_enabled=False)


def test_people_read_what_is_wrong_and_what_to_do() -> None:
    said = told(StudioError("No <b>room</b>.", "Make some."))
    assert "ps-error" in said and "No &lt;b&gt;room&lt;/b&gt;." in said and "Make some." in said and not CODE.search(said)
    assert "ps-info" in told(Cancelled()) and telling.GO_ON in told(Cancelled()) and "Stored." in told(Cancelled(), stopped="Stored.")


def test_what_is_nobodys_mistake_has_a_code_and_none_of_the_errors_words(capsys: pytest.CaptureFixture[str]) -> None:
    said = told(KeyError("somebody's words"), "The study is unharmed.", "Judging broke off")
    code = CODE.search(said)
    assert code and "Judging broke off (KeyError)." in said and "The study is unharmed." in said and "somebody" not in said
    assert incidents.latest()[0].code == code[1] and f"{code[1]} Judging broke off" in capsys.readouterr().err


def test_a_toast_is_html_and_holds_nothing_that_could_be_markup(studio: Studio) -> None:
    toast = studio._toast(StudioError("No <img src=x onerror=alert(1)>.", "“It's” & so on"), Pressed("click"), "me")
    assert toast.message == "No &lt;img src=x onerror=alert(1)&gt;. “It's” &amp; so on"
    assert toast.visible and toast.title == "This can't be done" and not toast.print_exception


def test_a_page_that_looks_by_itself_is_told_once_a_minute(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(session: str, event: str = "tick") -> bool:
        return studio._toast(StudioError("The disk is full."), Pressed(event), session).visible

    assert [tell("a"), tell("a"), tell("b"), tell("a", "click"), tell("a", "click")] == [True, False, True, True, True]
    monkeypatch.setattr(telling, "QUIET", 0.0)
    assert tell("a")


def test_what_pages_were_told_does_not_pile_up(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "MOST_REMEMBERED", 3)
    for number in range(10):
        studio._has_heard(str(number), "words")
    assert [session for session, _ in studio._told] == ["7", "8", "9"]
