"""Phones at this machine's own address on the network: they reach the student's page and nothing else, and nothing before its time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

import httpx
import pytest
from gradio_client import Client

from benchmarks.phones import Phone
from pipelines.classroom.deck import read_deck
from pipelines.paths import Paths
from studio.classroom import leading, room
from studio.classroom.room import Room
from tests import classing

DECK = read_deck()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, str]]:
    """An open class and its address, as phones see it."""
    patch = pytest.MonkeyPatch()
    home = Paths(tmp_path_factory.mktemp("class"))
    patch.setenv("STUDIO_HOME", str(home.root))
    with classing.outer_address() as address:
        if not address:
            pytest.skip("this machine has no address but loopback, and none can be lent to it")
        made = room.of(classing.services(home))
        opened = made.open(DECK)
        yield made, f"http://{address}:{opened.port}"
        made.close()
    patch.undo()


def test_a_class_on_phones_from_the_door_to_the_reveal(place: tuple[Room, str]) -> None:
    made, url = place
    code = made.table.about(made.current).code
    phones = [Phone(url, f"?code={code}" if number else "") for number in range(3)]
    assert "not the code" in phones[0].join("XXXXXX")
    with ThreadPoolExecutor(3) as together:
        pages = list(together.map(lambda phone: phone.join(code), phones))
    assert all("You are in" in page for page in pages) and made.table.joined(made.current) == 3
    search = next(card for card in DECK.cards if card.find)
    first = DECK.cards[0]
    leading.step(made, 1, False)
    assert all(phone.tick() for phone in phones) and first.ask[:60] in phones[0].page
    for phone in phones:
        assert "Counted." in phone.tap("choose", said=0)
    made.table.show(made.current, search.id)
    for phone in phones:
        phone.tick()
        phone.tap("choose", said="A")
    hidden = [first.answer(column).text[:40] for column in first.columns] + [card.told[:40] for card in DECK.cards if card.told]
    hidden += [one["seal"] for card in DECK.cards for one in card.answers] + ["deliberately biased</span>", "so it was"]
    for phone in phones:
        assert escape(search.answer("placebo").text[:40]) in phone.page
        assert not [
            one for one in hidden if one in phone.received or escape(one) in phone.received or json.dumps(one)[1:-1] in phone.received
        ]
    made.table.reveal(made.current, search.id)
    assert all(phone.tick() for phone in phones)
    assert search.told[:40] in phones[0].page and "deliberately biased" in phones[0].page
    assert "3 · 100%" in phones[0].page


def test_thirty_looks_at_a_live_question_cost_one_generation(place: tuple[Room, str]) -> None:
    made, url = place
    phones = [Phone(url) for _ in range(2)]
    for phone in phones:
        phone.join(made.table.about(made.current).code)
    read = made.services.host.read  # type: ignore[attr-defined]
    before = len(read)
    leading.ask(made.services, made, "Should trains be free?", False, "teacher", False)
    for _ in range(15):
        for phone in phones:
            phone.tick()
    assert len(read) == before + 1 and all("Should trains be free?" in phone.page for phone in phones)


def test_a_phone_finds_no_other_part_of_the_studio(place: tuple[Room, str]) -> None:
    made, url = place
    client = Client(url, verbose=False)
    known = client.view_api(return_format="dict", print_info=False)
    assert known == {"named_endpoints": {}, "unnamed_endpoints": {}}, "no program is offered anything"
    config = httpx.get(f"{url}/config").json()
    names = {str(one["api_name"]) for one in config["dependencies"]}
    assert len(config["dependencies"]) == 5 and not [
        one for one in names if any(w in one for w in ("compare", "tune", "open", "save", "upload"))
    ]
    text = json.dumps(config)
    assert not [word for word in ("Curate", "Tune", "Stance", "Ask all", "Upload") if f'"{word}' in text]
    kinds = {one["type"] for one in config["components"]}
    assert kinds <= {"browserstate", "html", "state", "timer", "column", "row", "form", "navbar"}, kinds
    assert httpx.post(f"{url}/gradio_api/upload", files={"files": ("a.csv", b"text\nx\n")}).status_code == 403
    for path in (made.table.store.path, Path(made.services.paths.root) / "reviews" / "owners.json", Path("/etc/hostname")):
        assert httpx.get(f"{url}/gradio_api/file={path}").status_code in (403, 404)
    for page in ("rate", "guess", "gradio_api/deep_link", "gradio_api/heartbeat/x/../../rate"):
        assert httpx.get(f"{url}/{page}", timeout=5).status_code == 404


def test_no_phone_reads_a_card_or_replies_without_having_joined(place: tuple[Room, str]) -> None:
    made, url = place
    leading.step(made, 1, False)
    stranger, card = Phone(url), made.table.state(made.current).card
    assert "Class code" in stranger.load() and made.table.card(made.current, card).ask[:40] not in stranger.received
    stranger.kept = {"tokens": {made.current: "made-up"}, "receipts": {}, "last": made.current}
    page = stranger.tap("choose", **{"class": made.current, "card": card, "said": 0})
    assert "Class code" in page and made.table.answered(made.current, card) == 0
