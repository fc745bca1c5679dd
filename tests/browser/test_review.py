"""Reviews in real Chromium: two raters at once who learn nothing, votes by keyboard, reloads, a killed server, withdrawal, a phone."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipelines.paths import Paths
from pipelines.review.ballots import Box, Vote
from pipelines.review.protocol import Protocol
from tests.browser import reviewing
from tests.browser.driver import CHROMIUM, OPENING
from tests.browser.reviewing import Wire, wired

pytestmark = pytest.mark.timeout(300)
if CHROMIUM is None:
    if os.environ.get("CI"):
        raise RuntimeError("chromium is missing: browser tests must run here")
    pytestmark = [pytestmark, pytest.mark.skip(reason="install chromium to run the browser tests")]
COUNTED = "#ballot .ps-ballot-said .ps-good:has-text('Counted')"


class Studio:
    """The server, which may be killed and started again on its port, and the reviews that it was started with."""

    def __init__(self, home: Path, chromium: Any) -> None:
        self.home, self.chromium, self.port = home, chromium, reviewing.free_port()
        self.box = Box(Paths(home).reviews)
        self.research: Protocol = reviewing.protocol(4, raters=20)
        self.lesson: Protocol = reviewing.protocol(3, kind="class")
        self.ids = {self.box.open_review(one): one for one in (self.research, self.lesson)}
        self.box.store.close()
        self.process = reviewing.start(home, self.port)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def again(self) -> None:
        self.process = reviewing.start(self.home, self.port)

    def votes(self, protocol: Protocol) -> list[Vote]:
        """What is on the disk, read by another process than the studio's."""
        box = Box(self.box.store.path.parent)
        try:
            return box.votes(protocol.hash[:12])
        finally:
            box.store.close()


@dataclass
class Rater:
    """One browser of its own, with everything that it received."""

    page: Any
    wire: Wire | None
    link: str
    code: str = ""
    seen: list[str] = field(default_factory=list)

    def join(self) -> Rater:
        self.page.goto(self.link, timeout=OPENING)
        self.page.wait_for_selector("#ballot .ps-consent")
        self.page.check("#ballot .ps-consent input")
        self.page.click("#ballot [data-act=join]")
        self.code = self.page.locator("#ballot .ps-receipt code").inner_text()
        self.page.click("#ballot [data-act=begin]")
        self.page.wait_for_selector("#ballot .ps-asking")
        return self

    @property
    def item(self) -> str:
        return str(self.page.get_attribute("#ballot .ps-ballot", "data-item"))

    def vote(self, keys: str = "1su", comment: str = "") -> None:
        """Answers all that is asked by keyboard alone and goes on; returns when it is counted."""
        assert self.chosen() == [] and not self.page.input_value("#ballot .ps-comment textarea"), "a pair begins empty"
        before = self.page.get_attribute("#ballot .ps-ballot", "data-new")
        for key in keys:
            self.page.keyboard.press(key)
        if comment:
            self.page.fill("#ballot .ps-comment textarea", comment)
        self.keep()
        self.page.keyboard.press("Control+Enter" if comment else "Enter")
        self.page.wait_for_selector(f"#ballot .ps-ballot:not([data-new='{before}']) .ps-good:has-text('Counted')")
        self.keep()

    def keep(self) -> None:
        self.seen.append(self.page.content())

    def chosen(self) -> list[str]:
        return [str(one.get_attribute("value")) for one in self.page.locator("#ballot input:checked").all()]

    @property
    def everything(self) -> str:
        self.keep()
        return (self.wire.received if self.wire else "") + "\n".join(self.seen)


@pytest.fixture(scope="module")
def studio(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    made = Studio(tmp_path_factory.mktemp("review"), chromium)
    yield made
    made.process.terminate()
    made.process.wait(20)


@pytest.fixture
def rater(studio: Studio, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Makes raters with browsers of their own; all are closed in the end."""
    opened: list[tuple[Any, Any]] = []

    def made(protocol: Protocol, **options: Any) -> Rater:
        line = wired(studio.port)
        wire = line.__enter__()
        context = studio.chromium.new_context(viewport={"width": 1400, "height": 900}, **options)
        opened.append((context, line))
        return Rater(context.new_page(), wire, f"{wire.url}/rate?review={protocol.hash[:12]}")

    yield made
    for context, line in opened:
        context.close()
        line.__exit__(None, None, None)


def test_two_raters_at_once_vote_by_keyboard_and_learn_nothing(studio: Studio, rater: Any) -> None:
    one, two = rater(studio.research).join(), rater(studio.research).join()
    total = len(studio.research.items)
    for number in range(total):
        one.vote("1su" if number % 2 else "b2a", "remark of the first" if number == total - 1 else "")
        if number < 3:
            two.vote("uuu", "remark of the second" if number == 2 else "")
    assert f"All {total} pairs are counted" in one.page.inner_text("#ballot")
    one.page.click("#ballot [data-act=last]")
    one.page.wait_for_selector("#ballot .ps-asking")
    two.page.click("#ballot [data-act=back]")
    two.page.wait_for_selector("#ballot .ps-note:has-text('counted already')")
    two.page.click("#ballot [data-act=list]")
    two.page.wait_for_selector("#ballot :text('you have judged 3')")
    votes = studio.votes(studio.research)
    numbers = {str(vote.rater_number) for vote in votes}
    assert len(votes) == 3 * (total + 3) and len(numbers) == 2
    for own, other in ((one, two), (two, one)):
        received = own.everything
        plain = [
            max(re.findall(r"[A-Za-z ,.]+", text), key=len) for text in studio.research.items[0].texts
        ]  # signs are escaped on the wire
        assert all(len(text) > 20 and text in received for text in plain), "the wire hears what is sent"
        assert own.code in received
        told = [secret for secret in {*reviewing.telling(studio.research), other.code} if secret in received]
        assert not told, f"a rater's browser was told {told}"
        assert not re.search(rf"rater\W{{1,3}}(?:{'|'.join(numbers)})\b", received)
    assert "remark of the first" in one.everything and "remark of the first" not in two.everything
    assert "remark of the second" in two.everything and "remark of the second" not in one.everything


def test_the_wire_would_hear_a_name_that_is_sent(studio: Studio, rater: Any) -> None:
    pupil = rater(studio.lesson).join()
    assert not [secret for secret in reviewing.telling(studio.lesson) if secret in pupil.everything]
    for number in range(len(studio.lesson.items)):
        pupil.vote()
        pupil.page.wait_for_selector("#ballot [data-stage=revealed]")
        pupil.page.keyboard.press("Enter")
        pupil.page.wait_for_selector("#ballot .ps-asking" if number + 1 < len(studio.lesson.items) else "#ballot [data-stage=end]")
    heard = [secret for secret in reviewing.telling(studio.lesson) if secret in pupil.wire.received]
    assert {reviewing.TUNED, reviewing.ADAPTER, ">deliberately biased"} <= set(heard)
    assert any(one["seal"] in heard for one in studio.lesson.answers)


def test_a_reload_keeps_the_place_and_what_is_chosen_but_not_counted(studio: Studio, rater: Any) -> None:
    one = rater(studio.research).join()
    one.vote()
    item = one.item
    one.page.keyboard.press("2")
    one.page.keyboard.press("s")
    one.page.fill("#ballot .ps-comment textarea", "half a thought")
    one.page.reload()
    one.page.wait_for_selector("#ballot .ps-asking")
    assert one.item == item and one.chosen() == ["B", "same"]
    assert one.page.input_value("#ballot .ps-comment textarea") == "half a thought"
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector("#ballot .ps-missing:has-text('Answer everything')")
    assert one.item == item and not one.page.locator(COUNTED).count()
    one.page.keyboard.press("u")
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector(COUNTED)
    one.page.click("#ballot [data-act=back]")
    one.page.wait_for_selector(f"#ballot [data-item='{item}']")
    assert one.chosen() == ["B", "same", "unsure"]


def test_a_killed_server_loses_nothing_that_was_called_counted(studio: Studio, rater: Any) -> None:
    before = {(vote.rater_number, vote.item_id) for vote in studio.votes(studio.research)}
    one = rater(studio.research).join()
    for _ in range(2):
        one.vote("ab1")
    studio.kill()
    kept = [vote for vote in studio.votes(studio.research) if (vote.rater_number, vote.item_id) not in before]
    assert len({vote.item_id for vote in kept}) == 2 and len(kept) == 6
    item = one.item
    for key in ("1", "2", "3", "Enter"):
        one.page.keyboard.press(key)
    one.page.wait_for_selector("#ballot .ps-missing:has-text('not answered yet')", timeout=120_000)
    assert one.item == item and len(studio.votes(studio.research)) == len(before) * 3 + 6
    studio.again()
    one.page.reload()
    one.page.wait_for_selector("#ballot .ps-asking")
    assert one.item == item and one.chosen() == ["A", "B", "same"] and "2 done" in one.page.inner_text("#ballot")
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector(COUNTED)
    assert one.item != item


def test_a_receipt_takes_everything_back_and_the_browser_forgets(studio: Studio, rater: Any) -> None:
    before = len(studio.votes(studio.research))
    one = rater(studio.research).join()
    one.vote()
    assert len(studio.votes(studio.research)) == before + 3
    one.page.keyboard.press("1")
    one.page.get_by_role("button", name="Withdraw your ballots").click()
    one.page.fill("#withdraw-code input, #withdraw-code textarea", "ABCD-EFGH-JKLM")
    one.page.click("#withdraw-press")
    one.page.wait_for_selector("#withdraw-told .ps-error")
    one.page.fill("#withdraw-code input, #withdraw-code textarea", one.code.lower())
    one.page.click("#withdraw-press")
    one.page.wait_for_selector("#withdraw-told .ps-good:has-text('1 ballot deleted')")
    one.page.wait_for_selector("#ballot .ps-consent")
    assert len(studio.votes(studio.research)) == before
    one.page.wait_for_function("!Object.keys(sessionStorage).some(key => key.startsWith('politune-draft-'))")
    one.page.reload()
    one.page.wait_for_selector("#ballot .ps-consent")


def test_on_a_phone_both_answers_are_read_before_the_questions_and_the_page_does_not_grow_wider(studio: Studio, rater: Any) -> None:
    one = rater(studio.research, has_touch=True)
    one.page.set_viewport_size({"width": 400, "height": 800})
    one.join()
    cards = one.page.locator("#ballot .ps-cards")
    first, second = (cards.locator(".ps-card").nth(number).bounding_box() for number in range(2))
    asked = one.page.locator("#ballot fieldset").first.bounding_box()
    assert first["y"] + first["height"] <= second["y"] and second["y"] + second["height"] <= asked["y"], "one answer below the other"
    assert second["x"] >= 0 and second["x"] + second["width"] <= 400
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 402
    colours = cards.locator(".ps-card").evaluate_all("all => all.map(one => getComputedStyle(one).borderTopColor)")
    assert len(set(colours)) == 1, "no colour by side"
    for question in one.page.locator("#ballot fieldset").all():
        question.locator("label").nth(2).click()
    one.page.click("#ballot [data-act=vote]")
    one.page.wait_for_selector(COUNTED)
