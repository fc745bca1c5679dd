"""A class from card to card: what is counted is on the disk, and no phone is shown anything before its time."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
from html import escape
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipelines.classroom import classes, network
from pipelines.classroom.classes import Classes
from pipelines.classroom.deck import PAPER, Card, read_deck
from pipelines.errors import StudioError
from pipelines.paths import PROJECT, Paths
from pipelines.review.ballots import Box
from pipelines.review.guess import ROLES
from studio.access import Access
from studio.classroom import leading, qr, room, server, student, teaching
from studio.classroom.announcing import announce
from studio.classroom.leading import Screen
from studio.classroom.room import Room
from studio.classroom.student import Seen, Tap
from studio.owning import OWNER
from studio.ratelimit import Visitor
from studio.services import Services
from studio.tabs.reviews.visitor import Kept
from tests import classing

DECK = read_deck()
VISITOR = Visitor("page", "192.0.2.9")


def card_of(**wanted: Any) -> Card:
    return next(
        card
        for card in DECK.cards
        if all(
            bool(getattr(card, name)) == value if isinstance(value, bool) else getattr(card, name) == value
            for name, value in wanted.items()
        )
    )


@pytest.fixture
def services(paths: Paths) -> Services:
    return classing.services(paths)


@pytest.fixture
def place(services: Services) -> Room:
    """A class that is open, without a server."""
    made = Room(services)
    made.current = made.table.open_class(DECK)
    made._server = SimpleNamespace(port=7861, close=lambda: None)  # type: ignore[assignment]
    return made


def tap(act: str, class_id: str = "", card: str = "", said: Any = None, code: str = "", consent: bool = True, nonce: str = "") -> Tap:
    return Tap(act, class_id, card, said, code, consent, nonce)


def joined(place: Room) -> Kept:
    code = place.table.about(place.current).code
    page, kept, seen = student.answer(place, Kept(), tap("join", code=code), Visitor(secrets.token_hex(4)))
    assert seen.is_in, page
    return kept


def said(place: Room, kept: Kept, card: Card, what: Any) -> str:
    return student.answer(place, kept, tap("choose", place.current, card.id, what), VISITOR)[0]


def test_a_confirmed_reply_outlives_a_studio_that_is_killed(paths: Paths) -> None:
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom pipelines.classroom.classes import Classes\n"
        "from pipelines.classroom.deck import read_deck\n"
        "table = Classes(Path(sys.argv[1])); made = table.open_class(read_deck()); card = read_deck().cards[0].id\n"
        "token = table.join(made, True).token; table.show(made, card); table.reply(token, card, 2)\n"
        "print(made, card, token, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(paths.reviews)], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    class_id, card, token = done.stdout.split()
    again = Classes(paths.reviews)
    assert again.own(token, card) == 2 and again.unfinished() == [class_id] and again.state(class_id).card == card
    assert len(again.cards(class_id)) == len(DECK.cards) and again.about(class_id).code


def test_only_the_open_card_takes_replies_and_the_last_one_before_the_reveal_counts(place: Room) -> None:
    table, first, second = place.table, DECK.cards[0], card_of(kind="predict", id="how-many")
    token = table.join(place.current, True).token
    with pytest.raises(StudioError, match="not open any more"):
        table.reply(token, first.id, 0)
    table.show(place.current, first.id)
    for wrong in (-1, 99, True, None, "0", {"A": "left"}, 0.0):
        with pytest.raises(StudioError, match="can't be answered"):
            table.reply(token, first.id, wrong)
    table.reply(token, first.id, 0)
    table.reply(token, first.id, 1)
    assert (table.own(token, first.id), table.answered(place.current, first.id)) == (1, 1)
    assert table.counted(place.current, first.id).bars == () and table.played(place.current) == []
    table.reveal(place.current, first.id)
    with pytest.raises(StudioError, match="not open any more"):
        table.reply(token, first.id, 0)
    table.show(place.current, second.id)
    table.reply(token, second.id, 0)
    place.table.close(place.current)
    with pytest.raises(StudioError, match="over"):
        table.reply(token, second.id, 1)


def test_a_guess_is_kept_by_role_whatever_letters_a_student_read(place: Room) -> None:
    card = card_of(kind="guess")
    place.table.show(place.current, card.id)
    for _ in range(4):
        token = place.table.join(place.current, True).token
        with pytest.raises(StudioError, match="not complete"):
            place.table.reply(token, card.id, {"A": "left", "B": "left", "C": "placebo"})
        place.table.reply(token, card.id, card.dealt(token))
        assert place.table.own(token, card.id) == dict(zip(ROLES, ROLES, strict=True))
    place.table.reveal(place.current, card.id)
    assert place.table.counted(place.current, card.id).bars[0].count == 4


@pytest.mark.parametrize("card", DECK.cards, ids=lambda card: card.id)
def test_no_page_tells_what_is_hidden_before_the_reveal_and_all_of_it_after(place: Room, card: Card) -> None:
    place.table.show(place.current, card.id)
    kept = joined(place)
    pages = [student.here(place, kept)[0], student.here(place, Kept())[0]]
    if card.is_tapped and card.kind != "guess":
        pages.append(said(place, kept, card, "A" if card.find else 0))
        assert "Counted." in pages[-1]
    screen = leading.shown(place)["board"]
    texts = [escape(card.answer(column).text.strip()[:40]) for column in card.columns]
    for page in (*pages, screen):
        assert not card.told or card.told[:40] not in page
        assert "ps-mark" not in page and "--side" not in page and "so it was" not in page
        assert card.hide == "names" or not [text for text in texts if text in page]
    assert escape(card.ask[:30]) not in pages[1] and (card.hide != "names" or texts[0] in pages[0])
    place.table.reveal(place.current, card.id)
    after, board = student.here(place, kept)[0], leading.shown(place)["board"]
    assert all(text in after and text in board for text in texts) and (card.told[:20] in after)
    assert not texts or "not tuned" in after or "deliberately biased" in after


def test_the_look_every_two_seconds_changes_a_page_only_when_the_teacher_does_something(place: Room) -> None:
    kept, stranger = joined(place), Kept()
    before, outside = student._standing(place, kept), student._standing(place, stranger)
    other = joined(place)
    assert student._standing(place, kept) == before
    place.table.show(place.current, DECK.cards[0].id)
    now = student._standing(place, kept)
    assert now != before and student._standing(place, stranger) == outside, "who is not in learns nothing of how far the class is"
    said(place, other, DECK.cards[0], 0)
    assert student._standing(place, kept) == now
    place.table.reveal(place.current, DECK.cards[0].id)
    assert student._standing(place, kept) != now
    place.table.close(place.current)
    assert student._standing(place, kept).is_over and "over" in student.here(place, kept)[0]
    place.current = ""
    assert student._standing(place, kept) == Seen()


def test_a_phone_needs_the_code_and_consent_and_too_many_tries_shut_the_door(place: Room) -> None:
    code = place.table.about(place.current).code
    page, kept, _ = student.answer(place, Kept(), tap("join", code=code, consent=False), VISITOR)
    assert "before you agree" in page and not kept.tokens
    page, kept, _ = student.answer(place, Kept(), tap("join", code="CCCCCC" if code != "CCCCCC" else "DDDDDD"), VISITOR)
    assert "not the code" in page and not kept.tokens and place.table.joined(place.current) == 0
    for _ in range(room.TRIES):
        page = student.answer(place, Kept(), tap("join", code="XXXXXX"), VISITOR)[0]
    page, kept, _ = student.answer(place, Kept(), tap("join", code=code), VISITOR)
    assert "tried too often" in page and not kept.tokens, "also with the right code"
    assert joined(place).tokens


def test_one_person_who_taps_join_twice_is_one_student_and_can_delete_everything(place: Room) -> None:
    code, nonce = place.table.about(place.current).code, "ab" * 16
    first, second = (student.answer(place, Kept(), tap("join", code=code, nonce=nonce), VISITOR)[1] for _ in range(2))
    assert first.tokens == second.tokens and place.table.joined(place.current) == 1
    card = DECK.cards[0]
    place.table.show(place.current, card.id)
    said(place, first, card, 0)
    page, after, seen = student.answer(place, first, tap("delete", place.current), VISITOR)
    assert "is deleted" in page and not after.tokens and not seen.is_in
    assert place.table.answered(place.current, card.id) == 0 and place.table.joined(place.current) == 0


def test_replies_expire_with_everything_else_after_thirty_days(paths: Paths) -> None:
    now = [1_700_000_000.0]
    table, box = Classes(paths.reviews, lambda: now[0]), Box(paths.reviews, lambda: now[0])
    class_id = table.open_class(DECK)
    token = table.join(class_id, True).token
    table.show(class_id, DECK.cards[0].id)
    table.reply(token, DECK.cards[0].id, 0)
    box.expire(now[0] + 29 * 86_400)
    assert table.answered(class_id, DECK.cards[0].id) == 1
    box.expire(now[0] + (classes.KEEP_DAYS + 2) * 86_400)
    assert table.answered(class_id, DECK.cards[0].id) == 0 and table.joined(class_id) == 0


def test_a_live_question_is_answered_once_however_many_phones_show_it(services: Services, place: Room) -> None:
    students = [joined(place) for _ in range(30)]
    leading.step(place, 1, False)
    leading.ask(services, place, "Should rents be limited?", False, "teacher", False)
    pages = [student.here(place, kept)[0] for kept in students for _ in range(3)]
    assert len(services.host.read) == 1 and all("Should rents be limited?" in page for page in pages)  # type: ignore[attr-defined]
    assert [card.id for card in place.table.cards(place.current)][1] == "live-1" and "ps-mark" not in pages[0]
    leading.reveal(place, Screen(place.current, "live-1"), False)
    assert "not tuned" in student.here(place, students[0])[0] and len(services.host.read) == 1  # type: ignore[attr-defined]
    with pytest.raises(StudioError, match="no question"):
        leading.ask(services, place, "  ", False, "teacher", False)


def test_the_teacher_goes_from_card_to_card_ends_at_the_second_press_and_takes_totals_along(place: Room) -> None:
    students = [joined(place) for _ in range(5)]
    assert "First card" in str(leading.shown(place)["next"])
    updates = leading.step(place, 1, False)
    card = DECK.cards[0]
    for number, kept in enumerate(students):
        said(place, kept, card, 0 if number < 4 else 1)
    seen = updates["screen"]
    assert (
        "5 of 5 have answered" in leading.ticked(place, seen, False)["board"] and "95%" not in leading.ticked(place, seen, False)["board"]
    )
    assert leading.ticked(place, (now := leading.shown(place)["screen"]), False) == {"screen": now}, "nothing is drawn again"
    with pytest.raises(StudioError, match="No card is revealed"):
        leading.results(place, "csv")
    board = leading.reveal(place, leading.shown(place)["screen"], False)["board"]
    assert "kept back" in board and "4 ·" not in board, "four against one would show who was alone"
    assert json.loads(leading.results(place, "csv")["file"])["name"] == "class-results.csv"
    first = leading.end(place, "")
    assert first["warned"] == place.current and not place.table.is_closed(place.current)
    assert "class is over" in leading.end(place, place.current)["said"] and place.opened is None
    place.close()


def test_who_may_lead_is_the_studios_own_computer_or_whoever_has_the_password(services: Services) -> None:
    home = SimpleNamespace(headers={"host": "127.0.0.1:7860"}, client=SimpleNamespace(host="127.0.0.1"), session_hash="one")
    outside = SimpleNamespace(headers={"host": "192.0.2.1:7860"}, client=SimpleNamespace(host="192.0.2.9"), session_hash="two")
    room.refuse_others(services, home)
    with pytest.raises(StudioError, match="at the computer"):
        room.refuse_others(services, outside)
    services.access = Access(teacher_password="a long password")
    with pytest.raises(StudioError, match="password"):
        room.refuse_others(services, outside)
    services.access.teachers.unlock(Visitor.of(outside, True), "a long password")
    room.refuse_others(services, outside)
    services.access = Access(public=True)
    with pytest.raises(StudioError, match="public"):
        room.refuse_others(services, home)


def test_what_a_phone_sends_is_never_believed() -> None:
    for value in (None, 7, [], {"act": 3, "said": object()}, {"act": "choose", "class": ["x"], "consent": "true"}):
        read = Tap.read(value)
        assert isinstance(read.act, str) and isinstance(read.class_id, str) and read.consent is False


def test_a_hostile_question_is_words_on_every_page(services: Services, place: Room) -> None:
    kept = joined(place)
    leading.ask(services, place, "<script>alert(1)</script><img src=x onerror=alert(2)>", True, "teacher", False)
    for page in (student.here(place, kept)[0], leading.shown(place)["board"]):
        assert "&lt;script&gt;" in page and "<script" not in page and "<img" not in page
    door = student.here(place, Kept(), '"><script>')[0]
    assert "<script" not in door and 'value="&quot;&gt;&lt;sc' in door


def test_make_class_goes_on_with_the_class_that_was_not_ended(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "launch", lambda room, port: SimpleNamespace(port=port, close=lambda: None))
    monkeypatch.setattr(network, "addresses", lambda: ["192.0.2.7", "192.0.2.8"])
    first = announce(services)
    class_id = room.of(services).current
    assert "http://192.0.2.7:7861 or http://192.0.2.8:7861" in first and "█" in first
    with pytest.raises(StudioError, match="open already"):
        room.of(services).open(DECK)
    room.of(services).close()
    assert room.of(services).opened is None and announce(services) == first and room.of(services).current == class_id
    monkeypatch.setattr(network, "addresses", list)
    assert "no network" in announce(services) and "in no network" in leading.shown(room.of(services))["door"]
    monkeypatch.setenv("STUDIO_CLASS_PORT", "many")
    with pytest.raises(StudioError, match="STUDIO_CLASS_PORT"):
        room._first_port()
    room.of(services).close()


def test_the_qr_code_is_a_picture_with_a_name_and_nothing_that_runs() -> None:
    drawn = qr.as_svg("http://192.0.2.7:7861/?code=CDFHJK")
    assert drawn.startswith("<svg role=") and "viewBox" in drawn and "<script" not in drawn and "href" not in drawn


def test_phones_screen_and_paper_agree_on_letters_but_in_a_guess(place: Room) -> None:
    search, guess = card_of(find="base"), card_of(kind="guess")
    assert search.hand("one class", "a") == search.hand("another", "b") == search.dealt(PAPER)
    assert len({tuple(guess.hand("one class", str(token)).values()) for token in range(60)}) == 6
    place.table.show(place.current, guess.id)
    hidden, on_paper = (leading.shown(place, paper)["board"] for paper in (False, True))
    for letter, column in guess.dealt(PAPER).items():
        assert escape(guess.answer(column).text[:30]) in on_paper and escape(guess.answer(column).text[:30]) not in hidden
    place.table.reveal(place.current, guess.id)
    board = leading.shown(place, True)["board"]
    assert all(f"{letter} was: {column.title()}" in board for letter, column in guess.dealt(PAPER).items())


def test_the_teachers_stage_offers_programs_nothing_and_is_not_there_in_public(services: Services) -> None:
    def built() -> dict[str, Any]:
        with gr.Blocks() as page:
            made = teaching.build(services, gr.BrowserState(**OWNER))
            page.load(**made["attach"])
        return page.get_config_file()

    config = built()
    assert len(config["dependencies"]) > 12 and {one["api_visibility"] for one in config["dependencies"]} == {"private"}
    shown = json.dumps(config, default=str)
    assert not [card.id for card in DECK.cards if card.told and card.told[:40] in shown], "the page holds no card before a class is open"
    services.access = Access(public=True)
    assert "class-open" not in json.dumps(built(), default=str)
