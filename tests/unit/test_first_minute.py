"""A visitor's first minute: the dial answers at once where answers are recorded, strangers are told what is live, and the look agrees."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from pipelines.comparing import curated
from pipelines.comparing.comparison import Comparison, Turn
from pipelines.paths import ASSETS
from studio import theme
from studio.access import Access
from studio.tabs.comparing import dialling
from studio.tabs.comparing.remembering import recorded
from studio.views import welcome

REQUEST: Any = SimpleNamespace(session_hash="me", query_params={})
ON_SPACE = {"SPACE_ID": "someone/poli-tune"}


class Services:
    """What the dial asks: whether an answer of this visitor grows, and which base answers."""

    def __init__(self, base: str = "", busy: bool = False) -> None:
        self.busy, self.base, self.released = busy, base, 0

    def claim(self, session: str) -> bool:
        return not self.busy

    def release(self, session: str) -> None:
        self.released += 1

    def loaded(self) -> Any:
        return SimpleNamespace(fingerprint=self.base)


def first() -> Comparison:
    found = recorded()
    assert found is not None
    return found


def turned(strength: Any, shown: Comparison | None = None, services: Any = None) -> tuple[Any, ...]:
    asked: Any = services or Services()
    return dialling.at_strength(asked, strength, shown or first(), {"columns": ["base", "left"]}, REQUEST)


@pytest.mark.parametrize("strength", [0.5, 1.5])
def test_a_recorded_strength_answers_at_once_and_says_that_it_is_recorded(strength: float) -> None:
    services = Services()
    said, panes, talk, memory, look, below = turned(strength, services=services)
    assert "Recorded earlier" in said and panes.count("<article") == 4 and (look, below) == ("Answers", "")
    assert talk.strength == strength and talk.keys == first().keys and talk.last.question == first().last.question
    assert f"strength {strength:g}" in panes and memory["comparison"] == talk.as_dict() and memory["columns"] == ["base", "left"]
    assert services.released == 1, "the visitor can ask again"
    back = dialling.at_strength(services, 1.0, talk, memory, REQUEST)  # type: ignore[arg-type]
    assert back[2].last.answers == first().last.answers


@pytest.mark.parametrize("strength", [0.55, 0, 2, None, 1.0])
def test_elsewhere_the_answers_stay_and_their_strength_is_said(strength: Any) -> None:
    said, *rest = turned(strength)
    assert "strength 1" in said and all(update == {"__type__": "update"} for update in rest)
    assert ("Press “Ask all”" in said) is (strength != 1.0)


def test_other_questions_conversations_system_prompts_and_bases_are_never_answered_from_the_record() -> None:
    one = first()
    asked = Comparison(one.keys, (Turn("Why?", one.last.answers),), one.sampling, 1.0)
    longer = Comparison(one.keys, (one.last, one.last), one.sampling, 1.0)
    ordered = Comparison(one.keys, one.turns, one.sampling, 1.0, "You are a pirate.")
    for shown in (asked, longer, ordered):
        assert "still those at strength 1" in turned(0.5, shown)[0]
    assert "still those" in turned(0.5, services=Services(base="another base"))[0]


def test_while_an_answer_grows_nothing_is_changed() -> None:
    services = Services(busy=True)
    assert all(update == {"__type__": "update"} for update in turned(0.5, services=services)) and services.released == 0


def test_every_stop_of_the_dial_is_recorded() -> None:
    assert tuple(dialling.STOPS) == tuple(dialling.MEANING) == curated.STRENGTHS


def test_strangers_are_told_what_is_live_and_a_studio_of_ones_own_has_no_panel() -> None:
    assert welcome.panel(Access(), ON_SPACE) == ""
    shown = welcome.panel(Access(public=True), ON_SPACE)
    assert 'href="https://huggingface.co/spaces/someone/poli-tune?duplicate=true"' in shown and "cd poli-tune &amp;&amp; make run" in shown
    assert "<b>Recorded:</b>" in shown and "<b>Live:</b>" in shown and "training" in shown
    elsewhere = welcome.panel(Access(public=True), {})
    assert "duplicate" not in elsewhere and "git clone" not in elsewhere and "make run" in elsewhere


def test_what_the_owner_opened_is_not_missed() -> None:
    some = welcome.panel(Access(public=True, opened=frozenset({"tune"})), {})
    assert "questions of your own" in some and " training" not in some.partition("A studio of your own")[2]
    everything = Access(public=True, opened=frozenset(welcome.OPEN))
    assert "A studio of your own has" not in welcome.panel(everything, {})


@pytest.mark.parametrize("name", ["", "nobody", "a/b/c", 'a/b"><script>', "../x", "a/..\n"])
def test_a_name_that_is_no_spaces_makes_no_link(name: str) -> None:
    shown = welcome.panel(Access(public=True), {"SPACE_ID": name})
    assert "huggingface.co" not in shown and "<script" not in shown


def test_all_sheets_of_the_page_are_read_and_that_of_the_report_is_not() -> None:
    sheet = theme.css()
    assert sheet.startswith((ASSETS / "style.css").read_text(encoding="utf-8")) and "#dial-row" in sheet
    assert (ASSETS / "report.css").read_text(encoding="utf-8") not in sheet


def test_the_icon_is_a_picture_without_scripts_or_addresses() -> None:
    root = ET.parse(ASSETS / "icon.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.get("viewBox")
    assert {one.tag.rpartition("}")[2] for one in root.iter()} <= {"svg", "rect", "path", "circle"}
    assert not any("href" in name or name.startswith("on") for one in root.iter() for name in one.attrib)


def test_the_card_is_drawn_from_what_is_recorded_now_and_says_what_it_shows() -> None:
    from benchmarks import make_card

    picture = Image.open(ASSETS / "card.png")
    about = picture.info["Description"]
    assert picture.size == (1200, 630) and "Deliberately biased small model" in about
    assert make_card.answers()[0] in about and all(line in about for line in make_card.figures()), "run: python -m benchmarks.make_card"
    assert "which includes 0" in make_card._figure({"mean": 0.1, "low": -0.1, "high": 0.3})
